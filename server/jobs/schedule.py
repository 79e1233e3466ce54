"""The schedule: work that a serving process does by itself from time to time."""

from __future__ import annotations

import threading
from datetime import date
from functools import partial
from types import TracebackType
from typing import Final

import structlog

from forms.problems import Problem
from server.actions import entity_purging, entity_receiving, flags, projects, withdrawal_list, withdrawals
from server.actions.following import retry_failures
from server.actions.identity import CONSOLE
from server.actions.indicator_values import keep_values, prepare_values
from server.context import Office

RETRY_SECONDS: Final = 300
FIRST_SECONDS: Final = 15
"""After a start phones come first."""
log = structlog.get_logger("tejido")


class Schedule:
    """A thread that, soon after the start and then every five minutes, tries again what failed to follow from a submission,
    keeps the indicator values that tools of analysis read, where there are other records since, and looks through forms with
    many more records than when their medians were computed. Updates of entities that waited too long for what came before
    them are applied. What withdrawals of consent left to do is done. Once a day (UTC) entities that were deleted long ago are
    removed for good."""

    def __init__(self, office: Office, *, seconds: float = RETRY_SECONDS) -> None:
        self._office = office
        self._seconds = seconds
        self._purged: date | None = None
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
        pause = min(FIRST_SECONDS, self._seconds)
        while not self._stop.wait(pause):
            pause = self._seconds
            for work in (
                self._retry,
                self._force_held,
                self._settle_withdrawals,
                self._keep_values,
                self._look_through,
                self._purge,
            ):
                try:
                    work()
                except Problem as problem:
                    log.warning("schedule", problem=problem.sentence.en)
                except Exception:
                    log.exception("schedule")

    def _retry(self) -> None:
        here = self._office
        tried = here.database.write(lambda conn: retry_failures(here.context(conn, CONSOLE)))
        if tried:
            log.info("retried", submissions=tried)

    def _force_held(self) -> None:
        here = self._office
        days = here.settings.backlog_days
        forced = here.act(partial(entity_receiving.force, days=days), lambda _: lambda: CONSOLE)
        if forced:
            log.info("forced", entities=forced)

    def _settle_withdrawals(self) -> None:
        done = self._office.act(withdrawals.settle, lambda _: lambda: CONSOLE)
        self._office.act(withdrawal_list.keep, lambda _: lambda: CONSOLE)
        if done:
            log.info("settled withdrawals", done=done)

    def _keep_values(self) -> None:
        here = self._office
        for project in here.database.read(lambda conn: projects.list_projects(here.context(conn, CONSOLE))):
            keep_for(here, project.id)

    def _look_through(self) -> None:
        here = self._office
        for project_id, form_id in here.database.read(lambda conn: flags.list_grown(here.context(conn, CONSOLE))):
            made = here.act(partial(flags.run, project_id=project_id, form_id=form_id), lambda _: lambda: CONSOLE)
            log.info("looked through", form=form_id, submissions=made.submissions)

    def _purge(self) -> None:
        here = self._office
        today = here.clock().date()
        if self._purged == today:
            return
        for dataset_id in here.database.read(lambda conn: entity_purging.list_due(here.context(conn, CONSOLE))):
            work = partial(entity_purging.purge_due, dataset_id=dataset_id)
            while purged := here.act(work, lambda _: lambda: CONSOLE):
                log.info("purged", dataset=dataset_id, entities=purged)
        self._purged = today


def keep_for(office: Office, project_id: int, *, always: bool = False) -> bool:
    """Keep a project's values for the view, computed without holding up anybody; gives whether there was need."""
    with office.database.reading() as conn:
        prepared = prepare_values(office.context(conn, CONSOLE), project_id, always=always)
    if prepared is None:
        return False
    office.act(lambda ctx: keep_values(ctx, prepared), lambda _: lambda: CONSOLE)
    return True
