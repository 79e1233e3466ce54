"""Reporting periods: months, quarters, semesters and years, as people write, ask for and read them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal, get_args

from forms.problems import Sentence

PeriodKind = Literal["month", "quarter", "semester", "year"]
KINDS: Final[tuple[PeriodKind, ...]] = get_args(PeriodKind)
"""From the narrowest to the widest."""
WHOLE: Final = "all"
"""What a request says that wants no split by period."""
MOST: Final = 1200
"""How many periods one request may name: the months of a century."""

MONTHS: Final[Mapping[PeriodKind, int]] = {"month": 1, "quarter": 3, "semester": 6, "year": 12}
"""How many months a period has."""
_WRITTEN: Final = re.compile(r"(?P<year>[0-9]{4})(?:-(?:(?P<letter>[QqSs])(?P<part>[0-9])|(?P<month>[0-9]{2})))?")
_MONTH_NAMES: Final = (
    Sentence("enero", "January"), Sentence("febrero", "February"), Sentence("marzo", "March"),
    Sentence("abril", "April"), Sentence("mayo", "May"), Sentence("junio", "June"),
    Sentence("julio", "July"), Sentence("agosto", "August"), Sentence("septiembre", "September"),
    Sentence("octubre", "October"), Sentence("noviembre", "November"), Sentence("diciembre", "December"),
)  # fmt: skip
_ORDINALS: Final = (
    Sentence("primer", "First"), Sentence("segundo", "Second"), Sentence("tercer", "Third"),
    Sentence("cuarto", "Fourth"),
)  # fmt: skip
_RIGHT: Final = Sentence(
    "escriba un año (2026), un semestre (2026-S1), un trimestre (2026-Q3) o un mes (2026-05)",
    "write a year (2026), a semester (2026-S1), a quarter (2026-Q3) or a month (2026-05)",
)
_TWO_ENDS: Final = Sentence(
    "un intervalo tiene dos extremos: 2026-Q1..2026-Q4", "a span has two ends: 2026-Q1..2026-Q4"
)


class PeriodError(ValueError):
    """A text that names no period; `sentence` says what is wrong and what would be right."""

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(sentence.en)
        self.sentence = sentence


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A period of the calendar. `index` counts whole periods of its kind since the beginning of a year 0.

    A month's index is year × 12 + month − 1; the quarter, semester and year that hold it have that index divided by
    3, 6 and 12, rounded down. Only the years 1 to 9999 exist: ValueError. Periods of one kind sort by time.
    """

    kind: PeriodKind
    index: int

    def __post_init__(self) -> None:
        if not 1 <= self.year <= 9999:
            raise ValueError(f"no {self.kind} {self.index}: years go from 1 to 9999")

    @property
    def months(self) -> range:
        """The indices of its months."""
        length = MONTHS[self.kind]
        return range(self.index * length, (self.index + 1) * length)

    @property
    def year(self) -> int:
        """The year that holds it."""
        return self.index * MONTHS[self.kind] // 12

    @property
    def number(self) -> int:
        """Which of its kind it is within its year, from 1."""
        return self.index % (12 // MONTHS[self.kind]) + 1

    @property
    def code(self) -> str:
        """As it is written: `2026-05`, `2026-Q3`, `2026-S1`, `2026`."""
        return (
            f"{self.year:04d}"
            + {
                "month": f"-{self.number:02d}",
                "quarter": f"-Q{self.number}",
                "semester": f"-S{self.number}",
                "year": "",
            }[self.kind]
        )

    @property
    def first(self) -> date:
        """Its first day."""
        return _first_of(self.months.start)

    @property
    def last(self) -> date:
        """Its last day."""
        if self.months.stop == 10_000 * 12:
            return date.max
        return _first_of(self.months.stop) - timedelta(days=1)

    @property
    def parent(self) -> Period | None:
        """The period of the next wider kind that holds it; None for a year."""
        wider = KINDS.index(self.kind) + 1
        return self.as_kind(KINDS[wider]) if wider < len(KINDS) else None

    def contains(self, other: Period) -> bool:
        """Whether every day of `other` is one of its own."""
        return self.months.start <= other.months.start and other.months.stop <= self.months.stop

    def as_kind(self, kind: PeriodKind) -> Period:
        """The period of `kind` that holds this one; raises ValueError where `kind` is narrower."""
        if MONTHS[kind] < MONTHS[self.kind]:
            raise ValueError(f"{self.code} lies in no {kind}")
        return Period(kind, self.months.start // MONTHS[kind])

    def parts(self, kind: PeriodKind) -> tuple[Period, ...]:
        """The periods of `kind` that make it up, in order; raises ValueError where `kind` is wider."""
        if MONTHS[kind] > MONTHS[self.kind]:
            raise ValueError(f"{self.code} is made of no {kind}")
        months = self.months[:: MONTHS[kind]]
        return tuple(Period(kind, month // MONTHS[kind]) for month in months)


def of_day(day: date, kind: PeriodKind) -> Period:
    """The period of `kind` in which `day` lies."""
    return Period(kind, (day.year * 12 + day.month - 1) // MONTHS[kind])


def parse(text: str) -> Period:
    """The period that `text` names, as `Period.code` writes it (spaces around it and small letters do no harm).

    Raises PeriodError.
    """
    written = _WRITTEN.fullmatch(text.strip())
    if written is None:
        raise _unknown(text, _RIGHT)
    year = int(written["year"])
    if year == 0:
        raise _unknown(text, Sentence("los años van de 0001 a 9999", "years go from 0001 to 9999"))
    if written["month"]:
        return Period("month", year * 12 + _part(text, int(written["month"]), "month"))
    if written["letter"]:
        kind: PeriodKind = "quarter" if written["letter"] in "Qq" else "semester"
        return Period(kind, year * (12 // MONTHS[kind]) + _part(text, int(written["part"]), kind))
    return Period("year", year)


def between(first: Period, last: Period) -> tuple[Period, ...]:
    """Every period from `first` to `last`, both included: two of one kind, in order. Raises PeriodError."""
    span = f"{first.code}..{last.code}"
    if first.kind != last.kind:
        raise PeriodError(
            Sentence(
                f"«{span}» une dos clases de período; los dos extremos deben ser de la misma: 2026-Q1..2026-Q4.",
                f"“{span}” joins two kinds of period; both ends must be of one kind: 2026-Q1..2026-Q4.",
            )
        )
    if last < first:
        raise PeriodError(
            Sentence(
                f"«{span}» acaba antes de empezar; escriba {last.code}..{first.code}.",
                f"“{span}” ends before it begins; write {last.code}..{first.code}.",
            )
        )
    return tuple(Period(first.kind, index) for index in range(first.index, last.index + 1))


def parse_request(text: str) -> PeriodKind | tuple[Period, ...]:
    """The periods that a request asks for.

    `quarter` (a kind: every period of it that has data) gives the kind; `2026-Q1`, `2026-Q1..2026-Q4`,
    `2026-Q1,2026-Q3` and mixtures of them give those periods, each once, in the order asked for; `all` (no split by
    period) gives (). Raises PeriodError.
    """
    asked = text.strip()
    for kind in KINDS:
        if asked.lower() == kind:
            return kind
    if asked.lower() == WHOLE:
        return ()
    found: dict[Period, None] = {}
    for part in asked.split(","):
        ends = part.split("..")
        if len(ends) > 2:
            raise _unknown(part, _TWO_ENDS)
        first, last = _asked(ends[0]), _asked(ends[-1])
        if last.index - first.index < MOST:
            found.update(dict.fromkeys(between(first, last)))
        if last.index - first.index >= MOST or len(found) > MOST:
            raise PeriodError(
                Sentence(
                    f"«{asked}» son más de {MOST} períodos; pida menos, o de una clase más amplia.",
                    f"“{asked}” is more than {MOST} periods; ask for fewer, or for wider ones.",
                )
            )
    return tuple(found)


def label(period: Period, language: str) -> str:
    """The period in words: "mayo de 2026", "tercer trimestre de 2026"; in English "May 2026", "Third quarter of 2026"."""
    if period.kind == "year":
        return str(period.year)
    if period.kind == "month":
        name = _MONTH_NAMES[period.number - 1]
        return Sentence(f"{name.es} de {period.year}", f"{name.en} {period.year}").say(language)
    ordinal = _ORDINALS[period.number - 1]
    noun = Sentence("trimestre", "quarter") if period.kind == "quarter" else Sentence("semestre", "half")
    return Sentence(
        f"{ordinal.es} {noun.es} de {period.year}",
        f"{ordinal.en} {noun.en} of {period.year}",
    ).say(language)


def _first_of(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def _part(text: str, number: int, kind: PeriodKind) -> int:
    """`number` counted from 0, where a year has so many of `kind`."""
    most = 12 // MONTHS[kind]
    if not 1 <= number <= most:
        ways: Mapping[PeriodKind, Sentence] = {
            "month": Sentence("los meses van de 01 a 12", "months go from 01 to 12"),
            "quarter": Sentence("los trimestres van de Q1 a Q4", "quarters go from Q1 to Q4"),
            "semester": Sentence("los semestres son S1 y S2", "semesters are S1 and S2"),
        }
        raise _unknown(text, ways[kind])
    return number - 1


def _asked(text: str) -> Period:
    """One period of a request, where more could have been meant."""
    try:
        return parse(text)
    except PeriodError as error:
        if _WRITTEN.fullmatch(text.strip()):
            raise
        raise _unknown(
            text,
            Sentence(
                _RIGHT.es + ", varios con comas, un intervalo (2026-Q1..2026-Q4), una clase (month, quarter, "
                "semester, year) o all",
                _RIGHT.en + ", several with commas, a span (2026-Q1..2026-Q4), a kind (month, quarter, semester, "
                "year) or all",
            ),
        ) from error


def _unknown(text: str, right: Sentence) -> PeriodError:
    return PeriodError(
        Sentence(f"«{text.strip()}» no es un período: {right.es}.", f"“{text.strip()}” is no period: {right.en}.")
    )
