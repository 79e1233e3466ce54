"""The library: the workbooks that come with the programme, and the files that they need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Final

_MEDIA: Final[Mapping[str, tuple[str, ...]]] = {
    "hh_baseline": ("corregimientos.csv", "clusters.csv"),
    "ben_registration": ("corregimientos.csv", "households.csv", "beneficiaries.csv"),
    "ben_followup": ("beneficiaries.csv",),
    "inst_assessment": ("institutions.csv",),
}
ENTITY_LISTS: Final = frozenset({"households.csv", "beneficiaries.csv", "institutions.csv"})
"""The media that are entity lists: in the library they hold their header only, so that the forms open without data."""


@dataclass(frozen=True, slots=True)
class Bundled:
    """One workbook of the library: its form_id, its .xlsx, and the files to attach to it under their own names.

    The files read like paths: `workbook.name`, `workbook.read_bytes()`.
    """

    name: str
    workbook: Traversable
    media: tuple[Traversable, ...]


def bundled() -> tuple[Bundled, ...]:
    """The workbooks of the library, in the order in which a programme uses them. README.md says what each one is."""
    folder = resources.files(__name__)
    return tuple(
        Bundled(name, folder / f"{name}.xlsx", tuple(folder / medium for medium in media))
        for name, media in _MEDIA.items()
    )


def logframe() -> Traversable:
    """The demonstration logframe: a workbook that declares 28 indicators, and their parts, over the bundled forms."""
    return resources.files(__name__) / "logframe.xlsx"
