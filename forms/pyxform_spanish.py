"""What pyxform says, in Spanish: its catalogued errors by code, and its other messages by pattern."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_NAMES = (
    "Un nombre comienza con una letra o un guion bajo y sigue con letras, números, guiones bajos, guiones o puntos; "
    "no lleva espacios, y conviene que no lleve tildes ni eñes."
)
_RANGE = "En una pregunta de tipo «range», "
_SAVE_TO = "No se puede usar este valor de «save_to»: "
_ENTITY = "La lista de entidades «{dataset}» está mal declarada: "

CODES: Final[Mapping[str, str]] = {
    "ENTITY_001": _SAVE_TO + "falta la hoja «entities». Añádala y declare en ella la lista de entidades.",
    "ENTITY_002": _SAVE_TO
    + "la propiedad «{saveto}» ya se guarda en la fila {other_row}. Borre o cambie uno de los dos nombres.",
    "ENTITY_003": _SAVE_TO
    + "los grupos y las repeticiones no se pueden guardar como propiedades. Bórrelo o páselo a una pregunta.",
    "ENTITY_004": _SAVE_TO
    + "la lista «{dataset}» no está en la hoja «entities». Revise cómo está escrita, o añádala a esa hoja.",
    "ENTITY_005": _ENTITY
    + "para crear entidades hace falta «label». Añádalo; si solo se quiere actualizar, escriba «entity_id».",
    "ENTITY_006": _ENTITY
    + "con «create_if» y «entity_id» hace falta también «update_if». Añádalo, o borre «entity_id» para solo crear.",
    "ENTITY_007": _ENTITY
    + "para actualizar hace falta «entity_id». Añádalo; si solo se quiere crear, pase «update_if» a «create_if».",
    "ENTITY_008": _SAVE_TO
    + "el formulario declara más de una lista de entidades, así que hay que decir cuál, por ejemplo «hogares#nombre».",
    "ENTITY_009": "No queda dónde guardar esta entidad: cada grupo, cada repetición y el formulario mismo admiten una "
    "sola, y «{scope}» ya lo ocupa la de la fila {other_row}. Revise «save_to» en la hoja «survey» y las preguntas que "
    "se citan en la hoja «entities».",
    "ENTITY_011": _SAVE_TO
    + "la lista «{dataset}» ya toma datos de «{other_scope}», y esta pregunta está en «{scope}». Copie uno de los dos "
    "valores con una pregunta «calculate» al lugar del otro.",
    "ENTITY_012": _ENTITY
    + "toma datos de «{other_scope}», pero la pregunta «{question}» está en «{scope}». Copie uno de los dos valores "
    "con una pregunta «calculate» al lugar del otro.",
    "ENTITY_013": _SAVE_TO + "lleva más de un signo «#».",
    "HEADER_001": "La columna «{header}» no se reconoce, quizá porque falta la fila de títulos. La primera fila de la "
    "hoja debe llevar los nombres de las columnas.",
    "HEADER_002": "Las columnas «{other}» y «{header}» son la misma con dos nombres. Borre o cambie una de ellas.",
    "HEADER_003": "Faltan columnas obligatorias: {missing}. La primera fila de la hoja debe llevar sus nombres.",
    "HEADER_004": "El título de columna «{column}» no sirve y la columna no se usa: no debe estar vacío ni llevar "
    "espacios.",
    "HEADER_005": "Hay columnas que la hoja «entities» no admite: {columns}. Revise cómo están escritas, o bórrelas.",
    "INTERNAL_001": "Error interno de pyxform al leer la columna «trigger» (valor «{value}»).",
    "INTERNAL_002": "Error interno de pyxform al leer las entidades de «{path}».",
    "LABEL_001": "A esta opción le falta el texto que se muestra (columna «label»).",
    "NAMES_001": "El nombre «{value}» ya se usa en el mismo grupo. Cada pregunta, grupo y repetición necesita un "
    "nombre propio dentro de su grupo.",
    "NAMES_002": "El nombre «{value}» solo se distingue de otro por las mayúsculas. Cámbielo: muchos programas de "
    "análisis los confundirían.",
    "NAMES_003": "Una repetición no puede llamarse «{value}», porque así se llama el formulario por dentro. Cambie el "
    "nombre.",
    "NAMES_004": "Ya hay otra repetición llamada «{value}». Los nombres de las repeticiones no se pueden repetir en "
    "ninguna parte del formulario.",
    "NAMES_005": "El nombre «meta» está reservado. Use otro.",
    "NAMES_006": "A esta opción le falta el código (columna «name»).",
    "NAMES_007": "El código de esta opción ya existe en la misma lista. Cámbielo; si es a propósito, ponga "
    "«allow_choice_duplicates» en «yes» en la hoja «settings».",
    "NAMES_008": "El valor de «{column}» no sirve como nombre. " + _NAMES,
    "NAMES_009": "El valor de «{name}» no sirve como nombre. " + _NAMES,
    "NAMES_010": "El valor de «{column}» no sirve: no puede comenzar con dos guiones bajos.",
    "NAMES_011": "El valor de «{column}» no sirve: no puede llevar un punto.",
    "NAMES_012": "El valor de «{column}» no sirve: no puede ser «name» ni «label».",
    "NAMES_013": "No hay hoja «{sheet}», pero sí otras con un nombre parecido: {candidates}. Si es un error al "
    "escribir, corríjalo; si la hoja es otra cosa, póngale un guion bajo delante.",
    "NAMES_014": "Esta lista de entidades ya está declarada en otra fila. Cada lista se declara una sola vez.",
    "NAMES_015": "A la lista de entidades le falta el nombre (columna «list_name»).",
    "PYREF_001": "Hay una referencia mal escrita. Una referencia se escribe «${{nombre}}», con el nombre de una "
    "pregunta entre llaves.",
    "PYREF_002": "Entre varias referencias «${{…}}» hace falta una coma.",
    "PYREF_003": "Se menciona «${{{q}}}», pero ninguna pregunta de la hoja «survey» se llama así. Revise el nombre "
    "(también mayúsculas y tildes).",
    "PYREF_004": "Se menciona «${{{q}}}», pero hay varias preguntas con ese nombre. Cambie el nombre de las demás.",
    "RANGE_001": _RANGE + "el parámetro «{name}» debe ser un número.",
    "RANGE_002": _RANGE + "el parámetro «{name}» no puede ser cero.",
    "RANGE_003": _RANGE + "el parámetro «{name}» no puede ser mayor que la diferencia entre «start» y «end».",
    "RANGE_004": _RANGE + "el parámetro «{name}» debe ser múltiplo de «step».",
    "RANGE_005": _RANGE + "el parámetro «{name}» debe estar entre «start» y «end».",
    "RANGE_006": _RANGE + "el parámetro «tick_labelset» debe ser el nombre de una lista de la hoja «choices».",
    "RANGE_007": _RANGE + "con la apariencia «no-ticks» la lista de «tick_labelset» debe tener solo dos opciones.",
    "RANGE_008": _RANGE + "«tick_interval», «placeholder» y «tick_labelset» solo se admiten con las apariencias "
    "«vertical», «no-ticks», «vertical no-ticks» o sin apariencia.",
    "RANGE_009": _RANGE + "los códigos de la lista de «tick_labelset» deben ser números.",
    "RANGE_010": _RANGE + "los códigos de la lista de «tick_labelset» deben estar entre «start» y «end».",
    "RANGE_011": _RANGE + "los códigos de la lista de «tick_labelset» deben ser el comienzo del rango más un múltiplo "
    "de «{name}».",
    "RANGE_012": _RANGE + "con la apariencia «no-ticks» los códigos de la lista de «tick_labelset» deben ser los "
    "valores «start» y «end».",
    "SURVEY_001": "Sobra un «end_{type}», o falta antes su «begin_{type}».",
    "SURVEY_002": "Falta el «end_{type}» que cierra «{name}».",
    "SURVEY_003": "En las preguntas geoshape y geotrace el parámetro «incremental» solo puede ser «true».",
    "SURVEY_004": "Los parámetros se escriben «clave=valor», separados por espacios.",
    "SURVEY_005": "Este tipo de pregunta no admite los parámetros {rejected}. Admite: {accepted}.",
    "SURVEY_006": "El parámetro «reference-geometry» debe ser el nombre de una lista, de un archivo adjunto (sin "
    "extensión) o de una repetición «${{…}}».",
    "SURVEY_007": "El parámetro «capture-accuracy» debe ser un número (metros).",
    "SURVEY_008": "El parámetro «warning-accuracy» debe ser un número (metros).",
    "SURVEY_009": "El parámetro «allow-mock-accuracy» debe ser «true» o «false».",
}
"""Spanish sentence for each `pyxform.errors.ErrorCode`, with the same {fields}. A test holds the list complete."""

COLUMNS: Final[Mapping[str, str]] = {
    **dict.fromkeys(["ENTITY_001", "ENTITY_002", "ENTITY_003", "ENTITY_004"], "save_to"),
    **dict.fromkeys(["ENTITY_008", "ENTITY_011", "ENTITY_013"], "save_to"),
    "ENTITY_005": "label",
    "ENTITY_006": "update_if",
    "ENTITY_007": "entity_id",
    "LABEL_001": "label",
    **dict.fromkeys([f"NAMES_00{number}" for number in (1, 2, 3, 4, 5, 6, 7)], "name"),
    **dict.fromkeys(["NAMES_014", "NAMES_015"], "list_name"),
    **dict.fromkeys([f"RANGE_{number:03}" for number in range(1, 13)], "parameters"),
    **dict.fromkeys(["SURVEY_001", "SURVEY_002"], "type"),
    **dict.fromkeys([f"SURVEY_{number:03}" for number in range(3, 10)], "parameters"),
}
"""The column that a code is about, where its message does not carry one."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A message of pyxform that has no code: its pattern, the Spanish, and what it says of the place.

    Named groups of `pattern` fill `es` and, where given, `en` (otherwise pyxform's own words). Where the message tells
    no row, `find` says which cells the row has (column → text; of `parameters` the text is a part), filled likewise.
    """

    pattern: re.Pattern[str]
    es: str
    en: str | None = None
    sheet: str | None = "survey"
    column: str | None = None
    find: Mapping[str, str] = field(default_factory=dict)


def _rule(
    pattern: str,
    es: str,
    en: str | None = None,
    *,
    sheet: str | None = "survey",
    column: str | None = None,
    find: Mapping[str, str] | None = None,
) -> Rule:
    return Rule(re.compile(pattern, re.DOTALL), es, en, sheet, column, find or {})


RULES: Final[tuple[Rule, ...]] = (
    _rule(
        r"Question with no type\.",
        "Falta el tipo de la pregunta (columna «type»).",
        "The question has no type (column “type”).",
        column="type",
    ),
    _rule(
        r"Question or group with no name\.",
        "Falta el nombre de la pregunta o del grupo (columna «name»).",
        column="name",
    ),
    _rule(
        r"Unknown question type '(?P<type>.*)'\.",
        "El tipo de pregunta «{type}» no existe. Revise cómo está escrito.",
        column="type",
        find={"type": "{type}"},
    ),
    _rule(
        r"The survey element named '(?P<name>.*)' has no label or hint\.",
        "A «{name}» le falta el texto que se muestra (columna «label»).",
        column="label",
        find={"name": "{name}"},
    ),
    _rule(
        r"List name not in choices sheet: (?P<list>.*)",
        "La lista de opciones «{list}» no está en la hoja «choices». Revise cómo está escrita, o añádala.",
        column="type",
    ),
    _rule(
        r"List name not in columns sheet: (?P<list>.*)",
        "La lista «{list}» de esta repetición («loop») no está en la hoja «choices».",
        column="type",
    ),
    _rule(
        r"List name not in external choices sheet: (?P<list>.*)",
        "La lista de opciones «{list}» no está en la hoja «external_choices».",
        column="type",
    ),
    _rule(
        r"There should be a choices sheet in this xlsform\.",
        "El formulario tiene preguntas de selección, pero el libro no tiene hoja «choices» (con las columnas "
        "«list_name», «name» y «label»), o está vacía.",
        sheet="choices",
    ),
    _rule(
        r"There should be an external_choices sheet in this xlsform\.",
        "El formulario usa «select_one_external», pero el libro no tiene hoja «external_choices» (con las columnas "
        "«list_name» y «name»), o está vacía.",
        sheet="external_choices",
    ),
    _rule(
        r"Choice names with spaces cannot be added to multiple choice selects\. "
        r"See \[(?P<code>.*)\] in \[(?P<list>.*)\]",
        "El código «{code}» de la lista «{list}» lleva espacios, y las preguntas «select_multiple» no los admiten.",
        sheet="choices",
        column="name",
        find={"list_name": "{list}", "name": "{code}"},
    ),
    _rule(
        r"File name for '(?P<asked>.*)' should end with one of the supported file extensions: .*",
        "El archivo de «{asked}» debe terminar en .csv, .xml o .geojson.",
        column="type",
    ),
    _rule(
        r"Missing calculation\.",
        "Falta la fórmula de este cálculo (columna «calculation»).",
        column="calculation",
    ),
    _rule(
        r"Repeat loop without list name\.",
        "A esta repetición («loop») le falta el nombre de la lista.",
        column="type",
    ),
    _rule(
        r"There should be choices for this question\.",
        "Hay una pregunta de selección sin opciones.",
    ),
    _rule(
        r"The question \$\{(?P<name>.*)\} is not user-visible so it can't be used as a calculation trigger for "
        r"question \$\{(?P<other>.*)\}\.",
        "La pregunta «{name}» no se ve en pantalla, así que no puede disparar («trigger») el cálculo de «{other}».",
        column="name",
        find={"name": "{name}"},
    ),
    _rule(
        r"For 'background-geopoint' questions, the 'calculation' column must be empty\.",
        "En una pregunta «background-geopoint» la columna «calculation» debe quedar vacía.",
        column="calculation",
    ),
    _rule(
        r"For 'background-geopoint' questions, the 'trigger' column must not be empty\.",
        "En una pregunta «background-geopoint» hay que llenar la columna «trigger».",
        column="trigger",
    ),
    _rule(
        r"Choice filter not supported with or_other\.",
        "«or_other» no se puede usar junto con «choice_filter». Añada «otro» a la lista y una pregunta aparte.",
        column="choice_filter",
    ),
    _rule(
        r"Please specify choices for this 'or other' question\.",
        "A esta pregunta con «or_other» le faltan opciones.",
        column="type",
    ),
    _rule(
        r"Choice filter not supported for table-list appearance\.",
        "La apariencia «table-list» no se puede usar junto con «choice_filter».",
        column="choice_filter",
    ),
    _rule(
        r"Badly formatted table list, list names don't match: (?P<one>.*) vs\. (?P<other>.*)",
        "En un grupo «table-list» todas las preguntas usan la misma lista; aquí hay dos: «{one}» y «{other}».",
        column="type",
    ),
    _rule(
        r"Audits must always be named 'audit\.' The name column should be left blank\.",
        "La pregunta «audit» no lleva nombre: deje vacía la columna «name».",
        column="name",
    ),
    _rule(
        r"To include location information in the audit, .* are required parameters\.",
        "Para guardar la ubicación en «audit» hacen falta los tres parámetros «location-priority», "
        "«location-min-interval» y «location-max-age».",
        column="parameters",
        find={"parameters": "location-"},
    ),
    _rule(
        r"Parameter location-priority must be set to .*:'(?P<value>.*)' is an invalid value",
        "El parámetro «location-priority» debe ser «no-power», «low-power», «balanced» o «high-accuracy», no "
        "«{value}».",
        column="parameters",
        find={"parameters": "location-"},
    ),
    _rule(
        r"(?P<parameter>\S+) must be set to true or false: '(?P<value>.*)' is an invalid value\.?",
        "El parámetro «{parameter}» debe ser «true» o «false», no «{value}».",
        column="parameters",
        find={"parameters": "{parameter}="},
    ),
    _rule(
        r"(?P<parameter>\S+) must be set to on-form-edit",
        "El parámetro «{parameter}» solo puede ser «on-form-edit».",
        column="parameters",
        find={"parameters": "{parameter}="},
    ),
    _rule(
        r"Parameter (?P<parameter>\S+) must have an integer value\.",
        "El parámetro «{parameter}» debe ser un número entero.",
        column="parameters",
        find={"parameters": "{parameter}="},
    ),
    _rule(
        r"Parameter (?P<parameter>\S+) must be greater +than or equal to zero\.",
        "El parámetro «{parameter}» no puede ser negativo.",
        column="parameters",
        find={"parameters": "{parameter}="},
    ),
    _rule(
        r"Parameter (?P<parameter>\S+) must be greater +than or equal to (?P<other>\S+)\.",
        "El parámetro «{parameter}» no puede ser menor que «{other}».",
        column="parameters",
        find={"parameters": "{parameter}="},
    ),
    _rule(
        r"seed value must be a number or a reference to another field\.",
        "El parámetro «seed» debe ser un número o una referencia «${{…}}» a otra pregunta.",
        column="parameters",
        find={"parameters": "seed="},
    ),
    _rule(
        r"Parameters must include randomize=true to use a seed\.",
        "El parámetro «seed» solo vale junto con «randomize=true».",
        column="parameters",
        find={"parameters": "seed="},
    ),
    _rule(
        r"Invalid value for quality\.",
        "El parámetro «quality» debe ser «voice-only», «low», «normal» o «external» («external», solo en audio).",
        column="parameters",
        find={"parameters": "quality="},
    ),
    _rule(
        r"Parameter 'app' has an invalid Android package name - .*",
        "El parámetro «app» no es el nombre de una aplicación de Android (por ejemplo, «org.ejemplo.camara»).",
        column="parameters",
    ),
    _rule(
        r"To use big-image, you must also specify an image for the survey element named (?P<name>.*)\.",
        "«{name}» tiene «big-image», pero le falta «image».",
        column="big-image",
        find={"name": "{name}"},
    ),
    _rule(
        r"Media type: (?P<media>.*) not supported",
        "El tipo de medio «{media}» no se admite: use «image», «big-image», «audio» o «video».",
        sheet=None,
    ),
    _rule(
        r"Question '(?P<name>.*)' is a select from file type, using 'search\(\)'\..*",
        "La pregunta «{name}» toma sus opciones de un archivo y además usa «search()»: quite una de las dos cosas.",
        column="appearance",
        find={"name": "{name}"},
    ),
    _rule(
        r"Question '(?P<name>.*)' uses 'search\(\)', and its select type references the choice list name "
        r"'(?P<list>.*)'\. This .*",
        "La pregunta «{name}» usa «search()» con la lista «{list}», que otras preguntas usan sin «search()». Dele una "
        "lista propia.",
        column="appearance",
        find={"name": "{name}"},
    ),
    _rule(
        r"The same instance id will be generated for different external instance source URIs\..* "
        r"Instance name: '(?P<instance>.*?)'.*",
        "Dos archivos o listas distintas se llamarían igual dentro del formulario: «{instance}». Cambie el nombre de "
        "uno.",
    ),
    _rule(
        r"Instance names must be unique within a form\. The name '(?P<instance>.*?)' was found .*",
        "Dos archivos o listas se llaman igual («{instance}»). Cambie el nombre de uno.",
    ),
    _rule(
        r"(?:.*)There is no survey element named '(?P<other>.*)'\.",
        "Se menciona «${{{other}}}», pero ninguna pregunta se llama así.",
        sheet=None,
    ),
    _rule(
        r"(?:.*)There are multiple survey elements named '(?P<other>.*)'\.",
        "Se menciona «${{{other}}}», pero hay varias preguntas con ese nombre.",
        sheet=None,
    ),
    _rule(
        r"Cannot omit instanceID, it is required for encryption\.",
        "Un formulario cifrado necesita instanceID: quite «omit_instanceID» de la hoja «settings».",
        sheet="settings",
        column="omit_instanceID",
    ),
    _rule(
        r"Survey cannot have an empty id_string",
        "Falta el identificador del formulario («form_id» en la hoja «settings»).",
        sheet="settings",
        column="form_id",
    ),
    _rule(
        r"You must have a sheet named 'survey'\..*",
        "El libro no tiene una hoja «survey», o está vacía.",
        sheet=None,
    ),
    # warnings
    _rule(
        r"The form_id and id_string column headers are both specified.*",
        "La hoja «settings» tiene a la vez «form_id» e «id_string». Vale «form_id»; borre la otra.",
        sheet="settings",
        column="id_string",
    ),
    _rule(
        r"The 'disabled' column header is not part of the current spec\..*",
        "La columna «disabled» está en desuso. Use «relevant», o borre la fila.",
        column="disabled",
    ),
    _rule(
        r"Row without name, text, or label is being skipped:.*",
        "Esta fila no tiene tipo, nombre ni texto, y no se usa.",
        "The row has no type, name or label, and is not used.",
    ),
    _rule(
        r"(?P<metadata>subscriberid|simserial) is no longer supported on most devices\..*",
        "«{metadata}» ya no funciona en la mayoría de los teléfonos (solo en Android anterior al 11).",
        column="type",
    ),
    _rule(
        r"Repeat has no label:.*",
        "A la repetición le falta el texto que se muestra (columna «label»).",
        "The repeat has no label.",
        column="label",
    ),
    _rule(
        r"select one external is only meant for filtered selects\.",
        "«select_one_external» solo sirve junto con «choice_filter».",
        column="choice_filter",
    ),
    _rule(
        r"Use the max-pixels parameter to speed up submission sending and save storage space\..*",
        "Ponga «max-pixels=1024» (o parecido) en «parameters»: las fotos pesarán menos y se enviarán con señal débil.",
        column="parameters",
    ),
    _rule(
        r"This form uses or_other and translations, which is not recommended\..*",
        "El formulario usa «or_other» y varios idiomas: el texto de «otro» saldrá solo en inglés. Es mejor añadir la "
        "opción «otro» a la lista y una pregunta aparte.",
        column="type",
    ),
    _rule(
        r"The following language declarations do not contain valid machine-readable codes: (?P<languages>.*)\. "
        r"Learn more: .*",
        "Estos idiomas no llevan un código reconocible entre paréntesis, como en «Español (es)» o «Ngäbere (gym)»: "
        "{languages}.",
        sheet=None,
    ),
    _rule(
        r"Could not export itemsets\.csv, the 'external_choices' sheet is missing\.",
        "No se pudo crear itemsets.csv: falta la hoja «external_choices».",
        sheet="external_choices",
    ),
)
"""First match wins; patterns are matched against the whole message without its `[row : N]`."""
