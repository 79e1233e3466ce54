"""Columns: what one column of an extract is, whichever format it is written in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from forms.problems import Sentence

Kind = Literal["text", "integer", "number", "boolean", "date", "time", "moment", "geojson"]
"""What the values of a column are: str · int of 64 bits · float · bool · date · time · aware datetime · GeoJSON text."""
Values = Sequence[Any]
"""Values of one column, None where there is none."""
Batch = Sequence[Values]
"""Some rows of a frame, column by column; every column has as many values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column as every format writes it.

    `path` is the question's, or the column's own name where no question gives it. `part` tells apart the columns of one
    question: a choice's code, or `latitude`, `longitude`, `altitude`, `accuracy`. `codes` are the labels of values (code,
    label) where values are codes; `numbers` the number of each code that is a text, for programs that only label numbers.
    """

    name: str
    kind: Kind
    path: str
    label: str = ""
    part: str = ""
    codes: tuple[tuple[str | int, str], ...] = ()
    numbers: tuple[tuple[str, int], ...] = ()


KNOWN_OF_SUBMISSIONS: Final[tuple[tuple[str, Kind, Sentence], ...]] = (
    ("_instance_name", "text", Sentence("Nombre del envío", "Name of the submission")),
    ("_form_version", "text", Sentence("Versión del formulario", "Version of the form")),
    ("_received_at", "moment", Sentence("Cuándo se recibió", "When it was received")),
    ("_updated_at", "moment", Sentence("Cuándo cambió por última vez", "When it last changed")),
    ("_submitter_id", "integer", Sentence("Número de quien envió", "Number of whoever sent it")),
    ("_submitter", "text", Sentence("Quién envió", "Who sent it")),
    ("_device_id", "text", Sentence("Dispositivo", "Device")),
    ("_review_state", "text", Sentence("Estado de revisión", "Review state")),
    ("_edits", "integer", Sentence("Veces que se editó", "Times it was edited")),
    ("_encrypted", "boolean", Sentence("Cifrado, sin respuestas legibles", "Encrypted, without readable answers")),
)
"""What stands after the answers in the form's own table."""
KEY: Final = Sentence("Identificador de la fila", "Key of the row")
STABLE_KEY: Final = Sentence(
    "Identificador de la fila que no cambia al editar", "Key of the row that stays the same after edits"
)
SUBMISSION_KEY: Final = Sentence("Identificador del envío", "Key of the submission")
PARENT_KEY: Final = Sentence("Identificador de la fila que la contiene", "Key of the row that holds it")
POSITION: Final = Sentence("Posición en la fila que la contiene", "Position in the row that holds it")


def entity(dataset: str) -> Sentence:
    """What the column with the ids of a list's entities is."""
    return Sentence(f"Entidad de la lista «{dataset}»", f"Entity of the list “{dataset}”")
