"""Entity rows: the entities of a list as they are asked for, with who made them, told by their ids or by pseudonyms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, select, type_coerce
from sqlalchemy.sql.selectable import FromClause

from forms.problems import Problem, Sentence
from server.model.columns import Instant
from server.model.entities import Entity, EntityVersion, entities, entity_sources, entity_versions, read_version
from server.model.people import ActorLine, actors
from server.model.privacy import pseudonyms
from server.odata import filters, search
from server.odata.filters import ENTITY_FIELDS, Condition
from server.odata.search import Search
from server.store.entities import COLUMNS, VERSION_COLUMNS, property_text
from server.store.people import LINE

_AT_ONCE: Final = 500
_CREATOR: Final = actors.alias("creator")
_VERSION_CREATOR: Final = actors.alias("version_creator")
_SURVIVOR: Final = entities.alias("survivor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entities of a list, and in which order; the newest first where nothing is said.

    `deleted`: only those, or only living ones; None: what `condition` says. `searched` are the properties in which `search`
    looks, `label` whether in labels too. `order` are fields of filters.ENTITY_FIELDS, descending or not. `after` is the id of
    the last entity of the page before. `names` (project, subject): entities are told by pseudonyms and come in their order,
    since that of arrival would tell which is which; those that have none are left out.
    """

    deleted: bool | None = False
    condition: Condition | None = None
    conflict: bool | None = None
    search: Search | None = None
    searched: Sequence[str] = ()
    labels: bool = True
    order: Sequence[tuple[str, bool]] = ()
    after: str | None = None
    offset: int = 0
    most: int | None = None
    names: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An entity, what it is told by, and who made it; `version` its current one, with who made that; `merged_into` the id of
    the one that it was merged into, if it was."""

    told: str
    entity: Entity
    creator: ActorLine | None
    version: EntityVersion
    version_creator: ActorLine | None
    merged_into: str | None = None


def parse_filter(text: str) -> tuple[Condition, bool | None]:
    """What $filter says of entities, and whether deleted ones are left out: they are unless it speaks of that (None).

    Raises what filters.parse does.
    """
    condition = filters.parse(text, ENTITY_FIELDS)
    return condition, None if "deletedAt" in filters.names_in(condition) else False


def parse_order(text: str) -> list[tuple[str, bool]]:
    """What $orderby says: fields, and whether descending. Raises Problem 501.5."""
    known = {name if name.startswith("__") else f"__system/{name}": name for name in ENTITY_FIELDS}
    found = []
    for clause in text.split(","):
        name, _, direction = clause.strip().partition(" ")
        if name not in known:
            raise filters.no_field(name, ENTITY_FIELDS)
        if direction.strip().lower() not in ("", "asc", "desc"):
            raise filters.no_field(direction.strip(), ENTITY_FIELDS)
        found.append((known[name], direction.strip().lower() == "desc"))
    return found


def refuse_narrowing(wanted: Wanted) -> None:
    """Raises Problem 400.8 where the choice or order of rows would tell whoever may not identify people when entities came,
    or who made them."""
    named = set() if wanted.condition is None else set(filters.exact_names_in(wanted.condition))
    named.update(name for name, _ in wanted.order)
    for name in sorted(named - {"__id", "conflict"}):
        raise Problem(
            400.8,
            Sentence(
                f"Por «__system/{name}» solo puede elegir u ordenar quien puede identificar a las personas.",
                f"Only whoever may identify people may choose or order rows by “__system/{name}”.",
            ),
            {"field": f"__system/{name}"},
        )


def count(conn: Connection, dataset_id: int, wanted: Wanted) -> tuple[int, int]:
    """How many entities there are, and how many of them after `wanted.after`; pages are not looked at."""
    every = replace(wanted, after=None)
    whole = int(conn.execute(_narrow(conn, select(func.count()), dataset_id, every)).scalar_one())
    if wanted.after is None:
        return whole, whole
    return whole, int(conn.execute(_narrow(conn, select(func.count()), dataset_id, wanted)).scalar_one())


def lines(conn: Connection, dataset_id: int, wanted: Wanted) -> Iterator[Line]:
    """The entities that are asked for; memory does not grow with them."""
    told = entities.c.uuid if wanted.names is None else pseudonyms.c.pseudonym
    columns = [
        told.label("told"),
        _SURVIVOR.c.uuid.label("survivor"),
        *COLUMNS,
        *(column.label(f"creator_{column.name}") for column in _line_of(_CREATOR)),
        *VERSION_COLUMNS,
        *(column.label(f"version_creator_{column.name}") for column in _line_of(_VERSION_CREATOR)),
    ]
    statement = _narrow(conn, select(*columns), dataset_id, wanted, whole=True).order_by(*_order(wanted))
    if wanted.after is None and wanted.offset:
        statement = statement.offset(wanted.offset)
    if wanted.most is not None:
        statement = statement.limit(wanted.most)
    elif wanted.after is None and wanted.offset and conn.dialect.name == "sqlite":
        statement = statement.limit(-1)
    with conn.execute(statement.execution_options(stream_results=True, yield_per=_AT_ONCE)) as found:
        for row in found:
            yield _line(row)


def milliseconds(conn: Connection, moment: ColumnElement[Any]) -> ColumnElement[Any]:
    """A moment as it is told, to the millisecond: whoever compares with what was told means that."""
    if conn.dialect.name == "postgresql":
        return type_coerce(func.date_trunc("milliseconds", moment), Instant())
    return type_coerce(func.substr(moment, 1, 23) + "000+00:00", Instant())


def _narrow(
    conn: Connection, statement: Select[Any], dataset_id: int, wanted: Wanted, *, whole: bool = False
) -> Select[Any]:
    """The rows that are asked for, with their pseudonyms where they are told by these; `whole`: with versions and actors."""
    source: FromClause = entities
    if wanted.names is not None:
        project_id, subject = wanted.names
        source = source.join(
            pseudonyms,
            and_(
                pseudonyms.c.project_id == project_id,
                pseudonyms.c.subject == subject,
                pseudonyms.c.key == entities.c.uuid,
            ),
        )
    if whole:
        current = and_(entity_versions.c.entity_id == entities.c.id, entity_versions.c.version == entities.c.version)
        source = (
            source.join(entity_versions, current)
            .join(entity_sources, entity_sources.c.id == entity_versions.c.source_id)
            .outerjoin(_SURVIVOR, _SURVIVOR.c.id == entities.c.merged_into_id)
            .outerjoin(_CREATOR, _CREATOR.c.id == entities.c.creator_id)
            .outerjoin(_VERSION_CREATOR, _VERSION_CREATOR.c.id == entity_versions.c.creator_id)
        )
    return statement.select_from(source).where(*_conditions(conn, dataset_id, wanted))


def _conditions(conn: Connection, dataset_id: int, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    yield entities.c.dataset_id == dataset_id
    yield entities.c.withdrawn_at.is_(None)
    if wanted.deleted is not None:
        yield entities.c.deleted_at.is_not(None) if wanted.deleted else entities.c.deleted_at.is_(None)
    if wanted.conflict is not None:
        yield entities.c.conflict.is_not(None) if wanted.conflict else entities.c.conflict.is_(None)
    if wanted.condition is not None:
        yield filters.to_sql(wanted.condition, _columns(conn, wanted))
    if wanted.search is not None:
        texts = [property_text(conn, name) for name in wanted.searched]
        yield search.to_sql(conn, wanted.search, [entities.c.label, *texts] if wanted.labels else texts)
    if wanted.after is not None:
        yield _after(wanted, wanted.after)


def _after(wanted: Wanted, last: str) -> ColumnElement[bool]:
    """What comes after the last entity of a page, whatever became of that one since."""
    if wanted.names is not None:
        return pseudonyms.c.pseudonym > last
    cursor = entities.alias("cursor")
    at = select(cursor.c.created_at).where(cursor.c.dataset_id == entities.c.dataset_id, cursor.c.uuid == last)
    number = select(cursor.c.id).where(cursor.c.dataset_id == entities.c.dataset_id, cursor.c.uuid == last)
    return and_(entities.c.created_at <= at.scalar_subquery(), entities.c.id < number.scalar_subquery())


def _columns(conn: Connection, wanted: Wanted) -> dict[str, ColumnElement[Any]]:
    return {
        "__id": entities.c.uuid if wanted.names is None else pseudonyms.c.pseudonym,
        "createdAt": milliseconds(conn, entities.c.created_at),
        "updatedAt": milliseconds(conn, entities.c.updated_at),
        "deletedAt": milliseconds(conn, entities.c.deleted_at),
        "creatorId": entities.c.creator_id,
        "conflict": entities.c.conflict,
    }


def _order(wanted: Wanted) -> list[ColumnElement[Any]]:
    if not wanted.order:
        if wanted.names is not None:
            return [pseudonyms.c.pseudonym.asc()]
        return [entities.c.created_at.desc(), entities.c.id.desc()]
    own: dict[str, ColumnElement[Any]] = {
        "__id": entities.c.uuid if wanted.names is None else pseudonyms.c.pseudonym,
        "createdAt": entities.c.created_at,
        "updatedAt": entities.c.updated_at,
        "deletedAt": entities.c.deleted_at,
        "creatorId": entities.c.creator_id,
        "conflict": entities.c.conflict,
    }
    made = [own[name].desc().nulls_last() if down else own[name].asc().nulls_first() for name, down in wanted.order]
    last = entities.c.id if wanted.names is None else pseudonyms.c.pseudonym
    return [*made, last.desc() if wanted.order[0][1] else last.asc()]


def _line_of(table: Any) -> list[ColumnElement[Any]]:
    return [table.c[column.name] for column in LINE]


def _line(row: Row[Any]) -> Line:
    values = list(row)
    told, survivor, values = values[0], values[1], values[2:]
    entity, values = values[: len(COLUMNS)], values[len(COLUMNS) :]
    creator, values = values[: len(LINE)], values[len(LINE) :]
    version, maker = values[: len(VERSION_COLUMNS)], values[len(VERSION_COLUMNS) :]
    return Line(
        told=told,
        entity=Entity(*entity),
        creator=ActorLine(*creator) if creator[0] is not None else None,
        version=read_version(version),
        version_creator=ActorLine(*maker) if maker[0] is not None else None,
        merged_into=survivor,
    )
