"""Files of entities on the wire: how one is to be taken, and what it did."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema

from server.actions.entity_files import Outcome
from server.api.options import Blank, Flag


class FileQuery(Schema):
    """`dryRun`: nothing is changed · `update`: also entities that there are · `addProperties`: also properties that the list
    has not · `name`: what the file is called."""

    dryRun = Flag(load_default=False)  # noqa: N815  the wire's name
    update = Flag(load_default=False)
    addProperties = Flag(load_default=False)  # noqa: N815  the wire's name
    name = Blank(load_default=None)


def outcome(one: Outcome) -> dict[str, Any]:
    """What a file did."""
    return {
        "dryRun": one.dry_run,
        "created": one.created,
        "updated": one.updated,
        "unchanged": one.unchanged,
        "withoutId": one.nameless,
        "propertiesAdded": list(one.properties),
    }
