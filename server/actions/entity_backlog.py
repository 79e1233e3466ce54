"""The backlog of entities: what submissions wanted of entities and did not get."""

from __future__ import annotations

from server import problems
from server.access import require
from server.context import Context
from server.model.entities import EntityReceipt
from server.store import entity_receipts, projects


def list_undone(ctx: Context, project_id: int) -> list[tuple[EntityReceipt, str, str]]:
    """Blocks that are held, wait for approval or failed, the newest first, each with the ids of its form and submission.

    Raises Problem 404.1.
    """
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    require(ctx, "entity.update", project)
    return entity_receipts.list_undone(ctx.conn, project_id, ("held", "pending", "failed"))
