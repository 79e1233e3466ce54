"""The coordinator's desk: publishes workbooks, hands out tokens, looks at what arrived in the database."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final, TypeVar

import pytest
from sqlalchemy import Connection, Table, func, select

from forms.problems import workbook_not_valid
from server import credentials
from server.actions import drafts, forms, people, workbooks
from server.actions.identity import by_id
from server.context import Context, Office
from server.model.audits import audits
from server.model.people import Actor
from server.model.submissions import Flag, SubmissionVersion, submission_attachments, submission_versions
from server.model.submissions import submissions as submissions_table
from server.store import flags as flag_store
from server.store import follow_failures, submissions
from server.store import people as people_store
from server.store import projects as project_store
from server.tables import ddl, registry
from server.tables.layout import Layout

T = TypeVar("T")
TOKEN: Final = "t" * 64
"""The token of the app user that every prepared office has; it may fill every form of the project."""
ADMIN: Final = ("coordinacion@example.org", "una contraseña larga ñ")
PROJECT: Final = 1
ON_SQLITE: Final = pytest.mark.parametrize("database_engine", ["sqlite"], indirect=True)
"""For tests of what no database has a part in: one is enough."""
UNKNOWN: Final = "application/octet-stream"


def form(form_id: str, survey: str, *, version: str = "1", choices: str = "", **settings: str) -> str:
    """A workbook as markdown tables: `survey` and `choices` are their tables with header, every line beginning `| |`."""
    given = {"form_id": form_id, "form_title": form_id, **({"version": version} if version else {}), **settings}
    sheet = f"| settings |\n| | {' | '.join(given)} |\n| | {' | '.join(given.values())} |\n"
    return f"| survey |\n{survey.strip()}\n" + (f"| choices |\n{choices.strip()}\n" if choices else "") + sheet


def questions(*entries: str) -> str:
    """A survey sheet from entries such as `integer edad` or `begin repeat miembro`; each is labelled with its name."""
    lines = ["| | type | name | label |"]
    for entry in entries:
        kind, _, name = entry.rpartition(" ")
        ends = entry.startswith("end ")
        lines.append(f"| | {entry if ends else kind} | {'' if ends else name} | {'' if ends else name} |")
    return "\n".join(lines)


@dataclass(frozen=True)
class Desk:
    """An office with one project, an administrator and an app user, and the hands to work in it."""

    office: Office
    admin: Actor
    project_id: int = PROJECT

    def act(self, action: Callable[[Context], T], actor: Actor | None = None) -> T:
        """A writing action, as the administrator where nobody else is named."""
        return self.office.database.write(lambda conn: action(self.office.context(conn, actor or self.admin)))

    def ask(self, action: Callable[[Context], T], actor: Actor | None = None) -> T:
        """A reading action."""
        return self.office.database.read(lambda conn: action(self.office.context(conn, actor or self.admin)))

    def look(self, work: Callable[[Connection], T]) -> T:
        """What stands in the database."""
        return self.office.database.read(work)

    def change(self, work: Callable[[Connection], T]) -> T:
        """Something done to the database by hand."""
        return self.office.database.write(work)

    def draft(self, sheet: str | bytes, media: Mapping[str, bytes] | None = None) -> drafts.Draft:
        """A workbook (markdown tables) or an XForm (bytes) made the draft of its form, with its media."""
        checked = check(sheet)
        made = self.act(lambda ctx: drafts.upload(ctx, self.project_id, checked, original=None, name="form.md"))
        for name, content in (media or {}).items():
            blob = self.office.blobs.put(BytesIO(content))
            form_id = made.form.xml_form_id
            self.act(
                lambda ctx, name=name, blob=blob, form_id=form_id: drafts.attach(  # type: ignore[misc]
                    ctx, self.project_id, form_id, name, blob, content_type=mimetypes.guess_type(name)[0] or UNKNOWN
                )
            )
        return made

    def publish(self, sheet: str | bytes, media: Mapping[str, bytes] | None = None) -> drafts.Published:
        """A workbook published, so that phones get it."""
        form_id = self.draft(sheet, media).form.xml_form_id
        return self.act(lambda ctx: drafts.publish(ctx, self.project_id, form_id))

    def set_state(self, form_id: str, state: str) -> None:
        self.act(lambda ctx: forms.set_state(ctx, self.project_id, form_id, state))

    def delete_form(self, form_id: str) -> None:
        self.act(lambda ctx: forms.delete_form(ctx, self.project_id, form_id))

    def add_project(self, name: str) -> int:
        """Another project; gives its number."""
        return self.change(
            lambda conn: project_store.add_project(conn, name=name, description=None, created_at=self.office.clock())
        )

    def app_user(self, name: str = "Teléfono", *, forms: tuple[str, ...] = (), project_id: int | None = None) -> Actor:
        """An app user and, as its display name, its token."""
        made = self.act(
            lambda ctx: people.create_app_user(ctx, project_id or self.project_id, name, xml_form_ids=forms)
        )
        return Actor(made.actor_id, "field_key", made.token)

    def user(
        self, email: str, role: str | None, *, password: str = "contraseña larga", project: int | None = 1
    ) -> Actor:
        """A user with a role over a project (None: the site); without a role a user who may do nothing."""

        def add(conn: Connection) -> Actor:
            actor_id = people_store.add_user(
                conn,
                email=email,
                password_hash=credentials.hash_password(password),
                display_name=email,
                created_at=self.office.clock(),
            )
            if role is not None:
                people_store.assign(conn, actor_id=actor_id, role=role, project_id=project)
            made = by_id(conn, actor_id)()
            assert made is not None
            return made

        return self.change(add)

    def form_row_id(self, form_id: str) -> int:
        return self.ask(lambda ctx: forms.get_form(ctx, self.project_id, form_id)).id

    def layout(self, form_id: str) -> Layout:
        row_id = self.form_row_id(form_id)
        return self.look(lambda conn: registry.load(conn, row_id))

    def rows(self, form_id: str, repeat: str = "") -> list[dict[str, Any]]:
        """The typed rows of a form, or of a repeat, by column name, all parts joined, in order of submission and row.

        Columns that begin with an underscore are left out, but for `_key`; the rest is what the questions gave.
        """
        return [
            {name: value for name, value in row.items() if name == "_key" or not name.startswith("_")}
            for row in self.whole_rows(form_id, repeat)
        ]

    def whole_rows(self, form_id: str, repeat: str = "") -> list[dict[str, Any]]:
        """The same with every column."""
        table = self.layout(form_id).table(repeat)

        def read(conn: Connection) -> list[dict[str, Any]]:
            joined: dict[tuple[Any, ...], dict[str, Any]] = {}
            for part in ddl.sql_tables(conn, table):
                for row in conn.execute(select(part)).mappings():
                    joined.setdefault((row["_submission_id"], row.get("_row", 0)), {}).update(row)
            return [joined[key] for key in sorted(joined)]

        return self.look(read)

    def tables(self, form_id: str) -> dict[str, list[dict[str, Any]]]:
        """Every typed table of a form, by its newest path, with every row and column."""
        return {table.paths[-1]: self.whole_rows(form_id, table.paths[-1]) for table in self.layout(form_id).tables}

    def sql_table(self, form_id: str, repeat: str = "", part: int = 1) -> Table:
        """A physical typed table."""
        table = self.layout(form_id).table(repeat)
        return self.look(lambda conn: ddl.sql_tables(conn, table)[part - 1])

    def flags(self, form_id: str) -> list[Flag]:
        """Every flag of a form's submissions, in order."""
        row_id = self.form_row_id(form_id)

        def read(conn: Connection) -> list[Flag]:
            ids = conn.execute(select(submissions_table.c.id).where(submissions_table.c.form_id == row_id)).scalars()
            return [flag for submission_id in sorted(ids) for flag in flag_store.list_flags(conn, submission_id)]

        return self.look(read)

    def versions(self, form_id: str, instance_id: str) -> list[SubmissionVersion]:
        """Every version of a submission (its first instance id) in order of arrival; [] where there is none."""
        row_id = self.form_row_id(form_id)

        def read(conn: Connection) -> list[SubmissionVersion]:
            found = submissions.find(conn, row_id, instance_id)
            return submissions.list_versions(conn, found.id) if found else []

        return self.look(read)

    def xml_of(self, instance_id: str) -> bytes:
        """The exact bytes that are kept of an instance."""
        return self.look(
            lambda conn: conn.execute(
                select(submission_versions.c.xml).where(submission_versions.c.instance_id == instance_id)
            ).scalar_one()
        )

    def files(self, instance_id: str) -> dict[str, bytes | None]:
        """The files of an instance by name; None: expected, and not here yet."""

        def read(conn: Connection) -> dict[str, str | None]:
            rows = conn.execute(
                select(submission_attachments.c.name, submission_attachments.c.sha256)
                .join(submission_versions, submission_versions.c.id == submission_attachments.c.version_id)
                .where(submission_versions.c.instance_id == instance_id)
            )
            return {row.name: row.sha256 for row in rows}

        return {name: self._content(sha256) for name, sha256 in sorted(self.look(read).items())}

    def _content(self, sha256: str | None) -> bytes | None:
        if sha256 is None:
            return None
        with self.office.blobs.open(sha256) as file:
            return file.read()

    def count(self, table: Table) -> int:
        return self.look(lambda conn: conn.execute(select(func.count()).select_from(table)).scalar_one())

    def submissions(self) -> int:
        return self.count(submissions_table)

    def failures(self) -> list[tuple[int, str, str, int]]:
        return self.look(follow_failures.list_all)

    def audited(self) -> list[str]:
        """The actions that were recorded, in order."""
        return self.look(lambda conn: list(conn.execute(select(audits.c.action).order_by(audits.c.id)).scalars()))


def check(sheet: str | bytes) -> workbooks.Checked:
    """A workbook (markdown tables) or an XForm (bytes) read, without the second that ODK Validate's Java takes for each."""
    given = (sheet, "form.xml") if isinstance(sheet, bytes) else (sheet.encode(), "form.md")
    checked = workbooks.read(*given)
    if any(finding.severity == "error" for finding in checked.findings):
        raise workbook_not_valid(checked.findings)
    return checked


def prepare(url: str, *, open_office: Callable[[str], Office]) -> None:
    """An installation as it stands after its first hour: migrated, an administrator, a project, an app user."""
    office = open_office(url)

    def fill(conn: Connection) -> None:
        now = office.clock()
        project_id = project_store.add_project(conn, name="Cohesión social", description=None, created_at=now)
        admin = people_store.add_user(
            conn,
            email=ADMIN[0],
            password_hash=credentials.hash_password(ADMIN[1]),
            display_name="Coordinación",
            created_at=now,
        )
        people_store.assign(conn, actor_id=admin, role="admin")
        phone = people_store.add_field_key(
            conn,
            project_id=project_id,
            display_name="Teléfono 1",
            token_hash=credentials.token_hash(TOKEN),
            created_by=admin,
            created_at=now,
        )
        people_store.assign(conn, actor_id=phone, role="app-user", project_id=project_id)

    office.database.write(fill)
    office.database.close()


def open_desk(office: Office) -> Desk:
    """The administrator's desk in a prepared office."""
    found = office.database.read(lambda conn: people_store.find_credentials(conn, ADMIN[0]))
    assert found is not None
    admin = office.database.read(lambda conn: by_id(conn, found[0])())
    assert admin is not None
    return Desk(office, admin)
