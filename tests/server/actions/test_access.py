"""Who may do what: every route and every action against every kind of actor; and how credentials are kept."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from forms.problems import Problem
from server import credentials
from server.actions import (
    actor_properties,
    audits,
    checkup,
    comparisons,
    dataset_desk,
    dataset_differences,
    disclosures,
    draft_files,
    drafts,
    entities,
    entity_backlog,
    entity_feeds,
    entity_purging,
    entity_reading,
    entity_sight,
    extracts,
    flags,
    following,
    forms,
    people,
    projects,
    rebuilds,
    withdrawal_list,
    withdrawals,
)
from server.actions.dataset_desk import Wish
from server.actions.entities import By, Change, New
from server.actions.withdrawals import Wish as Withdrawal
from server.context import Context
from server.extracts.asking import Request
from server.model.people import Actor, field_keys, users
from server.store import people as store
from tests.server.desk import ADMIN, PROJECT, TOKEN, Desk, check, form, questions
from tests.server.wire import Wire, instance

HOUSE = form("hogar", questions("integer edad"))
ACTORS = (
    "admin",
    "manager",
    "viewer",
    "formfill",
    "app-user",
    "app-user of another form",
    "manager elsewhere",
    "nobody",
    None,
)
ALLOWED: dict[str, tuple[Callable[[Context], Any], set[str]]] = {
    "forms.get_form": (
        lambda ctx: forms.get_form(ctx, PROJECT, "hogar"),
        {"admin", "manager", "viewer", "formfill", "app-user"},
    ),
    "forms.list_with_versions": (
        lambda ctx: forms.list_with_versions(ctx, PROJECT),
        {"admin", "manager", "viewer", "formfill"},
    ),
    "forms.get_published": (
        lambda ctx: forms.get_published(ctx, PROJECT, "hogar"),
        {"admin", "manager", "viewer", "formfill", "app-user"},
    ),
    "forms.list_attachments": (
        lambda ctx: forms.list_attachments(ctx, PROJECT, "hogar"),
        {"admin", "manager", "viewer", "formfill", "app-user"},
    ),
    "forms.set_state": (lambda ctx: forms.set_state(ctx, PROJECT, "hogar", "closed"), {"admin", "manager"}),
    "forms.delete_form": (lambda ctx: forms.delete_form(ctx, PROJECT, "hogar"), {"admin", "manager"}),
    "drafts.upload": (
        lambda ctx: drafts.upload(ctx, PROJECT, check(HOUSE), original=None, name=None),
        {"admin", "manager"},
    ),
    "drafts.upload of a new form": (
        lambda ctx: drafts.upload(ctx, PROJECT, check(HOUSE.replace("hogar", "otro")), original=None, name=None),
        {"admin", "manager"},
    ),
    "projects.change_settings": (
        lambda ctx: projects.change_settings(ctx, PROJECT, counting="approved"),
        {"admin", "manager"},
    ),
    "checkup.list_flawed_facts": (checkup.list_flawed_facts, {"admin"}),
    "checkup.list_ailing_indicators": (checkup.list_ailing_indicators, {"admin"}),
    "comparisons.compare": (lambda ctx: comparisons.compare(ctx, PROJECT, check(HOUSE)), {"admin", "manager"}),
    "comparisons.compare of a new form": (
        lambda ctx: comparisons.compare(ctx, PROJECT, check(HOUSE.replace("hogar", "otro"))),
        {"admin", "manager"},
    ),
    "drafts.discard": (lambda ctx: drafts.discard(ctx, PROJECT, "borrador"), {"admin", "manager"}),
    "drafts.list_drafts": (lambda ctx: drafts.list_drafts(ctx, PROJECT), {"admin", "manager"}),
    "drafts.publish": (lambda ctx: drafts.publish(ctx, PROJECT, "borrador"), {"admin", "manager"}),
    "extracts.open_central": (
        lambda ctx: extracts.open_central(ctx, PROJECT, "hogar", extracts.CentralRequest()),
        {"admin", "manager", "viewer"},
    ),
    "extracts.open_file": (
        lambda ctx: extracts.open_file(ctx, PROJECT, "hogar", "csv", Request()),
        {"admin", "manager", "viewer"},
    ),
    "extracts.note_export": (
        lambda ctx: extracts.note_export(ctx, PROJECT, "hogar", "csv.zip"),
        {"admin", "manager", "viewer"},
    ),
    "extracts.open_file with identities": (
        lambda ctx: extracts.open_file(ctx, PROJECT, "hogar", "csv", Request(), identities=True),
        {"admin", "manager"},
    ),
    "extracts.open_central with identities": (
        lambda ctx: extracts.open_central(ctx, PROJECT, "hogar", extracts.CentralRequest(), identities=True),
        {"admin", "manager"},
    ),
    "extracts.note_export with identities": (
        lambda ctx: extracts.note_export(ctx, PROJECT, "hogar", "csv", identities=True),
        {"admin", "manager"},
    ),
    "disclosures.settle": (
        lambda ctx: disclosures.settle(ctx, PROJECT, "hogar", None, None),
        {"admin", "manager", "viewer"},
    ),
    "disclosures.settle with identities": (
        lambda ctx: disclosures.settle(ctx, PROJECT, "hogar", True, "motivo"),
        {"admin", "manager"},
    ),
    "disclosures.lacks_pseudonyms": (
        lambda ctx: disclosures.lacks_pseudonyms(ctx, PROJECT, "hogar"),
        {"admin", "manager", "viewer"},
    ),
    "disclosures.give_pseudonyms": (
        lambda ctx: disclosures.give_pseudonyms(ctx, PROJECT, "hogar"),
        {"admin", "manager", "viewer"},
    ),
    "disclosures.note_listing": (
        lambda ctx: disclosures.note_listing(ctx, PROJECT, "hogar", "records"),
        {"admin", "manager", "viewer"},
    ),
    "audits.list_lines": (lambda ctx: audits.list_lines(ctx, audits.Query()), {"admin"}),
    "people.create_user": (
        lambda ctx: people.create_user(ctx, "eva@example.org", "contraseña larga", administrator=False),
        {"admin"},
    ),
    "people.create_app_user": (lambda ctx: people.create_app_user(ctx, PROJECT, "Tel"), {"admin", "manager"}),
    "people.list_app_users": (lambda ctx: people.list_app_users(ctx, PROJECT), {"admin", "manager"}),
    "people.revoke_app_user": (lambda ctx: people.revoke_app_user(ctx, PROJECT, 2), {"admin", "manager"}),
    "people.list_users": (people.list_users, {"admin"}),
    "people.set_password": (lambda ctx: people.set_password(ctx, "viewer@example.org", "otra contraseña"), {"admin"}),
    "flags.list_flagged": (lambda ctx: flags.list_flagged(ctx, PROJECT, "hogar"), {"admin", "manager", "viewer"}),
    "flags.get_figures": (lambda ctx: flags.get_figures(ctx, PROJECT, "hogar"), {"admin", "manager", "viewer"}),
    "flags.run": (lambda ctx: flags.run(ctx, PROJECT, "hogar"), {"admin", "manager"}),
    "flags.list_grown": (flags.list_grown, {"admin"}),
    "people.has_users": (people.has_users, {"admin"}),
    "projects.create_project": (lambda ctx: projects.create_project(ctx, "Otro"), {"admin"}),
    "projects.get_project": (
        lambda ctx: projects.get_project(ctx, PROJECT),
        {"admin", "manager", "viewer", "formfill"},
    ),
    "rebuilds.prepare_rebuild": (rebuilds.prepare_rebuild, {"admin"}),
    "following.retry_failures": (following.retry_failures, {"admin"}),
    "checkup.count_failures": (checkup.count_failures, {"admin"}),
}


LIST, ENTITY, GONE = "lista", "00000001-0000-4000-8000-000000000000", "00000002-0000-4000-8000-000000000000"
SOMEBODY = New(label="x", data={})
ALLOWED |= {
    "dataset_desk.list_datasets": (
        lambda ctx: dataset_desk.list_datasets(ctx, PROJECT),
        {"admin", "manager", "viewer"},
    ),
    "dataset_desk.describe": (lambda ctx: dataset_desk.describe(ctx, PROJECT, LIST), {"admin", "manager", "viewer"}),
    "dataset_desk.create": (lambda ctx: dataset_desk.create(ctx, PROJECT, "otra"), {"admin", "manager"}),
    "dataset_desk.change": (
        lambda ctx: dataset_desk.change(ctx, PROJECT, LIST, Wish(owner_only=True)),
        {"admin", "manager"},
    ),
    "dataset_desk.delete": (lambda ctx: dataset_desk.delete(ctx, PROJECT, LIST), {"admin", "manager"}),
    "dataset_desk.add_property": (
        lambda ctx: dataset_desk.add_property(ctx, PROJECT, LIST, "otra"),
        {"admin", "manager"},
    ),
    "dataset_desk.delete_property": (
        lambda ctx: dataset_desk.delete_property(ctx, PROJECT, LIST, "altura"),
        {"admin", "manager"},
    ),
    "actor_properties.list_properties": (
        lambda ctx: actor_properties.list_properties(ctx, PROJECT),
        {"admin", "manager", "viewer"},
    ),
    "actor_properties.add": (lambda ctx: actor_properties.add(ctx, PROJECT, "otra"), {"admin", "manager"}),
    "actor_properties.set_values": (
        lambda ctx: actor_properties.set_values(ctx, PROJECT, 2, {}),
        {"admin", "manager"},
    ),
    "entities.create": (
        lambda ctx: entities.create(ctx, PROJECT, LIST, SOMEBODY, By()),
        {"admin", "manager"},
    ),
    "entities.create_many": (
        lambda ctx: entities.create_many(ctx, PROJECT, LIST, [SOMEBODY], {"name": "a.csv"}, By()),
        {"admin", "manager"},
    ),
    "entities.change": (
        lambda ctx: entities.change(ctx, PROJECT, LIST, ENTITY, Change(label="y", data={}), By(), force=True),
        {"admin", "manager"},
    ),
    "entities.delete": (lambda ctx: entities.delete(ctx, PROJECT, LIST, ENTITY, By()), {"admin", "manager"}),
    "entities.restore": (lambda ctx: entities.restore(ctx, PROJECT, LIST, GONE, By()), {"admin", "manager"}),
    "entities.delete_many": (
        lambda ctx: entities.delete_many(ctx, PROJECT, LIST, [ENTITY], By()),
        {"admin", "manager"},
    ),
    "entities.restore_many": (
        lambda ctx: entities.restore_many(ctx, PROJECT, LIST, [GONE], By()),
        {"admin", "manager"},
    ),
    "draft_files.list_files": (
        lambda ctx: draft_files.list_files(ctx, PROJECT, "hogar"),
        {"admin", "manager", "viewer", "formfill", "app-user"},
    ),
    "draft_files.expect": (lambda ctx: draft_files.expect(ctx, PROJECT, "borrador"), {"admin", "manager"}),
    "draft_files.link_list": (
        lambda ctx: draft_files.link_list(ctx, PROJECT, "lector", "gente.csv", linked=False),
        {"admin", "manager"},
    ),
    "draft_files.clear": (lambda ctx: draft_files.clear(ctx, PROJECT, "lector", "gente.csv"), {"admin", "manager"}),
    "dataset_differences.differences": (
        lambda ctx: dataset_differences.differences(ctx, PROJECT, "borrador", draft=True),
        {"admin", "manager", "viewer"},
    ),
    "entity_purging.purge": (lambda ctx: entity_purging.purge(ctx, PROJECT), {"admin"}),
    "entity_purging.list_due": (entity_purging.list_due, {"admin"}),
    "entity_purging.purge_due": (lambda ctx: entity_purging.purge_due(ctx, 1), {"admin"}),
    "entity_backlog.list_undone": (lambda ctx: entity_backlog.list_undone(ctx, PROJECT), {"admin", "manager"}),
    "entity_feeds.open_feed": (
        lambda ctx: entity_feeds.open_feed(ctx, PROJECT, LIST, entity_feeds.Request()),
        {"admin", "manager", "viewer"},
    ),
    "entity_feeds.list_places": (
        lambda ctx: entity_feeds.list_places(ctx, PROJECT, LIST, entity_feeds.Request()),
        {"admin", "manager", "viewer"},
    ),
    "entity_reading.list_entities": (
        lambda ctx: entity_reading.list_entities(ctx, PROJECT, LIST),
        {"admin", "manager", "viewer"},
    ),
    "entity_reading.list_creators": (
        lambda ctx: entity_reading.list_creators(ctx, PROJECT, LIST),
        {"admin", "manager"},
    ),
    "entity_reading.get": (lambda ctx: entity_reading.get(ctx, PROJECT, LIST, ENTITY), {"admin", "manager"}),
    "entity_reading.list_versions": (
        lambda ctx: entity_reading.list_versions(ctx, PROJECT, LIST, ENTITY),
        {"admin", "manager"},
    ),
    "entity_reading.note_export": (
        lambda ctx: entity_reading.note_export(ctx, PROJECT, LIST, "csv"),
        {"admin", "manager", "viewer"},
    ),
    "entity_sight.give_names": (
        lambda ctx: entity_sight.give_names(ctx, PROJECT, LIST),
        {"admin", "manager", "viewer"},
    ),
}
WITHDRAWN = Withdrawal(reason="withdrawn", asked_by="person")
ALLOWED |= {
    "withdrawals.withdraw": (
        lambda ctx: withdrawals.withdraw(ctx, PROJECT, LIST, ENTITY, WITHDRAWN),
        {"admin", "manager"},
    ),
    "withdrawals.foresee": (
        lambda ctx: withdrawals.foresee(ctx, PROJECT, LIST, ENTITY, WITHDRAWN),
        {"admin", "manager"},
    ),
    "withdrawals.reapply": (
        lambda ctx: withdrawals.reapply(ctx, PROJECT, LIST, ENTITY, WITHDRAWN),
        {"admin", "manager"},
    ),
    "withdrawals.list_withdrawals": (lambda ctx: withdrawals.list_withdrawals(ctx, PROJECT), {"admin", "manager"}),
    "withdrawals.settle": (withdrawals.settle, {"admin"}),
    "withdrawal_list.keep": (withdrawal_list.keep, {"admin"}),
}
NOT_FOUND = {"entity_reading.get", "entity_reading.list_versions"}
"""What is not found by a viewer, who knows entities by their pseudonyms alone."""

BODIES = {
    "/corrections": b'{"question": "/edad", "newValue": "1", "reason": "x"}',
    "/corrections/<number:correction_id>": b'{"state": "withdrawn"}',
    "/flags/<number:flag_id>": b'{"state": "open"}',
    "/submissions/<segment:instance_id>": b'{"reviewState": "approved"}',
    "/comments": b'{"body": "x"}',
    "/datasets": b'{"name": "x"}',
    "/properties": b'{"name": "x"}',
    "/actor-properties": b'{"name": "x"}',
    "/app-users/<number:actor_id>": b'{"properties": {}}',
    "/entities": b'{"label": "x", "data": {}}',
    "/bulk-delete": b'{"ids": []}',
    "/bulk-restore": b'{"ids": []}',
    "/distinct": b'{"entities": ["x", "y"]}',
    "/merges": b'{"survivor": "x", "absorbed": "y", "reason": "z"}',
    "/undo": b'{"reason": "z"}',
    "/withdraw": b'{"reason": "withdrawn", "askedBy": "person"}',
}
"""What a route must be given before it is asked who may: bodies by how its path ends."""


@pytest.fixture
def database_engine() -> str:
    """What is allowed does not depend on the database."""
    return "sqlite"


@pytest.fixture
def actors(desk: Desk) -> dict[str | None, Actor | None]:
    """One actor of every kind, in a project with a published form and a draft."""
    desk.publish(HOUSE)
    desk.publish(HOUSE.replace("hogar", "escuela"))
    desk.draft(HOUSE.replace("hogar", "borrador"))
    desk.act(lambda ctx: dataset_desk.create(ctx, PROJECT, LIST))
    desk.act(lambda ctx: dataset_desk.add_property(ctx, PROJECT, LIST, "altura"))
    desk.act(lambda ctx: dataset_desk.create(ctx, PROJECT, "gente"))
    desk.draft(form("lector", questions("select_one_from_file gente.csv quien")))
    for uuid in (ENTITY, GONE):
        one = New(label="x", uuid=uuid, data={})
        desk.act(lambda ctx, one=one: entities.create(ctx, PROJECT, LIST, one, By()))  # type: ignore[misc]
    desk.act(lambda ctx: entities.delete(ctx, PROJECT, LIST, GONE, By()))
    other = desk.add_project("Otro")
    found = {role: desk.user(f"{role}@example.org", role) for role in ("manager", "viewer", "formfill")}
    limited = desk.app_user(forms=("escuela",))
    return {
        **found,
        "admin": desk.admin,
        "app-user": desk.look(lambda conn: store.ask_actor_by_token(conn, credentials.token_hash(TOKEN))()),
        "app-user of another form": desk.look(lambda conn: store.ask_actor(conn, limited.id)()),
        "manager elsewhere": desk.user("fuera@example.org", "manager", project=other),
        "nobody": desk.user("nadie@example.org", None),
        None: None,
    }


@pytest.mark.parametrize("action", ALLOWED)
def test_an_action_lets_in_only_those_who_hold_its_verb(
    desk: Desk, actors: dict[str | None, Actor | None], action: str
):
    run, allowed = ALLOWED[action]
    refused = {}
    for name in ACTORS:
        if name in allowed:
            continue
        with pytest.raises(Problem) as problem:
            desk.office.database.write(lambda conn, name=name: run(desk.office.context(conn, actors[name])))  # type: ignore[misc]
        refused[name] = problem.value.status

    unknown = {"viewer": 404} if action in NOT_FOUND else {}
    assert refused == {name: 401 if name is None else 403 for name in ACTORS if name not in allowed} | unknown
    for name in sorted(allowed):
        undone = Undone()
        with pytest.raises(Undone):
            desk.office.database.write(
                lambda conn, name=name, undone=undone: undone.after(run(desk.office.context(conn, actors[name])))  # type: ignore[misc]
            )


class Undone(Exception):
    """Raised after what was allowed, so that the next actor finds everything as it was."""

    def after(self, _: object) -> None:
        raise self


def test_projects_are_listed_to_those_who_may_see_them(desk: Desk, actors: dict[str | None, Actor | None]):
    seen = {
        name: [one.name for one in desk.office.database.read(
            lambda conn, name=name: projects.list_projects(desk.office.context(conn, actors[name]))  # type: ignore[misc]
        )]
        for name in ACTORS
    }  # fmt: skip

    assert seen == {
        "admin": ["Cohesión social", "Otro"],
        "manager": ["Cohesión social"],
        "viewer": ["Cohesión social"],
        "formfill": ["Cohesión social"],
        "app-user": [],
        "app-user of another form": [],
        "manager elsewhere": ["Otro"],
        "nobody": [],
        None: [],
    }


def basic(email: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{email}:{password}".encode()).decode()


def test_every_route_of_a_project_refuses_those_who_are_not_of_it(
    desk: Desk, actors: dict[str | None, Actor | None], app: Flask, phone: Wire
):
    """The routes are read from the application: a new one without a gate fails here."""
    token = desk.app_user(project_id=2).display_name
    strangers = {
        "manager elsewhere": Wire(phone.send, "", basic("fuera@example.org", "contraseña larga")),
        "nobody": Wire(phone.send, "", basic("nadie@example.org", "contraseña larga")),
        "no credentials": Wire(phone.send, ""),
    }
    asked = 0
    for rule in app.url_map.iter_rules():
        if "project_id" not in rule.arguments or "/test/" in rule.rule:
            continue
        path = re.sub(r"<(number|int):[^>]+>", str(PROJECT), rule.rule)
        path = re.sub(r"<[^>]*token>", token, path)
        path = re.sub(r"<[^>]*form_id>", "hogar", path)
        path = re.sub(r"<[^>]+>", "x", path)
        for method in sorted((rule.methods or set()) & {"GET", "POST", "HEAD", "PUT", "DELETE", "PATCH"}):
            senders = {"key of another project": Wire(phone.send, "")} if "/key/" in rule.rule else strangers
            for who, wire in senders.items():
                if method == "POST" and path.endswith("/submission"):
                    answer = replace(wire, root=path.removesuffix("/submission")).post(
                        instance("hogar", "<edad>1</edad>")
                    )
                else:
                    headers = {"Authorization": wire.authorization} if wire.authorization else {}
                    body = next((text for end, text in BODIES.items() if rule.rule.endswith(end)), None)
                    answer = wire.send(method, path, headers, body)
                wanted = {401} if who == "no credentials" else {403, 404}
                assert answer.status in wanted, (method, rule.rule, who, answer)
                asked += 1
    assert asked > 20
    assert desk.submissions() == 0


def test_passwords_and_tokens_are_not_in_the_database(desk: Desk):
    made = desk.app_user()
    hashes = desk.look(lambda conn: [*conn.execute(select(field_keys.c.token_hash)).scalars()])
    passwords = desk.look(lambda conn: [*conn.execute(select(users.c.password_hash)).scalars()])

    assert made.display_name not in hashes
    assert all(re.fullmatch("[0-9a-f]{64}", kept) for kept in hashes)
    assert all(kept.startswith("$argon2id$") and ADMIN[1] not in kept for kept in passwords)


def test_a_new_token_has_64_characters_that_can_stand_in_a_url():
    tokens = {credentials.new_token() for _ in range(100)}

    assert len(tokens) == 100
    assert all(re.fullmatch("[A-Za-z0-9_-]{64}", token) for token in tokens)


def test_a_password_is_recognised_by_its_own_hash_only():
    kept = credentials.hash_password("contraseña de ñandú")

    assert credentials.password_matches("contraseña de ñandú", kept)
    assert not credentials.password_matches("contraseña de nandu", kept)
    assert not credentials.password_matches("contraseña de ñandú", "x")
    assert credentials.hash_password("contraseña de ñandú") != kept


@pytest.mark.parametrize(
    ("email", "password", "code"),
    [
        ("ana@example.org", "corta", 400.21),
        ("ana@example.org", "ñ" * 37, 400.38),
        ("ana", "contraseña larga", 400.8),
        ("@example.org", "contraseña larga", 400.8),
        ("ana maria@example.org", "contraseña larga", 400.8),
        (ADMIN[0].upper(), "contraseña larga", 409.3),
    ],
)
def test_a_user_that_cannot_be_is_refused_with_a_reason(desk: Desk, email: str, password: str, code: float):
    with pytest.raises(Problem) as refused:
        desk.act(lambda ctx: people.create_user(ctx, email, password, administrator=False))

    assert refused.value.code == code


def test_an_app_user_for_a_form_that_is_not_there_is_refused_and_leaves_nothing(desk: Desk):
    before = desk.count(field_keys)

    with pytest.raises(Problem) as refused:
        desk.act(lambda ctx: people.create_app_user(ctx, PROJECT, "Tel", xml_form_ids=("nadie",)))

    assert refused.value.status == 404
    assert desk.count(field_keys) == before
