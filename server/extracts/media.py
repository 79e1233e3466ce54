"""Media: the files of submissions, each in a folder of its submission, as a zip that is written while it is sent."""

from __future__ import annotations

import csv
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO, Any, Final
from urllib.parse import quote

from sqlalchemy import ColumnElement, Connection, Select, select

from server.blobs.blobs import Blobs
from server.extracts import naming, selection, treatments
from server.extracts.archive import PIECE, Entry
from server.extracts.delimited import harmless
from server.extracts.questions import Asked, Question
from server.extracts.rows import BATCH, Source
from server.extracts.selection import Rows
from server.extracts.treatments import Treatments
from server.model.submissions import submission_attachments, submission_versions
from server.tables import ddl

LIST: Final = "media.csv"
"""The last file of the zip: every file that was looked for, also those that never came."""
_KEPT_IN_NAMES: Final = " -_.,()áéíóúüñÁÉÍÓÚÜÑ"
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
"""Names that Windows keeps for devices."""
_UUID: Final = "uuid:"
_SILENT: Final = (".mp3", ".m4a", ".aac", ".amr", ".ogg", ".wav", ".csv", ".txt", ".pdf")
"""Ends of names of files that do not say within themselves where they were made, as photos and videos do (EXIF)."""


@dataclass(frozen=True, slots=True)
class _File:
    submission_id: int
    key: str
    name: str
    sha256: str | None
    size: int | None


def files(
    conn: Connection, blobs: Blobs, asked: Asked, rows: Rows, disclosed: Treatments, *, folders: bool = True
) -> Iterator[Entry]:
    """Each file that a kept question of a chosen submission names, as `<submission>/<name>` (without `folders`: `<name>`).

    Folders are the submission's key without `uuid:`; what a file system may not take in names is written otherwise. At
    the end comes `media.csv` (with `folders`). Where answers are not told as they came, photos, videos and whatever else may
    say within itself where it was made stay out, of questions marked `open` too. Nothing is read before its turn. Raises
    Problem 503.1 for a blob that is gone.
    """
    kept, every = _questions(asked, disclosed)
    change = treatments.of(disclosed, "_key").change or (lambda key: key)
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as listed:
        writer = csv.writer(listed, lineterminator="\n")
        writer.writerow(["_key", "file", "name", "bytes", "sha256"])
        taken: set[str] = set()
        current = 0
        for file in _chosen(conn, asked, rows, kept, disclosed, every=every):
            if disclosed and not file.name.lower().endswith(_SILENT):
                continue
            key = str(change(file.key))
            if folders and file.submission_id != current:
                taken, current = set(), file.submission_id
            path = ""
            if file.sha256 is not None:
                name = _free(naming.file_name(file.name), taken)
                path = f"{_folder(key)}/{name}" if folders else name
                yield path, _content(blobs, file.sha256)
            cells = [key, path, file.name, file.size, file.sha256]
            writer.writerow([harmless(cell) for cell in cells])
        if folders:
            yield LIST, lambda: _whole(listed)


def _questions(asked: Asked, disclosed: Treatments) -> tuple[list[Question], bool]:
    """The questions whose files may leave, and whether all may."""
    asking = [question for question in asked.questions if question.entry.type == "binary"]
    kept = [question for question in asking if treatments.of(disclosed, question.path).what == "keep"]
    return kept, len(kept) == len(asking)


def _chosen(
    conn: Connection, asked: Asked, rows: Rows, kept: list[Question], disclosed: Treatments, *, every: bool
) -> Iterator[_File]:
    if not kept:
        return
    found: list[_File] = []
    streaming = conn.execution_options(stream_results=True, yield_per=BATCH)
    with streaming.execute(_statement(conn, asked, rows, disclosed)) as result:
        for batch in result.partitions():
            found = [_File(*row) for row in batch]
            named = None if every else _named(conn, asked, kept, {file.submission_id for file in found})
            for file in found:
                if named is None or (file.submission_id, file.name) in named:
                    yield file


def _statement(conn: Connection, asked: Asked, rows: Rows, disclosed: Treatments) -> Select[Any]:
    """The files of the versions that stand, submission by submission: as they arrived, or in the order of pseudonyms."""
    parts = ddl.sql_tables(conn, asked.layout.table(""))
    form, versions, attached = parts[0].c, submission_versions.c, submission_attachments.c
    stands = treatments.of(disclosed, "_key").select
    key: ColumnElement[Any] = form["_key"] if stands is None else stands([form["_key"]])
    conditions = [*selection.conditions(rows, parts), *([] if stands is None else [key.is_not(None)])]
    return (
        select(form["_submission_id"], key, attached.name, attached.sha256, attached.size)
        .select_from(
            parts[0]
            .join(submission_versions, versions.submission_id == form["_submission_id"])
            .join(submission_attachments, attached.version_id == versions.id)
        )
        .where(versions.current, *conditions)
        .order_by(form["_submission_id"] if stands is None else key, attached.name)
    )


def _named(conn: Connection, asked: Asked, kept: list[Question], submissions: set[int]) -> set[tuple[int, str]]:
    """What the kept questions name in these submissions."""
    found: set[tuple[int, str]] = set()
    for question in kept:
        part = Source(conn, asked.layout, asked.chain(question.table)).parts(question.table)[question.column.part - 1].c
        answer = part[question.column.name]
        statement = select(part["_submission_id"], answer).where(
            part["_submission_id"].in_(sorted(submissions)), answer.is_not(None)
        )
        found.update((row[0], row[1]) for row in conn.execute(statement))
    return found


def _content(blobs: Blobs, sha256: str) -> Callable[[], Iterator[bytes]]:
    def read() -> Iterator[bytes]:
        with blobs.open(sha256) as file:
            while piece := file.read(PIECE):
                yield piece

    return read


def _whole(listed: IO[str]) -> Iterator[bytes]:
    listed.seek(0)
    while piece := listed.read(PIECE):
        yield piece.encode()


def _folder(key: str) -> str:
    """A key as a folder may be called on any system; two keys never become the same."""
    plain = quote(key.removeprefix(_UUID), safe=_KEPT_IN_NAMES)
    return plain if plain and plain.strip(". ") == plain and not _RESERVED.fullmatch(plain) else f"%{plain}%"


def _free(name: str, taken: set[str]) -> str:
    wish, number = name, 1
    while wish.lower() in taken:
        number += 1
        path = PurePath(name)
        wish = f"{path.stem} ({number}){path.suffix}"
    taken.add(wish.lower())
    return wish
