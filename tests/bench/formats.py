"""formats: rows per second and memory of an extract in each format, from the command line."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.bench import surveys
from tests.bench.extract import REPEATS, command, fill
from tests.bench.figures import Figure
from tests.bench.installation import Databases, Installation, install, tejido

NAME: Final = "formats"
_SIZES: Final = (20_000, 100_000)
_QUICK: Final = (1_000, 3_000)
_MOST_MEMORY: Final = 300.0
_FLAT: Final = 1.25  # memory at the larger size over memory at the smaller
_FILES: Final = {
    "CSV, all tables": ("a.csv.zip", ()),
    "CSV, joined": ("a.csv", ("--join", "miembro")),
    "XLSX": ("a.xlsx", ()),
    "Parquet": ("a.parquet.zip", ()),
    "Stata": ("a.dta.zip", ()),
    "SPSS": ("a.sav.zip", ()),
    "GeoJSON": ("a.geojson", ()),
}


def measure(databases: Databases, engine: str, folder: Path, *, quick: bool) -> Iterator[Figure]:
    """Each format at two sizes; every submission has three rows of a repeat."""
    asked = surveys.survey("hogares", repeats=True)
    with databases.fresh(engine, folder / "tejido.sqlite3") as url:
        installed = install(folder / "data", url, [asked])
        held = 0
        most: dict[str, float] = {}
        for size in _QUICK if quick else _SIZES:
            fill(installed, asked, size - held)
            held = size
            for name, (file, options) in _FILES.items():
                out = folder / file
                seconds, peak = command(_words(asked, installed, out, options), installed)
                rows = _rows(name, size)
                note = f"{seconds:.1f} s, {out.stat().st_size / 1_000_000:.0f} MB"
                yield _figure(engine, f"{size:,}: {name}", rows / seconds, "rows/s", note=note)
                yield _figure(engine, f"{size:,}: {name}, memory at its most", peak, "MB", at_most=_MOST_MEMORY)
                if name in most:
                    yield _figure(engine, f"{name}: growth of memory", peak / most[name], "×", at_most=_FLAT)
                most[name] = peak
                _check(out, size)
                out.unlink()


def _words(asked: surveys.Survey, installed: Installation, out: Path, options: tuple[str, ...]) -> list[str]:
    project = str(installed.project_id)
    return tejido("extract", asked.form_id, "--project", project, "--out", str(out), *options)


def _rows(name: str, size: int) -> int:
    if name == "CSV, joined":
        return size * REPEATS
    return size if name == "GeoJSON" else size * (1 + REPEATS)


def _check(out: Path, size: int) -> None:
    """The file is whole: what cannot be counted quickly is opened at least."""
    if out.suffix == ".zip":
        with zipfile.ZipFile(out) as held:
            if len(held.namelist()) < 4:
                raise RuntimeError(f"{out.name} holds {held.namelist()}")
            if out.name == "a.csv.zip":
                lines = sum(1 for _ in held.open(held.namelist()[0])) - 1
                if lines != size:
                    raise RuntimeError(f"{out.name} holds {lines} rows")
    elif out.suffix == ".csv":
        with out.open("rb") as file:
            lines = sum(1 for _ in file) - 1
        if lines != size * REPEATS:
            raise RuntimeError(f"{out.name} holds {lines} rows")


def _figure(engine: str, name: str, value: float, unit: str, *, at_most: float | None = None, note: str = "") -> Figure:
    return Figure(program=NAME, database=engine, name=name, value=value, unit=unit, at_most=at_most, note=note)
