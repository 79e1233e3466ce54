"""Mistakes: what is wrong with an expression, where, and a way out."""

from __future__ import annotations

from dataclasses import dataclass

from forms.problems import Sentence


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing wrong with an expression. `at` counts the characters before it; `sentence` ends with the way out."""

    sentence: Sentence
    at: int


class MistakenError(ValueError):
    """An expression that nobody can compute; `mistakes` are in the order in which they stand."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("; ".join(mistake.sentence.en for mistake in mistakes))
        self.mistakes = mistakes


def mistaken(at: int, es: str, en: str) -> MistakenError:
    """One mistake, to be raised."""
    return MistakenError((Mistake(Sentence(es, en), at),))
