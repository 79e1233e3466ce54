"""Versions: what a new version of a form does to the answers that are already stored, said to the person who publishes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from forms.difference import AnswerChange, ChoiceChange, Difference, KindChange, Move, TypeChange, compare
from forms.problems import Finding, Sentence, Severity, severest_first
from forms.schema import Field, Schema

_SHOWN: Final = 12
"""Questions and options listed by name; of more, the number is said."""
_TYPES: Final[dict[str, tuple[str, str]]] = {
    "string": ("texto", "text"),
    "int": ("número entero", "whole number"),
    "decimal": ("número decimal", "decimal number"),
    "boolean": ("sí/no", "yes/no"),
    "date": ("fecha", "date"),
    "time": ("hora", "time"),
    "dateTime": ("fecha y hora", "date and time"),
    "geopoint": ("punto GPS", "GPS point"),
    "geotrace": ("línea GPS", "GPS line"),
    "geoshape": ("polígono GPS", "GPS polygon"),
    "binary": ("archivo", "file"),
    "barcode": ("código de barras", "bar code"),
}
_KINDS: Final = {
    "question": ("una pregunta", "a question"),
    "group": ("un grupo", "a group"),
    "repeat": ("una repetición", "a repeat"),
}
_ANSWERS: Final = {
    "free": ("sin opciones", "without options"),
    "one": ("con una sola opción", "with one option"),
    "several": ("con varias opciones", "with several options"),
    "order": ("ordenando las opciones", "by putting the options in order"),
}


def check(
    before: Schema | None,
    after: Schema,
    renamed: Mapping[str, str] = {},
    *,
    choices_renamed: Mapping[str, Mapping[str, str]] = {},
    rows: Mapping[str, int] = {},
    late: Mapping[str, str] = {},
    stored: Collection[str] = (),
) -> tuple[Finding, ...]:
    """What `after` does to answers stored with `before` (None: the first version, nothing is stored), errors first.

    An error means that the version must not be published, a note that something changes as was asked for. `late` maps
    paths of `after` to former paths that only versions before the last one had, `stored` are paths of questions that
    have a column. The other arguments are those of `difference.compare`.
    """
    if before is None:
        return ()
    difference = compare(before, after, renamed=renamed, choices_renamed=choices_renamed, rows=rows)
    return severest_first(
        [
            *_identity(before, after),
            *difference.findings,
            *_findings(difference, before, rows),
            *_notes(difference, after, rows, late, stored),
        ]
    )


def _identity(before: Schema, after: Schema) -> Iterator[Finding]:
    if before.form_id != after.form_id:
        yield _finding(
            "error",
            f"El formulario se llama «{before.form_id}» (form_id) y el nuevo archivo dice «{after.form_id}». Corrija el "
            "form_id, o publique el archivo como otro formulario.",
            f"The form is “{before.form_id}” (form_id) and the new file says “{after.form_id}”. Correct the form_id, or "
            "publish the file as another form.",
            sheet="settings",
        )


def _findings(difference: Difference, before: Schema, rows: Mapping[str, int]) -> Iterator[Finding]:
    for kind in difference.kinds:
        yield _kind(kind, rows)
    removed = [path for path in difference.removed if before.by_path[path].kind == "question"]
    unexplained = {old for old, _ in difference.alike}
    yield from _removed([path for path in removed if path not in unexplained])
    for old, new in difference.alike:
        yield _finding(
            "warning",
            f"«{old}» ya no está y «{new}» es nueva: será otra columna. Si es la misma pregunta, escriba «{old}» en la "
            "columna «was» de la hoja «survey».",
            f"“{old}” is gone and “{new}” is new: it will be another column. If it is the same question, write “{old}” in "
            "the column “was” of the sheet “survey”.",
            rows.get(new),
        )
    for type_ in difference.types:
        yield from _type(type_, rows)
    yield from _moved(difference.moved)
    for answer in difference.answers:
        yield _answer(answer, rows)
    for choice in difference.choices:
        yield from _choices(choice)


def _kind(change: KindChange, rows: Mapping[str, int]) -> Finding:
    old, new = _KINDS[change.before_kind], _KINDS[change.after_kind]
    if "question" in (change.before_kind, change.after_kind):
        return _finding(
            "error",
            f"«{change.after}» era {old[0]} y ahora es {new[0]}. Dele otro nombre: un mismo nombre no puede guardar las "
            "dos cosas.",
            f"“{change.after}” was {old[1]} and now is {new[1]}. Give it another name: one name cannot store both.",
            rows.get(change.after),
        )
    return _finding(
        "warning",
        f"«{change.after}» era {old[0]} y ahora es {new[0]}: sus respuestas nuevas van a otra tabla.",
        f"“{change.after}” was {old[1]} and now is {new[1]}: its new answers go to another table.",
        rows.get(change.after),
    )


def _removed(paths: list[str]) -> Iterator[Finding]:
    if paths:
        listed = ", ".join(paths)
        yield _finding(
            "warning",
            f"Preguntas que ya no están: {listed}. Sus respuestas guardadas se conservan.",
            f"Questions that are gone: {listed}. Their stored answers are kept.",
        )


def _type(change: TypeChange, rows: Mapping[str, int]) -> Iterator[Finding]:
    old, new = _TYPES[change.before_type], _TYPES[change.after_type]
    if change.column is None:
        yield _finding(
            "warning",
            f"«{change.after}» era {old[0]} y ahora es {new[0]}: tendrá una columna nueva, y las respuestas guardadas "
            "quedan en la anterior.",
            f"“{change.after}” was {old[1]} and now is {new[1]}: it gets a new column, and the stored answers stay in "
            "the old one.",
            rows.get(change.after),
        )
    elif change.before_type in ("int", "decimal") and change.column == change.after_type:
        yield _finding(
            "warning",
            f"«{change.after}» era {old[0]} y ahora es {new[0]}: su columna pasa a ser de ese tipo y las respuestas "
            "guardadas se conservan.",
            f"“{change.after}” was {old[1]} and now is {new[1]}: its column becomes of that type and the stored answers "
            "are kept.",
            rows.get(change.after),
        )
    elif change.column == change.before_type:
        yield _finding(
            "note",
            f"«{change.after}» era {old[0]} y ahora es {new[0]}: sigue en la misma columna, que es de {old[0]}.",
            f"“{change.after}” was {old[1]} and now is {new[1]}: it stays in the same column, which is of {old[1]}.",
            rows.get(change.after),
        )
    else:
        yield _finding(
            "note",
            f"«{change.after}» era {old[0]} y ahora es {new[0]}: sigue en la misma columna.",
            f"“{change.after}” was {old[1]} and now is {new[1]}: it stays in the same column.",
            rows.get(change.after),
        )


def _moved(moves: Iterable[Move]) -> Iterator[Finding]:
    groups: dict[tuple[str, str], list[str]] = {}
    for move in moves:
        groups.setdefault((move.before_table, move.after_table), []).append(move.after)
    for (old, new), paths in groups.items():
        listed = ", ".join(paths)
        from_, to = _table(old), _table(new)
        yield _finding(
            "warning",
            f"Preguntas que pasan de {from_[0]} a {to[0]}: {listed}. Tendrán columnas nuevas, y las respuestas guardadas "
            "quedan donde estaban.",
            f"Questions that move from {from_[1]} to {to[1]}: {listed}. They get new columns, and the stored answers "
            "stay where they were.",
        )


def _table(path: str) -> tuple[str, str]:
    return (f"la repetición «{path}»", f"the repeat “{path}”") if path else ("el formulario", "the form")


def _answer(change: AnswerChange, rows: Mapping[str, int]) -> Finding:
    old, new = _ANSWERS[change.before_answer], _ANSWERS[change.after_answer]
    return _finding(
        "warning",
        f"«{change.after}» se respondía {old[0]} y ahora {new[0]}: las respuestas guardadas se quedan como están.",
        f"“{change.after}” was answered {old[1]} and now {new[1]}: the stored answers stay as they are.",
        rows.get(change.after),
    )


def _choices(change: ChoiceChange) -> Iterator[Finding]:
    users = ", ".join(change.paths)
    if change.added:
        codes = _listed(change.added)
        yield _finding(
            "note",
            f"Opciones nuevas en {users}: {codes[0]}.",
            f"New options in {users}: {codes[1]}.",
            sheet="choices",
        )
    if change.removed:
        codes = _listed(change.removed)
        yield _finding(
            "warning",
            f"Opciones que ya no están en {users}: {codes[0]}. Las respuestas guardadas con ellas se conservan.",
            f"Options that are gone from {users}: {codes[1]}. The answers stored with them are kept.",
            sheet="choices",
        )
    if change.renamed:
        codes = _listed([f"{old} → {new}" for old, new in change.renamed])
        yield _finding(
            "warning",
            f"Opciones de {users} con otro código: {codes[0]}. Las respuestas guardadas conservan el código anterior.",
            f"Options of {users} with another code: {codes[1]}. The stored answers keep the former code.",
            sheet="choices",
        )
    if change.relabelled:
        texts = _listed([f"{code} (“{old}” → “{new}”)" for code, old, new in change.relabelled])
        yield _finding(
            "warning",
            f"Opciones de {users} con otro texto: {texts[0]}. Si significan otra cosa, deles otro código: las respuestas "
            "guardadas se leerán con el texto nuevo.",
            f"Options of {users} with another text: {texts[1]}. If they mean something else, give them another code: the "
            "stored answers will be read with the new text.",
            sheet="choices",
        )


def _notes(
    difference: Difference,
    after: Schema,
    rows: Mapping[str, int],
    late: Mapping[str, str],
    stored: Collection[str],
) -> Iterator[Finding]:
    """What is new, what comes back, and what goes on under another name, groups without what they hold."""
    explained = {new for _, new in difference.alike} | late.keys()
    new = [after.by_path[path] for path in difference.added if path not in explained]
    questions = [field for field in new if field.kind == "question"]
    yield from _new("Preguntas nuevas", "New questions", [field for field in questions if field.path not in stored])
    back = [field.path for field in questions if field.path in stored]
    if back:
        listed = _listed(back)
        yield _finding(
            "note",
            f"Preguntas que vuelven: {listed[0]}. Las respuestas que ya tenían se conservan.",
            f"Questions that come back: {listed[1]}. The answers that they had already are kept.",
        )
    yield from _new("Repeticiones nuevas", "New repeats", [field for field in new if field.kind == "repeat"])

    turned = {change.after for change in difference.kinds}
    for path, former in _outermost({new: old for old, new in difference.renamed}).items():
        if path not in turned:
            yield _renamed(after.by_path[path], former, path not in difference.own_columns, rows)
    for path, former in _outermost(late).items():
        yield _finding(
            "note",
            f"«{path}» continúa la de antes «{former}», que ya no estaba en la última versión.",
            f"“{path}” continues the former “{former}”, which the last version did not have.",
            rows.get(path),
            column="was",
        )


def _new(es: str, en: str, fields: list[Field]) -> Iterator[Finding]:
    if fields:
        listed = [
            _listed([f"{field.path} ({_TYPES[field.type][place]})" if field.type else field.path for field in fields])
            for place in (0, 1)
        ]
        yield _finding("note", f"{es}: {listed[0][0]}.", f"{en}: {listed[1][1]}.")


def _outermost(renamed: Mapping[str, str]) -> dict[str, str]:
    """Path → former path, without what only moves with the group that holds it."""
    return {
        path: former
        for path, former in renamed.items()
        if renamed.get(_parent(path)) != _parent(former) or path.rpartition("/")[2] != former.rpartition("/")[2]
    }


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _renamed(field: Field, former: str, same_column: bool, rows: Mapping[str, int]) -> Finding:
    goes_on = {
        "question": ("sus respuestas siguen en la misma columna", "its answers stay in the same column"),
        "group": ("lo que contiene continúa", "what it holds goes on"),
        "repeat": ("sus filas siguen en la misma tabla", "its rows stay in the same table"),
    }[field.kind]
    es, en = (f": {goes_on[0]}.", f": {goes_on[1]}.") if same_column else (".", ".")
    return _finding(
        "note",
        f"«{field.path}» antes era «{former}»{es}",
        f"“{field.path}” was “{former}” before{en}",
        rows.get(field.path),
        column="was",
    )


def _listed(items: Iterable[str]) -> tuple[str, str]:
    everything = list(items)
    shown = ", ".join(everything[:_SHOWN])
    more = len(everything) - _SHOWN
    return (f"{shown} y {more} más", f"{shown} and {more} more") if more > 0 else (shown, shown)


def _finding(
    severity: Severity, es: str, en: str, row: int | None = None, *, sheet: str = "survey", column: str | None = None
) -> Finding:
    return Finding(severity=severity, sentence=Sentence(es=es, en=en), sheet=sheet, row=row, column=column)
