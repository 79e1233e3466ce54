"""The database: one engine, reading and writing on SQLite and on PostgreSQL."""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DatabaseError, DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from server import problems, sqlite_functions
from server.prepared import conclude, end_pipeline, pipelined, statement
from server.settings import Settings

T = TypeVar("T")
GROUP: Final = 64
"""Writing actions that may share one commit on SQLite."""
ATTEMPTS: Final = 4
"""How often a writing action runs when another one took its place meanwhile (two identical submissions at once)."""
_STOP: Final = object()


class Again(Exception):
    """Raised by writing work that wants to run again from the beginning, this time with more care."""


class Database:
    """Where everything is kept.

    `read` and `write` run a piece of work with a connection inside a transaction and give what it returns. Work may run more
    than once (it is rolled back first), so it must do nothing but talk to the database. On SQLite writing work runs on one
    thread, each piece inside a savepoint, and a group commits together before anyone gets an answer; on PostgreSQL each piece
    has its own transaction. A database that cannot be reached or stays locked is Problem 503.1.
    """

    def __init__(self, settings: Settings) -> None:
        url = make_url(settings.database)
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(settings) if self.is_sqlite else _postgresql_engine(settings)
        self._wait = settings.database_wait
        self._writer = _Writer(self.engine) if self.is_sqlite else None

    def read(self, work: Callable[[Connection], T]) -> T:
        """What `work` returns, from one consistent state of the database."""
        with _unavailable_told(self.engine), self.engine.connect() as conn, conn.begin() as transaction:
            try:
                return work(conn)
            finally:
                transaction.rollback()

    @contextmanager
    def reading(self, *, spill: bool = False) -> Iterator[Connection]:
        """A connection for an answer that is streamed; one consistent state until it is closed.

        `spill`: many rows are sorted, or large temporary tables made, which SQLite then keeps in a file.
        """
        with _unavailable_told(self.engine), self.engine.connect() as plain:
            conn = plain if self.is_sqlite else plain.execution_options(isolation_level="REPEATABLE READ")
            if spill and self.is_sqlite:
                _keep_temporary(conn, "FILE")
            with conn.begin() as transaction:
                try:
                    yield conn
                finally:
                    transaction.rollback()
            if spill and self.is_sqlite:
                _keep_temporary(conn, "MEMORY")

    def write(self, work: Callable[[Connection], T]) -> T:
        """What `work` returned, once it is durable."""
        with _unavailable_told(self.engine):
            for attempt in range(ATTEMPTS):
                try:
                    if self._writer is not None:
                        return self._writer.run(work)
                    return self._write_together(work) if attempt == 0 else self._write_in_steps(work)
                except (IntegrityError, Again):
                    if attempt == ATTEMPTS - 1:
                        raise
        raise AssertionError

    def _write_together(self, work: Callable[[Connection], T]) -> T:
        """The first run on PostgreSQL: statements whose answers nobody needs are sent together, the commit with the last.

        An error may show later than its cause, so the work then runs again, each statement waited for.
        """
        try:
            with self.engine.connect() as conn, conn.begin(), pipelined(conn):
                result = work(conn)
                conclude(conn)
        except DBAPIError as error:
            if error.connection_invalidated:
                raise
            raise Again from error
        return result

    def _write_in_steps(self, work: Callable[[Connection], T]) -> T:
        with self.engine.begin() as conn:
            result = work(conn)
            conclude(conn)
        return result

    def close(self) -> None:
        """Finish what is being written and let go of every connection."""
        if self._writer is not None:
            self._writer.close()
        self.engine.dispose()


class _Writer:
    """The one thread that writes to SQLite."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="tejido-writer", daemon=True)
        self._starting = threading.Lock()

    def run(self, work: Callable[[Connection], T]) -> T:
        if threading.current_thread() is self._thread:
            raise RuntimeError("a writing action must not start another one")
        self._start()
        future: Future[T] = Future()
        self._queue.put((work, future))
        return future.result()

    def close(self) -> None:
        if self._thread.is_alive():
            self._queue.put(_STOP)
            self._thread.join()

    def _start(self) -> None:
        if not self._thread.is_alive():
            with self._starting:
                if not self._thread.is_alive():
                    self._thread.start()

    def _serve(self) -> None:
        while True:
            job = self._queue.get()
            group = []
            while job is not _STOP:
                group.append(job)
                if len(group) == GROUP:
                    break
                try:
                    job = self._queue.get_nowait()
                except queue.Empty:
                    break
            if group:
                self._write(group)
            if job is _STOP:
                return

    def _write(self, group: list[tuple[Callable[[Connection], Any], Future[Any]]]) -> None:
        answers: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            with self._engine.connect().execution_options(tejido_writes=True) as conn, conn.begin():
                for work, future in group:
                    statement(conn, "SAVEPOINT piece")
                    try:
                        result = work(conn)
                    except BaseException as error:  # told to the one who asked
                        statement(conn, "ROLLBACK TO piece")
                        answers.append((future, None, error))
                    else:
                        answers.append((future, result, None))
                    statement(conn, "RELEASE piece")
        except BaseException as error:  # nothing of this group is durable: everyone is told
            for _, future in group:
                future.set_exception(error)
            return
        for future, result, failure in answers:
            if failure is not None:
                future.set_exception(failure)
            else:
                future.set_result(result)


def is_about_values(error: DBAPIError) -> bool:
    """Whether a statement failed for a value that it computed with: too large, of no type, beyond what a pattern may take.

    SQLSTATE classes 22 (data exceptions), 2201B and 54 (program limits), P0001 (raised by a function); on SQLite what one of
    our functions raised, and values too big.
    """
    if error.connection_invalidated:
        return False
    code = getattr(error.orig, "sqlstate", None)
    if code is not None:
        return code[:2] in ("22", "54") or code == "P0001"
    if isinstance(error.orig, sqlite3.Error):
        told = str(error.orig)
        return isinstance(error, DataError) or "user-defined function" in told or "integer overflow" in told
    return False


def _is_unencodable(error: DBAPIError) -> bool:
    """Whether a text cannot be kept as it is: a NUL in it, or half a character."""
    code = getattr(error.orig, "sqlstate", None)
    return code in ("22021", "22P05") or (code is None and isinstance(error, DataError) and "NUL" in str(error.orig))


@contextmanager
def _unavailable_told(engine: Engine) -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise problems.unavailable("database: every connection is busy") from error
    except DBAPIError as error:
        if error.connection_invalidated:
            engine.dispose()  # the other idle connections went with it
            raise problems.unavailable("database: connection lost") from error
        if _is_unencodable(error):
            raise problems.not_storable() from error
        if is_about_values(error):
            raise  # neither the request nor the database is to blame: it is logged as what was not foreseen
        if isinstance(error, OperationalError | InterfaceError) or type(error) is DatabaseError:  # the last: malformed
            raise problems.unavailable(f"database: {type(error).__name__}") from error
        raise


def _sqlite_engine(settings: Settings) -> Engine:
    url = make_url(settings.database)
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        connect_args={"timeout": settings.database_wait, "check_same_thread": False},
        pool_size=settings.threads + 2,
        max_overflow=4,
        pool_timeout=settings.database_wait,
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
            _pragma(connection, pragma, settings.database_wait)
        sqlite_functions.register(connection)

    @event.listens_for(engine, "begin")
    def _begin(conn: Connection) -> None:
        writes = conn.get_execution_options().get("tejido_writes", False)
        conn.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _keep_temporary(conn: Connection, where: str) -> None:
    """Outside of any transaction: what SQLite keeps for itself stands in a file or in memory."""
    driver: Any = conn.connection.dbapi_connection
    driver.execute(f"PRAGMA temp_store={where}").close()


def _pragma(connection: sqlite3.Connection, pragma: str, wait: int) -> None:
    """Switching to WAL asks for the whole file and does not wait by itself."""
    until = time.monotonic() + wait
    while True:
        try:
            connection.execute(f"PRAGMA {pragma}")
        except sqlite3.OperationalError as error:
            if time.monotonic() > until:
                raise problems.unavailable(f"database: {error}") from error
            time.sleep(0.02)
        except sqlite3.DatabaseError as error:  # the file is damaged, or no database at all
            raise problems.unavailable(f"database: {error}") from error
        else:
            return


def _postgresql_engine(settings: Settings) -> Engine:
    engine = create_engine(
        settings.database,
        connect_args={
            "connect_timeout": settings.database_wait,
            "options": "-c timezone=UTC",
            "prepare_threshold": None,  # pipelines prepare what runs often; at a rollback the driver would let go of theirs
        },
        pool_size=settings.threads + 2,
        max_overflow=4,
        pool_timeout=settings.database_wait,
        pool_pre_ping=False,
        pool_recycle=1800,
    )

    @event.listens_for(engine, "before_cursor_execute")
    def _alone(conn: Connection, *_: Any) -> None:
        end_pipeline(conn)

    return engine
