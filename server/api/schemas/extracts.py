"""Query options of extracts."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema, fields, post_load, pre_load
from marshmallow.validate import OneOf

from forms.problems import Problem, Sentence
from server.extracts.delimited import Options


class CsvOptions(Schema):
    """`groupPaths`, `splitSelectMultiples` as ODK Central names them; `formulas` (neutralise, keep) is ours.

    `attachments`, `deletedFields` and `$filter` of Central are not served: asking for what they give is Problem 501.1.
    """

    class Meta:
        """Options that neither Central nor this server has are ignored, as Central does."""

        unknown = EXCLUDE

    groupPaths = fields.Boolean(load_default=True)  # noqa: N815  the wire's name
    splitSelectMultiples = fields.Boolean(load_default=False)  # noqa: N815  the wire's name
    attachments = fields.Boolean(load_default=False)
    deletedFields = fields.Boolean(load_default=False)  # noqa: N815  the wire's name
    formulas = fields.String(load_default="neutralise", validate=OneOf(("neutralise", "keep")))

    @pre_load
    def refuse_filter(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """An extract of everything is no answer to whoever asked for a part."""
        if "$filter" in data:
            raise _not_served("$filter")
        return data

    @post_load
    def to_options(self, data: dict[str, Any], **_: Any) -> Options:
        """The record that travels inside the house. Raises Problem 501.1 for what is not served."""
        for name in ("attachments", "deletedFields"):
            if data[name]:
                raise _not_served(name)
        return Options(
            group_paths=data["groupPaths"],
            split_select_multiples=data["splitSelectMultiples"],
            neutralise=data["formulas"] != "keep",
        )


def _not_served(option: str) -> Problem:
    """501.1: an option of ODK Central that this server does not have."""
    return Problem(
        501.1,
        Sentence(
            es=f"Este servidor todavía no admite la opción {option} en los extractos.",
            en=f"This server does not support the option {option} of extracts yet.",
        ),
        {"feature": option},
        Sentence(es=f"Pida el extracto sin {option}.", en=f"Ask for the extract without {option}."),
    )
