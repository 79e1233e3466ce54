"""Frames as they are, before any door: for treatments that no role asks for."""

from __future__ import annotations

import pandas as pd

from server.extracts import delimited, frame, questions
from server.extracts.selection import Selection
from server.extracts.treatments import Treatments
from server.store import forms
from server.tables import registry
from tests.server.desk import Desk
from tests.server.extracts.asking import read_csv


def csv_of(
    desk: Desk, form_id: str, treatments: Treatments, *, table: str = "", joined: str | None = None
) -> pd.DataFrame:
    """One table as CSV under these treatments."""
    row_id = desk.form_row_id(form_id)
    chosen = Selection(tables=None if joined else (table,), joined=joined)

    def read(conn) -> bytes:
        schemas = [registry.schema_of(conn, version) for version in forms.list_published(conn, row_id)]
        asked = questions.read(form_id, schemas, registry.load(conn, row_id))
        (only,) = frame.build(conn, asked, chosen, treatments)
        return b"".join(delimited.written(only, chosen))

    return read_csv(desk.look(read))
