"""Naming: what tables, columns and files of an extract are called."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Final, Literal

from server.extracts.columns import Column
from server.extracts.questions import Asked, Question

_ENGLISH: Final = re.compile(r"\(en([-_]\w+)?\)|^(en|eng|english|ingl[eé]s)\b", re.IGNORECASE)
_STATA: Final = re.compile(
    r"_all|_b|_coef|_cons|_n|_N|_pi|_pred|_rc|_skip|alias|byte|double|float|if|in|int|long|strL|str[0-9]+|using|with"
)
"""Words that Stata keeps for itself (User's Guide, 11.3)."""
_SPSS: Final = re.compile(r"ALL|AND|BY|EQ|GE|GT|LE|LT|NE|NOT|OR|TO|WITH", re.IGNORECASE)
"""Words that SPSS keeps for itself (Command Syntax Reference, Variable Names)."""
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


def stata_names(columns: Sequence[Column]) -> list[str]:
    """Names that Stata takes: 32 letters of ASCII, digits and underscores at most, none of its own words, all different."""
    return _plain_names(columns, most=32, own=_STATA, first=re.compile(r"[A-Za-z_]"))


def spss_names(columns: Sequence[Column]) -> list[str]:
    """Names that SPSS takes: 64 letters of ASCII, digits and underscores at most, a letter first, none of its own words, all
    different whatever their case."""
    return _plain_names(columns, most=64, own=_SPSS, first=re.compile(r"[A-Za-z]"))


def _plain_names(columns: Sequence[Column], *, most: int, own: re.Pattern[str], first: re.Pattern[str]) -> list[str]:
    """Questions choose first, so that what is known of submissions gives way to them."""
    names: dict[int, str] = {}
    taken: set[str] = set()
    order = sorted(range(len(columns)), key=lambda at: columns[at].path.startswith("_"))
    for at in order:
        wish = _plain(columns[at], most)
        if not first.match(wish):
            wish = wish.lstrip("_") or "v"
            wish = wish if first.match(wish) else f"v_{wish}"[:most]
        if own.fullmatch(wish):
            wish = f"{wish[: most - 1]}_"
        name, number = wish, 1
        while name.lower() in taken:
            number += 1
            name = f"{wish[: most - len(str(number)) - 1]}_{number}"
        taken.add(name.lower())
        names[at] = name
    return [names[at] for at in range(len(columns))]


def _plain(column: Column, most: int) -> str:
    """The letters and digits of a name. Of a choice's column the choice is kept where the whole is too long."""
    name = _ascii(column.name)
    part = _ascii(column.part)
    if len(name) > most and part and name.endswith(f"_{part}") and len(part) < most // 2:
        return f"{name[: most - len(part) - 1].rstrip('_')}_{part}"
    return name[:most]


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_]", "_", plain)


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
