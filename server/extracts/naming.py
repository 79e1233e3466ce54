"""Naming: what tables, columns and files of an extract are called."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Final, Literal

from server.extracts.questions import Asked, Question

_ENGLISH: Final = re.compile(r"\(en([-_]\w+)?\)|^(en|eng|english|ingl[eé]s)\b", re.IGNORECASE)
_UNFIT: Final = re.compile(r'[\\/:*?"<>|\x00-\x1f]')


def words_of(language: str | None) -> Literal["es", "en"]:
    """In which language the program speaks beside texts in a language of the form, such as `English (en)`."""
    return "en" if language is not None and _ENGLISH.search(language) else "es"


def question_names(asked: Sequence[Question], *, groups: bool, below: str) -> dict[int, str]:
    """The name of each question, by the id of its column; no two alike, upper and lower case taken together.

    With `groups` it is the path below the table `below` (`group-question`), else the question's own name: of several with
    one name the one that the form has had longest keeps it, the others have their path. So no new version of the form gives
    another name to what was there.
    """
    names: dict[int, str] = {}
    taken: set[str] = set()
    for question in sorted(asked, key=lambda question: question.column.id):
        path = question.path.removeprefix(f"{below}/").strip("/").replace("/", "-")
        wishes = [] if groups else [question.entry.name]
        name = _free([*wishes, path, f"{path}-{question.column.type}"], taken)
        taken.add(name.lower())
        names[question.column.id] = name
    return names


def unlike(names: Iterable[str]) -> list[str]:
    """The same names, those that came before with a number."""
    taken: set[str] = set()
    told = []
    for name in names:
        told.append(_free([name], taken))
        taken.add(told[-1].lower())
    return told


def table_name(asked: Asked, path: str) -> str:
    """`form` or `form-repeat`, a number behind repeats of one name (`form-repeat~1`), as ODK Central names its files."""
    base = file_name(asked.form_id)
    if path == "":
        return base
    names = [repeat.rpartition("/")[2] for repeat in asked.repeats]
    own = path.rpartition("/")[2]
    if Counter(names)[own] == 1:
        return f"{base}-{own}"
    number = [repeat for repeat in asked.repeats if repeat.rpartition("/")[2] == own].index(path) + 1
    return f"{base}-{own}~{number}"


def file_name(name: str) -> str:
    """`name` as a file may be called on any system."""
    return _UNFIT.sub("_", name).strip(". ") or "form"


def _free(wishes: Sequence[str], taken: Collection[str]) -> str:
    for wish in wishes:
        if wish.lower() not in taken:
            return wish
    number = 2
    while f"{wishes[-1]}_{number}".lower() in taken:
        number += 1
    return f"{wishes[-1]}_{number}"
