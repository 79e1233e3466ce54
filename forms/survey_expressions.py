"""Survey expressions: what is wrong with the formulas of the survey sheet that pyxform lets pass and a phone would not."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Final

from forms.expressions.mistakes import Mistake, MistakenError
from forms.expressions.nodes import Call, Node, Path
from forms.expressions.parser import parse, require_balance
from forms.problems import Finding, Sentence, Severity
from forms.spreadsheets import Sheet

COLUMNS: Final = frozenset(
    (
        *("relevant", "relevance", "bind::relevant", "constraint", "bind::constraint", "calculation", "calculate"),
        *("bind::calculate", "required", "bind::required", "readonly", "read_only", "bind::readonly"),
        *("choice_filter", "repeat_count"),
    )
)
"""Columns whose cells are XPath, as pyxform writes their names."""
_PLAIN: Final = frozenset(("yes", "no", "true", "false"))
_OPERATORS: Final = frozenset(("=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "div", "mod", "and", "or", "neg"))
FUNCTIONS: Final = frozenset(
    (
        *("last", "position", "count", "id", "local-name", "namespace-uri", "name", "string", "concat"),
        *("starts-with", "contains", "substring-before", "substring-after", "substring", "string-length"),
        *("normalize-space", "translate", "boolean", "not", "true", "false", "lang", "number", "sum", "floor"),
        *("ceiling", "round", "node", "text", "comment", "processing-instruction", "current", "instance", "if"),
        *("coalesce", "once", "selected", "selected-at", "count-selected", "jr:choice-name", "jr:itext"),
        *("indexed-repeat", "pulldata", "regex", "ends-with", "substr", "join", "checklist", "weighted-checklist"),
        *("digest", "base64-decode", "extract-signed", "base64-encode", "uuid", "random", "randomize", "int"),
        *("abs", "pow", "min", "max", "log", "log10", "exp", "exp10", "sqrt", "sin", "cos", "tan", "asin", "acos"),
        *("atan", "atan2", "pi", "version", "property", "today", "now", "date", "date-time", "decimal-date-time"),
        *("decimal-time", "format-date", "format-date-time", "count-non-empty", "area", "distance", "geofence"),
        *("intersects", "depend", "reverse", "boolean-from-string", "string-format"),
    )
)
"""Functions of the ODK XForms specification (section "XPath functions") and of XPath 1.0."""


def findings(survey: Sheet) -> Iterator[Finding]:
    """Errors for brackets and quotes that do not match, which no phone opens; warnings for what looks wrong."""
    for number, row in enumerate(survey.rows, start=2):
        for header, text in row.items():
            if "_".join(header.lower().split()) not in COLUMNS or text.strip().lower() in _PLAIN or not text.strip():
                continue
            severity, mistakes = _mistakes(text)
            for mistake in mistakes:
                yield Finding(
                    severity=severity, sentence=mistake.sentence, sheet=survey.name, row=number, column=header
                )


def _mistakes(text: str) -> tuple[Severity, tuple[Mistake, ...]]:
    try:
        require_balance(text)
    except MistakenError as error:
        return "error", error.mistakes
    try:
        node = parse(text)
    except MistakenError as error:
        return "warning", error.mistakes
    return "warning", tuple(_unknown_functions(node))


def _unknown_functions(node: Node) -> Iterator[Mistake]:
    if isinstance(node, Call):
        name = node.function
        if name not in FUNCTIONS and name not in _OPERATORS and (":" not in name or name.startswith("jr:")):
            near = next(iter(difflib.get_close_matches(name.lower(), FUNCTIONS, n=1, cutoff=0.6)), None)
            es, en = (f" ¿Quiso decir {near}()?", f" Did you mean {near}()?") if near else ("", "")
            yield Mistake(
                Sentence(
                    f"ODK Collect no conoce la función {name}().{es}", f"ODK Collect knows no function {name}().{en}"
                ),
                node.at,
            )
    inside = node.arguments if isinstance(node, Call) else node.inside if isinstance(node, Path) else ()
    for inner in inside:
        yield from _unknown_functions(inner)
