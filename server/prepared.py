"""Prepared statements: SQL that runs for every submission, compiled once and handed straight to the driver.

SQLAlchemy's own execution costs several times what SQLite needs for a short statement (`tests/bench` measures it); its
compiler, types and exceptions are used all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from psycopg.adapt import PyFormat
from sqlalchemy import Boolean, Connection, Dialect, Float, LargeBinary
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import Executable
from sqlalchemy.sql.selectable import ReturnsRows
from sqlalchemy.types import TypeEngine

from server.pipeline import Pipeline, Statements, require_whole

Process = Callable[[Any], Any] | None
_PIPELINE: Final = "tejido-pipeline"
_STATEMENTS: Final = "tejido-statements"


@dataclass(frozen=True, slots=True)
class _Compiled:
    """`template` holds the parameters in order, with None for those that each run gives (`given`: place, name, process)."""

    sql: str
    template: tuple[Any, ...]
    given: tuple[tuple[int, str, Process], ...]
    positions: tuple[str, ...] | None
    results: tuple[tuple[int, Callable[[Any], Any]], ...]
    formats: tuple[PyFormat, ...]
    types: tuple[int, ...]

    def parameters(self, values: Mapping[str, Any]) -> Any:
        filled = list(self.template)
        for at, name, process in self.given:
            value = values[name]
            filled[at] = value if process is None else process(value)
        return tuple(filled) if self.positions is None else dict(zip(self.positions, filled, strict=True))

    def row(self, raw: Sequence[Any]) -> tuple[Any, ...]:
        if not self.results:
            return tuple(raw)
        row = list(raw)
        for at, process in self.results:
            row[at] = process(row[at])
        return tuple(row)


class Prepared:
    """One statement with named parameters and no lists in them.

    `all` and `first` give tuples in the order of the statement's columns, `ask` gives what will, `many` gives nothing.
    Errors are SQLAlchemy's. An insert must name every one of its columns in `columns`, since there are no parameters to
    compile it by.
    """

    def __init__(self, statement: Executable, *, columns: Iterable[str] | None = None) -> None:
        self._statement = statement
        self._columns = list(columns) if columns is not None else None
        self._compiled: dict[str, _Compiled] = {}

    def all(self, conn: Connection, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Every row."""
        compiled = self._for(conn.dialect)
        return [compiled.row(raw) for raw in self._run(conn, compiled, compiled.parameters(values), fetch=True)]

    def ask(self, conn: Connection, values: Mapping[str, Any]) -> Callable[[], list[tuple[Any, ...]]]:
        """What gives every row: in a pipeline the statement is only sent, and waited for with the first answer needed."""
        compiled = self._for(conn.dialect)
        parameters = compiled.parameters(values)
        pipeline = _pipeline_of(conn)
        if pipeline is None:
            rows = [compiled.row(raw) for raw in self._run(conn, compiled, parameters, fetch=True)]
            return lambda: rows
        with _told(conn, compiled.sql):
            sent = pipeline.send(compiled.sql, parameters, compiled.formats, compiled.types)

        def receive() -> list[tuple[Any, ...]]:
            with _told(conn, compiled.sql):
                return [compiled.row(raw) for raw in pipeline.receive(sent)]

        return receive

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
        pipeline = _pipeline_of(conn)
        if pipeline is None:
            with _cursor(conn, compiled.sql) as cursor:
                cursor.executemany(compiled.sql, parameters)
            return
        with _told(conn, compiled.sql):
            for one in parameters:
                pipeline.send(compiled.sql, one, compiled.formats, compiled.types)

    def _run(self, conn: Connection, compiled: _Compiled, parameters: Any, *, fetch: bool) -> list[Any]:
        pipeline = _pipeline_of(conn)
        if pipeline is None:
            with _cursor(conn, compiled.sql) as cursor:
                cursor.execute(compiled.sql, parameters)
                return list(cursor.fetchall()) if fetch else []
        with _told(conn, compiled.sql):
            sent = pipeline.send(compiled.sql, parameters, compiled.formats, compiled.types)
            return pipeline.receive(sent) if fetch else []

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
        processes = {name: type_.bind_processor(dialect) for name, type_ in types.items()}
        template: list[Any] = []
        given: list[tuple[int, str, Process]] = []
        for at, name in enumerate(names):
            process = processes[name]
            if made.binds[name].required:
                given.append((at, name, process))
                template.append(None)
            else:
                value = made.binds[name].value
                template.append(value if process is None else process(value))
        results: list[tuple[int, Callable[[Any], Any]]] = []
        if isinstance(self._statement, ReturnsRows):
            for at, column in enumerate(self._statement.exported_columns):
                # a number comes as one; SQLAlchemy would first ask the driver what it is
                known = isinstance(column.type, Float)
                process = None if known else column.type.dialect_impl(dialect).result_processor(dialect, None)
                if process is not None:
                    results.append((at, process))
        return _Compiled(
            sql=str(made),
            template=tuple(template),
            given=tuple(given),
            positions=None if made.positional else names,
            results=tuple(results),
            formats=tuple(
                PyFormat.BINARY if isinstance(type_, LargeBinary) else PyFormat.TEXT for type_ in types.values()
            ),
            types=tuple(_oid(type_) for type_ in types.values()),
        )


def _oid(type_: TypeEngine[Any]) -> int:
    """What PostgreSQL must be told of a parameter; of all other types the statement has casts. Source: pg_type.dat."""
    if isinstance(type_, Boolean):
        return 16
    return 701 if isinstance(type_, Float) else 0


def _native(dialect: Dialect) -> Dialect:
    """The dialect with the parameters that PostgreSQL itself knows ($1): psycopg then has nothing to translate."""
    native: Callable[..., Dialect] = type(dialect)
    return native(paramstyle="numeric_dollar") if dialect.name == "postgresql" else dialect


@contextmanager
def pipelined(conn: Connection) -> Iterator[None]:
    """A transaction on PostgreSQL in which `Prepared.run` and `many` come back at once.

    What goes wrong with them is raised by the next `all` or `first`, by what `ask` gave, or by the commit.
    A statement that goes any other way ends the pipeline first, and from there on everything is as without one.
    """
    info = conn.info
    driver: Any = conn.connection.driver_connection
    statements = info.get(_STATEMENTS)
    if statements is None:
        statements = info[_STATEMENTS] = Statements(driver)
    with Pipeline(driver, statements) as pipeline:
        info[_PIPELINE] = pipeline  # closed, it says nothing to the next who gets this connection
        yield


def _pipeline_of(conn: Connection) -> Pipeline | None:
    pipeline: Pipeline | None = conn.info.get(_PIPELINE)
    return pipeline if pipeline is not None and pipeline.is_open else None


def end_pipeline(conn: Connection) -> None:
    """Wait for what was sent on this connection, if it is in a pipeline."""
    pipeline = _pipeline_of(conn)
    if pipeline is not None:
        with _told(conn, "(pipeline)"):
            pipeline.end()


def conclude(conn: Connection) -> None:
    """Before a commit: on a pipeline, make it durable with the last statements sent. Raises where a failure was passed over.

    PostgreSQL rolls back what has failed and answers COMMIT without an error.
    """
    pipeline = _pipeline_of(conn)
    if pipeline is not None:
        with _told(conn, "COMMIT"):
            pipeline.commit()
    elif conn.dialect.name == "postgresql":
        driver: Any = conn.connection.driver_connection
        with _told(conn, "COMMIT"):
            require_whole(driver)


def statement(conn: Connection, sql: str) -> None:
    """A statement without parameters or rows, such as a savepoint."""
    end_pipeline(conn)
    with _cursor(conn, sql) as cursor:
        cursor.execute(sql)


@contextmanager
def taken_back(conn: Connection) -> Iterator[None]:
    """Whatever is done inside is undone at its end: to say what it would do."""
    statement(conn, "SAVEPOINT taken_back")
    try:
        yield
    finally:
        statement(conn, "ROLLBACK TO SAVEPOINT taken_back")
        statement(conn, "RELEASE SAVEPOINT taken_back")


class _told:  # noqa: N801  used as a function
    """The driver's errors become SQLAlchemy's."""

    __slots__ = ("_conn", "_sql")

    def __init__(self, conn: Connection, sql: str) -> None:
        self._conn = conn
        self._sql = sql

    def __enter__(self) -> Any:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        dialect: Any = self._conn.dialect
        if error is None or not isinstance(error, dialect.loaded_dbapi.Error):
            return
        lost = dialect.is_disconnect(error, self._conn.connection, None)
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


class _cursor(_told):  # noqa: N801  used as a function
    """A cursor of the driver for the length of a with; the driver's errors become SQLAlchemy's."""

    __slots__ = ("_cursor",)

    def __enter__(self) -> Any:
        connection: Any = self._conn.connection.driver_connection
        raw = getattr(self._conn.dialect.loaded_dbapi, "RawCursor", None)
        self._cursor: Any = connection.cursor() if raw is None else raw(connection)
        return self._cursor

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self._cursor.close()
        super().__exit__(kind, error, trace)
