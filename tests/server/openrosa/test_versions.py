"""Phones that were away for months: old, closed, deleted and unknown versions, and what was deleted here meanwhile."""

from __future__ import annotations

import pytest

from server.actions import drafts
from server.actions.following import follow_stored
from server.context import Context
from server.store import submissions
from tests.server.desk import PROJECT, Desk, form, questions
from tests.server.wire import Wire, instance

FIRST = form("hogar", questions("integer edad"), version="1")
SECOND = form("hogar", questions("integer edad", "text nombre"), version="2")


def test_case_11_a_submission_for_an_old_version_is_kept(desk: Desk, phone: Wire):
    desk.publish(FIRST)
    desk.publish(SECOND)

    assert phone.post(instance("hogar", "<edad>5</edad>", version="1", instance_id="uuid:1")).status == 201
    assert phone.post(instance("hogar", "<edad>6</edad><nombre>Ana</nombre>", version="2")).status == 201

    assert [(row["edad"], row["nombre"]) for row in desk.rows("hogar")] == [(5, None), (6, "Ana")]
    assert desk.flags("hogar") == []


@pytest.mark.parametrize("state", ["closing", "closed"])
def test_case_11_a_submission_for_a_closed_form_is_kept(desk: Desk, phone: Wire, state: str):
    desk.publish(FIRST)
    desk.set_state("hogar", state)

    answer = phone.post(instance("hogar", "<edad>5</edad>"))

    assert (answer.status, answer.message) == (201, "Recibido y guardado. ¡Gracias!")
    assert [row["edad"] for row in desk.rows("hogar")] == [5]


def test_case_11_a_version_this_server_never_had_is_kept_and_flagged(desk: Desk, phone: Wire):
    desk.publish(FIRST)

    assert (
        phone.post(instance("hogar", "<edad>5</edad><otra>x</otra>", version="0", instance_id="uuid:1")).status == 201
    )

    assert [row["edad"] for row in desk.rows("hogar")] == [5]
    assert [(flag.check, flag.path, flag.text) for flag in desk.flags("hogar")] == [
        ("builtin:unknown", "/otra", "x"),
        ("builtin:form_version", "", "0"),
    ]


def test_case_11_a_deleted_form_still_takes_what_phones_hold_of_it(desk: Desk, phone: Wire):
    published = desk.publish(FIRST)
    desk.delete_form("hogar")

    answer = phone.post(instance("hogar", "<edad>5</edad>", instance_id="uuid:1"))

    assert (answer.status, answer.message) == (201, "Recibido y guardado. ¡Gracias!")
    assert desk.submissions() == 1
    assert desk.xml_of("uuid:1")
    assert published.form.id == 1


def test_case_11_a_limited_phone_still_sends_to_its_deleted_form(desk: Desk, phone: Wire):
    desk.publish(FIRST)
    token = desk.app_user(forms=("hogar",)).display_name
    desk.delete_form("hogar")

    limited = Wire(phone.send, f"/v1/key/{token}/projects/{PROJECT}")

    assert limited.head().status == 204
    assert limited.post(instance("hogar", "<edad>5</edad>"), {"a.jpg": b"A"}).status == 201


def test_case_11_a_draft_that_takes_the_place_of_a_deleted_form_does_not_shut_phones_out(desk: Desk, phone: Wire):
    desk.publish(FIRST)
    desk.delete_form("hogar")
    desk.draft(SECOND)

    assert phone.post(instance("hogar", "<edad>5</edad>")).status == 201

    desk.act(lambda ctx: drafts.publish(ctx, PROJECT, "hogar"))
    assert phone.post(instance("hogar", "<edad>6</edad><nombre>Ana</nombre>", version="2")).status == 201
    assert [row["edad"] for row in desk.rows("hogar")] == [6]


def test_case_11_a_form_that_was_never_published_takes_nothing(desk: Desk, phone: Wire):
    desk.draft(FIRST)

    assert phone.post(instance("hogar")).status == 404


def test_case_12_a_missing_version_and_an_empty_one_are_the_same(desk: Desk, phone: Wire):
    desk.publish(form("hogar", questions("integer edad"), version=""))

    assert phone.post(instance("hogar", "<edad>1</edad>", version=None)).status == 201
    assert phone.post(instance("hogar", "<edad>2</edad>", version="")).status == 201

    assert [(row["edad"], row["_form_version"]) for row in desk.whole_rows("hogar")] == [(1, ""), (2, "")]
    assert desk.flags("hogar") == []
    assert phone.forms()["hogar"]["version"] == ""


def test_case_12_versions_are_texts_and_never_numbers(desk: Desk, phone: Wire):
    versions = ["1", "01", "1.0", "1.10", "1.1", "2026081501", "v2 (ñ)", " 3"]
    for number, version in enumerate(versions):
        desk.publish(versioned(version, number))

    for number, version in enumerate(versions):
        assert phone.post(instance("hogar", f"<q{number}>x</q{number}>", version=version)).status == 201

    rows = desk.whole_rows("hogar")
    assert [row["_form_version"] for row in rows] == versions
    assert [row[f"q{number}"] for number, row in enumerate(rows)] == ["x"] * len(versions)
    assert desk.flags("hogar") == []
    assert phone.forms()["hogar"]["version"] == " 3"


def versioned(version: str, number: int) -> bytes:
    return (
        '<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"><h:head><h:title>t</h:title>'
        f'<model><instance><data id="hogar" version="{version}"><q{number}/><meta><instanceID/></meta></data></instance>'
        f"<bind nodeset='/data/q{number}' type='string'/></model></h:head><h:body><input ref='/data/q{number}'>"
        "<label>q</label></input></h:body></h:html>"
    ).encode()


def test_case_27_a_deleted_submission_sent_again_is_received_and_stays_deleted(desk: Desk, phone: Wire):
    desk.publish(FIRST)
    xml = instance("hogar", "<edad>5</edad>", instance_id="uuid:1")
    phone.post(xml)
    delete(desk, "uuid:1")
    assert desk.rows("hogar") == []

    assert phone.post(xml, {"a.jpg": b"A"}).status == 201

    assert desk.submissions() == 1
    assert desk.rows("hogar") == []
    assert desk.files("uuid:1") == {"a.jpg": b"A"}


def test_case_27_an_edit_of_a_deleted_submission_is_kept_and_stays_deleted(desk: Desk, phone: Wire):
    desk.publish(FIRST)
    phone.post(instance("hogar", "<edad>5</edad>", instance_id="uuid:1"))
    delete(desk, "uuid:1")

    assert phone.post(instance("hogar", "<edad>6</edad>", instance_id="uuid:2", deprecated_id="uuid:1")).status == 201

    assert [version.instance_id for version in desk.versions("hogar", "uuid:1")] == ["uuid:1", "uuid:2"]
    assert desk.rows("hogar") == []


def delete(desk: Desk, instance_id: str) -> None:
    """A submission put away by the coordinator."""
    form_id = desk.form_row_id("hogar")

    def away(ctx: Context) -> None:
        held = submissions.find(ctx.conn, form_id, instance_id)
        assert held is not None
        submissions.change(ctx.conn, held.id, deleted_at=ctx.now())
        follow_stored(ctx, held.id)

    desk.act(away)
