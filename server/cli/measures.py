"""Figures, and what a logframe changes, as a terminal tells them: aligned, in the person's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import click

from forms.problems import Sentence
from server.actions.indicators import Figures
from server.cli import grid
from server.cli.desk import Desk
from server.indicators import masking
from server.indicators.asking import label_of
from server.indicators.catalogue import Catalogue
from server.indicators.differences import Difference, Named
from server.indicators.filling import Uncomputed
from server.indicators.splits import split_of
from server.indicators.values import Figure, Values

_HEADS: Final = Sentence(
    "valor\tn\texcluidos\tIC 95 %\tlínea base\tmeta\tavance %\tfuente",
    "value\tn\texcluded\tCI 95 %\tbaseline\ttarget\tachieved %\tsource",
)
_NONE: Final = "—"
_MOST: Final = 12
"""Names that one line lists."""
_NOUNS: Final[Mapping[str, tuple[Sentence, Sentence]]] = {
    "result": (Sentence("resultado", "result"), Sentence("resultados", "results")),
    "indicator": (Sentence("indicador", "indicator"), Sentence("indicadores", "indicators")),
    "dimension": (Sentence("desagregación", "dimension"), Sentence("desagregaciones", "dimensions")),
    "target": (
        Sentence("meta o línea de base", "target or baseline"),
        Sentence("metas o líneas de base", "targets or baselines"),
    ),
    "check": (Sentence("regla", "check"), Sentence("reglas", "checks")),
    "place": (Sentence("lugar", "place"), Sentence("lugares", "places")),
}


def tell_values(at: Desk, found: Figures) -> None:
    """A grid for each indicator; below it what must be known to read it."""
    for number, one in enumerate(found.values):
        if number:
            click.echo()
        _tell_indicator(at, found.catalogue, one)
        uncomputed = found.uncomputed.get(one.kept.record.name)
        if uncomputed is not None:
            click.echo(f"  {uncomputed_of(uncomputed).say(at.language)}")


def uncomputed_of(found: Uncomputed) -> Sentence:
    """The records of which an indicator could not be computed."""
    named = f"{', '.join(found.first)}{', …' if found.count > len(found.first) else ''}"
    if found.count == 1:
        return Sentence(
            f"1 registro no se pudo calcular y está excluido: {named}.",
            f"1 record could not be computed and is excluded: {named}.",
        )
    return Sentence(
        f"{found.count} registros no se pudieron calcular y están excluidos: {named}.",
        f"{found.count} records could not be computed and are excluded: {named}.",
    )


def tell_unavailable(at: Desk, unavailable: Mapping[str, Sentence], *, err: bool = False) -> None:
    """The indicators without figures, each with the reason."""
    if unavailable:
        click.echo(err=err)
        at.say("Sin cifras:", "Without figures:", err=err)
    for name, reason in unavailable.items():
        click.echo(f"  · {name}: {reason.say(at.language)}", err=err)


def tell_waiting(at: Desk, waiting: Mapping[str, Sentence]) -> None:
    """The indicators that cannot be computed yet."""
    if waiting:
        at.say("Esperan:", "These wait:")
    for name, reason in waiting.items():
        click.echo(f"  · {name}: {reason.say(at.language)}")


def tell_difference(at: Desk, difference: Difference) -> None:
    """What a logframe changes, a line for each way."""
    if not difference:
        at.say("Es lo mismo que ya está vigente.", "It is what is in force already.")
        return
    for named, sentence in (
        (difference.new, Sentence("nuevo", "new")),
        (difference.changed, Sentence("cambia", "changes")),
        (difference.gone, Sentence("se quita", "goes")),
    ):
        if named:
            at.say(f"  {sentence.es}: {_counted(named, 'es')}", f"  {sentence.en}: {_counted(named, 'en')}")
    if difference.unchanged:
        at.say(f"  sigue igual: {difference.unchanged}", f"  stays as it is: {difference.unchanged}")


def _counted(named: Named, language: str) -> str:
    parts = []
    for kind, names in named.items():
        one, many = _NOUNS[kind]
        part = f"{len(names)} {(one if len(names) == 1 else many).say(language)}"
        if kind == "indicator":
            part += f" ({', '.join(names[:_MOST])}{', …' if len(names) > _MOST else ''})"
        parts.append(part)
    return ", ".join(parts)


def _tell_indicator(at: Desk, catalogue: Catalogue, one: Values) -> None:
    record, language = one.kept.record, at.language
    unit = label_of(record.unit, language)
    click.echo(f"{record.name}  {label_of(record.label, language)}{f' ({unit})' if unit else ''}")
    if not one.figures:
        at.say("  No hay datos.", "  There are no data.")
    else:
        _tell_figures(at, catalogue, one)
    least = masking.minimum_of(catalogue, record.name)
    if any(figure.hidden for figure in one.figures):
        at.say(
            f"  <{least}: oculto, por ser de menos de {least} unidades o para que esas no se puedan deducir.",
            f"  <{least}: hidden, for being of fewer than {least} units or so that those cannot be worked out.",
        )
    for note in dict.fromkeys(figure.estimate.note for figure in one.figures if figure.estimate is not None):
        if note is not None:
            click.echo(f"  {note.say(language)}")
    if one.undated:
        at.say(
            f"  Sin fecha, y por eso en ningún período: {one.undated}.",
            f"  Without a date, and so in no period: {one.undated}.",
        )


def _tell_figures(at: Desk, catalogue: Catalogue, one: Values) -> None:
    language, axes = at.language, one.asked.axes if one.asked is not None else ()
    resolved = catalogue.resolved[one.kept.record.name]
    splits = [split_of(catalogue, resolved, axis) for axis in axes]
    labels = [{each.code: label_of(each.label, language) for each in split.categories} for split in splits]
    heads = [
        Sentence("período", "period").say(language),
        *(label_of(split.label, language) or split.name for split in splits),
        *_HEADS.say(language).split("\t"),
    ]
    least = masking.minimum_of(catalogue, one.kept.record.name)
    rows = []
    for figure in one.figures:
        categories = [
            _NONE if code is None else known.get(code) or code
            for code, known in zip(figure.categories, labels, strict=True)
        ]
        rows.append([figure.period or "", *categories, *_cells(one, figure, least)])
    first = 1 + len(axes)
    for line in grid.lines(heads, rows, right=range(first, first + len(_HEADS.en.split("\t")) - 1)):
        click.echo(f"  {line}")


def _cells(one: Values, figure: Figure, least: int) -> list[str]:
    record = one.kept.record
    decimals = 0 if record.type in ("count", "distinct") else record.decimals
    if figure.hidden:
        targets = [_number(figure.baseline, record.decimals), _number(figure.target, record.decimals)]
        return [f"<{least}", f"<{least}", "", "", *targets, "", ""]
    estimate = figure.estimate
    interval = ""
    if estimate is not None and estimate.low is not None and estimate.high is not None:
        interval = f"{estimate.low:.{decimals}f}–{estimate.high:.{decimals}f}"
    typed = record.type == "manual"
    return [
        _number(figure.value, decimals) or _NONE,
        "" if typed else str(figure.n),
        "" if typed else f"<{least}" if figure.unsaid else str(figure.excluded),
        interval,
        _number(figure.baseline, record.decimals),
        _number(figure.target, record.decimals),
        _number(figure.achievement, 1),
        figure.source or "",
    ]


def _number(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:.{decimals}f}"
