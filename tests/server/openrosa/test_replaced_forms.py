"""A form deleted and replaced by another one under its id: what the deleted one holds is not received twice."""

from __future__ import annotations

from tests.server.desk import Desk, form, questions
from tests.server.wire import Wire, instance

OLD = form("hogar", questions("text nombre", "image foto"))
NEW = form("hogar", questions("text nombre"), version="2")


def replaced(desk: Desk, phone: Wire, xml: bytes) -> None:
    desk.publish(OLD)
    assert phone.post(xml).status == 201
    desk.delete_form("hogar")
    desk.publish(NEW)


def test_a_resend_for_a_replaced_form_is_201_and_no_new_submission(desk: Desk, phone: Wire):
    xml = instance("hogar", "<nombre>Ana</nombre><foto>a.jpg</foto>", instance_id="uuid:1")
    replaced(desk, phone, xml)

    assert phone.post(xml, {"a.jpg": b"A"}).status == 201

    assert desk.submissions() == 1
    assert desk.rows("hogar") == []
    assert desk.files("uuid:1") == {"a.jpg": b"A"}


def test_other_content_under_an_id_of_the_deleted_form_is_kept_in_the_new_one(desk: Desk, phone: Wire):
    replaced(desk, phone, instance("hogar", "<nombre>Ana</nombre>", instance_id="uuid:1"))

    other = instance("hogar", "<nombre>Eva</nombre>", version="2", instance_id="uuid:1")
    assert [phone.post(other).status, phone.post(other).status] == [201, 201]

    assert desk.submissions() == 2
    assert [row["nombre"] for row in desk.rows("hogar")] == ["Eva"]


def test_case_13_an_edit_of_what_the_deleted_form_holds_is_kept_in_the_new_one(desk: Desk, phone: Wire):
    original = instance("hogar", "<nombre>Ana</nombre>", instance_id="uuid:1")
    replaced(desk, phone, original)
    edit = instance("hogar", "<nombre>Eva</nombre>", version="2", instance_id="uuid:2", deprecated_id="uuid:1")

    assert [phone.post(edit).status, phone.post(original).status, phone.post(edit).status] == [201, 201, 201]

    assert [row["nombre"] for row in desk.rows("hogar")] == ["Eva"]
    assert desk.submissions() == 2
    assert desk.xml_of("uuid:1") == original
