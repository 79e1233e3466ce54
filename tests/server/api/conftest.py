"""Fixtures of the API: a list of trees, and the administrator who asks."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.server.api.clients import Client
from tests.server.desk import ADMIN, Desk
from tests.server.entities import trees
from tests.server.entities.trees import Trees
from tests.server.wire import Wire, to_app


@pytest.fixture
def forest(desk: Desk, phone: Wire) -> Trees:
    """The list of trees, still without any."""
    trees.publish(desk)
    return Trees(desk, phone)


@pytest.fixture
def admin(app: Flask) -> Client:
    """The administrator."""
    return Client(to_app(app), *ADMIN)
