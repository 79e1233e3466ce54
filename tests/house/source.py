"""The house's own source, as the house tests read it: files, syntax trees, imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
_GROWN: Final = frozenset({".git", ".venv", "data", "dist", "node_modules", "__pycache__", "classes"})


@cache
def files() -> tuple[Path, ...]:
    """Every file that a person wrote, by path."""
    return tuple(sorted(_walk(ROOT)))


def _walk(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.is_dir():
            hidden = entry.name.startswith(".") and entry.name != ".ci"
            if not hidden and entry.name not in _GROWN and not entry.name.endswith(".egg-info"):
                yield from _walk(entry)
        else:
            yield entry


def modules(*rooms: str) -> list[Path]:
    """The Python modules in these folders (`server/actions`) and below."""
    folders = [ROOT / room for room in rooms]
    return [file for file in files() if file.suffix == ".py" and any(file.is_relative_to(room) for room in folders)]


@cache
def tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"), str(module))


def name(file: Path) -> str:
    """The path from the top of the house, with slashes."""
    return file.relative_to(ROOT).as_posix()


def imported(module: Path) -> set[str]:
    """Every module, and every name in one, that this module imports: `server.store` and `server.store.forms`."""
    names: set[str] = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def functions(module: Path) -> list[ast.FunctionDef]:
    """The public functions at the top of a module."""
    return [node for node in tree(module).body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
