"""`tejido entities`: lists told, files taken whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.server.cli.test_commands import Tejido, tejido

__all__ = ["tejido"]
FINCAS = "label;uuid;dueño;hectáreas\nLa Esperanza;00000001-0000-4000-8000-000000000000;Ñata;3,5\nEl Cerro;;;\n"


@pytest.fixture
def file(tejido: Tejido, tmp_path: Path) -> Path:
    """A file of two farms, as a spreadsheet in Spanish saves it, and a project without lists."""
    tejido("project", "create", "Cohesión")
    made = tmp_path / "fincas.csv"
    made.write_text(FINCAS, encoding="utf-8-sig")
    return made


def take(tejido: Tejido, file: Path, *options: object, language: str = "en") -> tuple[int, str]:
    done = tejido("entities", "import", file, "--project", 1, "--list", "fincas", *options, language=language)
    return done.exit_code, done.output


def listed(tejido: Tejido) -> str:
    return str(tejido("entities", "list", "--project", 1).output)


def test_a_list_is_made_of_a_file(tejido: Tejido, file: Path):
    assert listed(tejido) == "The project has no entity lists.\n"

    foreseen = take(tejido, file, "--create-list", "--dry-run")
    before = listed(tejido)
    done = take(tejido, file, "--create-list")

    assert foreseen == (
        0,
        "New properties: dueño, hectáreas.\n"
        "2 entities would be created, 0 changed; 0 unchanged.\n"
        "! 1 without an id in the file: adding it once more creates them once more.\n",
    )
    assert before == "The project has no entity lists.\n"
    assert done[1].splitlines()[1] == "Entities created: 2; changed: 0; unchanged: 0."
    assert listed(tejido) == "list\tentities\tconflicts\nfincas\t2\t0\n"


def test_faults_are_told_line_by_line_and_nothing_is_taken(tejido: Tejido, file: Path):
    take(tejido, file, "--create-list")
    file.write_text(f"{FINCAS}El Río;7;;\n;;;9\n", encoding="utf-8")

    code, said = take(tejido, file, language="es")
    unknown = take(tejido, file, "--add-properties", "--update")

    assert code == 1
    assert said.splitlines() == [
        "✗ El archivo no se tomó; no se cambió nada:",
        "  ✗ fila 4, columna uuid: «7» no es un UUID de versión 4.",
    ]
    assert unknown[0] == 1
    assert listed(tejido) == "list\tentities\tconflicts\nfincas\t2\t0\n"


def test_a_list_that_is_not_there_is_told_with_what_helps(tejido: Tejido, file: Path):
    code, said = take(tejido, file)

    assert code == 1
    assert "There is no entity list “fincas”." in said
    assert "tejido entities list --project NUMBER" in said


def test_values_that_stand_are_changed_where_that_is_asked_for(tejido: Tejido, file: Path):
    take(tejido, file, "--create-list")
    file.write_text(FINCAS.replace("3,5", "4").partition("El Cerro")[0], encoding="utf-8")

    assert "This entity is there already" in take(tejido, file)[1]
    assert take(tejido, file, "--update") == (0, "Entities created: 0; changed: 1; unchanged: 0.\n")
    assert take(tejido, file, "--update", "--dry-run")[1] == ("0 entities would be created, 0 changed; 1 unchanged.\n")
