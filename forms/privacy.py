"""Privacy: how much each question of a form tells of a person, from its mark, its nature, what it is made of, its name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from forms import references
from forms.problems import Finding, Sentence
from forms.schema import Field, Schema

Mark = Literal["direct", "free_text", "key", "quasi", "sensitive", "open"]
"""What the column `privacy` may say, the strictest first: identifies a person · own words, which may · names a person or
household by a code that leads to them · helps to identify one · is sensitive · has been looked at and tells nobody."""
STRICTEST: Final[tuple[Mark, ...]] = ("direct", "free_text", "key", "quasi", "sensitive", "open")
IDENTIFYING: Final[frozenset[Mark]] = frozenset(("direct", "free_text", "key"))

Reason = Literal["mark", "nature", "made_of", "name"]
"""The workbook says so · its type or preload says so · it is computed from one that is direct · it is called so."""

_EXACT_PLACES: Final = frozenset(("geopoint", "geotrace", "geoshape"))
_SAID: Final = ("/meta/instanceName", "/meta/entity/label")
"""Texts that a form makes up for people's eyes, of whatever it asks; the second in groups and repeats as well."""
_PRELOADS: Final[Mapping[str, Mark]] = {
    "property/deviceid": "key",
    "property/username": "key",
    "property/phonenumber": "direct",
    "property/email": "direct",
    "property/simserial": "direct",
    "property/subscriberid": "direct",
    "property/phone number": "direct",
    "uid": "key",
}
_WORDS: Final = frozenset(
    (
        *(
            "nombre",
            "nombrecompleto",
            "apellido",
            "apodo",
            "sobrenombre",
            "cedula",
            "cip",
            "pasaporte",
            "dni",
            "telefono",
        ),
        *("celular", "tel", "cel", "movil", "whatsapp", "correo", "email", "mail", "direccion", "domicilio", "finca"),
        *("gps", "coordenada", "latitud", "longitud"),
        *("name", "fullname", "firstname", "lastname", "surname", "nickname", "passport", "phone", "telephone"),
        *("cellphone", "mobile", "address", "latitude", "longitude", "coordinate"),
    )
)
_TAKE_WORDS: Final = frozenset(("string", "barcode"))
_TAKE_NAMES: Final = frozenset(("int", "decimal"))
_WORD: Final = re.compile(r"[^\W\d_]+")
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_OUTPUT: Final = re.compile(r"\$\{[^}]*\}|<[^>]*>")
_PATHS: Final = re.compile(r"(?:\.\./)+[^\W\d][\w.\-]*(?:/[\w.\-]+)*|/[^\W\d][\w.\-]*(?:/[\w.\-]+)+")


@dataclass(frozen=True, slots=True)
class Judged:
    """What a question tells, and how that is known; `by` is the word or the question that says so."""

    mark: Mark
    reason: Reason
    by: str = ""


def strictest(marks: Collection[str]) -> Mark | None:
    """The strictest of some marks, None of none."""
    return next((mark for mark in STRICTEST if mark in marks), None)


def over_versions(versions: Sequence[Mapping[str, str]], former: Mapping[str, Collection[str]] = {}) -> dict[str, Mark]:
    """The marks of a form by path: the strictest that any of its versions gives. `former` are the other names that a path
    had."""
    gathered: dict[str, set[str]] = {}
    for marks in versions:
        for path, text in marks.items():
            gathered.setdefault(path, set()).add(text)
    for path, names in former.items():
        for name in names:
            if name in gathered:
                gathered.setdefault(path, set()).update(gathered[name])
    return {path: mark for path, given in gathered.items() if (mark := strictest(given)) is not None}


def judge(schema: Schema, marks: Mapping[str, str]) -> dict[str, Judged]:
    """What each question tells that tells anything; whatever is not in it was neither marked nor looks private.

    The mark of its own row counts, else that of the nearest group around it. Without a mark: positions, files and the audit
    log identify by nature, codes on cards and names of devices are keys; what is computed from a direct question, or begins
    an entity with it, is direct; and so is what is called like a name, a cédula or a telephone, until somebody looks at it
    and marks it (`open` says: this tells of nobody).
    """
    judged: dict[str, Judged] = {}
    waiting: list[Field] = []
    for entry in schema.fields:
        if entry.kind != "question":
            continue
        own = _marked(entry.path, marks)
        if own is not None:
            judged[entry.path] = Judged(own, "mark")
        elif (nature := _by_nature(entry)) is not None:
            judged[entry.path] = Judged(nature, "nature")
        elif (word := suspicion(entry)) is not None:
            judged[entry.path] = Judged("direct", "name", word)
        else:
            waiting.append(entry)
    names = {entry.path: entry.name for entry in schema.fields}
    changed = True
    while changed:
        changed = False
        for entry in waiting:
            if entry.path in judged:
                continue
            source = next(
                (
                    path
                    for path in read_paths(entry, schema)
                    if path in judged and judged[path].mark == "direct" and not _is_place(schema.by_path[path])
                ),
                None,
            )
            if source is not None:
                judged[entry.path] = Judged("direct", "made_of", names[source])
                changed = True
    return judged


def suspicion(entry: Field) -> str | None:
    """The word by which an unmarked question looks like it asked for a name, a document, a telephone or an address.

    Whole words of names and labels, Spanish and English; of numbers only the name, and no plural, since "¿Cuántos teléfonos
    tienen?" counts them. Questions with choices are left alone.
    """
    if entry.choices is not None or entry.control in ("select1", "select", "rank", "range", "trigger"):
        return None
    if entry.path.startswith("/meta/") or entry.preload is not None:
        return None
    if entry.type in _TAKE_NAMES:
        return next((word for word in _words(entry.name) if _plain(word) in _WORDS), None)
    if entry.type not in _TAKE_WORDS or _is_note(entry):
        return None
    texts = [entry.name, *(_OUTPUT.sub(" ", text) for text in entry.label.values())]
    return next((word for text in texts for word in _words(text) if _singular(_plain(word)) in _WORDS), None)


def findings(schema: Schema, marks: Mapping[str, str], rows: Mapping[str, int]) -> Iterator[Finding]:
    """A warning for each question that looks private and that nobody has marked."""
    for path, found in judge(schema, marks).items():
        row = rows.get(path)
        if row is None:
            continue
        name = schema.by_path[path].name
        if found.reason == "name":
            yield _warning(
                f"«{name}» parece pedir un dato que identifica a una persona («{found.by}») y no tiene marca. Escriba "
                "«direct» en la columna «privacy» si la identifica, o «open» si no. Mientras tanto, se trata como «direct»: "
                "no sale en los extractos sin identidades.",
                f"“{name}” looks as if it asked for something that identifies a person (“{found.by}”) and has no mark. "
                "Write “direct” in the column “privacy” if it does, or “open” if it does not. Meanwhile it is treated as "
                "“direct”: extracts without identities leave it out.",
                row,
            )
        elif found.reason == "made_of":
            yield _warning(
                f"«{name}» se calcula con «{found.by}», que identifica a una persona, y no tiene marca: se trata como "
                "«direct». Escriba en «privacy» lo que es: «direct», «key», u «open» si no dice nada de nadie.",
                f"“{name}” is computed from “{found.by}”, which identifies a person, and has no mark: it is treated as "
                "“direct”. Write in “privacy” what it is: “direct”, “key”, or “open” if it tells nothing of anybody.",
                row,
            )


def lighter(
    before: Mapping[str, str], after: Mapping[str, str], schema: Schema, rows: Mapping[str, int]
) -> Iterator[Finding]:
    """A warning for each question that a version marks more lightly than an earlier one: its answers stay as private."""
    for path, mark in before.items():
        entry = schema.by_path.get(path)
        given = after.get(path)
        if entry is None or mark == "open" or (given is not None and _rank(given) <= _rank(mark)):
            continue
        said_es, said_en = (f"dice «{given}»", f"says “{given}”") if given else ("no dice nada", "says nothing")
        yield _warning(
            f"«{entry.name}» estaba marcada «{mark}» en una versión anterior y ahora «privacy» {said_es}: sigue siendo "
            f"«{mark}», también para las respuestas nuevas.",
            f"“{entry.name}” was marked “{mark}” in an earlier version and now “privacy” {said_en}: it stays “{mark}”, for "
            "new answers too.",
            rows.get(path),
        )


def _marked(path: str, marks: Mapping[str, str]) -> Mark | None:
    at = path
    while at:
        mark = marks.get(at)
        if mark is not None:
            return strictest((mark,))
        at = at.rpartition("/")[0]
    return None


def _by_nature(entry: Field) -> Mark | None:
    if entry.path == "/meta/instanceID":
        return "key"
    if entry.path.endswith(_SAID) or entry.type in _EXACT_PLACES or entry.type == "binary":
        return "direct"
    if entry.type == "barcode":
        return "key"
    return _PRELOADS.get((entry.preload or "").lower())


def _is_place(entry: Field) -> bool:
    """What a file or a position was computed into says little of either: whether there is one, how exact it is."""
    return entry.type in _EXACT_PLACES or entry.type == "binary"


def _is_note(entry: Field) -> bool:
    return entry.readonly is not None and entry.calculate is None and entry.readonly.strip() in ("true()", "1")


def read_paths(entry: Field, schema: Schema) -> Iterator[str]:
    """The paths that an expression of the form reads, root element left out; inside repeats they are written `../name`."""
    root = f"/{schema.root}"
    for found in _PATHS.findall(entry.calculate or ""):
        path = references.resolve(found, root + entry.path) if found.startswith(".") else found
        if path is not None and path.startswith(root) and path.removeprefix(root) in schema.by_path:
            yield path.removeprefix(root)


def _words(text: str) -> list[str]:
    return _WORD.findall(_CAMEL.sub("_", text))


def _plain(word: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char)).casefold()


def _singular(word: str) -> str:
    for ending, kept in (("direcciones", "direccion"), ("celulares", "celular"), ("addresses", "address")):
        if word == ending:
            return kept
    return word[:-1] if word.endswith("s") and word[:-1] in _WORDS else word


def _rank(mark: str) -> int:
    return STRICTEST.index(mark) if mark in STRICTEST else len(STRICTEST)


def _warning(es: str, en: str, row: int | None) -> Finding:
    return Finding(severity="warning", sentence=Sentence(es, en), sheet="survey", row=row, column="privacy")
