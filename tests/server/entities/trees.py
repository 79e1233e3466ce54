"""A list of trees: what phones send of it, and what stands of it in the database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from xml.sax.saxutils import quoteattr

from sqlalchemy import Connection

from server.model.entities import Dataset, Entity, EntityReceipt, EntityVersion
from server.store import datasets, entities, entity_receipts, submissions
from tests.helpers import samples
from tests.server.desk import Desk
from tests.server.wire import Wire, instance

LIST: Final = "arboles"
CREATES: Final = "arbol_registro"
UPDATES: Final = "arbol_seguimiento"


def publish(desk: Desk) -> None:
    """The forms that create and update trees, and the one that does both."""
    for sample in (samples.tree_registration(), samples.tree_follow_up(), samples.tree_upsert()):
        desk.publish(sample.xform)


def uuid_of(number: int) -> str:
    """An invented version 4 UUID."""
    return f"{number:08x}-0000-4000-8000-000000000000"


def creation(number: int, *, sent: str | None = None, before: str | None = None, **answers: str) -> bytes:
    """A registration of tree `number`; `sent` is the instance id, `before` the one that it edits."""
    given = {"especie": "cedro", "circunferencia": "30", **answers}
    label = f"{given['especie']} {given['circunferencia']}"
    block = f'<entity dataset="{LIST}" id="{uuid_of(number)}" create="1"><label>{label}</label></entity>'
    return _instance(CREATES, given, block, sent or f"uuid:create-{number}", before)


def update(
    number: int,
    base: int | str,
    *,
    sent: str,
    branch: int | None = None,
    trunk: int | None = None,
    before: str | None = None,
    **answers: str,
) -> bytes:
    """A follow-up of tree `number` from version `base` (as the phone counts), inside `branch` since version `trunk`."""
    attributes = {
        "dataset": LIST,
        "id": uuid_of(number),
        "update": "1",
        "baseVersion": str(base),
        "trunkVersion": "" if trunk is None else str(trunk),
        "branchId": "" if branch is None else uuid_of(branch),
    }
    written = " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items())
    return _instance(UPDATES, {"arbol": uuid_of(number), **answers}, f"<entity {written}/>", sent, before)


def _instance(form_id: str, answers: dict[str, str], block: str, sent: str, before: str | None) -> bytes:
    body = "".join(f"<{name}>{value}</{name}>" for name, value in answers.items())
    made = instance(form_id, body, instance_id=sent, deprecated_id=before)
    return made.replace(b"</meta>", block.encode() + b"</meta>") if b"</meta>" in made else made


@dataclass(frozen=True)
class Trees:
    """The list as the database has it, and a phone."""

    desk: Desk
    phone: Wire
    names: dict[str, Any] = field(default_factory=dict)

    def send(self, *instances: bytes) -> None:
        """Everything is received, whatever becomes of its entities."""
        for one in instances:
            assert self.phone.post(one).status == 201

    @property
    def dataset(self) -> Dataset:
        found = self.desk.look(lambda conn: datasets.find(conn, self.desk.project_id, LIST))
        assert found is not None
        return found

    def find(self, number: int) -> Entity | None:
        dataset_id = self.dataset.id
        return self.desk.look(lambda conn: entities.find(conn, dataset_id, uuid_of(number)))

    def get(self, number: int) -> Entity:
        found = self.find(number)
        assert found is not None
        return found

    def versions(self, number: int) -> list[EntityVersion]:
        entity_id = self.get(number).id
        return self.desk.look(lambda conn: entities.list_versions(conn, entity_id))

    def receipts(self, form_id: str, sent: str) -> list[EntityReceipt]:
        """What became of the blocks of a submission."""
        row_id = self.desk.form_row_id(form_id)

        def read(conn: Connection) -> list[EntityReceipt]:
            found = submissions.find(conn, row_id, sent)
            assert found is not None
            return list(entity_receipts.list_of_submission(conn, found.id).values())

        return self.desk.look(read)

    def outcome(self, form_id: str, sent: str) -> str:
        """What became of the only block of a submission."""
        [receipt] = self.receipts(form_id, sent)
        return receipt.outcome

    def problem(self, form_id: str, sent: str) -> float:
        """The code of what was wrong with it."""
        [receipt] = self.receipts(form_id, sent)
        assert receipt.outcome == "failed"
        assert receipt.problem is not None
        assert receipt.problem["es"]
        return float(receipt.problem["code"])
