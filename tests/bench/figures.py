"""Figures: what a benchmark found, and how it is shown."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number. `at_least` and `at_most` are the goal where there is one; `note` says what the number means."""

    program: str
    database: str
    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none."""
        if self.at_least is None and self.at_most is None:
            return None
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )

    @property
    def goal(self) -> str:
        """The goal in words, empty where there is none."""
        if self.met is None:
            return ""
        said = [f"≥ {self.at_least:g}"] if self.at_least is not None else []
        said += [f"≤ {self.at_most:g}"] if self.at_most is not None else []
        return f"{' and '.join(said)}  {'✓' if self.met else '✗'}"


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios of runs that stood side by side: what slows one down slows its neighbour too."""
    return statistics.median(our / their for our, their in zip(ours, theirs, strict=True))


def percentile(values: Sequence[float], hundredths: float) -> float:
    """The smallest value that so many hundredths of all values do not exceed; 0 where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * hundredths / 100))] if ordered else 0.0


def table(figures: Iterable[Figure]) -> str:
    """The figures as text, one line each, under a title per program and database."""
    lines: list[str] = []
    for (program, database), group in groupby(figures, key=lambda figure: (figure.program, figure.database)):
        rows = [
            (figure.name, _number(figure.value), figure.unit, " — ".join(filter(None, (figure.goal, figure.note))))
            for figure in group
        ]
        name, value, unit = (max(len(row[column]) for row in rows) for column in range(3))
        lines += ["", f"── {program}, {database}"]
        lines += [f"  {row[0]:<{name}}  {row[1]:>{value}} {row[2]:<{unit}}  {row[3]}".rstrip() for row in rows]
    return "\n".join(lines)


def write_json(file: Path, figures: Iterable[Figure], about: dict[str, object]) -> None:
    """The figures and what is known of the machine, for comparing runs."""
    told = {"about": about, "figures": [asdict(figure) | {"met": figure.met} for figure in figures]}
    file.write_text(json.dumps(told, ensure_ascii=False, indent=2), encoding="utf-8")


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
