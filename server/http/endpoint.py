"""Endpoints: a request becomes one action, with its actor, in one transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

from flask import Flask, current_app, request

from server import problems
from server.context import Context, Office
from server.http import identity
from server.http.identity import Claim, Verified
from server.http.keeping import Shelf

T = TypeVar("T")


def install(app: Flask, office: Office) -> None:
    """Give the app its office."""
    app.extensions["tejido"] = office
    app.extensions["tejido-verified"] = Verified()
    app.extensions["tejido-shelf"] = Shelf()
    app.extensions["tejido-streams"] = threading.BoundedSemaphore(max(1, office.settings.threads // 4))


def office() -> Office:
    """The office of the app that answers."""
    return cast(Office, current_app.extensions["tejido"])


def ask(action: Callable[[Context], T], *, anonymous: bool = False) -> T:
    """What a reading action gives to whoever asks (`anonymous`: the path's token is no actor's)."""
    here = office()
    claim = _claim(here, anonymous=anonymous)
    return here.database.read(lambda conn: action(here.context(conn, identity.resolve(conn, claim))))


def ask_whole(action: Callable[[Context], T], *, anonymous: bool = False) -> T:
    """The same where many statements must see one state of the database."""
    here = office()
    claim = _claim(here, anonymous=anonymous)
    with here.database.reading() as conn:
        return action(here.context(conn, identity.resolve(conn, claim)))


def act(action: Callable[[Context], T], *, anonymous: bool = False) -> T:
    """What a writing action gives, once it is durable. It may run on another thread: it must not touch the request."""
    here = office()
    claim = _claim(here, anonymous=anonymous)
    return here.act(action, lambda conn: identity.ask(conn, claim))


@contextmanager
def asking(*, spill: bool = False) -> Iterator[Context]:
    """A context for an answer that is streamed (`spill`: with large temporary tables). Raises Problem 503.1 where a quarter
    of the threads stream already.

    Such an answer takes its thread for as long as it is made (not for as long as it is sent); phones need the others.
    """
    here = office()
    claim = _claim(here, anonymous=False)
    streams = current_app.extensions["tejido-streams"]
    if not streams.acquire(blocking=False):
        raise problems.downloads_busy()
    try:
        with here.database.reading(spill=spill) as conn:
            yield here.context(conn, identity.resolve(conn, claim))
    finally:
        streams.release()


def shelf() -> Shelf:
    """The files that this process made for answers and keeps a while."""
    return cast(Shelf, current_app.extensions["tejido-shelf"])


def base_url() -> str:
    """Scheme and host as clients see them, without a slash at the end."""
    return office().settings.base_url or f"{request.scheme}://{request.host}"


def _claim(here: Office, *, anonymous: bool) -> Claim:
    return (
        Claim() if anonymous else identity.claim_of(request, here.database, current_app.extensions["tejido-verified"])
    )
