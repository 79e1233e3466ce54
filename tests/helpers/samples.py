"""Sample surveys that use everything a phone can fill: repeats, cascades, files, places, entities, encryption."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from typing import Final

from pyxform.xls2xform import convert

from tests.helpers.workbooks import xlsx

Row = Mapping[str, object]

# the private half was thrown away: what these forms send can be kept, never read
PUBLIC_KEY: Final = (
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAiXvHXNCD3pCLjN79YUkeYSyX3NxW6urYk5xISPaci96KjScGz1rqIhLV"
    "zsv2/FM3RI0tzDdifHTrK5BctXEEQIySvahsJei0xI2p0td3wM++DArQ24eHTzX2KNdDo03mXdbA335nCFqn6R9nu9LhFW57mtWb"
    "QDwq8a08uoKe/YVF/LicFoIKWbfG/tDKEPLC+f4d883HPLlsR0XaQpStwwBYfqUZGulF6UiPU1Ri+l3hUru+7XxqMIAh+PP5vTBc"
    "5FG4QQJt7d4jqV862wG5lKHl4tAl6KfQHqKiP0EIF515Ghau71EWT0fCKwnIDbRA0jfHEthqYNUadLGVFAmu1QIDAQAB"
)


@dataclass(frozen=True)
class Sample:
    """One survey: its workbook's sheets as rows, and the files it needs by name."""

    form_id: str
    sheets: Mapping[str, Sequence[Row]]
    media: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def workbook(self) -> bytes:
        """The .xlsx."""
        return xlsx({name: _table(rows) for name, rows in self.sheets.items()})

    @property
    def xform(self) -> bytes:
        """The XForm as pyxform writes it."""
        xform: str = convert(BytesIO(self.workbook), validate=False, file_type=".xlsx").xform
        return xform.encode()


@cache
def household() -> Sample:
    """A household in two languages: metadata, audit, cascades, CSV and GeoJSON choices, nested and counted repeats,
    every kind of media, places, ranges, rank, constraints, calculations."""
    return Sample(
        "hogar",
        {
            "survey": _HOUSEHOLD_SURVEY,
            "choices": _household_choices(),
            "settings": [
                {
                    "form_title": "Censo Ngäbe-Buglé (hogar)",
                    "form_id": "hogar",
                    "version": "2026081501",
                    "instance_name": "concat(${encuestador}, ' - ', ${provincia})",
                    "default_language": "Español (es)",
                }
            ],
        },
        {"escuelas.csv": _schools(), "sitios.geojson": _sites()},
    )


@cache
def tree_registration() -> Sample:
    """Creates an entity of the list `arboles`."""
    survey = [
        _plain("text", "especie", save_to="especie", required="yes"),
        _plain("geopoint", "ubicacion", save_to="geometry", save_to_confirmed="yes"),
        _plain("integer", "circunferencia", save_to="circunferencia", constraint=". > 0 and . < 900", required="yes"),
    ]
    entity = {"list_name": "arboles", "label": "concat(${especie}, ' ', ${circunferencia})"}
    return _entity_form("arbol_registro", "Registro de árboles", survey, entity)


@cache
def tree_follow_up() -> Sample:
    """Updates an entity of the list `arboles`, which the phone must hold."""
    survey = [
        _plain("select_one_from_file arboles.csv", "arbol", required="yes"),
        _plain("integer", "circunferencia", save_to="circunferencia", default="3", required="yes"),
        _plain("text", "estado", save_to="estado"),
    ]
    entity = {"list_name": "arboles", "entity_id": "${arbol}", "label": ""}
    return _entity_form("arbol_seguimiento", "Seguimiento de árboles", survey, entity)


@cache
def tree_upsert() -> Sample:
    """Creates or updates an entity of the list `arboles`."""
    survey = [
        _plain("select_one_from_file arboles.csv", "arbol"),
        _plain("text", "especie", save_to="especie", required="yes"),
        _plain("calculate", "id", calculation="coalesce(${arbol}, once(uuid()))"),
    ]
    entity = {
        "list_name": "arboles",
        "label": "${especie}",
        "entity_id": "${id}",
        "create_if": "${arbol} = ''",
        "update_if": "${arbol} != ''",
    }
    return _entity_form("arbol_upsert", "Alta o cambio", survey, entity)


@cache
def family() -> Sample:
    """Creates one entity of the list `personas` for each member of a repeat."""
    survey = [
        _plain("text", "comunidad", required="yes"),
        {"type": "begin repeat", "name": "persona", "label": "Persona"},
        _plain("text", "nombre", save_to="nombre_completo", save_to_confirmed="yes", required="yes"),
        _plain("integer", "edad", save_to="edad", required="yes", constraint=". >= 0 and . < 110"),
        {"type": "end repeat"},
    ]
    entity = {"list_name": "personas", "label": "${nombre}", "repeat": "${persona}"}
    return _entity_form("familia_entidades", "Familia con entidades", survey, entity)


@cache
def encrypted() -> Sample:
    """A form with a public key: the phone sends an envelope and `.enc` files."""
    return Sample(
        "salud_cifrado",
        {
            "survey": [
                _plain("text", "nombre", required="yes"),
                _plain("image", "foto", required="yes"),
                _plain("select_one sn", "enfermo"),
            ],
            "choices": [
                {"list_name": "sn", "name": "s", "label": "Sí"},
                {"list_name": "sn", "name": "n", "label": "No"},
            ],
            "settings": [
                {
                    "form_title": "Salud cifrado",
                    "form_id": "salud_cifrado",
                    "version": "1",
                    "public_key": PUBLIC_KEY,
                }
            ],
        },
    )


@cache
def photos() -> Sample:
    """Twelve photos: more than one POST where the server's limit is small."""
    survey = [_plain("image", f"foto{number}", required="yes") for number in range(12)]
    return Sample("fotos", {"survey": survey, "settings": _settings("fotos", "Fotos")})


@cache
def minimal() -> Sample:
    """One text question."""
    return Sample("minimo", {"survey": [_plain("text", "q")], "settings": _settings("minimo", "Mínimo")})


@cache
def editable() -> Sample:
    """A form whose sent submissions can be edited on the phone; it has no version."""
    survey = [
        _plain("text", "nombre", required="yes"),
        _plain("integer", "edad"),
        _plain("image", "foto"),
        {"type": "audit", "name": "audit"},
    ]
    settings = [{"form_title": "Con correcciones", "form_id": "editable", "client_editable": "yes"}]
    return Sample("editable", {"survey": survey, "settings": settings})


def every_sample() -> tuple[Sample, ...]:
    """All of them, entity lists not included: a server answers those."""
    return (
        household(),
        tree_registration(),
        tree_follow_up(),
        tree_upsert(),
        family(),
        encrypted(),
        photos(),
        minimal(),
        editable(),
    )


def _entity_form(form_id: str, title: str, survey: Sequence[Row], entity: Row) -> Sample:
    return Sample(form_id, {"survey": survey, "settings": _settings(form_id, title), "entities": [entity]})


def _settings(form_id: str, title: str) -> list[Row]:
    return [{"form_title": title, "form_id": form_id, "version": "1"}]


def _table(rows: Sequence[Row]) -> list[list[object]]:
    """Rows as cells under a header of every column in order of appearance."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    return [[*columns], *([row.get(column) for column in columns] for row in rows)]


def _plain(kind: str, name: str, **columns: str) -> Row:
    return {"type": kind, "name": name, "label": name, **columns}


def _both(kind: str, name: str, label: str | None, **columns: str) -> Row:
    """A question labelled in both languages."""
    gym = f"{label} (gym)" if label else None
    return {"type": kind, "name": name, "label::Español (es)": label, "label::Ngäbere (gym)": gym, **columns}


def _meta(kind: str, name: str, **columns: str) -> Row:
    return {"type": kind, "name": name, **columns}


_HOUSEHOLD_SURVEY: Final[Sequence[Row]] = (
    _meta("start", "start"),
    _meta("end", "end"),
    _meta("today", "today"),
    _meta("deviceid", "deviceid"),
    _meta("username", "username"),
    _meta("phonenumber", "phonenumber"),
    _meta("email", "email"),
    _meta("audit", "audit", parameters="track-changes=true identify-user=true"),
    _meta("start-geopoint", "inicio_gps"),
    _meta("background-audio", "grabacion", parameters="quality=voice-only"),
    _both("note", "nota", "Bienvenido ${deviceid}"),
    _both("text", "encuestador", "Nombre", required="yes", default="${last-saved#encuestador}"),
    _both("date", "fecha", "Fecha", constraint=". <= today() and . >= date('2020-01-01')", required="yes"),
    _both("time", "hora", "Hora"),
    _both("dateTime", "momento", "Momento"),
    _both("select_one provincia", "provincia", "Provincia", required="yes"),
    _both("select_one distrito", "distrito", "Distrito", choice_filter="provincia=${provincia}", required="yes"),
    _both("select_one corregimiento", "corregimiento", "Corregimiento", choice_filter="distrito=${distrito}"),
    _both("select_one_from_file escuelas.csv", "escuela", "Escuela", choice_filter="provincia=${provincia}"),
    _both("select_one_from_file sitios.geojson", "sitio", "Sitio"),
    _both("calculate", "escuela_nombre", None, calculation="pulldata('escuelas','label','name',${escuela})"),
    _both("begin group", "vivienda", "Vivienda"),
    _both("select_multiple servicios", "servicios", "Servicios"),
    _both("text", "otro", "¿Cuál?", relevant="selected(${servicios}, 'otro')", required="yes"),
    _both("integer", "personas", "Personas", constraint=". >= 1 and . <= 12", required="yes"),
    _both("decimal", "hectareas", "Hectáreas", constraint=". >= 0"),
    _both("range", "satisfaccion", "Satisfacción", parameters="start=1 end=10 step=1"),
    _both("range", "nivel", "Nivel", parameters="start=0 end=1 step=0.25"),
    _both("rank servicios", "prioridad", "Prioridad"),
    _both("geopoint", "gps", "GPS", required="yes"),
    _both("geotrace", "camino", "Camino"),
    _both("geoshape", "parcela", "Parcela"),
    {"type": "end group"},
    _both("begin repeat", "miembro", "Miembro"),
    _both("text", "nombre", "Nombre", required="yes"),
    _both("integer", "edad", "Edad", constraint=". >= 0 and . <= 110", required="yes"),
    _both(
        "text",
        "cedula",
        "Cédula",
        constraint="regex(., '^[0-9]{1,2}-[0-9]{3,4}-[0-9]{4,5}$')",
        relevant="${edad} >= 18",
    ),
    _both("image", "foto", "Foto", relevant="${edad} < 5"),
    _both("calculate", "pos", None, calculation="position(..)"),
    _both("begin repeat", "vacuna", "Vacuna", relevant="${edad} < 12"),
    _both("select_one vacunas", "tipo", "Tipo", required="yes"),
    _both("date", "dia", "Día", constraint=". <= today()"),
    {"type": "end repeat"},
    {"type": "end repeat"},
    _both("calculate", "n_miembros", None, calculation="count(${miembro})"),
    _both("calculate", "edad_total", None, calculation="sum(${edad})"),
    _both("integer", "n_animales", "Animales", constraint=". >= 0 and . <= 4", required="yes"),
    _both("begin repeat", "animal", "Animal", repeat_count="${n_animales}"),
    _both("select_one especie", "especie", "Especie"),
    {"type": "end repeat"},
    _both("decimal", "ingreso", "Ingreso"),
    _both("decimal", "saldo", "Saldo"),
    _both("image", "fachada", "Foto de la fachada"),
    _both("audio", "testimonio", "Audio"),
    _both("video", "video", "Video"),
    _both("file", "documento", "Archivo"),
    _both("image", "firma", "Firma", appearance="signature"),
    _both("barcode", "codigo", "Código"),
    _both(
        "text",
        "telefono",
        "Teléfono",
        appearance="numbers",
        constraint="string-length(.) >= 3 and string-length(.) <= 8",
    ),
    _both("text", "observaciones", "Observaciones", appearance="multiline"),
    _both("acknowledge", "acepta", "Acepto", required="yes"),
    _both("calculate", "azar", None, calculation="once(random())"),
    _both("calculate", "nunca", None, calculation="'x'", relevant="1=2"),
)


def _household_choices() -> list[Row]:
    def choice(list_name: str, name: str, label: str, **columns: str) -> Row:
        labels = {"label::Español (es)": label, "label::Ngäbere (gym)": f"{label} (gym)"}
        return {"list_name": list_name, "name": name, **labels, **columns}

    choices: list[Row] = []
    for province in ("bocas", "chiriqui", "veraguas"):
        choices.append(choice("provincia", province, province.title()))
        for number in range(3):
            district = f"{province}_d{number}"
            choices.append(choice("distrito", district, f"Distrito {province} {number}", provincia=province))
            choices += [
                choice("corregimiento", f"{district}_c{place}", f"Corr {number}{place}", distrito=district)
                for place in range(2)
            ]
    for list_name, names in {
        "servicios": ("agua", "luz", "internet", "otro"),
        "vacunas": ("bcg", "polio"),
        "especie": ("vaca", "gallina", "cerdo"),
    }.items():
        choices += [choice(list_name, name, name) for name in names]
    return choices


def _schools() -> bytes:
    provinces = ("bocas", "chiriqui", "veraguas") * 4
    lines = [f'e{number},"Escuela, ñ {number}",{province}' for number, province in enumerate(provinces)]
    return "\n".join(["name,label,provincia", *lines, ""]).encode()


def _sites() -> bytes:
    features = [
        {
            "type": "Feature",
            "id": f"s{number}",
            "properties": {"title": f"Sitio {number}"},
            "geometry": {"type": "Point", "coordinates": [-82.0 - number / 10, 8.5]},
        }
        for number in range(4)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()
