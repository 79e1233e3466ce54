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
from server.cli import doctor, forms, people, serve, tables
from server.cli.desk import Desk


class _Tejido(click.Group):
    """Problems become one line on the error output and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except Problem as problem:
            found = ctx.find_object(Desk)
            click.echo(f"✗ {problem.say(found.language if found else _terminal_language())}", err=True)
            ctx.exit(1)
        except OSError as error:
            found = ctx.find_object(Desk)
            told = Sentence(f"No se pudo leer o escribir: {error}", f"Could not read or write: {error}")
            click.echo(f"✗ {told.say(found.language if found else _terminal_language())}", err=True)
            ctx.exit(1)


@click.group(cls=_Tejido)
@click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML file with settings.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Folder of everything that is kept.")
@click.option("--database-url", help="SQLAlchemy URL; default: SQLite in the data folder.")
@click.option("--language", type=click.Choice(["es", "en"]), help="Language of messages.")
@click.version_option(package_name="tejido")
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
    said = language or os.environ.get("TEJIDO_LANGUAGE")
    context.obj = Desk(loaded, said or _terminal_language())


def _terminal_language() -> str:
    """Spanish where the terminal speaks it, English elsewhere."""
    spoken = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "es" if spoken.lower().startswith("es") else "en"


main.add_command(serve.serve)
main.add_command(people.user)
main.add_command(people.project)
main.add_command(people.app_user)
main.add_command(forms.form)
main.add_command(tables.extract)
main.add_command(tables.rebuild)
main.add_command(tables.migrate)
main.add_command(doctor.doctor)

if __name__ == "__main__":
    main()
