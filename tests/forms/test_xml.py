"""XML from strangers: what is refused, what is mended, what is read as it is."""

from __future__ import annotations

import pytest

from forms import xml
from forms.problems import Problem


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"<a>x</a>", "x"),
        ("<a>ñ 😀</a>".encode(), "ñ 😀"),
        (b"\xef\xbb\xbf<a>x</a>", "x"),
        ('<?xml version="1.0" encoding="ISO-8859-1"?><a>ñ</a>'.encode("latin-1"), "ñ"),
        ('<?xml version="1.0" encoding="UTF-16"?><a>ñ</a>'.encode("utf-16"), "ñ"),
        (b"<a>1<!-- no -->2</a>", "12"),
        (b"<a>1<?pi no?>2</a>", "12"),
        (b"<a><![CDATA[<b>&amp;]]></a>", "<b>&amp;"),
        (b"<a>1<![CDATA[2]]>3</a>", "123"),
        (b"<a>&#64;&lt;&#x1F600;</a>", "@<😀"),
        (b"<a>1\r\n2\r3\t4</a>", "1\n2\n3\t4"),
        (b"<a>1&#13;2</a>", "1\r2"),
        (b"<a>1&#29;2&#x0B;3&#0;4</a>", "1234"),
        (b"<a>1\x002\x1d3\x7f4</a>", "123\x7f4"),
        (b"<a>1&#xD800;2&#xFFFE;3&#x110000;4</a>", "1234"),
    ],
)
def test_text_is_read(data: bytes, text: str):
    assert xml.parse(data).text == text


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"x",
        b"<a>",
        b"<a></b>",
        b"<a/><b/>",
        b"<a x=1/>",
        b"<a>&nbsp;</a>",
        b"<a>\xff</a>",
        b"<!DOCTYPE a><a/>",
        b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>',
        b'<!doctype a SYSTEM "file:///etc/passwd"><a/>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>'.encode("utf-16"),
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><a/>'.encode("utf-16"),
        b'<?xml version="1.0" encoding="nada"?><a/>',
        b"<a>" * 300 + b"</a>" * 300,
    ],
)
def test_what_is_not_plain_xml_is_refused(data: bytes):
    with pytest.raises(Problem) as refused:
        xml.parse(data)

    assert refused.value.code == 400.1
    assert refused.value.details["reason"]


def test_a_name_is_read_without_its_namespace():
    root = xml.parse(b'<a xmlns="urn:a" xmlns:b="urn:b"><b:c/></a>')

    assert [xml.local_name(element) for element in root.iter()] == ["a", "c"]
