"""Drafts: a workbook uploaded, completed with its media, tried on a phone and published."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from forms import attachments, privacy
from forms.problems import Finding, severest_first, workbook_not_valid
from forms.schema import ExpectedAttachment
from server import credentials, problems
from server.access import require
from server.actions import comparisons, consequences, datasets, following, logframes
from server.actions.workbooks import Checked
from server.blobs.blobs import Blob
from server.context import Context
from server.indicators import drafted
from server.indicators.declaring import Change
from server.indicators.workbook import Sheets
from server.model.forms import Form, FormAttachment, FormVersion
from server.model.projects import Project
from server.store import form_attachments, forms, projects
from server.tables import ddl, registry

ITEMSETS: Final = "itemsets.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A draft that was kept; `test_token` opens it to a phone and is shown only now.

    `attachments` are the files that it needs, as they were before any was attached; `lists` are those that are entity lists.
    """

    form: Form
    version: FormVersion
    findings: tuple[Finding, ...]
    test_token: str
    attachments: tuple[FormAttachment, ...]
    lists: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What publishing did. `again` says that this very version was published already.

    `findings` are the files that are missing, `changes` what became of the version before, as uploading said it, `declared`
    what became of the indicators and the rest that its workbook declares.
    """

    form: Form
    version: FormVersion
    findings: tuple[Finding, ...]
    changes: tuple[Finding, ...]
    again: bool
    declared: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarded:
    """A draft that was thrown away, and the version that stays published (None: there never was one)."""

    version: FormVersion
    published: FormVersion | None


def upload(ctx: Context, project_id: int, checked: Checked, *, original: Blob | None, name: str | None) -> Draft:
    """Make what was checked the draft of its form (a new form where the project has none of that id).

    `original` is the workbook, already among the blobs. The findings name what the new version does to stored data and to
    indicators. Raises Problem 400.15 where the workbook has indicator sheets that cannot be read.
    """
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    form = forms.find_form(ctx.conn, project_id, checked.schema.form_id)
    require(ctx, "form.update" if form else "form.create", form or project)

    if checked.sheets is not None and any(finding.severity == "error" for finding in checked.sheets.findings):
        raise workbook_not_valid(checked.findings)
    if form is None:
        form_id = forms.add_form(
            ctx.conn, project_id=project_id, xml_form_id=checked.schema.form_id, created_at=ctx.now()
        )
        form = forms.get_form(ctx.conn, form_id)
    datasets.check_declared(ctx, project, checked.schema)
    findings = (*checked.findings, *comparisons.foresee(ctx, project, form, checked, taken="warning"))
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
        declarations=drafted.to_json(checked.sheets) if checked.sheets is not None else None,
        draft_token_hash=credentials.token_hash(token),
        created_at=ctx.now(),
    )
    _expect_attachments(ctx, form, version_id, checked)
    datasets.link(ctx, project, (entry.name for entry in checked.schema.attachments))
    forms.change_form(ctx.conn, form.id, draft_version_id=version_id, updated_at=ctx.now())

    ctx.record("form.update.draft.set", project_id=project_id, form_id=form.id, details={"versionId": version_id})
    held = tuple(form_attachments.list_attachments(ctx.conn, version_id))
    declared = {f"{one.dataset}.csv" for one in checked.schema.entities}
    return Draft(
        form=forms.get_form(ctx.conn, form.id),
        version=forms.get_version(ctx.conn, version_id),
        findings=findings,
        test_token=token,
        attachments=held,
        lists=frozenset(file.name for file in held if file.dataset_id is not None or file.name in declared),
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

    What its workbook declares is in force from then on, in place of what the version before declared. The same content
    published again under the same version is no error: only its media and what its indicator sheets say can be new. Other
    content under a version that phones may hold already is Problem 409.6. `progress` is told (done, all) where stored rows
    must be written again. Raises Problem 503.1 where somebody's reading holds up a typed table.
    """
    form = _drafted(ctx, project_id, form_id)
    require(ctx, "form.update", form)
    with ddl.waiting(ctx.conn, seconds=ctx.settings.database_wait, form_id=form_id):
        project = projects.hold_for_change(ctx.conn, project_id)  # before the form, as whoever takes a logframe does
        return _publish(ctx, project, forms.hold_for_change(ctx.conn, form.id), progress)


def _publish(ctx: Context, project: Project, form: Form, progress: Callable[[int, int], None] | None) -> Published:
    form_id, project_id = form.xml_form_id, form.project_id
    if form.draft_version_id is None:  # somebody else has just published it
        raise problems.no_draft(form_id)
    draft = forms.get_version(ctx.conn, form.draft_version_id)
    held = forms.find_published(ctx.conn, form.id, draft.version)
    taken = comparisons.version_taken(form, held, draft.sha256)
    if taken is not None:
        raise taken
    kept = forms.get_declarations(ctx.conn, draft.id)
    sheets = drafted.from_json(kept) if kept is not None else None
    if held is not None:
        return _publish_again(ctx, project, form, held, draft, sheets)

    schema = registry.schema_of(ctx.conn, draft)
    foreseen = consequences.foresee(ctx, form, schema, draft.marks, {})
    declared = consequences.foresee_declarations(
        ctx, project, form, schema, draft.marks, sheets, standing=foreseen.widening.layout
    )
    changes = severest_first((*foreseen.findings, *declared))
    _refuse(changes)
    widening = foreseen.widening
    stored = registry.store(ctx.conn, form.id, widening)
    ddl.apply(ctx.conn, widening, stored)
    forms.change_version(ctx.conn, draft.id, published_at=ctx.now(), draft_token_hash=None)
    forms.change_form(ctx.conn, form.id, current_version_id=draft.id, draft_version_id=None, updated_at=ctx.now())
    datasets.declare(ctx, project, form.id, schema)
    made = logframes.take_form(ctx, project, form, draft, sheets)
    if widening.rewrites:
        following.tabulate_all(ctx, form.id, progress=progress)
    logframes.renew(ctx, project_id, rewritten=form.id if widening.rewrites else None)

    ctx.record("form.update.publish", project_id=project_id, form_id=form.id, details={"versionId": draft.id})
    return Published(
        form=forms.get_form(ctx.conn, form.id),
        version=forms.get_version(ctx.conn, draft.id),
        findings=_missing(ctx, draft),
        changes=changes,
        again=False,
        declared=made,
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


def _missing(ctx: Context, version: FormVersion) -> tuple[Finding, ...]:
    """A warning for each file that nobody gave, and that is no entity list."""
    held = form_attachments.list_attachments(ctx.conn, version.id)
    return attachments.missing(file.name for file in held if file.sha256 is None and file.dataset_id is None)


def _refuse(findings: Iterable[Finding]) -> None:
    refusals = [finding for finding in findings if finding.severity == "error"]
    if refusals:
        raise workbook_not_valid(refusals)


def _drafted(ctx: Context, project_id: int, form_id: str) -> Form:
    form = forms.find_form(ctx.conn, project_id, form_id)
    if form is None:
        raise problems.no_form(form_id)
    if form.draft_version_id is None:
        raise problems.no_draft(form_id)
    return form


def _publish_again(
    ctx: Context,
    project: Project,
    form: Form,
    held: FormVersion,
    draft: FormVersion,
    sheets: Sheets | None,
) -> Published:
    """The very same form: phones see new media by their hashes, everything else stays, but for what the workbook declares.

    A file without indicator sheets says nothing of them then.
    """
    made, changes = Change(), tuple[Finding, ...]()
    datasets.declare(ctx, project, form.id, registry.schema_of(ctx.conn, held))
    missing = _missing(ctx, draft)
    _add_marks(ctx, form, held, draft)
    if sheets is not None:
        schema = registry.schema_of(ctx.conn, draft)
        changes = consequences.foresee_declarations(
            ctx, project, form, schema, draft.marks, sheets, standing=registry.load(ctx.conn, form.id)
        )
        _refuse(changes)
        made = logframes.take_form(ctx, project, form, draft, sheets)
        logframes.renew(ctx, project.id)
    for file in form_attachments.list_attachments(ctx.conn, draft.id):
        place = form_attachments.find_attachment(ctx.conn, held.id, file.name)
        cleared = file.sha256 is None and file.updated_at is not None  # somebody linked it to a list, or emptied it
        if place is not None and cleared and (place.sha256 or place.dataset_id != file.dataset_id):
            form_attachments.link(ctx.conn, place.id, file.dataset_id, when=ctx.now())
            ctx.record(
                "form.attachment.update", project_id=form.project_id, form_id=form.id, details={"name": file.name}
            )
        elif place is not None and file.sha256 is not None and place.sha256 != file.sha256:
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
    return Published(
        form=forms.get_form(ctx.conn, form.id),
        version=held,
        findings=missing,
        changes=changes,
        again=True,
        declared=made,
    )


def _add_marks(ctx: Context, form: Form, held: FormVersion, draft: FormVersion) -> None:
    """What the workbook says beside the very same form: marks become stricter by it, never lighter."""
    marks = {
        **held.marks,
        "privacy": privacy.over_versions([held.marks.get("privacy", {}), draft.marks.get("privacy", {})]),
        "consent": {**held.marks.get("consent", {}), **draft.marks.get("consent", {})},
    }
    if any(marks[name] != held.marks.get(name, {}) for name in ("privacy", "consent")):
        forms.change_version(ctx.conn, held.id, marks=marks)
        forms.change_form(ctx.conn, form.id, layout_revision=registry.new_revision())
        ctx.record("form.update", project_id=form.project_id, form_id=form.id, details={"marks": draft.id})


def _drop_draft(ctx: Context, form: Form, draft: FormVersion) -> None:
    """Its token opens nothing from then on; its row stays, since submissions may have tried it."""
    forms.change_form(ctx.conn, form.id, draft_version_id=None, updated_at=ctx.now())
    forms.change_version(ctx.conn, draft.id, draft_token_hash=None)
