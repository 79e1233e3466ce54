"""Serving: the sockets, waitress on them, and several processes over the same sockets where PostgreSQL keeps the data."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final, NoReturn

import structlog
from waitress.server import BaseWSGIServer, create_server

from server import problems
from server.app import create_app
from server.cli import connections
from server.cli.desk import Desk
from server.context import Office
from server.jobs.schedule import Schedule
from server.settings import Settings

_WAITING: Final = 1024
"""Connections that may wait while all threads are busy."""
_PAUSE: Final = 1.0
"""Seconds before a process that ended by itself gets a successor."""
log = structlog.get_logger("tejido")


@contextmanager
def listening(settings: Settings) -> Iterator[list[socket.socket]]:
    """Sockets on every address of the host, phones waiting on them already. Raises Problem 500.8 where one cannot be had."""
    with ExitStack() as stack:
        try:
            found = socket.getaddrinfo(
                settings.host or None, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )
            sockets = []
            for family, kind, protocol, _, address in dict.fromkeys(found):
                one = stack.enter_context(socket.socket(family, kind, protocol))
                if os.name == "posix":  # on Windows the option would let two servers share a port
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                one.bind(address)
                one.listen(_WAITING)
                sockets.append(one)
        except OSError as error:
            reason = error.strerror or str(error)
            taken = error.errno == errno.EADDRINUSE
            raise problems.cannot_listen(settings.host, settings.port, taken=taken, reason=reason) from error
        yield sockets


def serve_here(office: Office, sockets: Sequence[socket.socket], *, schedule: bool) -> None:
    """Serve in this process until KeyboardInterrupt (which waitress keeps to itself): what was begun is answered first."""
    dispatchers: dict[int, Any] = {}
    server = create_server(create_app(office), dispatchers, sockets=list(sockets), **_waitress(office.settings))
    for one in dispatchers.values():
        if isinstance(one, BaseWSGIServer):
            connections.use(one, office.settings)
    with ExitStack() as stack:
        stack.callback(server.close)
        if schedule:
            stack.enter_context(Schedule(office))
        server.run()


def serve_in_processes(at: Desk, sockets: Sequence[socket.socket]) -> None:
    """Serve in as many processes as the settings say until KeyboardInterrupt; one that ends by itself gets a successor.

    Each opens its own office: no connection and no thread may exist in this one. They end with this one, however it ends.
    """
    alive, held = os.pipe()  # a child reads the end of file once this process is gone
    children: dict[int, int] = {}
    try:
        for number in range(at.settings.processes):
            children[_fork(at, sockets, number, (alive, held))] = number
        while children:
            process, status = os.wait()
            number = children.pop(process)
            log.error("process", number=number, ended=os.waitstatus_to_exitcode(status))
            time.sleep(_PAUSE)
            children[_fork(at, sockets, number, (alive, held))] = number
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for process in children:
            os.kill(process, signal.SIGTERM)
        for process in children:
            os.waitpid(process, 0)
        os.close(alive)
        os.close(held)


def _fork(at: Desk, sockets: Sequence[socket.socket], number: int, lifeline: tuple[int, int]) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process == 0:
        _serve_as_child(at, sockets, number, lifeline)
    return process


def _serve_as_child(at: Desk, sockets: Sequence[socket.socket], number: int, lifeline: tuple[int, int]) -> NoReturn:
    code = 0
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the first process passes it on, once
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        alive, held = lifeline
        os.close(held)
        threading.Thread(target=_end_with_the_first, args=(alive,), name="tejido-lifeline", daemon=True).start()
        with at.office(create=True, migrate=False) as office:
            serve_here(office, sockets, schedule=number == 0)
    except KeyboardInterrupt:
        pass
    except BaseException:
        log.exception("process", number=number)
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # what the first process has open is not this one's to close


def _end_with_the_first(alive: int) -> None:
    os.read(alive, 1)
    os.kill(os.getpid(), signal.SIGTERM)


def _waitress(settings: Settings) -> dict[str, Any]:
    """How waitress serves: it reads whole requests before a thread is taken, so that weak links hold up nobody."""
    options: dict[str, Any] = {
        "threads": settings.threads,
        "backlog": _WAITING,
        "connection_limit": 5000,  # phones keep idle connections for minutes
        "asyncore_use_poll": True,  # select() knows only 1024 of them
        "channel_timeout": 120,
        "outbuf_high_watermark": 1 << 32,  # a slow download waits in a file, not in a thread
        "max_request_body_size": 4 * settings.max_body,  # beyond `max_body` we answer ourselves, in OpenRosa's words
        "max_request_header_size": 1 << 20,  # a phone names every offline entity in one URL
        "ident": "Tejido",
        "clear_untrusted_proxy_headers": True,
    }
    if settings.trusted_proxy:
        options |= {
            "trusted_proxy": settings.trusted_proxy,
            "trusted_proxy_count": 1,
            "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"},
        }
    return options
