"""The schedule: work that a serving process does by itself from time to time."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Final

import structlog

from forms.problems import Problem
from server.actions.following import retry_failures
from server.actions.identity import CONSOLE
from server.context import Office

RETRY_SECONDS: Final = 300
log = structlog.get_logger("tejido")


class Schedule:
    """A thread that tries again, every five minutes, what failed to follow from a submission."""

    def __init__(self, office: Office, *, seconds: float = RETRY_SECONDS) -> None:
        self._office = office
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tejido-schedule", daemon=True)

    def __enter__(self) -> Schedule:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        here = self._office
        while not self._stop.wait(self._seconds):
            try:
                tried = here.database.write(lambda conn: retry_failures(here.context(conn, CONSOLE)))
            except Problem as problem:
                log.warning("schedule", problem=problem.sentence.en)
            except Exception:
                log.exception("schedule")
            else:
                if tried:
                    log.info("retried", submissions=tried)
