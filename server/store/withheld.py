"""SQL for what was not kept of submissions for want of consent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, insert, select

from forms.consent import Withheld
from server.model.privacy import WithheldAnswer, withheld_answers
from server.model.submissions import submission_versions


def add(conn: Connection, version_id: int, taken: Sequence[Withheld], when: datetime) -> None:
    """What was not kept of one version."""
    conn.execute(
        insert(withheld_answers),
        [
            {
                "version_id": version_id,
                "path": one.path,
                "question": one.question,
                "given": one.given,
                "answers": one.count,
                "created_at": when,
            }
            for one in taken
        ],
    )


def list_of_submission(conn: Connection, submission_id: int) -> list[WithheldAnswer]:
    """What was not kept of a submission's versions, in order of arrival."""
    rows = conn.execute(
        select(
            withheld_answers.c.path,
            withheld_answers.c.question,
            withheld_answers.c.given,
            withheld_answers.c.answers,
            withheld_answers.c.created_at,
        )
        .join(submission_versions, submission_versions.c.id == withheld_answers.c.version_id)
        .where(submission_versions.c.submission_id == submission_id)
        .order_by(withheld_answers.c.id)
    )
    return [WithheldAnswer(*row) for row in rows]
