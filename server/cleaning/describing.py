"""Describing: what a rule found in a row, as the flag that there should be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Final

from server.cleaning.rules import Kind, Rule
from server.model.cleaning import Found

Measured = Mapping[str, Any]
"""By name what was measured in a row; answers that the flag shows begin with `=`, longitudes of points with `+`."""


def describe(rule: Rule, submission_id: int, row_key: str, measured: Measured) -> Found:
    """The flag. Its `text` speaks of this record's answers only, so that it is the same while these are; `details` hold the
    kind and the numbers that the message says."""
    text, details = _DESCRIBERS[rule.kind](rule, measured)
    return Found(
        submission_id=submission_id,
        check=rule.check,
        row_key=row_key,
        path=rule.path,
        text=text,
        severity=rule.severity,
        details={"kind": rule.kind, **details},
    )


def written(value: Any) -> str | None:
    """A value as people read it: numbers without a needless point, moments in UTC; None for a blank."""
    if value is None or value == "":
        return None
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def shown(measured: Measured) -> dict[str, str | None]:
    """The answers that a flag shows, by question; of a point latitude and longitude."""
    answers = {name[1:]: written(value) for name, value in measured.items() if name.startswith("=")}
    for name, value in measured.items():
        if name.startswith("+") and value is not None:
            answers[name[1:]] = f"{answers[name[1:]]} {written(value)}"
    return answers


def _when(_: Rule, measured: Measured) -> tuple[str | None, dict[str, Any]]:
    answers = shown(measured)
    if len(answers) == 1:
        return next(iter(answers.values())), {"answers": answers}
    text = "; ".join(f"{name}={text if text is not None else ''}" for name, text in answers.items())
    return text or None, {"answers": answers}


def _clock(rule: Rule, measured: Measured) -> tuple[str | None, dict[str, Any]]:
    """The worst of what is wrong: ahead of the receipt, before the survey, the end before the start."""
    said = {name[1:]: value for name, value in measured.items() if name.startswith("=") and value is not None}
    received: datetime = measured["received"]
    about: dict[str, Any] = {"received": written(received), **shown(measured)}
    if measured["ahead"]:
        latest = max(said.values(), key=_moment)
        return written(latest), {"wrong": "ahead", "hours": _hours(_moment(latest) - received), **about}
    if measured["early"]:
        since = rule.since.isoformat() if rule.since is not None else None
        return written(min(said.values(), key=_moment)), {"wrong": "early", "since": since, **about}
    return written(said["end"]), {"wrong": "backwards", "hours": _hours(said["start"] - said["end"]), **about}


def _duration(rule: Rule, measured: Measured) -> tuple[str | None, dict[str, Any]]:
    minutes = round(float(measured["minutes"]), 1)
    about = {"minutes": minutes, "minimum": rule.minimum, "maximum": rule.maximum}
    return written(minutes), {**about, "logged": bool(measured["logged"])}


def _speeding(rule: Rule, measured: Measured) -> tuple[str | None, dict[str, Any]]:
    seconds = round(float(measured["seconds"]), 2)
    return written(seconds), {"seconds": seconds, "minimum": rule.minimum, "screens": measured["screens"]}


def _gps_missing(_: Rule, __: Measured) -> tuple[str | None, dict[str, Any]]:
    return None, {}


def _gps_imprecise(rule: Rule, measured: Measured) -> tuple[str | None, dict[str, Any]]:
    metres = round(float(measured["metres"]), 1)
    return written(metres), {"metres": metres, "maximum": rule.maximum}


def _gps_outside(rule: Rule, measured: Measured) -> tuple[str | None, dict[str, Any]]:
    text = f"{written(measured['latitude'])} {written(measured['longitude'])}"
    if measured.get("beyond"):
        return text, {"wrong": "area", "within": list(rule.box)}
    kilometres = round(math.sqrt(measured["squared"]), 1)
    return text, {"wrong": "place", "place": measured["place"], "kilometres": kilometres, "maximum": rule.maximum}


def _straight_lining(rule: Rule, measured: Measured) -> tuple[str | None, dict[str, Any]]:
    return written(measured["answer"]), {"answered": measured["answered"], "items": len(rule.shown)}


def _outlier(rule: Rule, measured: Measured) -> tuple[str | None, dict[str, Any]]:
    return written(measured["value"]), {
        "median": measured["middle"],
        "deviations": round(abs(measured["value"] - measured["middle"]) / measured["spread"], 1)
        if measured["spread"]
        else None,
        "maximum": rule.maximum,
    }


def _moment(value: date) -> datetime:
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)


def _hours(between: Any) -> float:
    return round(float(between.total_seconds()) / 3600, 1)


_DESCRIBERS: Final[Mapping[Kind, Callable[[Rule, Measured], tuple[str | None, dict[str, Any]]]]] = {
    "when": _when,
    "clock": _clock,
    "duration": _duration,
    "speeding": _speeding,
    "gps_missing": _gps_missing,
    "gps_imprecise": _gps_imprecise,
    "gps_outside": _gps_outside,
    "straight_lining": _straight_lining,
    "outlier": _outlier,
}
