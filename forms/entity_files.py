"""Entity files: the entities that a CSV or a GeoJSON file holds, read with every fault by row and column.

CSV: a heading, `label`, properties, and the id under `__id`, `name` or `uuid`; commas, semicolons or tabs; what ODK Central
and this server write beside (`__createdAt`, `__version` …) is left alone. GeoJSON (RFC 7946): one entity a feature, its place
in the property `geometry` as phones write it.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from forms.entities import find_uuid
from forms.problems import Finding, Sentence

MAX_FILE: Final = 50 * 2**20
"""Bytes of one file."""
MOST_LINES: Final = 100_000
"""Entities of one file."""
MOST_COLUMNS: Final = 500
GEOMETRY: Final = "geometry"
"""The property that ODK takes for an entity's place."""
_IDS: Final = ("__id", "name", "uuid")
_LABEL: Final = "label"
_MOST_FINDINGS: Final = 200
_FORMULA: Final = ("'=", "'+", "'-", "'@", "'\t", "'\r")
"""What this server writes into CSV so that no spreadsheet runs it; the apostrophe is taken away again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One entity of a file: its row as a spreadsheet counts, or of GeoJSON its number; what it does not say is not here."""

    row: int
    uuid: str | None
    label: str | None
    data: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class EntityFile:
    """What a file holds: the properties that it names, its entities, and what is wrong with it."""

    properties: Sequence[str] = ()
    lines: Sequence[Line] = ()
    findings: Sequence[Finding] = ()


def read(data: bytes) -> EntityFile:
    """The entities of a CSV, or of a GeoJSON where the file begins with `{`. Nothing is raised: faults are findings."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return EntityFile(
            findings=[
                fault(
                    "El archivo no está en UTF-8. En Excel: Guardar como, «CSV UTF-8».",
                    "The file is not UTF-8. In Excel: Save as, “CSV UTF-8”.",
                )
            ]
        )
    if "\0" in text:
        return EntityFile(findings=[fault("El archivo tiene un carácter NUL.", "The file has a NUL character.")])
    return _read_geojson(text) if text.lstrip()[:1] == "{" else _read_csv(text)


def fault(es: str, en: str, row: int | None = None, column: str | None = None) -> Finding:
    """Something that is wrong with a file, as an error."""
    return Finding(severity="error", sentence=Sentence(es, en), row=row, column=column)


@dataclass(slots=True)
class _Reading:
    lines: list[Line] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    _rows: dict[str, int] = field(default_factory=dict)

    @property
    def is_full(self) -> bool:
        return len(self.findings) >= _MOST_FINDINGS or len(self.lines) > MOST_LINES

    def add(self, row: int, uuid: str, label: str, data: Mapping[str, str], column: str) -> None:
        found = find_uuid(uuid) if uuid.strip() else None
        if uuid.strip() and found is None:
            self.findings.append(
                fault(f"«{uuid[:60]}» no es un UUID de versión 4.", f"“{uuid[:60]}” is no version 4 UUID.", row, column)
            )
        elif found is not None and found in self._rows:
            before = self._rows[found]
            self.findings.append(
                fault(
                    f"El mismo identificador que en la fila {before}.", f"The same id as in row {before}.", row, column
                )
            )
        elif found is not None:
            self._rows[found] = row
        self.lines.append(Line(row=row, uuid=found, label=label if label.strip() else None, data=data))

    def done(self, properties: Iterable[str]) -> EntityFile:
        if len(self.lines) > MOST_LINES:
            self.findings.append(
                fault(f"Hay más de {MOST_LINES:,} entidades.", f"There are more than {MOST_LINES:,} entities.")
            )
        elif not self.lines and not self.findings:
            self.findings.append(fault("El archivo no tiene ninguna entidad.", "The file has no entity."))
        return EntityFile(tuple(properties), self.lines, self.findings[:_MOST_FINDINGS])


# --------------------------------------------------------------------------- CSV


def _read_csv(text: str) -> EntityFile:
    reading = _Reading()
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    heading: list[str] = []
    number = 0
    try:
        for number, cells in enumerate(rows, start=1):
            if not heading:
                heading = [cell.strip() for cell in cells]
                reading.findings.extend(_heading_faults(heading))
                if reading.findings:
                    break
            elif any(cell.strip() for cell in cells):
                _read_row(reading, number, heading, cells)
                if reading.is_full:
                    break
    except csv.Error as error:
        told = Sentence(f"No se puede leer ({error}).", f"It cannot be read ({error}).")
        reading.findings.append(Finding(severity="error", sentence=told, row=number + 1))
    return reading.done(name for name in heading if _is_property(name))


def _read_row(reading: _Reading, number: int, heading: Sequence[str], cells: Sequence[str]) -> None:
    if len(cells) > len(heading) and not any(cell.strip() for cell in cells[len(heading) :]):
        cells = cells[: len(heading)]
    if len(cells) != len(heading):
        es = f"La fila tiene {len(cells)} celdas y el encabezado {len(heading)}."
        en = f"The row has {len(cells)} cells, the heading {len(heading)}."
        reading.findings.append(fault(es, en, number))
        return
    said = {name: _without_mark(cell) for name, cell in zip(heading, cells, strict=True) if cell.strip()}
    column = next((name for name in _IDS if name in heading), _IDS[0])
    data = {name: text for name, text in said.items() if _is_property(name)}
    reading.add(number, said.get(column, ""), said.get(_LABEL, ""), data, column)


def _heading_faults(heading: Sequence[str]) -> Iterator[Finding]:
    if len(heading) > MOST_COLUMNS:
        yield fault(f"Hay más de {MOST_COLUMNS} columnas.", f"There are more than {MOST_COLUMNS} columns.", 1)
        return
    for name, times in Counter(heading).items():
        if not name:
            yield fault("Hay columnas sin nombre.", "There are columns without a name.", 1)
        elif times > 1:
            yield fault(
                f"La columna «{name}» está {times} veces.", f"The column “{name}” is there {times} times.", 1, name
            )
    ids = [name for name in _IDS if name in heading]
    if len(ids) > 1:
        listed = ", ".join(ids)
        yield fault(
            f"Hay varias columnas de identificador: {listed}.", f"There are several columns of ids: {listed}.", 1
        )
    if _LABEL not in heading and not ids:
        yield fault(
            "Falta la columna «label», con la etiqueta de cada entidad.",
            "The column “label” is missing, with the label of each entity.",
            1,
        )


def _is_property(name: str) -> bool:
    return name not in (_LABEL, *_IDS) and not name.startswith("__")


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    counted = {mark: first.count(mark) for mark in (",", ";", "\t")}
    return max(counted, key=lambda mark: counted[mark])


def _without_mark(cell: str) -> str:
    return cell[1:] if cell.startswith(_FORMULA) else cell


# --------------------------------------------------------------------------- GeoJSON


def _read_geojson(text: str) -> EntityFile:
    reading = _Reading()
    try:
        document = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        told = str(error)[:100]
        return EntityFile(findings=[fault(f"No es JSON: {told}.", f"It is no JSON: {told}.")])
    features = document.get("features") if document.get("type") == "FeatureCollection" else None
    if not isinstance(features, list):
        es, en = "No es una FeatureCollection de GeoJSON.", "It is no FeatureCollection of GeoJSON."
        return EntityFile(findings=[fault(es, en)])
    names: dict[str, None] = {}
    for number, feature in enumerate(features, start=1):
        _read_feature(reading, number, feature, names)
        if reading.is_full:
            break
    return reading.done(names)


def _read_feature(reading: _Reading, number: int, feature: Any, names: dict[str, None]) -> None:
    told = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(feature, dict) or feature.get("type") != "Feature" or not isinstance(told, dict | None):
        reading.findings.append(fault("No es un Feature de GeoJSON.", "It is no Feature of GeoJSON.", number))
        return
    said: dict[str, str] = {}
    for name, value in (told or {}).items():
        text = _text(value)
        if text is None:
            es, en = "El valor no es texto, número ni lógico.", "The value is no text, number or boolean."
            reading.findings.append(fault(es, en, number, name[:60]))
        elif text.strip():
            said[name] = text
    column, uuid = next(((name, said[name]) for name in _IDS if name in said), ("id", ""))
    if feature.get("id") is not None:
        column, uuid = "id", str(feature["id"])
    data = {name: text for name, text in said.items() if _is_property(name)}
    if feature.get("geometry") is not None:
        try:
            data[GEOMETRY] = _place(feature["geometry"])
        except (ValueError, TypeError, KeyError, IndexError):
            es = "Solo sirven Point, LineString y Polygon sin huecos, en grados (longitud, latitud)."
            en = "Only Point, LineString and Polygon without holes will do, in degrees (longitude, latitude)."
            reading.findings.append(fault(es, en, number, GEOMETRY))
    names.update(dict.fromkeys(data))
    reading.add(number, uuid, said.get(_LABEL, ""), data, column)


def _text(value: Any) -> str | None:
    """A value as phones write it; None for what is no value by itself."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer() and abs(value) < 2**53:
            return str(int(value))
        case int() | float():
            return str(value)
        case str() if "\0" not in value and not any("\ud800" <= char <= "\udfff" for char in value):
            return value
    return None


def _place(geometry: Mapping[str, Any]) -> str:
    """A geometry as phones write it; raises ValueError and its like for any other."""
    coordinates = geometry["coordinates"]
    match geometry["type"]:
        case "Point":
            return _point(coordinates)
        case "LineString":
            positions, fewest = coordinates, 2
        case "Polygon":
            [positions], fewest = coordinates, 4
            if positions[0] != positions[-1]:
                raise ValueError(positions)
        case _:
            raise ValueError(geometry)
    if len(positions) < fewest:
        raise ValueError(positions)
    return ";".join(_point(position) for position in positions)


def _point(position: Any) -> str:
    longitude, latitude, *rest = position
    altitude = rest[0] if rest else 0
    numbers = (latitude, longitude, altitude)
    if any(isinstance(one, bool) or not isinstance(one, int | float) or not math.isfinite(one) for one in numbers):
        raise ValueError(position)
    if abs(latitude) > 90 or abs(longitude) > 180:
        raise ValueError(position)
    return f"{latitude} {longitude} {altitude} 0"


def _refuse(constant: str) -> None:
    raise ValueError(constant)
