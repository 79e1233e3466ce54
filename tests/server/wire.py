"""A phone's wire: requests byte for byte as ODK Collect sends them, to the application itself or over a socket."""

from __future__ import annotations

import gzip
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

import requests
from flask import Flask
from lxml import etree

from tests.helpers.phone.http import USER_AGENT, Headers, add_query
from tests.helpers.phone.multipart import Multipart, Part

RESPONSE: Final = "{http://openrosa.org/http/response}"
DEVICE: Final = "collect:abcdefghij123456"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Headers
    body: bytes

    @property
    def message(self) -> str:
        """The sentence that the enumerator reads; fails where the body is no OpenRosaResponse."""
        root = etree.fromstring(self.body)
        assert root.tag == f"{RESPONSE}OpenRosaResponse"
        assert self.headers["Content-Type"].startswith("text/xml")
        text = root.findtext(f"{RESPONSE}message")
        assert text
        return text

    @property
    def content(self) -> bytes:
        """The body as the application sees it, unpacked."""
        return gzip.decompress(self.body) if self.headers.get("Content-Encoding") == "gzip" else self.body

    @property
    def xml(self) -> etree._Element:
        return etree.fromstring(self.content)


Send = Callable[[str, str, Mapping[str, str], bytes | None], Answer]


def to_app(app: Flask) -> Send:
    """Requests that the application answers in this thread."""

    def send(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        path, _, query = url.partition("?")
        with app.test_client() as client:
            # the raw request line, as waitress gives it
            response = client.open(
                path,
                method=method,
                query_string=query,
                headers=dict(headers),
                data=body,
                environ_overrides={"REQUEST_URI": url},
                buffered=True,
            )
            return Answer(response.status_code, Headers(response.headers), response.data)

    return send


def to_server(base: str) -> Send:
    """Requests over a socket."""

    def send(method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        with requests.Session() as session:
            session.trust_env = False
            response = session.request(
                method, base + url, headers=dict(headers), data=body, timeout=60, allow_redirects=False, stream=True
            )
            return Answer(response.status_code, Headers(response.headers), response.raw.read())

    return send


@dataclass(frozen=True)
class Wire:
    """What one phone sends and gets. `root` is the path of its server URL."""

    send: Send
    root: str
    authorization: str | None = None

    def get(self, path: str, **headers: str) -> Answer:
        """A GET below the server URL, or of an absolute URL that the server gave."""
        place = path if path.startswith("/v1") else f"{self.root}{path}"
        return self._send("GET", place, headers, None)

    def follow(self, url: str) -> Answer:
        """A GET of an absolute URL."""
        return self._send("GET", "/" + url.split("/", 3)[3], {}, None)

    def head(self) -> Answer:
        return self._send("HEAD", f"{self.root}/submission", {}, None)

    def post(
        self,
        xml: bytes | None,
        files: Mapping[str, bytes] | Sequence[tuple[str, bytes]] = (),
        *,
        incomplete: bool = False,
        filename: str = "Censo_2026-08-15_10-00-00.xml",
        device: str | None = DEVICE,
    ) -> Answer:
        """One POST of a submission, as OkHttp writes it."""
        parts = [] if xml is None else [Part("xml_submission_file", xml, filename, "text/xml")]
        pairs = files.items() if isinstance(files, Mapping) else files
        parts += [Part(name, content, name, "application/octet-stream") for name, content in pairs]
        if incomplete:
            parts.append(Part("*isIncomplete*", b"yes"))
        body = Multipart(tuple(parts))
        headers = {"Content-Type": body.content_type, "Content-Length": str(len(body))}
        return self._send("POST", f"{self.root}/submission", headers, b"".join(body), device=device)

    def raw(self, body: bytes, content_type: str) -> Answer:
        """A POST whose body is no submission of Collect's."""
        headers = {"Content-Type": content_type, "Content-Length": str(len(body))}
        return self._send("POST", f"{self.root}/submission", headers, body)

    def forms(self) -> dict[str, dict[str, str]]:
        """The form list, read as Collect reads it: form id → its elements."""
        answer = self.get("/formList")
        assert answer.status == 200, answer.body
        assert answer.xml.tag == "{http://openrosa.org/xforms/xformsList}xforms"
        lines = [{etree.QName(child).localname: child.text or "" for child in line} for line in answer.xml]
        return {line["formID"]: line for line in lines}

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, *, device: str | None = DEVICE
    ) -> Answer:
        given = {"User-Agent": USER_AGENT, "X-OpenRosa-Version": "1.0", "Accept-Encoding": "gzip", **headers}
        if self.authorization is not None:
            given["Authorization"] = self.authorization
        return self.send(method, add_query(url, deviceID=device) if device is not None else url, given, body)


def new_id() -> str:
    """An instance id as JavaRosa makes it."""
    return f"uuid:{uuid.uuid4()}"


def instance(
    form_id: str,
    answers: str = "",
    *,
    version: str | None = "1",
    instance_id: str | None = None,
    deprecated_id: str | None = None,
    name: str | None = None,
    root: str = "data",
) -> bytes:
    """The XML of a submission as Collect writes it; `answers` are the elements below its root."""
    versioned = "" if version is None else f' version="{escape(version)}"'
    meta = f"<instanceID>{instance_id or new_id()}</instanceID>"
    meta += f"<instanceName>{escape(name)}</instanceName>" if name is not None else ""
    meta += f"<deprecatedID>{deprecated_id}</deprecatedID>" if deprecated_id is not None else ""
    return (
        f"<?xml version='1.0' encoding='UTF-8' ?><{root} id=\"{escape(form_id)}\"{versioned}"
        ' xmlns:ev="http://www.w3.org/2001/xml-events" xmlns:orx="http://openrosa.org/xforms">'
        f"{answers}<meta>{meta}</meta></{root}>"
    ).encode()
