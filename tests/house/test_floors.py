"""Who may import whom, and what a room's functions take first."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from tests.house import source

DOORS = ("server/openrosa", "server/api", "server/web")
LARGE = {
    "forms/pyxform_spanish.py": "one table: what pyxform says, in Spanish",
}


def test_floors_hold():
    program = Path(sys.executable).parent / "lint-imports"

    done = subprocess.run([program], check=False, capture_output=True, text=True, cwd=source.ROOT)

    assert done.returncode == 0, done.stdout + done.stderr


def test_doors_know_no_store():
    asking = {
        source.name(module)
        for module in source.modules(*DOORS)
        if any(
            imported == "server.store" or imported.startswith("server.store.") for imported in source.imported(module)
        )
    }

    assert asking == set()


def test_paper_and_road_know_no_database_and_no_web():
    strangers = {"sqlalchemy", "alembic", "psycopg", "sqlite3", "flask", "werkzeug", "waitress", "server"}
    asking = {
        source.name(module): known
        for module in source.modules("forms", "sync")
        if (known := {imported.split(".")[0] for imported in source.imported(module)} & strangers)
    }

    assert asking == {}


def test_nothing_is_imported_for_type_checkers_alone():
    detours = [source.name(module) for module in _ours() if "TYPE_CHECKING" in module.read_text(encoding="utf-8")]

    assert detours == []


def test_store_takes_the_connection_first():
    others = [
        f"{source.name(module)}: {function.name}"
        for module in source.modules("server/store")
        for function in source.functions(module)
        if [argument.arg for argument in function.args.args[:1]] != ["conn"]
    ]

    assert others == []


def test_store_commits_nothing():
    ending = [
        f"{source.name(module)}: {node.attr}"
        for module in source.modules("server/store")
        for node in ast.walk(source.tree(module))
        if isinstance(node, ast.Attribute) and node.attr in {"commit", "rollback", "begin"}
    ]

    assert ending == []


def test_modules_open_with_what_lives_there():
    silent = [source.name(module) for module in _ours() if not ast.get_docstring(source.tree(module))]

    assert silent == []


def test_modules_are_named_for_what_lives_there():
    catchalls = {"utils", "helpers", "common", "manager", "base", "misc"}

    assert [source.name(module) for module in _ours() if module.stem in catchalls] == []


def test_modules_hold_one_thing():
    large = {source.name(module) for module in _ours() if len(module.read_text(encoding="utf-8").splitlines()) > 400}

    assert large == set(LARGE)


def test_only_settings_read_the_environment():
    reading = {
        source.name(module)
        for module in source.modules("forms", "sync", "server")
        for node in ast.walk(source.tree(module))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv"}
    }

    assert reading <= {"server/settings.py", "server/cli/main.py"}  # the command line hands it to the settings


def _ours() -> list[Path]:
    return source.modules("forms", "sync", "server")
