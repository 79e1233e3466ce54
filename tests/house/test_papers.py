"""What the repository says of itself is true: locks, dependencies, paths, the README's commands."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest

import dev
from server.cli.main import main
from tests.house import source

LOCKS = ("requirements-tools.lock", "requirements.lock", "requirements-dev.lock")
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".lock",
    ".java",
    ".html",
    ".css",
    ".js",
    ".ts",
    ".json",
    ".yaml",
    ".yml",
    ".mako",
    ".txt",
}


def pinned(lock: str) -> dict[str, str]:
    """Package → version."""
    text = (source.ROOT / lock).read_text(encoding="utf-8")
    return {found[1]: found[2] for found in re.finditer(r"^([a-z0-9._-]+)==([^ ;\\\n]+)", text, re.MULTILINE)}


def project() -> dict[str, object]:
    with (source.ROOT / "pyproject.toml").open("rb") as opened:
        return tomllib.load(opened)


def bare(requirement: str) -> str:
    """The name of a requirement as locks write it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", requirement)[0]).lower()


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_address(lock: str):
    assert "://" not in (source.ROOT / lock).read_text(encoding="utf-8")


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_has_hashes_for_every_package(lock: str):
    entries = re.split(r"^(?=[a-z0-9])", (source.ROOT / lock).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]

    assert entries
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_locks_hold_what_the_project_asks_for():
    asked = {bare(requirement) for requirement in project()["project"]["dependencies"]}
    asked_by_tests = {bare(requirement) for requirement in project()["dependency-groups"]["dev"]}

    assert asked - set(pinned("requirements.lock")) == set()
    assert (asked | asked_by_tests) - set(pinned("requirements-dev.lock")) == set()


def test_tests_run_with_the_versions_that_serve():
    serving, testing = pinned("requirements.lock"), pinned("requirements-dev.lock")

    assert {name: testing.get(name) for name in serving} == serving


def test_every_dependency_says_what_it_is_for():
    lines = (source.ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    requirements = [line for line in lines if re.match(r'\s+"[A-Za-z0-9_.-]+(\[[a-z,]+\])?[<>=~]', line)]

    assert len(requirements) >= len(project()["project"]["dependencies"])
    assert [line.strip() for line in requirements if not re.search(r'",\s*# \S', line)] == []


def test_every_ignored_rule_has_its_reason():
    bare_ignores = [
        f"{source.name(file)}:{number}"
        for file in source.modules(".")
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"#\s*noqa(:\s*[A-Z0-9, ]+)?\s*$", line) or re.search(r"#\s*type:\s*ignore\s*$", line)
    ]

    assert bare_ignores == []


def test_no_file_names_a_place_on_some_machine():
    somewhere = re.compile(r"(?<![\w.~-])/(?:" + "|".join(("work", "root(?!/item)", "Users", r"home/\w+")) + r")/\w")
    named = {
        source.name(file): found[0]
        for file in source.files()
        if file.suffix in TEXT and (found := somewhere.search(file.read_text(encoding="utf-8")))
    }

    assert named == {}


def test_readme_commands_of_dev_exist():
    told = set(re.findall(r"python3 dev\.py (\w+)", _readme()))

    assert {"run", "test"} <= told
    assert {command for command in told if not callable(getattr(dev, command, None))} == set()


def test_readme_commands_of_tejido_exist():
    code = "\n".join(re.findall(r"^    .*$|`[^`\n]+`", _readme(), re.MULTILINE))
    told = re.findall(r"\btejido ([a-z][a-z-]*(?: [a-z][a-z-]*)?)", code)

    assert told
    assert [words for words in told if not _exists(words.split())] == []


@pytest.mark.parametrize("file", [file for file in source.files() if file.suffix == ".md"], ids=source.name)
def test_links_between_papers_lead_somewhere(file: Path):
    targets = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", file.read_text(encoding="utf-8"))

    assert [target for target in targets if not (file.parent / target).exists()] == []


def _exists(words: list[str]) -> bool:
    command: click.Command = main
    for word in words:
        if not isinstance(command, click.Group):
            return True  # an argument, not a command
        found = command.commands.get(word)
        if found is None:
            return False
        command = found
    return True


def _readme() -> str:
    return (source.ROOT / "README.md").read_text(encoding="utf-8")
