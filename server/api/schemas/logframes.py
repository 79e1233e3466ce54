"""Logframes on the wire: what taking a workbook did, and the workbooks that were taken."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from server.actions.logframe_files import Foreseen, Replaced
from server.api.options import Blank, Flag
from server.api.schemas.wording import Moment, sentence
from server.indicators.differences import Named


class LogframeQuery(Schema):
    """`name`: the workbook's file name, where no header gives it; `dryRun`: everything is said and nothing changed."""

    name = Blank(load_default=None)
    dryRun = Flag(load_default=False)  # noqa: N815  the wire's name


class DifferenceSchema(Schema):
    """What is new, changed and gone: names by kind; and how many definitions stay as they are."""

    new = fields.Method("list_new")
    changed = fields.Method("list_changed")
    gone = fields.Method("list_gone")
    unchanged = fields.Integer()

    def list_new(self, difference: Any) -> dict[str, list[str]]:
        """Names by kind."""
        return _listed(difference.new)

    def list_changed(self, difference: Any) -> dict[str, list[str]]:
        """Names by kind."""
        return _listed(difference.changed)

    def list_gone(self, difference: Any) -> dict[str, list[str]]:
        """Names by kind."""
        return _listed(difference.gone)


class UploadSchema(Schema):
    """A workbook that was taken: when, by whom (null: the command line), and which form's it is (null: the project's)."""

    id = fields.Integer(attribute="logframe.id")
    name = fields.String(attribute="logframe.workbook_name")
    sha256 = fields.String(attribute="logframe.workbook_sha256")
    created_at = Moment(attribute="logframe.created_at", data_key="createdAt")
    created_by = fields.String(data_key="createdBy")
    form = fields.String(attribute="form_id")
    in_force = fields.Boolean(data_key="inForce")


def foreseen(one: Foreseen) -> dict[str, Any]:
    """What a workbook would change; what would wait is known once it is taken."""
    findings = [finding.to_dict() for finding in one.findings]
    return {"dryRun": True, **_dumped(one.difference), "findings": findings}


def replaced(one: Replaced) -> dict[str, Any]:
    """What a workbook changed, and the indicators that cannot be computed yet, with the reason."""
    return {
        "dryRun": False,
        **_dumped(one.difference),
        "findings": [finding.to_dict() for finding in one.taken.findings],
        "waiting": [{"indicator": name, "reason": sentence(why)} for name, why in one.taken.waiting.items()],
    }


def uploads(listed: Any) -> list[dict[str, Any]]:
    """The workbooks that were taken."""
    schema = UploadSchema()
    return [dict(schema.dump(one)) for one in listed]


def _dumped(difference: Any) -> dict[str, Any]:
    return dict(DifferenceSchema().dump(difference))


def _listed(named: Named) -> dict[str, list[str]]:
    return {kind: list(names) for kind, names in named.items()}
