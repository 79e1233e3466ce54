"""Projects, and what each decides about its figures."""

from __future__ import annotations

from typing import Any, Final, Literal, get_args

from forms.problems import Sentence
from server import problems
from server.access import may, require
from server.context import Context
from server.model.projects import Project
from server.model.withdrawals import POLICIES
from server.store import projects

Counting = Literal["approved", "not_rejected"]
COUNTINGS: Final[tuple[str, ...]] = get_args(Counting)
"""Which submissions indicators count: those that were approved, or all that were not rejected."""
MOST_UNITS: Final = 1_000_000


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


def change_settings(
    ctx: Context,
    project_id: int,
    *,
    counting: str | None = None,
    minimum_n: int | None = None,
    withdrawal: str | None = None,
) -> Project:
    """What indicators count, the number of units below which a figure is hidden (0 or 1: none is), and what withdrawals of
    consent do; None leaves it.

    Figures follow at once. Gives the project as it is then. Raises Problem 404.1, 400.8.
    """
    project = get_project(ctx, project_id)
    require(ctx, "project.update", project)
    if counting is not None and counting not in COUNTINGS:
        told = Sentence(es="use approved o not_rejected.", en="use approved or not_rejected.")
        raise problems.wrong_value("counting", counting, told)
    if minimum_n is not None and not 0 <= minimum_n <= MOST_UNITS:
        told = Sentence(es=f"va de 0 a {MOST_UNITS}.", en=f"it goes from 0 to {MOST_UNITS}.")
        raise problems.wrong_value("minimum_n", minimum_n, told)
    if withdrawal is not None and withdrawal not in POLICIES:
        told = Sentence(es="use erase o keep_facts.", en="use erase or keep_facts.")
        raise problems.wrong_value("withdrawal", withdrawal, told)
    wanted: dict[str, Any] = {"counting": counting, "minimum_n": minimum_n, "withdrawal": withdrawal}
    changed = {name: to for name, to in wanted.items() if to is not None and to != getattr(project, name)}
    if not changed:
        return project

    projects.change_project(ctx.conn, project.id, **changed)

    ctx.record("project.update", project_id=project.id, details=changed)
    return get_project(ctx, project.id)


def list_projects(ctx: Context) -> list[Project]:
    """The projects that the asking actor may see. The gate is taken per project."""
    return [project for project in projects.list_projects(ctx.conn) if may(ctx.actor, "project.read", project)]
