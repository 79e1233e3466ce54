"""Consents: what an arriving instance's own answers allow to be kept of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forms import consent, redaction
from forms import instance as instances
from forms.consent import Allowed, Guard, Withheld
from forms.instance import Instance
from forms.receipt import Held
from server.access import require
from server.context import Context
from server.model.forms import Form
from server.store import forms, submissions, withheld
from server.tables import registry


@dataclass(frozen=True, slots=True)
class _Rules:
    guards: tuple[Guard, ...] = ()
    repeats: frozenset[str] = frozenset()
    media: frozenset[str] = frozenset()


def allow(ctx: Context, form: Form, form_version_id: int | None, instance: Instance) -> Allowed:
    """What of `instance` may be kept, by the consents that its version and the form's other versions declare.

    Runs before anything of it is stored, inside an action that has asked.
    """
    rules = _rules(ctx, form, form_version_id)
    return consent.allow(instance, rules.guards, repeats=rules.repeats, media=rules.media)


def guards(ctx: Context, form: Form, form_version_id: int | None) -> bool:
    """Whether any consent decides what of an instance of this version may be kept. Runs inside an action that has asked."""
    return bool(_rules(ctx, form, form_version_id).guards)


def recognise(ctx: Context, form: Form, form_version_id: int | None, held: Held, arriving: Instance) -> bool:
    """Whether `arriving` (what may be kept of it) is the version `held`, which other rules may have cut down when it came."""
    if held.fingerprint == arriving.fingerprint:
        return True
    rules = _rules(ctx, form, form_version_id)
    if not rules.guards or arriving.encrypted:
        return False
    kept = instances.read(submissions.get_xml(ctx.conn, held.version_id))
    if arriving.came_as is not None and kept.root.get(redaction.ON) is not None:
        return True  # both were cut down further since a person took back the consent
    return consent.same(kept, arriving, rules.guards, repeats=rules.repeats)


def denied(ctx: Context, form: Form, submission_id: int) -> frozenset[str]:
    """The places of a submission whose answers its newest version does not allow to be kept, whatever earlier ones said."""
    require(ctx, "submission.read", form)
    current = submissions.get_current(ctx.conn, submission_id)
    rules = _rules(ctx, form, current.form_version_id)
    if not rules.guards or current.encrypted:
        return frozenset()
    return consent.denied(instances.read(submissions.get_xml(ctx.conn, current.id)), rules.guards)


def note(ctx: Context, form: Form, submission_id: int, version_id: int, taken: Sequence[Withheld]) -> None:
    """Write down what was not kept of a version, and why. Inside an action that has asked."""
    withheld.add(ctx.conn, version_id, taken, ctx.now())
    ctx.record(
        "submission.withhold",
        project_id=form.project_id,
        form_id=form.id,
        submission_id=submission_id,
        details={"fields": [{"path": one.path, "consent": one.question, "answers": one.count} for one in taken]},
    )


def _rules(ctx: Context, form: Form, form_version_id: int | None) -> _Rules:
    key = ("consent", form.id, form.layout_revision, form.current_version_id, form_version_id)
    return registry.remember(ctx.conn, key, lambda: _read(ctx, form, form_version_id))


def _read(ctx: Context, form: Form, form_version_id: int | None) -> _Rules:
    published = forms.list_published(ctx.conn, form.id)
    others = [guard for one in published for guard in consent.from_json(one.marks.get("consent", {}))]
    known = form_version_id or form.current_version_id
    if known is None:
        return _Rules()
    version = forms.get_version(ctx.conn, known)
    own = consent.from_json(version.marks.get("consent", {}))
    if not own and not others:
        return _Rules()
    schema = registry.schema_of(ctx.conn, version)
    return _Rules(
        consent.over_versions(own, others, schema if form_version_id is not None else None),
        frozenset(entry.path for entry in schema.fields if entry.kind == "repeat"),
        frozenset(entry.path for entry in schema.fields if entry.type == "binary"),
    )
