"""What a phone remembers between two starts: its forms, the submissions it holds, the lists it has read."""

from __future__ import annotations

import json
import random
import string
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

_DEVICE_ALPHABET: Final = string.ascii_letters + string.digits


@dataclass
class StoredForm:
    """A form on the phone; `file` and `media` are paths inside the phone's folder."""

    form_id: str
    version: str | None
    title: str
    submission_url: str | None
    md5: str
    file: str
    media: str
    deleted: bool = False


@dataclass
class StoredInstance:
    """A finalized submission; `status` is Collect's: complete, submissionFailed, submitted."""

    instance_id: str
    deprecated_id: str | None
    form_id: str
    version: str | None
    folder: Path
    xml: Path
    submission_url: str | None
    finalized_at: int
    status: str = "complete"
    message: str | None = None

    @property
    def files(self) -> list[Path]:
        """Every file that is sent along: all of the folder but the submission itself and hidden files."""
        return [file for file in self.folder.iterdir() if file != self.xml and not file.name.startswith(".")]


@dataclass
class Memory:
    """All of it, kept as one JSON file; `lists` holds the hash of each entity list read."""

    device_id: str
    forms: list[StoredForm] = field(default_factory=list)
    instances: list[StoredInstance] = field(default_factory=list)
    lists: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, file: Path) -> Memory:
        """What the file holds, or the memory of a new phone."""
        if not file.exists():
            chosen = random.SystemRandom().choices(_DEVICE_ALPHABET, k=16)
            return cls("collect:" + "".join(chosen))
        held: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        forms = [StoredForm(**form) for form in held["forms"]]
        instances = [
            StoredInstance(**{**instance, "folder": Path(instance["folder"]), "xml": Path(instance["xml"])})
            for instance in held["instances"]
        ]
        return cls(held["device_id"], forms, instances, held["lists"])

    def save(self, file: Path) -> None:
        written = file.with_suffix(".new")
        written.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1, default=str), encoding="utf-8")
        written.replace(file)

    def live(self, form_id: str) -> list[StoredForm]:
        """The stored versions of a form that are not deleted, oldest download first."""
        return [form for form in self.forms if form.form_id == form_id and not form.deleted]
