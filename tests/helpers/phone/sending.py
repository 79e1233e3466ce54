"""How a phone sends: HEAD, then the submission in as many POSTs as the server's limit asks for, over a weak link."""

from __future__ import annotations

import mimetypes
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import requests

from tests.helpers.phone.documents import read_message
from tests.helpers.phone.http import Http, Response, add_query
from tests.helpers.phone.memory import Memory, StoredInstance
from tests.helpers.phone.multipart import Interrupted, Multipart, Part

_DEFAULT_LIMIT: Final = 10_000_000
_FILES_PER_POST: Final = 100
_UNKNOWN_TYPE: Final = "application/octet-stream"
_TYPES: Final = {
    "amr": "audio/amr",
    "oga": "audio/ogg",
    "ogv": "video/ogg",
    "webm": "video/webm",
    "m4a": "audio/mp4",
    "mp4": "video/mp4",
    "3gpp": "video/3gpp",
    "csv": "text/comma-separated-values",
    "xml": "text/xml",
}


class FormUploadError(Exception):
    """The server did not take the submission; the message is what the enumerator reads."""


@dataclass(frozen=True)
class Weather:
    """How bad the link is: the chance of a POST cut on its way, and of an answer that never arrives."""

    cut: float = 0.0
    lose: float = 0.0


CALM: Final = Weather()


@dataclass(frozen=True)
class Sent:
    """What became of one submission: `submitted` or `submissionFailed`, and the text shown."""

    instance_id: str
    status: str
    message: str | None


@dataclass
class Sender:
    """Sends the submissions of one phone to one server (OpenRosaServerInstanceUploader, InstanceSubmitter)."""

    url: str
    http: Http
    memory: Memory
    chance: random.Random
    _moved: dict[str, str] = field(default_factory=dict)

    def send(self, instance: StoredInstance, weather: Weather = CALM) -> Sent:
        """One attempt. A failed submission stays queued, whatever the server answered."""
        instance.status = "submissionFailed"
        try:
            instance.message = self._upload(instance, weather)
            instance.status = "submitted"
        except (FormUploadError, Interrupted, requests.exceptions.RequestException) as error:
            instance.message = f"{type(error).__name__}: {error}"
        return Sent(instance.instance_id, instance.status, instance.message)

    def _upload(self, instance: StoredInstance, weather: Weather) -> str | None:
        url, limit = self._ask(instance)
        files = instance.files
        self.chance.shuffle(files)  # File.listFiles() has no order
        response = self.post(url, instance.xml, files, limit, weather)
        message = read_message(response.body)
        if response.status in (201, 202):
            return message
        if response.status == 200:
            raise FormUploadError("Error: Network login failure? Again?")
        if response.status != 401 and message is not None:
            raise FormUploadError(message)
        raise FormUploadError(f"{response.reason} ({response.status})")

    def _ask(self, instance: StoredInstance) -> tuple[str, int]:
        """The URL to post to and the most bytes one POST should have, from a HEAD."""
        base = (instance.submission_url or "").strip() or self.url.removesuffix("/") + "/submission"
        url = add_query(base, deviceID=self.memory.device_id)
        if url in self._moved:
            return self._moved[url], _DEFAULT_LIMIT
        if not urlsplit(url).hostname:
            raise FormUploadError("Host name may not be null")
        try:
            head = self.http.request("HEAD", url)
        except requests.exceptions.RequestException as error:
            raise FormUploadError(str(error)) from error
        if head.status == 401:
            raise FormUploadError("authentication requested")
        if head.status != 204:
            if 200 <= head.status < 300:
                raise FormUploadError(f"HEAD result {head.status}: is this an OpenRosa endpoint?")
            return url, _DEFAULT_LIMIT  # Collect goes on to POST after any other answer
        told = head.headers.get("X-OpenRosa-Accept-Content-Length", "")
        limit = int(told) if told.isdigit() else _DEFAULT_LIMIT
        if head.headers.get("Location"):
            return self._follow(url, unquote(head.headers["Location"])), limit
        return url, limit

    def _follow(self, url: str, target: str) -> str:
        if (urlsplit(target).hostname or "").lower() != (urlsplit(url).hostname or "").lower():
            raise FormUploadError(f"Unexpected redirection attempt to a different host: {target}")
        if not urlsplit(target).query:
            target += f"?{urlsplit(url).query}"
        self._moved[url] = target
        return target

    def post(self, url: str, xml: Path, files: list[Path], limit: int, weather: Weather) -> Response:
        """The last answer, or the first that was not 201 or 202 (OkHttpConnection.uploadSubmissionAndFiles).

        The XML is repeated in every POST. A POST is closed at 101 files or where the next file would exceed `limit`
        bytes; at least one file goes in each, so that a large one exceeds the limit by itself.
        """
        for parts in split_posts(xml, files, limit):
            cut_after = None
            if self.chance.random() < weather.cut:
                size = sum(part.size for part in parts)
                cut_after = self.chance.randrange(1, max(2, size))
            response = self.http.request("POST", url, lambda p=parts, c=cut_after: Multipart(p, c))  # type: ignore[misc]
            if response.status == 204:
                raise FormUploadError("java.lang.Exception")
            if self.chance.random() < weather.lose:
                raise Interrupted(f"response lost after the server answered {response.status}")
            if response.status not in (201, 202):
                break
        return response


def split_posts(xml: Path, files: list[Path], limit: int) -> list[tuple[Part, ...]]:
    """The parts of each POST; all but the last end in `*isIncomplete*`."""
    posts: list[tuple[Part, ...]] = []
    first = Part("xml_submission_file", xml, xml.name, "text/xml")
    parts, size = [first], first.size
    for index, file in enumerate(files):
        parts.append(Part(file.name, file, file.name, _type_of(file)))
        size += parts[-1].size
        if index + 1 < len(files):
            full = len(parts) - 1 > _FILES_PER_POST
            if full or size + files[index + 1].stat().st_size > limit:
                posts.append((*parts, Part("*isIncomplete*", b"yes")))
                parts, size = [first], first.size
    posts.append(tuple(parts))
    return posts


def _type_of(file: Path) -> str:
    return _TYPES.get(file.suffix[1:].lower()) or mimetypes.types_map.get(file.suffix.lower()) or _UNKNOWN_TYPE
