"""Parser: the text of an expression as nodes. The grammar is XPath 1.0's expressions (W3C, 1999) with XLSForm's `${name}`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput, VisitError

from forms.expressions.mistakes import MistakenError, mistaken
from forms.expressions.nodes import Call, Node, Number, Parameter, Path, Reference, Text

MAX_LENGTH: Final = 20_000
"""Characters of one expression; longer than what an Excel cell holds is no accident."""
MAX_DEPTH: Final = 60
"""Brackets within brackets."""

_GRAMMAR: Final = r"""
?start: either
?either: both | either OR both -> binary
?both: equality | both AND equality -> binary
?equality: relation | equality EQUAL relation -> binary
?relation: sum | relation ORDER sum -> binary
?sum: product | sum SIGN product -> binary
?product: negation | product TIMES negation -> binary
?negation: union | SIGN negation -> negative
?union: operand | union "|" operand -> union
?operand: primary | path
?primary: NUMBER -> number
        | TEXT -> text
        | REFERENCE -> reference
        | PARAMETER -> parameter
        | call
        | "(" either ")"
call: FUNCTION "(" (either ("," either)*)? ")"
path: SLASH? step (SLASH step)* -> path
    | call predicate+ (SLASH step)* -> path
    | call SLASH step (SLASH step)* -> path
    | REFERENCE predicate+ (SLASH step)* -> path
    | REFERENCE SLASH step (SLASH step)* -> path
    | SLASH -> path
step: STEP predicate*
predicate: "[" either "]"

OR.2: /or(?![\w.\-])/
AND.2: /and(?![\w.\-])/
EQUAL.2: "=" | "!="
ORDER.2: "<=" | "<" | ">=" | ">"
SIGN.2: "+" | "-"
TIMES.2: "*" | /div(?![\w.\-])/ | /mod(?![\w.\-])/
SLASH: "//" | "/"
NUMBER.3: /[0-9]+(\.[0-9]*)?|\.[0-9]+/
TEXT: /"[^"]*"|'[^']*'/
REFERENCE: /\$\{\s*[^{}]*?\s*\}/
PARAMETER: /\{\s*[^{}]*?\s*\}/
FUNCTION.3: /[^\W\d][\w.\-]*(:[^\W\d][\w.\-]*)?(?=\s*\()/
STEP.1: /\.\.|\.|\*|(@|[^\W\d][\w\-]*::)?([^\W\d][\w.\-]*:)?([^\W\d][\w.\-]*|\*)/

%ignore /\s+/
"""
_PARSER: Final = Lark(_GRAMMAR, parser="lalr", lexer="contextual")
_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}
_CURLY: Final = frozenset("‘’‚“”„«»")


@lru_cache(maxsize=4096)
def parse(text: str) -> Node:
    """The expression in `text`. Raises MistakenError."""
    require_balance(text)
    try:
        return _read(_PARSER.parse(text))
    except RecursionError:
        raise mistaken(
            0, "la expresión es demasiado larga: divídala.", "the expression is too long: divide it."
        ) from None
    except UnexpectedInput as error:
        raise _unexpected(text, error) from None


def _read(tree: Any) -> Node:
    try:
        node: Node = _Reader().transform(tree)
    except VisitError as error:
        if isinstance(error.orig_exc, MistakenError | RecursionError):
            raise error.orig_exc from None
        raise
    return node


@v_args(inline=True)
class _Reader(Transformer[Token, Any]):
    """lark's tree as nodes."""

    def number(self, token: Token) -> Node:
        return Number(float(token), _start(token))

    def text(self, token: Token) -> Node:
        return Text(token[1:-1], _start(token))

    def reference(self, token: Token) -> Node:
        return Reference(token[2:-1].strip(), _start(token))

    def parameter(self, token: Token) -> Node:
        return Parameter(token[1:-1].strip(), _start(token))

    def call(self, name: Token, *arguments: Node) -> Node:
        return Call(str(name), arguments, _start(name))

    def binary(self, left: Node, operator: Token, right: Node) -> Node:
        return Call(str(operator), (left, right), _start(operator))

    def negative(self, sign: Token, operand: Node) -> Node:
        if sign == "+":
            raise mistaken(
                _start(sign),
                "un «+» no va delante de un valor: quítelo.",
                "a “+” cannot stand before a value: remove it.",
            )
        return Call("neg", (operand,), _start(sign))

    def union(self, left: Node, right: Node) -> Node:
        return Path("|", (left, right), left.at)

    def step(self, token: Token, *predicates: Node) -> tuple[Token, tuple[Node, ...]]:
        return token, predicates

    def predicate(self, inside: Node) -> Node:
        return inside

    def path(self, *parts: Any) -> Node:
        written: list[str] = []
        inside: list[Node] = []
        at = -1
        for part in parts:
            if isinstance(part, tuple):
                token, predicates = part
                written.append(str(token))
                inside.extend(predicates)
                start = _start(token)
            elif isinstance(part, Token):
                written.append(str(part))
                start = _start(part)
                if part.type == "REFERENCE":
                    inside.append(Reference(part[2:-1].strip(), start))
            else:
                inside.append(part)
                start = part.at
                if isinstance(part, Call) and at < 0:
                    written.append(f"{part.function}()")
            at = start if at < 0 else at
        return Path("".join(written), tuple(inside), at)


def _start(token: Token) -> int:
    return token.start_pos or 0


def require_balance(text: str) -> None:
    """Say of brackets and quotes what a grammar cannot say well. Raises MistakenError."""
    if not text.strip():
        raise mistaken(0, "la expresión está vacía.", "the expression is empty.")
    if len(text) > MAX_LENGTH:
        raise mistaken(
            0,
            f"la expresión tiene más de {MAX_LENGTH} caracteres.",
            f"the expression is longer than {MAX_LENGTH} characters.",
        )
    waiting: list[tuple[str, int]] = []
    position = 0
    while position < len(text):
        character = text[position]
        if character in "'\"":
            end = text.find(character, position + 1)
            if end < 0:
                raise mistaken(
                    position,
                    f"falta la comilla {character} que cierra el texto que empieza en «{_excerpt(text, position)}».",
                    f"the quote {character} that ends the text beginning at “{_excerpt(text, position)}” is missing.",
                )
            position = end
        elif character in _CURLY:
            raise mistaken(
                position,
                f"la comilla {character} no es recta: escriba ' o \" (Excel las cambia solo).",
                f"the quote {character} is not straight: write ' or \" (Excel changes them by itself).",
            )
        elif character in _CLOSING:
            waiting.append((character, position))
            if len(waiting) > MAX_DEPTH:
                raise mistaken(
                    position,
                    f"hay más de {MAX_DEPTH} paréntesis anidados.",
                    f"more than {MAX_DEPTH} brackets are nested.",
                )
        elif character in _CLOSING.values():
            if not waiting or _CLOSING[waiting[-1][0]] != character:
                raise mistaken(
                    position,
                    f"sobra «{character}» después de «{_excerpt_before(text, position)}», o falta el que lo abre.",
                    f"one “{character}” is too many after “{_excerpt_before(text, position)}”, or its beginning is missing.",
                )
            waiting.pop()
        position += 1
    if waiting:
        character, position = waiting[-1]
        raise mistaken(
            position,
            f"falta «{_CLOSING[character]}» para cerrar «{_excerpt(text, position)}».",
            f"“{_CLOSING[character]}” is missing to close “{_excerpt(text, position)}”.",
        )


def _unexpected(text: str, error: UnexpectedInput) -> MistakenError:
    at = error.pos_in_stream if error.pos_in_stream is not None and 0 <= error.pos_in_stream < len(text) else len(text)
    token = getattr(error, "token", None)
    if token is not None and token.type == "$END":
        at = len(text)
    if at >= len(text):
        return mistaken(
            len(text),
            f"termina antes de tiempo, después de «{_excerpt_before(text, len(text))}».",
            f"it ends too early, after “{_excerpt_before(text, len(text))}”.",
        )
    before = _excerpt_before(text, at)
    if text[at : at + 2] in ("==", "&&", "||", "<>") or text[at - 1 : at + 1] in ("==", "<>"):
        hint = ("los operadores son = != < <= > >= and or.", "the operators are = != < <= > >= and or.")
    elif text[at] == ";":
        hint = ("los argumentos se separan con coma.", "arguments are separated by commas.")
    elif text[at] == "%":
        hint = ("el resto de una división es «mod».", "the remainder of a division is “mod”.")
    else:
        hint = ("revise si falta un operador, una coma o ${ }.", "see whether an operator, a comma or ${ } is missing.")
    after = (f" después de «{before}»", f" after “{before}”") if before else (" al comienzo", " at the beginning")
    return mistaken(
        at,
        f"no se entiende «{_excerpt(text, at)}»{after[0]}: {hint[0]}",
        f"“{_excerpt(text, at)}” makes no sense{after[1]}: {hint[1]}",
    )


def _excerpt(text: str, at: int) -> str:
    return text[at : at + 20].strip() + ("…" if len(text) > at + 20 else "")


def _excerpt_before(text: str, at: int) -> str:
    return ("…" if at > 20 else "") + text[max(0, at - 20) : at].strip()
