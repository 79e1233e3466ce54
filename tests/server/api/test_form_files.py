"""The files of forms over HTTP: linked to entity lists and unlinked; the lists that a form writes to and its draft would."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from server.model.audits import audits
from tests.helpers import samples
from tests.server.api.clients import Client, client, refused, said
from tests.server.desk import PROJECT, Desk, form, questions
from tests.server.entities import trees
from tests.server.entities.trees import CREATES, LIST, UPDATES, Trees
from tests.server.wire import Wire, to_app

READER = form("lector", questions("select_one_from_file gente.csv quien", "select_one_from_file arboles.csv cual"))
FILES = "/forms/lector/draft/attachments"
FILE = f"{FILES}/gente.csv"
CONTENT = b"name,label\n1,Ana\n"
LINKED = {"name": "gente.csv", "type": "file", "exists": True, "blobExists": False, "datasetExists": True}
NOTHING = {"name": "gente.csv", "type": "file", "exists": False, "blobExists": False, "datasetExists": False}


def told(file: dict[str, Any]) -> dict[str, Any]:
    """A file without its moment."""
    return {name: value for name, value in file.items() if name != "updatedAt"}


def people(who: Client, path: str = FILES) -> dict[str, Any]:
    """The file of people among a form's."""
    return next(told(one) for one in who.json(path) if one["name"] == "gente.csv")


def test_a_file_that_was_uploaded_gives_way_to_the_list_of_its_name_and_phones_get_that(
    desk: Desk, admin: Client, phone: Wire
):
    said(admin, "POST", "/datasets", {"name": "gente"})
    desk.draft(READER, {"gente.csv": CONTENT})
    assert people(admin) == {
        "name": "gente.csv",
        "type": "file",
        "exists": True,
        "blobExists": True,
        "datasetExists": False,
        "hash": "734d714c91e335d65c5aeba9d207a572",
        "size": 17,
    }

    answered = said(admin, "PATCH", FILE, {"dataset": True})

    assert told(answered) == LINKED
    assert answered["updatedAt"].endswith("Z")
    assert people(admin) == LINKED
    desk.publish(READER)
    assert people(admin, "/forms/lector/attachments") == LINKED
    assert phone.get("/forms/lector/attachments/gente.csv").content == b"name,label,__version\r\n"
    uses = said(admin, "GET", "/datasets/gente")
    assert uses["linkedForms"] == [{"name": "lector", "xmlFormId": "lector"}]


def test_what_was_unlinked_stays_so_though_forms_are_uploaded_and_published(desk: Desk, admin: Client, phone: Wire):
    said(admin, "POST", "/datasets", {"name": "gente"})
    desk.draft(READER)
    assert people(admin) == LINKED

    assert told(said(admin, "PATCH", FILE, {"dataset": False})) == NOTHING
    desk.publish(READER)
    desk.draft(READER.replace("lector", "otro"))
    desk.draft(READER)

    assert people(admin, "/forms/lector/attachments") == NOTHING
    assert people(admin) == NOTHING
    assert people(admin, "/forms/otro/draft/attachments") == LINKED
    assert phone.get("/forms/lector/attachments/gente.csv").status == 404


def test_a_version_that_is_published_again_takes_over_links_and_their_undoing(desk: Desk, admin: Client):
    said(admin, "POST", "/datasets", {"name": "gente"})
    desk.publish(READER, {"gente.csv": CONTENT})
    desk.draft(READER)
    said(admin, "PATCH", FILE, {"dataset": True})
    desk.publish(READER)
    assert people(admin, "/forms/lector/attachments") == LINKED

    desk.draft(READER)
    said(admin, "PATCH", FILE, {"dataset": False})
    desk.publish(READER)

    assert people(admin, "/forms/lector/attachments") == NOTHING


def test_a_file_is_cleared_of_its_list_or_content(desk: Desk, admin: Client):
    said(admin, "POST", "/datasets", {"name": "gente"})
    desk.draft(READER)

    assert said(admin, "DELETE", FILE) == {"success": True}

    assert people(admin) == NOTHING
    refused(admin, "DELETE", FILE, None, 404.1)
    refused(admin, "DELETE", f"{FILES}/nada.csv", None, 404.1)


def test_the_audit_tells_what_was_linked(desk: Desk, admin: Client):
    said(admin, "POST", "/datasets", {"name": "gente"})
    desk.draft(READER)
    said(admin, "PATCH", FILE, {"dataset": False})
    said(admin, "PATCH", FILE, {"dataset": True})

    statement = select(audits.c.details).where(audits.c.action == "form.attachment.update").order_by(audits.c.id)
    assert list(desk.look(lambda conn: conn.execute(statement).scalars().all())) == [
        {"name": "gente.csv", "oldDatasetId": 1, "newDatasetId": None},
        {"name": "gente.csv", "oldDatasetId": None, "newDatasetId": 1},
    ]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        (f"{FILES}/arboles.csv", {"dataset": True}, 404.1),  # no such list
        (f"{FILES}/Gente.csv", {"dataset": True}, 404.1),  # the list is called otherwise
        (f"{FILES}/suelta.csv", {"dataset": True}, 404.1),  # no such file
        ("/forms/nada/draft/attachments/gente.csv", {"dataset": True}, 404.1),
        ("/forms/publicado/draft/attachments/gente.csv", {"dataset": True}, 404.1),  # no draft
        (FILE, {}, 400.2),
        (FILE, {"dataset": "true"}, 400.8),
        (FILE, {"dataset": None}, 400.8),
    ],
)
def test_what_cannot_be_linked_is_refused(desk: Desk, admin: Client, path: str, body: Any, code: float):
    desk.publish(READER.replace("lector", "publicado"))
    desk.draft(READER)
    for name in ("gente", "suelta"):
        said(admin, "POST", "/datasets", {"name": name})
    before = admin.json(FILES)

    refused(admin, "PATCH", path, body, code)

    assert admin.json(FILES) == before


def test_only_data_files_can_be_lists(desk: Desk, admin: Client):
    said(admin, "POST", "/datasets", {"name": "foto"})
    desk.draft(
        "| survey |\n| | type | name | label | image |\n| | note | n | Nota | foto |\n"
        "| settings |\n| | form_id | form_title | version |\n| | conimagen | Con imagen | 1 |\n"
    )

    answered = refused(admin, "PATCH", "/forms/conimagen/draft/attachments/foto", {"dataset": True}, 400.26)

    assert answered["message"] == 'Dataset can only be linked to attachments with "Data File" type.'


@pytest.mark.parametrize(
    ("role", "status"),
    [("manager", 200), ("viewer", 403), ("formfill", 403), ("none", 403), ("nobody", 401)],
)
def test_whoever_may_change_the_form_and_list_entities_links(
    desk: Desk, admin: Client, app: Flask, role: str, status: int
):
    said(admin, "POST", "/datasets", {"name": "gente"})
    desk.draft(READER)

    said(client(desk, to_app(app), role), "PATCH", FILE, {"dataset": False}, status=status)

    assert people(admin) == (NOTHING if status == 200 else LINKED)


def test_a_draft_tells_what_its_publishing_would_make(desk: Desk, admin: Client):
    desk.draft(samples.tree_registration().xform)

    assert admin.json(f"/forms/{CREATES}/draft/dataset-diff") == [
        {
            "name": LIST,
            "isNew": True,
            "properties": [
                {"name": "especie", "isNew": True, "inForm": True},
                {"name": "geometry", "isNew": True, "inForm": True},
                {"name": "circunferencia", "isNew": True, "inForm": True},
            ],
        }
    ]
    admin.refused(f"/forms/{CREATES}/dataset-diff", 404.1)
    assert admin.json("/datasets") == []

    desk.publish(samples.tree_registration().xform)
    desk.draft(samples.tree_follow_up().xform)

    assert admin.json(f"/forms/{UPDATES}/draft/dataset-diff") == [
        {
            "name": LIST,
            "isNew": False,
            "properties": [
                {"name": "especie", "isNew": False, "inForm": False},
                {"name": "geometry", "isNew": False, "inForm": False},
                {"name": "circunferencia", "isNew": False, "inForm": True},
                {"name": "estado", "isNew": True, "inForm": True},
            ],
        }
    ]
    admin.refused(f"/forms/{CREATES}/draft/dataset-diff", 404.1)


def test_a_published_form_tells_the_lists_it_writes_to(forest: Trees, admin: Client):
    assert forest.desk.project_id == PROJECT
    assert admin.json(f"/forms/{UPDATES}/dataset-diff") == [
        {
            "name": LIST,
            "properties": [
                {"name": "especie", "inForm": False},
                {"name": "geometry", "inForm": False},
                {"name": "circunferencia", "inForm": True},
                {"name": "estado", "inForm": True},
            ],
        }
    ]


def test_a_form_without_lists_or_with_encrypted_answers_has_no_differences(desk: Desk, admin: Client):
    desk.draft(READER)
    assert admin.json("/forms/lector/draft/dataset-diff") == []

    xform = samples.tree_registration().xform
    key = b'<submission base64RsaPublicKey="abc"/></model>'
    desk.draft(xform.replace(b"</model>", key) if b"<submission" not in xform else xform)
    assert admin.json(f"/forms/{CREATES}/draft/dataset-diff") == []


@pytest.mark.parametrize(("role", "status"), [("viewer", 200), ("formfill", 403), ("none", 403), ("nobody", 401)])
def test_whoever_reads_forms_and_lists_is_told_the_differences(desk: Desk, app: Flask, role: str, status: int):
    trees.publish(desk)
    desk.draft(samples.tree_registration().xform)
    who = client(desk, to_app(app), role)

    for path in (f"/forms/{CREATES}/dataset-diff", f"/forms/{CREATES}/draft/dataset-diff"):
        who.json(path, status)
