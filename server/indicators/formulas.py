"""Formulas: which other indicators an indicator is computed from, and in which order that can be done."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache

from forms.expressions.mistakes import MistakenError
from forms.expressions.nodes import Call, Node, Parameter, Path
from forms.expressions.parser import parse
from server.indicators.declarations import Indicator
from server.indicators.ordering import Circles, in_order


@lru_cache(maxsize=4096)
def names_in(formula: str) -> tuple[str, ...]:
    """The indicators that a formula names, `{R1} div {R2}`, each once, as they stand; () where it cannot be read."""
    try:
        waiting: list[Node] = [parse(formula)]
    except MistakenError:
        return ()
    found: dict[str, int] = {}
    while waiting:
        node = waiting.pop()
        if isinstance(node, Parameter):
            found[node.name] = min(node.at, found.get(node.name, node.at))
        elif isinstance(node, Call):
            waiting.extend(node.arguments)
        elif isinstance(node, Path):
            waiting.extend(node.inside)
    return tuple(sorted(found, key=found.__getitem__))


def inputs_of(indicator: Indicator) -> tuple[str, ...]:
    """The indicators that have to be computed before this one: what its formula names, and its cohort."""
    return inputs(indicator.type, indicator.value, indicator.cohort)


def inputs(kind: str | None, value: str | None, cohort: str | None) -> tuple[str, ...]:
    """The same from the cells of a row, of which any may be blank."""
    formula = names_in(value) if kind == "formula" and value is not None else ()
    return formula if cohort is None else (*formula, cohort)


def formula_order(inputs: Mapping[str, Collection[str]]) -> tuple[str, ...] | Circles:
    """The order in which indicators can be computed, by their `inputs_of`; Circles where there is none."""
    return in_order(inputs)
