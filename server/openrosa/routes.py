"""The routes of OpenRosa: form list, forms, manifests, media, submissions; the same for drafts under test."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from typing import BinaryIO, Final

from flask import Blueprint, Response, request

from forms.instance import Instance
from forms.media import same_name
from forms.problems import Problem, Sentence
from server import problems
from server.actions import dataset_views, drafts, forms, submissions
from server.actions.dataset_views import PhoneFile
from server.actions.submissions import Device, File
from server.context import Context
from server.http import answers, uploads
from server.http.endpoint import act, ask, ask_whole, base_url, office, shelf
from server.http.paths import segment
from server.model.forms import FormAttachment
from server.openrosa import documents

blueprint = Blueprint("openrosa", __name__)

_RECEIVED: Final = Sentence(es="Recibido y guardado. ¡Gracias!", en="Received and kept. Thank you!")
_RECEIVED_AGAIN: Final = Sentence(
    es="Ya lo teníamos; está guardado. ¡Gracias!", en="We had it already; it is kept. Thank you!"
)
_PLAIN: Final = "/v1/projects/<number:project_id>"
_KEYED: Final = "/v1/key/<segment:token>/projects/<number:project_id>"
_TEST: Final = "/v1/test/<segment:token>/projects/<number:project_id>/forms/<segment:form_id>/draft"


@blueprint.after_request
def _speak_openrosa(response: Response) -> Response:
    response.headers["X-OpenRosa-Version"] = "1.0"
    response.headers["Date"] = formatdate(usegmt=True)  # OpenRosa Metadata: whatever serves, the clock is told
    response.headers["X-OpenRosa-Accept-Content-Length"] = str(office().settings.accept_content_length)
    return response


@blueprint.errorhandler(Problem)
def tell(problem: Problem) -> Response:
    """A problem as an OpenRosaResponse in the server's language."""
    response = Response(
        documents.message(problem.say(office().settings.language), nature="error"),
        status=problem.status,
        content_type=documents.CONTENT_TYPE,
    )
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="Tejido", charset="UTF-8"'
    if problem.status == 503:
        response.headers["Retry-After"] = "60"
    return response


@blueprint.get(f"{_PLAIN}/formList", defaults={"token": None})
@blueprint.get(f"{_KEYED}/formList")
def form_list(project_id: int, token: str | None) -> Response:
    """Every form this person may fill."""
    listed = ask(lambda ctx: forms.list_open(ctx, project_id))
    wanted = request.args.get("formID")
    root = _root(project_id, token)
    body = documents.form_list(
        documents.FormLine(
            form_id=form.xml_form_id,
            name=form.title or form.xml_form_id,
            version=form.version,
            md5=form.md5,
            download_url=f"{root}/forms/{segment(form.xml_form_id)}.xml",
            manifest_url=f"{root}/forms/{segment(form.xml_form_id)}/manifest" if form.has_attachments else None,
        )
        for form in listed
        if wanted in (None, form.xml_form_id)
    )
    return answers.document(request, body, documents.CONTENT_TYPE)


@blueprint.get(f"{_PLAIN}/forms/<segment:form_id>.xml", defaults={"token": None})
@blueprint.get(f"{_KEYED}/forms/<segment:form_id>.xml")
def form_xml(project_id: int, form_id: str, token: str | None) -> Response:  # noqa: ARG001  # read on the way in
    """The exact bytes whose MD5 the form list announces."""

    def read(ctx: Context) -> tuple[str, bytes | None]:
        _, version = forms.get_published(ctx, project_id, form_id)
        if request.if_none_match.contains_weak(version.md5):
            return version.md5, None
        return version.md5, forms.get_xml(ctx, project_id, form_id, version)

    md5, body = ask(read)
    return answers.document(request, body or b"", documents.CONTENT_TYPE, etag=md5)


@blueprint.get(f"{_PLAIN}/forms/<segment:form_id>/manifest", defaults={"token": None})
@blueprint.get(f"{_KEYED}/forms/<segment:form_id>/manifest")
def form_manifest(project_id: int, form_id: str, token: str | None) -> Response:
    """The files a form needs, as far as they are here."""

    def read(ctx: Context) -> list[PhoneFile]:
        form, _ = forms.get_published(ctx, project_id, form_id)
        return dataset_views.list_files(ctx, form, forms.list_attachments(ctx, project_id, form_id))

    root = _root(project_id, token)
    return _manifest(ask(read), f"{root}/forms/{segment(form_id)}/attachments", root)


@blueprint.get(f"{_PLAIN}/forms/<segment:form_id>/attachments/<segment:name>", defaults={"token": None})
@blueprint.get(f"{_KEYED}/forms/<segment:form_id>/attachments/<segment:name>")
def form_attachment(project_id: int, form_id: str, name: str, token: str | None) -> Response:  # noqa: ARG001  # read on the way in
    """One file of a form, which may be an entity list."""
    return _file(project_id, lambda ctx: forms.get_attachment(ctx, project_id, form_id, name))


@blueprint.get(f"{_PLAIN}/datasets/<segment:name>/integrity", defaults={"token": None})
@blueprint.get(f"{_KEYED}/datasets/<segment:name>/integrity")
def integrity(project_id: int, name: str, token: str | None) -> Response:  # noqa: ARG001  # read on the way in
    """Which of the entities that a phone made by itself are gone."""
    wanted = request.args.get("id", "").split(",")
    states = ask(lambda ctx: dataset_views.list_states(ctx, project_id, name, wanted))
    return Response(documents.entity_states(states), content_type=documents.CONTENT_TYPE)


@blueprint.route(f"{_PLAIN}/submission", methods=["HEAD"], defaults={"token": None})
@blueprint.route(f"{_KEYED}/submission", methods=["HEAD"])
def probe(project_id: int, token: str | None) -> Response:  # noqa: ARG001  # read on the way in
    """What a phone asks before it sends: 204, and how much one request may hold."""
    ask(lambda ctx: forms.list_open(ctx, project_id))
    return Response(status=204)


@blueprint.post(f"{_PLAIN}/submission", defaults={"token": None})
@blueprint.post(f"{_KEYED}/submission")
def receive(project_id: int, token: str | None) -> Response:  # noqa: ARG001  # read on the way in
    """A submission, or one part of it."""
    instance, parts = _body()
    if parts:  # nobody unknown fills the disk, and what its own answers do not allow never reaches it
        withheld = ask(lambda ctx: submissions.list_withheld(ctx, project_id, instance))
        parts = [part for part in parts if same_name(part.name) not in withheld]
    files, device = _kept(parts), _device()
    received = act(lambda ctx: submissions.receive(ctx, project_id, instance, files, device))
    return _thanks(new=received.new)


@blueprint.get(f"{_TEST}/formList")
def test_form_list(project_id: int, form_id: str, token: str) -> Response:
    """The draft under test, as the only form."""
    _, version = ask(lambda ctx: drafts.get_draft(ctx, project_id, form_id, token), anonymous=True)
    files = ask(lambda ctx: drafts.list_draft_attachments(ctx, project_id, form_id, token), anonymous=True)
    root = _test_root(project_id, form_id, token)
    line = documents.FormLine(
        form_id=form_id,
        name=version.title or form_id,
        version=version.version,
        md5=version.md5,
        download_url=f"{root}.xml",
        manifest_url=f"{root}/manifest" if files else None,
    )
    return answers.document(request, documents.form_list([line]), documents.CONTENT_TYPE)


@blueprint.get(f"{_TEST}.xml")
def test_form_xml(project_id: int, form_id: str, token: str) -> Response:
    """The XML of the draft under test."""
    version, xml = ask(lambda ctx: drafts.get_draft_xml(ctx, project_id, form_id, token), anonymous=True)
    return answers.document(request, xml, documents.CONTENT_TYPE, etag=version.md5)


@blueprint.get(f"{_TEST}/manifest")
def test_manifest(project_id: int, form_id: str, token: str) -> Response:
    """The files of the draft under test."""

    def read(ctx: Context) -> list[PhoneFile]:
        held = drafts.list_draft_attachments(ctx, project_id, form_id, token)
        return dataset_views.list_draft_files(ctx, project_id, held)

    root = _test_root(project_id, form_id, token)
    return _manifest(ask(read, anonymous=True), f"{root}/attachments", root)


@blueprint.get(f"{_TEST}/attachments/<segment:name>")
def test_attachment(project_id: int, form_id: str, token: str, name: str) -> Response:
    """One file of the draft under test."""

    def find(ctx: Context) -> FormAttachment:
        files = drafts.list_draft_attachments(ctx, project_id, form_id, token)
        found = next((file for file in files if file.name == name), None)
        if found is None:
            raise problems.not_found()
        return found

    return _file(project_id, find, anonymous=True)


@blueprint.get(f"{_TEST}/datasets/<segment:name>/integrity")
def test_integrity(project_id: int, form_id: str, token: str, name: str) -> Response:
    """The same for the draft under test."""
    wanted = request.args.get("id", "").split(",")

    def read(ctx: Context) -> dict[str, bool]:
        held = drafts.list_draft_attachments(ctx, project_id, form_id, token)
        return dataset_views.list_draft_states(ctx, project_id, held, name, wanted)

    return Response(documents.entity_states(ask(read, anonymous=True)), content_type=documents.CONTENT_TYPE)


@blueprint.route(f"{_TEST}/submission", methods=["HEAD"])
def test_probe(project_id: int, form_id: str, token: str) -> Response:
    """What a phone asks before it sends."""
    ask(lambda ctx: drafts.get_draft(ctx, project_id, form_id, token), anonymous=True)
    return Response(status=204)


@blueprint.post(f"{_TEST}/submission")
def test_receive(project_id: int, form_id: str, token: str) -> Response:
    """A trial submission, kept apart from real ones."""
    instance, parts = _body()
    if instance.form_id != form_id:
        raise problems.form_not_found(instance.form_id)
    withheld = ask(lambda ctx: submissions.list_withheld(ctx, project_id, instance, token), anonymous=True)
    files, device = _kept([part for part in parts if same_name(part.name) not in withheld]), _device()
    received = act(
        lambda ctx: submissions.receive_test(ctx, project_id, token, instance, files, device), anonymous=True
    )
    return _thanks(new=received.new)


def _root(project_id: int, token: str | None) -> str:
    key = f"/key/{segment(token)}" if token is not None else ""
    return f"{base_url()}/v1{key}/projects/{project_id}"


def _test_root(project_id: int, form_id: str, token: str) -> str:
    return f"{base_url()}/v1/test/{segment(token)}/projects/{project_id}/forms/{segment(form_id)}/draft"


def _manifest(files: list[PhoneFile], folder: str, root: str) -> Response:
    body = documents.manifest(
        documents.FileLine(
            name=file.name,
            md5=file.md5,
            download_url=f"{folder}/{segment(file.name)}",
            type=None if file.dataset is None else "approvalEntityList" if file.approval else "entityList",
            integrity_url=f"{root}/datasets/{segment(file.dataset)}/integrity" if file.dataset else None,
        )
        for file in files
    )
    response = answers.document(request, body, documents.CONTENT_TYPE)
    return answers.of_whoever_asks(response) if any(file.dataset for file in files) else response


def _file(project_id: int, find: Callable[[Context], FormAttachment], *, anonymous: bool = False) -> Response:
    def read(ctx: Context) -> tuple[FormAttachment, str | None]:
        file = find(ctx)
        listed = dataset_views.hash_of(ctx, project_id, file.dataset_id) if file.dataset_id is not None else None
        return file, listed

    file, listed = ask(read, anonymous=anonymous)
    if listed is not None and file.dataset_id is not None:
        return _list(project_id, file.dataset_id, file.name, listed, anonymous=anonymous)
    if file.sha256 is None:
        raise problems.not_found()
    return answers.blob(
        request,
        office().blobs.open(file.sha256),
        size=file.size or 0,
        content_type=file.content_type or "application/octet-stream",
        etag=file.md5 or file.sha256,
        name=file.name,
    )


def _list(project_id: int, dataset_id: int, name: str, md5: str, *, anonymous: bool) -> Response:
    """An entity list as whoever asks sees it: made once for all who see the same."""
    if request.if_none_match.contains_weak(md5):
        return answers.of_whoever_asks(answers.unchanged(md5))
    packed = answers.takes_gzip(request)

    def make(out: BinaryIO) -> str:
        return ask_whole(lambda ctx: dataset_views.write_csv(ctx, project_id, dataset_id, out), anonymous=anonymous)

    made, content = shelf().open(md5, packed=packed, make=make)
    return answers.of_whoever_asks(
        answers.made(request, content, packed=packed, content_type="text/csv; charset=utf-8", etag=made, name=name)
    )


def _body() -> tuple[Instance, list[uploads.Part]]:
    settings = office().settings
    return uploads.read_submission(request, max_body=settings.max_body, max_xml=settings.max_xml)


def _kept(parts: list[uploads.Part]) -> list[File]:
    blobs = office().blobs
    return [File(name=part.name, blob=blobs.put(part.content), content_type=part.content_type) for part in parts]


def _device() -> Device:
    device_id = request.args.get("deviceID", "").replace("\0", "")  # PostgreSQL keeps no NUL
    return Device(device_id=device_id[:200] or None, user_agent=request.user_agent.string[:300] or None)


def _thanks(*, new: bool) -> Response:
    sentence = _RECEIVED if new else _RECEIVED_AGAIN
    return Response(
        documents.message(sentence.say(office().settings.language), nature="submit_success"),
        status=201,
        content_type=documents.CONTENT_TYPE,
    )
