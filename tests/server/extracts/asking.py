"""An analyst who asks for extracts over HTTP and opens them."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import pandas as pd

from tests.server.desk import ADMIN, PROJECT
from tests.server.wire import Answer, Wire


def basic(email: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{email}:{password}".encode()).decode()


@dataclass(frozen=True)
class Analyst:
    """Who asks, with which credentials."""

    wire: Wire
    authorization: str = basic(*ADMIN)

    def get(self, form_id: str, name: str, **options: str) -> Answer:
        """`name` is what stands behind the form: `extract.csv`, `submissions.csv`. Ours with identities."""
        if not name.startswith("submissions"):
            options = {"identities": "true", "reason": "prueba", **options}
        query = f"?{urlencode({key.removesuffix('_'): value for key, value in options.items()})}" if options else ""
        url = f"/v1/projects/{PROJECT}/forms/{quote(form_id, safe='')}/{name}{query}"
        return self.wire.send("GET", url, {"Authorization": self.authorization}, None)

    def file(self, form_id: str, kind: str, **options: str) -> bytes:
        """An extract that is there."""
        answer = self.get(form_id, f"extract.{kind}", **options)
        assert answer.status == 200, answer.body
        return answer.body

    def refused(self, form_id: str, kind: str, **options: str) -> tuple[int, float, dict[str, Any]]:
        """Status, code and details of a refusal."""
        answer = self.get(form_id, f"extract.{kind}", **options)
        told = json.loads(answer.body)
        return answer.status, told["code"], told["details"]

    def csv(self, form_id: str, **options: str) -> pd.DataFrame:
        """One table, every cell the text that is there."""
        return read_csv(self.file(form_id, "csv", **options))

    def csvs(self, form_id: str, **options: str) -> dict[str, pd.DataFrame]:
        """Every table."""
        files = self.zip(form_id, "csv.zip", **options)
        return {name: read_csv(data) for name, data in files.items() if name.endswith(".csv")}

    def zip(self, form_id: str, kind: str, **options: str) -> dict[str, bytes]:
        """The files of a zip."""
        with zipfile.ZipFile(io.BytesIO(self.file(form_id, kind, **options))) as archive:
            assert archive.testzip() is None
            return {name: archive.read(name) for name in archive.namelist()}


def read_csv(data: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False, encoding="utf-8")
