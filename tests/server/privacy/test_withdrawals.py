"""Consent taken back: what says who it was is nowhere any more, whatever arrives later, is sent again, or is made again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from forms.problems import Problem
from server.actions import entities, entity_merging, entity_purging, projects, withdrawal_list, withdrawals
from server.actions.entities import By
from server.actions.withdrawals import Done, Wish
from server.model.audits import audits
from server.model.corrections import comments, corrections, reviews
from server.model.entities import entity_versions, purged_entities
from server.model.privacy import pseudonyms
from server.model.submissions import submission_attachments, submission_versions
from server.model.withdrawals import doomed_blobs
from server.model.withdrawals import withdrawals as stored
from server.settings import Settings
from server.store import datasets
from server.store import withdrawals as withdrawal_store
from tests.server.api.clients import client
from tests.server.desk import ON_SQLITE, PROJECT, Desk
from tests.server.entities.trees import uuid_of
from tests.server.indicators import standing
from tests.server.indicators.measuring import declare, table
from tests.server.privacy import people
from tests.server.privacy.people import ANA, CARD, FACE, LIST, SECRETS, household, registration, send, visit, workshop
from tests.server.wire import Wire, to_app

ONE = uuid_of(1)
FIGURES = """
| indicators |
| | name | label | form | over | type | where | value |
| | I | Ingresos | visita | | sum | | ${ingreso} |
| | R | Registros | registro | | count | | |
| | E | Edades | | entities:gente | sum | | ${edad} |
"""
WISH = Wish(reason="withdrawn", asked_by="person", asked_on=date(2026, 11, 20))
KEEP = Wish(reason="withdrawn", asked_by="guardian", policy="keep_facts")


@pytest.fixture
def filled(desk: Desk, phone: Wire) -> Desk:
    people.fill(desk, phone)
    declare(desk, FIGURES)
    return desk


@pytest.fixture
def data(settings: Settings) -> Path:
    return settings.data


def withdraw(desk: Desk, wish: Wish = WISH, *, number: int = 1) -> Done:
    """As the API does it: what is left to do once it is durable is done at once."""
    done = desk.act(lambda ctx: withdrawals.withdraw(ctx, PROJECT, LIST, uuid_of(number), wish))
    desk.act(withdrawals.settle)
    return done


def refusal(action: Callable[[], object]) -> float:
    with pytest.raises(Problem) as caught:
        action()
    return caught.value.code


def leaks(desk: Desk, data: Path) -> list[str]:
    """What of the person is found anywhere, looked for without regard to capitals."""
    heap = people.kept(desk, data).casefold()
    return [secret for secret in (*SECRETS, "the face of person 1", "cara.jpg") if secret.casefold() in heap]


def figures(desk: Desk) -> dict[str, Any]:
    return {name: table(desk, name)[()][0] for name in "IRE"}


def rows(desk: Desk, form_id: str, repeat: str = "") -> list[dict[str, Any]]:
    """What the questions gave, without what the form says of itself."""
    own = ("_key", "label")
    return [
        {name: value for name, value in row.items() if name not in own and "instance" not in name}
        for row in desk.rows(form_id, repeat)
    ]


def test_before_anything_is_withdrawn_everything_is_there(filled: Desk, data: Path):
    assert set(leaks(filled, data)) >= set(SECRETS)
    assert figures(filled) == {"I": 255.0, "R": 3.0, "E": 101.0}


@pytest.mark.parametrize("wish", [WISH, KEEP])
def test_what_identifies_is_nowhere_in_the_database_nor_on_the_disk(filled: Desk, data: Path, wish: Wish):
    withdraw(filled, wish)

    assert leaks(filled, data) == []
    heap = people.kept(filled, data)
    assert "Persona 2" in heap
    assert "T-0002" in heap
    assert filled.failures() == []


def test_under_erase_submissions_about_the_person_go_whole_and_figures_follow(filled: Desk):
    done = withdraw(filled)

    assert (done.policy, done.uuids) == ("erase", (ONE,))
    assert figures(filled) == {"I": 80.0, "R": 2.0, "E": 60.0}
    assert [row["nombre"] for row in rows(filled, "registro")] == ["Persona 2", "Persona 3"]
    assert [row["ingreso"] for row in rows(filled, "visita")] == [80]
    assert people.is_deleted(filled, "registro", "uuid:r1")
    assert people.find(filled, 1) is None
    assert people.column(filled, purged_entities, "uuid") == [ONE]
    [workshop_row] = rows(filled, "taller")
    assert workshop_row == {"tema": "Café", "asistentes": uuid_of(2)}  # somebody else was there too
    assert people.column(filled, comments, "body") == []
    assert filled.count(corrections) == 0
    assert standing.kept(filled) == standing.fresh(filled)


def test_with_facts_kept_figures_are_as_they_were(filled: Desk):
    before = figures(filled)

    withdraw(filled, KEEP)

    assert figures(filled) == before
    assert standing.kept(filled) == standing.fresh(filled)
    [_, _, mine] = rows(filled, "registro")
    assert (mine["edad"], mine["barrio"]) == (41, "Boca")
    assert {name for name, value in mine.items() if value is not None} == {"edad", "barrio", "tarjeta"}
    assert mine["tarjeta"].startswith("x-")
    tombstone = people.find(filled, 1)
    assert tombstone is not None
    assert (tombstone.label, tombstone.data) == (
        "",
        {"edad": "41", "barrio": "Boca", "ingreso": "120", "tarjeta": mine["tarjeta"]},
    )
    assert tombstone.withdrawn_at is not None
    assert [one for one in people.column(filled, reviews, "note") if one] == []
    assert [one for one in people.column(filled, submission_versions, "instance_name") if one] == [
        "Ficha de Persona 2",
        "Ficha de Persona 3",
    ]


def test_how_much_is_touched_is_told_and_foreseen_to_the_last(filled: Desk, data: Path):
    before = people.kept(filled, data)

    told = filled.act(lambda ctx: withdrawals.foresee(ctx, PROJECT, LIST, ONE, WISH))

    assert people.kept(filled, data) == before
    assert told == withdraw(filled)
    effect = told.effect
    assert (effect.entities, effect.versions, effect.submissions, effect.deleted) == (1, 3, 4, 3)
    assert (effect.documents, effect.files, effect.corrections) == (4, 1, 1)


def test_phones_lose_the_person_at_their_next_refresh(filled: Desk, phone: Wire, app: Any):
    before = phone.get("/forms/visita/attachments/gente.csv")
    assert ONE in before.content.decode()

    withdraw(filled)

    after = phone.get("/forms/visita/attachments/gente.csv", **{"If-None-Match": before.headers["ETag"]})
    assert (after.status, ONE in after.content.decode(), uuid_of(2) in after.content.decode()) == (200, False, True)
    told = phone.get(f"/datasets/{LIST}/integrity?id={ONE},{uuid_of(2)},{uuid_of(50)}").xml
    states = {one.get("id"): next(child.text for child in one) for one in told.iter() if one.get("id")}
    assert states == {ONE: "true", uuid_of(2): "false"}


@pytest.mark.parametrize("wish", [WISH, KEEP])
def test_no_door_tells_of_the_person(filled: Desk, app: Any, wish: Wish):
    admin = client(filled, to_app(app), "admin")
    withdraw(filled, wish)

    for path in (
        f"/datasets/{LIST}/entities", f"/datasets/{LIST}/entities?deleted=true", f"/datasets/{LIST}/entities.csv",
        f"/datasets/{LIST}.svc/Entities", f"/datasets/{LIST}/entities.geojson",
    ):  # fmt: skip
        answer = admin.ask(path)
        assert (answer.status, ONE in answer.content.decode()) == (200, False), path
    for path in ("", "/versions", "/audits"):
        assert admin.ask(f"/datasets/{LIST}/entities/{ONE}{path}").status == 404
    for path in (
        "/forms/registro/submissions.csv.zip", "/forms/registro/extract.csv?identities=true&reason=x",
        "/forms/registro/corrections", "/forms/registro/flags", "/forms/visita/extract.csv?identities=true&reason=x",
    ):  # fmt: skip
        answer = admin.ask(path)
        assert answer.status == 200, (path, answer.content)
        assert [one for one in SECRETS if one.encode() in answer.content] == [], path


@pytest.mark.parametrize("wish", [WISH, KEEP])
def test_sent_again_everything_is_thanked_for_and_nothing_comes_back(filled: Desk, phone: Wire, data: Path, wish: Wish):
    withdraw(filled, wish)
    versions = filled.count(submission_versions)

    for _ in range(2):
        assert phone.post(registration(1), {"cara.jpg": FACE}).status == 201
        send(phone, visit(1, 1, sent="uuid:v1", ingreso="120", dijo=f"{ANA} está mejor"))
        send(phone, visit(1, 7, sent="uuid:held", branch=90, ingreso="55", dijo=f"espera {ANA}"))
        send(phone, workshop(1, 2, sent="uuid:t"))

    assert filled.count(submission_versions) == versions
    assert leaks(filled, data) == []


def test_a_late_update_is_kept_without_what_identifies_and_makes_no_version(filled: Desk, phone: Wire, data: Path):
    withdraw(filled, KEEP)
    made = filled.count(entity_versions)

    send(phone, visit(1, 1, sent="uuid:late", ingreso="300", dijo=f"{ANA} vino"))
    send(phone, visit(1, 1, sent="uuid:late", ingreso="300", dijo=f"{ANA} vino"))

    assert filled.count(entity_versions) == made
    assert rows(filled, "visita")[-1] == {"persona": ONE, "ingreso": 300, "dijo": None}
    noted = people.receipt(filled, "visita", "uuid:late")
    assert (noted.outcome, noted.problem["code"] if noted.problem else None) == ("failed", 409.91)
    assert leaks(filled, data) == []
    assert phone.post(visit(1, 1, sent="uuid:late", ingreso="1")).status == 409  # other content is still refused


def test_under_erase_what_comes_late_is_known_again_and_counts_nowhere(filled: Desk, phone: Wire, data: Path):
    withdraw(filled)
    before = figures(filled)

    send(phone, visit(1, 1, sent="uuid:late", ingreso="300", dijo=f"{ANA} vino"))
    send(phone, visit(1, 1, sent="uuid:late", ingreso="300", dijo=f"{ANA} vino"))
    send(phone, registration(1, sent="uuid:r1b", before="uuid:r1", edad="42"))

    assert figures(filled) == before
    assert people.is_deleted(filled, "visita", "uuid:late")
    assert leaks(filled, data) == []
    assert people.find(filled, 1) is None


def test_a_rebuild_brings_nothing_back(filled: Desk, data: Path):
    withdraw(filled, KEEP)
    before, tables = figures(filled), filled.tables("registro")

    standing.rebuild(filled)

    assert (figures(filled), filled.tables("registro")) == (before, tables)
    assert leaks(filled, data) == []
    assert people.find(filled, 1) is not None
    assert filled.failures() == []


def test_a_household_loses_the_rows_of_the_person_alone(desk: Desk, phone: Wire, data: Path):
    people.publish(desk)
    send(phone, household((1, ANA), (2, "Beto Sol"), (3, "Caro Sol"), sent="uuid:h", chief=ANA))
    wish = Wish(reason="objection", asked_by="family")

    withdraw(desk, wish, number=1)

    assert rows(desk, "hogar", "/miembro") == [{"m_name": "Beto Sol", "m_age": 22}, {"m_name": "Caro Sol", "m_age": 23}]
    keys = [row["_key"] for row in desk.rows("hogar", "/miembro")]
    assert keys == ["uuid:h/miembro[2]", "uuid:h/miembro[3]"]  # the others stay where they are
    assert rows(desk, "hogar") == [{"jefe": None, "sector": "Norte"}]
    assert leaks(desk, data) == []
    standing.rebuild(desk)
    assert [(people.find(desk, number) is None) for number in (1, 2, 3)] == [True, False, False]
    send(phone, household((1, ANA), (2, "Beto Sol"), (3, "Caro Sol"), sent="uuid:h", chief=ANA))
    assert leaks(desk, data) == []
    assert len(desk.rows("hogar", "/miembro")) == 2


def test_with_facts_kept_a_household_loses_the_name_alone(desk: Desk, phone: Wire, data: Path):
    people.publish(desk)
    send(phone, household((1, ANA), (2, "Beto Sol"), sent="uuid:h"))

    withdraw(desk, KEEP)

    assert rows(desk, "hogar", "/miembro") == [{"m_name": None, "m_age": 21}, {"m_name": "Beto Sol", "m_age": 22}]
    assert leaks(desk, data) == []
    second = people.find(desk, 2)
    assert second is not None
    assert second.label == "Beto Sol"


def test_whoever_was_merged_goes_with_the_person(filled: Desk, phone: Wire, data: Path):
    filled.act(lambda ctx: entity_merging.merge(ctx, PROJECT, LIST, uuid_of(2), ONE, reason="la misma"))

    done = withdraw(filled, KEEP, number=1)

    assert done.uuids == (ONE, uuid_of(2))
    assert [one for one in ("Persona 2", *SECRETS) if one in people.kept(filled, data)] == []
    send(phone, visit(2, 1, sent="uuid:two", ingreso="9", dijo="Persona 2 dice"))
    assert people.receipt(filled, "visita", "uuid:two").problem["code"] == 409.91  # type: ignore[index]
    assert "Persona 2" not in people.kept(filled, data)
    dataset = filled.look(lambda conn: datasets.find(conn, PROJECT, LIST))
    assert dataset is not None
    filled.change(lambda conn: datasets.change(conn, dataset.id, deleted_at=dataset.created_at))
    filled.act(lambda ctx: entity_purging.purge(ctx, PROJECT, days=0))  # what is left of them hangs together


def test_of_an_entity_that_was_removed_for_good_what_submissions_hold_goes(filled: Desk, data: Path):
    filled.act(lambda ctx: entities.delete(ctx, PROJECT, LIST, ONE, By()))
    filled.act(lambda ctx: entity_purging.purge(ctx, PROJECT, LIST, days=0))
    assert people.find(filled, 1) is None
    assert ANA in people.kept(filled, data)

    done = withdraw(filled)

    assert (done.effect.entities, done.effect.submissions) == (0, 4)
    assert leaks(filled, data) == []


def test_facts_that_were_kept_can_be_erased_later_and_nothing_else_twice(filled: Desk, data: Path):
    withdraw(filled, KEEP)
    assert refusal(lambda: withdraw(filled, KEEP)) == 409.91

    withdraw(filled, WISH)

    assert figures(filled) == {"I": 80.0, "R": 2.0, "E": 60.0}
    assert refusal(lambda: withdraw(filled, WISH)) == 409.91
    assert refusal(lambda: withdraw(filled, KEEP)) == 409.91
    assert people.column(filled, stored, "policy") == ["erase"]


def test_what_was_withdrawn_is_not_restored_changed_merged_or_made_again(filled: Desk):
    withdraw(filled, KEEP)

    def acts(action: Callable[..., object]) -> float:
        return refusal(lambda: filled.act(action))

    assert acts(lambda ctx: entities.restore(ctx, PROJECT, LIST, ONE, By())) == 404.1
    assert acts(lambda ctx: entities.delete(ctx, PROJECT, LIST, ONE, By())) == 404.1
    assert (
        acts(lambda ctx: entities.create(ctx, PROJECT, LIST, entities.New(label="x", uuid=ONE, data={}), By()))
        == 409.19
    )
    assert acts(lambda ctx: entity_merging.merge(ctx, PROJECT, LIST, uuid_of(2), ONE, reason="x")) == 404.1
    assert filled.act(lambda ctx: entity_purging.purge(ctx, PROJECT, LIST, days=0)) == 0
    assert figures(filled)["E"] == 101.0


def test_one_line_of_the_audit_says_so_and_names_nobody(filled: Desk):
    before = filled.count(audits)

    withdraw(filled)

    assert filled.audited()[before:] == ["entity.withdraw"]
    assert people.column(filled, audits, "details")[-1] == {
        "entity": {"uuid": ONE, "dataset": LIST},
        "withdrawn": [ONE],
        "policy": "erase",
        "reason": "withdrawn",
        "askedBy": "person",
        "askedOn": "2026-11-20",
        "submissions": 4,
    }


def test_lines_of_the_audit_that_name_the_person_are_counted_since_none_can_be_changed(filled: Desk):
    filled.act(lambda ctx: entity_merging.merge(ctx, PROJECT, LIST, uuid_of(2), ONE, reason=f"es {ANA}"))

    assert withdraw(filled).effect.audits == 1


def test_the_project_says_what_goes_where_nobody_says_otherwise(filled: Desk):
    filled.act(lambda ctx: projects.change_settings(ctx, PROJECT, withdrawal="keep_facts"))

    assert withdraw(filled).policy == "keep_facts"
    assert refusal(lambda: filled.act(lambda ctx: projects.change_settings(ctx, PROJECT, withdrawal="x"))) == 400.8


@ON_SQLITE
@pytest.mark.parametrize(
    ("wish", "uuid", "code"),
    [
        (Wish(reason="x", asked_by="person"), ONE, 400.8),
        (Wish(reason="withdrawn", asked_by="Ana Ruiz"), ONE, 400.8),
        (Wish(reason="withdrawn", asked_by="person", policy="x"), ONE, 400.8),
        (Wish(reason="withdrawn", asked_by="person", asked_on=date(2100, 1, 1)), ONE, 400.8),
        (WISH, uuid_of(77), 404.1),
        (WISH, "x", 400.11),
    ],
)
def test_bad_wishes_are_refused_and_change_nothing(filled: Desk, data: Path, wish: Wish, uuid: str, code: float):
    before = people.kept(filled, data)

    assert refusal(lambda: filled.act(lambda ctx: withdrawals.withdraw(ctx, PROJECT, LIST, uuid, wish))) == code
    assert refusal(lambda: filled.act(lambda ctx: withdrawals.foresee(ctx, PROJECT, LIST, uuid, wish))) == code
    assert people.kept(filled, data) == before


def test_a_photo_that_somebody_else_sent_too_stays(filled: Desk, phone: Wire):
    other = registration(4, foto="cara.jpg")
    assert phone.post(other, {"cara.jpg": FACE}).status == 201

    withdraw(filled)

    assert filled.files("uuid:r4") == {"cara.jpg": FACE}
    assert people.column(filled, submission_attachments, "name") == ["cara.jpg"]
    assert filled.count(doomed_blobs) == 0


def test_pseudonyms_lead_nowhere_any_more(filled: Desk, app: Any):
    viewer = client(filled, to_app(app), "viewer")
    for path in ("/forms/registro/extract.csv", "/forms/taller/extract.csv", "/forms/visita/extract.csv"):
        assert viewer.ask(path).status == 200
    assert {"uuid:r1", CARD, ONE} <= set(people.column(filled, pseudonyms, "key"))

    withdraw(filled)

    assert {"uuid:r1", "uuid:v1", CARD, ONE} & set(people.column(filled, pseudonyms, "key")) == set()


def test_after_an_old_backup_the_list_is_applied_again(filled: Desk, phone: Wire, data: Path, tmp_path: Path):
    withdraw(filled)
    filled.act(withdrawal_list.keep)
    filled.act(withdrawal_list.keep)
    [line] = withdrawal_list.read(data / withdrawal_list.NAME)
    again = Wish(reason="withdrawn", asked_by="person", asked_on=date(2026, 11, 20), policy="erase")
    assert line == (PROJECT, LIST, ONE, again)

    unseen = uuid_of(60)
    wish = Wish(reason="mistake", asked_by="programme", policy="erase")
    assert filled.act(lambda ctx: withdrawals.reapply(ctx, PROJECT, LIST, ONE, line[3])) is None
    made = filled.act(lambda ctx: withdrawals.reapply(ctx, PROJECT, LIST, unseen, wish))
    assert made is not None
    assert filled.act(lambda ctx: withdrawals.reapply(ctx, PROJECT, LIST, unseen, wish)) is None
    send(phone, registration(60, nombre="Olvidada"))
    assert "Olvidada" not in people.kept(filled, data)
    assert people.find(filled, 60) is None


def test_what_arrived_in_the_same_moment_is_caught_up_with(filled: Desk, phone: Wire, data: Path):
    """A submission whose transaction did not see the withdrawal yet."""
    send(phone, visit(1, 1, sent="uuid:same", ingreso="7", dijo=f"{ANA} otra vez"))
    whole = filled.xml_of("uuid:same")
    withdraw(filled, KEEP)
    filled.change(
        lambda conn: conn.execute(
            submission_versions.update().where(submission_versions.c.instance_id == "uuid:same").values(xml=whole)
        )
    )
    assert leaks(filled, data) != []

    filled.act(withdrawals.settle)

    assert leaks(filled, data) == []
    assert filled.act(withdrawals.settle) == 0


def test_whoever_names_more_ids_than_a_statement_may_is_looked_for_all_the_same(filled: Desk):
    withdraw(filled)
    many = {f"{number:08x}-0000-4000-8000-00000000000f" for number in range(70_000)}

    found = filled.look(lambda conn: withdrawal_store.list_named(conn, PROJECT, {ONE, *many}))

    assert [one.uuid for one in found] == [ONE]
