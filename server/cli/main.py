"""The command `tejido` and the settings that all its commands take."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import Any

import click
import structlog

from forms.problems import Problem, Sentence
from server import settings
from server.cli import (
    audits,
    corrections,
    doctor,
    entities,
    extracts,
    flags,
    forms,
    indicators,
    people,
    records,
    serve,
    tables,
    terminal,
    withdrawals,
    words,
)
from server.cli.desk import Desk


class _Tejido(click.Group):
    """Problems become one line on the error output and exit code 1; everything is said in the person's language."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """The context of one call, after its language was chosen."""
        language = words.choose(args, os.environ)
        words.speak(self, language)
        return super().make_context(info_name, args, parent, **{**extra, "obj": language})

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except Problem as problem:
            click.echo(f"✗ {terminal.tell(problem, _language(ctx))}", err=True)
            ctx.exit(1)
        except OSError as error:
            told = Sentence(f"No se pudo leer o escribir: {error}", f"Could not read or write: {error}")
            click.echo(f"✗ {told.say(_language(ctx))}", err=True)
            ctx.exit(1)


@click.group(cls=_Tejido)
@click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML file with settings.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder of everything that is kept.")
@click.option("--database-url", help="SQLAlchemy URL; default: SQLite in the data folder.")
@click.option("--language", type=click.Choice(["es", "en"]), help="Language of messages.")
@click.version_option(package_name="tejido", message="%(prog)s %(version)s", help="Show the version and exit.")
@click.pass_context
def main(
    context: click.Context, config: Path | None, data: Path | None, database_url: str | None, language: str | None
) -> None:
    """Tejido: from XLSForm and ODK Collect to trusted numbers. Settings: see deploy/settings.md."""
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.getLogger("waitress").setLevel(logging.ERROR)
    given = {"data": data, "database_url": database_url, "language": language}
    loaded = settings.load(os.environ, file=config, overrides=given)
    spoken = _language(context)
    if config is not None and "language" in settings.read_file(config) and not words.is_chosen(language, os.environ):
        spoken = loaded.language
        words.speak(context.command, spoken)
    context.obj = Desk(loaded, spoken)


def _language(context: click.Context) -> str:
    """The language that was chosen: kept alone until there is a desk."""
    return context.obj.language if isinstance(context.obj, Desk) else str(context.obj)


main.add_command(serve.serve)
main.add_command(people.user)
main.add_command(people.project)
main.add_command(people.app_user)
main.add_command(forms.form)
main.add_command(indicators.indicators_group, "indicators")
main.add_command(extracts.extract)
main.add_command(extracts.panel)
main.add_command(extracts.codebook)
main.add_command(flags.flags_group, "flags")
main.add_command(records.record)
main.add_command(corrections.correction)
main.add_command(entities.entities)
main.add_command(withdrawals.withdrawal)
main.add_command(audits.list_audits)
main.add_command(tables.rebuild)
main.add_command(tables.migrate)
main.add_command(doctor.doctor)

if __name__ == "__main__":
    main()
