"""Query options of extracts."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema, fields, post_load

from server.extracts.delimited import Options


class CsvOptions(Schema):
    """`groupPaths`, `splitSelectMultiples` as ODK Central names them; `formulas` (neutralise, keep) is ours."""

    class Meta:
        """Unknown options are ignored, as Central does."""

        unknown = EXCLUDE

    groupPaths = fields.Boolean(load_default=True)  # noqa: N815  the wire's name
    splitSelectMultiples = fields.Boolean(load_default=False)  # noqa: N815  the wire's name
    formulas = fields.String(load_default="neutralise")

    @post_load
    def to_options(self, data: dict[str, Any], **_: Any) -> Options:
        """The record that travels inside the house."""
        return Options(
            group_paths=data["groupPaths"],
            split_select_multiples=data["splitSelectMultiples"],
            neutralise=data["formulas"] != "keep",
        )
