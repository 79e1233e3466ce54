"""The identity that an instance claims: form, version, its own id, the one it corrects."""

from __future__ import annotations

import hashlib

import pytest

from forms import instance
from forms.problems import Problem


def read(xml: str) -> instance.Instance:
    return instance.read(xml.encode())


def identity(xml: str) -> tuple[str, str, str, str | None, str | None]:
    found = read(xml)
    return found.form_id, found.version, found.instance_id, found.deprecated_id, found.instance_name


META = "<meta><instanceID>uuid:1</instanceID></meta>"


@pytest.mark.parametrize(
    ("xml", "expected"),
    [
        (f'<data id="f" version="1">{META}</data>', ("f", "1", "uuid:1", None, None)),
        (f'<data id="f">{META}</data>', ("f", "", "uuid:1", None, None)),
        (f'<data id="f" version="">{META}</data>', ("f", "", "uuid:1", None, None)),
        (f'<data id=" f " version=" 1 ">{META}</data>', ("f", " 1 ", "uuid:1", None, None)),
        (
            '<data id="f"><meta><instanceID> uuid:1\n</instanceID><deprecatedID>uuid:0</deprecatedID>'
            "<instanceName>Casa ñ</instanceName></meta></data>",
            ("f", "", "uuid:1", "uuid:0", "Casa ñ"),
        ),
        ('<data id="f"><meta><instanceID>x</instanceID><deprecatedID/></meta></data>', ("f", "", "x", None, None)),
        (
            '<d:data xmlns:d="urn:d" id="f" d:version="7" xmlns:o="http://openrosa.org/xforms"><o:meta>'
            "<o:instanceID>uuid:1</o:instanceID><o:deprecatedID>uuid:0</o:deprecatedID></o:meta></d:data>",
            ("f", "7", "uuid:1", "uuid:0", None),
        ),
        ('<data id="f" instanceID="uuid:1"/>', ("f", "", "uuid:1", None, None)),
        (f'<data id="f"><g><meta><instanceID>no</instanceID></meta></g>{META}</data>', ("f", "", "uuid:1", None, None)),
    ],
)
def test_identity_is_read_wherever_forms_put_it(xml: str, expected: tuple[str, str, str, str | None, str | None]):
    assert identity(xml) == expected


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        ("<data/>", 400.2),
        (f"<data>{META}</data>", 400.2),
        (f'<data id=" ">{META}</data>', 400.2),
        ('<data id="f"/>', 400.2),
        ('<data id="f"><meta/></data>', 400.2),
        ('<data id="f"><meta><instanceID/></meta></data>', 400.2),
        ('<data id="f"><meta><instanceID>  </instanceID></meta></data>', 400.2),
        ('<data id="f"><instanceID>uuid:1</instanceID></data>', 400.2),
        (f'<data id="{"x" * 251}">{META}</data>', 400.13),
        (f'<data id="f" version="{"x" * 251}">{META}</data>', 400.13),
        (f'<data id="f"><meta><instanceID>{"x" * 251}</instanceID></meta></data>', 400.13),
        ("", 400.1),
        ("hola", 400.1),
        ('<data id="f">', 400.1),
    ],
)
def test_what_cannot_be_filed_is_refused_by_its_code(xml: str, code: float):
    with pytest.raises(Problem) as refused:
        read(xml)

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("root", "encrypted"),
    [
        ('<data xmlns="http://www.opendatakit.org/xforms/encrypted" id="f" encrypted="yes">', True),
        ('<data xmlns="http://www.opendatakit.org/xforms/encrypted" id="f" encrypted="YES ">', True),
        ('<data xmlns="http://www.opendatakit.org/xforms/encrypted" id="f" encrypted="no">', False),
        ('<data xmlns="http://www.opendatakit.org/xforms/encrypted" id="f">', False),
        ('<data id="f" encrypted="yes">', False),
    ],
)
def test_an_envelope_is_known_by_its_namespace_and_its_word(root: str, encrypted: bool):
    assert read(f"{root}{META}</data>").encrypted is encrypted


def test_the_fingerprint_is_of_the_exact_bytes():
    first, second = (f'<data id="f">{space}{META}</data>'.encode() for space in ("", " "))

    assert instance.read(first).fingerprint == hashlib.sha256(first).hexdigest()
    assert instance.read(first).fingerprint != instance.read(second).fingerprint
