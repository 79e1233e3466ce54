"""Users and app users."""

from __future__ import annotations

from dataclasses import dataclass

from forms.problems import Sentence
from server import credentials, problems
from server.access import require
from server.context import Context
from server.model.people import FieldKey, User
from server.store import forms, people, projects


@dataclass(frozen=True, slots=True)
class NewAppUser:
    """An app user and the token that only this moment shows."""

    actor_id: int
    display_name: str
    token: str


def create_user(ctx: Context, email: str, password: str, *, administrator: bool) -> int:
    """A user who can log in; gives the actor's id. Raises Problem 400.8, 400.21, 400.38, 409.3."""
    require(ctx, "user.create", None)
    local, _, domain = email.strip().partition("@")
    if not local or not domain or any(character.isspace() for character in email.strip()):
        raise problems.wrong_value(
            "email", email, Sentence(es="no es una dirección de correo.", en="it is no e-mail address.")
        )
    _require_good(password)
    if people.find_credentials(ctx.conn, email) is not None:
        raise problems.not_unique("email", email)

    actor_id = people.add_user(
        ctx.conn,
        email=email,
        password_hash=credentials.hash_password(password),
        display_name=email.strip(),
        created_at=ctx.now(),
    )
    if administrator:
        people.assign(ctx.conn, actor_id=actor_id, role="admin")

    ctx.record("user.create", details={"actorId": actor_id, "administrator": administrator})
    return actor_id


def list_users(ctx: Context) -> list[User]:
    """Everyone who can log in, eldest first."""
    require(ctx, "user.list", None)
    return people.list_users(ctx.conn)


def set_password(ctx: Context, email: str, password: str) -> None:
    """Give a user another password; the old one opens nothing from now on. Raises Problem 400.21, 400.38, 404.1."""
    require(ctx, "user.update", None)
    _require_good(password)
    found = people.find_credentials(ctx.conn, email)
    if found is None:
        raise problems.no_user(email)
    actor_id, _ = found
    people.set_password(ctx.conn, actor_id, credentials.hash_password(password))

    ctx.record("user.update", details={"actorId": actor_id, "password": True})


def has_users(ctx: Context) -> bool:
    """Whether anyone can log in yet."""
    require(ctx, "config.read", None)
    return people.count_users(ctx.conn) > 0


def create_app_user(ctx: Context, project_id: int, name: str, *, xml_form_ids: tuple[str, ...] = ()) -> NewAppUser:
    """An app user who may see and fill the named forms, or every form of the project where none is named.

    Raises Problem 404.1 for an unknown project or form, 400.8 for a blank name.
    """
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    require(ctx, "field_key.create", project)
    if not name.strip():
        raise problems.wrong_value("name", name, Sentence(es="está en blanco.", en="it is blank."))
    chosen = [forms.find_form(ctx.conn, project_id, form_id) for form_id in xml_form_ids]

    token = credentials.new_token()
    actor_id = people.add_field_key(
        ctx.conn,
        project_id=project_id,
        display_name=name.strip(),
        token_hash=credentials.token_hash(token),
        created_by=ctx.actor.id if ctx.actor and ctx.actor.id else None,
        created_at=ctx.now(),
    )
    if not chosen:
        people.assign(ctx.conn, actor_id=actor_id, role="app-user", project_id=project_id)
    for form_id, form in zip(xml_form_ids, chosen, strict=True):
        if form is None:
            raise problems.no_form(form_id)
        people.assign(ctx.conn, actor_id=actor_id, role="app-user", project_id=project_id, form_id=form.id)

    ctx.record("field_key.create", project_id=project_id, details={"actorId": actor_id})
    return NewAppUser(actor_id, name.strip(), token)


def list_app_users(ctx: Context, project_id: int) -> list[FieldKey]:
    """The app users of a project, revoked ones too."""
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    require(ctx, "field_key.list", project)
    return people.list_field_keys(ctx.conn, project_id)


def revoke_app_user(ctx: Context, project_id: int, actor_id: int) -> None:
    """Let a phone's token work no more; what it sent stays."""
    project = projects.find_project(ctx.conn, project_id)
    if project is None:
        raise problems.no_project(project_id)
    require(ctx, "field_key.delete", project)
    if not people.revoke_field_key(ctx.conn, project_id, actor_id, ctx.now()):
        raise problems.no_app_user(actor_id)

    ctx.record("field_key.session.end", project_id=project_id, details={"actorId": actor_id})


def _require_good(password: str) -> None:
    if len(password) < 10:
        raise problems.password_too_short()
    if len(password.encode()) > 72:
        raise problems.password_too_long()
