"""deploy/settings.md names every setting, and none that is not there."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from server.settings import Settings

PAPER = Path(__file__).parents[2] / "deploy" / "settings.md"


def test_settings_paper_says_what_the_settings_are():
    rows = re.findall(
        r"^\| `TEJIDO_(\w+)` \| (?:`(.*?)`)? ?\| (.+) \|$", PAPER.read_text(encoding="utf-8"), re.MULTILINE
    )

    assert rows == [(field.name.upper(), str(field.default), field.metadata["help"]) for field in fields(Settings)]
