"""tejido form: check, publish, draft, state."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from io import BytesIO
from pathlib import Path

import click

from forms.problems import workbook_not_valid
from server.actions import drafts, forms, projects
from server.blobs.blobs import Blob
from server.cli.desk import Desk, act, ask, desk, read_file
from server.cli.people import show_code
from server.context import Office
from server.http import collect

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def form() -> None:
    """Forms: check a workbook, publish it, try a draft."""


@form.command("check")
@click.argument("file", type=_FILE)
@click.option("--media", type=_FOLDER, help="Folder with the form's media.")
@click.option("--java", type=_FILE, help="The Java to run ODK Validate with; default: the one that is found.")
@click.pass_context
def check(context: click.Context, file: Path, media: Path | None, java: Path | None) -> None:
    """Say everything that is wrong with a workbook (.xlsx, .xls, .md) or XForm (.xml)."""
    at = desk(context)
    checked = drafts.check(read_file(file), file.name, java=java, media_names=_names(media))
    schema = checked.schema
    questions = sum(field.kind == "question" for field in schema.fields)
    at.say(
        f"{file.name}: formulario «{schema.form_id}», versión «{schema.version}», {questions} preguntas.",
        f"{file.name}: form “{schema.form_id}”, version “{schema.version}”, {questions} questions.",
    )
    at.tell(checked.findings)
    if any(finding.severity == "error" for finding in checked.findings):
        context.exit(1)
    at.say("Se puede publicar.", "It can be published.")


@form.command("publish")
@click.argument("file", type=_FILE)
@click.option("--project", "project_id", type=int, required=True, help="Number of the project.")
@click.option("--media", type=_FOLDER, help="Folder with the form's media.")
@click.pass_context
def publish(context: click.Context, file: Path, project_id: int, media: Path | None) -> None:
    """Publish a workbook: phones get it at their next refresh."""
    at = desk(context)
    with at.office() as office:
        publish_file(at, office, project_id, file, _files(media))


@form.command("draft")
@click.argument("file", type=_FILE)
@click.option("--project", "project_id", type=int, required=True, help="Number of the project.")
@click.option("--media", type=_FOLDER, help="Folder with the form's media.")
@click.pass_context
def draft(context: click.Context, file: Path, project_id: int, media: Path | None) -> None:
    """Make a workbook the draft of its form, and show the QR code that tries it on a phone."""
    at = desk(context)
    with at.office() as office:
        made = _upload(at, office, project_id, file, _files(media))
        name = ask(office, lambda ctx: projects.get_project(ctx, project_id)).name
    url = collect.draft_url(at.base_url(), project_id, made.form.xml_form_id, made.test_token)
    settings = collect.settings(url, project_name=f"{name} (borrador)", language=at.settings.language)
    show_code(at, url, settings)


@form.command("list")
@click.option("--project", "project_id", type=int, required=True, help="Number of the project.")
@click.pass_context
def list_forms(context: click.Context, project_id: int) -> None:
    """List the forms of a project."""
    at = desk(context)
    with at.office() as office:
        found = ask(office, lambda ctx: forms.list_with_versions(ctx, project_id))
    at.say("formulario\testado\tversión\ttítulo", "form\tstate\tversion\ttitle")
    for one, version in found:
        published = f"{version.version}\t{version.title}" if version else "—\t—"
        click.echo(f"{one.xml_form_id}\t{one.state}\t{published}")


@form.command("state")
@click.argument("form_id")
@click.argument("state", type=click.Choice(forms.STATES))
@click.option("--project", "project_id", type=int, required=True, help="Number of the project.")
@click.pass_context
def state(context: click.Context, form_id: str, state: str, project_id: int) -> None:
    """open: phones get it. closing, closed: they do not; what they still send is kept."""
    at = desk(context)
    with at.office() as office:
        act(office, lambda ctx: forms.set_state(ctx, project_id, form_id, state))
    at.say(f"{form_id}: {state}", f"{form_id}: {state}")


def publish_file(
    at: Desk, office: Office, project_id: int, file: Traversable, media: Mapping[str, Traversable]
) -> None:
    """Check, upload and publish a file with its media."""
    made = _upload(at, office, project_id, file, media)
    form_id = made.form.xml_form_id
    with at.progress(f"{form_id}: escribiendo filas", f"{form_id}: writing rows") as progress:
        published = act(office, lambda ctx: drafts.publish(ctx, project_id, form_id, progress=progress))
    at.tell(published.findings)
    version = published.version.version
    if published.again:
        at.say(f"«{form_id}» {version} ya estaba publicado.", f"“{form_id}” {version} was published already.")
    else:
        at.say(f"«{form_id}» {version} publicado.", f"“{form_id}” {version} published.")


def _upload(
    at: Desk, office: Office, project_id: int, file: Traversable, media: Mapping[str, Traversable]
) -> drafts.Draft:
    data = file.read_bytes()
    checked = drafts.check(data, file.name, media_names=tuple(media))
    refused = [finding for finding in checked.findings if finding.severity == "error"]
    if refused:
        raise workbook_not_valid(refused)
    original = None if file.name.lower().endswith(".xml") else office.blobs.put(BytesIO(data))
    made = act(office, lambda ctx: drafts.upload(ctx, project_id, checked, original=original, name=file.name))
    at.tell(made.findings)
    for name, path in media.items():
        blob = office.blobs.put(BytesIO(path.read_bytes()))
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        _attach(office, project_id, made.form.xml_form_id, name, blob, kind)
    return made


def _attach(office: Office, project_id: int, form_id: str, name: str, blob: Blob, kind: str) -> None:
    act(office, lambda ctx: drafts.attach(ctx, project_id, form_id, name, blob, content_type=kind))


def _files(folder: Path | None) -> dict[str, Path]:
    return {path.name: path for path in sorted(folder.iterdir()) if path.is_file()} if folder else {}


def _names(folder: Path | None) -> tuple[str, ...]:
    return tuple(_files(folder))
