"""How a phone gets its forms: what counts as an update, what is downloaded, what disappears."""

from __future__ import annotations

import hashlib
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.helpers.phone.documents import (
    FormSourceError,
    ListedForm,
    MediaFile,
    read_deleted_states,
    read_form,
    read_form_list,
    read_manifest,
    root_of,
)
from tests.helpers.phone.engine import Engine
from tests.helpers.phone.http import Http, Response, add_query, java_accepts
from tests.helpers.phone.memory import Memory, StoredForm


@dataclass(frozen=True)
class Detail:
    """A listed form and what Collect makes of it: New, OnDevice, UpdatedHash, UpdatedVersion, UpdatedMedia."""

    form: ListedForm
    manifest: tuple[MediaFile, ...]
    state: str


def md5_of(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


@dataclass
class Forms:
    """The forms of one phone at one server; `folder` holds forms, media and the store of entities."""

    url: str
    http: Http
    engine: Engine
    memory: Memory
    folder: Path

    # what the server says: OpenRosaXmlFetcher, OpenRosaClient

    def fetch(self, url: str, content_type: str | None = None) -> Response:
        """A GET as Collect sends it, with the device id. Raises FormSourceError where Collect gives up."""
        if not java_accepts(url):
            raise FormSourceError("FetchError", f"bad or host-less URL {url}")
        try:
            response = self.http.request("GET", add_query(url, deviceID=self.memory.device_id))
        except requests.exceptions.SSLError as error:
            raise FormSourceError("SecurityError", str(error)) from error
        except requests.exceptions.RequestException as error:
            kind = "Unreachable" if "resolve" in str(error) else "FetchError"
            raise FormSourceError(kind, str(error)) from error
        told = response.headers.get("Content-Type")
        if response.status == 200 and content_type and told and content_type not in told.lower():
            raise FormSourceError("FetchError", f"content type {told} of {url} is not {content_type}")
        return response

    def fetch_form_list(self) -> tuple[ListedForm, ...]:
        response = self.fetch(self.url.rstrip("/") + "/formList", "text/xml")
        kinds = {401: "AuthRequired", 404: "Unreachable"}
        if response.status != 200:
            raise FormSourceError(kinds.get(response.status, "ServerError"), str(response.status))
        if "X-OpenRosa-Version" not in response.headers:
            raise FormSourceError("ServerNotOpenRosaError")
        return read_form_list(root_of(response.body))

    def fetch_manifest(self, url: str) -> tuple[MediaFile, ...]:
        return read_manifest(root_of(self._open_rosa(url)))

    def fetch_deleted_states(self, url: str, ids: list[str]) -> dict[str, bool]:
        """All ids go in one URL, however many: 39 bytes each."""
        return read_deleted_states(root_of(self._open_rosa(add_query(url, id=",".join(ids)))))

    def _open_rosa(self, url: str) -> bytes:
        response = self.fetch(url, "text/xml")
        if response.status != 200:
            raise FormSourceError("ServerError", f"{response.status} for {url}")
        if "X-OpenRosa-Version" not in response.headers:
            raise FormSourceError("ParseError", f"{url} answered without X-OpenRosa-Version")
        return response.body

    def _file(self, url: str) -> bytes:
        response = self.fetch(url)
        if response.status != 200:
            raise FormSourceError("ServerError", f"{response.status} for {url}")
        return response.body

    # what counts as an update: ServerFormUseCases.fetchFormDetails

    def fetch_details(self) -> tuple[Detail, ...]:
        return tuple(self._detail(form) for form in self.fetch_form_list())

    def _detail(self, form: ListedForm) -> Detail:
        manifest: tuple[MediaFile, ...] = ()
        if form.manifest_url:
            try:
                manifest = self.fetch_manifest(form.manifest_url)
            except FormSourceError:  # Collect swallows it: the form is installed without media
                manifest = ()
        return Detail(form, manifest, self._state(form, manifest))

    def _state(self, form: ListedForm, manifest: tuple[MediaFile, ...]) -> str:
        held = self._with_md5(form.hash)
        if held is not None:
            if held.deleted:
                return "New"
            return "UpdatedMedia" if self._media_differ(held, manifest) else "OnDevice"
        same = self.memory.live(form.form_id)
        if not same:
            return "New"
        if form.hash is None:
            return "OnDevice"
        return "UpdatedHash" if any(stored.version == form.version for stored in same) else "UpdatedVersion"

    def _with_md5(self, md5: str | None) -> StoredForm | None:
        return next((form for form in self.memory.forms if md5 and form.md5 == md5), None)

    def _media_differ(self, form: StoredForm, manifest: tuple[MediaFile, ...]) -> bool:
        media = self.folder / form.media
        held = {md5_of(file) for file in media.iterdir()} if media.is_dir() else set()
        return any(not file.filename.endswith(".zip") and file.hash not in held for file in manifest)

    # doing it: ServerFormsSynchronizer, ServerFormDownloader

    def sync(self, mode: str = "match_exactly") -> dict[str, str]:
        """Form id → its state before (see Detail), `deleted`, or `error …`. Raises FormSourceError for the list."""
        outcome: dict[str, str] = {}
        details = self.fetch_details()
        if mode == "match_exactly":
            listed = {detail.form.form_id for detail in details}
            for form in [form for form in self.memory.forms if not form.deleted and form.form_id not in listed]:
                self._delete(form)
                outcome[form.form_id] = "deleted"
        for detail in details:
            outcome[detail.form.form_id] = detail.state
            if detail.state == "OnDevice" or (mode == "previously_downloaded" and detail.state == "New"):
                continue
            try:
                self.download(detail)
            except FormSourceError as error:
                outcome[detail.form.form_id] = f"error {error}"
        return outcome

    def download(self, detail: Detail) -> None:
        """Installs the form and its media. Raises FormSourceError; the form that it replaces is then gone too."""
        if not detail.form.hash:
            raise FormSourceError("FormWithNoHash", detail.form.form_id)
        held = self._with_md5(detail.form.hash)
        if held is not None:
            held.deleted = False
        wanted = (detail.form.form_id, detail.form.version)
        replaced = [form for form in self.memory.forms if (form.form_id, form.version) == wanted] if not held else []
        try:
            with self._passing_folder() as arriving:
                self._install(detail, arriving)
        finally:  # also when the download failed half way
            for form in replaced:
                if form in self.memory.forms:
                    self._erase(form)

    def _install(self, detail: Detail, arriving: Path) -> None:
        body = self._file(detail.form.download_url)
        form = self._with_md5(hashlib.md5(body, usedforsecurity=False).hexdigest())
        for file in detail.manifest:
            if file.type:
                self._read_list(file, arriving)
            else:
                self._get_media(detail.form, file, arriving)
        if form is None:
            form = self._new_form(detail.form, body, arriving)
        for arrived in arriving.iterdir():
            shutil.copy(arrived, self.folder / form.media)

    def _new_form(self, listed: ListedForm, body: bytes, arriving: Path) -> StoredForm:
        metadata = read_form(body)
        base = re.sub(r"\s+", " ", re.sub(r"[^\w]|_", " ", listed.name)).strip()
        name, count = base, 1
        while (self.folder / f"forms/{name}.xml").exists():
            count += 1
            name = f"{base}_{count}"
        form = StoredForm(
            form_id=metadata.form_id,
            version=metadata.version,
            title=metadata.title,
            submission_url=metadata.submission_url,
            md5=hashlib.md5(body, usedforsecurity=False).hexdigest(),
            file=f"forms/{name}.xml",
            media=f"forms/{name}-media",
        )
        (self.folder / form.media).mkdir(exist_ok=True)
        older = [stored for stored in self.memory.forms if stored.form_id == form.form_id]
        if older and (self.folder / older[-1].media / "last-saved.xml").exists():
            shutil.copy(self.folder / older[-1].media / "last-saved.xml", arriving)
        (self.folder / form.file).write_bytes(body)
        self.memory.forms.append(form)
        return form

    def _get_media(self, listed: ListedForm, file: MediaFile, arriving: Path) -> None:
        known = [form for form in self.memory.forms if form.form_id == listed.form_id]
        current = next((form for form in known if form.version == listed.version), known[-1] if known else None)
        held = self.folder / current.media / file.filename if current else None
        if held is not None and held.exists() and md5_of(held) == file.hash:
            shutil.copy(held, arriving)
        else:
            (arriving / file.filename).write_bytes(self._file(file.download_url))

    def _read_list(self, file: MediaFile, arriving: Path) -> None:
        """Merges an entity list into the phone's own; then asks which entities it made are deleted on the server."""
        name = file.filename.split(".csv")[0]
        store = ("--entities", self.folder)
        if self.memory.lists.get(name) != file.hash:
            arrived = arriving / file.filename
            arrived.write_bytes(self._file(file.download_url))
            approval = ["--approval"] if file.type == "approvalEntityList" else []
            if f"hash={file.hash}" in self.engine("--merge-list", name, arrived, file.hash, *store, *approval):
                self.memory.lists[name] = file.hash
            arrived.unlink()
        offline = [entity for entity in self.engine("--offline-ids", name, *store).strip().split(",") if entity]
        if file.integrity_url and offline:
            for entity, deleted in self.fetch_deleted_states(file.integrity_url, offline).items():
                if deleted:
                    self.engine("--delete-entity", name, entity, *store)

    def _delete(self, form: StoredForm) -> None:
        """A form with submissions is only hidden; they need it to be edited and sent."""
        if any((held.form_id, held.version) == (form.form_id, form.version) for held in self.memory.instances):
            form.deleted = True
        else:
            self._erase(form)

    def _erase(self, form: StoredForm) -> None:
        self.memory.forms.remove(form)
        (self.folder / form.file).unlink(missing_ok=True)
        shutil.rmtree(self.folder / form.media, ignore_errors=True)

    @contextmanager
    def _passing_folder(self) -> Iterator[Path]:
        folder = self.folder / "tmp" / uuid.uuid4().hex
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
