"""Checking: one expression being checked: its scope, its mistakes so far, and how a value becomes one of another kind."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from forms.expressions.mistakes import Mistake
from forms.expressions.nodes import Call, Node, Number, Parameter, Path, Reference, Text
from forms.expressions.scope import Scope, is_loose, kind_of
from forms.expressions.tree import Answer, Apply, Constant, Input, Kind, Tree
from forms.problems import Sentence
from forms.schema import Field

WORDS: Final[Mapping[Kind, Sentence]] = {
    "number": Sentence("un número", "a number"),
    "text": Sentence("un texto", "a text"),
    "choices": Sentence("una selección múltiple", "a multiple selection"),
    "date": Sentence("una fecha", "a date"),
    "moment": Sentence("una fecha con hora", "a date with time"),
    "time": Sentence("una hora", "a time"),
    "boolean": Sentence("sí o no", "yes or no"),
    "point": Sentence("un punto GPS", "a GPS point"),
    "shape": Sentence("una línea o área", "a line or area"),
}
_OPERATORS: Final = frozenset(("and", "or", "neg", "div", "mod"))


class Checking:
    """Reads nodes by the handlers of their functions. None stands for what could not be read; `mistakes` says why."""

    def __init__(self, scope: Scope, handlers: Mapping[str, Handler]) -> None:
        self.mistakes: list[Mistake] = []
        self.scope = scope
        self._handlers = handlers

    def read(self, node: Node) -> Tree | None:
        """The tree of a node."""
        if isinstance(node, Number):
            return Constant("number", node.value)
        if isinstance(node, Text):
            return Constant("text", node.value)
        if isinstance(node, Reference):
            return self._answer(node)
        if isinstance(node, Parameter):
            return self._input(node)
        if isinstance(node, Path):
            self.no(
                node,
                f"la ruta «{node.text}» no se admite aquí: nombre la pregunta con ${{nombre}}.",
                f"the path “{node.text}” is not accepted here: name the question by ${{name}}.",
            )
            return None
        handler = self._handlers.get(node.function)
        if handler is None:
            self._unknown(node)
            return None
        return handler(self, node)

    def convert(self, tree: Tree, node: Node, wanted: Kind) -> Tree | None:
        """`tree` as a value of the wanted kind, where that can be meant."""
        kind = tree.kind
        if kind == wanted or (wanted == "text" and kind == "choices"):
            return tree
        if isinstance(tree, Constant) and tree.value == "" and kind == "text":
            return Constant(wanted, None)
        if wanted == "number":
            if is_unsure(tree):
                return Apply("number", (tree,), "number")
            if kind in ("date", "boolean"):
                return Apply("days" if kind == "date" else "bit", (tree,), "number")
        elif wanted == "boolean" and kind == "number":
            return Apply("ne", (tree, Constant("number", 0.0)), "boolean")
        elif wanted == "text" and kind in ("number", "date"):
            return Apply("text", (tree,), "text")
        elif wanted == "date":
            if kind == "moment" and isinstance(tree, Answer):
                return Apply("day", (tree,), "date")
            if is_unsure(tree):
                return Apply("date", (tree,), "date")
        self.unfit(node, tree, wanted)
        return None

    def within_group(self) -> Checking:
        """The same, for what is asked of each row of a group."""
        return Checking(replace(self.scope, grouped=False), self._handlers)

    # what is wrong

    def no(self, node: Node, es: str, en: str) -> None:
        """Note a mistake."""
        self.mistakes.append(Mistake(Sentence(es, en), node.at))

    def unfit(self, node: Node, tree: Tree, wanted: Kind) -> None:
        """Note that a value of another kind is needed."""
        es, en = (
            f"se necesita {WORDS[wanted].es} y aquí hay {WORDS[tree.kind].es}",
            f"{WORDS[wanted].en} is needed, and here is {WORDS[tree.kind].en}",
        )
        ways: Mapping[tuple[Kind, Kind], Sentence] = {
            ("number", "text"): Sentence("conviértalo con number()", "convert it by number()"),
            ("number", "choices"): Sentence("cuente con count-selected()", "count by count-selected()"),
            ("number", "moment"): Sentence(
                "tome el día con date(), o reste decimal-date-time()",
                "take the day by date(), or subtract decimal-date-time()",
            ),
            ("boolean", "text"): Sentence("compárelo, por ejemplo = 'yes'", "compare it, for example = 'yes'"),
            ("boolean", "choices"): Sentence("use selected()", "use selected()"),
            ("date", "text"): Sentence("conviértalo con date()", "convert it by date()"),
            ("date", "number"): Sentence("conviértalo con date()", "convert it by date()"),
            ("text", "moment"): Sentence("use format-date()", "use format-date()"),
            ("text", "boolean"): Sentence("use if(…, 'sí', 'no')", "use if(…, 'yes', 'no')"),
        }
        way = ways.get((wanted, tree.kind))
        self.no(node, f"{es}{f': {way.es}' if way else ''}.", f"{en}{f': {way.en}' if way else ''}.")

    def _unknown(self, node: Call) -> None:
        known = [name for name in self._handlers if name[0].isalpha() and name not in _OPERATORS]
        near = next(iter(difflib.get_close_matches(node.function.lower(), known, n=1, cutoff=0.6)), None)
        if near:
            hint = Sentence(f"¿quiso decir {near}()?", f"did you mean {near}()?")
        else:
            hint = Sentence(
                "las que hay: " + ", ".join(sorted(known)) + ".", "those there are: " + ", ".join(sorted(known)) + "."
            )
        self.no(
            node,
            f"no existe la función {node.function}(): {hint.es}",
            f"there is no function {node.function}(): {hint.en}",
        )

    def count(self, node: Call, least: int, most: int | None) -> bool:
        """Whether a function has as many arguments as it takes; else that is noted."""
        given = len(node.arguments)
        if given < least or (most is not None and given > most):
            wanted = str(least) if least == most else f"{least}–{most}" if most is not None else f"{least}+"
            self.no(
                node,
                f"{node.function}() recibe {wanted} argumentos y tiene {given}.",
                f"{node.function}() takes {wanted} arguments and has {given}.",
            )
            return False
        return True

    # names

    def field(self, node: Reference) -> Field | None:
        """What a name means."""
        if self.scope.indicators is not None:
            self.no(
                node,
                f"una fórmula usa indicadores, {{{node.name}}}, y no preguntas, ${{{node.name}}}.",
                f"a formula uses indicators, {{{node.name}}}, and no questions, ${{{node.name}}}.",
            )
            return None
        found = self.scope.find(node.name)
        if not found:
            near = self.scope.nearest(node.name)
            es, en = (f": ¿quiso decir ${{{near}}}?", f": did you mean ${{{near}}}?") if near else (".", ".")
            self.no(
                node,
                f"el formulario no tiene ninguna pregunta «{node.name}»{es}",
                f"the form has no question “{node.name}”{en}",
            )
            return None
        near_ones = [entry for entry in found if self.scope.holds_unit(self.scope.table_of(entry))]
        chosen = near_ones or found
        if len(chosen) > 1:
            self.no(
                node,
                f"hay {len(chosen)} preguntas llamadas «{node.name}»: déles nombres distintos.",
                f"{len(chosen)} questions are named “{node.name}”: give them different names.",
            )
            return None
        return chosen[0]

    def _input(self, node: Parameter) -> Tree | None:
        known = self.scope.indicators
        if known is None:
            self.no(
                node,
                f"{{{node.name}}} nombra un indicador, que solo vale en fórmulas; una pregunta es ${{{node.name}}}.",
                f"{{{node.name}}} names an indicator, which only formulas may; a question is ${{{node.name}}}.",
            )
            return None
        name = node.name.strip()
        if name in known:
            return Input(name)
        near = next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.6)), None)
        es, en = (f": ¿quiso decir {{{near}}}?", f": did you mean {{{near}}}?") if near else (".", ".")
        self.no(node, f"no hay ningún indicador «{name}»{es}", f"there is no indicator “{name}”{en}")
        return None

    def _answer(self, node: Reference) -> Tree | None:
        entry = self.field(node)
        if entry is None:
            return None
        if self.scope.grouped:
            self.no(
                node,
                f"«{node.name}» tiene varios valores en un grupo: use sum(), count(), min() o max().",
                f"“{node.name}” has several values in a group: use sum(), count(), min() or max().",
            )
            return None
        if entry.kind != "question":
            self.no(
                node,
                f"«{node.name}» no es una pregunta: un grupo no tiene respuesta, y una repetición se cuenta con count().",
                f"“{node.name}” is no question: a group has no answer, and a repeat is counted by count().",
            )
            return None
        table = self.scope.table_of(entry)
        if not self.scope.holds_unit(table):
            self.no(
                node,
                f"«{node.name}» se pregunta varias veces, en la repetición {table}: use sum(), count(), min(), max() o "
                "indexed-repeat().",
                f"“{node.name}” is asked several times, in the repeat {table}: use sum(), count(), min(), max() or "
                "indexed-repeat().",
            )
            return None
        return Answer(kind_of(entry), entry.path, table, is_loose(entry))

    def convert_node(self, node: Node, wanted: Kind) -> Tree | None:
        """A node as a value of the wanted kind."""
        tree = self.read(node)
        return None if tree is None else self.convert(tree, node, wanted)

    def apply(self, operation: str, trees: Sequence[Tree | None], kind: Kind) -> Tree | None:
        """An operation, where all that it needs could be read."""
        known = tuple(tree for tree in trees if tree is not None)
        return Apply(operation, known, kind) if len(known) == len(trees) else None

    def operands(self, node: Call) -> tuple[Tree, Tree] | None:
        """Both sides of an operator."""
        left, right = (self.read(argument) for argument in node.arguments)
        return None if left is None or right is None else (left, right)

    def is_option(self, tree: Tree, code: str, at: Node) -> bool:
        """Whether a select may have this answer; true where the choices are not known."""
        if not isinstance(tree, Answer):
            return True
        entry = self.scope.schema.by_path[tree.path]
        options = self.scope.options(entry)
        if options is None or any(option.name == code for option in options):
            return True
        names = [option.name for option in options]
        near = next(iter(difflib.get_close_matches(code, names, n=1, cutoff=0.6)), None)
        shown = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
        es, en = (
            (f"¿quiso decir '{near}'?", f"did you mean '{near}'?")
            if near
            else (f"las que hay: {shown}.", f"those there are: {shown}.")
        )
        self.no(at, f"«{entry.name}» no tiene la opción '{code}': {es}", f"“{entry.name}” has no choice '{code}': {en}")
        return False


Handler = Callable[[Checking, Call], Tree | None]
"""What makes a tree of a call of one function."""


def is_unsure(tree: Tree) -> bool:
    """Whether nobody said of what kind a value is: a calculation's answer."""
    return isinstance(tree, Answer) and tree.loose
