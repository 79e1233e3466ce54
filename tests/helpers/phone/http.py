"""HTTP as OkHttp does it inside Collect: headers, a cache with conditional requests, redirects, credentials."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import requests
from requests.structures import CaseInsensitiveDict

from tests.helpers.phone.auth import Credentials
from tests.helpers.phone.multipart import Multipart

USER_AGENT: Final = (
    "org.odk.collect.android/v2026.3.0 Dalvik/2.1.0 (Linux; U; Android 13; SM-A135M Build/TP1A.220624.014)"
)
_UNRESERVED: Final = "'_-!.~()*"
_CONNECT_SECONDS: Final = 30
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_REDIRECTS: Final = frozenset({300, 301, 302, 303, 307, 308})
Headers = CaseInsensitiveDict[str]


@dataclass(frozen=True)
class Response:
    """An answer as the application sees it: a 304 has already become the cached 200 (`cached`)."""

    status: int
    headers: Headers
    body: bytes
    reason: str = ""
    cached: bool = False


@dataclass(frozen=True)
class Exchange:
    """One request that went over the wire: sizes in bytes of the bodies sent and received."""

    method: str
    url: str
    status: int
    sent: int
    received: int
    authorized: bool


@dataclass(frozen=True)
class _Entry:
    """A cached answer, the request headers it was given for, and until when (epoch seconds) it needs no question."""

    headers: Headers
    body: bytes
    asked: dict[str, str]
    vary: tuple[str, ...]
    fresh_until: float

    def answers(self, headers: Mapping[str, str]) -> bool:
        return all(self.asked.get(name) == headers.get(name) for name in self.vary)


def add_query(url: str, **parameters: str) -> str:
    """`url` with parameters appended as android.net.Uri does: everything but unreserved characters is encoded."""
    split = urlsplit(url)
    added = "&".join(f"{name}={quote(value, safe=_UNRESERVED)}" for name, value in parameters.items())
    query = f"{split.query}&{added}" if split.query else added
    return urlunsplit((split.scheme, split.netloc, split.path, query, split.fragment))


def java_accepts(url: str) -> bool:
    """Whether `new URL(url).toURI().getHost()` gives a host; Collect refuses to fetch anything else."""
    split = urlsplit(url)
    if split.scheme not in ("http", "https") or not split.hostname:
        return False
    if re.search(r'[\s"<>\\^`{|}]', url) or re.search(r"%(?![0-9A-Fa-f]{2})", url):
        return False
    return "_" not in split.hostname


@dataclass
class Http:
    """Requests to one server and, with empty credentials, to others. `exchanges` keeps what went over the wire."""

    server: str
    user: str = ""
    password: str = ""
    basic_over_http: bool = False
    verify: bool = True
    read_seconds: float = 60
    exchanges: list[Exchange] = field(default_factory=list)
    _known: dict[tuple[str, str | None, int | None], Credentials] = field(default_factory=dict)
    _cache: dict[str, _Entry] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._session = requests.Session()
        self._session.headers.clear()
        self._session.trust_env = False
        self._session.verify = self.verify

    def close(self) -> None:
        self._session.close()

    def request(self, method: str, url: str, body: Callable[[], Multipart] | None = None) -> Response:
        """The final answer. `body` makes the body anew for each time it must be sent. Raises requests' exceptions."""
        credentials = self._credentials(url)
        ahead = credentials.ahead(method, url)
        response = self._follow(method, url, credentials, ahead, body)
        if response.status == 401 and ahead:  # AuthenticationCacheInterceptor: forget, and once more without
            credentials.forget()
            response = self._follow(method, url, credentials, None, body)
        return response

    def _credentials(self, url: str) -> Credentials:
        split = urlsplit(url)
        key = (split.scheme, split.hostname, split.port)
        if key not in self._known:
            own = (split.hostname or "").lower() == (urlsplit(self.server).hostname or "").lower()
            self._known[key] = Credentials(
                self.user if own else "", self.password if own else "", basic_over_http=self.basic_over_http
            )
        return self._known[key]

    def _follow(
        self,
        method: str,
        url: str,
        credentials: Credentials,
        authorization: str | None,
        body: Callable[[], Multipart] | None,
    ) -> Response:
        for _ in range(21):
            headers = _headers(authorization)
            entry = self._cache.get(url) if method == "GET" else None
            if entry is not None and not entry.answers(headers):
                entry = None
            if entry is not None:
                if entry.fresh_until > time.time():
                    return Response(200, entry.headers, entry.body, cached=True)
                headers |= _conditions(entry)
            answer, content = self._exchange(method, url, headers, body() if body else None)
            if answer.status_code == 304 and entry is not None:
                merged = Headers({**entry.headers, **answer.headers})
                self._cache[url] = replace(entry, headers=merged, fresh_until=_fresh_until(merged))
                return Response(200, merged, entry.body, cached=True)
            if answer.status_code == 401:
                again = credentials.respond(method, url, _challenges(answer), authorization)
                if again is None:
                    return Response(401, answer.headers, content, answer.reason)
                authorization = again
                continue
            location = answer.headers.get("Location")
            if answer.status_code in _REDIRECTS and location:
                target = urljoin(url, location)
                if method not in ("GET", "HEAD") and answer.status_code not in (307, 308):
                    method, body = "GET", None
                if urlsplit(target)[:2] != urlsplit(url)[:2]:
                    authorization = None
                url = target
                continue
            if method == "GET" and answer.status_code == 200:
                self._store(url, headers, answer.headers, content)
            return Response(answer.status_code, answer.headers, content, answer.reason)
        raise requests.TooManyRedirects(url)

    def _exchange(
        self, method: str, url: str, headers: dict[str, str], data: Multipart | None
    ) -> tuple[requests.Response, bytes]:
        if data is not None:
            headers = {**headers, "Content-Type": data.content_type, "Content-Length": str(len(data))}
        try:
            answer = self._session.request(
                method,
                url,
                headers=headers,
                data=data,
                timeout=(_CONNECT_SECONDS, self.read_seconds),
                allow_redirects=False,
                stream=True,
            )
            content = answer.content
        except BaseException:
            self._session.close()  # a connection that broke half way is not used again
            raise
        sent = len(data) if data is not None else 0
        self.exchanges.append(Exchange(method, url, answer.status_code, sent, len(content), "Authorization" in headers))
        return answer, content

    def _store(self, url: str, asked: dict[str, str], headers: Headers, content: bytes) -> None:
        vary = tuple(name.strip() for name in headers.get("Vary", "").split(",") if name.strip())
        if "no-store" in headers.get("Cache-Control", "").lower() or "*" in vary:
            self._cache.pop(url, None)
            return
        self._cache[url] = _Entry(Headers(headers), content, asked, vary, _fresh_until(headers))

    def load_cache(self, file: Path) -> None:
        """The disk cache that survives the application (50 MiB in Collect; unbounded here)."""
        if file.exists():
            for url, held in json.loads(file.read_text()).items():
                self._cache[url] = _Entry(
                    Headers(held["headers"]),
                    base64.b64decode(held["body"]),
                    held["asked"],
                    tuple(held["vary"]),
                    held["fresh_until"],
                )

    def save_cache(self, file: Path) -> None:
        held: dict[str, dict[str, Any]] = {
            url: {
                "headers": dict(entry.headers),
                "body": base64.b64encode(entry.body).decode(),
                "asked": entry.asked,
                "vary": entry.vary,
                "fresh_until": entry.fresh_until,
            }
            for url, entry in self._cache.items()
        }
        file.write_text(json.dumps(held))


def _headers(authorization: str | None) -> dict[str, str]:
    now = time.gmtime()
    hour = now.tm_hour % 12 or 12  # Collect formats the hour with 'hh': a 12-hour clock without AM or PM
    date = (
        f"{_DAYS[now.tm_wday]}, {now.tm_mday:02d} {_MONTHS[now.tm_mon - 1]} {now.tm_year} "
        f"{hour:02d}:{now.tm_min:02d}:{now.tm_sec:02d} GMT"
    )
    headers = {
        "User-Agent": USER_AGENT,
        "X-OpenRosa-Version": "1.0",
        "Date": date,
        "Connection": "Keep-Alive",
        "Accept-Encoding": "gzip",
    }
    return {**headers, "Authorization": authorization} if authorization else headers


def _conditions(entry: _Entry) -> dict[str, str]:
    if entry.headers.get("ETag"):
        return {"If-None-Match": entry.headers["ETag"]}
    if entry.headers.get("Last-Modified"):
        return {"If-Modified-Since": entry.headers["Last-Modified"]}
    return {}


def _fresh_until(headers: Mapping[str, str]) -> float:
    control = headers.get("Cache-Control", "").lower()
    told = re.search(r"max-age=(\d+)", control)
    return time.time() + int(told.group(1)) if told and "no-cache" not in control else 0.0


def _challenges(answer: requests.Response) -> list[str]:
    """Every WWW-Authenticate line by itself; requests would join them."""
    return list(answer.raw.headers.getlist("WWW-Authenticate"))
