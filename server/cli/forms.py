"""tejido form: check, publish, draft, discard, list, state."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable, Mapping
from importlib.resources.abc import Traversable
from io import BytesIO
from pathlib import Path

import click

from forms import attachments
from forms.attachments import Folder
from forms.problems import Finding, Sentence, workbook_not_valid
from server.actions import comparisons, drafts, forms, projects, workbooks
from server.cli.desk import Desk, act, ask, desk, read_file
from server.cli.people import show_code
from server.context import Office
from server.http import collect

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_UNNAMED = Sentence("(sin versión)", "(no version)")
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def form() -> None:
    """Forms: check a workbook, publish it, try a draft."""


@form.command("check")
@click.argument("file", type=_FILE)
@click.option("--project", "project_id", type=int, help="Compare with the form that this project has.")
@click.option("--media", type=_FOLDER, help="Folder with the form's media.")
@click.option("--java", type=_FILE, help="The Java to run ODK Validate with; default: the one that is found.")
@click.pass_context
def check(context: click.Context, file: Path, project_id: int | None, media: Path | None, java: Path | None) -> None:
    """Say everything that is wrong with a workbook (.xlsx, .xls, .md) or XForm (.xml)."""
    at = desk(context)
    checked = workbooks.check(read_file(file), file.name, java=java)
    compared = _compare(at, project_id, checked) if project_id is not None else None
    alone = workbooks.look_alone(checked) if compared is None else ()
    schema = checked.schema
    questions = sum(field.kind == "question" and not field.path.startswith("/meta/") for field in schema.fields)
    at.say(
        f"{file.name}: formulario «{schema.form_id}», versión «{schema.version}», {questions} preguntas.",
        f"{file.name}: form “{schema.form_id}”, version “{schema.version}”, {questions} questions.",
    )
    at.tell((*checked.findings, *alone))
    if compared is not None:
        _tell_comparison(at, compared)
    if media is not None:
        held = compared.held if compared else ()
        at.tell(attachments.match(_needed(checked), _files(media), held=held).findings())
    if _errors((*checked.findings, *alone, *(compared.findings if compared else ()))):
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
        data = file.read_bytes()
        made = _upload(at, office, project_id, file, data, _check(file.name, data))
        _tell_media(at, _attach(office, project_id, made, _files(media)))
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
        drafted = ask(office, lambda ctx: drafts.list_drafts(ctx, project_id))
    at.say("formulario\testado\tversión\tborrador\ttítulo", "form\tstate\tversion\tdraft\ttitle")
    unnamed = _UNNAMED.say(at.language)
    for one, version in found:
        draft = drafted.get(one.id)
        published, tried = (str(entry.version or unnamed) if entry else "—" for entry in (version, draft))
        titled = version or draft
        click.echo(f"{one.xml_form_id}\t{one.state}\t{published}\t{tried}\t{titled.title if titled else '—'}")


@form.command("discard")
@click.argument("form_id")
@click.option("--project", "project_id", type=int, required=True, help="Number of the project.")
@click.pass_context
def discard(context: click.Context, form_id: str, project_id: int) -> None:
    """Throw a form's draft away; what is published stays, and what was sent to try the draft is kept."""
    at = desk(context)
    with at.office() as office:
        gone = act(office, lambda ctx: drafts.discard(ctx, project_id, form_id))
    version = gone.version.version
    at.say(f"Borrador «{version}» de «{form_id}» descartado.", f"Draft “{version}” of “{form_id}” discarded.")
    if gone.published is not None:
        stays = gone.published.version
        at.say(f"Sigue publicada la versión «{stays}».", f"Version “{stays}” stays published.")
    else:
        at.say(
            "El formulario nunca se publicó: deja de estar en la lista.",
            "The form was never published: it leaves the list.",
        )


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
    """Check, compare, upload and publish a file with its media; what would be refused leaves a draft as it is."""
    data = file.read_bytes()
    checked = workbooks.check(data, file.name)
    compared = ask(office, lambda ctx: comparisons.compare(ctx, project_id, checked))
    found = (*checked.findings, *compared.findings)
    if _errors(found):
        raise workbook_not_valid(found)
    made = _upload(at, office, project_id, file, data, checked)
    folder = _attach(office, project_id, made, media)
    form_id = made.form.xml_form_id
    with at.progress(f"{form_id}: escribiendo filas", f"{form_id}: writing rows") as progress:
        published = act(office, lambda ctx: drafts.publish(ctx, project_id, form_id, progress=progress))
    _tell_media(at, folder)
    version = published.version.version or _UNNAMED.say(at.language)
    _tell_declared(at, published)
    if published.again:
        at.say(f"«{form_id}» {version} ya estaba publicado.", f"“{form_id}” {version} was published already.")
    else:
        at.say(f"«{form_id}» {version} publicado.", f"“{form_id}” {version} published.")


def _tell_declared(at: Desk, published: drafts.Published) -> None:
    made = published.declared
    if made:
        at.say(
            f"Indicadores y otras filas declaradas: {len(made.added)} nuevas o cambiadas, {made.gone} retiradas.",
            f"Indicators and other rows declared: {len(made.added)} new or changed, {made.gone} retired.",
        )


def _check(name: str, data: bytes) -> workbooks.Checked:
    checked = workbooks.check(data, name)
    if _errors(checked.findings):
        raise workbook_not_valid(checked.findings)
    return checked


def _compare(at: Desk, project_id: int, checked: workbooks.Checked) -> comparisons.Comparison:
    with at.office() as office:
        return ask(office, lambda ctx: comparisons.compare(ctx, project_id, checked))


def _tell_comparison(at: Desk, compared: comparisons.Comparison) -> None:
    if compared.against is None:
        at.say(
            "El proyecto no tiene publicado este formulario: será nuevo.",
            "The project has no published form of this name: it will be new.",
        )
    else:
        version = compared.against.version
        if compared.same:
            at.say(f"Es la misma versión «{version}» que está publicada.", f"It is the published version “{version}”.")
        elif compared.findings:
            at.say(f"Frente a la versión publicada «{version}»:", f"Against the published version “{version}”:")
        else:
            at.say(
                f"Frente a la versión publicada «{version}» no cambia ninguna pregunta, tipo ni opción.",
                f"Against the published version “{version}” no question, type or option changes.",
            )
    at.tell(compared.findings)


def _upload(
    at: Desk, office: Office, project_id: int, file: Traversable, data: bytes, checked: workbooks.Checked
) -> drafts.Draft:
    original = None if file.name.lower().endswith(".xml") else office.blobs.put(BytesIO(data))
    made = act(office, lambda ctx: drafts.upload(ctx, project_id, checked, original=original, name=file.name))
    at.tell(made.findings)
    return made


def _attach(office: Office, project_id: int, made: drafts.Draft, media: Mapping[str, Traversable]) -> Folder:
    """Give the draft the files that it needs; tells which of them there were."""
    held = [file.name for file in made.attachments if file.sha256 is not None or file.name in made.lists]
    folder = attachments.match([file.name for file in made.attachments], media, held=held)
    for name, given in folder.used.items():
        _attach_one(office, project_id, made.form.xml_form_id, name, media[given])
    return folder


def _attach_one(office: Office, project_id: int, form_id: str, name: str, file: Traversable) -> None:
    blob = office.blobs.put(BytesIO(file.read_bytes()))
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    act(office, lambda ctx: drafts.attach(ctx, project_id, form_id, name, blob, content_type=kind))


def _tell_media(at: Desk, folder: Folder) -> None:
    if folder.used:
        listed = ", ".join(folder.used)
        at.say(f"Archivos agregados: {listed}.", f"Files added: {listed}.")
    at.tell(folder.findings())


def _needed(checked: workbooks.Checked) -> list[str]:
    """The files that somebody has to give: `itemsets.csv` comes out of the workbook."""
    made = {drafts.ITEMSETS} if checked.itemsets is not None else set()
    return [file.name for file in checked.schema.attachments if file.name not in made]


def _errors(findings: Iterable[Finding]) -> bool:
    return any(finding.severity == "error" for finding in findings)


def _files(folder: Path | None) -> dict[str, Path]:
    """The files of a folder by name, those that a system hides left out."""
    if folder is None:
        return {}
    return {path.name: path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")}
