"""What still arrives of people who took back their consent: kept as a submission, without what says who they are."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Final

from forms import redaction
from forms.instance import Instance
from forms.redaction import Policy
from server.actions import withdrawal_rules
from server.context import Context
from server.model.forms import Form
from server.store import withdrawals

_UUID: Final = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
_POLICIES: Final[tuple[Policy, ...]] = ("erase", "keep_facts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """What is kept of an instance: its fingerprint is that of the document as it came. `files` (NFC) may not be kept; `gone`:
    it speaks of nobody whose data may be kept, and counts as deleted."""

    instance: Instance
    files: frozenset[str] = frozenset()
    gone: bool = False


def allow(ctx: Context, form: Form, form_version_id: int | None, instance: Instance) -> Arrived:
    """What of `instance` may be kept, given who took back the consent; the same one where it speaks of none of them.

    Runs before anything of it is stored, inside an action that has asked.
    """
    if instance.encrypted:
        return Arrived(instance=instance)
    named = {found.decode().lower() for found in _UUID.findall(instance.xml)}
    named -= {_bare(instance.instance_id), _bare(instance.deprecated_id or "")}
    if not named or not withdrawals.has_any(ctx.conn, form.project_id):
        return Arrived(instance=instance)
    found = withdrawals.list_named(ctx.conn, form.project_id, named)
    if not found:
        return Arrived(instance=instance)
    rules = withdrawal_rules.of_form(ctx, form, form_version_id)
    files: set[str] = set()
    gone = False
    for policy in _POLICIES:
        uuids = {one.uuid for one in found if one.policy == policy}
        if uuids:
            left = redaction.redact(instance, rules, uuids, policy, on=ctx.now().date(), code=_code)
            instance, gone = left.instance, gone or (policy == "erase" and left.whole)
            files |= left.files
    return Arrived(instance=instance, files=frozenset(files), gone=gone)


def _bare(instance_id: str) -> str:
    return instance_id.lower().removeprefix("uuid:")


def _code(_: str) -> str:
    return f"x-{secrets.token_hex(6)}"
