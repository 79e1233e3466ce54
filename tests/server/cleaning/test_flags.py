"""Flags and people: explained, opened again, corrected, kept through runs; who may say what."""

from __future__ import annotations

import pytest

from forms.problems import Problem
from server.actions import flags, following
from server.actions.flags import Filter
from server.model.submissions import submissions
from server.store import submissions as submission_store
from tests.server.cleaning.raising import publish, raised, rebuild, send, table
from tests.server.desk import PROJECT, Desk
from tests.server.wire import Wire

SURVEY = table("survey", "type | name | label", "integer | edad | Edad", "text | cedula | Cédula")
COLUMNS = "name | label | severity | when | builtin | key"
CHECKS = table(
    "checks", COLUMNS, "mayor | Mayor | error | ${edad} > 110 | |", "doble | Doble | | | duplicate | ${cedula}"
)


def number(desk: Desk, check: str, row: str = "a") -> int:
    """The flag's number."""
    return next(flag.id for flag in desk.flags("hogar") if (flag.check, flag.row_key) == (check, f"uuid:{row}"))


def explain(desk: Desk, flag_id: int, comment: str = "Es la abuela") -> flags.Flagged:
    return desk.act(lambda ctx: flags.explain(ctx, PROJECT, "hogar", flag_id, comment))


def test_an_explained_flag_stays_explained_while_it_says_the_same(desk: Desk, phone: Wire):
    publish(desk, SURVEY, checks=CHECKS)
    send(phone, "<edad>111</edad><cedula>1</cedula>", "a")
    send(phone, "<edad>30</edad><cedula>1</cedula>", "b")
    made = explain(desk, number(desk, "mayor"))
    explain(desk, number(desk, "doble"), "Gemelas")
    assert (made.flag.state, made.flag.comment, made.flag.explained_by) == ("explained", "Es la abuela", "Coordinación")
    kept = raised(desk)
    assert [one[-1] for one in kept] == ["explained", "open", "explained"]

    rebuild(desk)
    desk.act(lambda ctx: flags.run(ctx, PROJECT, "hogar"))
    send(phone, "<edad>111</edad><cedula>1</cedula>", "c")  # a third of the key
    publish(desk, SURVEY, checks=CHECKS.replace("> 110", "> 100"))
    send(phone, "<edad>111</edad><cedula>1</cedula>", "a2", edits="a")

    assert [one for one in raised(desk) if one[1] != "c"] == kept
    assert {flag.comment for flag in desk.flags("hogar")} == {"Es la abuela", "Gemelas", None}

    send(phone, "<edad>112</edad><cedula>2</cedula>", "a3", edits="a2")
    assert [one for one in raised(desk) if one[1] == "a"] == [("mayor", "a", "/edad", "112", "open")]


def test_a_flag_on_what_found_no_place_stays_explained_too(desk: Desk, phone: Wire):
    publish(desk, SURVEY)
    send(phone, "<edad>treinta</edad>", "a")
    explain(desk, number(desk, "builtin:type"), "Se pregunta en papel")

    rebuild(desk)

    assert raised(desk) == [("builtin:type", "a", "/edad", "treinta", "explained")]


def test_a_flag_that_a_correction_mends_stays_as_corrected_and_opens_where_it_is_withdrawn(desk: Desk, phone: Wire):
    publish(desk, SURVEY, checks=CHECKS)
    send(phone, "<edad>111</edad><cedula>1</cedula>", "a")
    send(phone, "<edad>30</edad><cedula>1</cedula>", "b")
    everything = raised(desk)
    row = desk.look(lambda conn: conn.execute(submissions.select().order_by(submissions.c.id)).first())
    assert row is not None

    # what a correction does: other answers stand, and everything follows for its sake
    def lay(answers: str) -> None:
        def work(ctx) -> None:
            version = submission_store.get_current(ctx.conn, row.id)
            xml = f'<data id="hogar" version="1">{answers}<meta><instanceID>uuid:a</instanceID></meta></data>'
            table_ = submission_store.submission_versions
            ctx.conn.execute(table_.update().where(table_.c.id == version.id).values(xml=xml.encode()))
            following.follow_stored(ctx, row.id, corrected=True)

        desk.act(work)

    lay("<edad>11</edad><cedula>2</cedula>")
    assert [one[:2] + one[-1:] for one in raised(desk)] == [
        ("doble", "a", "corrected"),
        ("doble", "b", "corrected"),
        ("mayor", "a", "corrected"),
    ]
    rebuild(desk)
    assert {one[-1] for one in raised(desk)} == {"corrected"}
    with pytest.raises(Problem) as problem:
        explain(desk, number(desk, "mayor"))
    assert problem.value.code == 400.8

    lay("<edad>111</edad><cedula>1</cedula>")
    assert raised(desk) == everything


def test_an_explanation_needs_words_and_somebody_who_may_give_it(desk: Desk, phone: Wire):
    publish(desk, SURVEY, checks=CHECKS)
    send(phone, "<edad>111</edad>", "a")
    flag_id = number(desk, "mayor")
    viewer = desk.user("v@example.org", "viewer")
    elsewhere = desk.user("m@example.org", "manager", project=desk.add_project("Otro"))

    for comment in ("  ", "x" * 2001):
        with pytest.raises(Problem) as problem:
            explain(desk, flag_id, comment)
        assert problem.value.code == 400.8
    for actor in (viewer, elsewhere):
        with pytest.raises(Problem) as problem:
            desk.act(lambda ctx: flags.explain(ctx, PROJECT, "hogar", flag_id, "x"), actor)
        assert problem.value.code == 403.1
        with pytest.raises(Problem):
            desk.act(lambda ctx: flags.reopen(ctx, PROJECT, "hogar", flag_id), actor)
    with pytest.raises(Problem) as problem:
        explain(desk, flag_id + 1)
    assert problem.value.code == 404.1
    assert raised(desk) == [("mayor", "a", "/edad", "111", "open")]

    explain(desk, flag_id, "  Sí  ")
    desk.act(lambda ctx: flags.reopen(ctx, PROJECT, "hogar", flag_id))
    assert raised(desk) == [("mayor", "a", "/edad", "111", "open")]
    assert [action for action in desk.audited() if action.startswith("flag.")] == [
        "flag.update.explain",
        "flag.update.reopen",
    ]


def test_a_flag_of_another_form_cannot_be_changed_by_its_number(desk: Desk, phone: Wire):
    publish(desk, SURVEY, checks=CHECKS)
    send(phone, "<edad>111</edad>", "a")
    desk.publish(table("survey", "type | name | label", "text | x | X") + table("settings", "form_id", "otro"))

    with pytest.raises(Problem) as problem:
        desk.act(lambda ctx: flags.explain(ctx, PROJECT, "otro", number(desk, "mayor"), "x"))

    assert problem.value.code == 404.1


def test_flags_are_listed_by_what_is_asked_of_them(desk: Desk, phone: Wire):
    publish(desk, SURVEY, checks=CHECKS)
    send(phone, "<edad>111</edad><cedula>1</cedula>", "a")
    send(phone, "<edad>112</edad><cedula>1</cedula>", "b", device="collect:otro")
    explain(desk, number(desk, "mayor", "b"))

    def listed(**asked: object) -> list[tuple[str, str]]:
        wanted = Filter(**asked)  # type: ignore[arg-type]
        page = desk.ask(lambda ctx: flags.list_flagged(ctx, PROJECT, "hogar", wanted))
        return [(one.flag.check, one.flag.row_key.removeprefix("uuid:")) for one in page.flags]

    assert listed() == [("mayor", "a"), ("doble", "a"), ("mayor", "b"), ("doble", "b")]
    assert listed(states=("explained",)) == [("mayor", "b")]
    assert listed(checks=("doble",), states=("open",)) == [("doble", "a"), ("doble", "b")]
    assert listed(severities=("error",)) == [("mayor", "a"), ("mayor", "b")]
    assert listed(enumerator="Teléfono 1") == listed()
    assert listed(enumerator="2") == listed()
    assert listed(enumerator="Teléfono 2") == []
    assert listed(device="collect:otro") == [("mayor", "b"), ("doble", "b")]
    assert listed(day=desk.office.clock().date()) == listed()


def test_whoever_may_not_identify_people_sees_no_marked_answer_and_no_point(desk: Desk, phone: Wire):
    marked = table(
        "survey",
        "type | name | label | privacy",
        *("integer | edad | Edad |", "text | cedula | Cédula | direct", "geopoint | gps | GPS |"),
    )
    columns = "name | label | when | builtin | key | within | message"
    sheet = table(
        "checks",
        columns,
        "mayor | Mayor | ${edad} > 110 | | | |",
        "raro | Raro | ${edad} > 110 and ${cedula} != '' | | | | ${cedula}: ${edad} años",
        "doble | Doble | | duplicate | concat(${cedula}, '') | |",
        "fuera | Fuera | | gps_outside | | 7 -83 9 -77 |",
    )
    publish(desk, marked, checks=sheet)
    for name in ("a", "b"):
        send(phone, "<edad>111</edad><cedula>8-1</cedula><gps>0 0 0 5</gps><nada>8-1</nada>", name)
    viewer = desk.user("v@example.org", "viewer")

    def told(actor: object) -> list[tuple[str, str, str | None, str]]:
        page = desk.ask(lambda ctx: flags.list_flagged(ctx, PROJECT, "hogar"), actor)  # type: ignore[arg-type]
        return [
            (one.flag.check, one.flag.row_key, one.flag.text, one.message.get("es") or one.message[""])
            for one in page.flags[: len(page.flags) // 2]
        ]

    assert told(desk.admin) == [
        ("builtin:unknown", "uuid:a", "8-1", "la versión no tiene esta pregunta"),
        ("mayor", "uuid:a", "111", "Mayor"),
        ("raro", "uuid:a", "edad=111; cedula=8-1", "8-1: 111 años"),
        ("fuera", "uuid:a", "0 0", "la ubicación está fuera del área declarada"),
        ("doble", "uuid:a", "8-1", "la misma clave está en: uuid:b"),
    ]
    assert told(viewer) == [
        ("builtin:unknown", "", None, "la versión no tiene esta pregunta"),
        ("mayor", "", "111", "Mayor"),
        ("raro", "", None, "—: — años"),
        ("fuera", "", None, "la ubicación está fuera del área declarada"),
        ("doble", "", None, "la misma clave está en otros registros"),
    ]
    everything = str(desk.ask(lambda ctx: flags.list_flagged(ctx, PROJECT, "hogar"), viewer))
    assert "8-1" not in everything
    assert "uuid:" not in everything
