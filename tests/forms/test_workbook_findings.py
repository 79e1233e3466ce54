"""What is wrong with a workbook is said with its place, in Spanish and English."""

from __future__ import annotations

import re

import pytest
from pyxform.errors import ErrorCode, PyXFormError

from forms import workbook
from forms.problems import Finding, Problem, Sentence
from forms.pyxform_errors import error_findings
from forms.pyxform_spanish import CODES

BASIC = "type name label"
CHOICES = "| choices |\n| | list_name | name | label |\n| | l | a | A |\n| | l | b | B |\n"


def survey(columns: str, *rows: str, rest: str = "") -> str:
    """A survey sheet with these columns and rows, and other sheets after it."""
    return "\n".join(
        ["| survey |", "| | " + " | ".join(columns.split()) + " |", *(f"| | {row} |" for row in rows), rest]
    )


# a workbook, and what is said of it in Spanish
CASES = {
    "broken_reference": (
        survey(BASIC + " relevant", "text | a | A |", "text | b | B | ${zz} = 1"),
        "error: hoja survey, fila 3, columna relevant: Se menciona «${zz}», pero ninguna pregunta de la hoja "
        "«survey» se llama así. Revise el nombre (también mayúsculas y tildes).",
    ),
    "open_reference": (
        survey(BASIC + " relevant", "text | a | A | ${ a = 1"),
        "error: hoja survey, fila 2, columna relevant: Hay una referencia mal escrita. Una referencia se escribe "
        "«${nombre}», con el nombre de una pregunta entre llaves.",
    ),
    "repeated_reference": (
        survey(
            BASIC + " relevant",
            "begin group | g | G",
            "text | a | A",
            "end group",
            "begin group | h | H",
            "text | a | A",
            "end group",
            "text | b | B | ${a} = 1",
        ),
        "error: hoja survey, fila 8, columna relevant: Se menciona «${a}», pero hay varias preguntas con ese "
        "nombre. Cambie el nombre de las demás.",
    ),
    "label_reference": (
        survey(BASIC, "text | a | Hola ${b}"),
        "error: hoja survey, fila 2, columna label: Se menciona «${b}», pero ninguna pregunta de la hoja «survey»"
        " se llama así. Revise el nombre (también mayúsculas y tildes).",
    ),
    "unknown_type": (
        survey(BASIC, "text | a | A", "acertijo | b | B"),
        "error: hoja survey, fila 3, columna type: El tipo de pregunta «acertijo» no existe. Revise cómo está escrito.",
    ),
    "missing_list": (
        survey(BASIC, "select_one nn | a | A", rest=CHOICES),
        "error: hoja survey, fila 2, columna type: La lista de opciones «nn» no está en la hoja «choices». Revise"
        " cómo está escrita, o añádala.",
    ),
    "no_choices": (
        survey(BASIC, "select_one nn | a | A"),
        "error: hoja choices: El formulario tiene preguntas de selección, pero el libro no tiene hoja «choices» "
        "(con las columnas «list_name», «name» y «label»), o está vacía.",
    ),
    "misspelt_choices": (
        survey(BASIC, "select_one l | a | A", rest=CHOICES.replace("| choices", "| choises")),
        "warning: hoja choises: La hoja «choises» no se lee: ¿quería decir «choices»? Si es otra cosa, póngale un guion "
        "bajo delante.",
        "error: hoja choices: El formulario tiene preguntas de selección, pero el libro no tiene hoja «choices» "
        "(con las columnas «list_name», «name» y «label»), o está vacía. Hay hojas con un nombre parecido: "
        "'choises'.",
    ),
    "duplicate_name": (
        survey(BASIC, "text | a | A", "text | a | B"),
        "error: hoja survey, fila 3, columna name: El nombre «a» ya se usa en el mismo grupo. Cada pregunta, "
        "grupo y repetición necesita un nombre propio dentro de su grupo.",
    ),
    "case_name": (
        survey(BASIC, "text | a | A", "text | A | B"),
        "warning: hoja survey, fila 3, columna name: El nombre «A» solo se distingue de otro por las mayúsculas. "
        "Cámbielo: muchos programas de análisis los confundirían.",
    ),
    "space_name": (
        survey(BASIC, "text | a b | A"),
        "error: hoja survey, fila 2, columna name: El valor de «name» no sirve como nombre. Un nombre comienza "
        "con una letra o un guion bajo y sigue con letras, números, guiones bajos, guiones o puntos; no lleva "
        "espacios, y conviene que no lleve tildes ni eñes.",
    ),
    "digit_name": (
        survey(BASIC, "text | 1a | A"),
        "error: hoja survey, fila 2, columna name: El valor de «name» no sirve como nombre. Un nombre comienza "
        "con una letra o un guion bajo y sigue con letras, números, guiones bajos, guiones o puntos; no lleva "
        "espacios, y conviene que no lleve tildes ni eñes.",
    ),
    "no_name": (
        survey(BASIC, "text | | A"),
        "error: hoja survey, fila 2, columna name: Falta el nombre de la pregunta o del grupo (columna «name»).",
    ),
    "no_type": (
        survey(BASIC, " | a | A"),
        "error: hoja survey, fila 2, columna type: Falta el tipo de la pregunta (columna «type»).",
    ),
    "no_label": (
        survey(BASIC, "text | a | "),
        "error: hoja survey, fila 2, columna label: A «a» le falta el texto que se muestra (columna «label»).",
    ),
    "comment_row": (
        survey(BASIC + " hint", "text | a | A", " | | | nota mía"),
        "warning: hoja survey, fila 3: Esta fila no tiene tipo, nombre ni texto, y no se usa.",
    ),
    "end_without_begin": (
        survey(BASIC, "text | a | A", "end group"),
        "error: hoja survey, fila 3, columna type: Sobra un «end_group», o falta antes su «begin_group».",
    ),
    "begin_without_end": (
        survey(BASIC, "begin repeat | r | R", "text | a | A"),
        "error: hoja survey, fila 2, columna type: Falta el «end_repeat» que cierra «r».",
    ),
    "crossed": (
        survey(BASIC, "begin group | g | G", "begin repeat | r | R", "text | a | A", "end group", "end repeat"),
        "error: hoja survey, fila 5, columna type: Sobra un «end_group», o falta antes su «begin_group».",
    ),
    "meta": (
        survey(BASIC, "text | meta | A", "text | meta | B"),
        "error: hoja survey, fila 2, columna name: El nombre «meta» está reservado. Use otro.",
    ),
    "repeated_repeat": (
        survey(
            BASIC,
            "begin group | g | G",
            "begin repeat | r | R",
            "text | a | A",
            "end repeat",
            "end group",
            "begin repeat | r | R",
            "text | b | B",
            "end repeat",
        ),
        "error: hoja survey, fila 7, columna name: Ya hay otra repetición llamada «r». Los nombres de las "
        "repeticiones no se pueden repetir en ninguna parte del formulario.",
    ),
    "data_repeat": (
        survey(BASIC, "begin repeat | data | R", "text | a | A", "end repeat"),
        "error: hoja survey, fila 2, columna name: Una repetición no puede llamarse «data», porque así se llama "
        "el formulario por dentro. Cambie el nombre.",
    ),
    "repeat_no_label": (
        survey(BASIC, "begin repeat | r |", "text | a | A", "end repeat"),
        "warning: hoja survey, fila 2, columna label: A la repetición le falta el texto que se muestra (columna "
        "«label»).",
    ),
    "repeated_choice": (
        survey(BASIC, "select_one l | a | A", rest=CHOICES + "| | l | a | Z |\n| | l | b | Y |\n"),
        "error: hoja choices, fila 4, columna name: El código de esta opción ya existe en la misma lista. "
        "Cámbielo; si es a propósito, ponga «allow_choice_duplicates» en «yes» en la hoja «settings».",
        "error: hoja choices, fila 5, columna name: El código de esta opción ya existe en la misma lista. "
        "Cámbielo; si es a propósito, ponga «allow_choice_duplicates» en «yes» en la hoja «settings».",
    ),
    "choice_no_name": (
        survey(BASIC, "select_one l | a | A", rest=CHOICES + "| | l | | Z |\n"),
        "error: hoja choices, fila 4, columna name: A esta opción le falta el código (columna «name»).",
    ),
    "choice_no_label": (
        survey(BASIC, "select_one l | a | A", rest=CHOICES + "| | l | c | |\n"),
        "warning: hoja choices, fila 4, columna label: A esta opción le falta el texto que se muestra (columna "
        "«label»).",
    ),
    "choice_space": (
        survey(BASIC, "select_multiple l | a | A", rest=CHOICES + "| | l | c d | C |\n"),
        "error: hoja choices, fila 4, columna name: El código «c d» de la lista «l» lleva espacios, y las "
        "preguntas «select_multiple» no los admiten.",
    ),
    "choice_header": (
        survey(
            BASIC,
            "select_one l | a | A",
            rest=CHOICES.replace("| label |", "| label | mi nota |") + "| | l | c | C | x |\n",
        ),
        "warning: hoja choices, fila 1, columna mi nota: El título de columna «mi nota» no sirve y la columna no "
        "se usa: no debe estar vacío ni llevar espacios.",
    ),
    "repeated_header": (
        survey("type name label label", "text | a | A | B"),
        "error: hoja survey, fila 1, columna label: La columna «label» aparece dos veces. Borre o cambie el "
        "nombre de una de ellas.",
    ),
    "alias_header": (
        survey("type name label relevant relevance", "text | a | A | 1 | 1"),
        "error: hoja survey, fila 1: Las columnas «relevant» y «relevance» son la misma con dos nombres. Borre o "
        "cambie una de ellas.",
    ),
    "no_type_column": (
        survey("name label", "a | A"),
        "error: hoja survey, fila 1: Faltan columnas obligatorias: 'type'. La primera fila de la hoja debe llevar"
        " sus nombres.",
    ),
    "calculate_without_formula": (
        survey(BASIC + " calculation", "calculate | a | |"),
        "error: hoja survey, fila 2, columna calculation: Falta la fórmula de este cálculo (columna «calculation»).",
    ),
    "file_extension": (
        survey(BASIC, "select_one_from_file lugares.xlsx | a | A"),
        "error: hoja survey, fila 2, columna type: El archivo de «select_one_from_file lugares.xlsx» debe "
        "terminar en .csv, .xml o .geojson.",
    ),
    "audit_name": (
        survey(BASIC, "audit | a | "),
        "error: hoja survey, fila 2, columna name: La pregunta «audit» no lleva nombre: deje vacía la columna «name».",
    ),
    "audit_param": (
        survey(BASIC + " parameters", "audit | | | track-changes=si"),
        "error: hoja survey, fila 2, columna parameters: El parámetro «track-changes» debe ser «true» o «false», "
        "no «si».",
    ),
    "audit_location": (
        survey(BASIC + " parameters", "audit | | | location-priority=balanced"),
        "error: hoja survey, fila 2, columna parameters: Para guardar la ubicación en «audit» hacen falta los "
        "tres parámetros «location-priority», «location-min-interval» y «location-max-age».",
    ),
    "audit_priority": (
        survey(BASIC + " parameters", "audit | | | location-priority=x location-min-interval=1 location-max-age=2"),
        "error: hoja survey, fila 2, columna parameters: El parámetro «location-priority» debe ser «no-power», "
        "«low-power», «balanced» o «high-accuracy», no «x».",
    ),
    "audit_interval": (
        survey(
            BASIC + " parameters", "audit | | | location-priority=balanced location-min-interval=x location-max-age=2"
        ),
        "error: hoja survey, fila 2, columna parameters: El parámetro «location-min-interval» debe ser un número "
        "entero.",
    ),
    "audit_age": (
        survey(
            BASIC + " parameters", "audit | | | location-priority=balanced location-min-interval=9 location-max-age=2"
        ),
        "error: hoja survey, fila 2, columna parameters: El parámetro «location-max-age» no puede ser menor que "
        "«location-min-interval».",
    ),
    "parameter": (
        survey(BASIC + " parameters", "text | a | A | filas=2"),
        "error: hoja survey, fila 2, columna parameters: Este tipo de pregunta no admite los parámetros filas. "
        "Admite: rows.",
    ),
    "rows": (
        survey(BASIC + " parameters", "text | a | A | rows=x"),
        "error: hoja survey, fila 2, columna parameters: El parámetro «rows» debe ser un número entero.",
    ),
    "pixels": (
        survey(BASIC + " parameters", "image | a | A | max-pixels=x"),
        "error: hoja survey, fila 2, columna parameters: El parámetro «max-pixels» debe ser un número entero.",
    ),
    "no_pixels": (
        survey(BASIC, "image | a | A"),
        "warning: hoja survey, fila 2, columna parameters: Ponga «max-pixels=1024» (o parecido) en «parameters»: "
        "las fotos pesarán menos y se enviarán con señal débil.",
    ),
    "quality": (
        survey(BASIC + " parameters", "audio | a | A | quality=alta"),
        "error: hoja survey, fila 2, columna parameters: El parámetro «quality» debe ser «voice-only», «low», "
        "«normal» o «external» («external», solo en audio).",
    ),
    "app": (
        survey(BASIC + " parameters", "image | a | A | app=camara"),
        "error: hoja survey, fila 2, columna parameters: El parámetro «app» no es el nombre de una aplicación de "
        "Android (por ejemplo, «org.ejemplo.camara»).",
    ),
    "seed": (
        survey(BASIC + " parameters", "select_one l | a | A | seed=1", rest=CHOICES),
        "error: hoja survey, fila 2, columna parameters: El parámetro «seed» solo vale junto con «randomize=true».",
    ),
    "seed_not_a_number": (
        survey(BASIC + " parameters", "select_one l | a | A | randomize=true seed=x", rest=CHOICES),
        "error: hoja survey, fila 2, columna parameters: El parámetro «seed» debe ser un número o una referencia "
        "«${…}» a otra pregunta.",
    ),
    "random": (
        survey(BASIC + " parameters", "select_one l | a | A | randomize=si", rest=CHOICES),
        "error: hoja survey, fila 2, columna parameters: El parámetro «randomize» debe ser «true» o «false», no «si».",
    ),
    "accuracy": (
        survey(BASIC + " parameters", "geopoint | a | A | capture-accuracy=x"),
        "error: hoja survey, fila 2, columna parameters: El parámetro «capture-accuracy» debe ser un número (metros).",
    ),
    "mock": (
        survey(BASIC + " parameters", "geopoint | a | A | allow-mock-accuracy=x"),
        "error: hoja survey, fila 2, columna parameters: El parámetro «allow-mock-accuracy» debe ser «true» o «false».",
    ),
    "incremental": (
        survey(BASIC + " parameters", "geotrace | a | A | incremental=x"),
        "error: hoja survey, fila 2, columna parameters: En las preguntas geoshape y geotrace el parámetro "
        "«incremental» solo puede ser «true».",
    ),
    "reference_geometry": (
        survey(BASIC + " parameters", "geopoint | a | A | reference-geometry=x"),
        "error: hoja survey, fila 2, columna parameters: El parámetro «reference-geometry» debe ser el nombre de "
        "una lista, de un archivo adjunto (sin extensión) o de una repetición «${…}».",
    ),
    "range": (
        survey(BASIC + " parameters", "range | a | A | start=x end=10 step=1"),
        "error: hoja survey, fila 2, columna parameters: En una pregunta de tipo «range», el parámetro «start» "
        "debe ser un número.",
    ),
    "range0": (
        survey(BASIC + " parameters", "range | a | A | start=1 end=10 step=0"),
        "error: hoja survey, fila 2, columna parameters: En una pregunta de tipo «range», el parámetro «step» no "
        "puede ser cero.",
    ),
    "range5": (
        survey(BASIC + " parameters", "range | a | A | start=1 end=10 step=1 placeholder=30"),
        "error: hoja survey, fila 2, columna parameters: En una pregunta de tipo «range», el parámetro "
        "«placeholder» debe estar entre «start» y «end».",
    ),
    "range6": (
        survey(BASIC + " parameters", "range | a | A | start=1 end=10 step=1 tick_labelset=zz"),
        "error: hoja survey, fila 2, columna parameters: En una pregunta de tipo «range», el parámetro "
        "«tick_labelset» debe ser el nombre de una lista de la hoja «choices».",
    ),
    "range8": (
        survey(BASIC + " parameters appearance", "range | a | A | start=1 end=10 step=1 tick_interval=1 | picker"),
        "error: hoja survey, fila 2, columna parameters: En una pregunta de tipo «range», «tick_interval», "
        "«placeholder» y «tick_labelset» solo se admiten con las apariencias «vertical», «no-ticks», «vertical "
        "no-ticks» o sin apariencia.",
    ),
    "trigger": (
        survey(BASIC + " calculation trigger", "text | a | A | |", "calculate | b | | 1 | ${zz}"),
        "error: hoja survey, fila 3, columna trigger: Se menciona «${zz}», pero ninguna pregunta de la hoja "
        "«survey» se llama así. Revise el nombre (también mayúsculas y tildes).",
    ),
    "trigger2": (
        survey(BASIC + " calculation trigger", "calculate | a | | 2 |", "calculate | b | | 1 | ${a}", "text | c | C"),
        "error: hoja survey, fila 2, columna name: La pregunta «a» no se ve en pantalla, así que no puede "
        "disparar («trigger») el cálculo de «b».",
    ),
    "background_geopoint": (
        survey(BASIC, "text | a | A", "background-geopoint | b |"),
        "error: hoja survey, fila 3, columna trigger: En una pregunta «background-geopoint» hay que llenar la "
        "columna «trigger».",
    ),
    "background_geopoint_calculated": (
        survey(BASIC + " calculation trigger", "text | a | A", "background-geopoint | b | | 1 | ${a}"),
        "error: hoja survey, fila 3, columna calculation: En una pregunta «background-geopoint» la columna "
        "«calculation» debe quedar vacía.",
    ),
    "or_other": (
        survey(BASIC + " choice_filter", "select_one l or_other | a | A | x=1", rest=CHOICES),
        "error: hoja survey, fila 2, columna choice_filter: «or_other» no se puede usar junto con "
        "«choice_filter». Añada «otro» a la lista y una pregunta aparte.",
    ),
    "or_other_languages": (
        survey("type name label::es label::en", "select_one l or_other | a | A | A", rest=CHOICES),
        "warning: hoja survey, columna type: El formulario usa «or_other» y varios idiomas: el texto de «otro» "
        "saldrá solo en inglés. Es mejor añadir la opción «otro» a la lista y una pregunta aparte.",
    ),
    "table_list": (
        survey(
            BASIC + " appearance",
            "begin group | g | G | table-list",
            "select_one l | a | A",
            "select_one m | b | B",
            "end group",
            rest=CHOICES + "| | m | x | X |\n",
        ),
        "error: hoja survey, fila 4, columna type: En un grupo «table-list» todas las preguntas usan la misma "
        "lista; aquí hay dos: «l» y «m».",
    ),
    "search": (
        survey(BASIC + " appearance", "select_one_from_file x.csv | a | A | search('x')"),
        "error: hoja survey, fila 2, columna appearance: La pregunta «a» toma sus opciones de un archivo y además"
        " usa «search()»: quite una de las dos cosas.",
    ),
    "search2": (
        survey(BASIC + " appearance", "select_one l | a | A | search('x')", "select_one l | b | B", rest=CHOICES),
        "error: hoja survey, fila 2, columna appearance: La pregunta «a» usa «search()» con la lista «l», que "
        "otras preguntas usan sin «search()». Dele una lista propia.",
    ),
    "bigimage": (
        survey(BASIC + " big-image", "text | a | A | x.png"),
        "error: hoja survey, fila 2, columna big-image: «a» tiene «big-image», pero le falta «image».",
    ),
    "external_sheet": (
        survey(BASIC + " choice_filter", "select_one_external l | a | A | x=1"),
        "error: hoja external_choices: El formulario usa «select_one_external», pero el libro no tiene hoja "
        "«external_choices» (con las columnas «list_name» y «name»), o está vacía.",
    ),
    "external_list": (
        survey(
            BASIC + " choice_filter",
            "select_one_external l | a | A | x=1",
            rest="| external_choices |\n| | list_name | name | label |\n| | k | a | A |\n",
        ),
        "error: hoja survey, fila 2, columna type: La lista de opciones «l» no está en la hoja «external_choices».",
    ),
    "same_file_name": (
        survey(
            BASIC,
            "begin group | g | G",
            "csv-external | x |",
            "end group",
            "begin group | h | H",
            "xml-external | x | ",
            "end group",
            "text | a | A",
        ),
        "error: hoja survey: Dos archivos o listas se llaman igual («x»). Cambie el nombre de uno.",
    ),
    "disabled": (
        survey(BASIC + " disabled", "text | a | A | ", "text | b | B | yes"),
        "warning: hoja survey, fila 3, columna disabled: La columna «disabled» está en desuso. Use «relevant», o "
        "borre la fila.",
    ),
    "simserial": (
        survey(BASIC, "simserial | s | ", "text | a | A"),
        "warning: hoja survey, fila 2, columna type: «simserial» ya no funciona en la mayoría de los teléfonos "
        "(solo en Android anterior al 11).",
    ),
    "langs": (
        survey("type name label::Español label::Inglés", "text | a | A | A"),
        "warning: Estos idiomas no llevan un código reconocible entre paréntesis, como en «Español (es)» o "
        "«Ngäbere (gym)»: Español, Inglés.",
    ),
    "save_to": (
        survey(BASIC + " save_to", "text | a | A | x"),
        "error: hoja survey, fila 2, columna save_to: No se puede usar este valor de «save_to»: falta la hoja "
        "«entities». Añádala y declare en ella la lista de entidades.",
    ),
    "save_dup": (
        survey(
            BASIC + " save_to",
            "text | a | A | x",
            "text | b | A | x",
            rest="| entities |\n| | list_name | label |\n| | h | a |\n",
        ),
        "error: hoja survey, fila 3, columna save_to: No se puede usar este valor de «save_to»: la propiedad «x» "
        "ya se guarda en la fila 2. Borre o cambie uno de los dos nombres.",
    ),
    "save_group": (
        survey(
            BASIC + " save_to",
            "begin group | g | G | x",
            "text | a | A",
            "end group",
            rest="| entities |\n| | list_name | label |\n| | h | a |\n",
        ),
        "error: hoja survey, fila 2, columna save_to: No se puede usar este valor de «save_to»: los grupos y las "
        "repeticiones no se pueden guardar como propiedades. Bórrelo o páselo a una pregunta.",
    ),
    "save_name": (
        survey(BASIC + " save_to", "text | a | A | name", rest="| entities |\n| | list_name | label |\n| | h | a |\n"),
        "error: hoja survey, fila 2, columna save_to: El valor de «save_to» no sirve: no puede ser «name» ni «label».",
    ),
    "entity_label": (
        survey(BASIC, "text | a | A", rest="| entities |\n| | list_name |\n| | h |\n"),
        "error: hoja entities, fila 2, columna label: La lista de entidades «h» está mal declarada: para crear "
        "entidades hace falta «label». Añádalo; si solo se quiere actualizar, escriba «entity_id».",
    ),
    "entity_update": (
        survey(BASIC, "text | a | A", rest="| entities |\n| | list_name | label | update_if |\n| | h | x | 1 |\n"),
        "error: hoja entities, fila 2, columna entity_id: La lista de entidades «h» está mal declarada: para "
        "actualizar hace falta «entity_id». Añádalo; si solo se quiere crear, pase «update_if» a «create_if».",
    ),
    "entity_upsert": (
        survey(
            BASIC,
            "text | a | A",
            rest="| entities |\n| | list_name | label | entity_id | create_if |\n| | h | x | ${a} | 1 |\n",
        ),
        "error: hoja entities, fila 2, columna update_if: La lista de entidades «h» está mal declarada: con "
        "«create_if» y «entity_id» hace falta también «update_if». Añádalo, o borre «entity_id» para solo crear.",
    ),
    "entity_header": (
        survey(BASIC, "text | a | A", rest="| entities |\n| | list_name | label | color |\n| | h | x | azul |\n"),
        "error: hoja entities, fila 1: Hay columnas que la hoja «entities» no admite: 'color'. Revise cómo están "
        "escritas, o bórrelas.",
    ),
    "entity_name": (
        survey(BASIC, "text | a | A", rest="| entities |\n| | list_name | label |\n| | mi.lista | x |\n"),
        "error: hoja entities, fila 2, columna list_name: El valor de «list_name» no sirve: no puede llevar un punto.",
    ),
    "entity_noname": (
        survey(BASIC, "text | a | A", rest="| entities |\n| | list_name | label |\n| | | x |\n"),
        "error: hoja entities, fila 2, columna list_name: A la lista de entidades le falta el nombre (columna "
        "«list_name»).",
    ),
    "entity_dup": (
        survey(BASIC, "text | a | A", rest="| entities |\n| | list_name | label |\n| | h | x |\n| | h | y |\n"),
        "error: hoja entities, fila 3, columna list_name: Esta lista de entidades ya está declarada en otra fila."
        " Cada lista se declara una sola vez.",
    ),
    "settings_both": (
        survey(BASIC, "text | a | A", rest="| settings |\n| | form_id | id_string | version |\n| | f | g | 1 |\n"),
        "warning: hoja settings, columna id_string: La hoja «settings» tiene a la vez «form_id» e «id_string». "
        "Vale «form_id»; borre la otra.",
    ),
    "encrypted": (
        survey(
            BASIC,
            "text | a | A",
            rest="| settings |\n| | public_key | omit_instanceID | version |\n| | abc | yes | 1 |\n",
        ),
        "error: hoja settings, columna omit_instanceID: Un formulario cifrado necesita instanceID: quite "
        "«omit_instanceID» de la hoja «settings».",
    ),
    "settings_name": (
        survey(BASIC, "text | a | A", rest="| settings |\n| | name | version |\n| | a b | 1 |\n"),
        "error: hoja settings, fila 1, columna name: El valor de «name» no sirve como nombre. Un nombre comienza "
        "con una letra o un guion bajo y sigue con letras, números, guiones bajos, guiones o puntos; no lleva "
        "espacios, y conviene que no lleve tildes ni eñes.",
    ),
    "media": (
        survey("type name label media::film", "text | a | A | x"),
        "error: El tipo de medio «film» no se admite: use «image», «big-image», «audio» o «video».",
    ),
    "loop_list": (
        survey(BASIC, "begin loop over zz | r | R", "text | a | A", "end loop", rest=CHOICES),
        "error: hoja survey, fila 2, columna type: La lista «zz» de esta repetición («loop») no está en la hoja "
        "«choices».",
    ),
}


def findings(markdown: str) -> list[Finding]:
    """What is said of the workbook, whether it becomes a form or not; it is given a version where it has no settings."""
    if "| settings |" not in markdown:
        markdown += "\n| settings |\n| | version |\n| | 1 |\n"
    try:
        return list(workbook.compile(markdown.encode(), "form.md").findings)
    except Problem as problem:
        return [
            Finding(
                severity=finding["severity"],
                sentence=Sentence(es=finding["es"], en=finding["en"]),
                sheet=finding["sheet"],
                row=finding["row"],
                column=finding["column"],
            )
            for finding in problem.details["findings"]
        ]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_finding_says_what_and_where(case):
    markdown, *expected = case

    assert [f"{finding.severity}: {finding.say('es')}" for finding in findings(markdown)] == expected


def test_finding_speaks_english_too():
    broken = [
        survey(BASIC + " relevant", "text | a | A | ${b} = 1"),
        survey(BASIC, "select_one nn | a | A", rest=CHOICES),
        survey(BASIC, " | a | A"),
        survey(BASIC + " privacy", "text | a | A | secreto"),
        survey(BASIC, "text | a:b | A"),
        survey(BASIC, "select_one l | a | A", rest=CHOICES.replace("| label |", "| label | 2023 |")),
        "| encuesta |\n| | type | name |\n| | text | a |\n| choices |\n| | name |\n| | x |",
    ]

    assert [finding.sentence.en for markdown in broken for finding in findings(markdown)] == [
        "The 'relevant' value is invalid. Reference variables must contain a name from the 'survey' sheet. Could not find "
        "the name 'b'.",
        "List name not in choices sheet: nn",
        "The question has no type (column “type”).",
        "“secreto” is no value of “privacy”. Use one of these: direct, free_text, key, quasi, sensitive, open.",
        "The name cannot hold a colon (:).",
        "The column header “2023” cannot be used: it must begin with a letter and hold only letters, digits, "
        "underscores, hyphens or periods.",
        "The workbook has no sheet “survey” with the questions. Its sheets are: encuesta, choices, settings. If the "
        "questions are in “encuesta”, change its name to “survey”.",
    ]


def test_problem_says_all_of_it_in_one_line():
    with pytest.raises(Problem) as caught:
        workbook.compile(survey(BASIC, "text | a | A", "end group").encode(), "form.md")

    assert caught.value.say("es") == (
        "El archivo no es un XLSForm válido: hoja survey, fila 3, columna type: Sobra un «end_group», o falta antes su "
        "«begin_group»."
    )


def test_every_catalogued_error_of_pyxform_has_spanish():
    assert sorted(CODES) == sorted(code.name for code in ErrorCode)


@pytest.mark.parametrize("code", ErrorCode, ids=lambda code: code.name)
def test_catalogued_error_keeps_its_fields_in_spanish(code):
    asked = set(re.findall(r"(?<!\{)\{(\w+)\}(?!\})", code.value.msg))
    context = {name: 7 if name == "row" else f"<{name}>" for name in asked}

    by_code = error_findings(PyXFormError(code=code, context=context), lambda _sheet, _cells: None)
    by_message = error_findings(PyXFormError(code.value.format(**context)), lambda _sheet, _cells: None)

    assert by_code == by_message
    assert "pyxform dice" not in by_code[0].sentence.es
    assert "?" not in by_code[0].sentence.es
    assert by_code[0].row == (7 if "{row}" in code.value.msg else 1 if code.name.startswith("HEADER") else None)


def test_unknown_message_of_pyxform_keeps_its_words_and_its_place():
    error = PyXFormError("[row : 9] On the 'choices' sheet, the 'colour' value is odd.")

    assert [finding.to_dict() for finding in error_findings(error, lambda _sheet, _cells: None)] == [
        {
            "severity": "error",
            "sheet": "choices",
            "row": 9,
            "column": "colour",
            "es": "pyxform dice: «On the 'choices' sheet, the 'colour' value is odd.»",
            "en": "On the 'choices' sheet, the 'colour' value is odd.",
        }
    ]


def test_form_too_deep_for_pyxform_is_refused():
    depth = 1500
    rows = [f"begin group | g{level} | G" for level in range(depth)]

    [finding] = findings(survey(BASIC, *rows, "text | a | A", *["end group | | "] * depth))

    assert finding.sentence.es.startswith("pyxform no pudo convertir el libro (RecursionError: ")
