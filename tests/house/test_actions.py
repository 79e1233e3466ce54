"""Every public action asks for permission before it does anything: read from the syntax tree."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house import source

TOKEN_GATES = {"server.actions.drafts.get_draft"}  # the test token is the permission, and it is looked up here
NEED_NO_PERMISSION = {
    "identity": "who asks is found out here; permissions rest on it",
    "forms.list_open": "asks for each form, and refuses whoever may read none",
    "projects.list_projects": "asks for each project",
    "comparisons.foresee": "runs inside an action that has asked",
    "consents.allow": "runs inside an action that has asked",
    "consents.guards": "runs inside an action that has asked",
    "consents.recognise": "runs inside an action that has asked",
    "consents.note": "runs inside an action that has asked",
    "datasets.check_declared": "runs inside an action that has asked",
    "dataset_uses.of": "runs inside an action that has asked",
    "datasets.link": "runs inside an action that has asked",
    "entity_finding": "the action that looks for something asks for its own right next",
    "entity_sight.of": "says what is hidden, inside an action that has asked",
    "entity_sight.find": "runs inside an action that has asked",
    "entity_sources.of": "runs inside an action that has asked",
    "entity_reading.line_of": "runs inside an action that has asked",
    "entities.add_many": "runs inside an action that has asked",
    "entities.extend": "runs inside an action that has asked",
    "disclosures.paths_of": "runs inside an action that has asked",
    "entity_corrections.bring": "runs inside an action that has asked",
    "entity_receiving.apply": "runs inside an action that has asked",
    "entity_receiving.forget": "runs inside an action that has asked",
    "erasing.erase_submissions": "runs inside an action that has asked",
    "erasing.erase_entities": "runs inside an action that has asked",
    "erasing.gather": "runs inside an action that has asked",
    "withdrawal_rules.of_form": "runs inside an action that has asked",
    "withdrawal_rules.of_list": "runs inside an action that has asked",
    "withdrawn_arrivals.allow": "runs inside an action that has asked",
    "dataset_views.list_states": "asks for each form that uses the list, and refuses whoever may read none",
    "dataset_views.list_draft_files": "the token of the draft is the permission, asked before",
    "dataset_views.list_draft_states": "the token of the draft is the permission, asked before",
    "dataset_views.hash_of": "runs inside an action that has asked",
    "dataset_views.write_csv": "runs inside an action that has asked",
    "disclosures.treatments_of": "runs inside an action that has asked; identities ask for their own right",
    "consequences.foresee": "runs inside an action that has asked",
    "consequences.foresee_declarations": "runs inside an action that has asked",
    "following.follow": "runs inside an action that has asked",
    "following.follow_corrected": "runs inside an action that has asked",
    "following.follow_stored": "runs inside an action that has asked",
    "following.check_stored": "runs inside an action that has asked",
    "checks.judge": "runs inside an action that has asked",
    "checks.forget": "runs inside an action that has asked",
    "checks.checker_of": "only makes what judges",
    "checks.renew": "runs inside an action that has asked",
    "checks.count_compared": "runs inside an action that has asked",
    "checks.look_through": "runs inside an action that has asked",
    "following.tabulate_all": "runs inside an action that has asked",
    "following.forget": "runs inside an action that has asked",
    "corrections.finish": "runs inside an action that has asked",
    "naming.pass_on": "runs inside an action that has asked",
    "following.facts_of": "only makes what writes",
    "logframes.renew": "runs inside an action that has asked",
    "logframes.drop_facts": "runs inside an action that has asked",
    "logframes.check_form": "runs inside an action that has asked",
    "logframes.take_form": "runs inside an action that has asked",
}
WRITES = {
    *("add", "apply", "change", "delete", "execute", "expect", "fill", "follow", "put", "record", "set", "statement"),
    *("store", "write"),
}


def asks_first(function: ast.FunctionDef, asking: set[str], known: dict[str, str]) -> bool:
    """Whether `require(…)` stands at the top level of the body, and nothing was written before it.

    What it takes to name the subject (a look-up, a refusal of what is not there) may come first, and calling another
    action that asks first, one of `asking`, will do. `known` says what the names of the module stand for.
    """
    for statement in function.body:
        called = [_full_name(call.func, known) for call in ast.walk(statement) if isinstance(call, ast.Call)]
        always = isinstance(statement, ast.Expr | ast.Assign | ast.AnnAssign | ast.Return | ast.For)
        if always and any(name == "server.access.require" or name in asking for name in called):
            return True
        if any(name.split(".")[-1].lstrip("_").split("_")[0] in WRITES for name in called):
            return False
    return False


def _full_name(function: ast.expr, known: dict[str, str]) -> str:
    if isinstance(function, ast.Attribute):
        return f"{_full_name(function.value, known)}.{function.attr}"
    return known.get(function.id, function.id) if isinstance(function, ast.Name) else ""


def _known_names(module: Path) -> dict[str, str]:
    """What the names at the top of a module stand for: its imports, and its own functions."""
    here = source.name(module).removesuffix(".py").replace("/", ".")
    names = {function.name: f"{here}.{function.name}" for function in source.functions(module)}
    for node in source.tree(module).body:
        if isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _actions() -> dict[str, tuple[ast.FunctionDef, dict[str, str]]]:
    """The public functions of the floor that touch the office: `server.actions.forms.get_form` → it, its names."""
    return {
        known[function.name]: (function, known)
        for module in source.modules("server/actions")
        for known in [_known_names(module)]
        for function in source.functions(module)
        if {argument.arg for argument in function.args.args} & {"ctx", "conn"}
    }


def test_every_action_asks_first():
    actions, asking = _actions(), set(TOKEN_GATES)
    while more := {
        name
        for name, (function, known) in actions.items()
        if name not in asking and asks_first(function, asking, known)
    }:
        asking |= more  # an action that begins with one that asks first asks first
    silent = {name.removeprefix("server.actions.") for name in actions if name not in asking}
    excused = {name for name in silent if name in NEED_NO_PERMISSION or name.split(".")[0] in NEED_NO_PERMISSION}

    assert silent - excused == set()
    assert {excuse for excuse in NEED_NO_PERMISSION if not any(name.startswith(excuse) for name in silent)} == set()


def test_actions_take_the_context_first():
    others = {
        name.removeprefix("server.actions.")
        for name, (function, _) in _actions().items()
        if function.args.args[0].arg != "ctx" and not name.startswith("server.actions.identity.")
    }

    assert others == set()


KNOWN = {
    "access": "server.access",
    "require": "server.access.require",
    "gated": "server.actions.forms.gated",
    "forms": "server.store.forms",
}


@pytest.mark.parametrize(
    ("body", "asks"),
    [
        ("require(ctx, 'form.read', form)", True),
        ("form = get(ctx)\n    access.require(ctx, 'form.read', form)\n    return form", True),
        ("if form is None:\n        raise problems.not_found()\n    require(ctx, 'form.read', form)", True),
        ("return gated(ctx)", True),
        ("return form", False),
        ("return forms.gated(ctx.conn)", False),
        ("if form:\n        require(ctx, 'form.read', form)", False),
        ("forms.delete_form(ctx.conn, 1)\n    require(ctx, 'form.read', form)", False),
        ("ctx.record('form.read')\n    require(ctx, 'form.read', form)", False),
    ],
)
def test_asking_first_is_told_from_asking_late(body: str, asks: bool):
    function = ast.parse(f"def act(ctx):\n    {body}").body[0]

    assert isinstance(function, ast.FunctionDef)
    assert asks_first(function, {"server.actions.forms.gated"}, KNOWN) == asks
