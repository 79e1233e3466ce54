"""The barest server: Flask under waitress that reads the same body and commits one row, and nothing besides."""

from __future__ import annotations

import os
import queue
import signal
import socket
import sqlite3
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

import click
import psycopg
from flask import Flask, Response, request
from waitress.server import create_server

KEEPERS: Final = ("locked", "grouped", "pooled")
_GROUP: Final = 64
_INSERT: Final = "INSERT INTO bare (xml) VALUES (?)"
_ANSWER: Final = b'<OpenRosaResponse xmlns="http://openrosa.org/http/response"><message>ok</message></OpenRosaResponse>'
Keep = Callable[[bytes], None]


def open_sqlite(file: str) -> sqlite3.Connection:
    """A connection as durable as the program's own, each statement its own transaction."""
    connection = sqlite3.connect(file, timeout=60, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def prepare(url: str) -> None:
    """The table with one row per body. `url` is a file for SQLite, postgresql://… otherwise."""
    if url.startswith("postgresql://"):
        with psycopg.connect(url, autocommit=True) as postgres:
            postgres.execute("CREATE TABLE bare (id bigserial PRIMARY KEY, xml bytea NOT NULL)")
        return
    sqlite = open_sqlite(url)
    sqlite.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, xml BLOB NOT NULL)")
    sqlite.close()


def locked(file: str) -> Keep:
    """SQLite with one connection per thread behind a lock: each body waits for its own disk flush."""
    own, lock = threading.local(), threading.Lock()

    def keep(xml: bytes) -> None:
        if not hasattr(own, "connection"):
            own.connection = open_sqlite(file)
        with lock:
            own.connection.execute(_INSERT, (xml,))

    return keep


def grouped(file: str) -> Keep:
    """SQLite with one writing thread, where bodies that wait at the same time share one disk flush."""
    waiting: queue.SimpleQueue[tuple[bytes, Future[None]]] = queue.SimpleQueue()

    def write() -> None:
        connection = open_sqlite(file)
        while True:
            group = [waiting.get()]
            while len(group) < _GROUP:
                try:
                    group.append(waiting.get_nowait())
                except queue.Empty:
                    break
            connection.execute("BEGIN IMMEDIATE")
            for xml, _ in group:
                connection.execute(_INSERT, (xml,))
            connection.execute("COMMIT")
            for _, kept in group:
                kept.set_result(None)

    threading.Thread(target=write, daemon=True).start()

    def keep(xml: bytes) -> None:
        kept: Future[None] = Future()
        waiting.put((xml, kept))
        kept.result()

    return keep


def pooled(url: str) -> Keep:
    """PostgreSQL with as many connections as are used at once, each statement its own transaction."""
    free: queue.LifoQueue[psycopg.Connection[tuple[object, ...]]] = queue.LifoQueue()

    def keep(xml: bytes) -> None:
        try:
            connection = free.get_nowait()
        except queue.Empty:
            connection = psycopg.connect(url, autocommit=True)
        connection.execute("INSERT INTO bare (xml) VALUES (%s)", (xml,))
        free.put(connection)

    return keep


def application(keep: Keep, document: bytes) -> Flask:
    """POST /submission keeps a body, GET /document answers with the same bytes every time."""
    app = Flask("barest", static_folder=None)

    @app.post("/submission")
    def receive() -> Response:
        keep(request.files["xml_submission_file"].read())
        return Response(_ANSWER, status=201, content_type="text/xml; charset=utf-8")

    @app.get("/document")
    def give() -> Response:
        return Response(document, content_type="text/xml; charset=utf-8")

    return app


def _multiply(processes: int) -> None:
    """Go on as so many processes; they end with the first."""
    children: list[int] = []

    def end(*_: object) -> None:
        for child in children:
            os.kill(child, signal.SIGTERM)
        sys.exit(0)

    for _ in range(processes - 1):
        child = os.fork()
        if child == 0:
            return
        children.append(child)
    signal.signal(signal.SIGTERM, end)


@click.command()
@click.option("--database", "url", required=True)
@click.option("--keep", "keeper", type=click.Choice(KEEPERS), required=True)
@click.option("--port", type=int, required=True)
@click.option("--threads", type=int, required=True)
@click.option("--document", type=int, default=1000, help="Bytes of GET /document.")
@click.option("--processes", type=int, default=1, help="Processes over the one port.")
def main(url: str, keeper: str, port: int, threads: int, document: int, processes: int) -> None:
    """Serve until stopped."""
    place = socket.create_server(("127.0.0.1", port), backlog=1024)
    _multiply(processes)
    keep = {"locked": locked, "grouped": grouped, "pooled": pooled}[keeper](url)
    app = application(keep, b"x" * document)
    create_server(app, sockets=[place], threads=threads, clear_untrusted_proxy_headers=True).run()


if __name__ == "__main__":
    main()
