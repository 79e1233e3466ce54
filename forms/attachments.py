"""Attachments: the files that a form needs beside it on the phone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from lxml import etree

from forms.media import same_name
from forms.problems import Finding, Sentence
from forms.schema import ExpectedAttachment, SecondaryInstance
from forms.xml import local_name

Kind = Literal["image", "audio", "video", "file"]

_URI: Final = re.compile(r"jr://([^/\s]+)/(?:.*/)?([^/]+)")
_KINDS_OF_FORMS: Final[dict[str, Kind]] = {"image": "image", "big-image": "image", "audio": "audio", "video": "video"}
_KINDS_OF_FOLDERS: Final[dict[str, Kind]] = {"images": "image", "image": "image", "audio": "audio", "video": "video"}
_PULLDATA: Final = re.compile(r"""\bpulldata\s*\(\s*(['"])(.*?)\1""")
_SEARCH: Final = re.compile(r"""(?:^|\s)search\s*\(\s*(['"])(.*?)\1""")
_WITH_PULLDATA: Final = etree.XPath("//@*[contains(., 'pulldata')]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """What a folder has for a form.

    `used` maps a file that the form needs to its name in the folder (the same but for how Unicode writes it), `unused`
    are other files of the folder, `near` maps one of them to the missing file whose name differs in capitals alone.
    """

    used: Mapping[str, str] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    near: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    def findings(self) -> tuple[Finding, ...]:
        """What is missing and what the form does not use."""
        plain = [name for name in self.unused if name not in self.near]
        unlike = [
            _finding(
                f"El formulario pide «{wanted}», pero el archivo se llama «{name}». Para el teléfono no son el mismo.",
                f"The form asks for “{wanted}”, but the file is named “{name}”. To the phone they are not the same.",
            )
            for name, wanted in self.near.items()
        ]
        listed = ", ".join(plain)
        unused = [
            Finding(
                severity="note",
                sentence=Sentence(
                    es=f"El formulario no usa estos archivos de la carpeta: {listed}.",
                    en=f"The form does not use these files of the folder: {listed}.",
                ),
            )
        ]
        gone = [name for name in self.missing if name not in self.near.values()]
        return (*unlike, *missing(gone), *(unused if plain else ()))


def match(needed: Iterable[str], given: Iterable[str], *, held: Iterable[str] = ()) -> Folder:
    """The files that a form needs against those `given` in a folder; what is `held` already is not missing."""
    wanted = list(dict.fromkeys(needed))
    by_name = {same_name(name): name for name in given}
    used = {name: by_name[same_name(name)] for name in wanted if same_name(name) in by_name}
    unused = tuple(name for name in by_name.values() if name not in used.values())
    kept = set(held)
    lost = tuple(name for name in wanted if name not in used and name not in kept)
    alike = {same_name(name).casefold(): name for name in wanted if name not in used}
    near = {name: alike[folded] for name in unused if (folded := same_name(name).casefold()) in alike}
    return Folder(used=used, unused=unused, near=near, missing=lost)


def missing(names: Iterable[str]) -> tuple[Finding, ...]:
    """A warning for each file that a form needs and that nobody gave."""
    return tuple(
        _finding(
            f"Falta el archivo «{name}», que el formulario necesita en el teléfono.",
            f"The file “{name}”, which the form needs on the phone, is missing.",
        )
        for name in names
    )


def _finding(es: str, en: str) -> Finding:
    return Finding(severity="warning", sentence=Sentence(es=es, en=en))


def expected(
    *,
    root: etree._Element,
    instances: Iterable[SecondaryInstance],
    media: Iterable[tuple[str, str]],
    defaults: Iterable[str],
) -> tuple[ExpectedAttachment, ...]:
    """Every file that the form with the XML `root` names, each name once, the first kind found for it.

    External instances (but not `jr://instance/…`, which lives on the phone), media of the texts (`media`, see Itext),
    default answers that are media (`defaults`), `itemsets.csv` where an input has a `query`, and the CSV files of
    pulldata() and of search() appearances. All of them lie in one flat folder on the phone, so the last segment of
    their URI is the name (Collect's FormUtils; ODK XForms specification, "External data").
    """
    found: dict[str, Kind] = {}
    for name, kind in _named(root, instances, media, defaults):
        found.setdefault(name, kind)
    return tuple(ExpectedAttachment(name=name, type=kind) for name, kind in found.items())


def _named(
    root: etree._Element,
    instances: Iterable[SecondaryInstance],
    media: Iterable[tuple[str, str]],
    defaults: Iterable[str],
) -> Iterator[tuple[str, Kind]]:
    for instance in instances:
        located = _located(instance.src or "")
        if located:
            yield located[1], "file"
    for form, uri in media:
        located = _located(uri)
        if located and form in _KINDS_OF_FORMS:
            yield located[1], _KINDS_OF_FORMS[form]
    for text in defaults:
        located = _located(text)
        if located:
            yield located[1], _KINDS_OF_FOLDERS.get(located[0], "file")
    for shown in root.iterchildren("{*}body"):
        for control in shown.iter("{*}input", "{*}select1", "{*}select"):
            if control.get("query") is not None:
                yield "itemsets.csv", "file"
            search = _SEARCH.search(control.get("appearance") or "")
            if search and local_name(control) != "input":
                yield from _csv(search[2])
    calling = _WITH_PULLDATA(root)
    for expression in calling if isinstance(calling, list) else ():
        for call in _PULLDATA.finditer(str(expression)):
            yield from _csv(call[2])


def _located(uri: str) -> tuple[str, str] | None:
    """Folder and file name of a jr:// URI that a server must serve."""
    match = _URI.fullmatch(uri.strip())
    if match is None or match[1] == "instance":
        return None
    return match[1], match[2]


def _csv(name: str) -> Iterator[tuple[str, Kind]]:
    bare = name.strip()
    if bare and "/" not in bare:
        yield (bare if bare.endswith(".csv") else f"{bare}.csv"), "file"
