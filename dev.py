#!/usr/bin/env python3
"""What developers type: run, test, bench, lint, lock. Needs nothing but Python 3.11 and a package registry."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed.json"
WINDOWS = os.name == "nt"
BIN = VENV / ("Scripts" if WINDOWS else "bin")
PYTHON = BIN / ("python.exe" if WINDOWS else "python")

TOOLS_LOCK = ROOT / "requirements-tools.lock"
RUN_LOCK = ROOT / "requirements.lock"
DEV_LOCK = ROOT / "requirements-dev.lock"
TOOLS = ("uv>=0.9", "hatchling>=1.27", "editables>=0.5")  # the installer, and what builds this project in place
PIP_QUIETLY = ("--quiet", "--disable-pip-version-check", "--no-input")
OLDEST = (3, 11)
TYPED = ("forms", "sync", "server", "tests.helpers")
LONGEST_WAIT = 1800  # seconds for one download or system package on a weak link


class Stop(Exception):
    """The work cannot go on; said in Spanish and in English."""

    def __init__(self, es: str, en: str) -> None:
        super().__init__(f"{es}\n{en}")


def main(arguments: list[str]) -> int:
    if sys.version_info < OLDEST:  # an older Python gets here and must be told
        return _with_newer_python(arguments)
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, told in (
        ("run", "install, then serve; further words go to `tejido serve`"),
        ("test", "install what the tests need, then lint, types, floors, tests; with further words only pytest"),
        ("bench", "measure; further words go to `python -m tests.bench`"),
        ("lint", "lint, types and floors alone"),
        ("lock", "choose the versions of every dependency again; further words go to `uv pip compile`"),
    ):
        commands.add_parser(name, help=told, add_help=False)
    known, rest = parser.parse_known_args(arguments[:1])
    rest = [*rest, *arguments[1:]]
    os.chdir(ROOT)
    try:
        return {"run": run, "test": test, "bench": bench, "lint": lint, "lock": lock}[known.command](rest)
    except Stop as stop:
        sys.stderr.write(f"\n{stop}\n")
        return 1
    except KeyboardInterrupt:
        return 130


# the commands


def run(arguments: list[str]) -> int:
    install(RUN_LOCK)
    command = [str(BIN / "tejido"), "serve", *arguments]
    if not WINDOWS:
        sys.stdout.flush()
        os.execv(command[0], command)  # noqa: S606  # Ctrl-C and signals reach the server itself
    return _call(command)


def test(arguments: list[str]) -> int:
    install(DEV_LOCK)
    environment = {**os.environ, "PATH": _path_with_java_compiler()}
    if arguments:
        return _call([str(PYTHON), "-m", "pytest", *arguments], environment)
    failed = _lint()
    _title("pytest")
    workers = str(min(os.cpu_count() or 2, 8))
    if _call([str(PYTHON), "-m", "pytest", "-n", workers, "--dist", "worksteal"], environment) != 0:
        failed.append("pytest")
    return _say_failures(failed)


def bench(arguments: list[str]) -> int:
    install(DEV_LOCK)
    return _call([str(PYTHON), "-m", "tests.bench", *arguments])


def lint(arguments: list[str]) -> int:
    if arguments:
        raise Stop("`lint` no lleva más palabras.", "`lint` takes no further words.")
    install(DEV_LOCK)
    return _say_failures(_lint())


def lock(arguments: list[str]) -> int:
    """Writes the three locks: hashes of every file of every version, no addresses, for all platforms."""
    _make_environment()
    if _uv() is None:
        _call_or_stop([str(PYTHON), "-m", "pip", "install", *PIP_QUIETLY, TOOLS[0]])
    uv = _uv()
    if uv is None:
        raise Stop("No se pudo instalar uv.", "uv could not be installed.")
    compiling = [uv, "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"]
    compiling += ["--no-emit-index-url", "--custom-compile-command", "python3 dev.py lock", *arguments]
    _call_or_stop([*compiling, "-", "-o", TOOLS_LOCK.name], "\n".join(TOOLS))
    _call_or_stop([*compiling, "pyproject.toml", "-o", RUN_LOCK.name])
    with_dev = ["pyproject.toml", "--group", "dev", "--constraint", RUN_LOCK.name, "--constraint", TOOLS_LOCK.name]
    _call_or_stop([*compiling, *with_dev, "-o", DEV_LOCK.name])
    return 0


def _lint() -> list[str]:
    """Runs every check that needs no running program; the names of those that failed."""
    steps = {
        "ruff check": [str(BIN / "ruff"), "check", "."],
        "ruff format": [str(BIN / "ruff"), "format", "--check", "."],
        "mypy": [str(PYTHON), "-m", "mypy", *(word for package in TYPED for word in ("-p", package))],
        "import-linter": [str(BIN / "lint-imports")],
    }
    failed = []
    for name, command in steps.items():
        _title(name)
        if _call(command) != 0:
            failed.append(name)
    return failed


def _say_failures(failed: list[str]) -> int:
    if failed:
        sys.stderr.write(f"\nNo pasó / failed: {', '.join(failed)}\n")
    return 1 if failed else 0


# the environment


def install(wanted: Path) -> None:
    """`.venv` holds what a lock names and this project in place; quick where it already does."""
    if not wanted.exists():
        raise Stop(f"Falta {wanted.name}: `python3 dev.py lock`.", f"{wanted.name} is missing: `python3 dev.py lock`.")
    state = {"root": str(ROOT), "locks": _fingerprint(TOOLS_LOCK, wanted, ROOT / "pyproject.toml")}
    held = _read_stamp()
    if held.get(wanted.name) == state:
        return
    if wanted == RUN_LOCK and held.get(DEV_LOCK.name, {}).get("root") == str(ROOT):
        # the tests' environment holds everything that running needs, where neither lock has changed since
        fingerprint = _fingerprint(TOOLS_LOCK, DEV_LOCK, ROOT / "pyproject.toml")
        if held[DEV_LOCK.name]["locks"] == fingerprint:
            return
    began = time.monotonic()
    _make_environment()
    _title(f"instalando / installing {wanted.name}")
    STAMP.unlink(missing_ok=True)
    _install_tools()
    _install_packages(["--require-hashes", "-r", wanted.name])
    _install_packages(["--no-deps", "--no-build-isolation", "-e", "."])
    STAMP.write_text(json.dumps({wanted.name: state}))
    sys.stdout.write(f"{time.monotonic() - began:.0f} s\n")


def _read_stamp() -> dict[str, dict[str, str]]:
    try:
        held: dict[str, dict[str, str]] = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return held if _works(PYTHON) else {}


def _fingerprint(*files: Path) -> str:
    told = hashlib.sha256()
    for file in files:
        told.update(file.read_bytes() if file.exists() else b"")
    return told.hexdigest()


def _make_environment() -> None:
    """An empty `.venv` where there is none that works here: a moved folder or an upgraded Python breaks it."""
    if _works(PYTHON) and _home_is_here():
        return
    shutil.rmtree(VENV, ignore_errors=True)
    _title("creando / creating .venv")
    this = Path(sys.executable)
    if _works(this, "-m", "ensurepip", "--version") and _call([str(this), "-m", "venv", str(VENV)]) == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    # Debian's python3 has venv without ensurepip: an environment without pip, filled by another installer
    uv = shutil.which("uv")
    if uv and _call([uv, "venv", "--quiet", "--python", str(this), str(VENV)]) == 0:
        return
    if _has_pip(this) and _call([str(this), "-m", "venv", "--without-pip", str(VENV)]) == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
    raise Stop(
        f"Este Python no puede crear entornos. En Debian o Ubuntu: `apt install {package}`; en otros sistemas, "
        "instale uv y póngalo en el PATH. Luego repita la orden.",
        f"This Python cannot create environments. On Debian or Ubuntu: `apt install {package}`; elsewhere, install "
        "uv and put it on PATH. Then type the command again.",
    )


def _home_is_here() -> bool:
    """Scripts of an environment name the folder where it was made."""
    held = _read_stamp()
    return not held or all(state.get("root") == str(ROOT) for state in held.values())


def _install_tools() -> None:
    pip = [str(PYTHON), "-m", "pip"]
    if not _has_pip(PYTHON):
        pip = [sys.executable, "-m", "pip", "--python", str(PYTHON)] if _has_pip(Path(sys.executable)) else []
    if pip and _call([*pip, "install", *PIP_QUIETLY, "--require-hashes", "-r", TOOLS_LOCK.name]) == 0:
        return
    _install_packages(["--require-hashes", "-r", TOOLS_LOCK.name])


def _install_packages(arguments: list[str]) -> None:
    """With uv; where that fails, with pip, which may be configured to reach another registry."""
    uv = _uv()
    quickly = ["--quiet", "--compile-bytecode"]  # compiled now, the server starts at once every time
    if uv and _call([uv, "pip", "install", *quickly, "--python", str(PYTHON), *arguments]) == 0:
        return
    if _has_pip(PYTHON):
        _call_or_stop([str(PYTHON), "-m", "pip", "install", *PIP_QUIETLY, *arguments])
        return
    raise Stop("No se pudo instalar.", "The installation failed.")


def _uv() -> str | None:
    own = BIN / ("uv.exe" if WINDOWS else "uv")
    return str(own) if own.exists() else shutil.which("uv")


# what no package of Python's gives


def _path_with_java_compiler() -> str:
    """PATH, with the folder of a `javac` at its head where it is not on it: the scripted phone is compiled with it."""
    path = os.environ.get("PATH", os.defpath)
    if shutil.which("javac"):
        return path
    home = os.environ.get("JAVA_HOME")
    if home and shutil.which("javac", path=str(Path(home) / "bin")):
        return os.pathsep.join([str(Path(home) / "bin"), path])
    if shutil.which("apt-get") and hasattr(os, "geteuid") and os.geteuid() == 0:
        _title("instalando un JDK / installing a JDK")
        quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        _call(["apt-get", "-qq", "update"], quietly)
        _call(["apt-get", "-qq", "install", "-y", "--no-install-recommends", "default-jdk-headless"], quietly)
        if shutil.which("javac"):
            return path
    raise Stop(
        "Las pruebas necesitan un JDK (17 o posterior) con javac en el PATH: en Debian o Ubuntu, "
        "`apt install default-jdk-headless`; en macOS, `brew install openjdk`; en Windows, "
        "`winget install EclipseAdoptium.Temurin.21.JDK`.",
        "The tests need a JDK (17 or later) with javac on PATH: on Debian or Ubuntu, "
        "`apt install default-jdk-headless`; on macOS, `brew install openjdk`; on Windows, "
        "`winget install EclipseAdoptium.Temurin.21.JDK`.",
    )


def _with_newer_python(arguments: list[str]) -> int:
    for minor in range(14, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found and _works(Path(found)):
            return subprocess.call([found, str(Path(__file__)), *arguments])
    sys.stderr.write("Hace falta Python 3.11 o posterior.\nPython 3.11 or later is needed.\n")
    return 1


# small words


def _title(text: str) -> None:
    sys.stdout.write(f"\n── {text}\n")
    sys.stdout.flush()


def _has_pip(python: Path) -> bool:
    return _works(python, "-m", "pip", "--version")


def _works(program: Path, *arguments: str) -> bool:
    try:
        done = subprocess.run([str(program), *(arguments or ("-c", ""))], check=False, capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _call(command: list[str], environment: dict[str, str] | None = None) -> int:
    try:
        return subprocess.call(command, env=environment)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error}\n")
        return 127


def _call_or_stop(command: list[str], given: str | None = None) -> None:
    done = subprocess.run(command, check=False, input=given, text=True, timeout=LONGEST_WAIT)
    if done.returncode != 0:
        raise Stop(f"No pasó: {' '.join(command)}", f"Failed: {' '.join(command)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
