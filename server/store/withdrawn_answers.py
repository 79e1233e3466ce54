"""SQL for what people and checks said of a submission's answers, where these are taken out."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, delete, or_, select, update

from server.model.corrections import comments, correction_changes, corrections, reviews
from server.model.forms import forms
from server.model.privacy import pseudonyms
from server.model.submissions import Flag, flags, follow_failures, submissions
from server.store.corrections import list_of_submission

GONE: Final = "—"
"""What stands in place of words that may not be empty."""
Says = Callable[[str | None], bool]
"""Whether a text says who somebody is."""
Change = Callable[[str | None], str | None]


def clear_corrections(
    conn: Connection, submission_id: int, fate_of: Callable[[str, str, int], str], says: Says, code: Change
) -> int:
    """Take texts out of corrections. `fate_of` (row, question, version): `gone` all of them, reasons with them; `look` what
    says who it was; `leave` nothing, it is about somebody else. Gives how many were changed."""
    changed = 0
    for one in list_of_submission(conn, submission_id):
        what = fate_of(one.row_place, one.path, one.version_id)
        if what == "leave":
            continue
        gone = what == "gone"
        texts = {"raw_text": one.raw_text, "old_text": one.old_text, "new_text": one.new_text}
        new: dict[str, Any] = {name: code(text) for name, text in texts.items() if text and (gone or says(text))}
        if gone or says(one.reason):
            new["reason"] = GONE
        if new:
            changed += 1
            conn.execute(update(corrections).where(corrections.c.id == one.id).values(**new))
        _clear_changes(conn, one.id, None if gone else says)
    return changed


def _clear_changes(conn: Connection, correction_id: int, says: Says | None) -> None:
    held = select(correction_changes.c.id, correction_changes.c.reason).where(
        correction_changes.c.correction_id == correction_id, correction_changes.c.reason.is_not(None)
    )
    for row in conn.execute(held).all():
        if says is None or says(row.reason):
            conn.execute(update(correction_changes).where(correction_changes.c.id == row.id).values(reason=GONE))


def drop_corrections(conn: Connection, submission_id: int) -> int:
    """Every correction of a submission; gives how many."""
    held = select(corrections.c.id).where(corrections.c.submission_id == submission_id)
    conn.execute(update(corrections).where(corrections.c.submission_id == submission_id).values(replaces_id=None))
    conn.execute(delete(correction_changes).where(correction_changes.c.correction_id.in_(held)))
    return conn.execute(delete(corrections).where(corrections.c.submission_id == submission_id)).rowcount


def clear_flags(conn: Connection, submission_id: int, is_gone: Callable[[str, str], bool], says: Says) -> int:
    """Remove flags on answers that are gone (key of the row, question); of others what says who it was. Gives how many."""
    changed = 0
    for row in conn.execute(select(flags).where(flags.c.submission_id == submission_id)).all():
        one = Flag(*row)
        if is_gone(one.row_key, one.path) or says(one.text):
            conn.execute(delete(flags).where(flags.c.id == one.id))
            changed += 1
        elif says(one.comment) or says(str(one.details or "")):
            conn.execute(update(flags).where(flags.c.id == one.id).values(details=None, comment=None))
            changed += 1
    return changed


def clear_flags_elsewhere(conn: Connection, project_id: int, says: Says) -> int:
    """What flags on other people's answers say of who it was: in their numbers and in what people wrote of them."""
    held = (
        select(flags.c.id, flags.c.details, flags.c.comment)
        .join(submissions, submissions.c.id == flags.c.submission_id)
        .join(forms, forms.c.id == submissions.c.form_id)
        .where(forms.c.project_id == project_id, or_(flags.c.details.is_not(None), flags.c.comment.is_not(None)))
    )
    changed = 0
    for row in conn.execute(held).all():
        new: dict[str, Any] = {}
        if says(row.comment):
            new["comment"] = None
        if row.details is not None and says(str(row.details)):
            new["details"] = None
        if new:
            conn.execute(update(flags).where(flags.c.id == row.id).values(**new))
            changed += 1
    return changed


def drop_flags(conn: Connection, submission_id: int) -> int:
    """Every flag on a submission; gives how many."""
    return conn.execute(delete(flags).where(flags.c.submission_id == submission_id)).rowcount


def clear_words(conn: Connection, submission_id: int, says: Says | None) -> None:
    """What people wrote of a submission: comments and the notes of reviews; all of it (None), or what says who it was."""
    for row in conn.execute(
        select(comments.c.id, comments.c.body).where(comments.c.submission_id == submission_id)
    ).all():
        if says is None or says(row.body):
            conn.execute(delete(comments).where(comments.c.id == row.id))
    held = select(reviews.c.id, reviews.c.note).where(reviews.c.submission_id == submission_id)
    for row in conn.execute(held).all():
        if row.note is not None and (says is None or says(row.note)):
            conn.execute(update(reviews).where(reviews.c.id == row.id).values(note=None))
    failed = follow_failures.c.submission_id == submission_id
    conn.execute(update(follow_failures).where(failed).values(error=GONE))


def forget_pseudonyms(conn: Connection, project_id: int, subject: str, keys: Collection[str]) -> None:
    """What stood for these keys in extracts leads to them no more. `subject` may end in `*`: all that begin so."""
    whose: ColumnElement[bool] = (
        pseudonyms.c.subject.startswith(subject[:-1], autoescape=True)
        if subject.endswith("*")
        else pseudonyms.c.subject == subject
    )
    wanted = sorted(keys)
    for at in range(0, len(wanted), 500):
        some = pseudonyms.c.key.in_(wanted[at : at + 500])
        conn.execute(delete(pseudonyms).where(pseudonyms.c.project_id == project_id, whose, some))
