"""Surveys that are measured: a form of 40 questions in 3 KB, the same with a repeat, and answers to them."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from forms import workbook, xform
from server.actions.workbooks import Checked

PLACE_OF_ID: Final = "00000000-0000-4000-8000-000000000000"
"""Stands in every instance made here where its own id must be put."""

_TEXTS: Final = ("nombre", "apellido", "direccion", "ocupacion", "organizacion", "necesidad", "propuesta", "comentario")
_INTEGERS: Final = ("edad", "personas_hogar", "menores", "anios_residencia", "reuniones_asistidas", "vecinos_conocidos")
_DECIMALS: Final = ("ingreso_mensual", "distancia_escuela_km")
_DATES: Final = ("fecha_nacimiento", "fecha_ultima_reunion")
_ONES: Final = (
    "sexo", "provincia", "estado_civil", "nivel_educativo", "tipo_vivienda", "tenencia", "confia_vecinos",
    "confia_municipio", "confia_policia", "seguridad_noche", "participa_junta", "discriminacion", "mediacion_conoce",
)  # fmt: skip
_MANY: Final = ("servicios", "lugares_encuentro", "problemas_barrio")
_CHOICES: Final = ("si", "no", "a_veces", "no_sabe", "no_responde")
_WORDS: Final = (
    "la", "comunidad", "se", "reúne", "en", "la", "casa", "comunal", "junto", "al", "río", "cuando", "hay", "algo", "que",
    "decidir", "entre", "todas", "las", "familias", "del", "corregimiento", "y", "la", "escuela", "presta", "el", "salón",
)  # fmt: skip
_MEMBERS: Final = 3


@dataclass(frozen=True, slots=True)
class Survey:
    """A form that can be published, and the questions it asks, in order: (group, question, type)."""

    checked: Checked
    questions: tuple[tuple[str, str, str], ...]
    repeats: bool

    @property
    def form_id(self) -> str:
        return self.checked.schema.form_id


def survey(form_id: str = "convivencia", *, repeats: bool = False) -> Survey:
    """Forty questions in four groups, with `repeats` also the members of a household, five questions each."""
    questions = [
        *((name, "text") for name in _TEXTS),
        *((name, "integer") for name in _INTEGERS),
        *((name, "decimal") for name in _DECIMALS),
        *((name, "date") for name in _DATES),
        ("hora_entrevista", "time"),
        ("momento_consentimiento", "dateTime"),
        *((name, "select_one respuesta") for name in _ONES),
        *((name, "select_multiple respuesta") for name in _MANY),
        ("ubicacion", "geopoint"),
        ("codigo_hogar", "barcode"),
        ("indice_confianza", "calculate"),
        ("resumen", "calculate"),
    ]
    order = random.Random(40)  # types stand mixed, as in a real form
    order.shuffle(questions)
    groups = ("persona", "hogar", "barrio", "cierre")
    placed = tuple((groups[number * 4 // len(questions)], *question) for number, question in enumerate(questions))
    lines = ["| survey | | | | |", "| | type | name | label | calculation |"]
    lines += [f"| | {meta} | {meta} | | |" for meta in ("start", "end", "today", "deviceid")]
    for group in groups:
        lines.append(f"| | begin group | {group} | {group.title()} | |")
        for within, name, type_ in placed:
            if within == group:
                calculation = "concat('a', 'b')" if type_ == "calculate" else ""
                lines.append(f"| | {type_} | {name} | {name.replace('_', ' ').capitalize()} | {calculation} |")
        lines.append("| | end group | | | |")
    if repeats:
        lines += [
            "| | begin repeat | miembro | Miembro | |",
            "| | text | nombre_miembro | Nombre | |",
            "| | integer | edad_miembro | Edad | |",
            "| | select_one respuesta | estudia | Estudia | |",
            "| | date | nacimiento | Nacimiento | |",
            "| | decimal | aporte | Aporte | |",
            "| | end repeat | | | |",
        ]
    lines += ["| choices | | | |", "| | list_name | name | label |"]
    lines += [f"| | respuesta | {name} | {name.replace('_', ' ')} |" for name in _CHOICES]
    lines += ["| settings | | | |", "| | form_id | form_title | version |", f"| | {form_id} | {form_id} | 1 |"]
    compiled = workbook.compile("\n".join(lines).encode(), f"{form_id}.md")
    checked = Checked(compiled.xml, xform.read(compiled.xml), (), {}, None)
    return Survey(checked, placed, repeats)


def instances(asked: Survey, count: int, *, seed: int = 1) -> list[bytes]:
    """Answers of `count` households as a phone would send them, each with PLACE_OF_ID for its id."""
    chance = random.Random(seed)
    return [_instance(asked, chance) for _ in range(count)]


def with_id(instance: bytes) -> bytes:
    """The instance with an id of its own."""
    return instance.replace(PLACE_OF_ID.encode(), str(uuid.uuid4()).encode())


def _instance(asked: Survey, chance: random.Random) -> bytes:
    parts = [f'<?xml version="1.0" encoding="UTF-8"?><data id="{asked.form_id}" version="1">']
    parts += [
        "<start>2026-11-20T09:12:44.183-05:00</start><end>2026-11-20T09:41:02.907-05:00</end>",
        "<today>2026-11-20</today><deviceid>collect:Qz81jGk2PPw04aSd</deviceid>",
    ]
    open_group = ""
    for group, name, type_ in asked.questions:
        if group != open_group:
            parts += [f"</{open_group}>"] if open_group else []
            parts.append(f"<{group}>")
            open_group = group
        parts.append(f"<{name}>{escape(_answer(type_, chance))}</{name}>")
    parts.append(f"</{open_group}>")
    if asked.repeats:
        for _ in range(_MEMBERS):
            parts.append(
                f"<miembro><nombre_miembro>{_sentence(chance, 2)}</nombre_miembro>"
                f"<edad_miembro>{chance.randint(0, 90)}</edad_miembro><estudia>{chance.choice(_CHOICES)}</estudia>"
                f"<nacimiento>{_date(chance)}</nacimiento><aporte>{_decimal(chance)}</aporte></miembro>"
            )
    parts.append(
        '<orx:meta xmlns:orx="http://openrosa.org/xforms">'
        f"<orx:instanceID>uuid:{PLACE_OF_ID}</orx:instanceID></orx:meta></data>"
    )
    return "".join(parts).encode()


def _answer(type_: str, chance: random.Random) -> str:
    answers: dict[str, Callable[[], str]] = {
        "text": lambda: _sentence(chance, chance.randint(19, 27)),
        "integer": lambda: str(chance.randint(0, 120)),
        "decimal": lambda: _decimal(chance),
        "date": lambda: _date(chance),
        "time": lambda: f"{chance.randint(8, 17):02d}:{chance.randint(0, 59):02d}:00.000-05:00",
        "dateTime": lambda: f"{_date(chance)}T{chance.randint(8, 17):02d}:30:00.000-05:00",
        "select_one respuesta": lambda: chance.choice(_CHOICES),
        "select_multiple respuesta": lambda: " ".join(chance.sample(_CHOICES, 2)),
        "geopoint": lambda: f"{chance.uniform(7.2, 9.6):.7f} {chance.uniform(-83, -77):.7f} {_decimal(chance)} 4.5",
        "barcode": lambda: f"PA-{chance.randint(10**9, 10**10)}",
        "calculate": lambda: _sentence(chance, 3),
    }
    return answers[type_]()


def _sentence(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(_WORDS, k=words)).capitalize()


def _decimal(chance: random.Random) -> str:
    return f"{chance.randint(0, 9999) / 10}"


def _date(chance: random.Random) -> str:
    return f"{chance.randint(1940, 2025)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}"
