"""Pipelines: the statements of one PostgreSQL transaction, sent together and waited for only where an answer is needed."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final

from psycopg import Connection, Error, errors, generators
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.waiting import Ready, Wait

KEPT: Final = 200
"""Statements that a connection keeps prepared; the least used are forgotten."""
_FAILED: Final = (ExecStatus.FATAL_ERROR, ExecStatus.PIPELINE_ABORTED)

_NOT_WHOLE: Final = "a statement of this transaction failed: it cannot be committed"


class Statements:
    """The names under which one connection has statements prepared, and what turns values into its parameters and back."""

    def __init__(self, driver: Connection[Any]) -> None:
        self.transformer = Transformer(
            driver
        )  # it remembers how each type is written, which costs more than the writing
        self._names: OrderedDict[str, bytes] = OrderedDict()
        self._count = 0

    def find(self, sql: str) -> bytes | None:
        """The name of a statement that is prepared, or that is being so."""
        name = self._names.get(sql)
        if name is not None:
            self._names.move_to_end(sql)
        return name

    def add(self, sql: str) -> tuple[bytes, bytes | None]:
        """A name for a new one, and one to let go of where there are too many."""
        self._count += 1
        name = self._names[sql] = b"tejido_%d" % self._count
        return name, self._names.popitem(last=False)[1] if len(self._names) > KEPT else None

    def forget(self, sql: str) -> None:
        """It could not be prepared after all."""
        self._names.pop(sql, None)


@dataclass(slots=True)
class Sent:
    """A statement on its way; `preparing` is the SQL that it prepares, if it does. `answer`: once it was waited for."""

    preparing: str | None = None
    answer: PGresult | None = None


class Pipeline:
    """One transaction, from BEGIN to COMMIT, in libpq's pipeline mode.

    `send` comes back at once; `receive` waits for everything sent and gives the rows of one statement. Errors are the
    driver's, that of the first statement which failed; after one, or after `end`, the connection is as without a pipeline,
    its transaction still open. Leaving the context ends what is not ended and tells nothing: whoever leaves without `commit`
    rolls back. This speaks to libpq itself, because the driver's own pipelines wait at every statement (`tests/bench`).
    Source: PostgreSQL, "libpq: Pipeline Mode".
    """

    def __init__(self, driver: Connection[Any], statements: Statements) -> None:
        self._driver = driver
        self._wire = driver.pgconn
        self._statements = statements
        self._transformer = statements.transformer
        self._sent: deque[Sent] = deque()
        self.is_open = False

    def __enter__(self) -> Pipeline:
        self._wire.enter_pipeline_mode()
        self.is_open = True
        self._ask(b"BEGIN")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(Error):
            self.end()

    def send(self, sql: str, values: Sequence[Any], formats: Sequence[PyFormat], types: Sequence[int]) -> Sent:
        """A statement with its parameters ($1…); `types` are their OIDs, 0 where the statement itself tells."""
        given = self._transformer.dump_sequence(values, formats)
        name = self._statements.find(sql)
        if name is None:
            name, old = self._statements.add(sql)
            self._wire.send_prepare(name, sql.encode(), types)
            self._sent.append(Sent(sql))
            if old is not None:
                self._ask(b"DEALLOCATE " + old)
        self._wire.send_query_prepared(name, given, self._transformer.formats)
        sent = Sent()
        self._sent.append(sent)
        return sent

    def receive(self, sent: Sent) -> list[tuple[Any, ...]]:
        """The rows that a statement gave; where they are not here yet, everything sent is waited for."""
        if sent.answer is None and self.is_open:
            try:
                self._wire.send_flush_request()
                self._answers()
            except Error:
                with suppress(Error):
                    self.end()
                raise
        answer = sent.answer
        if answer is None:
            raise errors.InFailedSqlTransaction(_NOT_WHOLE)
        self._transformer.set_pgresult(answer)
        return self._transformer.load_rows(0, answer.ntuples, tuple)

    def commit(self) -> None:
        """End the transaction with the same sending; on return it is durable."""
        self._ask(b"COMMIT")
        answer = self.end()
        if answer is None or answer.command_status != b"COMMIT":  # PostgreSQL answers ROLLBACK where something failed
            raise errors.InFailedSqlTransaction(_NOT_WHOLE)

    def end(self) -> PGresult | None:
        """Wait for everything sent and go on without a pipeline; gives the last answer there was."""
        if not self.is_open:
            return None
        self.is_open = False
        failure: Error | None = None
        answer = None
        self._wire.pipeline_sync()
        while self._sent:
            last = self._sent[-1]
            try:
                self._answers()
                answer = last.answer
            except Error as error:
                if self._wire.status == ConnStatus.BAD:
                    raise failure or error from None
                failure = failure or error
        self._driver.wait(generators.fetch_many(self._wire))  # what answers pipeline_sync
        self._wire.exit_pipeline_mode()
        if failure is not None:
            raise failure
        return answer

    def _ask(self, command: bytes) -> None:
        self._wire.send_query_params(command, None)
        self._sent.append(Sent())

    def _answers(self) -> None:
        """Wait for the answers to what was sent. Raises the first that is an error; those behind it are still to come."""
        self._driver.wait(self._fetched())

    def _fetched(self) -> Generator[Wait, Ready | int, None]:
        """One waiting for all answers: each begun anew would cost more than most of them take."""
        yield from generators.send(self._wire)
        while self._sent:
            (answer,) = yield from generators.fetch_many(self._wire)
            sent = self._sent.popleft()
            if answer.status in _FAILED:
                if sent.preparing is not None:
                    self._statements.forget(sent.preparing)
                if answer.status == ExecStatus.PIPELINE_ABORTED:
                    raise errors.PipelineAborted("a statement before this one failed")
                raise errors.error_from_result(answer, encoding=self._driver.info.encoding)
            sent.answer = answer


def require_whole(driver: Connection[Any]) -> None:
    """Raises InFailedSqlTransaction where a statement of the present transaction failed."""
    if driver.pgconn.transaction_status == TransactionStatus.INERROR:
        raise errors.InFailedSqlTransaction(_NOT_WHOLE)
