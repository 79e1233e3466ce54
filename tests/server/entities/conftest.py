"""The list of trees, still without any."""

from __future__ import annotations

import pytest

from tests.server.desk import Desk
from tests.server.entities import trees
from tests.server.entities.trees import Trees
from tests.server.wire import Wire


@pytest.fixture
def forest(desk: Desk, phone: Wire) -> Trees:
    """See above."""
    trees.publish(desk)
    return Trees(desk, phone)
