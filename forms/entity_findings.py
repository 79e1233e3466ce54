"""What is wrong with the entities that a form declares, said before it is published."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from forms import entities, privacy
from forms.problems import Finding, Sentence, Severity
from forms.schema import EntityDeclaration, Field, Schema

OLDEST: Final = "2022.1"
NEWEST: Final = "2025.1"
"""The versions of the ODK Entities specification that are served, both included."""

_VERSION: Final = re.compile(r"(202[2-5])\.1(?:\.[0-9]+.*)?", re.ASCII)
_OFFLINE_SINCE: Final = 2024
_REPEATS_SINCE: Final = 2025


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbook:
    """What the workbook of a form says of its entities beside the XForm.

    `rows` gives rows of the sheet survey by path, `lists` rows of the sheet entities by list, `private` the marks of the
    column `privacy` by path, `confirmed` the paths whose column `save_to_confirmed` says yes.
    """

    rows: Mapping[str, int] = field(default_factory=dict)
    lists: Mapping[str, int] = field(default_factory=dict)
    private: Mapping[str, str] = field(default_factory=dict)
    confirmed: AbstractSet[str] = frozenset()


def findings(schema: Schema, workbook: Workbook | None) -> tuple[Finding, ...]:
    """Every finding; with an error the form is refused. `workbook` is None for a form that came as XML.

    The rules are those of the ODK Entities specification as ODK Central holds them, and two of the house: names that differ
    in case alone are refused, since phones keep a list as columns of SQLite; and what identifies a person is saved to a
    list only where the workbook confirms it, since lists travel to phones. XML can confirm nothing: there it is a warning.
    """
    look = _Look(schema, workbook)
    return (*look.version(), *look.declarations(), *look.questions(), *look.private())


def formerly_direct(schema: Schema, before: Mapping[str, str], workbook: Workbook | None) -> Iterator[Finding]:
    """The same for what only earlier versions marked `direct` (`before`: marks by path), since such answers stay so."""
    marked = privacy.judge(schema, before)
    look = _Look(schema, workbook)
    yield from look.formerly_direct(
        {path for path, one in marked.items() if one.mark == "direct" and one.reason == "mark"}
    )


class _Look:
    def __init__(self, schema: Schema, workbook: Workbook | None) -> None:
        self._schema = schema
        self._from_workbook = workbook is not None
        self._workbook = workbook or Workbook()
        self._declared = {one.scope: one for one in schema.entities}
        self._saved = tuple(self._find_saved())

    def _find_saved(self) -> Iterator[tuple[Field, str, EntityDeclaration | None]]:
        """Each question that is saved, the property, and where it goes."""
        for entry in self._schema.fields:
            if entry.save_to:
                scope = entities.scope_of(entry.path, self._declared)
                yield entry, entry.save_to, None if scope is None else self._declared[scope]

    def version(self) -> Iterator[Finding]:
        if not self._declared:
            return
        said = self._schema.entities_version
        if said is None:
            yield self._of_form(
                "error",
                "El formulario declara entidades y no dice según qué versión (entities-version en <model>).",
                "The form declares entities and does not say by which version (entities-version on <model>).",
            )
            return
        match = _VERSION.fullmatch(said)
        if match is None:
            yield self._of_form(
                "error",
                f"La versión «{said}» de las entidades (entities-version) no se admite: se admiten de {OLDEST} a {NEWEST}.",
                f"Version “{said}” of entities (entities-version) is not supported: {OLDEST} to {NEWEST} are.",
            )
            return
        year = int(match[1])
        if year < _REPEATS_SINCE and (len(self._declared) > 1 or any(map(self._repeat_of, self._declared.values()))):
            yield self._of_form(
                "error",
                f"Con la versión «{said}» de las entidades solo cabe una lista, y no dentro de una repetición. Use la "
                f"versión {NEWEST}.0.",
                f"Version “{said}” of entities allows for one list, not inside a repeat. Use version {NEWEST}.0.",
            )
        elif year < _OFFLINE_SINCE:
            yield self._of_form(
                "warning",
                f"Con la versión «{said}» de las entidades, los teléfonos no ven lo que crean o cambian hasta que el "
                "servidor lo sabe. Use la versión 2024.1.0 o una posterior.",
                f"With version “{said}” of entities phones do not see what they create or change until the server knows. Use "
                "version 2024.1.0 or a later one.",
            )

    def declarations(self) -> Iterator[Finding]:
        lists: dict[str, str] = {}
        for one in self._declared.values():
            name = one.dataset
            if not name:
                yield self._of_list(
                    one,
                    "error",
                    f"A la entidad {one.path} le falta el nombre de su lista (dataset).",
                    f"The entity {one.path} lacks the name of its list (dataset).",
                )
            elif not entities.is_dataset_name(name):
                yield self._of_list(
                    one,
                    "error",
                    f"La lista de entidades no puede llamarse «{name}»: un nombre comienza con una letra o un guion bajo, "
                    "sigue con letras, números y guiones, sin espacios ni puntos, y no comienza con dos guiones bajos.",
                    f"An entity list cannot be called “{name}”: a name begins with a letter or an underscore, goes on with "
                    "letters, digits and hyphens, no spaces or periods, and does not begin with two underscores.",
                )
            elif lists.setdefault(name.casefold(), name) != name:
                yield self._of_list(
                    one,
                    "error",
                    f"Las listas «{lists[name.casefold()]}» y «{name}» solo se distinguen por las mayúsculas.",
                    f"The lists “{lists[name.casefold()]}” and “{name}” differ in capital letters alone.",
                )
            if not one.actions:
                yield self._of_list(
                    one,
                    "error",
                    f"La entidad {one.path} no dice qué hacer: crear (create), actualizar (update) o las dos cosas.",
                    f"The entity {one.path} does not say what to do: create, update or both.",
                )
            elif one.actions == {"create"} and f"{one.path}/label" not in self._schema.by_path:
                yield self._of_list(
                    one,
                    "warning",
                    f"La entidad {one.path} no tiene <label>: sin etiqueta no se puede crear ninguna.",
                    f"The entity {one.path} has no <label>: without a label none can be created.",
                )

    def questions(self) -> Iterator[Finding]:
        taken: dict[tuple[str, str], tuple[Field, str]] = {}
        for entry, name, one in self._saved:
            if one is None:
                yield self._of_question(
                    entry,
                    "warning",
                    f"«{entry.name}» dice que se guarda como «{name}», pero ninguna entidad la rodea: no se guarda.",
                    f"“{entry.name}” says that it is saved as “{name}”, but no entity is around it: it is not saved.",
                )
                continue
            if not entities.is_property_name(name):
                yield self._of_question(
                    entry,
                    "error",
                    f"Una propiedad no puede llamarse «{name}»: un nombre comienza con una letra o un guion bajo, sigue con "
                    "letras, números, guiones y puntos, no comienza con dos guiones bajos, y no es «name» ni «label».",
                    f"A property cannot be called “{name}”: a name begins with a letter or an underscore, goes on with "
                    "letters, digits, hyphens and periods, does not begin with two underscores, and is neither “name” nor "
                    "“label”.",
                )
                continue
            repeat = self._schema.repeat_of(entry.path)
            if repeat != self._repeat_of(one):
                yield self._of_question(
                    entry,
                    "error",
                    f"«{entry.name}» está en la repetición {repeat} y se guarda en una entidad de «{one.dataset}» que está "
                    "fuera de ella: no se sabría cuál de las filas vale.",
                    f"“{entry.name}” is in the repeat {repeat} and is saved to an entity of “{one.dataset}” outside of it: "
                    "nobody could say which of the rows counts.",
                )
            yield from self._clashes(entry, name, one, taken)

    def _clashes(
        self, entry: Field, name: str, one: EntityDeclaration, taken: dict[tuple[str, str], tuple[Field, str]]
    ) -> Iterator[Finding]:
        """What is saved as `name` twice; `taken` holds what was saved before, by declaration and by list."""
        key = name.casefold()
        first, spelt = taken.setdefault((one.path, key), (entry, name))
        _, elsewhere = taken.setdefault((f"#{one.dataset}", key), (entry, name))
        if first is not entry and spelt == name:
            yield self._of_question(
                entry,
                "error",
                f"«{first.name}» y «{entry.name}» se guardan en la misma propiedad «{name}» de «{one.dataset}».",
                f"“{first.name}” and “{entry.name}” are saved to the same property “{name}” of “{one.dataset}”.",
            )
        elif elsewhere != name:
            yield self._of_question(
                entry,
                "error",
                f"Las propiedades «{elsewhere}» y «{name}» de «{one.dataset}» solo se distinguen por las mayúsculas, y los "
                "teléfonos las confundirían.",
                f"The properties “{elsewhere}” and “{name}” of “{one.dataset}” differ in capital letters alone, and phones "
                "would take one for the other.",
            )

    def private(self) -> Iterator[Finding]:
        direct = self._direct()
        told = set(self._workbook.confirmed)
        for entry, name, one in self._saved:
            if one is None or entry.path not in direct or entry.path in told:
                continue
            told.add(entry.path)
            judged = direct[entry.path]
            way_out = _OR_MARK if judged.reason in ("name", "made_of") else Sentence(es=".", en=".")
            yield self._identifying(entry, name, one, _why(judged), way_out)
        for one in self._declared.values():
            label = self._schema.by_path.get(f"{one.path}/label")
            for path in dict.fromkeys(privacy.read_paths(label, self._schema)) if label else ():
                if path in direct and path not in told:
                    name, why = self._schema.by_path[path].name, _why(direct[path])
                    yield self._of_list(
                        one,
                        "warning",
                        f"La etiqueta de las entidades de «{one.dataset}» lleva «{name}», que cuenta como dato que "
                        f"identifica a una persona ({why.es}): la muestran los teléfonos que tienen la lista.",
                        f"The label of the entities of “{one.dataset}” holds “{name}”, which counts as identifying a person "
                        f"({why.en}): the phones that have the list show it.",
                        column="label",
                    )

    def formerly_direct(self, before: AbstractSet[str]) -> Iterator[Finding]:
        known = self._direct().keys() | self._workbook.confirmed
        why = Sentence(es="una versión anterior dice «direct»", en="an earlier version says “direct”")
        for entry, name, one in self._saved:
            if one is not None and entry.path in before and entry.path not in known:
                yield self._identifying(entry, name, one, why, Sentence(es=".", en="."))

    def _direct(self) -> dict[str, privacy.Judged]:
        judged = privacy.judge(self._schema, self._workbook.private)
        return {path: one for path, one in judged.items() if one.mark == "direct"}

    def _identifying(
        self, entry: Field, name: str, one: EntityDeclaration, why: Sentence, way_out: Sentence
    ) -> Finding:
        es = (
            f"«{entry.name}» cuenta como dato que identifica a una persona ({why.es}) y se guarda como «{name}» en "
            f"«{one.dataset}», una lista que llevan los teléfonos."
        )
        en = (
            f"“{entry.name}” counts as identifying a person ({why.en}) and is saved as “{name}” to “{one.dataset}”, a "
            "list that phones carry."
        )
        if not self._from_workbook:
            return self._of_question(entry, "warning", es, en)
        return self._of_question(entry, "error", es + _WAY_OUT.es + way_out.es, en + _WAY_OUT.en + way_out.en)

    def _repeat_of(self, one: EntityDeclaration) -> str:
        return self._schema.repeat_of(one.path)

    def _of_form(self, severity: Severity, es: str, en: str) -> Finding:
        return Finding(severity=severity, sentence=Sentence(es, en), sheet="entities" if self._from_workbook else None)

    def _of_list(
        self, one: EntityDeclaration, severity: Severity, es: str, en: str, column: str = "list_name"
    ) -> Finding:
        if not self._from_workbook:
            return Finding(severity=severity, sentence=Sentence(es, en))
        row = self._workbook.lists.get(one.dataset)
        return Finding(severity=severity, sentence=Sentence(es, en), sheet="entities", row=row, column=column)

    def _of_question(self, entry: Field, severity: Severity, es: str, en: str) -> Finding:
        if not self._from_workbook:
            return Finding(severity=severity, sentence=Sentence(es, en))
        row = self._workbook.rows.get(entry.path)
        return Finding(severity=severity, sentence=Sentence(es, en), sheet="survey", row=row, column="save_to")


_WAY_OUT: Final = Sentence(
    es=" Borre «save_to»; si debe ir en ella, escriba «yes» en la columna «save_to_confirmed»",
    en=" Remove “save_to”; if it must go there, write “yes” in the column “save_to_confirmed”",
)
_OR_MARK: Final = Sentence(
    es="; y si no identifica a nadie, diga en la columna «privacy» lo que es.",
    en="; and if it identifies nobody, say in the column “privacy” what it is.",
)


def _why(judged: privacy.Judged) -> Sentence:
    if judged.reason == "mark":
        return Sentence(es="«privacy» dice «direct»", en="“privacy” says “direct”")
    if judged.reason == "made_of":
        return Sentence(es=f"se calcula con «{judged.by}»", en=f"it is computed from “{judged.by}”")
    if judged.reason == "name":
        return Sentence(es=f"parece pedir «{judged.by}»", en=f"it seems to ask for “{judged.by}”")
    return Sentence(es="por su tipo: un lugar exacto o un archivo", en="by its type: an exact place or a file")
