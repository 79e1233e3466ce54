"""The same submission again: whole, in parts, with other content, with files in any order."""

from __future__ import annotations

import itertools
import unicodedata

import pytest

from tests.server.desk import PROJECT, Desk, form, questions
from tests.server.wire import Wire, instance

HOUSE = form(
    "hogar", questions("integer edad", "image foto", "audio voz", "begin repeat m", "image cara", "end repeat")
)
ANSWERS = "<edad>5</edad><foto>a.jpg</foto><voz>b.m4a</voz><m><cara>c.jpg</cara></m><m><cara>a.jpg</cara></m>"


def test_case_07_resubmission_of_the_same_xml_is_received_and_nothing_doubled(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    xml = instance("hogar", ANSWERS, instance_id="uuid:1")

    answers = [phone.post(xml, {"a.jpg": b"A"}) for _ in range(3)]

    assert [answer.status for answer in answers] == [201, 201, 201]
    assert answers[1].message == "Ya lo teníamos; está guardado. ¡Gracias!"
    assert desk.submissions() == 1
    assert len(desk.rows("hogar")) == 1
    assert len(desk.rows("hogar", "/m")) == 2
    assert desk.audited().count("submission.create") == 1


def test_case_07_resubmission_with_other_content_is_refused_and_overwrites_nothing(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    xml = instance("hogar", "<edad>5</edad>", instance_id="uuid:1")
    phone.post(xml, {"a.jpg": b"A"})
    before = desk.tables("hogar")

    answer = phone.post(instance("hogar", "<edad>6</edad>", instance_id="uuid:1"), {"a.jpg": b"B"})

    assert answer.status == 409
    assert answer.message.startswith("Ya existe un envío con este identificador y otro contenido; no se cambió nada.")
    assert desk.tables("hogar") == before
    assert desk.xml_of("uuid:1") == xml
    assert desk.files("uuid:1") == {"a.jpg": b"A"}


def test_case_07_the_same_instance_id_in_another_form_is_another_submission(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    desk.publish(form("otro", questions("integer edad")))

    statuses = [phone.post(instance(name, "<edad>1</edad>", instance_id="uuid:1")).status for name in ("hogar", "otro")]

    assert statuses == [201, 201]
    assert [len(desk.rows(name)) for name in ("hogar", "otro")] == [1, 1]


FILES = {"a.jpg": b"A" * 3000, "b.m4a": b"B" * 2000, "c.jpg": b"C"}


@pytest.mark.parametrize("order", [*itertools.permutations(FILES)])
def test_case_08_files_may_come_in_any_order_one_post_each(desk: Desk, phone: Wire, order: tuple[str, ...]):
    desk.publish(HOUSE)
    xml = instance("hogar", ANSWERS, instance_id="uuid:1")

    for number, name in enumerate(order):
        assert phone.post(xml, {name: FILES[name]}, incomplete=number < 2).status == 201
        assert [row["edad"] for row in desk.rows("hogar")] == [5]

    assert desk.files("uuid:1") == FILES


def test_case_08_is_incomplete_is_no_file(desk: Desk, phone: Wire):
    desk.publish(HOUSE)

    assert phone.post(instance("hogar", ANSWERS, instance_id="uuid:1"), {"a.jpg": b"A"}, incomplete=True).status == 201

    assert desk.files("uuid:1") == {"a.jpg": b"A", "b.m4a": None, "c.jpg": None}


def test_case_08_a_retry_may_send_files_again_that_are_kept(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    xml = instance("hogar", ANSWERS, instance_id="uuid:1")
    phone.post(xml, {"a.jpg": b"A"}, incomplete=True)

    answers = [
        phone.post(xml, {"a.jpg": b"A", "b.m4a": b"B"}, incomplete=True),
        phone.post(xml, {"c.jpg": b"C"}),
        phone.post(xml),
    ]

    assert [answer.status for answer in answers] == [201, 201, 201]
    assert desk.files("uuid:1") == {"a.jpg": b"A", "b.m4a": b"B", "c.jpg": b"C"}


def test_case_08_a_body_larger_than_the_announced_limit_is_taken(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    announced = int(phone.head().headers["X-OpenRosa-Accept-Content-Length"])
    film = bytes(range(256)) * (announced // 256 + 1000)

    assert phone.post(instance("hogar", ANSWERS, instance_id="uuid:1"), {"a.jpg": film}).status == 201

    assert desk.files("uuid:1")["a.jpg"] == film


@pytest.mark.parametrize(
    "name",
    ["foto ñandú.jpg", "Ngäbe 📷.jpg", 'com"illas.jpg', "señal; x=1.jpg", "100%.jpg", "a'b.jpg", "=1+1.jpg", "-rf.jpg"],
)
def test_case_09_raw_utf_8_in_names_of_parts_is_read_as_it_was_written(desk: Desk, phone: Wire, name: str):
    desk.publish(HOUSE)
    quoted = name.replace("&", "&amp;")

    answer = phone.post(
        instance("hogar", f"<foto>{quoted}</foto>", instance_id="uuid:1"),
        {name: b"A"},
        filename="Censo Ngäbe-Buglé_2026-08-15.xml",
    )

    assert answer.status == 201
    assert desk.files("uuid:1") == {name: b"A"}


@pytest.mark.parametrize(("written", "sent"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_case_09_names_match_whatever_their_unicode_form(desk: Desk, phone: Wire, written: str, sent: str):
    desk.publish(HOUSE)
    node, part = (unicodedata.normalize(form, "señal Ngäbe.jpg") for form in (written, sent))

    phone.post(instance("hogar", f"<foto>{node}</foto>", instance_id="uuid:1"), {part: b"A"})

    assert desk.files("uuid:1") == {unicodedata.normalize("NFC", node): b"A"}


def test_case_10_files_that_nobody_references_are_kept(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    sent = {"audit.csv": b"event,node\n", "temporaryAudit.csv": b"", "old.jpg": b"x", "otro.xml": b"<a/>"}

    assert phone.post(instance("hogar", "<edad>5</edad>", instance_id="uuid:1"), sent).status == 201

    assert desk.files("uuid:1") == dict(sorted(sent.items()))


def test_case_10_references_whose_file_never_comes_are_remembered(desk: Desk, phone: Wire):
    desk.publish(HOUSE)

    assert phone.post(instance("hogar", ANSWERS, instance_id="uuid:1")).status == 201

    assert desk.files("uuid:1") == {"a.jpg": None, "b.m4a": None, "c.jpg": None}


def test_case_10_one_file_named_by_two_nodes_is_one_file(desk: Desk, phone: Wire):
    desk.publish(HOUSE)

    phone.post(instance("hogar", ANSWERS, instance_id="uuid:1"), {"a.jpg": b"A"})

    assert desk.files("uuid:1")["a.jpg"] == b"A"
    assert [row["cara"] for row in desk.rows("hogar", "/m")] == ["c.jpg", "a.jpg"]
    assert desk.rows("hogar")[0]["foto"] == "a.jpg"


def test_case_10_an_attachment_called_xml_is_no_submission(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    other = instance("hogar", "<edad>99</edad>", instance_id="uuid:2")

    assert phone.post(instance("hogar", "<edad>5</edad>", instance_id="uuid:1"), {"otro.xml": other}).status == 201

    assert [row["edad"] for row in desk.rows("hogar")] == [5]
    assert desk.files("uuid:1") == {"otro.xml": other}


def test_case_10_an_empty_file_is_a_file(desk: Desk, phone: Wire):
    desk.publish(HOUSE)

    phone.post(instance("hogar", "<foto>a.jpg</foto>", instance_id="uuid:1"), {"a.jpg": b""})

    assert desk.files("uuid:1") == {"a.jpg": b""}


def test_case_10_more_than_a_hundred_files_in_one_request(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    sent = {f"{number:03}.jpg": bytes([number]) * 10 for number in range(150)}

    assert phone.post(instance("hogar", "<edad>5</edad>", instance_id="uuid:1"), sent).status == 201

    assert desk.files("uuid:1") == sent


def test_case_10_two_contents_under_one_name_leave_the_last(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    xml = instance("hogar", "<foto>a.jpg</foto>", instance_id="uuid:1")

    phone.post(xml, [("a.jpg", b"1"), ("a.jpg", b"2")])
    assert desk.files("uuid:1") == {"a.jpg": b"2"}
    phone.post(xml, {"a.jpg": b"3"})

    assert desk.files("uuid:1") == {"a.jpg": b"3"}


def test_case_24_audits_are_kept_byte_for_byte_whatever_their_columns(desk: Desk, phone: Wire):
    """Mixed column counts, epoch milliseconds, an end that is missing, 5 MB."""
    desk.publish(HOUSE)
    lines = ["event,node,start,end", "form start,,1723700000000,", "event,node,start,end,old-value,new-value"]
    lines += ['question,/data/m[2]/cara,1723700000001,1723700000002,a,"b,c"'] * 80_000
    audit = "\n".join(lines).encode()

    assert phone.post(instance("hogar", "<edad>5</edad>", instance_id="uuid:1"), {"audit.csv": audit}).status == 201

    assert desk.files("uuid:1") == {"audit.csv": audit}


def test_case_23_an_encrypted_submission_is_kept_whole_over_several_posts(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    envelope = (
        b'<data xmlns="http://www.opendatakit.org/xforms/encrypted" id="hogar" version="1" encrypted="yes">'
        b"<base64EncryptedKey>a2V5</base64EncryptedKey>"
        b'<orx:meta xmlns:orx="http://openrosa.org/xforms"><orx:instanceID>uuid:1</orx:instanceID></orx:meta>'
        b"<media><file>a.jpg.enc</file></media><media><file>b.m4a.enc</file></media>"
        b"<encryptedXmlFile>submission.xml.enc</encryptedXmlFile>"
        b"<base64EncryptedElementSignature>c2ln</base64EncryptedElementSignature></data>"
    )

    assert phone.post(envelope, {"submission.xml.enc": b"1"}, incomplete=True).status == 201
    assert desk.files("uuid:1") == {"a.jpg.enc": None, "b.m4a.enc": None, "submission.xml.enc": b"1"}
    assert phone.post(envelope, {"b.m4a.enc": b"2"}, incomplete=True).status == 201
    assert phone.post(envelope, {"a.jpg.enc": b"3"}).status == 201

    assert desk.files("uuid:1") == {"a.jpg.enc": b"3", "b.m4a.enc": b"2", "submission.xml.enc": b"1"}
    assert desk.xml_of("uuid:1") == envelope
    (row,) = desk.whole_rows("hogar")
    assert (row["_encrypted"], row["edad"], row["_key"]) == (True, None, "uuid:1")
    assert (desk.flags("hogar"), desk.failures()) == ([], [])


def test_case_22_a_submission_with_an_entity_is_kept_whole(desk: Desk, phone: Wire):
    sheet = (
        form("arboles", questions("text especie"))
        + "| entities |\n| | list_name | label |\n| | arboles | ${especie} |\n"
    )
    desk.publish(sheet)
    block = (
        '<entity dataset="arboles" id="{}" create="1" xmlns="http://www.opendatakit.org/xforms/entities">'
        "<label>cedro</label></entity>"
    ).format("1a8e6b0c-1f9c-4b35-9d54-4d2f1d1c0b11")
    xml = instance("arboles", "<especie>cedro</especie>", instance_id="uuid:1").replace(
        b"<meta>", f"<meta>{block}".encode()
    )

    assert [phone.post(xml).status for _ in range(2)] == [201, 201]

    assert desk.xml_of("uuid:1") == xml
    assert [row["especie"] for row in desk.rows("arboles")] == ["cedro"]
    assert (desk.flags("arboles"), desk.failures()) == ([], [])


def test_a_submission_for_a_form_of_another_project_is_not_taken(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    other = desk.add_project("Otro")
    token = desk.app_user(project_id=other).display_name

    answer = Wire(phone.send, f"/v1/key/{token}/projects/{other}").post(instance("hogar", "<edad>5</edad>"))

    assert answer.status == 404
    assert answer.message == (
        "Este proyecto no tiene ningún formulario «hogar». Guarde el formulario en el teléfono y avise a su coordinación."
    )
    assert Wire(phone.send, f"/v1/key/{token}/projects/{PROJECT}").post(instance("hogar")).status == 403
    assert desk.submissions() == 0
