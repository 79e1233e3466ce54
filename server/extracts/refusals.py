"""Refusals: what is said where an extract cannot be made as it was asked for."""

from __future__ import annotations

from collections.abc import Sequence

from forms.problems import Problem, Sentence
from server import problems


def one_table_only(kind: str, tables: Sequence[str]) -> Problem:
    """400.8: several tables for a file that holds one."""
    listed = ", ".join(tables)
    return Problem(
        400.8,
        Sentence(
            es=f"Un archivo .{kind} lleva una sola tabla: {listed}.", en=f"A .{kind} file holds one table: {listed}."
        ),
        {"field": "table", "value": listed},
        Sentence(
            es=f"Pida una tabla, únalas, o pida un .{kind}.zip con todas.",
            en=f"Ask for one table, join them, or ask for a .{kind}.zip with all of them.",
        ),
    )


def no_format(kind: str, known: Sequence[str]) -> Problem:
    """404.1: extracts are not made in this format."""
    listed = ", ".join(known)
    return problems.not_found(
        Sentence(
            es=f"No hay extractos «.{kind}»; los hay en {listed}.",
            en=f"There are no extracts “.{kind}”; there are {listed}.",
        ),
        {"format": kind, "formats": list(known)},
    )


def too_wide(table: str, columns: int, most: int, *, program: str = "Excel") -> Problem:
    """400.8: the program has no so wide tables."""
    return Problem(
        400.8,
        Sentence(
            es=f"La tabla «{table}» tiene {columns:,} columnas, y {program} admite {most:,}.",
            en=f"The table “{table}” has {columns:,} columns, and {program} takes {most:,}.",
        ),
        {"table": table, "columns": columns},
        Sentence(
            es="Pida menos columnas, no divida las selecciones múltiples, o use CSV o Parquet.",
            en="Ask for fewer columns, do not split multiple selections, or use CSV or Parquet.",
        ),
    )


def not_of_the_past(option: str) -> Problem:
    """400.8: what is asked for together with a past moment is of the present alone."""
    return problems.wrong_value(
        option,
        "",
        Sentence(
            es="no se puede pedir junto con un momento pasado (at).",
            en="it cannot be asked for together with a past moment (at).",
        ),
    )


def no_place(code: str) -> Problem:
    """400.8: the project declares no such place."""
    return problems.wrong_value(
        "place",
        code,
        Sentence(
            es="ninguna hoja «places» del proyecto tiene ese código.",
            en="no sheet “places” of the project has this code.",
        ),
    )


def no_places(form_id: str) -> Problem:
    """400.8: nothing says which question of the form names its place."""
    return Problem(
        400.8,
        Sentence(
            es=f"El proyecto no dice qué pregunta de «{form_id}» nombra el lugar.",
            en=f"The project does not say which question of “{form_id}” names the place.",
        ),
        {"field": "place", "xmlFormId": form_id},
        Sentence(
            es="Escriba esa pregunta en la columna «place» de un indicador de este formulario.",
            en="Write that question in the column “place” of an indicator of this form.",
        ),
    )


def not_installed(what: str, extra: str) -> Problem:
    """501.1: a format whose library is not there."""
    return Problem(
        501.1,
        Sentence(
            es=f"Este servidor se instaló sin {what}.",
            en=f"This server was installed without {what}.",
        ),
        {"feature": what},
        Sentence(
            es=f"Quien lo administra puede añadirlo: pip install 'tejido[{extra}]'",
            en=f"Whoever runs it can add it: pip install 'tejido[{extra}]'",
        ),
    )


def needs_identities(option: str) -> Problem:
    """400.8: rows chosen by this would tell what an extract without identities does not."""
    return Problem(
        400.8,
        Sentence(
            es=f"Sin identidades no se puede filtrar por «{option}»: diría lo que el extracto no dice.",
            en=f"Without identities nothing can be filtered by “{option}”: it would tell what the extract does not.",
        ),
        {"field": option},
        Sentence(
            es="Quite el filtro, o pida el extracto con identidades si su rol lo permite.",
            en="Leave the filter out, or ask for identities if your role allows it.",
        ),
    )


def no_reason() -> Problem:
    """400.2: identities were asked for without saying what for."""
    return Problem(
        400.2,
        Sentence(
            es="Para dar identidades hay que decir el motivo; queda en el registro de auditoría.",
            en="Identities are given for a stated reason, which is kept in the audit.",
        ),
        {"field": "reason"},
        Sentence(es="Añada reason=…", en="Add reason=…"),
    )
