"""After any history of registrations and follow-ups the server has every version that the specification has."""

from __future__ import annotations

import pytest

from tests.server.desk import Desk
from tests.server.entities import trees
from tests.server.entities.histories import follow
from tests.server.entities.pockets import Pocket
from tests.server.wire import Wire

HAPPENED = ("created", "updated", "held", "failed", "soft", "hard", "None")


def test_server_and_specification_agree_after_any_history(desk: Desk, phone: Wire):
    trees.publish(desk)
    numbers = [1]

    seen = follow(desk, range(20), lambda chance, model: Pocket(phone, chance, model, numbers))

    assert min(seen[name] for name in HAPPENED) > 2, seen


@pytest.mark.long
def test_server_and_specification_agree_after_hundreds_of_histories(desk: Desk, phone: Wire):
    trees.publish(desk)
    numbers = [1]

    seen = follow(desk, range(1000, 1400), lambda chance, model: Pocket(phone, chance, model, numbers))

    assert min(seen[name] for name in HAPPENED) > 50, seen
