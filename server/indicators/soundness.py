"""Soundness: fact tables that are not what the declarations and the typed tables ask for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, func, inspect, select

from forms.problems import Sentence
from server.indicators.facts import FactTable
from server.store import indicators


def find_flaws(conn: Connection, form_id: int, tables: Sequence[FactTable]) -> Iterator[tuple[str, Sentence]]:
    """Each fact table of a form that is missing, of another definition or short of rows: its name, and what is wrong.

    `tables` are those that the form should have now. Rows are counted, not compared.
    """
    digests = {name: digest for _, _, name, digest in indicators.list_fact_tables(conn, form_id)}
    inspector = inspect(conn)
    for one in tables:
        name = one.table.name
        if not inspector.has_table(name, schema=one.table.schema):
            yield name, Sentence("no existe", "it is not there")
            continue
        columns = {column["name"] for column in inspector.get_columns(name, schema=one.table.schema)}
        if digests.get(name) != one.digest or not columns >= set(one.table.columns.keys()):
            yield (
                name,
                Sentence("no es la que piden los indicadores en vigor", "it is not what the indicators in force need"),
            )
            continue
        held, due = conn.execute(
            select(
                select(func.count()).select_from(one.table).scalar_subquery(),
                select(func.count()).select_from(one.rows.subquery()).scalar_subquery(),
            )
        ).one()
        if held != due:
            yield (
                name,
                Sentence(f"tiene {held} filas y debería tener {due}", f"it has {held} rows and should have {due}"),
            )
    for name in digests.keys() - {one.table.name for one in tables}:
        yield name, Sentence("ningún indicador la usa", "no indicator uses it")
