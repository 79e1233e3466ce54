"""One phone: gets forms, fills them with JavaRosa, edits, sends, and remembers all of it between two starts."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.helpers.phone.engine import Engine
from tests.helpers.phone.forms import Forms
from tests.helpers.phone.http import Exchange, Http
from tests.helpers.phone.memory import Memory, StoredForm, StoredInstance
from tests.helpers.phone.sending import CALM, Sender, Sent, Weather


@dataclass(frozen=True)
class Leaf:
    """One answer as it is in the XML: a path such as `/data/rep[2]/q`, its text (None: empty), JavaRosa's type."""

    path: str
    value: str | None
    type: int


@dataclass(frozen=True)
class FilledEntity:
    """An entity that a submission creates or updates; `action` is create, update or upsert."""

    action: str
    dataset: str
    id: str
    label: str
    properties: dict[str, str]
    attributes: dict[str, str]


@dataclass(frozen=True)
class Filled:
    """A finalized submission and the truth about it. `unsatisfied` is empty where the form validates."""

    instance_id: str
    deprecated_id: str | None
    instance_name: str | None
    form_id: str
    version: str | None
    folder: Path
    xml: Path
    files: tuple[str, ...]
    leaves: tuple[Leaf, ...]
    entities: tuple[FilledEntity, ...]
    encrypted: bool
    unsatisfied: tuple[str, ...]
    finalized_at: int

    def value(self, path: str) -> str | None:
        """The text at a path. Raises KeyError where the node is absent."""
        for leaf in self.leaves:
            if leaf.path == path:
                return leaf.value
        raise KeyError(path)


class Phone:
    """ODK Collect with one project. `state` is its folder; `seed` decides the order and failures of sending."""

    def __init__(
        self,
        url: str,
        state: Path,
        *,
        engine: Engine,
        user: str = "",
        password: str = "",
        seed: int = 0,
        tz: str = "America/Panama",
        basic_over_http: bool = False,
    ) -> None:
        self.url = url
        self.state = state.absolute()
        self.tz = tz
        for name in ("forms", "instances", "tmp"):
            (self.state / name).mkdir(parents=True, exist_ok=True)
        self.engine = engine
        self.chance = random.Random(seed)
        self.memory = Memory.load(self.state / "phone.json")
        self.http = Http(url, user, password, basic_over_http)
        self.http.load_cache(self.state / "http_cache.json")
        self.forms = Forms(url, self.http, engine, self.memory, self.state)
        self.sender = Sender(url, self.http, self.memory, self.chance)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Turned off: what it knows is on its disk, and a Phone with the same `state` goes on from there."""
        self.save()
        self.http.close()

    def save(self) -> None:
        self.memory.save(self.state / "phone.json")
        self.http.save_cache(self.state / "http_cache.json")

    @property
    def exchanges(self) -> Sequence[Exchange]:
        """Every request that went over the wire, oldest first."""
        return self.http.exchanges

    def form(self, form_id: str, version: str | None = None) -> StoredForm:
        """The form shown to the enumerator: of several versions the one downloaded last. Raises KeyError."""
        held = [form for form in self.memory.live(form_id) if version is None or form.version == version]
        if not held:
            raise KeyError(f"form {form_id} is not on the phone")
        return held[-1]

    def instance(self, instance_id: str) -> StoredInstance:
        """Raises KeyError."""
        for held in self.memory.instances:
            if held.instance_id == instance_id:
                return held
        raise KeyError(instance_id)

    def sync(self, mode: str = "match_exactly") -> dict[str, str]:
        """See Forms.sync."""
        outcome = self.forms.sync(mode)
        self.save()
        return outcome

    def fill(
        self,
        form_id: str,
        n: int = 1,
        *,
        seed: int = 1,
        answers: Mapping[str, object] | None = None,
        options: Iterable[object] = (),
    ) -> list[Filled]:
        """`n` submissions with seeded random answers that the form accepts; `answers` scripts some of them.

        Keys of `answers` are `/data/rep[2]/q`, `/data/rep/q` or `q`; None leaves it blank; `/data/rep#count` is the
        number of repeats. `options` are Fill's (`--repeats 0-3`, `--nasty 0.5`, `--ctrl 0.1`, `--px 2000` …).
        """
        form = self.form(form_id)
        return self._run(form, ["--n", n, "--seed", seed, *options], answers)

    def edit(
        self,
        instance_id: str,
        *,
        seed: int = 1,
        answers: Mapping[str, object] | None = None,
        options: Iterable[object] = (),
    ) -> Filled:
        """A finalized or sent submission opened again, changed and finalized: it deprecates the one before."""
        source = self.instance(instance_id)
        form = self.form(source.form_id, source.version)
        return self._run(form, ["--n", 1, "--seed", seed, "--edit", source.xml, *options], answers)[0]

    def _run(self, form: StoredForm, arguments: Sequence[object], answers: Mapping[str, object] | None) -> list[Filled]:
        scripted: list[object] = []
        if answers is not None:
            file = self.state / "tmp" / "answers.json"
            file.write_text(json.dumps(answers), encoding="utf-8")
            scripted = ["--answers", file]
        who = ["--deviceid", self.memory.device_id, "--tz", self.tz]
        who += ["--username", self.http.user] if self.http.user else []
        printed = self.engine(
            self.state / form.file,
            self.state / form.media,
            self.state / "instances",
            *("--entities", self.state),
            *who,
            *arguments,
            *scripted,
        )
        filled = [_read_filled(json.loads(line)) for line in printed.split("\n") if line.startswith("{")]
        self.memory.instances += [_stored(made, form) for made in filled]
        self.save()
        return filled

    def send(
        self,
        *,
        weather: Weather = CALM,
        only: Iterable[str] | None = None,
        order: str = "finalized",
    ) -> list[Sent]:
        """One round over everything unsent (or `only` those ids), by finalization time, `reversed` or `shuffled`."""
        wanted = None if only is None else set(only)
        queue = [
            held
            for held in self.memory.instances
            if held.status != "submitted" and (wanted is None or held.instance_id in wanted)
        ]
        queue.sort(key=lambda held: held.finalized_at)
        if order == "shuffled":
            self.chance.shuffle(queue)
        elif order == "reversed":
            queue.reverse()
        sent = []
        for held in queue:
            sent.append(self.sender.send(held, weather))
            self.save()
        return sent

    def send_until_done(self, *, weather: Weather, rounds: int = 50) -> list[Sent]:
        """Sends again and again, as Collect's automatic sending does; what is still unsent at the end."""
        last: list[Sent] = []
        for _ in range(rounds):
            last = [sent for sent in self.send(weather=weather) if sent.status != "submitted"]
            if not last:
                break
        return last


def _read_filled(line: dict[str, Any]) -> Filled:
    return Filled(
        instance_id=line["instanceId"],
        deprecated_id=line["deprecatedId"],
        instance_name=line["instanceName"],
        form_id=line["formId"],
        version=line["version"],
        folder=Path(line["dir"]),
        xml=Path(line["xml"]),
        files=tuple(line["files"]),
        leaves=tuple(Leaf(leaf["path"], _carried(leaf["value"]), leaf["type"]) for leaf in line["values"]),
        entities=tuple(FilledEntity(**entity) for entity in line["entities"]),
        encrypted=line["encrypted"],
        unsatisfied=tuple(line["unsatisfied"]),
        finalized_at=line["finalizedAt"],
    )


def _carried(value: str | None) -> str | None:
    """The text as an XML parser gives it back: every kind of line end is a line feed (XML 1.0, section 2.11)."""
    return None if value is None else value.replace("\r\n", "\n").replace("\r", "\n")


def _stored(made: Filled, form: StoredForm) -> StoredInstance:
    return StoredInstance(
        instance_id=made.instance_id,
        deprecated_id=made.deprecated_id,
        form_id=made.form_id,
        version=made.version,
        folder=made.folder,
        xml=made.xml,
        submission_url=form.submission_url,
        finalized_at=made.finalized_at,
    )
