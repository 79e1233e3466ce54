"""The files that an instance names."""

from __future__ import annotations

import unicodedata

import pytest

from forms import instance
from forms.media import named_files, same_name

PATHS = frozenset(("/foto", "/g/voz", "/m/cara"))


def named(answers: str, root: str = '<data id="f">') -> tuple[str, ...]:
    xml = f"{root}{answers}<meta><instanceID>uuid:1</instanceID></meta></data>"
    return named_files(PATHS, instance.read(xml.encode()))


@pytest.mark.parametrize(
    ("answers", "files"),
    [
        ("", ()),
        ("<foto/>", ()),
        ("<foto> </foto>", ()),
        ("<foto>a.jpg</foto><g><voz> b.m4a </voz></g>", ("a.jpg", "b.m4a")),
        ("<m><cara>1.jpg</cara></m><m><cara>2.jpg</cara></m><m/>", ("1.jpg", "2.jpg")),
        ("<foto>a.jpg</foto><m><cara>a.jpg</cara></m>", ("a.jpg",)),
        ("<otra>x.jpg</otra><g><foto>y.jpg</foto></g>", ()),
        ("<foto>" + unicodedata.normalize("NFD", "señal.jpg") + "</foto>", ("señal.jpg",)),
    ],
)
def test_files_are_those_in_media_answers_each_once(answers: str, files: tuple[str, ...]):
    assert named(answers) == files


def test_files_of_an_envelope_are_those_it_lists():
    root = '<data xmlns="http://www.opendatakit.org/xforms/encrypted" id="f" encrypted="yes">'
    answers = "<media><file>a.jpg.enc</file></media><media><file>b.enc</file></media>"

    assert named(f"{answers}<encryptedXmlFile>submission.xml.enc</encryptedXmlFile>", root) == (
        "a.jpg.enc",
        "b.enc",
        "submission.xml.enc",
    )


def test_names_are_the_same_in_both_unicode_forms():
    assert same_name(unicodedata.normalize("NFD", "Ngäbe.jpg")) == same_name("Ngäbe.jpg") == "Ngäbe.jpg"
