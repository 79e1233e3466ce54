"""Fixtures of every test: databases on both engines, scripted phones, and how long tests are asked for."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from tests.helpers.databases import ENGINES, Databases
from tests.helpers.phone import Engine, Phone
from tests.helpers.postgres import Cluster, running_cluster

# a slow shared machine is no failure; where CI runs, the same commit tries the same cases
settings.register_profile("house", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also run the tests of large sizes")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--long"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="large sizes: run with --long"))


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """Gives fresh databases away; PostgreSQL starts with the first test that needs it, once per test process."""
    with ExitStack() as stack:
        start = cache(lambda: stack.enter_context(running_cluster()))
        yield Databases(start, tmp_path_factory.mktemp("databases"))


@pytest.fixture(scope="session")
def postgres(databases: Databases) -> Cluster:
    """A running PostgreSQL of this test process."""
    return databases.cluster()


@pytest.fixture(params=ENGINES)
def database_engine(request: pytest.FixtureRequest) -> str:
    """`sqlite` and `postgresql`: a test that asks for it, or for what is built on it, runs on both."""
    return str(request.param)


@pytest.fixture
def database_url(database_engine: str, databases: Databases, tmp_path: Path) -> Iterator[str]:
    """The SQLAlchemy URL of a fresh, empty database."""
    with databases.fresh(database_engine, tmp_path) as url:
        yield url


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """JavaRosa, the engine inside ODK Collect, in one Java machine kept for the session."""
    with Engine() as started:
        yield started


@pytest.fixture
def make_phone(engine: Engine, tmp_path: Path) -> Iterator[Callable[..., Phone]]:
    """Phones by their server URL: `make_phone(url, user="", password="", seed=0)`, each with a memory of its own."""
    with ExitStack() as stack:
        made = 0

        def make(url: str, user: str = "", password: str = "", seed: int = 0, tz: str = "America/Panama") -> Phone:
            nonlocal made
            made += 1
            phone = Phone(url, tmp_path / f"phone{made}", engine=engine, user=user, password=password, seed=seed, tz=tz)
            return stack.enter_context(phone)

        yield make
