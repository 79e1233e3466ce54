"""No room where large parts of a submission wait: 503, and the phone's next try is kept."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.server.desk import ON_SQLITE, Desk, form, questions
from tests.server.wire import Wire, instance


@ON_SQLITE
def test_a_large_file_without_a_temporary_folder_is_503_and_the_retry_is_kept(
    desk: Desk, phone: Wire, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    desk.publish(form("hogar", questions("image foto")))
    xml, files = instance("hogar", "<foto>a.jpg</foto>", instance_id="uuid:1"), {"a.jpg": b"A" * 2_000_000}

    with monkeypatch.context() as broken:
        broken.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
        answer = phone.post(xml, files)

    assert (answer.status, bool(answer.message)) == (503, True)
    assert desk.submissions() == 0
    assert phone.post(xml, files).status == 201
    assert desk.files("uuid:1") == files
