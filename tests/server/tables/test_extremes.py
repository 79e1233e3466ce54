"""Extreme answers: no record makes a statement fail, and both readers say the same of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from forms import instance, tables, workbook, xform
from forms.expressions.checks import check
from forms.expressions.evaluate import Unit, evaluate
from forms.expressions.mistakes import MistakenError
from forms.expressions.scope import Scope
from forms.expressions.tree import Tree
from forms.schema import Schema
from server.tables.expressions import Rows
from tests.forms.expressions.extremes import FORM_ID, SHEET, Extremes, submissions
from tests.forms.expressions.generated import Generated
from tests.server.desk import Desk
from tests.server.wire import Wire
from tests.server.wire import instance as instance_of


def kept(made: Sequence[Generated], schema: Schema) -> dict[Generated, Tree]:
    """The expressions that are not refused when they are read."""
    found = {}
    for one in made:
        try:
            found[one] = check(one.text, Scope(schema, one.unit), one.kind)
        except MistakenError:
            continue
    return found


def by_sql(
    conn: Connection, desk: Desk, schema: Schema, trees: Mapping[Generated, Tree]
) -> tuple[dict[tuple[str, str], Any], list[tuple[str, str]]]:
    """What each expression (its name, the key of its unit) gives; and those that fail, with why."""
    found: dict[tuple[str, str], Any] = {}
    failed = []
    for one, tree in trees.items():
        rows = Rows(conn, desk.layout(FORM_ID), schema, one.unit)
        column = rows.value(tree)
        statement = select(rows.row.c["_key"], column).select_from(rows.source)
        inside = conn.begin_nested()
        try:
            found |= {(one.name, key): value for key, value in conn.execute(statement)}
        except (DBAPIError, ArithmeticError, ValueError) as error:
            inside.rollback()
            failed.append((one.text, str(error).split("\n")[0]))
        else:
            inside.commit()
    return found, failed


def same(left: Any, right: Any) -> bool:
    if isinstance(left, bool) and right is not None:
        right = bool(right)
    if isinstance(left, date) and isinstance(right, str):
        right = date.fromisoformat(right)
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-9)
    return bool(left == right)


def test_no_answer_makes_an_expression_fail_and_both_readers_say_the_same(
    desk: Desk, phone: Wire, request: pytest.FixtureRequest
):
    expressions, records = (8_000, 80) if request.config.getoption("--long") else (300, 24)
    desk.publish(SHEET)
    schema = xform.read(workbook.compile(SHEET.encode(), "form.md").xml)
    trees = kept(Extremes(20_261_126).many(expressions), schema)
    assert len(trees) > expressions * 0.6
    by_python: dict[tuple[str, str], Any] = {}
    for number, body in enumerate(submissions(5, records)):
        sent = instance_of(FORM_ID, body, instance_id=f"uuid:{number}")
        assert phone.post(sent).status == 201
        read = instance.read(sent)
        rows, _ = tables.rows_of(tables.Plan(schema), read, instance_id=read.instance_id)
        for row in rows:
            for one, tree in trees.items():
                if one.unit == row.table:
                    by_python[one.name, row.key] = evaluate(tree, Unit(rows, row))
    assert desk.failures() == []

    by_database, failed = desk.look(lambda conn: by_sql(conn, desk, schema, trees))
    assert failed == []
    texts = {one.name: one.text for one in trees}
    differ = [
        (texts[name], key, value, by_database[name, key])
        for (name, key), value in by_python.items()
        if not same(value, by_database[name, key])
    ]
    assert differ == []
    assert sum(value is not None for value in by_python.values()) > len(by_python) * 0.2
