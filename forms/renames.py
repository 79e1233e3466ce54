"""Renames: which question of the stored form each question of the new one continues, by path or by the word of `was`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from forms.problems import Finding, Sentence, Severity
from forms.schema import Field, Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuity:
    """`origin` maps the path of each field that continues one of the stored form to the path it has there."""

    origin: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def follow(before: Schema, after: Schema, was: Mapping[str, str], rows: Mapping[str, int]) -> Continuity:
    """What continues from `before` to `after`.

    `was` maps a path of `after` to the earlier name, or earlier path, that the workbook gives; what stands inside a renamed
    group or repeat moves with it. A field that is already in the stored form under its own path ignores its `was`, so
    that the column may stay in the workbook for ever. `rows` maps paths of `after` to rows of the sheet `survey`. Names that
    fit several fields, or a field that is still there, are errors, and so are two fields that exchange their names; names
    that fit none are warnings.
    """
    origin: dict[str, str] = {"": ""}
    findings: list[Finding] = []
    sections = [entry for entry in after.fields if entry.kind != "question"]
    questions = [entry for entry in after.fields if entry.kind == "question"]
    for entry in sections:  # in document order: a group before what it holds
        if not _continue(entry, before, origin):
            _rename(entry, before, after, was, rows, origin, findings)
    waiting = [entry for entry in questions if not _continue(entry, before, origin)]
    for entry in waiting:
        _rename(entry, before, after, was, rows, origin, findings)
    del origin[""]
    findings.extend(_swapped(before, after, was, rows))
    return Continuity(origin=origin, findings=tuple(findings))


def _continue(entry: Field, before: Schema, origin: dict[str, str]) -> bool:
    parent = origin.get(entry.parent_path)
    if parent is None:
        return False
    path = f"{parent}/{entry.name}"
    if path not in before.by_path or path in origin.values():
        return False
    origin[entry.path] = path
    return True


def _rename(
    entry: Field,
    before: Schema,
    after: Schema,
    was: Mapping[str, str],
    rows: Mapping[str, int],
    origin: dict[str, str],
    findings: list[Finding],
) -> None:
    former = was.get(entry.path, "").strip()
    if not former:
        return

    def remark(severity: Severity, es: str, en: str) -> None:
        row = rows.get(entry.path)
        findings.append(
            Finding(severity=severity, sentence=Sentence(es=es, en=en), sheet="survey", row=row, column="was")
        )

    called = _called(former, before)
    alike = [other for other in called if (other.kind == "question") == (entry.kind == "question")]
    gone = [other.path for other in alike if other.path not in origin.values() and other.path not in after.by_path]
    if len(gone) == 1:
        origin[entry.path] = gone[0]
    elif gone:
        listed = ", ".join(gone)
        remark(
            "error",
            f"«{former}» puede ser cualquiera de estas: {listed}. Escriba en «was» la ruta completa de una.",
            f"“{former}” may be any of these: {listed}. Write the full path of one of them in “was”.",
        )
    elif alike:
        remark(
            "error",
            f"«{entry.name}» dice que antes era «{former}», pero «{former}» sigue en el formulario o ya tiene otro "
            "nombre nuevo.",
            f"“{entry.name}” says that it was “{former}”, but “{former}” is still in the form or already has another "
            "new name.",
        )
    elif called:
        remark(
            "error",
            f"«{entry.name}» dice que antes era «{former}», pero una es una pregunta y la otra un grupo o una repetición.",
            f"“{entry.name}” says that it was “{former}”, but one is a question and the other a group or a repeat.",
        )
    else:
        remark(
            "warning",
            f"«{entry.name}» dice que antes era «{former}», pero el formulario anterior no tiene «{former}»: será nueva.",
            f"“{entry.name}” says that it was “{former}”, but the stored form has no “{former}”: it will be new.",
        )


def beside(path: str, former: str) -> str:
    """The path that the `was` of the field at `path` means where it stands beside it: a full path, or a name."""
    return "/" + former.strip("/") if "/" in former else f"{path.rpartition('/')[0]}/{former}"


def _swapped(before: Schema, after: Schema, was: Mapping[str, str], rows: Mapping[str, int]) -> Iterator[Finding]:
    """Errors for fields side by side that take each other's name: phones with the former version still send the old ones."""
    both = {path: text.strip() for path, text in was.items() if path in before.by_path and path in after.by_path}
    for path, former in both.items():
        other = beside(path, former)
        if path < other and other in both and other.rpartition("/")[2] == former.rpartition("/")[2]:
            if both[other].rpartition("/")[2] != path.rpartition("/")[2]:
                continue
            yield Finding(
                severity="error",
                sentence=Sentence(
                    es=f"«{path}» y «{other}» intercambian sus nombres. Los teléfonos con la versión anterior todavía "
                    "envían con los nombres de antes, y las respuestas se mezclarían: dé a las dos nombres que el "
                    "formulario no haya usado.",
                    en=f"“{path}” and “{other}” exchange their names. Phones with the former version still send the names "
                    "of before, and the answers would be mixed up: give both names that the form has not used.",
                ),
                sheet="survey",
                row=rows.get(path),
                column="was",
            )


def _called(former: str, before: Schema) -> list[Field]:
    """The fields of `before` that `former` names: a path (with or without the root element), else a name."""
    if "/" in former:
        path = "/" + former.strip("/")
        found = before.by_path.get(path) or before.by_path.get(path.removeprefix(f"/{before.root}"))
        return [found] if found else []
    return [entry for entry in before.fields if entry.name == former]
