"""The words of the command line: help and usage errors, click's own too, in the language of the person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Final

import click
from click import core, decorators, exceptions, formatting, parser, termui, types

from server.cli import spanish

_MODULES: Final[tuple[ModuleType, ...]] = (core, decorators, exceptions, formatting, parser, termui, types)
_ENGLISH: Final = {said: english for english, said in spanish.HELP.items()}


def choose(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """es or en: `--language`, else TEJIDO_LANGUAGE, else Spanish where the terminal speaks it, else English.

    Read before click does, since help and errors are said while the words are still being taken apart.
    """
    for word, following in zip(arguments, [*arguments[1:], ""], strict=True):
        given = following if word == "--language" else word.removeprefix("--language=") if "=" in word else ""
        if given in ("es", "en"):
            return given
    named = environment.get("TEJIDO_LANGUAGE")
    if named in ("es", "en"):
        return named
    spoken = environment.get("LC_ALL") or environment.get("LC_MESSAGES") or environment.get("LANG") or ""
    return "es" if spoken.lower().startswith("es") else "en"


def is_chosen(option: str | None, environment: Mapping[str, str]) -> bool:
    """Whether the command line or the environment names a language; if neither does, a settings file may."""
    return option is not None or "TEJIDO_LANGUAGE" in environment


def speak(command: click.Command, language: str) -> None:
    """Have `command`, all below it and click itself speak `language`.

    click takes its words from `_` and `ngettext` in its modules, which look for a compiled catalogue on the disk; here they
    look into a table. What the table lacks stays English.
    """
    for module in _MODULES:
        for name, translate in (("_", _one), ("ngettext", _one_or_many)):
            if hasattr(module, name):
                setattr(module, name, translate if language == "es" else getattr(_Plain, name))
    _put(command, language)


def _one(message: str) -> str:
    return spanish.CLICK.get(message, message)


def _one_or_many(one: str, many: str, count: int) -> str:
    return _one(one if count == 1 else many)


class _Plain:
    """click's own words."""

    @staticmethod
    def _(message: str) -> str:
        return message

    @staticmethod
    def ngettext(one: str, many: str, count: int) -> str:
        return one if count == 1 else many


def _put(command: click.Command, language: str) -> None:
    command.help = _said(command.help, language)
    command.options_metavar = _said(command.options_metavar, language)
    context = click.Context(command)
    for parameter in command.get_params(context):
        if isinstance(parameter, click.Option):
            parameter.help = _said(parameter.help, language)
            if not parameter.is_flag and not isinstance(parameter.type, click.Choice):
                word = parameter.type.name.upper()
                parameter.metavar = spanish.HELP.get(word, word) if language == "es" else word
        elif not isinstance(parameter.type, click.Choice):
            word = (parameter.name or "").upper()
            parameter.metavar = spanish.HELP.get(word, word) if language == "es" else word
    if isinstance(command, click.Group):
        command.subcommand_metavar = _said(command.subcommand_metavar, language) or ""
        for below in command.commands.values():
            _put(below, language)


def _said(text: str | None, language: str) -> str | None:
    if text is None:
        return None
    plain = " ".join(text.split())
    return (spanish.HELP if language == "es" else _ENGLISH).get(plain, text)
