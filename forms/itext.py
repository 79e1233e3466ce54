"""Itext: the texts of a form in its languages, and the media that stand beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from forms.schema import Texts
from forms.xml import local_name

_CALL: Final = re.compile(r"""\s*jr:itext\(\s*(['"])(.*)\1\s*\)\s*""", re.DOTALL)
_TEXT_FORMS: Final = ("", "long", "short")
"""Forms of a <value> that can be the text, the best first. `guidance` is for training, `image` and the like are media."""


@dataclass(frozen=True, kw_only=True)
class Itext:
    """What the form's <itext> holds.

    `texts` maps a text's id to its text per language. `media` are (form, URI) such as ("image", "jr://images/a.png"), in the
    order of the document. A single language called `default`, pyxform's name for a form without languages, is no
    language: its texts have the key "".
    """

    languages: tuple[str, ...] = ()
    default_language: str | None = None
    texts: dict[str, dict[str, str]] = field(default_factory=dict)
    media: tuple[tuple[str, str], ...] = ()

    def written(self, words: str | None) -> Texts:
        """What an attribute like jr:constraintMsg says: `jr:itext('id')`, or the text itself."""
        if not words:
            return {}
        call = _CALL.fullmatch(words)
        return self.texts.get(call[2], {}) if call else {"": words.strip()}

    def shown(self, element: etree._Element | None) -> Texts:
        """What a <label> or <hint> says: by its `ref`, or else by its content."""
        if element is None:
            return {}
        call = _CALL.fullmatch(element.get("ref") or "")
        if call and call[2] in self.texts:
            return self.texts[call[2]]
        text = text_of(element)
        return {"": text} if text else {}


def read(model: etree._Element) -> Itext:
    """The itext of `model`; an empty one where there is none.

    The default language is the translation marked `default`, else the first (as in JavaRosa).
    """
    translations = [
        translation for itext in model.iterchildren("{*}itext") for translation in itext.iterchildren("{*}translation")
    ]
    languages = list(dict.fromkeys(_language(translation) for translation in translations))
    marked = next((_language(t) for t in translations if t.get("default") is not None), None)
    nameless = languages == ["default"]
    texts: dict[str, dict[str, str]] = {}
    media: list[tuple[str, str]] = []
    for translation in translations:
        language = "" if nameless else _language(translation)
        for entry in translation:
            identity = entry.get("id")
            if identity is None:
                continue
            text = _read_entry(entry, media)
            if text:
                texts.setdefault(identity, {}).setdefault(language, text)
    if nameless:
        languages = []
    return Itext(
        languages=tuple(languages),
        default_language=(marked or languages[0]) if languages else None,
        texts=texts,
        media=tuple(media),
    )


def text_of(element: etree._Element) -> str:
    """The text of a label, ends trimmed. An <output value="/data/name"/> in it reads `{/data/name}`."""
    if not len(element):
        return (element.text or "").strip()
    return "".join(_parts(element)).strip()


def _parts(element: etree._Element) -> Iterable[str]:
    yield element.text or ""
    for child in element:
        if local_name(child) == "output":
            yield "{" + (child.get("value") or child.get("ref") or "").strip() + "}"
        else:
            yield from _parts(child)
        yield child.tail or ""


def _language(translation: etree._Element) -> str:
    return (translation.get("lang") or "").strip() or "default"


def _read_entry(entry: etree._Element, media: list[tuple[str, str]]) -> str:
    if len(entry) == 1 and not entry[0].attrib:
        return text_of(entry[0])
    by_form: dict[str, str] = {}
    for value in entry:
        form = (value.get("form") or "").strip()
        text = text_of(value)
        if form in _TEXT_FORMS:
            by_form.setdefault(form, text)
        elif form != "guidance":
            media.append((form, text))
    return next((by_form[form] for form in _TEXT_FORMS if by_form.get(form)), "")
