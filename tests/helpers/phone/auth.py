"""Credentials on the wire as Collect uses them: Digest always, Basic over https alone (rburgst/okhttp-digest)."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

_HASHES: Final = {"MD5": "md5", "MD5-SESS": "md5", "SHA-256": "sha256", "SHA-512": "sha512"}
_SCHEME: Final = re.compile(r"(?:^|,\s*)(Basic|Digest)\s", re.IGNORECASE)
_PARAMETER: Final = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


class BadChallenge(Exception):
    """A Digest challenge that the library inside Collect gives up on."""


@dataclass
class _Challenge:
    """A Digest challenge being answered; `used` counts the answers given with its nonce."""

    fields: dict[str, str]
    used: int = 0
    cnonce: str = field(default_factory=lambda: os.urandom(8).hex())


@dataclass
class Credentials:
    """A user and password for one server; what the server asked for is remembered and sent ahead from then on."""

    user: str = ""
    password: str = ""
    basic_over_http: bool = False
    _digest: _Challenge | None = None
    _basic: bool = False

    def ahead(self, method: str, url: str) -> str | None:
        """The Authorization sent without being asked, once a challenge was answered; None before."""
        if self._digest is not None:
            return self._answer_digest(self._digest, method, url)
        return self._answer_basic() if self._basic else None

    def forget(self) -> None:
        self._digest, self._basic = None, False

    def respond(self, method: str, url: str, challenges: Sequence[str], previous: str | None) -> str | None:
        """The answer to the first challenge whose scheme is known; None where Collect gives up. Raises BadChallenge."""
        for scheme in _SCHEME.findall(" , ".join(challenges)):
            if scheme.lower() == "digest":
                return self._respond_digest(method, url, challenges, previous)
            if urlsplit(url).scheme == "https" or self.basic_over_http:
                if previous and previous.startswith("Basic"):
                    return None
                self._basic = True
                return self._answer_basic()
        return None

    def _respond_digest(self, method: str, url: str, challenges: Sequence[str], previous: str | None) -> str | None:
        line = next(line for line in challenges if "digest" in line.lower())
        told = _PARAMETER.findall(line[line.lower().index("digest") + len("digest") :])
        fields = {name.lower(): quoted or bare for name, quoted, bare in told}
        if previous and previous.startswith("Digest") and fields.get("stale", "").lower() != "true":
            return None
        if not fields.get("nonce"):
            raise BadChallenge("missing nonce in challenge header")
        self._digest = _Challenge(fields)
        return self._answer_digest(self._digest, method, url)

    def _answer_basic(self) -> str:
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode("latin-1", "replace")).decode()

    def _answer_digest(self, challenge: _Challenge, method: str, url: str) -> str:
        fields = challenge.fields
        challenge.used += 1
        split = urlsplit(url)
        uri = (split.path or "/") + (f"?{split.query}" if split.query else "")
        algorithm = fields.get("algorithm", "MD5")
        qop = fields.get("qop")
        if qop is not None and "auth" not in [word.strip().lower() for word in qop.split(",")]:
            raise BadChallenge("None of the qop methods is supported: " + qop)

        def digest(text: str) -> str:  # okhttp-digest writes credentials in US-ASCII: ñ becomes ?
            return hashlib.new(_HASHES[algorithm.upper()], text.encode("ascii", "replace")).hexdigest()

        who = digest(f"{self.user}:{fields['realm']}:{self.password}")
        if algorithm.upper() == "MD5-SESS":
            who = digest(f"{who}:{fields['nonce']}:{challenge.cnonce}")
        what = digest(f"{method}:{uri}")
        count = f"{challenge.used:08x}"
        middle = fields["nonce"] if qop is None else f"{fields['nonce']}:{count}:{challenge.cnonce}:auth"
        answer = (
            f'Digest username="{self.user}", realm="{fields["realm"]}", nonce="{fields["nonce"]}", '
            f'uri="{uri}", response="{digest(f"{who}:{middle}:{what}")}"'
        )
        if qop is not None:
            answer += f', qop=auth, nc={count}, cnonce="{challenge.cnonce}"'
        answer += f", algorithm={algorithm}"
        return answer + (f', opaque="{fields["opaque"]}"' if "opaque" in fields else "")
