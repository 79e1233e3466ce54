"""Files of submissions as a zip, and beside ODK Central's CSV."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from server.context import Context
from server.extracts import media, questions
from server.extracts.selection import Rows
from server.extracts.treatments import LEFT_OUT, Treatment, Treatments
from server.store import forms
from server.tables import registry
from tests.server.desk import Desk, form
from tests.server.desk import questions as asked
from tests.server.extracts.asking import Analyst, read_csv
from tests.server.wire import Wire, instance

PHOTOS = form("fotos", asked("image casa", "audio voz", "begin repeat r", "image persona", "end repeat"))


def opened(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def fill(phone: Wire) -> None:
    answers = "<casa>a.jpg</casa><voz>b.m4a</voz><r><persona>c.jpg</persona></r><r><persona>nunca.jpg</persona></r>"
    files = {"a.jpg": b"A" * 300_000, "b.m4a": b"B", "c.jpg": b"C"}
    assert phone.post(instance("fotos", answers, instance_id="uuid:1"), files).status == 201
    sent = instance("fotos", "<casa>a.jpg</casa>", instance_id="otra/..\\clave:2")
    assert phone.post(sent, {"a.jpg": b"otra"}).status == 201


def test_files_stand_in_the_folder_of_their_submission(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(PHOTOS)
    fill(phone)

    files = opened(analyst.get("fotos", "media.zip").body)

    listed = read_csv(files.pop("media.csv"))
    assert files == {
        "1/a.jpg": b"A" * 300_000,
        "1/b.m4a": b"B",
        "1/c.jpg": b"C",
        "otra%2F..%5Cclave%3A2/a.jpg": b"otra",
    }
    assert listed[["_key", "file", "name", "bytes"]].values.tolist() == [
        ["uuid:1", "1/a.jpg", "a.jpg", "300000"],
        ["uuid:1", "1/b.m4a", "b.m4a", "1"],
        ["uuid:1", "1/c.jpg", "c.jpg", "1"],
        ["uuid:1", "", "nunca.jpg", ""],
        ["otra/..\\clave:2", "otra%2F..%5Cclave%3A2/a.jpg", "a.jpg", "4"],
    ]


def test_only_the_files_of_chosen_submissions(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(PHOTOS)
    fill(phone)

    files = opened(analyst.get("fotos", "media.zip", review="approved").body)

    assert list(files) == ["media.csv"]


def test_edits_have_the_files_of_the_version_that_stands(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(PHOTOS)
    fill(phone)
    edit = instance("fotos", "<casa>nueva.jpg</casa>", instance_id="uuid:9", deprecated_id="uuid:1")
    phone.post(edit, {"nueva.jpg": b"N"})

    files = opened(analyst.get("fotos", "media.zip").body)

    assert [name for name in files if name.startswith("1/")] == ["1/nueva.jpg"]


def test_centrals_zip_has_them_unless_declined(desk: Desk, phone: Wire, analyst: Analyst):
    desk.publish(PHOTOS)
    fill(phone)

    with_files = opened(analyst.get("fotos", "submissions.csv.zip").body)
    without = opened(analyst.get("fotos", "submissions.csv.zip", attachments="false").body)

    assert {name for name in with_files if not name.endswith(".csv")} == {
        "media/a.jpg", "media/b.m4a", "media/c.jpg", "media/a (2).jpg",
    }  # fmt: skip
    assert with_files["media/a (2).jpg"] == b"otra"
    assert list(without) == ["fotos.csv", "fotos-r.csv"]


def paths(desk: Desk, treatments: Treatments) -> list[str]:
    row_id = desk.form_row_id("fotos")

    def read(ctx: Context) -> list[str]:
        schemas = [registry.schema_of(ctx.conn, version) for version in forms.list_published(ctx.conn, row_id)]
        seen: Any = questions.read("fotos", schemas, registry.load(ctx.conn, row_id))
        entries = media.files(ctx.conn, ctx.blobs, seen, Rows(), treatments)
        return [name for name, content in entries if content() is not None]

    return desk.ask(read)


def test_a_photograph_that_may_not_leave_stays(desk: Desk, phone: Wire):
    desk.publish(PHOTOS)
    fill(phone)
    pseudonym = Treatment(what="pseudonym", change=lambda key: f"p{len(key)}")

    without_persons = paths(desk, {"/r/persona": LEFT_OUT, "_key": pseudonym})
    nothing = paths(desk, {"/r/persona": LEFT_OUT, "/casa": LEFT_OUT, "/voz": LEFT_OUT, "/meta/audit": LEFT_OUT})

    assert without_persons == ["p6/b.m4a", "media.csv"]  # photos say within themselves where they were made
    assert nothing == ["media.csv"]


@pytest.mark.parametrize("key", ["..", ".", "uuid:", "a.", " ", "CON"])
def test_no_key_leads_out_of_its_folder(key: str):
    folder = media._folder(key)

    assert folder not in ("", ".", "..")
    assert "/" not in folder
    assert folder == folder.strip(". ")
    assert folder.upper() != "CON"
