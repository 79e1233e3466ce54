"""A programme: the bundled forms and the demonstration logframe, with random and plausible answers over three years."""

from __future__ import annotations

import csv
import random
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any, Final
from xml.sax.saxutils import escape

from forms import library
from forms.schema import Field, Schema
from server.actions import logframes, workbooks
from server.indicators.workbook import Sheets
from tests.bench.surveys import PLACE_OF_ID, Survey

FORMS: Final = ("hh_baseline", "ben_followup", "inst_assessment")
SHARES: Final[Mapping[str, float]] = {"hh_baseline": 0.4, "ben_followup": 0.3, "inst_assessment": 0.3}
"""Of all submissions, those to each form."""
_CODE: Final = re.compile(r"I\d+|R\d\.\d+")
_FIRST_DAY: Final = date(2024, 1, 1)
_DAYS: Final = 3 * 365
_POOL: Final = 400  # answers that nothing is computed from repeat after so many
_BLANK: Final = 0.05
_VISITS: Final = 4  # of one person in the three years
_ASSESSMENTS: Final = 6  # of one institution: one each half-year
_HOUSEHOLDS: Final = 60  # of one cluster: twenty in each of three rounds
_PEOPLES: Final = ("ngabe", "bugle", "guna", "embera", "naso", "none", "none", "none", "none", "nr")
_LOCAL: Final = ("municipality", "junta", "congress")
_INSTITUTIONS: Final = (*_LOCAL, "province", "ministry", "cso")
Values = dict[str, Any]
"""Answers by question, as Python values: text, int, float, date, datetime, or four numbers of a point."""


@dataclass(slots=True)
class Record:
    """One submission's answers by path, and the rows of each repeat by its path."""

    values: Values
    rows: dict[str, list[Values]] = field(default_factory=dict)


@cache
def surveys() -> tuple[Survey, ...]:
    """The bundled forms, ready to be published."""
    found = []
    for form in library.bundled():
        checked = workbooks.check(form.workbook.read_bytes(), form.workbook.name)
        found.append(Survey(checked, (), repeats=True))
    return tuple(found)


def schema_of(form_id: str) -> Schema:
    """What a bundled form asks."""
    return next(one.checked.schema for one in surveys() if one.form_id == form_id)


def logframe() -> tuple[bytes, Sheets]:
    """The demonstration logframe as a workbook, and what it declares: the 28 indicators and the parts of their formulas."""
    data = library.logframe().read_bytes()
    sheets = logframes.read(data, library.logframe().name)
    declared = {one.name: one for one in sheets.declarations.indicators}
    names = [name for name in declared if _CODE.fullmatch(name)]
    parts = [part for name in names for part in re.findall(r"\{([^}]+)\}", declared[name].value or "")]
    kept = {*names, *parts}
    declarations = replace(
        sheets.declarations,
        indicators=tuple(one for one in sheets.declarations.indicators if one.name in kept),
        targets=tuple(one for one in sheets.declarations.targets if one.indicator in kept),
    )
    return data, replace(sheets, declarations=declarations)


def changed(sheets: Sheets, name: str) -> Sheets:
    """The same declarations, but that one indicator leaves out what was answered on the first day of all."""
    indicators = []
    for one in sheets.declarations.indicators:
        if one.name == name:
            first = f"{one.date} != date('{_FIRST_DAY}')"
            one = replace(one, where=f"({one.where}) and {first}" if one.where else first)
        indicators.append(one)
    return replace(sheets, declarations=replace(sheets.declarations, indicators=tuple(indicators)))


def codes(sheets: Sheets) -> list[str]:
    """The names of the 28, without the parts."""
    return [one.name for one in sheets.declarations.indicators if _CODE.fullmatch(one.name)]


def records(form_id: str, count: int, *, seed: int = 1) -> Iterator[Record]:
    """So many answers to a form, always the same for the same seed."""
    chance = random.Random(f"{form_id} {seed}")
    schema = schema_of(form_id)
    makers: Mapping[str, Callable[[random.Random, int], Iterator[tuple[Values, dict[str, list[Values]]]]]] = {
        "hh_baseline": _households,
        "ben_followup": _visits,
        "inst_assessment": _assessments,
    }
    fillers = {path: [_filler(schema, path, chance) for _ in range(_POOL)] for path in _tables(schema)}
    paths = {entry.name: entry.path for entry in schema.fields if entry.kind == "question"}
    repeats = {entry.name: entry.path for entry in schema.fields if entry.kind == "repeat"}
    inner = tuple(path for path in paths.values() if path.startswith("/main/"))
    for own, rows in makers[form_id](chance, count):
        values = dict(chance.choice(fillers[""]))
        values.update((paths[name], value) for name, value in own.items())
        if own["consent"] != "yes":
            values.update(dict.fromkeys(inner))
            rows = {}
        found = {
            repeats[name]: [
                {**chance.choice(fillers[repeats[name]]), **{paths[one]: value for one, value in row.items()}}
                for row in mine
            ]
            for name, mine in rows.items()
        }
        yield Record(values, found)


def instance(form_id: str, record: Record) -> bytes:
    """A record as a phone sends it, with PLACE_OF_ID for its id."""
    schema = schema_of(form_id)
    children: dict[str, list[Field]] = {}
    for entry in schema.fields:
        children.setdefault(entry.parent_path, []).append(entry)

    def written(parent: str, values: Values) -> str:
        parts = []
        for entry in children.get(parent, ()):
            if entry.path.startswith("/meta"):
                continue
            if entry.kind == "question":
                value = values.get(entry.path)
                parts.append(f"<{entry.name}>{'' if value is None else escape(_text(value))}</{entry.name}>")
            elif entry.kind == "group":
                parts.append(f"<{entry.name}>{written(entry.path, values)}</{entry.name}>")
            else:
                rows = record.rows.get(entry.path, ())
                parts.extend(f"<{entry.name}>{written(entry.path, row)}</{entry.name}>" for row in rows)
        return "".join(parts)

    return (
        f'<?xml version="1.0" encoding="UTF-8"?><{schema.root} id="{form_id}" version="{schema.version}">'
        f'{written("", record.values)}<orx:meta xmlns:orx="http://openrosa.org/xforms">'
        f"<orx:instanceID>uuid:{PLACE_OF_ID}</orx:instanceID></orx:meta></{schema.root}>"
    ).encode()


def _tables(schema: Schema) -> list[str]:
    return ["", *(entry.path for entry in schema.fields if entry.kind == "repeat")]


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(str(part) for part in value)
    return value.isoformat(timespec="milliseconds") if isinstance(value, datetime) else str(value)


def _filler(schema: Schema, table: str, chance: random.Random) -> Values:
    """An answer to each question of a table that a person answers."""
    found: Values = {}
    for entry in schema.fields:
        if entry.kind != "question" or entry.path.startswith("/meta") or schema.repeat_of(entry.path) != table:
            continue
        answered = not entry.readonly and not entry.calculate and chance.random() > _BLANK
        found[entry.path] = _answer(schema, entry, chance) if answered else None
    return found


def _answer(schema: Schema, entry: Field, chance: random.Random) -> Any:
    options = [option.name for option in schema.options(entry.path)]
    if entry.control in ("select1", "select"):
        if not options:
            return None
        return " ".join(chance.sample(options, min(len(options), 2 if entry.control == "select" else 1)))
    if entry.type == "int":
        return chance.randint(0, 9)
    if entry.type == "decimal":
        return chance.randint(0, 9999) / 10
    if entry.type == "date":
        return _day(chance)
    if entry.type == "dateTime":
        return datetime(2026, 1, 5, chance.randint(8, 17), chance.randint(0, 59), tzinfo=UTC)
    if entry.type == "geopoint":
        return (chance.uniform(7.2, 9.6), chance.uniform(-83, -77), chance.randint(0, 900) / 10, 4.5)
    return None if entry.type == "binary" else f"respuesta {chance.randint(0, 99)}"


@cache
def _places() -> tuple[tuple[str, str], ...]:
    """Every corregimiento and its district."""
    medium = next(file for form in library.bundled() for file in form.media if file.name == "corregimientos.csv")
    rows = csv.DictReader(medium.read_text(encoding="utf-8").splitlines())
    return tuple((row["name"], row["district"]) for row in rows)


def _of_district(district: str) -> Values:
    return {"province": f"p{district[1:3]}", "district": district}


def _day(chance: random.Random) -> date:
    return _FIRST_DAY + timedelta(days=chance.randrange(_DAYS))


def _households(chance: random.Random, count: int) -> Iterator[tuple[Values, dict[str, list[Values]]]]:
    """Three rounds, a year each, in the same clusters; each cluster in some month of the year."""
    clusters = []
    for number in range(max(4, count // _HOUSEHOLDS)):
        corregimiento, district = chance.choice(_places())
        area = "comarca" if district[1:3] in ("10", "11", "12") else chance.choice(("urban", "rural"))
        months = [chance.randint(1, 12) for _ in range(3)]
        weight = chance.randint(200, 900) / 10
        clusters.append((f"u{number:04d}", corregimiento, district, area, months, weight))
    for number in range(count):
        code, corregimiento, district, area, months, weight = clusters[number % len(clusters)]
        year = number // len(clusters) % 3
        adults, size = chance.randint(1, 4), chance.randint(4, 7)
        people, sex = chance.choice(_PEOPLES), chance.choice(("f", "m"))
        household = str(chance.randint(1, 400))
        share = chance.choice((None, 0, 33.33, 66.67, 100))
        members = [
            {
                "m_line": str(line),
                "m_sex": chance.choice(("f", "m")),
                "m_age": chance.randint(0, 90),
                "m_people": people,
            }
            for line in range(1, size + 1)
        ]
        yield (
            {
                "survey_round": ("baseline", "midline", "endline")[year],
                "today": date(2024 + year, months[year], chance.randint(1, 28)),
                **_of_district(district), "corregimiento": corregimiento, "area": area,
                "cluster": code, "hh_number": int(household), "hh_code": f"{code}-{household}",
                "stratum": f"{district[:3]}_{area}", "hh_weight": str(weight),
                "consent": "yes" if chance.random() < 0.93 else chance.choice(("no", None)),
                "hh_size": size, "n_adults": str(adults), "n_disab": chance.choice("00012"),
                "head_sex": chance.choice(("f", "m")), "head_people": people,
                "resp_sex": sex, "resp_age": str(chance.randint(18, 88)), "resp_people": people,
                "resp_disab": chance.choice("0001"), "ind_weight": str(weight * adults),
                "w_ladder": chance.choice(("basic", "basic", "limited", "unimproved", "surface")),
                "s_ladder": chance.choice(("basic", "limited", "unimproved", "open")),
                "fies_raw": str(chance.randint(0, 8)), "fies_valid": chance.choice("88888887"),
                "dep_score": f"{chance.randint(0, 100) / 100}",
                "it1": chance.choice(("1", "2", "3", "4", "8", "9", None)), "trust_mun": chance.choice("123456789"),
                "meet_mun": chance.choice(("yes", "no", "no", "dk")), "meet_com": chance.choice(("yes", "no", None)),
                "say": chance.choice("123459"), "influence": chance.choice("123459"),
                "sc_trust": None if share is None else str(share), "sc_groups": str(chance.randint(0, 3) * 33.33),
                "sc_action": chance.choice(("0", "50", "100")), "sc_support": chance.choice(("", "0", "33.33", "100")),
                "sc_part": chance.choice(("0", "33.33", "100")),
                "programmes": chance.choice(("none", "none", "red", "red elderly", "angel scholar", "dk")),
                "prog_unmet": chance.choice(("yes", "no", "no", "dk")), "svc_sat": chance.choice("1234589"),
            },
            {"member": members},
        )  # fmt: skip


def _visits(chance: random.Random, count: int) -> Iterator[tuple[Values, dict[str, list[Values]]]]:
    """Visits to people, each some four times in the three years."""
    people = []
    for _ in range(max(4, count // _VISITS)):
        code = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        _, district = chance.choice(_places())
        people.append((code, district, str(chance.randint(20, 600)), f"curso {chance.randint(1, 40):02d}"))
    for _ in range(count):
        code, district, base, course = chance.choice(people)
        day = _day(chance)
        offered = chance.choice((None, None, 10, 12, 20))
        loan = chance.choice((None, None, 0, 150, 300.5, 500))
        balance = chance.choice((None, 0, 80, 120.75)) if loan is None else loan
        aids = [{"aid_date": day - timedelta(days=chance.randint(0, 60))} for _ in range(chance.randint(0, 3))]
        yield (
            {
                "today": day, "visit_date": day, **_of_district(district), "ben_id": code, "b_base_income": base,
                "consent": "yes" if chance.random() < 0.96 else "no",
                "course_code": course if offered else None, "sess_offered": offered,
                "sess_attended": None if offered is None else chance.randint(offered // 2, offered),
                "course_done": chance.choice(("yes", "no")) if offered else None,
                "loan_new": loan, "loan_balance": balance,
                "repay": chance.choice(("on_time", "late30", "late90", "paid")) if balance else None,
                "work": chance.choice(("paid", "own", "unpaid", "own_use", "seeking", "no", None)),
                "income": chance.choice((None, chance.randint(0, 700), chance.randint(0, 7000) / 10)),
                "satisfaction": chance.choice("543219"), "respect": chance.choice(("yes", "yes", "no")),
            },
            {"aid": aids},
        )  # fmt: skip


def _assessments(chance: random.Random, count: int) -> Iterator[tuple[Values, dict[str, list[Values]]]]:
    """Institutions, each assessed every half-year."""
    institutions = []
    for _ in range(max(4, count // _ASSESSMENTS)):
        code = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        _, district = chance.choice(_places())
        institutions.append((code, district, chance.choice(_INSTITUTIONS)))
    for number in range(count):
        code, district, kind = institutions[number % len(institutions)]
        turn = number // len(institutions)
        year, half = 2024 + turn % 3, ("s1", "s2")[turn // 3 % 2]
        agreed = chance.randint(0, 20)
        invested = chance.choice((None, chance.randint(0, 90_000))) if kind in _LOCAL else None
        events = [
            {
                "ev_date": date(year, chance.randint(1, 12), chance.randint(1, 28)),
                "ev_type": chance.choice(("open_council", "plan", "budget", "account", "training", "coord")),
                "ev_women": chance.randint(0, 60), "ev_men": chance.choice((None, *range(60))),
                "ev_indig": chance.randint(0, 20), "ev_youth": chance.randint(0, 20),
            }
            for _ in range(chance.randint(0, 4))
        ]  # fmt: skip
        yield (
            {
                "today": date(year, 6 if half == "s1" else 12, 15), **_of_district(district),
                "new_known": "known", "inst_id": code, "inst_name": None, "inst_type_new": None, "inst_type": kind,
                "year": year, "semester": half, "period_end": f"{year}-06-30" if half == "s1" else f"{year}-12-31",
                "consent": "yes" if chance.random() < 0.97 else "no",
                "c_mech": chance.choice("012"), "c_meetings": chance.randint(0, 6), "c_agreed": agreed,
                "c_fulfilled": chance.randint(0, agreed), "coord_index": str(chance.randint(0, 1000) / 10),
                "p_plan": chance.choice("012") if kind in _LOCAL else None, "b_invest": invested,
                "b_particip": None if invested is None else chance.randint(0, invested),
            },
            {"event": events},
        )  # fmt: skip
