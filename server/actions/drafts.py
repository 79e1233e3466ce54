"""Drafts: a workbook uploaded, completed with its media, tried on a phone and published."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from forms import attachments, validate, workbook, xform
from forms.problems import Finding, Problem, Sentence, Severity, workbook_not_valid
from forms.schema import ExpectedAttachment, Schema
from server import credentials, problems
from server.access import require
from server.actions import consequences, following
from server.blobs.blobs import Blob
from server.context import Context
from server.model.forms import Form, FormAttachment, FormVersion
from server.store import form_attachments, forms, projects
from server.tables import ddl, registry

MAX_WORKBOOK: Final = 30_000_000
"""Bytes of a workbook or XForm."""
ITEMSETS: Final = "itemsets.csv"
Marks = dict[str, dict[str, Any]]
"""What the workbook says beside the form: `privacy` and `was` by path, `choices_were` by list and code."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A form that can be opened, and what was found on the way."""

    xml: bytes
    schema: Schema
    findings: tuple[Finding, ...]
    marks: Marks
    itemsets: bytes | None
    rows: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a file would do to its form.

    `against` is the published version that it is compared with (None: there is none), `same` says that it is that very
    version, `held` names the files that the form has already and would keep.
    """

    against: FormVersion | None
    same: bool
    held: frozenset[str]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A draft that was kept; `test_token` opens it to a phone and is shown only now.

    `attachments` are the files that it needs, as they were before any was attached.
    """

    form: Form
    version: FormVersion
    findings: tuple[Finding, ...]
    test_token: str
    attachments: tuple[FormAttachment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What publishing did. `again` says that this very version was published already.

    `findings` are the files that are missing, `changes` what became of the version before, as uploading said it.
    """

    form: Form
    version: FormVersion
    findings: tuple[Finding, ...]
    changes: tuple[Finding, ...]
    again: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarded:
    """A draft that was thrown away, and the version that stays published (None: there never was one)."""

    version: FormVersion
    published: FormVersion | None


def check(data: bytes, filename: str, *, java: Path | None = None) -> Checked:
    """Read a workbook (.xlsx, .xls, .md) or an XForm (.xml) with every check there is; raises Problem 400.15 or 400.1.

    Needs no permission: nothing of the office is touched.
    """
    if len(data) > MAX_WORKBOOK:
        raise problems.too_large(filename, MAX_WORKBOOK)
    if filename.lower().endswith(".xml"):
        schema = xform.read(data)
        return Checked(data, schema, _validated(data, java, {}), {}, None)
    compiled = workbook.compile(data, filename)
    schema = xform.read(compiled.xml)
    findings = (*compiled.findings, *_validated(compiled.xml, java, compiled.rows))
    marks: Marks = {
        "privacy": {path: mark.privacy for path, mark in compiled.marks.items() if mark.privacy},
        "was": {path: mark.was for path, mark in compiled.marks.items() if mark.was},
        "choices_were": {name: dict(codes) for name, codes in compiled.choices_were.items()},
    }
    return Checked(compiled.xml, schema, findings, marks, compiled.itemsets, compiled.rows)


def compare(ctx: Context, project_id: int, checked: Checked) -> Comparison:
    """What uploading and publishing would say; nothing is changed. Who may do that may ask.

    Its errors are what publishing would refuse.
    """
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    form = forms.find_form(ctx.conn, project_id, checked.schema.form_id)
    require(ctx, "form.update" if form else "form.create", form or project)

    if form is None:
        return Comparison(against=None, same=False, held=frozenset(), findings=())
    against = forms.get_version(ctx.conn, form.current_version_id) if form.current_version_id else None
    like = form.draft_version_id or form.current_version_id
    held = form_attachments.list_attachments(ctx.conn, like) if like else []
    return Comparison(
        against=against,
        same=against is not None and against.sha256 == hashlib.sha256(checked.xml).hexdigest(),
        held=frozenset(file.name for file in held if file.sha256 is not None),
        findings=_foreseen(ctx, form, checked, taken="error"),
    )


def upload(ctx: Context, project_id: int, checked: Checked, *, original: Blob | None, name: str | None) -> Draft:
    """Make what was checked the draft of its form (a new form where the project has none of that id).

    `original` is the workbook, already among the blobs. The findings name what the new version does to stored data.
    """
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    form = forms.find_form(ctx.conn, project_id, checked.schema.form_id)
    require(ctx, "form.update" if form else "form.create", form or project)

    if form is None:
        form_id = forms.add_form(
            ctx.conn, project_id=project_id, xml_form_id=checked.schema.form_id, created_at=ctx.now()
        )
        form = forms.get_form(ctx.conn, form_id)
    findings = (*checked.findings, *_foreseen(ctx, form, checked, taken="warning"))
    token = credentials.new_token()
    version_id = forms.add_version(
        ctx.conn,
        form_id=form.id,
        version=checked.schema.version,
        title=checked.schema.title,
        xml=checked.xml,
        md5=hashlib.md5(checked.xml, usedforsecurity=False).hexdigest(),
        sha256=hashlib.sha256(checked.xml).hexdigest(),
        workbook_sha256=original.sha256 if original else None,
        workbook_name=name,
        marks=checked.marks,
        draft_token_hash=credentials.token_hash(token),
        created_at=ctx.now(),
    )
    _expect_attachments(ctx, form, version_id, checked)
    forms.change_form(ctx.conn, form.id, draft_version_id=version_id, updated_at=ctx.now())

    ctx.record("form.update.draft.set", project_id=project_id, form_id=form.id, details={"versionId": version_id})
    return Draft(
        form=forms.get_form(ctx.conn, form.id),
        version=forms.get_version(ctx.conn, version_id),
        findings=findings,
        test_token=token,
        attachments=tuple(form_attachments.list_attachments(ctx.conn, version_id)),
    )


def attach(ctx: Context, project_id: int, form_id: str, name: str, blob: Blob, *, content_type: str) -> bool:
    """Give the draft a file that it expects; gives whether it expects one of that name."""
    form = _drafted(ctx, project_id, form_id)
    require(ctx, "form.update", form)
    attachment = form_attachments.find_attachment(ctx.conn, form.draft_version_id or 0, name)
    if attachment is None:
        return False
    form_attachments.fill(
        ctx.conn,
        attachment.id,
        sha256=blob.sha256,
        md5=blob.md5,
        size=blob.size,
        content_type=content_type,
        when=ctx.now(),
    )

    ctx.record("form.attachment.update", project_id=project_id, form_id=form.id, details={"name": name})
    return True


def publish(
    ctx: Context, project_id: int, form_id: str, *, progress: Callable[[int, int], None] | None = None
) -> Published:
    """Make the draft the published version: phones get it, the typed tables are widened for it.

    The same content published again under the same version is no error: only its media can be new. Other content under a
    version that phones may hold already is Problem 409.6. `progress` is told (done, all) where
    stored rows must be written again. Raises Problem 503.1 where somebody's reading holds up a typed table.
    """
    form = _drafted(ctx, project_id, form_id)
    require(ctx, "form.update", form)
    with ddl.waiting(ctx.conn, seconds=ctx.settings.database_wait, form_id=form_id):
        return _publish(ctx, forms.hold_for_change(ctx.conn, form.id), progress)


def _publish(ctx: Context, form: Form, progress: Callable[[int, int], None] | None) -> Published:
    form_id, project_id = form.xml_form_id, form.project_id
    if form.draft_version_id is None:  # somebody else has just published it
        raise problems.no_draft(form_id)
    draft = forms.get_version(ctx.conn, form.draft_version_id)
    held = forms.find_published(ctx.conn, form.id, draft.version)
    taken = _version_taken(form, held, draft.sha256)
    if taken is not None:
        raise taken
    missing = attachments.missing(
        file.name for file in form_attachments.list_attachments(ctx.conn, draft.id) if file.sha256 is None
    )
    if held is not None:
        return _publish_again(ctx, form, held, draft, missing)

    schema = registry.schema_of(ctx.conn, draft)
    foreseen = consequences.foresee(ctx, form, schema, draft.marks, {})
    refusals = [finding for finding in foreseen.findings if finding.severity == "error"]
    if refusals:
        raise workbook_not_valid(refusals)
    widening = foreseen.widening
    stored = registry.store(ctx.conn, form.id, widening)
    ddl.apply(ctx.conn, widening, stored)
    forms.change_version(ctx.conn, draft.id, published_at=ctx.now(), draft_token_hash=None)
    forms.change_form(ctx.conn, form.id, current_version_id=draft.id, draft_version_id=None, updated_at=ctx.now())
    if widening.rewrites:
        following.tabulate_all(ctx, form.id, progress=progress)

    ctx.record("form.update.publish", project_id=project_id, form_id=form.id, details={"versionId": draft.id})
    return Published(
        form=forms.get_form(ctx.conn, form.id),
        version=forms.get_version(ctx.conn, draft.id),
        findings=missing,
        changes=foreseen.findings,
        again=False,
    )


def discard(ctx: Context, project_id: int, form_id: str) -> Discarded:
    """Throw the draft away; the published version stays, and what was sent to try the draft is kept.

    A form that was never published is put away with its only draft. Raises Problem 404.1 where there is no draft.
    """
    form = _drafted(ctx, project_id, form_id)
    require(ctx, "form.update", form)
    if form.current_version_id is None:
        require(ctx, "form.delete", form)
    form = forms.hold_for_change(ctx.conn, form.id)
    if form.draft_version_id is None:  # somebody else has just published or discarded it
        raise problems.no_draft(form_id)

    draft = forms.get_version(ctx.conn, form.draft_version_id)
    _drop_draft(ctx, form, draft)
    if form.current_version_id is None:
        forms.change_form(ctx.conn, form.id, deleted_at=ctx.now())

    ctx.record("form.update.draft.delete", project_id=project_id, form_id=form.id, details={"versionId": draft.id})
    return Discarded(
        version=draft,
        published=forms.get_version(ctx.conn, form.current_version_id) if form.current_version_id else None,
    )


def list_drafts(ctx: Context, project_id: int) -> dict[int, FormVersion]:
    """The drafts of a project's living forms, by the form's row id."""
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    require(ctx, "form.update", project)

    return {version.form_id: version for version in forms.list_drafts(ctx.conn, project_id)}


def get_draft(ctx: Context, project_id: int, form_id: str, token: str) -> tuple[Form, FormVersion]:
    """The draft that a test token opens; the token is the permission. Raises Problem 404.4."""
    form = forms.find_form(ctx.conn, project_id, form_id)
    version = forms.find_draft_by_token(ctx.conn, form.id, credentials.token_hash(token)) if form else None
    if form is None or version is None:
        raise problems.draft_gone()
    return form, version


def get_draft_xml(ctx: Context, project_id: int, form_id: str, token: str) -> tuple[FormVersion, bytes]:
    """The XML of the draft that a test token opens."""
    _, version = get_draft(ctx, project_id, form_id, token)
    return version, forms.get_xml(ctx.conn, version.id)


def list_draft_attachments(ctx: Context, project_id: int, form_id: str, token: str) -> list[FormAttachment]:
    """The files of the draft that a test token opens."""
    _, version = get_draft(ctx, project_id, form_id, token)
    return form_attachments.list_attachments(ctx.conn, version.id)


def _validated(xml: bytes, java: Path | None, rows: dict[str, int] | object) -> tuple[Finding, ...]:
    found = validate.find_java(java)
    if found is None:
        return (validate.not_checked(java),)
    return validate.validate(xml, found, rows=rows if isinstance(rows, dict) else None)


def _foreseen(ctx: Context, form: Form, checked: Checked, *, taken: Severity) -> tuple[Finding, ...]:
    """What the version does to the form; a version string that is taken is as severe as `taken`."""
    foreseen = consequences.foresee(ctx, form, checked.schema, checked.marks, checked.rows)
    held = forms.find_published(ctx.conn, form.id, checked.schema.version)
    problem = _version_taken(form, held, hashlib.sha256(checked.xml).hexdigest())
    if problem is None:
        return foreseen.findings
    told = Sentence(problem.say("es"), problem.say("en"))
    return (Finding(severity=taken, sentence=told, sheet="settings", column="version"), *foreseen.findings)


def _version_taken(form: Form, held: FormVersion | None, sha256: str) -> Problem | None:
    """Problem 409.6 where `held`, the published version of the same string, is other content or no longer current."""
    if held is None or (held.sha256 == sha256 and held.id == form.current_version_id):
        return None
    return problems.version_taken(form.xml_form_id, held.version)


def _expect_attachments(ctx: Context, form: Form, version_id: int, checked: Checked) -> None:
    expected = list(checked.schema.attachments)
    if checked.itemsets is not None and all(entry.name != ITEMSETS for entry in expected):
        expected.append(ExpectedAttachment(name=ITEMSETS, type="file"))
    form_attachments.expect(ctx.conn, version_id, expected, like=form.draft_version_id or form.current_version_id)
    if checked.itemsets is not None:
        blob = ctx.blobs.put(BytesIO(checked.itemsets))
        file = form_attachments.find_attachment(ctx.conn, version_id, ITEMSETS)
        if file is not None:
            form_attachments.fill(
                ctx.conn,
                file.id,
                sha256=blob.sha256,
                md5=blob.md5,
                size=blob.size,
                content_type="text/csv",
                when=ctx.now(),
            )


def _drafted(ctx: Context, project_id: int, form_id: str) -> Form:
    form = forms.find_form(ctx.conn, project_id, form_id)
    if form is None:
        raise problems.no_form(form_id)
    if form.draft_version_id is None:
        raise problems.no_draft(form_id)
    return form


def _publish_again(
    ctx: Context, form: Form, held: FormVersion, draft: FormVersion, missing: tuple[Finding, ...]
) -> Published:
    """The very same form: phones see new media by their hashes, everything else stays."""
    for file in form_attachments.list_attachments(ctx.conn, draft.id):
        place = form_attachments.find_attachment(ctx.conn, held.id, file.name)
        if place is not None and file.sha256 is not None and place.sha256 != file.sha256:
            form_attachments.fill(
                ctx.conn,
                place.id,
                sha256=file.sha256,
                md5=file.md5 or "",
                size=file.size or 0,
                content_type=file.content_type or "application/octet-stream",
                when=ctx.now(),
            )
            ctx.record(
                "form.attachment.update", project_id=form.project_id, form_id=form.id, details={"name": file.name}
            )
    _drop_draft(ctx, form, draft)
    return Published(form=forms.get_form(ctx.conn, form.id), version=held, findings=missing, changes=(), again=True)


def _drop_draft(ctx: Context, form: Form, draft: FormVersion) -> None:
    """Its token opens nothing from then on; its row stays, since submissions may have tried it."""
    forms.change_form(ctx.conn, form.id, draft_version_id=None, updated_at=ctx.now())
    forms.change_version(ctx.conn, draft.id, draft_token_hash=None)
