"""Projects."""

from __future__ import annotations

from forms.problems import Sentence
from server import problems
from server.access import may, require
from server.context import Context
from server.model.projects import Project
from server.store import projects


def create_project(ctx: Context, name: str, description: str | None = None) -> Project:
    """A project; raises Problem 400.8 for a blank name."""
    require(ctx, "project.create", None)
    if not name.strip():
        raise problems.wrong_value("name", name, Sentence(es="está en blanco.", en="it is blank."))

    project_id = projects.add_project(ctx.conn, name=name.strip(), description=description, created_at=ctx.now())

    ctx.record("project.create", project_id=project_id)
    return get_project(ctx, project_id)


def get_project(ctx: Context, project_id: int) -> Project:
    """A project; raises Problem 404.1."""
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    require(ctx, "project.read", project)
    return project


def list_projects(ctx: Context) -> list[Project]:
    """The projects that the asking actor may see. The gate is taken per project."""
    return [project for project in projects.list_projects(ctx.conn) if may(ctx.actor, "project.read", project)]
