"""Late renames: a `was` that is declared versions after the name changed, so that both names have answers already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from forms import renames
from forms.problems import Finding, Sentence
from forms.schema import Schema


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """What `was` says of versions before the last one; paths of the new form → former paths.

    `renamed` are fields that no version had under the new path, `joined` questions and repeats that some version already
    had under it, and no version had beside the former. `findings` are warnings on those that one version had both of.
    """

    renamed: Mapping[str, str] = field(default_factory=dict)
    joined: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()


def recover(earlier: Sequence[Schema], after: Schema, was: Mapping[str, str], rows: Mapping[str, int] = {}) -> Late:
    """What `after` continues from `earlier`, every published version, the newest last.

    `was` and `rows` are those of `renames.follow`. A rename from the newest version under a path that is new is not told
    here, since `follow` tells it.
    """
    if not was:
        return Late()
    known = {path for schema in earlier for path in schema.by_path}
    renamed: dict[str, str] = {}
    joined: dict[str, str] = {}
    findings = tuple(
        _apart(path, former, both[-1].version, rows.get(path))
        for path, former in ((path, renames.beside(path, text.strip())) for path, text in was.items())
        if path in after.by_path and path != former and former not in after.by_path
        if (both := _asking_both(earlier, path, former))
    )
    settled: set[str] = set()
    for age, schema in enumerate(reversed(earlier)):
        for path, former in renames.follow(schema, after, was, rows).origin.items():
            if path == former or path in settled:
                continue
            settled.add(path)
            if path not in known:
                if age > 0:
                    renamed[path] = former
                continue
            if after.by_path[path].kind == "group":
                continue
            if not _asking_both(earlier, path, former):
                joined[path] = former
    return Late(renamed=renamed, joined=joined, findings=findings)


def _asking_both(earlier: Sequence[Schema], path: str, former: str) -> list[Schema]:
    return [one for one in earlier if path in one.by_path and former in one.by_path]


def _apart(path: str, former: str, version: str, row: int | None) -> Finding:
    return Finding(
        severity="warning",
        sentence=Sentence(
            es=f"«{path}» dice que antes era «{former}», pero la versión «{version}» pregunta las dos: sus respuestas "
            "quedan separadas, cada una en su columna.",
            en=f"“{path}” says that it was “{former}”, but version “{version}” asks both: their answers stay apart, each "
            "in its own column.",
        ),
        sheet="survey",
        row=row,
        column="was",
    )
