"""What the tests of extracts share."""

from __future__ import annotations

import pytest

from tests.server.extracts.asking import Analyst
from tests.server.wire import Wire


@pytest.fixture
def analyst(phone: Wire) -> Analyst:
    """The coordinator's own client."""
    return Analyst(phone)
