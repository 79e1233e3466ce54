"""Bodies with more than one submission in them: none is acknowledged that is not kept."""

from __future__ import annotations

from typing import Final

import pytest

from tests.server.desk import ON_SQLITE, Desk, form, questions
from tests.server.wire import Wire, instance

pytestmark = ON_SQLITE
FILE: Final = '; filename="a.xml"'
FIELD: Final = ""


def body(*parts: tuple[str, bytes]) -> bytes:
    """A multipart body whose every part is a submission's XML, as a file or as a field."""
    written = b"".join(
        b'--B\r\nContent-Disposition: form-data; name="xml_submission_file"'
        + kind.encode()
        + b"\r\n\r\n"
        + xml
        + b"\r\n"
        for kind, xml in parts
    )
    return written + b"--B--\r\n"


@pytest.mark.parametrize("first", [FILE, FIELD], ids=["file", "field"])
@pytest.mark.parametrize("second", [FILE, FIELD], ids=["file", "field"])
def test_two_submissions_in_one_body_are_refused_and_neither_is_half_kept(
    desk: Desk, phone: Wire, first: str, second: str
):
    desk.publish(form("hogar", questions("integer edad")))
    one, other = (instance("hogar", f"<edad>{number}</edad>", instance_id=f"uuid:{number}") for number in (1, 2))

    answer = phone.raw(body((first, one), (second, other)), "multipart/form-data; boundary=B")

    assert answer.status == 400
    assert answer.message
    assert desk.submissions() == 0


@pytest.mark.parametrize("first", [FILE, FIELD], ids=["file", "field"])
@pytest.mark.parametrize("second", [FILE, FIELD], ids=["file", "field"])
def test_one_submission_twice_in_one_body_is_kept_once(desk: Desk, phone: Wire, first: str, second: str):
    desk.publish(form("hogar", questions("integer edad")))
    xml = instance("hogar", "<edad>1</edad>", instance_id="uuid:1")

    assert phone.raw(body((first, xml), (second, xml)), "multipart/form-data; boundary=B").status == 201
    assert desk.xml_of("uuid:1") == xml
    assert desk.submissions() == 1


@pytest.mark.parametrize("kind", [FILE, FIELD], ids=["file", "field"])
def test_bytes_that_are_no_utf_8_are_refused_and_not_changed(desk: Desk, phone: Wire, kind: str):
    desk.publish(form("hogar", questions("text nota")))
    xml = instance("hogar", "<nota>ni\u00f1o</nota>").replace("\u00f1".encode(), b"\xf1")

    assert phone.raw(body((kind, xml)), "multipart/form-data; boundary=B").status == 400
    assert desk.submissions() == 0
