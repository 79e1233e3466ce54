"""A draft compared with what is published, published over it, and thrown away."""

from __future__ import annotations

import pytest

from forms.problems import Problem
from server.actions import comparisons, drafts
from server.model.audits import audits
from server.model.submissions import submissions
from tests.server.desk import ON_SQLITE, PROJECT, Desk, check, form, questions
from tests.server.wire import Wire, instance

FIRST = form("hogar", questions("text mote", "integer edad"))
SECOND = form(
    "hogar",
    "| | type | name | label | was |\n| | text | alias | Alias | mote |\n| | decimal | edad | Edad | |\n"
    "| | date | dia | Día | |",
    version="2",
)
CHANGES = [
    (
        "warning",
        "hoja survey, fila 3: «/edad» era número entero y ahora es número decimal: su columna pasa a ser de ese tipo y las "
        "respuestas guardadas se conservan.",
    ),
    ("note", "hoja survey: Preguntas nuevas: /dia (fecha)."),
    (
        "note",
        "hoja survey, fila 2, columna was: «/alias» antes era «/mote»: sus respuestas siguen en la misma columna.",
    ),
]


def said(findings: tuple[object, ...]) -> list[tuple[str, str]]:
    return [(finding.severity, finding.say("es")) for finding in findings]  # type: ignore[attr-defined]


def test_a_version_is_compared_when_asked_uploaded_and_published(desk: Desk):
    desk.publish(FIRST)

    compared = desk.ask(lambda ctx: comparisons.compare(ctx, PROJECT, check(SECOND)))
    uploaded = desk.draft(SECOND)
    published = desk.act(lambda ctx: drafts.publish(ctx, PROJECT, "hogar"))

    assert compared.against is not None
    assert (compared.against.version, compared.same) == ("1", False)
    assert said(compared.findings) == CHANGES
    assert said(uploaded.findings) == CHANGES
    assert [severity for severity, _ in said(published.changes)] == [severity for severity, _ in CHANGES]
    assert published.findings == ()


def test_comparing_changes_nothing(desk: Desk):
    desk.publish(FIRST)
    before = desk.audited()

    desk.ask(lambda ctx: comparisons.compare(ctx, PROJECT, check(SECOND)))
    unknown = desk.ask(lambda ctx: comparisons.compare(ctx, PROJECT, check(FIRST.replace("hogar", "otro"))))

    assert unknown == comparisons.Comparison(against=None, same=False, held=frozenset(), findings=())
    assert desk.audited() == before
    assert desk.ask(lambda ctx: drafts.list_drafts(ctx, PROJECT)) == {}


@ON_SQLITE
def test_a_version_that_is_taken_is_said_before_it_is_published(desk: Desk):
    desk.publish(FIRST)
    other = form("hogar", questions("text mote", "integer edad", "text otra"))
    taken = (
        "hoja settings, columna version: El formulario «hogar» ya tiene publicada una versión «1» con otro contenido. "
        "Cambie «version» en la hoja settings (por ejemplo, la fecha de hoy y un número)."
    )
    added = ("note", "hoja survey: Preguntas nuevas: /otra (texto).")

    compared = desk.ask(lambda ctx: comparisons.compare(ctx, PROJECT, check(other)))

    assert said(compared.findings) == [("error", taken), added]
    assert said(desk.draft(other).findings) == [("warning", taken), added]
    assert desk.ask(lambda ctx: comparisons.compare(ctx, PROJECT, check(FIRST))).same


@ON_SQLITE
def test_a_question_that_comes_back_and_a_late_rename_are_said(desk: Desk):
    desk.publish(form("hogar", questions("text a", "text b", "text c")))
    desk.publish(form("hogar", questions("text c"), version="2"))
    third = form(
        "hogar",
        "| | type | name | label | was |\n| | text | c | C | |\n| | text | b | B | |\n| | text | z | Z | a |",
        version="3",
    )

    assert said(desk.ask(lambda ctx: comparisons.compare(ctx, PROJECT, check(third))).findings) == [
        (
            "note",
            "hoja survey: Preguntas que vuelven: /b. Las respuestas que ya tenían se conservan.",
        ),
        (
            "note",
            "hoja survey, fila 4, columna was: «/z» continúa la de antes «/a», que ya no estaba en la última versión.",
        ),
    ]


def test_a_discarded_draft_leaves_the_published_version_and_what_was_sent(desk: Desk, phone: Wire):
    desk.publish(FIRST)
    trial = Wire(phone.send, f"/v1/test/{desk.draft(SECOND).test_token}/projects/{PROJECT}/forms/hogar/draft")
    assert trial.post(instance("hogar", "<alias>Eva</alias>", instance_id="uuid:prueba")).status == 201
    listed = desk.ask(lambda ctx: drafts.list_drafts(ctx, PROJECT))

    gone = desk.act(lambda ctx: drafts.discard(ctx, PROJECT, "hogar"))

    assert [version.version for version in listed.values()] == ["2"]
    assert gone.published is not None
    assert (gone.version.version, gone.published.version) == ("2", "1")
    assert desk.ask(lambda ctx: drafts.list_drafts(ctx, PROJECT)) == {}
    assert list(phone.forms()) == ["hogar"]
    assert trial.get("/formList").status == 404
    assert desk.count(submissions) == 1
    assert desk.audited()[-1] == "form.update.draft.delete"
    assert desk.count(audits) == len(desk.audited())
    with pytest.raises(Problem) as again:
        desk.act(lambda ctx: drafts.discard(ctx, PROJECT, "hogar"))
    assert (again.value.code, again.value.sentence.es) == (404.1, "El formulario «hogar» no tiene borrador.")
    assert desk.publish(SECOND).version.version == "2"


def test_a_form_that_was_never_published_goes_with_its_draft(desk: Desk, phone: Wire):
    desk.draft(FIRST)

    gone = desk.act(lambda ctx: drafts.discard(ctx, PROJECT, "hogar"))

    assert (gone.version.version, gone.published) == ("1", None)
    with pytest.raises(Problem) as unknown:
        desk.act(lambda ctx: drafts.discard(ctx, PROJECT, "hogar"))
    assert (
        unknown.value.sentence.es == "No hay ningún formulario «hogar» en el proyecto." or unknown.value.code == 404.1
    )
    assert desk.publish(FIRST).version.version == "1"
    assert list(phone.forms()) == ["hogar"]


ENTITIES = "\n| entities |\n| | list_name | label |\n| | casas | 'Casa' |\n"
NICKNAMED = "| | type | name | label | save_to | privacy | save_to_confirmed |\n| | text | mote | Mote | {} |"
KEPT_DIRECT = (
    "hoja survey, fila 2, columna save_to: «mote» cuenta como dato que identifica a una persona (una versión anterior dice "
    "«direct») y se guarda como «mote» en «casas», una lista que llevan los teléfonos. Borre «save_to»; si debe ir en ella, "
    "escriba «yes» en la columna «save_to_confirmed»."
)


def nicknamed(cells: str, version: str) -> str:
    return form("hogar", NICKNAMED.format(cells), version=version) + (ENTITIES if "mote" in cells else "")


@ON_SQLITE
def test_a_lighter_mark_saves_nothing_to_a_list_that_an_earlier_version_called_direct(desk: Desk):
    desk.publish(nicknamed("| direct |", "1"))

    draft = desk.draft(nicknamed("mote | open |", "2"))
    assert ("error", KEPT_DIRECT) in said(draft.findings)
    with pytest.raises(Problem, match="an earlier version says “direct”"):
        desk.act(lambda ctx: drafts.publish(ctx, PROJECT, "hogar"))

    assert not desk.publish(nicknamed("mote | open | yes", "3")).again


@ON_SQLITE
def test_an_xform_after_a_workbook_is_warned_of_what_that_called_direct(desk: Desk):
    desk.publish(nicknamed("| direct |", "1"))

    xml = check(nicknamed("mote | open |", "2")).xml
    draft = desk.draft(xml)
    assert [one for one in said(draft.findings) if "mote" in one[1] and "casas" in one[1]] == [
        ("warning", KEPT_DIRECT.partition(": ")[2].partition(" Borre")[0])
    ]
    assert not desk.act(lambda ctx: drafts.publish(ctx, PROJECT, "hogar")).again
