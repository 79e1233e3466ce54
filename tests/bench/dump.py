"""The barest extract: every row of the typed tables as the driver gives it, written as CSV into a zip."""

from __future__ import annotations

import csv
import io
import sqlite3
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click
import psycopg

_BATCH: Final = 500
Tables = Iterator[tuple[str, Iterable[Sequence[Any]]]]


@click.command()
@click.option("--database", "url", required=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
def main(url: str, out: Path) -> None:
    """Write the zip."""
    tables = _sqlite(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else _postgresql(url)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, rows in tables:
            with archive.open(f"{name}.csv", "w", force_zip64=True) as entry:
                writer = csv.writer(text := io.TextIOWrapper(entry, encoding="utf-8", newline=""))
                writer.writerows(rows)
                text.flush()


def _sqlite(file: str) -> Tables:
    connection = sqlite3.connect(file)
    names = [name for (name,) in connection.execute("SELECT name FROM data_tables ORDER BY id")]
    for name in names:
        yield name, connection.execute(f'SELECT * FROM "data_{name}" ORDER BY _submission_id DESC')


def _postgresql(url: str) -> Tables:
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM data_tables ORDER BY id")]
        for name in names:
            with connection.cursor(name="rows") as cursor:
                cursor.itersize = _BATCH
                yield name, cursor.execute(f'SELECT * FROM data."{name}" ORDER BY _submission_id DESC'.encode())


if __name__ == "__main__":
    main()
