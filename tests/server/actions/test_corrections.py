"""Corrections laid over what phones sent: chained, withdrawn, reopened by edits, confirmed; what was sent never changes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from forms.problems import Problem
from server.actions import corrections, following, rebuilds
from server.actions.corrections import UNSAID, Corrected, Wish
from server.model.audits import audits
from server.model.corrections import Correction
from server.model.corrections import corrections as stored
from server.model.submissions import submission_versions
from tests.server.desk import Desk, form
from tests.server.wire import Wire, instance

HOUSE = form(
    "hogar",
    """
| | type                  | name    | label   | calculation |
| | integer               | edad    | Edad    |             |
| | text                  | nombre  | Nombre  |             |
| | date                  | fecha   | Fecha   |             |
| | select_one sexo       | sexo    | Sexo    |             |
| | select_multiple ayuda | ayuda   | Ayuda   |             |
| | geopoint              | lugar   | Lugar   |             |
| | image                 | foto    | Foto    |             |
| | calculate             | doble   |         | ${edad} * 2 |
| | begin group           | casa    | Casa    |             |
| | decimal               | area    | Área    |             |
| | end group             |         |         |             |
| | begin repeat          | m       | Miembro |             |
| | text                  | n       | Nombre  |             |
| | integer               | anios   | Años    |             |
| | begin repeat          | visita  | Visita  |             |
| | integer               | dia     | Día     |             |
| | end repeat            |         |         |             |
| | end repeat            |         |         |             |
""",
    choices="""
| | list_name | name   | label  |
| | sexo      | mujer  | Mujer  |
| | sexo      | hombre | Hombre |
| | ayuda     | agua   | Agua   |
| | ayuda     | luz    | Luz    |
""",
)
ANSWERS = "<edad>34</edad><nombre>Ana</nombre><fecha>2026-03-01</fecha><sexo>mujer</sexo><doble>68</doble>"
MEMBERS = (("Ana", 34), ("Beto", 40), ("Carla", 7))


def house(
    name: str = "A",
    *,
    answers: str = ANSWERS,
    members: tuple[tuple[str, int], ...] = MEMBERS,
    before: str | None = None,
) -> bytes:
    rows = "".join(f"<m><n>{who}</n><anios>{age}</anios></m>" for who, age in members)
    return instance(
        "hogar",
        answers + rows,
        instance_id=f"uuid:{name}",
        deprecated_id=f"uuid:{before}" if before else None,
    )


def wish(path: str, new: str | None, *, row: str = "", old: str | None = UNSAID, reason: str = "revisado") -> Wish:
    return Wish(row=row, path=path, new_text=new, reason=reason, old_text=old)


def correct(desk: Desk, path: str, new: str | None, **more: Any) -> Corrected:
    return desk.act(lambda ctx: corrections.correct(ctx, 1, "hogar", "uuid:A", wish(path, new, **more)))


def withdraw(desk: Desk, number: int) -> Correction:
    return desk.act(lambda ctx: corrections.withdraw(ctx, 1, "hogar", number, "me equivoqué"))


def confirm(desk: Desk, number: int) -> Corrected:
    return desk.act(lambda ctx: corrections.confirm(ctx, 1, "hogar", number))


def states(desk: Desk) -> list[str]:
    return [line.correction.state for line in desk.ask(lambda ctx: list(corrections.list_log(ctx, 1, "hogar")))]


def refused(work: Callable[[], object]) -> Problem:
    with pytest.raises(Problem) as raised:
        work()
    return raised.value


@pytest.fixture
def at(desk: Desk, phone: Wire) -> Desk:
    """A desk with one house received."""
    desk.publish(HOUSE)
    assert phone.post(house()).status == 201
    return desk


def ages(desk: Desk) -> list[tuple[str, int | None]]:
    return [(row["n"], row["anios"]) for row in desk.rows("hogar", "/m")]


@pytest.mark.parametrize(
    ("path", "new", "column", "value"),
    [
        ("/edad", "35", "edad", 35),
        ("/nombre", "Ana María", "nombre", "Ana María"),
        ("/nombre", None, "nombre", None),
        ("/sexo", "hombre", "sexo", "hombre"),
        ("/ayuda", "luz agua", "ayuda", "luz agua"),  # not answered before
        ("/casa/area", "12.5", "area", 12.5),  # neither the question nor its group came
        ("/doble", "70", "doble", "70"),
    ],
)
def test_a_value_is_laid_over_an_answer(at: Desk, path: str, new: str | None, column: str, value: object):
    before = at.xml_of("uuid:A")

    made = correct(at, path, new)

    assert at.rows("hogar")[0][column] == value
    assert (made.correction.new_text, made.correction.state, made.correction.reason) == (new, "active", "revisado")
    assert at.xml_of("uuid:A") == before
    assert at.failures() == []
    with_others = {name: cell for name, cell in at.rows("hogar")[0].items() if name != column}
    assert with_others == {
        name: cell
        for name, cell in {
            **dict.fromkeys(at.rows("hogar")[0]),
            "_key": "uuid:A", "instanceid": "uuid:A", "edad": 34, "nombre": "Ana", "sexo": "mujer", "doble": "68",
            "fecha": at.rows("hogar")[0]["fecha"],
        }.items()
        if name != column
    }  # fmt: skip


def test_a_row_of_a_repeat_is_corrected_by_its_stable_key(at: Desk):
    correct(at, "/m/anios", "41", row="uuid:A/m[2]", old="40")

    assert ages(at) == [("Ana", 34), ("Beto", 41), ("Carla", 7)]


def test_a_calculation_is_corrected_and_said(at: Desk):
    made = correct(at, "/doble", "70")

    assert made.remark is not None
    assert "calcula" in made.remark.es
    assert correct(at, "/nombre", "Eva").remark is None


def test_what_was_calculated_from_a_corrected_answer_is_named(at: Desk):
    remark = correct(at, "/edad", "35").remark

    assert remark is not None
    assert remark.es == "No se vuelve a calcular lo que el teléfono calculó con esta respuesta; revíselo: doble."
    assert at.rows("hogar")[0]["doble"] == "68"


@pytest.mark.parametrize(
    ("path", "new", "code", "told"),
    [
        ("/edad", "treinta", 400.8, "«treinta» no es un número entero."),
        ("/edad", "3.5", 400.8, "no es un número entero"),
        ("/fecha", "31/03/2026", 400.8, "una fecha como 2026-03-31"),
        ("/fecha", "2026-02-30", 400.8, "una fecha como 2026-03-31"),
        ("/sexo", "otro", 400.8, "«otro» no es una opción de esta pregunta: mujer, hombre."),
        ("/ayuda", "agua gas", 400.8, "«gas» no es una opción"),
        ("/ayuda", "agua agua", 400.8, "dos veces"),
        ("/lugar", "aquí", 400.8, "latitud y longitud"),
        ("/foto", "otra.jpg", 400.8, "nombre de un archivo"),
        ("/nombre", "a\x00b", 400.8, "caracteres que no se pueden usar"),
        ("/nombre", "  ", 400.8, "Solo contiene espacios"),
        ("/nombre", "Ana", 400.8, "ya dice «Ana»"),
        ("/meta/instanceID", "uuid:Z", 400.8, "No es una pregunta que se pueda corregir"),
        ("/apellido", "Gil", 404.1, "ninguna pregunta «/apellido»"),
        ("/casa", "x", 404.1, "ninguna pregunta «/casa»"),
        ("/m/n", "x", 404.1, "ninguna pregunta «/m/n»"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_changes(at: Desk, path: str, new: str, code: float, told: str):
    before = at.tables("hogar")

    problem = refused(lambda: correct(at, path, new))

    assert (problem.code, told in problem.say("es")) == (code, True), problem.say("es")
    assert (at.tables("hogar"), states(at)) == (before, [])


def test_rows_and_submissions_that_are_not_there_are_refused(at: Desk):
    assert refused(lambda: correct(at, "/m/n", "x", row="uuid:A/m[4]")).code == 404.1
    gone = wish("/edad", "1")
    assert refused(lambda: at.act(lambda ctx: corrections.correct(ctx, 1, "hogar", "uuid:Z", gone))).code == 404.1
    assert refused(lambda: withdraw(at, 77)).code == 404.1
    assert refused(lambda: correct(at, "/edad", "1", reason="  ")).code == 400.8


def test_another_old_value_than_what_stands_is_refused(at: Desk):
    problem = refused(lambda: correct(at, "/edad", "36", old="33"))

    assert (problem.code, problem.details["value"]) == (409.51, "34")
    correct(at, "/edad", "36", old="34")
    assert refused(lambda: correct(at, "/edad", "37", old="34")).code == 409.51
    correct(at, "/edad", "37", old="36")
    assert at.rows("hogar")[0]["edad"] == 37


def test_corrections_lie_upon_each_other_and_are_taken_back_one_by_one(at: Desk):
    first, second, third = (correct(at, "/edad", new).correction for new in ("35", "36", "37"))
    assert [one.old_text for one in (first, second, third)] == ["34", "35", "36"]

    withdraw(at, third.id)
    assert at.rows("hogar")[0]["edad"] == 36
    withdraw(at, first.id)
    assert at.rows("hogar")[0]["edad"] == 36
    withdraw(at, second.id)

    assert at.rows("hogar")[0]["edad"] == 34
    assert states(at) == ["withdrawn"] * 3
    assert refused(lambda: withdraw(at, second.id)).code == 409.53


def test_blank_is_a_correction_and_so_is_filling_what_was_blank(at: Desk):
    blank = correct(at, "/edad", None, old="34").correction
    assert at.rows("hogar")[0]["edad"] is None
    correct(at, "/edad", "50", old=None)

    assert at.rows("hogar")[0]["edad"] == 50
    assert states(at) == ["active", "active"]
    withdraw(at, blank.id)
    assert at.rows("hogar")[0]["edad"] == 50


def test_an_edit_that_leaves_the_answer_leaves_the_correction(at: Desk, phone: Wire):
    correct(at, "/edad", "35")

    phone.post(house("B", answers=ANSWERS.replace("Ana", "Anna"), before="A"))

    assert (at.rows("hogar")[0]["edad"], at.rows("hogar")[0]["nombre"]) == (35, "Anna")
    assert (states(at), at.failures()) == (["active"], [])


def test_an_edit_of_the_answer_reopens_its_corrections(at: Desk, phone: Wire):
    correct(at, "/edad", "35")
    top = correct(at, "/edad", "36").correction
    correct(at, "/nombre", "Ana María")

    phone.post(house("B", answers=ANSWERS.replace("34", "43"), before="A"))

    assert (at.rows("hogar")[0]["edad"], at.rows("hogar")[0]["nombre"]) == (43, "Ana María")
    assert states(at) == ["reopened", "reopened", "active"]
    assert [(flag.check, flag.path, flag.text, flag.state) for flag in at.flags("hogar")] == [
        ("builtin:correction", "/edad", "36", "open")
    ]

    made = confirm(at, top.id).correction
    assert (made.old_text, made.new_text, made.replaces_id) == ("43", "36", top.id)
    assert at.rows("hogar")[0]["edad"] == 36
    assert states(at) == ["replaced", "replaced", "active", "active"]
    assert [flag.state for flag in at.flags("hogar")] == ["corrected"]
    withdraw(at, made.id)
    assert at.rows("hogar")[0]["edad"] == 43


def test_a_reopened_correction_is_taken_back_or_replaced(at: Desk, phone: Wire):
    one = correct(at, "/edad", "35").correction
    phone.post(house("B", answers=ANSWERS.replace("34", "43"), before="A"))

    withdraw(at, one.id)
    assert (at.rows("hogar")[0]["edad"], states(at), at.flags("hogar")) == (43, ["withdrawn"], [])
    assert refused(lambda: confirm(at, one.id)).code == 409.53

    two = correct(at, "/edad", "44").correction
    phone.post(house("C", answers=ANSWERS.replace("34", "45"), before="B"))
    correct(at, "/edad", "46")
    assert (at.rows("hogar")[0]["edad"], states(at)) == (46, ["withdrawn", "replaced", "active"])
    assert two.replaces_id is None


def test_an_edit_that_brings_the_very_value_settles(at: Desk, phone: Wire):
    correct(at, "/edad", "35")
    correct(at, "/edad", "36")

    phone.post(house("B", answers=ANSWERS.replace("34", "36"), before="A"))

    assert (at.rows("hogar")[0]["edad"], states(at)) == (36, ["settled", "settled"])
    assert refused(lambda: withdraw(at, 1)).code == 409.53


def test_the_third_row_keeps_its_correction_when_the_second_goes(at: Desk, phone: Wire):
    correct(at, "/m/anios", "8", row="uuid:A/m[3]")
    gone = correct(at, "/m/anios", "41", row="uuid:A/m[2]").correction

    phone.post(house("B", members=(MEMBERS[0], MEMBERS[2]), before="A"))

    assert ages(at) == [("Ana", 34), ("Carla", 8)]
    assert [row["_stable_key"] for row in at.whole_rows("hogar", "/m")] == ["uuid:A/m[1]", "uuid:A/m[3]"]
    assert [row["_key"] for row in at.whole_rows("hogar", "/m")] == ["uuid:A/m[1]", "uuid:A/m[2]"]
    assert states(at) == ["active", "reopened"]
    assert refused(lambda: confirm(at, gone.id)).code == 404.1
    withdraw(at, gone.id)

    correct(at, "/m/n", "Clara", row="uuid:A/m[3]", old="Carla")
    assert ages(at) == [("Ana", 34), ("Clara", 8)]


def test_a_row_that_hardly_is_the_same_reopens(at: Desk, phone: Wire):
    correct(at, "/m/anios", "8", row="uuid:A/m[3]")

    phone.post(house("B", members=(*MEMBERS[:2], ("Zoila", 90)), before="A"))

    assert (ages(at)[2], states(at)) == (("Zoila", 90), ["reopened"])


def test_corrections_follow_when_versions_arrive_in_disorder(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    phone.post(house("B", members=(MEMBERS[0], MEMBERS[2]), before="A"))
    correct(desk, "/m/anios", "8", row="uuid:A/m[2]")
    phone.post(house("C", answers=ANSWERS.replace("34", "50"), members=(MEMBERS[0], MEMBERS[2]), before="B"))
    correct(desk, "/edad", "51")

    phone.post(house("A"))  # the original comes last: Carla was its third

    assert ages(desk) == [("Ana", 34), ("Carla", 8)]
    assert (desk.rows("hogar")[0]["edad"], states(desk)) == (51, ["active", "active"])
    log = desk.ask(lambda ctx: list(corrections.list_log(ctx, 1, "hogar")))
    assert [line.correction.row_key for line in log] == ["uuid:A/m[3]", "uuid:A"]
    correct(desk, "/m/anios", "9", row="uuid:A/m[3]", old="8")


def test_two_submissions_that_turn_out_to_be_one_keep_both_their_corrections(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    phone.post(house("A"))
    phone.post(house("C", before="B"))  # B never came yet
    correct(desk, "/nombre", "Ana María")
    desk.act(lambda ctx: corrections.correct(ctx, 1, "hogar", "uuid:B", wish("/edad", "36")))

    phone.post(house("B", before="A"))

    assert [(row["edad"], row["nombre"]) for row in desk.rows("hogar")] == [(36, "Ana María")]
    assert (states(desk), desk.failures()) == (["active", "active"], [])


def test_a_question_that_was_renamed_keeps_its_correction(at: Desk, phone: Wire):
    correct(at, "/nombre", "Ana María")
    renamed = HOUSE.replace("| nombre  | Nombre  |             |", "| nombres | Nombre  |             |", 1)
    renamed = renamed.replace("| calculation |", "| calculation | was |", 1)
    lines = [
        f"{line}{' nombre |' if '| nombres |' in line else '  |'}" if "calculation" not in line else line
        for line in renamed.splitlines()
    ]
    survey = "\n".join(lines).split("| choices |")[0]
    rest = HOUSE.split("| choices |")[1].replace("| 1 |", "| 2 |")
    at.publish(f"{survey}| choices |{rest}")

    answers = ANSWERS.replace("nombre>", "nombres>")
    phone.post(house("B", answers=answers, before="A").replace(b'version="1"', b'version="2"'))

    assert [row["nombre"] for row in at.rows("hogar")] == ["Ana María"]
    assert states(at) == ["active"]
    correct(at, "/nombres", "Ana Luz", old="Ana María")
    assert [row["nombre"] for row in at.rows("hogar")] == ["Ana Luz"]


def test_a_value_that_found_no_place_is_mended(at: Desk, phone: Wire):
    phone.post(house("B", answers="<edad>treinta</edad>", before="A"))
    assert [(flag.check, flag.path) for flag in at.flags("hogar")] == [("builtin:type", "/edad")]

    correct(at, "/edad", "30", old="treinta")

    assert at.rows("hogar")[0]["edad"] == 30
    assert [(flag.text, flag.state) for flag in at.flags("hogar")] == [("treinta", "corrected")]


def test_a_rebuild_changes_nothing(at: Desk, phone: Wire):
    correct(at, "/edad", "35")
    correct(at, "/m/anios", "8", row="uuid:A/m[3]")
    correct(at, "/m/anios", "41", row="uuid:A/m[2]")
    phone.post(house("B", members=(MEMBERS[0], MEMBERS[2], ("Dora", 1)), before="A"))
    before, log = at.tables("hogar"), states(at)
    assert [row["_stable_key"] for row in at.whole_rows("hogar", "/m")] == [
        "uuid:A/m[1]", "uuid:A/m[3]", "uuid:B/m[3]",
    ]  # fmt: skip

    row_id = at.form_row_id("hogar")
    at.change(lambda conn: conn.execute(at.sql_table("hogar").delete()))
    at.change(lambda conn: conn.execute(at.sql_table("hogar", "/m").delete()))
    assert at.act(lambda ctx: rebuilds.rebuild_chunk(ctx, row_id, 0)) == 1

    assert (at.tables("hogar"), states(at)) == (before, log)


def test_what_was_sent_never_changes(at: Desk, phone: Wire):
    edit = house("B", answers=ANSWERS.replace("34", "43"), before="A")
    correct(at, "/edad", "35")
    phone.post(edit)
    correct(at, "/edad", "36")

    assert (at.xml_of("uuid:A"), at.xml_of("uuid:B")) == (house(), edit)


def test_a_failed_overlay_refuses_no_edit_and_is_tried_again(at: Desk, phone: Wire):
    correct(at, "/nombre", "Luz")
    at.change(lambda conn: conn.execute(stored.update().values(new_text="\x01")))  # nothing that a document can hold

    assert phone.post(house("B", answers=ANSWERS.replace("34", "35"), before="A")).status == 201

    ((_, follower, error, _),) = at.failures()
    assert (follower, error.startswith("ValueError")) == ("corrections", True)
    assert (at.rows("hogar")[0]["edad"], at.rows("hogar")[0]["nombre"]) == (35, "Ana")

    at.change(lambda conn: conn.execute(stored.update().values(new_text="Luz")))
    assert at.act(following.retry_failures) == 1
    assert (at.rows("hogar")[0]["nombre"], at.failures()) == ("Luz", [])


@pytest.mark.parametrize(
    ("role", "reads", "corrects"), [("manager", True, True), ("viewer", True, False), ("formfill", False, False)]
)
def test_who_may_do_what(at: Desk, role: str, reads: bool, corrects: bool):
    who = at.user(f"{role}@example.org", role)

    def told(work: Callable[[], object]) -> float | None:
        try:
            work()
        except Problem as problem:
            return problem.code
        return None

    answers = {True: None, False: 403.1}
    made = correct(at, "/nombre", "Anita").correction
    assert told(lambda: at.ask(lambda ctx: list(corrections.list_log(ctx, 1, "hogar")), who)) == answers[reads]
    one = wish("/edad", "35")
    assert (
        told(lambda: at.act(lambda ctx: corrections.correct(ctx, 1, "hogar", "uuid:A", one), who)) == answers[corrects]
    )
    assert (
        told(lambda: at.act(lambda ctx: corrections.withdraw(ctx, 1, "hogar", made.id, "no"), who)) == answers[corrects]
    )


def test_every_step_is_audited_without_what_was_answered(at: Desk, phone: Wire):
    one = correct(at, "/nombre", "Secreta").correction
    phone.post(house("B", answers=ANSWERS.replace("Ana", "Anna"), before="A"))
    withdraw(at, one.id)

    lines = at.look(
        lambda conn: conn.execute(
            select(audits.c.action, audits.c.details)
            .where(audits.c.action.contains("correction"))
            .order_by(audits.c.id)
        ).all()
    )

    assert [tuple(line) for line in lines] == [
        ("submission.correction.create", {"id": one.id, "path": "/nombre"}),
        ("submission.correction.update", {"id": one.id, "state": "reopened"}),
        ("submission.correction.update", {"id": one.id, "state": "withdrawn"}),
    ]


def test_the_log_says_who_when_why_and_what_became_of_it(at: Desk, phone: Wire):
    one = correct(at, "/edad", "35", reason="lo dijo por teléfono").correction
    correct(at, "/m/anios", "8", row="uuid:A/m[3]")
    withdraw(at, one.id)

    first, second = at.ask(lambda ctx: list(corrections.list_log(ctx, 1, "hogar")))

    assert (first.key, first.actor, first.correction.reason) == ("uuid:A", "Coordinación", "lo dijo por teléfono")
    assert (first.changed_by, first.change_reason) == ("Coordinación", "me equivoqué")
    assert (second.correction.row_key, second.changed_by, second.changed_at) == ("uuid:A/m[3]", None, None)
    only = at.ask(lambda ctx: list(corrections.list_log(ctx, 1, "hogar", states=["active"])))
    assert [line.correction.id for line in only] == [second.correction.id]
    assert refused(lambda: at.ask(lambda ctx: corrections.list_log(ctx, 1, "hogar", states=["x"]))).code == 400.8


def test_an_encrypted_submission_is_not_corrected(at: Desk):
    sealed = at.xml_of("uuid:A").replace(
        b'<data id="hogar"', b'<data xmlns="http://www.opendatakit.org/xforms/encrypted" encrypted="yes" id="hogar"'
    )
    at.change(lambda conn: conn.execute(submission_versions.update().values(xml=sealed, encrypted=True)))

    assert refused(lambda: correct(at, "/edad", "1")).code == 409.52


def test_of_two_who_correct_the_same_answer_at_once_one_is_told(at: Desk):
    def one(new: str) -> float | None:
        asked = wish("/edad", new, old="34")
        try:
            at.office.act(lambda ctx: corrections.correct(ctx, 1, "hogar", "uuid:A", asked), lambda _: lambda: at.admin)
        except Problem as problem:
            return problem.code
        return None

    with ThreadPoolExecutor(4) as threads:
        told = list(threads.map(one, ["35", "36", "37", "38"]))

    assert sorted(told, key=str) == [409.51, 409.51, 409.51, None]
    assert (states(at), at.failures()) == (["active"], [])
    assert at.rows("hogar")[0]["edad"] == 35 + told.index(None)


CONSENT = form(
    "visita",
    """
| | type          | name   | label      | consent | privacy |
| | select_one sn | acepta | ¿Ubicación?|         |         |
| | geopoint      | lugar  | Lugar      | acepta  | direct  |
| | integer       | edad   | Edad       |         |         |
""",
    choices="""
| | list_name | name | label |
| | sn        | yes  | Sí    |
| | sn        | no   | No    |
""",
)


def test_no_correction_brings_what_nobody_allowed(desk: Desk, phone: Wire):
    desk.publish(CONSENT)
    answers = "<acepta>no</acepta><lugar>8.98 -79.52 0 5</lugar><edad>30</edad>"
    assert phone.post(instance("visita", answers, instance_id="uuid:V")).status == 201

    def lay(path: str, new: str) -> Corrected:
        return desk.act(lambda ctx: corrections.correct(ctx, 1, "visita", "uuid:V", wish(path, new)))

    problem = refused(lambda: lay("/lugar", "8.98 -79.52"))
    assert (problem.code, problem.details) == (409.54, {"question": "/lugar", "consent": "/acepta"})
    lay("/edad", "31")
    lay("/acepta", "yes")  # the phone's no was a slip
    lay("/lugar", "8.98 -79.52")
    assert desk.rows("visita")[0]["lugar_latitude"] == 8.98
