"""Figures: what actions give of indicators, as JSON objects and as lines of CSV with the same values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from server.actions.indicators import Described, Figures, Listed, Page
from server.api.lines import csv_of, flat
from server.api.schemas.indicators import FIGURE, DescribedSchema, IndicatorSchema, RecordSchema, figure
from server.api.schemas.wording import moment, sentence, texts
from server.indicators.asking import Request
from server.indicators.catalogue import Catalogue
from server.indicators.splits import split_of
from server.indicators.values import Values

_LISTED: Final = (
    *("name", "version", "since", "label_es", "label_en", "definition_es", "definition_en", "type", "form", "over"),
    *("unit_es", "unit_en", "direction", "decimals", "result", "disaggregate", "period", "accumulate", "minimumN"),
    *("reference", "responsible", "waits_es", "waits_en", "broken_es", "broken_en", "uncomputed"),
)
_RECORD: Final = (
    *("form", "instanceId", "key", "row", "day", "identifier", "group", "numerator", "denominator", "weight"),
    "excluded",
)


def indicators(listed: Sequence[Listed]) -> list[dict[str, Any]]:
    """The list of indicators."""
    schema = IndicatorSchema()
    return [_plain(schema.dump(one)) for one in listed]


def indicators_csv(listed: Sequence[Listed]) -> bytes:
    """The same, a line each."""
    lines = []
    for record in indicators(listed):
        wrong = record["broken"]
        broken = {language: " · ".join(one[language] for one in wrong) for language in ("es", "en")} if wrong else {}
        count = record["uncomputed"]["records"] if record["uncomputed"] else None
        told = {**record, "broken": broken, "uncomputed": count, "disaggregate": " ".join(record["disaggregate"])}
        lines.append(flat(told, "label", "definition", "unit", "waits", "broken"))
    return csv_of(_LISTED, lines)


def indicator(described: Described) -> dict[str, Any]:
    """One indicator with its row, categories and earlier versions."""
    (listed,) = indicators([described.listed])
    return {**listed, **_plain(DescribedSchema().dump(described))}


def values(figures: Figures, request: Request) -> list[dict[str, Any]]:
    """The figures of each indicator that has some."""
    return [_of_indicator(figures, one, request) for one in figures.values]


def unavailable(figures: Figures) -> list[dict[str, Any]]:
    """The indicators without figures, each with the reason."""
    return [{"indicator": name, "reason": sentence(reason)} for name, reason in figures.unavailable.items()]


def values_csv(figures: Figures, request: Request) -> bytes:
    """A line for each figure; the categories of `by` are in columns `by.NAME`."""
    columns = (
        *(
            "indicator",
            "version",
            "label_es",
            "label_en",
            "type",
            "unit_es",
            "unit_en",
            "period",
            "place",
            "cumulative",
        ),
        *(f"by.{name}" for name in request.by),
        *("value", "n", "numerator", "denominator", "excluded", "se", "low", "high", "df", "note_es", "note_en"),
        *(name for name in FIGURE[FIGURE.index("baseline") :]),
    )
    lines = []
    for of_indicator in values(figures, request):
        about = flat({name: of_indicator[name] for name in ("indicator", "version", "type", "place", "cumulative")})
        about |= flat({name: of_indicator[name] for name in ("label", "unit")}, "label", "unit")
        for one in of_indicator["values"]:
            categories = {f"by.{name}": code for name, code in one["categories"].items()}
            lines.append({**about, **categories, **flat(one, "note")})
    return csv_of(columns, lines)


def records(page: Page) -> list[dict[str, Any]]:
    """The records of a page."""
    schema = RecordSchema()
    return [{"form": page.form_id, **_plain(schema.dump(one))} for one in page.records]


def records_csv(page: Page, request: Request) -> bytes:
    """The same, a line each; the categories of `by` are in columns `by.NAME`."""
    columns = (*_RECORD[:6], *(f"by.{name}" for name in request.by), *_RECORD[6:])
    lines = [{**one, **{f"by.{name}": code for name, code in one["categories"].items()}} for one in records(page)]
    return csv_of(columns, lines)


def _of_indicator(figures: Figures, one: Values, request: Request) -> dict[str, Any]:
    catalogue, indicator, asked = figures.catalogue, one.kept.record, one.asked
    uncomputed = figures.uncomputed.get(indicator.name)
    axes = tuple(axis.name for axis in asked.axes) if asked is not None else request.by
    changed = max((each.changed for each in one.figures if each.changed is not None), default=None)
    return {
        "indicator": indicator.name,
        "version": one.kept.version,
        "since": moment(one.kept.since),
        "type": indicator.type,
        "label": texts(indicator.label),
        "unit": texts(indicator.unit),
        "decimals": indicator.decimals,
        "direction": indicator.direction,
        "by": list(axes),
        "labels": _labels(catalogue, one),
        "place": request.place,
        "cumulative": asked.cumulative if asked is not None else None,
        "counting": catalogue.project.counting,
        "undated": one.undated,
        "uncomputed": uncomputed.count if uncomputed is not None else 0,
        "changed": moment(changed) if changed is not None else None,
        "values": [figure(each, axes) for each in one.figures],
    }


def _labels(catalogue: Catalogue, one: Values) -> dict[str, dict[str, dict[str, str]]]:
    """By axis and code, how people read the categories that the figures have."""
    if one.asked is None:
        return {}
    resolved = catalogue.resolved[one.kept.record.name]
    found: dict[str, dict[str, dict[str, str]]] = {}
    for number, axis in enumerate(one.asked.axes):
        there = {each.categories[number] for each in one.figures}
        known = split_of(catalogue, resolved, axis).categories
        found[axis.name] = {each.code: texts(each.label) for each in known if each.code in there and each.label}
    return found


def _plain(dumped: Any) -> dict[str, Any]:
    """What a schema gave."""
    return dict(dumped)
