"""The command line's help in Spanish, and click's own words, by what they are in English."""

from __future__ import annotations

from typing import Final

HELP: Final[dict[str, str]] = {
    # commands
    "The form of the visits, by its id.": "El formulario de las visitas, por su id.",
    "Rounds: month, quarter, semester, year, visit (default) or a question.": (
        "Rondas: month, quarter, semester, year, visit (si falta) o una pregunta."
    ),
    "Only the entities without a visit in this round.": "Solo las entidades sin visita en esta ronda.",
    "A row for each entity and round, not one for each entity.": "Una fila por entidad y ronda, no una por entidad.",
    "The file to write: .csv, .xlsx, …": "El archivo que se escribe: .csv, .xlsx, …",
    "Write the entities of the list NAME, one row each, with the visits of a form by round side by side.": (
        "Escribir las entidades de la lista NAME, una por fila, con las visitas de un formulario lado a lado por ronda."
    ),
    "Entity lists: what a project has, and entities from files.": (
        "Listas de entidades: las que tiene un proyecto, y entidades tomadas de archivos."
    ),
    "The entity lists of a project, with how many entities and conflicts each has.": (
        "Las listas de entidades de un proyecto, con cuántas entidades y conflictos tiene cada una."
    ),
    "Name of the entity list.": "Nombre de la lista de entidades.",
    "Create the list, with the properties of the file.": "Crear la lista, con las propiedades del archivo.",
    "Give the list the properties of the file that it lacks.": (
        "Dar a la lista las propiedades del archivo que no tiene."
    ),
    "Also change entities that there are, by their ids.": (
        "Cambiar también las entidades que ya existen, por su identificador."
    ),
    "Say what would be done and change nothing.": "Decir qué se haría, sin cambiar nada.",
    "Add the entities of FILE (CSV or GeoJSON) to a list: all of them or, where something is wrong, none.": (
        "Añadir las entidades de FILE (CSV o GeoJSON) a una lista: todas o, si algo está mal, ninguna."
    ),
    "Withdrawals of consent: what is kept of a person goes, and follow-up ends.": (
        "Retiros de consentimiento: lo que se guarda de una persona se borra, y termina su seguimiento."
    ),
    "Who asked for it.": "Quién lo pidió.",
    "The day on which they asked.": "El día en que lo pidieron.",
    "What goes; default: what the project says.": "Qué se borra; si falta: lo que dice el proyecto.",
    "Take out what is kept of the person of entity UUID of the entity list LIST; it cannot be undone.": (
        "Borrar lo que se guarda de la persona de la entidad UUID de la lista de entidades LIST; no se puede deshacer."
    ),
    "List whose data went, by id: when, why, and what was done.": (
        "Mostrar de quién se borraron los datos, por id: cuándo, por qué y qué se hizo."
    ),
    "Withdraw again, after a backup was restored, everybody whom FILE (a withdrawals.jsonl) names.": (
        "Retirar otra vez, después de restaurar una copia, a todos los que nombra FILE (un withdrawals.jsonl)."
    ),
    "What a withdrawal of consent takes out.": "Qué borra un retiro de consentimiento.",
    "As CSV: a line for each answer.": "Como CSV: una línea por respuesta.",
    "What stands of every submission, now or at any past moment: a line of JSON for each.": (
        "Lo que vale de cada envío, ahora o en cualquier momento pasado: una línea de JSON por envío."
    ),
    "Corrections: values laid over what was sent, which stays as it was.": (
        "Correcciones: valores puestos encima de lo enviado, que se queda como llegó."
    ),
    "Why it is corrected.": "Por qué se corrige.",
    "Stable key of the repeat row; default: the form's row.": (
        "Clave estable de la fila del grupo repetido; si falta: la fila del formulario."
    ),
    "Make the answer blank.": "Dejar la respuesta en blanco.",
    "The value that you see there; another one there is refused.": (
        "El valor que usted ve ahí; si hay otro, se rechaza."
    ),
    "Lay VALUE over the answer of RECORD (its instance id) to QUESTION (its path).": (
        "Poner VALUE encima de la respuesta de RECORD (su instance id) a QUESTION (su ruta)."
    ),
    "Why it is taken back.": "Por qué se retira.",
    "Take correction NUMBER back: what lies beneath it stands again.": (
        "Retirar la corrección NUMBER: vuelve a valer lo que está debajo."
    ),
    "Why; default: the former reason.": "Por qué; si falta: el motivo anterior.",
    "Lay the value of correction NUMBER, which an edit reopened, over what the edit says.": (
        "Poner el valor de la corrección NUMBER, que una edición reabrió, encima de lo que dice la edición."
    ),
    "Only those of this submission.": "Solo las de este envío.",
    "May be repeated.": "Puede repetirse.",
    "The cleaning log: every correction, who made it, when and why, and what became of it.": (
        "El registro de limpieza: cada corrección, quién la hizo, cuándo y por qué, y qué fue de ella."
    ),
    "The .xlsx to write.": "El .xlsx que se escribe.",
    "Path or name (may be repeated); default: what is flagged.": (
        "Ruta o nombre (puede repetirse); si falta: lo señalado."
    ),
    "Instance id (may be repeated); default: every submission.": (
        "Instance id (puede repetirse); si falta: todos los envíos."
    ),
    "Only flags of this check (may be repeated).": "Solo las señales de esta revisión (puede repetirse).",
    "Write a workbook in which answers are corrected: old values are locked, new ones are written beside them.": (
        "Escribir un libro en el que se corrigen respuestas: los valores anteriores están bloqueados y los nuevos se "
        "escriben al lado."
    ),
    "Say what would change, and change nothing.": "Decir qué cambiaría, sin cambiar nada.",
    "Apply the new values written in WORKBOOK; rows whose old value stands no more are refused by name.": (
        "Aplicar los valores nuevos escritos en WORKBOOK; las filas cuyo valor anterior ya no vale se rechazan por su nombre."
    ),
    "One submission: what stands of it, what happened to it, its review, comments.": (
        "Un envío: qué vale de él, qué le pasó, su revisión, comentarios."
    ),
    "A day (2026-03-31, all of it in UTC) or a moment with its zone; default: now.": (
        "Un día (2026-03-31, entero, en UTC) o un momento con su zona; si falta: ahora."
    ),
    "What stands of RECORD (its instance id) with its corrections, now or at any past moment.": (
        "Lo que vale de RECORD (su instance id) con sus correcciones, ahora o en cualquier momento pasado."
    ),
    "All that happened to RECORD, eldest first: versions, corrections, reviews, comments.": (
        "Todo lo que le pasó a RECORD, lo más antiguo primero: versiones, correcciones, revisiones, comentarios."
    ),
    "Why.": "Por qué.",
    "Decide about RECORD; indicators follow at once. received: as if nobody had.": (
        "Decidir sobre RECORD; los indicadores siguen al momento. received: como si nadie hubiera decidido."
    ),
    "Say something of RECORD.": "Decir algo de RECORD.",
    "Tejido: from XLSForm and ODK Collect to trusted numbers. Settings: see deploy/settings.md.": (
        "Tejido: de XLSForm y ODK Collect a números confiables. Ajustes: vea deploy/settings.md."
    ),
    "Serve until stopped. An empty data folder gets an administrator, a project with the bundled forms and a QR code.": (
        "Servir hasta que se detenga. Una carpeta vacía recibe un administrador, un proyecto con los formularios incluidos "
        "y un código QR."
    ),
    "Forms: check a workbook, publish it, try a draft.": (
        "Formularios: revisar un libro, publicarlo, probar un borrador."
    ),
    "Say everything that is wrong with a workbook (.xlsx, .xls, .md) or XForm (.xml).": (
        "Decir todo lo que está mal en un libro (.xlsx, .xls, .md) o un XForm (.xml)."
    ),
    "Publish a workbook: phones get it at their next refresh.": (
        "Publicar un libro: los teléfonos lo reciben al actualizar."
    ),
    "Make a workbook the draft of its form, and show the QR code that tries it on a phone.": (
        "Hacer de un libro el borrador de su formulario y mostrar el código QR que lo prueba en un teléfono."
    ),
    "What stood then: a day (2026-03-31, all of it in UTC) or a moment with its zone.": (
        "Lo que valía entonces: un día (2026-03-31, entero en UTC) o un momento con su zona."
    ),
    "List the forms of a project.": "Listar los formularios de un proyecto.",
    "Throw a form's draft away; what is published stays, and what was sent to try the draft is kept.": (
        "Descartar el borrador de un formulario; lo publicado sigue, y lo que se envió para probarlo se conserva."
    ),
    "open: phones get it. closing, closed: they do not; what they still send is kept.": (
        "open: los teléfonos lo reciben. closing, closed: ya no; lo que todavía envíen se guarda."
    ),
    "People who log in.": "Personas que entran con contraseña.",
    "Create a user.": "Crear un usuario.",
    "List the people who log in.": "Listar las personas que entran.",
    "Give a user a new password; the old one opens nothing from then on.": (
        "Dar a un usuario otra contraseña; la anterior deja de servir."
    ),
    "Projects.": "Proyectos.",
    "Create a project; prints its number.": "Crear un proyecto; imprime su número.",
    "List the projects.": "Listar los proyectos.",
    "List who did what and who saw what, the newest first.": "Listar quién hizo qué y quién vio qué, lo último primero.",
    "Only this, or what begins so: submission.read.identified, form.submission.export, user.": (
        "Solo esto, o lo que empiece así: submission.read.identified, form.submission.export, user."
    ),
    "First day (UTC).": "Primer día (UTC).",
    "Last day (UTC).": "Último día (UTC).",
    "So many lines, the newest.": "Cuántas líneas, las últimas.",
    "What identities are needed for; kept in the audit.": "Para qué se necesitan las identidades; queda en la auditoría.",
    "With all that identifies people; needs --reason.": "Con todo lo que identifica a personas; necesita --reason.",
    "Show or change what a project's indicators count, which figures are hidden, and what withdrawals of consent do.": (
        "Mostrar o cambiar qué cuentan los indicadores de un proyecto, qué cifras se ocultan y qué hacen los retiros de "
        "consentimiento."
    ),
    "What indicators count.": "Qué cuentan los indicadores.",
    "Figures of fewer units are hidden from whoever may not see them.": (
        "Las cifras de menos unidades se ocultan a quien no puede verlas."
    ),
    "Phones: one app user each, so that a lost one can be shut out.": (
        "Teléfonos: un acceso por cada uno, para poder cerrarlo si se pierde."
    ),
    "Create an app user and show the QR code that connects a phone.": (
        "Crear el acceso de un teléfono y mostrar el código QR que lo conecta."
    ),
    "List the app users of a project.": "Listar los accesos de teléfonos de un proyecto.",
    "Shut out a phone; what it sent stays.": "Cerrar el acceso de un teléfono; lo que envió se queda.",
    "Flags: what the checks found in the answers of a form, and what people say of it.": (
        "Señales: lo que las verificaciones encontraron en las respuestas de un formulario, y lo que se dice de ello."
    ),
    "List what the checks found, and what found no place in a form's tables; corrected flags only where asked for.": (
        "Listar lo que encontraron las verificaciones y lo que no cupo en las tablas de un formulario; lo corregido, solo si "
        "se pide."
    ),
    "Only flags in this state.": "Solo las señales en este estado.",
    "Only flags of this check.": "Solo las señales de esta verificación.",
    "Only flags of this severity.": "Solo las señales de esta gravedad.",
    "Only what this person or app user sent: name or number.": (
        "Solo lo que envió esta persona o este acceso: nombre o número."
    ),
    "Only what this device sent.": "Solo lo que envió este dispositivo.",
    "Only interviews of this day.": "Solo las entrevistas de este día.",
    "Say why what was flagged is right as it is; NUMBER is the flag's.": (
        "Decir por qué lo señalado está bien como está; NUMBER es el de la señal."
    ),
    "Open a flag again whose explanation does not hold; NUMBER is the flag's.": (
        "Abrir de nuevo una señal cuya explicación no vale; NUMBER es el de la señal."
    ),
    "submitter, device, day, or some of them (with commas); default: all.": (
        "submitter, device, day, o algunas (con comas); si no se dice, todas."
    ),
    "Count submissions and flags by enumerator and day.": "Contar envíos y señales por enumerador y día.",
    "Look through every submission of a form anew, with the medians of today; the server may go on.": (
        "Revisar de nuevo todos los envíos de un formulario, con las medianas de hoy; el servidor puede seguir."
    ),
    "Indicators: what a project measures, its figures, and the records behind them.": (
        "Indicadores: lo que mide un proyecto, sus cifras y los registros que hay detrás."
    ),
    "List what a project measures, and what cannot be computed yet or any more.": (
        "Listar lo que mide un proyecto, y lo que todavía no, o ya no, se puede calcular."
    ),
    "Show the figures of indicators; without codes, of each that can be asked so.": (
        "Mostrar las cifras de indicadores; sin códigos, las de todos los que se pueden pedir así."
    ),
    "List the records behind a figure: of one period, place and category.": (
        "Listar los registros que hay detrás de una cifra: de un período, lugar y categoría."
    ),
    "Say everything that is wrong with a logframe workbook, and with --project what it would change.": (
        "Decir todo lo que está mal en un libro de marco lógico y, con --project, qué cambiaría."
    ),
    "Take a logframe workbook in place of the one before: what it declares is computed at once.": (
        "Tomar un libro de marco lógico en lugar del anterior: lo que declara se calcula enseguida."
    ),
    "Compute every fact of a project anew from its typed tables, and the view of its values; the server may go on.": (
        "Calcular de nuevo todos los hechos de un proyecto desde sus tablas, y la vista de sus valores; el servidor puede "
        "seguir mientras tanto."
    ),
    "Write the submissions of a form to a file; the end of its name says which kind.": (
        "Escribir los envíos de un formulario en un archivo; el final de su nombre dice de qué clase."
    ),
    "Say what the columns of an extract are, and which codes stand in them; takes the same options.": (
        "Decir qué son las columnas de un extracto y qué códigos llevan; admite las mismas opciones."
    ),
    "Write every typed table again from the raw submissions; the server may go on meanwhile.": (
        "Escribir de nuevo todas las tablas desde los envíos originales; el servidor puede seguir mientras tanto."
    ),
    "Bring the database to this program's version.": "Llevar la base de datos a la versión de este programa.",
    "Say what is wrong with the installation and how to mend it, changing nothing; exit code 1 at a ✗, not at a !.": (
        "Decir qué está mal en la instalación y cómo arreglarlo, sin cambiar nada; termina con 1 si hay una ✗, no por un !."
    ),
    # options
    "Address to listen on.": "Dirección en que escucha.",
    "Port to listen on.": "Puerto en que escucha.",
    "Do not publish the bundled forms on an empty data folder.": (
        "No publicar los formularios incluidos en una carpeta vacía."
    ),
    "TOML file with settings.": "Archivo TOML con ajustes.",
    "Folder of everything that is kept.": "Carpeta de todo lo que se guarda.",
    "SQLAlchemy URL; default: SQLite in the data folder.": "URL de SQLAlchemy; si falta: SQLite en la carpeta de datos.",
    "Language of messages.": "Idioma de los mensajes.",
    "Number of the project.": "Número del proyecto.",
    "Compare with the form that this project has.": "Comparar con el formulario que tiene este proyecto.",
    "Folder with the form's media.": "Carpeta con las imágenes y otros archivos del formulario.",
    "The Java to run ODK Validate with; default: the one that is found.": (
        "El Java para ODK Validate; si falta: el que se encuentre."
    ),
    "As CSV, with every field.": "Como CSV, con todos los campos.",
    "As JSON, with every field.": "Como JSON, con todos los campos.",
    "Compare with what this project has.": "Comparar con lo que tiene este proyecto.",
    "2026, 2026-S1, 2026-Q1..2026-Q4, 2026-05, month, quarter, semester, year, round or all.": (
        "2026, 2026-S1, 2026-Q1..2026-Q4, 2026-05, o una de estas palabras: month (mes), quarter (trimestre), semester "
        "(semestre), year (año), round (rondas), all (todo junto)."
    ),
    "Split by dimensions, levels of places or questions (with commas).": (
        "Desagregar por dimensiones, niveles de lugares o preguntas (con comas)."
    ),
    "Only what lies in the place with this code.": "Solo lo que está en el lugar con este código.",
    "Everything up to the end of each period, or what lies in it; default: as the indicator says.": (
        "Todo hasta el final de cada período, o lo que cae en él; si falta: como dice el indicador."
    ),
    "Hide figures of few units, as from whoever may not see them.": (
        "Ocultar las cifras de pocas unidades, como ante quien no puede verlas."
    ),
    "Only the category, as NAME=CODE (NAME= for none); NAME is in --by.": (
        "Solo la categoría, como NOMBRE=CÓDIGO (NOMBRE= sin categoría); NOMBRE está en --by."
    ),
    "Asked for where it is not given, else made up and shown once.": (
        "Se pregunta si falta; sin terminal se genera y se muestra una vez."
    ),
    "The new password; asked for where it is not given, else made up and shown once.": (
        "La contraseña nueva; se pregunta si falta, y sin terminal se genera y se muestra una vez."
    ),
    "May do everything on this server.": "Puede hacer todo en este servidor.",
    "Only this form (may be repeated); default: all of the project.": (
        "Solo este formulario (se puede repetir); si falta: todos los del proyecto."
    ),
    "Print URL, settings and QR text as JSON.": "Imprimir URL, ajustes y texto del QR como JSON.",
    "Write the QR code as PNG.": "Escribir el código QR como PNG.",
    "Write the QR code as SVG.": "Escribir el código QR como SVG.",
    "The question with the place, for .geojson; default: the first.": (
        "La pregunta con la ubicación, para .geojson; si falta: la primera."
    ),
    "Only what came or changed since the last time; this file keeps how far that was.": (
        "Solo lo que llegó o cambió desde la vez anterior; este archivo guarda hasta dónde se llegó."
    ),
    "With the files of submissions, in ODK Central's layout.": (
        "Con los archivos de los envíos, en el formato de ODK Central."
    ),
    "The .xlsx or .html to write.": "El .xlsx o .html que se escribe.",
    "The file to write: .csv, .xlsx, …; a .csv.zip has all tables, a .zip ODK Central's layout.": (
        "El archivo que se escribe: .csv, .xlsx, …; un .csv.zip lleva todas las tablas, un .zip el formato de ODK Central."
    ),
    "OData: \"__system/reviewState eq 'approved'\".": "OData: \"__system/reviewState eq 'approved'\".",
    "Only what this actor sent (by number).": "Solo lo que envió este actor (por su número).",
    "Only this version of the form.": "Solo esta versión del formulario.",
    "Only in this state: received, edited, hasIssues, approved, rejected, counting.": (
        "Solo en este estado: received (recibido), edited (editado), hasIssues (con problemas), approved (aprobado), "
        "rejected (rechazado), counting (lo que cuentan los indicadores)."
    ),
    "received, updated, answered, or a question with a date.": (
        "received (recibido), updated (cambiado), answered (llenado) o una pregunta con fecha."
    ),
    "Last day (of --date-of).": "Último día (de --date-of).",
    "First day (of --date-of).": "Primer día (de --date-of).",
    "In which zone moments are told: America/Panama.": "En qué zona horaria se dicen los momentos: America/Panama.",
    "Begin CSV with the mark by which Excel knows accents.": (
        "Empezar el CSV con la marca por la que Excel reconoce las tildes."
    ),
    "Do not make formula-like text harmless.": "No volver inofensivos los textos que parecen fórmulas.",
    "One 0/1 column per choice besides; default: yes, but for ODK Central's layout.": (
        "Además, una columna 0/1 por opción; si falta: sí, salvo en el formato de ODK Central."
    ),
    "Column names with their groups; default: no, but for ODK Central's layout.": (
        "Nombres de columnas con sus grupos; si falta: no, salvo en el formato de ODK Central."
    ),
    "Language of labels, one of the form's.": "Idioma de las etiquetas, uno de los del formulario.",
    "Labels of choices instead of their codes.": "Etiquetas de las opciones en lugar de sus códigos.",
    "Only these questions (with commas).": "Solo estas preguntas (con comas).",
    "One table with a row for each row of this repeat.": "Una sola tabla, con una fila por cada fila de esta repetición.",
    "Only this repeat; the form's own table: the form's id.": (
        "Solo esta repetición; la tabla del formulario mismo: el id del formulario."
    ),
    "Show the version and exit.": "Mostrar la versión y salir.",
    "Show this message and exit.": "Mostrar esta ayuda y salir.",
    # what stands for a value
    "[OPTIONS]": "[OPCIONES]",
    "COMMAND [ARGS]...": "ORDEN [ARGUMENTOS]...",
    "TEXT": "TEXTO",
    "INTEGER": "NÚMERO",
    "INTEGER RANGE": "NÚMERO",
    "DATETIME": "FECHA",
    "FILE": "ARCHIVO",
    "DIRECTORY": "CARPETA",
    "PATH": "RUTA",
    "NAME": "NOMBRE",
    "EMAIL": "CORREO",
    "FORM_ID": "FORMULARIO",
    "CODE": "CÓDIGO",
    "CODES": "[CÓDIGO]...",
    "ACTOR_ID": "N.º",
    "PROJECT_ID": "PROYECTO",
}
"""Help of commands and options, and the words that stand for a value."""

CLICK: Final[dict[str, str]] = {
    "Usage:": "Uso:",
    "Options": "Opciones",
    "Commands": "Órdenes",
    "Positional arguments": "Argumentos",
    "required": "obligatorio",
    "default: {default}": "si falta: {default}",
    "Error: {message}": "Error: {message}",
    "Aborted!": "Cancelado.",
    "Repeat for confirmation": "Repítala para confirmar",
    "Error: The two entered values do not match.": "Error: lo escrito las dos veces no coincide.",
    "Try '{command} {option}' for help.": "Vea la ayuda con «{command} {option}».",
    "Invalid value: {message}": "Valor no válido: {message}",
    "Invalid value for {param_hint}: {message}": "Valor no válido para {param_hint}: {message}",
    "Missing argument": "Falta el argumento",
    "Missing option": "Falta la opción",
    "Missing parameter": "Falta el parámetro",
    "Missing command.": "Falta la orden.",
    "Missing parameter: {param_name}": "Falta el parámetro: {param_name}",
    "Choose from:\n\t{choices}": "Elija entre:\n\t{choices}",
    "No such option {name!r}.": "No existe la opción {name!r}.",
    "No such option: {name}": "No existe la opción {name}.",
    "No such command {name!r}.": "No existe la orden {name!r}.",
    "Did you mean {possibility}?": "¿Quiso decir {possibility}?",
    "(Did you mean one of: {possibilities}?)": "(¿Quiso decir una de estas: {possibilities}?)",
    "(Possible options: {possibilities})": "(Opciones posibles: {possibilities})",
    "Got unexpected extra argument ({args})": "Sobra el argumento ({args}).",
    "Got unexpected extra arguments ({args})": "Sobran los argumentos ({args}).",
    "Option {name!r} does not take a value.": "La opción {name!r} no lleva valor.",
    "Option {name!r} requires an argument.": "La opción {name!r} necesita un valor.",
    "Option {name!r} requires {nargs} arguments.": "La opción {name!r} necesita {nargs} valores.",
    "Argument {name!r} takes {nargs} values.": "El argumento {name!r} lleva {nargs} valores.",
    "{value!r} is not {choice}.": "{value!r} no es {choice}.",
    "{value!r} is not one of {choices}.": "{value!r} no es uno de {choices}.",
    "{value!r} is not a valid {number_type}.": "{value!r} no es un número válido.",
    "{name} {filename!r} does not exist.": "{filename!r} no existe.",
    "{name} {filename!r} is a file.": "{filename!r} es un archivo, no una carpeta.",
    "{name} {filename!r} is a directory.": "{filename!r} es una carpeta, no un archivo.",
    "{name} {filename!r} is not readable.": "{filename!r} no se puede leer.",
    "{name} {filename!r} is not writable.": "No se puede escribir en {filename!r}.",
    "Could not open file {filename!r}: {message}": "No se pudo abrir {filename!r}: {message}",
}
"""What click says, in the words of its 8.2 to 8.5."""
