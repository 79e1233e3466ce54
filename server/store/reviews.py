"""SQL for reviews of submissions and for comments on them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select

from server.model.corrections import Comment, Review, comments, reviews
from server.model.people import actors


def add_review(
    conn: Connection, submission_id: int, *, state: str | None, note: str | None, actor_id: int | None, when: datetime
) -> None:
    """A decision; the submission's own row is changed apart."""
    conn.execute(
        insert(reviews).values(submission_id=submission_id, state=state, note=note, actor_id=actor_id, created_at=when)
    )


def list_reviews(conn: Connection, submission_id: int) -> list[Review]:
    """The decisions on a submission, in order."""
    rows = conn.execute(
        select(
            reviews.c.id,
            reviews.c.submission_id,
            reviews.c.state,
            reviews.c.note,
            reviews.c.actor_id,
            actors.c.display_name,
            reviews.c.created_at,
        )
        .outerjoin(actors, actors.c.id == reviews.c.actor_id)
        .where(reviews.c.submission_id == submission_id)
        .order_by(reviews.c.id)
    )
    return [Review(*row) for row in rows]


def add_comment(conn: Connection, submission_id: int, *, body: str, actor_id: int | None, when: datetime) -> int:
    """What somebody says; gives its id."""
    statement = insert(comments).values(submission_id=submission_id, body=body, actor_id=actor_id, created_at=when)
    return int(conn.execute(statement.returning(comments.c.id)).scalar_one())


def list_comments(conn: Connection, submission_id: int) -> list[Comment]:
    """What was said of a submission, in order."""
    rows = conn.execute(
        select(
            comments.c.id,
            comments.c.submission_id,
            comments.c.body,
            comments.c.actor_id,
            actors.c.display_name,
            comments.c.created_at,
        )
        .outerjoin(actors, actors.c.id == comments.c.actor_id)
        .where(comments.c.submission_id == submission_id)
        .order_by(comments.c.id)
    )
    return [Comment(*row) for row in rows]
