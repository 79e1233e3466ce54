"""Bodies that no phone sends: two submissions in one, broken headers, odd names. None is acknowledged that is not kept."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape

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


NAMED: Final = 'form-data; name="a.jpg"; filename="a.jpg"'


def with_file(*headers: str, name: str = "a.jpg", before: str = "", after: str = "") -> bytes:
    """A submission that names a file, and the file in a part with these headers."""
    head = "".join(f"{header}\r\n" for header in headers)
    xml = instance("hogar", f"<foto>{escape(name)}</foto>", instance_id="uuid:1")
    return (
        f'{before}--B\r\nContent-Disposition: form-data; name="xml_submission_file"; filename="x.xml"\r\n\r\n'.encode()
        + xml
        + f"\r\n--B\r\n{head}\r\nFOTO\r\n--B--\r\n{after}".encode()
    )


@pytest.mark.parametrize(
    "headers",
    [
        (f"Content-Disposition {NAMED}",),
        (f"Content-Disposition: {NAMED}", "Content-Type image/jpeg"),
        (f"Content-Disposition: {NAMED}", "hola"),
        (),
        ("Content-Type: image/jpeg",),
        ("Content-Disposition: attachment; filename=a.jpg",),
        ("Content-Disposition: form-data",),
        ('Content-Disposition: form-data; name="a.jpg" filename="a.jpg"',),
        ('Content-Disposition: form-data; name="a.jpg"; filename="a.jpg',),
        ('Content-Disposition: form-data; name="a.jpg"; filename=a b.jpg',),
        ('Content-Disposition: form-data; name="a.jpg"; filename="a.jpg"; filename="b.jpg"',),
        ("Content-Disposition: form-data; name=x; filename*0=a; filename*1=.jpg",),
        ("Content-Disposition: form-data; name=x; filename*=utf-16''a.jpg",),
        ("Content-Disposition: form-data; name=x; filename*=UTF-8''a%FF.jpg",),
        ('Content-Disposition: form-data; name="a.jpg"', f"Content-Disposition: {NAMED}"),
        (f"Content-Disposition: {NAMED}", "Content-Transfer-Encoding: base64"),
    ],
)
def test_a_part_whose_headers_do_not_read_is_refused_and_never_passed_over(
    desk: Desk, phone: Wire, headers: tuple[str, ...]
):
    desk.publish(form("hogar", questions("image foto")))

    answer = phone.raw(with_file(*headers), "multipart/form-data; boundary=B")

    assert (answer.status, answer.message) == (400, "No se pudo leer el contenido del envío.")
    assert desk.submissions() == 0


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_part_outside_of_the_boundaries_is_refused_and_never_passed_over(desk: Desk, phone: Wire, where: str):
    desk.publish(form("hogar", questions("image foto")))
    stray = f"--C\r\nContent-Disposition: {NAMED}\r\n\r\nFOTO\r\n"

    for outside, status in ((stray, 400), ("\r\n", 201)):
        body = with_file('Content-Disposition: form-data; name="b.jpg"; filename="b.jpg"', **{where: outside})
        assert phone.raw(body, "multipart/form-data; boundary=B").status == status


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ((f"Content-Disposition: {NAMED}", "Content-Type: image/jpeg", "Content-Length: 4", "X-Otra: ñ"), "a.jpg"),
        (("content-disposition:form-data;name=x;filename=a.jpg ;",), "a.jpg"),
        (('Content-Disposition: form-data;\r\n name="x";\r\n\tfilename="a.jpg"',), "a.jpg"),
        ((r'Content-Disposition: form-data; name="x"; filename="a\"b.jpg"',), 'a"b.jpg'),
        (('Content-Disposition: form-data; name="x"; filename="a%22b.jpg"',), 'a"b.jpg'),
        (('Content-Disposition: form-data; name="x"; filename="a%22b.jpg"',), "a%22b.jpg"),
        (("Content-Disposition: form-data; name=x; filename=_.jpg; filename*=UTF-8''%C3%B1%20a.jpg",), "ñ a.jpg"),
        (('Content-Disposition: form-data; name="a.jpg"',), "a.jpg"),
        (('Content-Disposition: form-data; name="a.jpg"; filename=""',), "a.jpg"),
    ],
)
def test_a_file_is_found_under_the_name_that_the_answer_gives(
    desk: Desk, phone: Wire, headers: tuple[str, ...], name: str
):
    desk.publish(form("hogar", questions("image foto")))

    assert phone.raw(with_file(*headers, name=name), "multipart/form-data; boundary=B").status == 201

    assert desk.files("uuid:1") == {name: b"FOTO"}


@pytest.mark.parametrize("written", [r"a\b.jpg", r"a\\b.jpg", r"\\servidor\a.jpg", r"\a.jpg"])
def test_a_backslash_in_a_name_is_refused_since_nobody_can_tell_what_it_means(desk: Desk, phone: Wire, written: str):
    """RFC 9110 reads `a\\b` as `ab`, OkHttp and browsers mean it as it stands; neither is guessed."""
    desk.publish(form("hogar", questions("image foto")))
    headers = (f'Content-Disposition: form-data; name="x"; filename="{written}"',)

    for name in (r"a\b.jpg", "ab.jpg"):
        answer = phone.raw(with_file(*headers, name=name), "multipart/form-data; boundary=B")
        assert (answer.status, answer.message) == (400, f"El nombre de archivo «{written}» no se admite.")
    assert desk.submissions() == 0


def test_a_field_of_a_browsers_form_is_no_file_unless_it_has_a_content_type(desk: Desk, phone: Wire):
    """Old Enketo sends a field `Date`; a part with a content type holds a file (RFC 7578, section 4.4)."""
    desk.publish(form("hogar", questions("image foto")))

    for headers in (
        ('Content-Disposition: form-data; name="Date"',),
        ('Content-Disposition: form-data; name="nota.txt"', "Content-Type: text/plain; charset=UTF-8"),
    ):
        assert phone.raw(with_file(*headers), "multipart/form-data; boundary=B").status == 201

    assert desk.files("uuid:1") == {"a.jpg": None, "nota.txt": b"FOTO"}


def test_case_09_a_name_in_latin_1_is_refused_and_not_misread(desk: Desk, phone: Wire):
    """No phone sends one; read as UTF-8 it is nothing, read as Latin-1 every other name would be something else."""
    desk.publish(form("hogar", questions("image foto")))
    body = with_file('Content-Disposition: form-data; name="x"; filename="ñ.jpg"', name="n.jpg")

    answer = phone.raw(body.replace("ñ".encode(), b"\xf1"), "multipart/form-data; boundary=B")

    assert (answer.status, answer.message) == (400, "No se pudo leer el contenido del envío.")
    assert desk.submissions() == 0
