"""Sheet rules: what the rows of a workbook must be to each other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from itertools import islice

from forms.problems import Finding
from server.indicators import places
from server.indicators.declarations import ENTITIES, Category, Place
from server.indicators.entries import Entry, said
from server.indicators.formulas import formula_order, inputs
from server.indicators.headings import nearest
from server.indicators.ordering import Circles, in_order, told

Entries = Mapping[str, Sequence[Entry]]
"""The entries of a workbook by sheet; every sheet is there."""
Lists = Mapping[str, Sequence[Category]]


def rule_findings(entries: Entries, lists: Lists, has_survey: bool, most: int) -> Iterator[Finding]:
    """What is wrong between the rows of a workbook; of each kind of mistake the first `most`."""
    rules = [
        _repeated_names(entries),
        _repeated_dimensions(entries["dimensions"]),
        _places(entries["places"]),
        _repeated_targets(entries["targets"]),
        _circles(entries),
        _target_rows(entries),
        _categories(entries, lists),
    ]
    if has_survey:
        rules.append(_lists(entries["dimensions"], lists, lambda entry: entry.blank("form")))
    else:
        rules.append(_repeated_choices(entries["choices"]))
        of_entities = _lists(entries["dimensions"], lists, lambda entry: (entry.get("over") or "").startswith(ENTITIES))
        rules.append(of_entities)
    for rule in rules:
        yield from islice(rule, most)


def _repeated(
    entries: Sequence[Entry],
    key: Callable[[Entry], Hashable | None],
    column: str,
    says: Callable[[Entry, Entry], tuple[str, str]],
) -> Iterator[Finding]:
    """A finding for each entry whose key an earlier one has; None is nobody's key."""
    seen: dict[Hashable, Entry] = {}
    for entry in entries:
        mark = key(entry)
        if mark is None:
            continue
        if mark in seen:
            yield entry.finding(column, *says(seen[mark], entry))
        else:
            seen[mark] = entry


def _repeated_names(entries: Entries) -> Iterator[Finding]:
    for sheet in ("results", "indicators", "checks"):
        yield from _repeated(entries[sheet], lambda entry: _folded(entry, "name"), "name", _same_name)


def _same_name(first: Entry, second: Entry, column: str = "name") -> tuple[str, str]:
    one, other = first.get(column), second.get(column)
    if one == other:
        return (
            f"«{other}» ya está en la fila {first.row}. Déles nombres distintos.",
            f"“{other}” is in row {first.row} already. Give them different names.",
        )
    return (
        f"«{other}» y «{one}» (fila {first.row}) solo se distinguen por mayúsculas. Déles nombres distintos.",
        f"“{other}” and “{one}” (row {first.row}) differ only in capital letters. Give them different names.",
    )


def _folded(entry: Entry, column: str) -> str | None:
    value = entry.get(column)
    return value.casefold() if value is not None else None


def _repeated_dimensions(entries: Sequence[Entry]) -> Iterator[Finding]:
    """One name may stand once for each form, repeat and entity list."""

    def key(entry: Entry) -> Hashable | None:
        name = entry.get("name")
        if name is None or "over" in entry.bad or "form" in entry.bad:
            return None
        return name, entry.get("form"), entry.get("over")

    def says(first: Entry, second: Entry) -> tuple[str, str]:
        name = second.get("name")
        return (
            f"«{name}» ya está en la fila {first.row} para el mismo formulario («form» y «over»). Borre una de las dos.",
            f"“{name}” is in row {first.row} already for the same form (“form” and “over”). Delete one of the two.",
        )

    yield from _repeated(entries, key, "name", says)
    yield from _other_case(entries, "name")


def _places(entries: Sequence[Entry]) -> Iterator[Finding]:
    """The hierarchy, of the rows that could be read: nothing is said of what a row that could not be read may mend."""
    yield from _other_case(entries, "code")
    rows = {entry.row: entry for entry in entries}
    unread = {code for code, entry in said(entries, "code") if entry.record is None}
    for place, column, sentence in places.check([entry.record for entry in entries if isinstance(entry.record, Place)]):
        entry = rows[place.at]
        if not entry.bad and (column != "parent" or place.parent not in unread):
            yield entry.finding(column, sentence.es, sentence.en)


def _other_case(entries: Sequence[Entry], column: str) -> Iterator[Finding]:
    """Names that may stand in several rows, but not in other letters."""
    written: dict[str, Entry] = {}
    for name, entry in said(entries, column):
        first = written.setdefault(name.casefold(), entry)
        if first.get(column) != name:
            yield entry.finding(column, *_same_name(first, entry, column))


def _repeated_targets(entries: Sequence[Entry]) -> Iterator[Finding]:
    """A cell has one figure of a kind; a baseline's period says where it comes from, so a cell has one baseline."""

    def key(entry: Entry) -> Hashable | None:
        if entry.bad & {"indicator", "kind", "period", "place", "dimension", "category"}:
            return None
        kind = entry.get("kind")
        period = None if kind == "baseline" else entry.get("period")
        name = entry.get("indicator").casefold()
        return name, kind, period, entry.get("place"), entry.get("dimension"), entry.get("category")

    def says(first: Entry, second: Entry) -> tuple[str, str]:
        kind = second.get("kind")
        return (
            f"La fila {first.row} ya da «{kind}» de la misma celda. Borre una de las dos.",
            f"Row {first.row} gives the “{kind}” of the same cell already. Delete one of the two.",
        )

    yield from _repeated(entries, key, "indicator", says)


def _repeated_choices(entries: Sequence[Entry]) -> Iterator[Finding]:
    def key(entry: Entry) -> Hashable | None:
        pair = (entry.get("list_name"), entry.get("name"))
        return None if None in pair else pair

    def says(first: Entry, second: Entry) -> tuple[str, str]:
        name, listed = second.get("name"), second.get("list_name")
        return (
            f"«{name}» ya está en la fila {first.row} para la lista «{listed}». Borre una de las dos.",
            f"“{name}” is in row {first.row} already in the list “{listed}”. Delete one of the two.",
        )

    yield from _repeated(entries, key, "name", says)


def _circles(entries: Entries) -> Iterator[Finding]:
    indicators = dict(said(entries["indicators"], "name"))
    order = formula_order(
        {name: inputs(entry.get("type"), entry.get("value"), entry.get("cohort")) for name, entry in indicators.items()}
    )
    for around in order if isinstance(order, Circles) else ():
        entry = indicators[around[0]]
        yield entry.finding(
            "value" if entry.get("type") == "formula" else "cohort",
            f"El indicador depende de sí mismo: {told(around)}. Quite uno de los pasos.",
            f"The indicator depends on itself: {told(around)}. Remove one of the steps.",
        )
    results = dict(said(entries["results"], "name"))
    lines = in_order({name: [parent for parent in [entry.get("parent")] if parent] for name, entry in results.items()})
    for around in lines if isinstance(lines, Circles) else ():
        yield results[around[0]].finding(
            "parent",
            f"Nada puede estar dentro de sí mismo: {told(around)}. Corrija uno de los «parent».",
            f"Nothing can lie within itself: {told(around)}. Correct one of the “parent”.",
        )


def _target_rows(entries: Entries) -> Iterator[Finding]:
    """What the rows of `targets` say of indicators of the same workbook."""
    indicators = dict(said(entries["indicators"], "name"))
    for name, entry in said(entries["targets"], "indicator"):
        indicator = indicators.get(name)
        if indicator is None or indicator.get("type") is None:
            continue
        kind, kind_of_indicator, value = entry.get("kind"), indicator.get("type"), entry.get("value")
        if kind == "actual" and kind_of_indicator != "manual":
            yield entry.finding(
                "kind",
                f"«{name}» es del tipo «{kind_of_indicator}» y se calcula: «actual» es solo para el tipo «manual».",
                f"“{name}” is of the type “{kind_of_indicator}” and is computed: “actual” is for the type “manual” only.",
            )
        if kind in ("target", "actual") and entry.blank("period") and not indicator.blank("period"):
            yield entry.finding(
                "period",
                f"«{name}» se mide por períodos: diga de cuál es esta cifra.",
                f"“{name}” is measured by periods: say which one this figure is of.",
            )
        if kind_of_indicator == "percent" and value is not None and 0 < abs(value) < 1:
            yield entry.finding(
                "value",
                f"«{name}» es un porcentaje de 0 a 100, y aquí dice {value:g}. Excel guarda 60 % como 0.6: escriba 60.",
                f"“{name}” is a percentage from 0 to 100, and this says {value:g}. Excel keeps 60 % as 0.6: write 60.",
                "warning",
            )


def _categories(entries: Entries, lists: Lists) -> Iterator[Finding]:
    """Categories of dimensions all of whose rows name a list of this workbook."""
    known: dict[str, set[str] | None] = {}
    for name, dimension in said(entries["dimensions"], "name"):
        codes = known.setdefault(name, set())
        listed = lists.get(dimension.get("list_name") or "")
        known[name] = None if codes is None or listed is None else codes | {category.code for category in listed}
    for category, entry in said(entries["targets"], "category"):
        codes = known.get(entry.get("dimension") or "")
        if codes is not None and category not in codes:
            es, en = meant(category, codes)
            yield entry.finding(
                "category",
                f"La dimensión «{entry.get('dimension')}» no tiene la categoría «{category}».{es}",
                f"The dimension “{entry.get('dimension')}” has no category “{category}”.{en}",
            )


def _lists(entries: Sequence[Entry], lists: Lists, only_here: Callable[[Entry], bool]) -> Iterator[Finding]:
    """Lists that can be in this workbook's `choices` only; those of other forms are looked for where these are known."""
    for name, entry in said(entries, "list_name"):
        if name not in lists and only_here(entry):
            es, en = meant(name, lists)
            yield entry.finding(
                "list_name",
                f"La hoja «choices» no tiene la lista «{name}».{es}",
                f"The sheet “choices” has no list “{name}”.{en}",
            )


def meant(written: str, known: Collection[str]) -> tuple[str, str]:
    """The way out for a name that is not known: the one that may be meant, or the first few that there are."""
    near = nearest(written, known)
    if near is not None:
        return f" ¿Quiso decir «{near}»?", f" Did you mean “{near}”?"
    few = ", ".join(sorted(known)[:10]) + ("…" if len(known) > 10 else "")
    return (f" Están: {few}.", f" There are: {few}.") if known else ("", "")
