"""Checks: what they find in a submission that arrives, and in every one when they change."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from forms import audit_log
from forms.instance import Instance
from forms.schema import Schema
from server.cleaning.checker import Checker
from server.cleaning.rules import Rule, digests
from server.context import Context
from server.indicators import book as books
from server.indicators import catalogue
from server.indicators.checking import rules_of
from server.model.forms import Form
from server.store import checks, forms, projects, submissions
from server.store.checks import Log
from server.store.flags import Settled
from server.tables import registry

NO_SCHEMA: Final = Schema(form_id="", version="", title="", root="", fields=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What looking through a form did: how many submissions and checks there are, and what became of the flags."""

    submissions: int
    checks: int
    settled: Settled


def judge(
    ctx: Context,
    form: Form,
    submission_id: int,
    *,
    instance: Instance,
    received_at: datetime,
    fresh: bool,
    corrected: bool = False,
) -> None:
    """Let the flags of a submission follow from its typed rows. Runs inside an action that has asked."""
    checker = checker_of(ctx, form)
    if fresh and checker.is_quiet(instance, received_at):
        return
    if checker.is_timed:
        _sum_up(ctx, form, submission_id)
    checker.judge(ctx.conn, submission_id, now=ctx.now(), fresh=fresh, corrected=corrected)


def forget(ctx: Context, form: Form, submission_id: int) -> None:
    """A submission is no more among the records. Runs inside an action that has asked."""
    checker_of(ctx, form).forget(ctx.conn, submission_id, now=ctx.now())
    checks.forget_log(ctx.conn, submission_id)


def checker_of(ctx: Context, form: Form) -> Checker:
    """What judges a form's submissions."""
    key = ("checks", form.id, form.layout_revision)
    return registry.remember(ctx.conn, key, lambda: _checker(ctx, form))


def renew(ctx: Context, project_id: int, *, rewritten: int | None = None) -> None:
    """Look through every form of a project whose checks are others than those that it was looked through with (`rewritten`:
    whose typed rows are). The gate was taken by the action that asks, which holds the project."""
    for form in sorted(forms.list_forms(ctx.conn, project_id), key=lambda form: form.id):
        if form.current_version_id is None:
            continue
        now = digests(_rules(ctx, form))
        plan = checks.find_plan(ctx.conn, form.id)
        before = dict(plan.digests) if plan is not None else {}
        if before != now:
            forms.hold_for_change(ctx.conn, form.id)
            forms.change_form(ctx.conn, form.id, layout_revision=secrets.token_hex(8))
            form = forms.get_form(ctx.conn, form.id)
        if before != now or (rewritten == form.id and now):
            look_through(ctx, form)


def count_compared(ctx: Context, form: Form) -> int | None:
    """How many submissions a form had when its medians were last computed; None where no check needs any. Runs inside an
    action that has asked."""
    plan = checks.find_plan(ctx.conn, form.id)
    if plan is None or form.current_version_id is None or not checker_of(ctx, form).compares:
        return None
    return plan.submissions


def look_through(ctx: Context, form: Form) -> Run:
    """Let the flags of every submission of a form follow, which is held. Runs inside an action that has asked."""
    checker = checker_of(ctx, form)
    if checker.is_timed:
        for submission_id, sha256 in checks.list_unsummed(ctx.conn, form.id, audit_log.NAME):
            _keep_log(ctx, form, submission_id, sha256)
    settled = checker.judge_all(ctx.conn, now=ctx.now())
    told = digests(checker.rules)
    count = submissions.count(ctx.conn, form.id)
    checks.keep_plan(ctx.conn, form.id, told, count=count, when=ctx.now())
    return Run(submissions=count, checks=len(told), settled=settled)


def _checker(ctx: Context, form: Form) -> Checker:
    rules = _rules(ctx, form)
    schema = catalogue.view_of(ctx.conn, form).schema if rules else NO_SCHEMA
    return Checker(ctx.conn, registry.load(ctx.conn, form.id), schema, form.id, rules)


def _rules(ctx: Context, form: Form) -> tuple[Rule, ...]:
    project = projects.find_project(ctx.conn, form.project_id)
    if project is None or form.current_version_id is None:
        return ()
    declared = [kept.record for kept in books.load(ctx.conn, project).checks]
    return rules_of(catalogue.view_of(ctx.conn, form), declared)


def _sum_up(ctx: Context, form: Form, submission_id: int) -> None:
    """The audit log beside the current version, where it is another than the one that was summed up."""
    sha256 = checks.find_log_file(ctx.conn, submission_id, audit_log.NAME)
    if sha256 is None:
        checks.forget_log(ctx.conn, submission_id)
    elif checks.find_summed(ctx.conn, submission_id) != sha256:
        _keep_log(ctx, form, submission_id, sha256)


def _keep_log(ctx: Context, form: Form, submission_id: int, sha256: str) -> None:
    with ctx.blobs.open(sha256) as file:
        timing = audit_log.timing(audit_log.read(file.read()))
    log = Log(
        submission_id=submission_id,
        form_id=form.id,
        sha256=sha256,
        seconds=timing.seconds,
        screens=timing.screens,
        median_seconds=timing.median_seconds,
    )
    checks.keep_log(ctx.conn, log)
