"""Audit log: what ODK Collect writes of how a form was filled in (`audit.csv`), and what it sums up to.

Source: ODK XForms specification, "Client Audit Logs"; ODK Collect, "Form Audit Log".
"""

from __future__ import annotations

import csv
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import StringIO
from typing import Final

NAME: Final = "audit.csv"
"""The file's name beside a submission."""
PATH: Final = "/meta/audit"
"""The question that asks for it."""
QUESTION: Final = "question"
SCREEN: Final = "group questions"
_MOST_FIELD: Final = 10_000_000  # characters: old and new answers stand in the log where changes are tracked
_MOST_DIGITS: Final = 15


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the log. `start` and `end` are milliseconds since 1970, UTC, by the phone's clock; `end` None: a moment."""

    event: str
    node: str
    start: int
    end: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """What a log sums up to.

    `seconds` is how long some screen of the form was open, intervals that overlap counted once; None where no line has an
    interval. `screens` are those with questions, each counted once however often it was visited; `median_seconds` is the
    median of how long each was open in all, None where there is none.
    """

    seconds: float | None
    screens: int
    median_seconds: float | None


def read(data: bytes) -> tuple[Event, ...]:
    """The lines of a log, in order. Lines that cannot be understood are passed over, since a phone may die while it writes.

    Columns may stand in any order, and lines may be shorter than the header: Collect lengthens it within a file. Nothing is
    raised, whatever the bytes are.
    """
    text = data.decode("utf-8-sig", errors="replace").replace("\0", "")
    csv.field_size_limit(_MOST_FIELD)
    reader = csv.reader(StringIO(text, newline=""))
    events: list[Event] = []
    columns: dict[str, int] = {}
    for line in _lines(reader):
        if "event" in line and "start" in line:  # the header; written anew where columns are added
            columns = {name.strip(): at for at, name in enumerate(line)}
            continue
        found = _event(line, columns)
        if found is not None:
            events.append(found)
    return tuple(events)


def timing(events: Iterable[Event]) -> Timing:
    """See Timing. Intervals that end before they begin (the clock was set meanwhile) are left out.

    On a screen with several questions Collect may write a line for each besides that of the screen, with the same interval:
    the screen counts then, and the questions do not.
    """
    intervals = [event for event in events if event.end is not None and event.end >= event.start]
    screens = {(event.start, event.end) for event in intervals if event.event == SCREEN}
    opened: dict[str, int] = {}
    for event in intervals:
        alone = event.event == QUESTION and (event.start, event.end) not in screens
        if event.node and (alone or event.event == SCREEN):
            opened[event.node] = opened.get(event.node, 0) + (event.end or 0) - event.start
    return Timing(
        seconds=_union(intervals) / 1000 if intervals else None,
        screens=len(opened),
        median_seconds=statistics.median(opened.values()) / 1000 if opened else None,
    )


def _lines(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    while True:
        try:
            line = next(reader)
        except StopIteration:
            return
        except csv.Error:  # an answer longer than any limit
            continue
        yield line


def _event(line: list[str], columns: dict[str, int]) -> Event | None:
    def cell(name: str) -> str:
        at = columns.get(name)
        return line[at].strip() if at is not None and at < len(line) else ""

    start, end = _milliseconds(cell("start")), _milliseconds(cell("end"))
    if start is None or not cell("event"):
        return None
    return Event(cell("event"), cell("node"), start, end)


def _milliseconds(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None


def _union(intervals: Iterable[Event]) -> int:
    """Milliseconds that lie in at least one interval."""
    total, reached = 0, -1
    for event in sorted(intervals, key=lambda event: event.start):
        begin, end = max(event.start, reached), event.end or 0
        if end > begin:
            total += end - begin
            reached = end
    return total
