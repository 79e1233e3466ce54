"""Identity: what a request claims about who asks, and whether it is true."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import Request
from sqlalchemy import Connection

from server import credentials, problems
from server.actions import identity
from server.db import Database
from server.model.people import Actor

REMEMBERED_SECONDS: Final = 300
_REMEMBERED: Final = 1000
_NOBODY: Final = credentials.hash_password(secrets.token_hex(16))
"""Checked where there is no such user, so that the time taken does not tell."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Credentials that were given; to be resolved inside the transaction that uses them."""

    token: str | None = None
    actor_id: int | None = None


class Verified:
    """Passwords that were right a short while ago: clients with Basic send them with every call, and a check takes 0.1 s.

    Only a keyed hash of address, password and stored hash is remembered, in this process, for five minutes.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._seen: OrderedDict[bytes, float] = OrderedDict()
        self._lock = threading.Lock()

    def matches(self, email: str, password: str, kept: str) -> bool:
        """Whether the password is right."""
        mark = hmac.digest(self._key, "\0".join((email, password, kept)).encode(), hashlib.sha256)
        now = time.monotonic()
        with self._lock:
            if self._seen.get(mark, 0) > now:
                return True
        if not credentials.password_matches(password, kept):
            return False
        with self._lock:
            self._seen[mark] = now + REMEMBERED_SECONDS
            while len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        return True


def claim_of(request: Request, database: Database, verified: Verified) -> Claim:
    """What the request claims: the token in its path, or a user by Basic. Raises Problem 401.2 for a wrong password."""
    token = (request.view_args or {}).get("token")
    if token is not None:
        return Claim(token=token)
    given = _basic(request.headers.get("Authorization", ""))
    if given is None:
        return Claim()
    email, password = given
    if "\0" in email:
        raise problems.authentication_failed()  # PostgreSQL takes no NUL
    found = database.read(lambda conn: identity.by_password(conn, email))
    actor_id, kept = found or (None, _NOBODY)
    if not verified.matches(email, password, kept) or actor_id is None:
        raise problems.authentication_failed()
    return Claim(actor_id=actor_id)


def _basic(header: str) -> tuple[str, str] | None:
    """Address and password of a Basic header, in UTF-8 or, as Collect's HTTP library writes them, in ISO-8859-1."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True)
    except ValueError:
        return None
    try:
        text = decoded.decode()
    except UnicodeDecodeError:
        text = decoded.decode("latin-1")
    email, _, password = text.partition(":")
    return email, password


def resolve(conn: Connection, claim: Claim) -> Actor | None:
    """The actor behind a claim, None where nothing was claimed. Raises Problem 403.1 for a token that opens nothing."""
    return ask(conn, claim)()


def ask(conn: Connection, claim: Claim) -> Callable[[], Actor | None]:
    """What gives the actor behind a claim, and raises as `resolve` does; it need not be waited for at once."""
    if claim.token is not None:
        asked = identity.by_token(conn, claim.token)

        def known() -> Actor:
            actor = asked()
            if actor is None:
                raise problems.token_not_valid()
            return actor

        return known
    if claim.actor_id is not None:
        return identity.by_id(conn, claim.actor_id)
    return lambda: None
