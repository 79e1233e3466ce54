"""Layout: which typed table and column holds which question, over all versions of a form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from forms.schema import Field, Schema, Type

PART_WIDTH: Final = 400
"""Columns of one physical table: so many always fit one PostgreSQL page (8 kB, at most 18 bytes a value)."""

NAME_LENGTH: Final = 44
"""Characters of a chosen name; suffixes follow it within PostgreSQL's 63."""

_PART: Final = re.compile(r"_part([0-9]+)$")
_SUFFIXES: Final[Mapping[Type, tuple[str, ...]]] = {
    "geopoint": ("_latitude", "_longitude", "_altitude", "_accuracy"),
    "time": ("", "_text"),
    "dateTime": ("", "_text"),
    "geotrace": ("", "_text"),
    "geoshape": ("", "_text"),
}
_WIDER: Final[Mapping[Type, tuple[Type, ...]]] = {"int": ("decimal", "string"), "decimal": ("string",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class DataColumn:
    """Where the answers to a question go.

    `paths` are the question's paths, the newest last; `type` is what the column holds; `accepts` the declared types whose
    answers go here. Its physical names are `name` and the suffixes of its type.
    """

    id: int
    paths: tuple[str, ...]
    name: str
    type: Type
    accepts: tuple[Type, ...]
    part: int

    @property
    def names(self) -> tuple[str, ...]:
        """Physical column names."""
        return physical_names(self.name, self.type)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataTable:
    """Where the rows of the form (path "") or of one repeat go."""

    id: int
    paths: tuple[str, ...]
    name: str
    columns: tuple[DataColumn, ...] = ()

    @property
    def parts(self) -> int:
        """How many physical tables it has."""
        return max((column.part for column in self.columns), default=1)


@dataclass(frozen=True, slots=True)
class Layout:
    """Every typed table of a form; with `dataset_id`, the one table that the entities of a list are seen as."""

    tables: tuple[DataTable, ...] = ()
    dataset_id: int | None = None

    def table(self, path: str) -> DataTable:
        """The table of the form ("") or of the repeat at `path`; raises KeyError."""
        for table in self.tables:
            if path in table.paths:
                return table
        raise KeyError(path)

    def find_column(self, table: str, path: str, type_: Type) -> DataColumn | None:
        """The column that takes the answers to the question at `path` of the declared type."""
        try:
            columns = self.table(table).columns
        except KeyError:
            return None
        wanted = storage_type(type_)
        return next((column for column in columns if path in column.paths and wanted in column.accepts), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Widening:
    """What a new version asks of a layout.

    `layout` is the one after it (new tables and columns carry negative ids). `new_tables` and `new_columns` are to be
    created, `widened` (column before, column after) to be converted, `renamed` got a further path or declared type.
    `joined` (column that goes, column that takes its answers) are two columns that turned out to be of one question.
    """

    layout: Layout
    new_tables: tuple[DataTable, ...] = ()
    new_columns: tuple[tuple[DataTable, DataColumn], ...] = ()
    widened: tuple[tuple[DataTable, DataColumn, DataColumn], ...] = ()
    renamed: tuple[DataColumn | DataTable, ...] = ()
    joined: tuple[tuple[DataTable, DataColumn, DataColumn], ...] = ()

    @property
    def rewrites(self) -> bool:
        """Whether the rows that are there must be written again."""
        return bool(self.widened or self.joined)


def storage_type(type_: Type) -> Type:
    """Media and bar codes are kept as text."""
    return "string" if type_ in ("binary", "barcode") else type_


def physical_names(name: str, type_: Type) -> tuple[str, ...]:
    """The columns that a value of `type_` needs: four for a point, its text beside it where the text says more."""
    return tuple(name + suffix for suffix in _SUFFIXES.get(type_, ("",)))


def reused(before: Layout, schema: Schema) -> tuple[tuple[str, str], ...]:
    """Questions of `schema` that take the former name of another question of it: (path, the other's path).

    Answers of the two could not be told apart, since older versions still send the former name.
    """
    return tuple(
        (entry.path, column.paths[-1])
        for table in before.tables
        for column in table.columns
        for entry in schema.fields
        if entry.path in column.paths[:-1] and column.paths[-1] != entry.path and column.paths[-1] in schema.by_path
    )


def widen(
    before: Layout,
    schema: Schema,
    *,
    form_name: str,
    taken: Iterable[str] = (),
    renamed: Mapping[str, str] | None = None,
    joined: Mapping[str, str] | None = None,
) -> Widening:
    """What `schema` needs beyond `before`; nothing is dropped or renamed in the database but a column that joins another.

    A question keeps its column while its path (or the earlier path that `renamed` gives: earlier → new) and a type that
    the column accepts stay the same. int → decimal → text widens the column; any other type gets one of its own beside it.
    `joined` gives questions whose answers stand under an earlier path too (path → earlier path): the newer column joins the
    older one where both stand in one table and one type holds both. `taken` are the names of all typed tables, `form_name`
    is what new names begin with.
    """
    earlier = {new: old for old, new in (renamed or {}).items()}
    work = _Work(before, form_name, set(taken), earlier, joined or {})
    work.table("")
    for entry in schema.fields:
        if entry.kind == "repeat":
            work.table(entry.path)
        elif entry.kind == "question":
            work.question(schema.repeat_of(entry.path), entry)
    return work.done()


@dataclass(slots=True)
class _Open:
    """A table while it is being widened."""

    id: int
    paths: tuple[str, ...]
    name: str
    columns: list[DataColumn]
    names: set[str] = field(default_factory=set)
    new: bool = False
    renamed: bool = False


class _Work:
    def __init__(
        self, before: Layout, form_name: str, taken: set[str], earlier: Mapping[str, str], late: Mapping[str, str]
    ) -> None:
        self._form_name = form_name
        self._taken = taken
        self._earlier = earlier
        self._late = late
        self._joined: list[tuple[_Open, DataColumn, DataColumn]] = []
        self._next = -1
        self._new: list[tuple[_Open, DataColumn]] = []
        self._widened: list[tuple[_Open, DataColumn, DataColumn]] = []
        self._renamed: list[DataColumn] = []
        self._open = [
            _Open(
                table.id,
                table.paths,
                table.name,
                list(table.columns),
                {name for column in table.columns for name in (column.name, *column.names)},
            )
            for table in before.tables
        ]

    def table(self, path: str) -> _Open:
        for table in self._open:
            if path in table.paths:
                return table
        old = self._earlier.get(path)
        for table in self._open:
            if old is not None and old in table.paths:
                table.paths = (*table.paths, path)
                table.renamed = True
                return table
        wish = slug("_".join((self._form_name, *path.rsplit("/", 1)[1:])))
        wish = _PART.sub(r"_part_\1", wish)  # `…_part2` is what the second part of a wide table is called
        name = self._free_name(wish, self._taken)
        self._taken.add(name)
        table = _Open(self._id(), (path,), name, [], new=True)
        self._open.append(table)
        return table

    def question(self, repeat: str, entry: Field) -> None:
        table = self.table(repeat)
        wanted = storage_type(entry.type or "string")
        mine = [column for column in table.columns if entry.path in column.paths]
        if not mine and (old := self._earlier.get(entry.path)) is not None:
            for column in [column for column in table.columns if old in column.paths]:
                after = replace(column, paths=(*column.paths, entry.path))
                self._put(table, column, after)
                self._renamed.append(after)
                mine.append(after)
        if mine and (old := self._late.get(entry.path)) is not None:
            mine = self._join(table, mine, old)
        if any(wanted in column.accepts for column in mine):
            return
        if wanted == "int" and (wide := next((column for column in mine if column.type == "decimal"), None)):
            after = replace(wide, accepts=(*wide.accepts, "int"))
            self._put(table, wide, after)
            self._renamed.append(after)
            return
        narrow = next((column for column in mine if wanted in _WIDER.get(column.type, ())), None)
        if narrow is not None:
            after = replace(narrow, type=wanted, accepts=(*narrow.accepts, wanted))
            self._put(table, narrow, after)
            self._widened.append((table, narrow, after))
            return
        self._add(table, entry, wanted)

    def done(self) -> Widening:
        closed = {id(table): _close(table) for table in self._open}
        return Widening(
            layout=Layout(tuple(closed.values())),
            new_tables=tuple(closed[id(table)] for table in self._open if table.new),
            new_columns=tuple((closed[id(table)], column) for table, column in self._new),
            widened=tuple((closed[id(table)], before, after) for table, before, after in self._widened),
            joined=tuple((closed[id(table)], gone, after) for table, gone, after in self._joined),
            renamed=(*self._renamed, *(closed[id(table)] for table in self._open if table.renamed)),
        )

    def _join(self, table: _Open, mine: list[DataColumn], old: str) -> list[DataColumn]:
        """Let the columns in `mine` join those of the earlier path `old`; gives what the question then has."""
        kept = []
        for column in mine:
            others = [other for other in table.columns if old in other.paths and other not in mine]
            target = next((other for other in others if _common(other.type, column.type) is not None), None)
            if target is None:
                kept.append(column)
                continue
            after = replace(
                target,
                paths=tuple(dict.fromkeys((*target.paths, *column.paths))),
                type=_common(target.type, column.type) or target.type,
                accepts=tuple(dict.fromkeys((*target.accepts, *column.accepts))),
            )
            self._put(table, target, after)
            table.columns.remove(column)
            self._joined.append((table, column, after))
            if after.type != target.type:
                self._widened.append((table, target, after))
            else:
                self._renamed.append(after)
            kept.append(after)
        return kept

    def _add(self, table: _Open, entry: Field, type_: Type) -> None:
        segments = entry.path.split("/")
        own = slug(segments[-1]) or "q"
        wishes = [own, slug("_".join(segments[-2:])), slug(f"{own}_{type_.lower()}")]
        name = next(
            (wish for wish in wishes if wish and not table.names.intersection((wish, *physical_names(wish, type_)))),
            None,
        ) or self._free_name(own, table.names, type_)
        width = [0]
        for column in table.columns:
            width.extend([0] * (column.part - len(width)))
            width[column.part - 1] += len(column.names)
        names = physical_names(name, type_)
        part = next((n for n, used in enumerate(width, 1) if used + len(names) <= PART_WIDTH), len(width) + 1)
        column = DataColumn(id=self._id(), paths=(entry.path,), name=name, type=type_, accepts=(type_,), part=part)
        table.columns.append(column)
        table.names.update((name, *names))
        self._new.append((table, column))

    def _put(self, table: _Open, before: DataColumn, after: DataColumn) -> None:
        table.columns[table.columns.index(before)] = after

    def _free_name(self, wish: str, taken: set[str], type_: Type = "string") -> str:
        base = slug(wish) or "q"
        name, number = base, 2
        while taken.intersection((name, *physical_names(name, type_))):
            name, number = f"{base}_{number}", number + 1
        return name

    def _id(self) -> int:
        self._next -= 1
        return self._next


def _common(old: Type, new: Type) -> Type | None:
    """The type of a column that holds answers of both; None where there is none."""
    if old == new or new in _WIDER.get(old, ()):
        return new
    return old if old in _WIDER.get(new, ()) else None


def _close(table: _Open) -> DataTable:
    return DataTable(id=table.id, paths=table.paths, name=table.name, columns=tuple(table.columns))


def slug(name: str) -> str:
    """A name for a table or column: ASCII letters, digits and single underscores; "" where nothing of the kind is left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:NAME_LENGTH].rstrip("_")
    return f"q_{slug}" if slug[:1].isdigit() else slug
