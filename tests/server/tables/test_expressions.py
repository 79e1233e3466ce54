"""Generated expressions: JavaRosa, the Python reader and the SQL reader give the same answers."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from forms import instance, tables, workbook, xform
from forms.expressions.checks import check
from forms.expressions.evaluate import Unit, evaluate
from forms.expressions.scope import Scope
from forms.expressions.tree import Aggregate, Answer, Apply, Indexed, Tree, parts
from forms.instance import Instance
from forms.schema import Schema
from forms.tables import Row
from server.tables.expressions import Rows
from tests.forms.expressions.generated import FORM_ID, Generated, Generator, agrees, form
from tests.helpers.phone import Engine
from tests.helpers.workbooks import xlsx
from tests.server.desk import Desk
from tests.server.wire import Wire
from tests.server.wire import instance as instance_of

Values = Mapping[tuple[str, str], Any]
"""What each expression (its name, the key of its unit) gives."""


def fill(engine: Engine, xml: bytes, folder: Path, *, submissions: int, seed: int) -> list[Instance]:
    """What JavaRosa makes of the form with random answers, its calculations among them."""
    for name in ("media", "instances"):
        (folder / name).mkdir()
    (folder / "form.xml").write_bytes(xml)
    given: list[object] = ["--tz", "America/Panama", "--n", submissions, "--seed", seed, "--repeats", "0-3"]
    printed = engine(folder / "form.xml", folder / "media", folder / "instances", *given)
    lines = [json.loads(line) for line in printed.split("\n") if line.startswith("{")]
    assert len(lines) == submissions
    return [instance.read(Path(line["xml"]).read_bytes()) for line in lines]


def unfounded(tree: Tree, unit: Unit) -> bool:
    """Whether something has no value although nothing that it needs is blank: a division by zero, the least of no rows.

    JavaRosa goes on with NaN or an empty text there; for us it is as unknown as a blank.
    """
    inner = parts(tree)
    none = evaluate(tree, unit) is None
    if isinstance(tree, Aggregate | Indexed):
        return none
    if none and isinstance(tree, Apply) and all(evaluate(part, unit) is not None for part in inner):
        return True
    return any(unfounded(part, unit) for part in inner)


def explicit(tree: Tree, unit: Unit) -> bool:
    """Whether the expression itself says what a blank means, in a way of ours: coalesce() and comparisons with '' hold for
    whatever is unknown, not for blank questions only; sum(), count(), min(), max() leave rows without an answer out.
    """
    if isinstance(tree, Aggregate) and tree.argument is not None:
        rows = unit.below(tree.table, tree.around)
        return any(row.values.get(tree.argument.path) is None for row in rows)
    if isinstance(tree, Apply) and tree.operation in ("coalesce", "blank", "answered"):
        first = tree.arguments[0]
        if not isinstance(first, Answer) and evaluate(first, unit) is None:
            return True
    return any(explicit(part, unit) for part in parts(tree))


def by_sql(
    conn: Connection, desk: Desk, schema: Schema, made: Sequence[Generated], trees: Mapping[str, Tree]
) -> dict[tuple[str, str], Any]:
    """The SQL reader over all rows, many expressions at a time."""
    layout = desk.layout(FORM_ID)
    found: dict[tuple[str, str], Any] = {}
    for unit in ("", "/miembro"):
        named = [one.name for one in made if one.unit == unit]
        for at in range(0, len(named), 40):
            share = named[at : at + 40]
            rows = Rows(conn, layout, schema, unit)
            columns = [rows.value(trees[name]).label(name) for name in share]
            for key, *values in conn.execute(select(rows.row.c["_key"], *columns).select_from(rows.source)):
                found |= {(name, key): value for name, value in zip(share, values, strict=True)}
    return found


def read_sheet(sheet: str) -> Schema:
    return xform.read(workbook.compile(sheet.encode(), "form.md").xml)


def same(kind: str, left: Any, right: Any) -> bool:
    if kind == "number" and left is not None and right is not None:
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(right, int) and kind == "boolean":
        right = bool(right)
    if isinstance(right, str) and kind == "date":
        right = date.fromisoformat(right)
    return bool(left == right)


@pytest.mark.parametrize("required", [True, False], ids=["nothing blank", "blanks"])
def test_readers_agree_with_javarosa_and_with_each_other(
    required: bool, desk: Desk, phone: Wire, engine: Engine, tmp_path: Path, request: pytest.FixtureRequest
):
    expressions, submissions = (500, 25) if request.config.getoption("--long") else (120, 4)
    made = Generator(20_261_124 + required).many(expressions)
    xml = workbook.compile(xlsx(form(made, required=required)), "expresiones.xlsx").xml
    schema = xform.read(xml)
    trees = {one.name: check(one.text, Scope(schema, one.unit), one.kind) for one in made}
    desk.publish(xml)
    filled = fill(engine, xml, tmp_path, submissions=submissions, seed=7)
    for one in filled:
        assert phone.post(one.xml).status == 201

    by_python: dict[tuple[str, str], Any] = {}
    compared, wrong = 0, []
    for sent in filled:
        rows, misfits = tables.rows_of(tables.Plan(schema), sent, instance_id=sent.instance_id)
        assert misfits == []
        for row in rows:
            for one in (one for one in made if one.unit == row.table):
                ours = evaluate(trees[one.name], Unit(rows, row))
                by_python[one.name, row.key] = ours
                compared += 1
                if not explained(one, row, trees[one.name], Unit(rows, row), ours, blanks=not required):
                    wrong.append((one.text, row.values.get(f"{one.unit}/{one.name}"), ours, row.key))
    assert wrong == []
    assert compared > expressions

    sql = desk.look(lambda conn: by_sql(conn, desk, schema, made, trees))
    kinds = {one.name: one.kind for one in made}
    texts = {one.name: one.text for one in made}
    differ = [
        (texts[name], value, sql[name, key])
        for (name, key), value in by_python.items()
        if not same(kinds[name], value, sql[name, key])
    ]
    assert differ == []


def explained(one: Generated, row: Row, tree: Tree, unit: Unit, ours: Any, *, blanks: bool) -> bool:
    """Equal to what JavaRosa wrote; where something is blank or has no value, equal or unknown."""
    if agrees(one.kind, row.values.get(f"{one.unit}/{one.name}", ""), ours):
        return True
    if ours is None:
        return blanks or unfounded(tree, unit)
    return explicit(tree, unit)


def test_answers_are_found_in_every_part_of_a_table_and_from_rows_within_rows(desk: Desk, phone: Wire):
    many = "".join(f"| | integer | n{number} | N |\n" for number in range(450))
    deep = "".join(f"| | integer | d{number} | D |\n" for number in range(450))
    sheet = (
        f"| survey |\n| | type | name | label |\n{many}| | begin_repeat | casa | C |\n| | integer | piso | P |\n"
        f"| | begin_repeat | cuarto | C |\n{deep}| | end_repeat | | |\n| | end_repeat | | |\n"
        "| settings |\n| | form_id | version |\n| | ancho | 1 |\n"
    )
    desk.publish(sheet)
    cells = [(1, 10), (1, 20), (2, 40)]
    houses = "".join(
        f"<casa><piso>{house}</piso>"
        + "".join(f"<cuarto><d0>{d}</d0><d449>{d + 1}</d449></cuarto>" for at, d in cells if at == house)
        + "</casa>"
        for house in (1, 2)
    )
    sent = instance_of("ancho", f"<n0>3</n0><n449>5</n449>{houses}", instance_id="uuid:a")
    assert phone.post(sent).status == 201
    schema = read_sheet(sheet)

    def values(unit: str, *texts: str) -> list[tuple[Any, ...]]:
        def read(conn: Connection) -> list[tuple[Any, ...]]:
            rows = Rows(conn, desk.layout("ancho"), schema, unit)
            columns = [rows.value(check(text, Scope(schema, unit))) for text in texts]
            return [
                tuple(row)
                for row in conn.execute(select(*columns).select_from(rows.source).order_by(rows.row.c["_key"]))
            ]

        return desk.look(read)

    assert values("", "${n0} + ${n449}", "sum(${d449})", "count(${cuarto})", "max(${d0})") == [(8.0, 73.0, 3.0, 40.0)]
    assert values("/casa", "${piso} * ${n449}", "sum(${d449})", "indexed-repeat(${d449}, ${cuarto}, 2)") == [
        (5.0, 32.0, 21.0),
        (10.0, 41.0, None),
    ]
    assert values("/casa/cuarto", "${d449} + ${piso} + ${n449}", "position()") == [
        (17.0, 1.0),
        (27.0, 2.0),
        (48.0, 1.0),
    ]
    assert values("/casa/cuarto", "${n449}") == [(5.0,), (5.0,), (5.0,)]
    assert values("/casa/cuarto", "position()") == [(1.0,), (2.0,), (1.0,)]


def test_a_number_that_a_later_version_made_a_text_is_still_a_number_to_the_version_that_asked_it(
    desk: Desk, phone: Wire
):
    def sheet(kind: str, version: int) -> str:
        return (
            f"| survey |\n| | type | name | label |\n| | {kind} | edad | E |\n"
            f"| settings |\n| | form_id | version |\n| | f | {version} |\n"
        )

    desk.publish(sheet("integer", 1))
    before = read_sheet(sheet("integer", 1))
    assert phone.post(instance_of("f", "<edad>7</edad>", version="1")).status == 201
    desk.publish(sheet("text", 2))
    assert phone.post(instance_of("f", "<edad>siete</edad>", version="2")).status == 201

    def read(conn: Connection) -> list[Any]:
        rows = Rows(conn, desk.layout("f"), before)
        column = rows.value(check("${edad} + 1", Scope(before)))
        return list(
            conn.execute(select(column).select_from(rows.source).order_by(rows.row.c["_submission_id"])).scalars()
        )

    assert desk.look(read) == [8.0, None]
