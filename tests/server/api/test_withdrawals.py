"""Taking back consent over HTTP: seen before it is done, done, listed; who may, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.server.api.clients import Client, client, refused, said
from tests.server.desk import ON_SQLITE, Desk
from tests.server.entities.trees import uuid_of
from tests.server.privacy import people
from tests.server.privacy.people import ANA, LIST
from tests.server.wire import Wire, to_app

ONE = uuid_of(1)
PATH = f"/datasets/{LIST}/entities/{ONE}/withdraw"
BODY = {"reason": "withdrawn", "askedBy": "person", "askedOn": "2026-11-20"}
TOUCHED = {
    "entities": 1, "entityVersions": 3, "submissions": 4, "submissionsDeleted": 3, "documents": 4, "files": 1,
    "corrections": 1, "flags": 0, "auditLinesLeft": 0,
}  # fmt: skip


@pytest.fixture
def filled(desk: Desk, phone: Wire) -> Desk:
    people.fill(desk, phone)
    return desk


def test_a_withdrawal_is_seen_before_it_is_done_and_listed_after(filled: Desk, admin: Client, app: Flask):
    seen = said(admin, "POST", f"{PATH}?dryRun=true", BODY)
    assert seen == {"withdrawn": [ONE], "policy": "erase", "touched": TOUCHED}
    assert admin.json(f"/datasets/{LIST}/withdrawals") == []
    assert admin.ask(f"/datasets/{LIST}/entities/{ONE}").status == 200

    assert said(admin, "POST", PATH, BODY) == seen

    [line] = admin.json(f"/datasets/{LIST}/withdrawals")
    assert {name: value for name, value in line.items() if name != "withdrawnAt"} == {
        **BODY, "project": 1, "dataset": LIST, "uuid": ONE, "policy": "erase",
    }  # fmt: skip
    data = filled.office.settings.data
    assert ANA not in people.kept(filled, data)
    assert ONE in (data / "withdrawals.jsonl").read_text()
    refused(admin, "POST", PATH, BODY, 409.91)


def test_the_file_made_for_phones_is_let_go(filled: Desk, admin: Client, phone: Wire, app: Flask):
    assert ANA in phone.get("/forms/visita/attachments/gente.csv").content.decode()
    shelf = app.extensions["tejido-shelf"]
    assert len(shelf._kept) == 1

    said(admin, "POST", PATH, BODY)

    assert len(shelf._kept) == 0
    assert ANA not in phone.get("/forms/visita/attachments/gente.csv").content.decode()


@ON_SQLITE
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 400.2),
        ({"reason": "withdrawn"}, 400.2),
        ({**BODY, "askedOn": "ayer"}, 400.8),
        ({**BODY, "reason": f"{ANA} llamó"}, 400.8),
        ({**BODY, "policy": "some"}, 400.8),
        ({**BODY, "who": "x"}, 400.8),
        ([], 400.1),
    ],
)
def test_what_is_no_withdrawal_is_refused(filled: Desk, admin: Client, body: Any, code: float):
    refused(admin, "POST", PATH, body, code)

    assert admin.json(f"/datasets/{LIST}/withdrawals") == []
    assert admin.ask(f"/datasets/{LIST}/entities/{ONE}").status == 200


@ON_SQLITE
@pytest.mark.parametrize(
    ("role", "status"), [("manager", 200), ("viewer", 403), ("formfill", 403), ("none", 403), ("nobody", 401)]
)
def test_coordinators_and_administrators_withdraw(filled: Desk, app: Flask, role: str, status: int):
    who = client(filled, to_app(app), role)

    assert who.ask(f"{PATH}?dryRun=true", "POST", b'{"reason": "mistake", "askedBy": "programme"}').status == status
    assert who.ask(f"/datasets/{LIST}/withdrawals").status == status
    assert who.ask(PATH, "POST", b'{"reason": "mistake", "askedBy": "programme"}').status == status
