"""Clients: people who ask the API, each with their own password; answers as JSON and as lines of CSV."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.server.desk import ADMIN, PROJECT, Desk
from tests.server.wire import Answer, Send

PASSWORD = "una contraseña larga"


@dataclass(frozen=True)
class Client:
    """Somebody with a password, or nobody."""

    send: Send
    email: str | None = None
    password: str = PASSWORD
    project_id: int = PROJECT

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """A request below the project's address."""
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        if self.email is not None:
            mark = base64.b64encode(f"{self.email}:{self.password}".encode()).decode()
            given["Authorization"] = f"Basic {mark}"
        return self.send(method, f"/v1/projects/{self.project_id}{path}", given, body)

    def json(self, path: str, status: int = 200, **headers: str) -> Any:
        """What is answered as JSON."""
        answer = self.ask(path, **headers)
        assert answer.status == status, answer.content
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
        return json.loads(answer.content)

    def refused(self, path: str, code: float, **headers: str) -> dict[str, Any]:
        """A problem with this code."""
        told: dict[str, Any] = self.json(path, int(code), **headers)
        assert told["code"] == code, told
        return told

    def lines(self, path: str, **headers: str) -> list[dict[str, str]]:
        """What is answered as CSV."""
        answer = self.ask(path, **headers)
        assert answer.status == 200, answer.content
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        return list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))


def said(who: Client, method: str, path: str, body: Any = None, *, status: int = 200, **headers: str) -> Any:
    """What is answered to a request with a JSON body."""
    answer = who.ask(path, method, json.dumps(body).encode() if body is not None else None, **headers)
    assert answer.status == status, answer.content
    return json.loads(answer.content)


def refused(who: Client, method: str, path: str, body: Any, code: float) -> dict[str, Any]:
    """A problem with this code, answered to a request with a JSON body."""
    told: dict[str, Any] = said(who, method, path, body, status=int(code))
    assert told["code"] == code, told
    return told


def called(who: Client, form_id: str) -> list[str]:
    """What somebody's own extract calls the records of a form, in its order."""
    return [line["_key"] for line in who.lines(f"/forms/{form_id}/extract.csv")]


def client(desk: Desk, send: Send, role: str) -> Client:
    """Somebody with a role over the project: admin, manager, viewer, app-user, none (a user without a role) or nobody."""
    if role == "nobody":
        return Client(send)
    if role == "admin":
        return Client(send, *ADMIN)
    email = f"{role}@example.org"
    desk.user(email, None if role == "none" else role, password=PASSWORD)
    return Client(send, email)


def texts(value: Mapping[str, Any]) -> dict[str, str]:
    """A JSON object as a line of CSV has it."""
    return {name: _text(one) for name, one in value.items()}


def _text(value: Any) -> str:
    if value is None:
        return ""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
