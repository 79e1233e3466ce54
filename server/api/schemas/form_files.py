"""The files of forms and their entity lists on the wire, as ODK Central has them."""

from __future__ import annotations

from typing import Any

from server.actions.dataset_differences import ListOf
from server.api.schemas.datasets import Bool, Lenient
from server.api.schemas.wording import moment
from server.model.forms import FormAttachment


class LinkPatch(Lenient):
    """Whether a file is the entity list of its name."""

    dataset = Bool(required=True)


def file(one: FormAttachment) -> dict[str, Any]:
    """A file that a form expects. Source: ODK Central API, "FormAttachment"."""
    here = one.sha256 is not None
    told: dict[str, Any] = {
        "name": one.name,
        "type": one.type,
        "exists": here or one.dataset_id is not None,
        "blobExists": here,
        "datasetExists": one.dataset_id is not None,
    }
    if here:
        told |= {"hash": one.md5, "size": one.size}
    if one.updated_at is not None:
        told["updatedAt"] = moment(one.updated_at)
    return told


def difference(one: ListOf, *, draft: bool) -> dict[str, Any]:
    """A list that a form writes to; what is new is told of a draft alone. Source: ODK Central API, "Related Datasets"."""
    properties = [
        {"name": own.name, **({"isNew": own.new} if draft else {}), "inForm": own.in_form} for own in one.properties
    ]
    return {"name": one.name, **({"isNew": one.new} if draft else {}), "properties": properties}
