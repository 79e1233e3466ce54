"""Fixtures of the server: a prepared office on each database, the coordinator's desk in it, and a phone's wire."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from server import migrations
from server.app import create_app, open_office
from server.context import Office
from server.settings import Settings
from tests.helpers.databases import Databases
from tests.server.desk import PROJECT, TOKEN, Desk, open_desk, prepare
from tests.server.wire import Wire, to_app


def prepared(url: str) -> None:
    """See desk.prepare."""

    def opened(url: str) -> Office:
        office = open_office(Settings(data=Path(tempfile.gettempdir()), database_url=url))
        migrations.upgrade(office.database)
        return office

    prepare(url, open_office=opened)


@pytest.fixture
def prepared_url(database_engine: str, databases: Databases, tmp_path: Path) -> Iterator[str]:
    """The URL of a database as after the first hour: migrated, an administrator, a project, an app user."""
    with databases.fresh(database_engine, tmp_path, prepared) as url:
        yield url


@pytest.fixture
def settings(prepared_url: str, tmp_path: Path) -> Settings:
    """The settings of the office."""
    return Settings(data=tmp_path / "data", database_url=prepared_url, threads=4, database_wait=2)


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    """An open office on each database."""
    opened = open_office(settings)
    yield opened
    opened.database.close()


@pytest.fixture
def desk(office: Office) -> Desk:
    """The administrator's desk."""
    return open_desk(office)


@pytest.fixture
def app(office: Office) -> Flask:
    """The application."""
    return create_app(office)


@pytest.fixture
def phone(app: Flask) -> Wire:
    """A phone with the app user's token."""
    return Wire(to_app(app), f"/v1/key/{TOKEN}/projects/{PROJECT}")
