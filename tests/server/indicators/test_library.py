"""Every indicator of the bundled logframe over random submissions of the bundled forms, computed once more unit by unit."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from io import BytesIO
from typing import Any, Final

import pytest

from forms import instance as instances
from forms import library, workbook, xform
from forms.expressions.evaluate import Unit, evaluate, evaluate_group
from forms.expressions.tree import PeriodEnd, Tree, walk
from forms.schema import Field, Schema
from forms.tables import Plan, Row, rows_of
from forms.values import MisfitError, parser_of
from server.actions import entities, entity_merging, entity_reading, logframes
from server.actions.entities import By, New
from server.indicators import catalogue
from server.indicators.asking import Request, own_period
from server.indicators.catalogue import Catalogue
from server.indicators.periods import KINDS
from server.indicators.resolving import Resolved
from server.store import projects
from tests.server.desk import Desk
from tests.server.indicators.independent import Role, Spec, Wanted, World
from tests.server.indicators.test_independent import asked, compare
from tests.server.wire import Wire, instance, new_id

# the logframe has no other formulas
FORMULAS: Final[Mapping[str, Callable[[Mapping[str, float | None]], float | None]]] = {
    "I5": lambda given: ((given["I5a"] or 0) + (given["I5b"] or 0)) / 2,
    "I6": lambda given: (given["I6a"] or 0) / given["I6b"] if given["I6b"] else None,
}
_CODED: Final[Mapping[str, tuple[str, ...]]] = {
    "corregimiento": ("c010101", "c010102", "c080101", "c130101", "c130301", "c999999", ""),
    "district": ("d0101", "d0102", "d1301", "d1303", "d0801", "d9999"),
    "ben_id": tuple(f"{number:08x}-0000-4000-8000-000000000000" for number in range(15)),
    "inst_id": ("", "", "i1", "i2", "i3"),
    "inst_name": ("Alcaldía", "Junta"),
    "cluster": ("c1", "c2", "c3", "c4"),
    "stratum": ("s1", "s1", "s2"),
    "b_base_income": ("", "100", "250.5"),
    "course_code": ("k1", "k2", ""),
}
_NUMBERS: Final = ("weight", "score", "size", "index", "raw", "valid", "sc_", "n_", "age")


def build(schema: Schema, chance: random.Random) -> str:
    """The elements of a random submission: most questions answered, repeats none to three times."""
    children: dict[str, list[Field]] = {}
    for entry in schema.fields:
        children.setdefault(entry.parent_path, []).append(entry)

    def inside(path: str) -> str:
        return "".join(element(entry) for entry in children.get(path, ()) if entry.path != "/meta")

    def element(entry: Field) -> str:
        if entry.kind == "question":
            text = "" if chance.random() < 0.06 else answer(schema, entry, chance)
            return f"<{entry.name}>{text}</{entry.name}>"
        times = chance.choice((0, 1, 2, 3)) if entry.kind == "repeat" else 1
        return "".join(f"<{entry.name}>{inside(entry.path)}</{entry.name}>" for _ in range(times))

    return inside("")


def answer(schema: Schema, entry: Field, chance: random.Random) -> str:
    """A text that the question could have."""
    day = date(2025, 1, 1) + timedelta(days=chance.randrange(700))
    if entry.name in _CODED:
        return chance.choice(_CODED[entry.name])
    if entry.name == "consent":
        return chance.choice(("yes", "yes", "yes", "yes", "no"))
    options = [option.name for option in schema.options(entry.path)]
    if entry.control == "select" and options:
        return " ".join(one for one in options if chance.random() < 0.3)
    if options:
        return chance.choice(options)
    if entry.type == "date" or entry.name == "period_end":
        return day.isoformat()
    if entry.type == "dateTime":
        return f"{day.isoformat()}T{chance.randrange(24):02d}:30:00.000-05:00"
    if entry.type == "int":
        return str(chance.randrange(12))
    if entry.type == "decimal":
        return f"{chance.uniform(0, 3):.3f}"
    if entry.type in (None, "string") and any(mark in entry.name for mark in _NUMBERS):
        return chance.choice((str(chance.randrange(9)), f"{chance.random():.2f}"))
    return "" if entry.type not in (None, "string") else chance.choice(("x", "yes", "basic", "1"))


def spec_of(found: Catalogue, one: Resolved, units: list[Unit]) -> Spec:
    """The indicator, its expressions read by the Python reader."""
    name = one.indicator.name
    period = own_period(found, one)
    if one.indicator.type == "formula":
        return Spec(name=name, type="formula", inputs=one.inputs, formula=FORMULAS[name], period=period)

    def reader(role: str, tree: Tree) -> Role:
        if one.indicator.group is not None and role in ("numerator", "denominator", "value"):
            return lambda group, end: evaluate_group(tree, group, period_end=end)
        return lambda unit, end: evaluate(tree, unit, period_end=end)

    return Spec(
        name=name,
        type=one.indicator.type,
        roles={role: reader(role, tree) for role, tree in one.trees.items()},
        units=units,
        states=[None] * len(units),
        latest=one.indicator.latest,
        cohort=one.indicator.cohort,
        period=period,
        accumulates=one.indicator.accumulates,
        ends=any(isinstance(part, PeriodEnd) for tree in one.trees.values() for part in walk(tree)),
    )


def category(tree: Tree) -> Role:
    if tree.kind == "choices":
        return lambda unit, end: (evaluate(tree, unit, period_end=end) or "").split()
    return lambda unit, end: evaluate(tree, unit, period_end=end) or None


SIZES = [pytest.param(1, 20, id="quick"), pytest.param(2, 150, id="long", marks=pytest.mark.long)]


@pytest.mark.parametrize(("seed", "number"), SIZES)
def test_every_indicator_of_the_library(desk: Desk, phone: Wire, seed: int, number: int):
    chance = random.Random(seed)
    units = {form.name: publish_and_fill(desk, phone, form, chance, number) for form in library.bundled()}
    data = library.logframe().read_bytes()
    blob = desk.office.blobs.put(BytesIO(data))
    read = logframes.read(data, "logframe.xlsx")
    desk.act(lambda ctx: logframes.put(ctx, desk.project_id, read, original=blob, name="logframe.xlsx"))
    assert desk.failures() == []
    register(desk, chance)

    project = desk.look(lambda conn: projects.find_project(conn, desk.project_id))
    assert project is not None
    found: Catalogue = desk.look(lambda conn: catalogue.load(conn, project))
    assert not found.broken
    ready = found.resolved
    assert {name for name, one in ready.items() if one.waits is not None or one.later} == set()
    people = beneficiaries(desk, found)
    units["entities:beneficiaries"] = {"": list(dict.fromkeys(people.values()))}
    specs = {}
    for name, one in ready.items():
        mine = units[one.form.form_id][one.unit] if one.form is not None else []
        specs[name] = spec_of(found, one, mine)
    places = [
        (one.record.code, one.record.parent, one.record.level, one.record.valid_from, one.record.valid_to)
        for one in found.book.places
    ]
    wrong = []
    seen = 0
    for name, one in ready.items():
        first = ready[one.inputs[0]] if one.inputs else one
        dimensions = {axis: category(tree) for axis, tree in first.dimensions.items()}
        dimensions |= {axis: of_person(first.trees["key"], tree, people) for axis, tree in first.joined.items()}
        trees = {**first.dimensions, **first.joined}
        ending = {axis for axis, tree in trees.items() if any(isinstance(part, PeriodEnd) for part in walk(tree))}
        world = World(specs=specs, places=places, dimensions=dimensions, ending=frozenset(ending))
        axes = [axis for axis in one.indicator.disaggregate if axis in trees or axis in found.book.levels]
        for by, place, period in requests(chance, axes, specs[name]):
            wanted = Wanted(period=period, by=by, place=place)
            given = asked(desk, name, Request(period=period, by=by, place=place))
            seen += sum(figure.n for figure in given)
            try:
                compare(world, specs[name], wanted, given)
            except AssertionError as error:
                wrong.append((name, wanted, str(error)))
    assert wrong == []
    assert seen > 1000


def register(desk: Desk, chance: random.Random) -> None:
    """Invented beneficiaries, of whom one turns out to be another, and one is deleted."""
    choices = {
        "sex": ("f", "m", "x", ""),
        "people": ("ngabe", "guna", "none", "nr", ""),
        "disab": ("1", "0", ""),
        "birth_year": ("1960", "1990", "2004", "2022", "?", ""),
        "status": ("active", "graduated", "left", ""),
        "components": ("training microfin", "microfin", "", "training", "craft"),
        "corregimiento": _CODED["corregimiento"],
        "reg_date": ("2025-02-03", "2025-11-30", "2026-05-01", "?", ""),
        "base_income": ("", "100", "250.5"),
    }
    made = [
        New(
            label=f"Demostración {number}",
            uuid=uuid,
            data={name: text for name, texts in choices.items() if (text := chance.choice(texts))},
        )
        for number, uuid in enumerate(_CODED["ben_id"][:13])
    ]
    name = "beneficiaries"
    desk.act(lambda ctx: entities.create_many(ctx, desk.project_id, name, made, {"name": "demostración"}, By()))
    desk.act(
        lambda ctx: entity_merging.merge(
            ctx, desk.project_id, name, _CODED["ben_id"][1], _CODED["ben_id"][2], reason="es la misma"
        )
    )
    desk.act(lambda ctx: entities.delete(ctx, desk.project_id, name, _CODED["ben_id"][3], By()))


def beneficiaries(desk: Desk, found: Catalogue) -> dict[str, Unit]:
    """The registered by every id that names them, each as the Python reader sees it."""
    schema = found.forms["entities:beneficiaries"].schema
    listed = desk.ask(
        lambda ctx: [one.entity for one in entity_reading.list_entities(ctx, desk.project_id, "beneficiaries")]
    )
    units = {}
    for one in reversed(listed):
        values = {}
        for entry in schema.fields:
            text = one.data.get(entry.name, "")
            try:
                value = parser_of(entry.type)(text) if entry.type not in (None, "string") and text else text
            except MisfitError:
                value = None
            if value not in (None, ""):
                values[entry.path] = value
        row = Row(table="", number=1, parent=None, position=1, key=one.uuid, parent_key=None, values=values)
        units[one.uuid] = Unit([row], row)
    units[_CODED["ben_id"][2]] = units[_CODED["ben_id"][1]]
    return units


def of_person(key: Tree, tree: Tree, people: Mapping[str, Unit]) -> Role:
    """The category of the person whom a unit's key names; none where nobody is called so."""
    inner = category(tree)

    def found(unit: Unit, end: date | None) -> Any:
        person = people.get(evaluate(key, unit, period_end=end) or "")
        if person is None:
            return [] if tree.kind == "choices" else None
        return inner(person, end)

    return found


def requests(chance: random.Random, axes: list[str], spec: Spec) -> list[tuple[tuple[str, ...], str | None, str]]:
    period = str(spec.period)
    assert period in (*KINDS, "round", "all")
    by = tuple(chance.sample(axes, min(len(axes), 1)))
    return [((), None, period), (by, None, period), (by, "p13", "all")]


def publish_and_fill(
    desk: Desk, phone: Wire, form: library.Bundled, chance: random.Random, number: int
) -> dict[str, list[Unit]]:
    """A bundled form and so many submissions; gives the units of each of its tables in the order of their arrival."""
    compiled = workbook.compile(form.workbook.read_bytes(), form.workbook.name)
    schema = xform.read(compiled.xml)
    desk.publish(compiled.xml, {file.name: file.read_bytes() for file in form.media})
    plan = Plan(schema)
    found: dict[str, list[Unit]] = {"": []} | {one.path: [] for one in schema.fields if one.kind == "repeat"}
    for _ in range(number):
        one = new_id()
        xml = instance(schema.form_id, build(schema, chance), version=schema.version, instance_id=one)
        answered: Any = phone.post(xml)
        assert answered.status == 201, answered.body
        rows, _ = rows_of(plan, instances.read(xml), instance_id=one)
        for row in rows:
            found[row.table].append(Unit(rows, row))
    return found
