"""Sample: a survey for random answers, and what its indicators may ask of a record, each in our language and in Python."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import pandas as pd

from tests.server.desk import form
from tests.server.indicators.independent import Role, Spec, World, both, either

FORM: Final = "encuesta"
SURVEY: Final = form(
    FORM,
    """
| | type | name | label |
| | today | hoy | |
| | date | dia | D |
| | text | lugar | L |
| | select_one sexo | sexo | S |
| | integer | edad | E |
| | decimal | ingreso | I |
| | select_multiple redes | redes | R |
| | text | clave | C |
| | text | curso | C |
| | select_one ronda | ronda | R |
| | decimal | peso | P |
| | text | estrato | E |
| | text | upm | U |
| | text | zona | Z |
| | begin_repeat | hijo | H |
| | date | h_dia | D |
| | integer | h_edad | E |
| | select_one sexo | h_sexo | S |
| | text | h_clave | C |
| | select_multiple redes | h_redes | R |
| | begin_repeat | vacuna | V |
| | integer | dosis | D |
| | date | v_dia | D |
| | end_repeat | | |
| | end_repeat | | |
""",
    choices="""
| | list_name | name | label |
| | sexo | f | Mujer |
| | sexo | m | Hombre |
| | sexo | o | Otra |
| | redes | radio | Radio |
| | redes | tv | TV |
| | redes | diario | Diario |
| | ronda | r1 | Uno |
| | ronda | r2 | Dos |
| | ronda | r3 | Tres |
""",
)
PLACES: Final = (
    ("pais", None, "country", None, None),
    ("p1", "pais", "province", None, None),
    ("p2", "pais", "province", None, None),
    ("p3", "pais", "province", date(2024, 7, 1), None),
    ("d1", "p1", "district", None, None),
    ("d2", "p1", "district", None, date(2024, 6, 30)),
    ("d2", "p3", "district", date(2024, 7, 1), None),
    ("d3", "p2", "district", None, None),
    ("d4", "p2", "district", date(2024, 2, 15), date(2025, 3, 31)),
    ("d5", "p3", "district", date(2025, 1, 1), None),
)
LOGFRAME_PLACES: Final = "| places |\n| | code | parent | level | label | valid_from | valid_to |\n" + "".join(
    f"| | {code} | {parent or ''} | {level} | {code} | {first or ''} | {last or ''} |\n"
    for code, parent, level, first, last in PLACES
)
DIMENSIONS: Final = f"""
| dimensions |
| | name | label | form | over | expression |
| | grupo | Grupo | {FORM} | | if(${{edad}} < 18, 'menor', if(${{edad}} < 60, 'adulto', 'mayor')) |
| | pobre | Pobre | {FORM} | | ${{ingreso}} < 50 |
| | medios | Medios | {FORM} | | ${{redes}} |
| | mitad | Mitad | {FORM} | | ${{edad}} div 2 |
| | tramo | Tramo | {FORM} | | if((period-end() - ${{dia}}) div 365.25 > 1, 'viejo', 'nuevo') |
"""


@dataclass(frozen=True)
class Part:
    """An expression, and the same in Python over a row; `ends`: it asks for the end of the period."""

    text: str
    role: Role
    ends: bool = False


class Row:
    """One line of the extract and those that hold it; `below` gives its repeats' lines by name. All are texts."""

    def __init__(self, given: dict[str, str], above: Row | None = None) -> None:
        self._given = given
        self._above = above
        self.below: dict[str, list[Row]] = {}

    def text(self, name: str) -> str | None:
        if name in self._given:
            return self._given[name] or None
        return self._above.text(name) if self._above is not None else None

    def number(self, name: str) -> float | None:
        text = self.text(name)
        return float(text) if text is not None else None

    def day(self, name: str) -> date | None:
        text = self.text(name)
        return date.fromisoformat(text) if text is not None else None

    def codes(self, name: str) -> list[str]:
        return (self.text(name) or "").split()

    def under(self, *names: str) -> list[Row]:
        rows = [self]
        for name in names:
            rows = [one for row in rows for one in row.below.get(name, [])]
        return rows


@dataclass(frozen=True)
class Extract:
    """The rows of every table of an extract in the order of their arrival, by repeat ("": the form)."""

    rows: dict[str, list[Row]]
    states: dict[str, list[str | None]]


def read_extract(content: bytes) -> Extract:
    """What `submissions.csv.zip` holds, read with pandas as text."""
    frames = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            frames[name] = pd.read_csv(archive.open(name), dtype=str, keep_default_na=False)
    top = frames[f"{FORM}.csv"].iloc[::-1]  # the newest stand first
    held = {record["KEY"]: (Row(record), record["ReviewState"] or None) for record in top.to_dict("records")}
    rows = {"": [row for row, _ in held.values()]}
    states: dict[str, list[str | None]] = {"": [state for _, state in held.values()]}
    for repeat in ("hijo", "vacuna"):
        lines = frames[f"{FORM}-{repeat}.csv"].to_dict("records")
        mine: dict[str, tuple[Row, str | None]] = {}
        for record in lines:
            above, state = held[record["PARENT_KEY"]]
            row = Row(record, above)
            above.below.setdefault(repeat, []).append(row)
            mine[record["KEY"]] = (row, state)
        order = {id(row): number for number, row in enumerate(rows[""])}
        ordered = sorted(mine.values(), key=lambda pair: order[id(_root(pair[0]))])
        rows[repeat] = [row for row, _ in ordered]
        states[repeat] = [state for _, state in ordered]
        held = mine
    return Extract(rows, states)


def _root(row: Row) -> Row:
    return row if row._above is None else _root(row._above)


def known(operation: Callable[..., Any], *given: Any) -> Any:
    """The operation, unknown where anything is."""
    return None if any(one is None for one in given) else operation(*given)


def summed(rows: Sequence[Row], name: str) -> float:
    return float(sum(one for row in rows if (one := row.number(name)) is not None))


def counted(rows: Sequence[Row], name: str) -> int:
    return sum(row.text(name) is not None for row in rows)


def divided(over: float | None, under: float | None) -> float | None:
    return None if over is None or not under else over / under


CONDITIONS: Final = (
    Part("${edad} >= 18", lambda r, _: known(lambda a: a >= 18, r.number("edad"))),
    Part("${sexo} = 'f'", lambda r, _: known(lambda a: a == "f", r.text("sexo"))),
    Part("selected(${redes}, 'radio')", lambda r, _: known(lambda a: "radio" in a.split(), r.text("redes"))),
    Part(
        "not(${sexo} = 'm') or ${edad} < 30",
        lambda r, _: either(known(lambda a: a != "m", r.text("sexo")), known(lambda a: a < 30, r.number("edad"))),
    ),
    Part(
        "${ingreso} > 0 and ${sexo} != 'o'",
        lambda r, _: both(known(lambda a: a > 0, r.number("ingreso")), known(lambda a: a != "o", r.text("sexo"))),
    ),
    Part("count-selected(${redes}) >= 2", lambda r, _: known(lambda a: len(a.split()) >= 2, r.text("redes"))),
    Part("${zona} = ''", lambda r, _: r.text("zona") is None),
    Part("coalesce(${edad}, 0) > 20", lambda r, _: (r.number("edad") or 0) > 20),
    Part("count(${hijo}) > 0", lambda r, _: len(r.under("hijo")) > 0),
    Part(
        "(period-end() - ${dia}) div 365.25 >= 1",
        lambda r, end: known(lambda a, b: (b - a).days / 365.25 >= 1, r.day("dia"), end),
        ends=True,
    ),
)
VALUES: Final = (
    Part("${ingreso}", lambda r, _: r.number("ingreso")),
    Part("${edad}", lambda r, _: r.number("edad")),
    Part("${ingreso} div ${edad}", lambda r, _: divided(r.number("ingreso"), r.number("edad"))),
    Part("${ingreso} * 2 - ${edad}", lambda r, _: known(lambda a, b: a * 2 - b, r.number("ingreso"), r.number("edad"))),
    Part("coalesce(${edad}, 1)", lambda r, _: r.number("edad") if r.text("edad") else 1.0),
    Part("sum(${h_edad})", lambda r, _: summed(r.under("hijo"), "h_edad")),
    Part("sum(${dosis}) + count(${h_clave})",
         lambda r, _: summed(r.under("hijo", "vacuna"), "dosis") + counted(r.under("hijo"), "h_clave")),
    Part("(period-end() - ${dia}) div 365.25",
         lambda r, end: known(lambda a, b: (b - a).days / 365.25, r.day("dia"), end), ends=True),
)  # fmt: skip
CONDITIONS_OF: Final = {
    "": CONDITIONS,
    "hijo": (
        *CONDITIONS[:8],
        Part("${h_edad} < 5", lambda r, _: known(lambda a: a < 5, r.number("h_edad"))),
        Part("${h_edad} < ${edad}", lambda r, _: known(lambda a, b: a < b, r.number("h_edad"), r.number("edad"))),
        Part("${h_sexo} = ${sexo}", lambda r, _: known(lambda a, b: a == b, r.text("h_sexo"), r.text("sexo"))),
        Part("count(${dosis}) >= 1", lambda r, _: counted(r.under("vacuna"), "dosis") >= 1),
    ),
    "vacuna": (
        *CONDITIONS[:8],
        Part("${dosis} >= 2 and ${sexo} = 'f'",
             lambda r, _: both(known(lambda a: a >= 2, r.number("dosis")), known(lambda a: a == "f", r.text("sexo")))),
        Part("${h_sexo} = 'f' or ${dosis} = 1",
             lambda r, _: either(known(lambda a: a == "f", r.text("h_sexo")),
                                 known(lambda a: a == 1, r.number("dosis")))),
    ),
}  # fmt: skip
VALUES_OF: Final = {
    "": VALUES,
    "hijo": (
        VALUES[0],
        Part("${h_edad}", lambda r, _: r.number("h_edad")),
        Part("${h_edad} * ${ingreso}", lambda r, _: known(lambda a, b: a * b, r.number("h_edad"), r.number("ingreso"))),
        Part("sum(${dosis})", lambda r, _: summed(r.under("vacuna"), "dosis")),
    ),
    "vacuna": (
        Part("${dosis}", lambda r, _: r.number("dosis")),
        Part("${dosis} + ${h_edad}", lambda r, _: known(lambda a, b: a + b, r.number("dosis"), r.number("h_edad"))),
    ),
}
KEYS_OF: Final = {
    "": (Part("${clave}", lambda r, _: r.text("clave")), Part("${curso}", lambda r, _: r.text("curso"))),
    "hijo": (Part("${h_clave}", lambda r, _: r.text("h_clave")), Part("${clave}", lambda r, _: r.text("clave"))),
    "vacuna": (Part("${h_clave}", lambda r, _: r.text("h_clave")), Part("${clave}", lambda r, _: r.text("clave"))),
}
WEIGHTS: Final = (
    Part("${peso}", lambda r, _: r.number("peso")),
    Part("${peso} * ${edad}", lambda r, _: known(lambda a, b: a * b, r.number("peso"), r.number("edad"))),
    Part("1", lambda _, __: 1.0),
)
DATES_OF: Final = {
    "": (Part("${dia}", lambda r, _: r.day("dia")), Part("", lambda r, _: r.day("hoy"))),
    "hijo": (Part("${h_dia}", lambda r, _: r.day("h_dia")), Part("${dia}", lambda r, _: r.day("dia"))),
    "vacuna": (Part("${v_dia}", lambda r, _: r.day("v_dia")), Part("", lambda r, _: r.day("hoy"))),
}
GROUP_VALUES: Final = (
    Part("sum(${edad})", lambda rs, _: summed(rs, "edad")),
    Part("sum(${ingreso}) div count(${edad})", lambda rs, _: divided(summed(rs, "ingreso"), counted(rs, "edad"))),
    Part("max(${edad})", lambda rs, _: max((one for r in rs if (one := r.number("edad")) is not None), default=None)),
    Part("count(${curso})", lambda rs, _: float(counted(rs, "curso"))),
)
GROUP_CONDITIONS: Final = (
    Part("sum(${edad}) >= 60", lambda rs, _: summed(rs, "edad") >= 60),
    Part("min(${ingreso}) > 10",
         lambda rs, _: known(lambda a: a > 10, min((o for r in rs if (o := r.number("ingreso")) is not None), default=None))),
    Part("count(${edad}) >= 2", lambda rs, _: counted(rs, "edad") >= 2),
)  # fmt: skip


def _text(name: str) -> Role:
    return lambda r, _: r.text(name)


def _of_number(number: float | None) -> str | None:
    return None if number is None else f"{number:g}"


def _group(r: Row, _: Any) -> str | None:
    return known(lambda a: "menor" if a < 18 else "adulto" if a < 60 else "mayor", r.number("edad"))


CATEGORIES: Final[dict[str, Role]] = {
    "sexo": _text("sexo"),
    "zona": _text("zona"),
    "h_sexo": _text("h_sexo"),
    "edad": lambda r, _: _of_number(r.number("edad")),
    "h_edad": lambda r, _: _of_number(r.number("h_edad")),
    "redes": lambda r, _: r.codes("redes"),
    "medios": lambda r, _: r.codes("redes"),
    "h_redes": lambda r, _: r.codes("h_redes"),
    "grupo": _group,
    "pobre": lambda r, _: known(lambda a: "true" if a < 50 else "false", r.number("ingreso")),
    "mitad": lambda r, _: _of_number(known(lambda a: a / 2, r.number("edad"))),
    "tramo": lambda r, end: known(lambda a, b: "viejo" if (b - a).days / 365.25 > 1 else "nuevo", r.day("dia"), end),
}
AXES_OF: Final = {
    "": ("sexo", "zona", "edad", "redes", "medios", "grupo", "pobre", "mitad", "province", "district", "country"),
    "hijo": ("h_sexo", "h_edad", "h_redes", "medios", "grupo", "province", "district", "sexo"),
    "vacuna": ("h_sexo", "h_redes", "redes", "pobre", "province", "district"),
}


def answers(chance: random.Random) -> str:
    """The answers of one random submission, as XML."""

    def pick(*texts: str) -> str:
        return chance.choice(texts)

    day = _day(chance)
    given = {
        "hoy": _day(chance) if chance.random() < 0.9 else "",
        "dia": day,
        "lugar": pick("d1", "d1", "d2", "d2", "d3", "d4", "d5", "p1", "p2", "pais", "zz", ""),
        "sexo": pick("f", "f", "m", "m", "o", ""),
        "edad": pick("", "0", "-3", *(str(chance.randrange(100)) for _ in range(8))),
        "ingreso": pick("", "0", "-12.75", "1234567890123.5", *(f"{chance.uniform(0, 200):.2f}" for _ in range(8))),
        "redes": " ".join(one for one in ("tv", "radio", "diario") if chance.random() < 0.4),
        "clave": pick("", *(f"k{number}" for number in range(25))),
        "curso": pick("", "a", "b", "ñ"),
        "ronda": pick("r1", "r1", "r2", "r3", ""),
        "peso": pick("", "-1", "0", "1", *(f"{chance.uniform(0.1, 9):.3f}" for _ in range(10))),
        "estrato": pick("A", "A", "B"),
        "upm": pick("u1", "u2", "u3", "u4", *(("",) if chance.random() < 0.03 else ())),
        "zona": pick("Norte", "Sur", "Ñandú", ""),
    }
    skipped = {name for name in given if chance.random() < 0.04}
    texts = "".join(f"<{name}>{text}</{name}>" for name, text in given.items() if name not in skipped)
    return texts + "".join(_child(chance, day) for _ in range(chance.choice((0, 0, 1, 1, 2, 4))))


def _child(chance: random.Random, day: str) -> str:
    doses = "".join(
        f"<vacuna><dosis>{chance.choice(('', '1', '2', '3'))}</dosis><v_dia>{_day(chance)}</v_dia></vacuna>"
        for _ in range(chance.choice((0, 1, 1, 3)))
    )
    redes = " ".join(one for one in ("radio", "tv") if chance.random() < 0.5)
    return (
        f"<hijo><h_dia>{chance.choice((day, _day(chance)))}</h_dia><h_edad>{chance.choice(('', '0', '3', '7', '16'))}</h_edad>"
        f"<h_sexo>{chance.choice(('f', 'm', ''))}</h_sexo><h_clave>{chance.choice(('', 'x', 'y', 'z', 'w'))}</h_clave>"
        f"<h_redes>{redes}</h_redes>{doses}</hijo>"
    )


def _day(chance: random.Random) -> str:
    if chance.random() < 0.1:
        return chance.choice(("", "0001-01-01", "1900-02-28", "9999-12-31", "2024-02-29"))
    return (date(2023, 11, 1) + timedelta(days=chance.randrange(600))).isoformat()


def random_specs(chance: random.Random, extract: Extract | None, number: int) -> tuple[str, list[Spec]]:
    """A sheet `indicators` of about so many rows, and the same to be computed over the extract."""
    columns = (
        *(
            "name",
            "label",
            "form",
            "over",
            "type",
            "where",
            "numerator",
            "denominator",
            "value",
            "key",
            "latest",
            "group",
        ),
        *("cohort", "weight", "strata", "psu", "date", "place", "period", "disaggregate", "accumulate"),
    )
    rows: list[dict[str, str]] = []
    specs: list[Spec] = []
    for at in range(number):
        row, spec = _random(
            chance,
            f"I{at}",
            extract,
            [one for one in specs if one.type == "distinct" and not one.cohort and not one.ends],
        )
        rows.append(row)
        specs.append(spec)
    for at in range(max(number // 8, 2)):
        one, other = chance.sample([spec for spec in specs if spec.period == "quarter"], 2)
        rows.append({"name": f"F{at}", "type": "formula", "value": f"{{{one.name}}} div {{{other.name}}} + 1"})
        specs.append(
            Spec(
                name=f"F{at}",
                type="formula",
                inputs=(one.name, other.name),
                period="quarter",
                formula=lambda given, one=one.name, other=other.name: (  # type: ignore[misc]
                    known(lambda a: a + 1, divided(given[one], given[other]))
                ),
            )
        )
    lines = ["| indicators |", f"| | {' | '.join(columns)} |"]
    lines += [f"| | {' | '.join({'label': 'x', **row}.get(column, '') for column in columns)} |" for row in rows]
    return "\n".join(lines) + "\n", specs


def _random(
    chance: random.Random, name: str, extract: Extract | None, cohorts: Sequence[Spec]
) -> tuple[dict[str, str], Spec]:
    kind = chance.choice(("count", "distinct", "sum", "mean", "median", "min", "max", "percent", "ratio"))
    over = chance.choice(("", "", "", "hijo", "vacuna"))
    grouped = not over and chance.random() < 0.15
    conditions = GROUP_CONDITIONS if grouped else CONDITIONS_OF[over]
    values = GROUP_VALUES if grouped else VALUES_OF[over]
    parts: dict[str, Part] = {"place": Part("${lugar}", _text("lugar"))}
    if chance.random() < 0.5:
        parts["where"] = chance.choice(CONDITIONS_OF[over])
    if kind == "percent":
        parts["numerator"] = chance.choice(conditions)
        if chance.random() < 0.7:
            parts["denominator"] = chance.choice(conditions)
    elif kind == "ratio":
        parts["numerator"], parts["denominator"] = chance.choice(values), chance.choice(values)
    elif kind in ("count", "distinct"):
        if chance.random() < 0.5:
            parts["numerator"] = chance.choice(conditions)
    else:
        parts["value"] = chance.choice(values)
    latest = chance.choice((1, 1, 2, 3)) if chance.random() < 0.25 else None
    cohort = chance.choice(cohorts) if cohorts and not over and chance.random() < 0.15 else None
    if grouped:
        parts["group"] = chance.choice(KEYS_OF[over])
    if kind == "distinct" or (latest and not grouped) or cohort:
        parts["key"] = chance.choice(KEYS_OF[over])
    if kind not in ("distinct", "min", "max") and chance.random() < 0.4:
        parts["weight"] = chance.choice(WEIGHTS)
        if chance.random() < 0.7:
            parts["psu"] = Part("${upm}", _text("upm"))
            if chance.random() < 0.7:
                parts["strata"] = Part("${estrato}", _text("estrato"))
    day = chance.choice(DATES_OF[over])
    rounds = chance.random() < 0.15
    period = "round" if rounds else chance.choice(("month", "quarter", "quarter", "semester", "year"))
    accumulate = chance.choice(("yes", "no", ""))
    own = [axis for axis in AXES_OF[over] if axis not in ("zona", "country") and chance.random() < 0.4]
    row = {
        "name": name,
        "form": FORM,
        "over": over,
        "type": kind,
        "latest": str(latest or ""),
        "cohort": cohort.name if cohort else "",
        "period": "${ronda}" if rounds else period,
        "accumulate": accumulate,
        "disaggregate": " ".join(own),
        **{role: part.text for role, part in parts.items()},
        "date": day.text,
    }
    roles = {role: part.role for role, part in parts.items()} | {"date": day.role}
    if rounds:
        roles["period"] = _text("ronda")
    spec = Spec(
        name=name,
        type=kind,
        roles=roles,
        units=extract.rows[over] if extract else (),
        states=extract.states[over] if extract else (),
        latest=latest,
        cohort=cohort.name if cohort else None,
        period=period,
        accumulates=accumulate == "yes" or (accumulate == "" and latest is not None),
        ends=any(part.ends for part in parts.values()),
    )
    return row, spec


def world(specs: Sequence[Spec], *, approved: bool) -> World:
    """What the specs are computed in."""
    return World(
        specs={one.name: one for one in specs},
        places=PLACES,
        dimensions=CATEGORIES,
        ending=frozenset(("tramo",)),
        approved=approved,
    )
