"""Prepared statements: SQL that runs for every submission, compiled once and handed straight to the driver.

SQLAlchemy's own execution costs several times what SQLite needs for a short statement (`tests/bench` measures it); its
compiler, types and exceptions are used all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import Executable
from sqlalchemy.sql.selectable import ReturnsRows

Process = Callable[[Any], Any] | None


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: str
    names: tuple[str, ...]
    fixed: Mapping[str, Any]
    processes: tuple[tuple[str, Callable[[Any], Any]], ...]
    positional: bool
    results: tuple[tuple[int, Callable[[Any], Any]], ...]

    def parameters(self, values: Mapping[str, Any]) -> Any:
        if self.fixed:
            values = {**self.fixed, **values}
        given = {name: values[name] for name in self.names}
        for name, process in self.processes:
            given[name] = process(given[name])
        return tuple([given[name] for name in self.names]) if self.positional else given

    def row(self, raw: Sequence[Any]) -> tuple[Any, ...]:
        if not self.results:
            return tuple(raw)
        row = list(raw)
        for at, process in self.results:
            row[at] = process(row[at])
        return tuple(row)


class Prepared:
    """One statement with named parameters and no lists in them.

    `all` and `first` give tuples in the order of the statement's columns, `many` gives nothing. Errors are SQLAlchemy's.
    An insert must name every one of its columns in `columns`, since there are no parameters to compile it by.
    """

    def __init__(self, statement: Executable, *, columns: Iterable[str] | None = None) -> None:
        self._statement = statement
        self._columns = list(columns) if columns is not None else None
        self._compiled: dict[str, _Compiled] = {}

    def all(self, conn: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Every row."""
        compiled = self._for(conn.dialect)
        return [compiled.row(raw) for raw in self._run(conn, compiled, compiled.parameters(values), fetch=True)]

    def first(self, conn: Connection, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """The first row, if there is one."""
        return next(iter(self.all(conn, values)), None)

    def run(self, conn: Connection, values: Mapping[str, Any]) -> None:
        """No rows are asked for."""
        compiled = self._for(conn.dialect)
        self._run(conn, compiled, compiled.parameters(values), fetch=False)

    def many(self, conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Once for each of `rows`."""
        if len(rows) == 1:
            self.run(conn, rows[0])
            return
        compiled = self._for(conn.dialect)
        parameters = [compiled.parameters(values) for values in rows]
        with _cursor(conn, compiled.sql) as cursor:
            cursor.executemany(compiled.sql, parameters)

    def _run(self, conn: Connection, compiled: _Compiled, parameters: Any, *, fetch: bool) -> list[Any]:
        with _cursor(conn, compiled.sql) as cursor:
            cursor.execute(compiled.sql, parameters)
            return list(cursor.fetchall()) if fetch else []

    def _for(self, dialect: Dialect) -> _Compiled:
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = self._compile(dialect)
        return compiled

    def _compile(self, dialect: Dialect) -> _Compiled:
        spoken = _native(dialect)
        made: Any = self._statement.compile(dialect=spoken, column_keys=self._columns)  # type: ignore[attr-defined]
        names = tuple(made.positiontup or made.binds)
        types = {name: made.binds[name].type.dialect_impl(dialect) for name in names}
        processes = ((name, type_.bind_processor(dialect)) for name, type_ in types.items())
        results: list[tuple[int, Callable[[Any], Any]]] = []
        if isinstance(self._statement, ReturnsRows):
            for at, column in enumerate(self._statement.exported_columns):
                process = column.type.dialect_impl(dialect).result_processor(dialect, None)
                if process is not None:
                    results.append((at, process))
        return _Compiled(
            sql=str(made),
            names=names,
            fixed={name: made.binds[name].value for name in names if not made.binds[name].required},
            processes=tuple((name, process) for name, process in processes if process is not None),
            positional=bool(made.positiontup),
            results=tuple(results),
        )


def _native(dialect: Dialect) -> Dialect:
    """The dialect with the parameters that PostgreSQL itself knows ($1): psycopg then has nothing to translate."""
    native: Callable[..., Dialect] = type(dialect)
    return native(paramstyle="numeric_dollar") if dialect.name == "postgresql" else dialect


def statement(conn: Connection, sql: str) -> None:
    """A statement without parameters or rows, such as a savepoint."""
    with _cursor(conn, sql) as cursor:
        cursor.execute(sql)


class _cursor:  # noqa: N801  used as a function
    """A cursor of the driver for the length of a with; the driver's errors become SQLAlchemy's."""

    __slots__ = ("_conn", "_cursor", "_sql")

    def __init__(self, conn: Connection, sql: str) -> None:
        self._conn = conn
        self._sql = sql

    def __enter__(self) -> Any:
        connection: Any = self._conn.connection.driver_connection
        raw = getattr(self._conn.dialect.loaded_dbapi, "RawCursor", None)
        self._cursor: Any = connection.cursor() if raw is None else raw(connection)
        return self._cursor

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self._cursor.close()
        dialect: Any = self._conn.dialect
        if error is None or not isinstance(error, dialect.loaded_dbapi.Error):
            return
        lost = dialect.is_disconnect(error, self._conn.connection, self._cursor)
        if lost:
            self._conn.invalidate()
        raise DBAPIError.instance(
            self._sql,
            None,
            error,
            dialect.loaded_dbapi.Error,
            hide_parameters=True,
            connection_invalidated=lost,
            dialect=dialect,
        ) from error
