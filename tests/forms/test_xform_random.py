"""Any tree of groups, repeats and questions: every element of the instance becomes one field of the right kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from hypothesis import example, given, settings
from hypothesis import strategies as st

from forms import workbook, xform
from tests.helpers.xforms import xform as written

TYPES = {
    "text": "string",
    "integer": "int",
    "decimal": "decimal",
    "date": "date",
    "time": "time",
    "dateTime": "dateTime",
    "geopoint": "geopoint",
    "geotrace": "geotrace",
    "geoshape": "geoshape",
    "barcode": "barcode",
    "image": "binary",
    "acknowledge": "string",
    "select_multiple sn": "string",
}


@dataclass(frozen=True)
class Tree:
    """A question of a type (no children), a group or a repeat."""

    name: str
    kind: str
    label: str
    children: tuple[Tree, ...] = ()


def trees(names: st.SearchStrategy[str], labels: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[Tree, ...]]:
    def several(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[tuple[Tree, ...]]:
        return st.lists(inner, min_size=1, max_size=4, unique_by=lambda tree: tree.name.lower()).map(tuple)

    questions = st.builds(Tree, names, st.sampled_from(sorted(TYPES)), labels)
    sections = st.sampled_from(["group", "repeat"])
    return several(
        st.recursive(questions, lambda inner: st.builds(Tree, names, sections, labels, several(inner)), max_leaves=12)
    )


NAMES = st.from_regex(r"[a-zñ_][a-z0-9_.\-]{0,6}", fullmatch=True)
PLAIN_NAMES = st.from_regex(r"q[a-z0-9]{1,5}", fullmatch=True)
LABELS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1).filter(
    lambda s: s.strip() == s
)


def repeats(trees: tuple[Tree, ...]) -> Iterator[str]:
    """The name of every repeat at any depth."""
    for tree in trees:
        if tree.kind == "repeat":
            yield tree.name
        yield from repeats(tree.children)


def has_a_table_for_each_repeat(trees: tuple[Tree, ...]) -> bool:
    """Whether no two repeats at any depth share a name, as pyxform asks of a workbook."""
    names = list(repeats(trees))
    return len(names) == len(set(names))


def outline(trees: tuple[Tree, ...], above: str = "") -> Iterator[tuple[str, str, str]]:
    """Path, kind or type, and label of every element, depth first."""
    for tree in trees:
        path = f"{above}/{tree.name}"
        yield path, TYPES.get(tree.kind, tree.kind), tree.label
        yield from outline(tree.children, path)


class Writer:
    """Writes a tree as an XForm in one of the ways in which XForms are written."""

    def __init__(self, draw: st.DataObject) -> None:
        self._draw = draw
        self._binds: list[str] = []

    def write(self, trees: tuple[Tree, ...]) -> bytes:
        answers = "".join(self._answers(tree) for tree in trees)
        body = "".join(self._control(tree, f"/data/{tree.name}") for tree in trees)
        return written(answers, model="".join(self._binds), body=body)

    def _maybe(self) -> bool:
        return self._draw.draw(st.booleans())

    def _answers(self, tree: Tree) -> str:
        inside = "".join(self._answers(child) for child in tree.children)
        template = ""
        if tree.kind == "repeat" and self._maybe():
            template = f'<{tree.name} jr:template="">{inside}</{tree.name}>'
        return f"{template}<{tree.name}>{inside}</{tree.name}>"

    def _control(self, tree: Tree, path: str) -> str:
        ref = quoteattr(tree.name if self._maybe() else path)
        label = f"<label>{escape(tree.label)}</label>"
        inside = "".join(self._control(child, f"{path}/{child.name}") for child in tree.children)
        if tree.kind == "group":
            return f"<group ref={ref}>{label}{inside}</group>"
        if tree.kind == "repeat":
            if self._maybe():
                return f"<repeat nodeset={ref}>{label}{inside}</repeat>"
            return f"<group>{label}<repeat nodeset={ref}>{inside}</repeat></group>"
        prefix = self._draw.draw(st.sampled_from(["", "xsd:", "odk:"]))
        relative = path.removeprefix("/data/") if self._maybe() else path
        self._binds.append(f'<bind nodeset={quoteattr(relative)} type="{prefix}{TYPES[tree.kind]}"/>')
        element = {"image": "upload", "acknowledge": "trigger", "select_multiple sn": "select"}.get(tree.kind, "input")
        return f"<{element} ref={ref}>{label}</{element}>"


@given(trees(NAMES, LABELS), st.data())
@settings(max_examples=100)
def test_xform_of_any_tree_gives_each_element_once(tree: tuple[Tree, ...], draw: st.DataObject) -> None:
    schema = xform.read(Writer(draw).write(tree))
    assert [(field.path, field.type or field.kind, field.label[""]) for field in schema.fields] == list(outline(tree))


@given(trees(PLAIN_NAMES, st.sampled_from(["Sí", "¿Cuántos?", "Edad en años"])).filter(has_a_table_for_each_repeat))
@example(
    (
        Tree("q0", "acknowledge", "Sí"),
        Tree("q1", "repeat", "Sí", (Tree("q1", "group", "Sí", (Tree("q1", "text", "Sí"),)),)),
    )
)
@settings(max_examples=40)
def test_workbook_of_any_tree_gives_each_row_once(tree: tuple[Tree, ...]) -> None:
    sheet = "\n".join(rows(tree))
    book = f"| survey |\n| | type | name | label |\n{sheet}\n| choices |\n| | list_name | name | label |\n| | sn | s | Sí |\n"
    schema = xform.read(workbook.compile(book.encode(), "arbol.md").xml)
    asked = [(field.path, field.type or field.kind, field.label[""]) for field in schema.fields if field.label]
    assert asked == list(outline(tree))
    assert [field.path for field in schema.fields if not field.label] == ["/meta", "/meta/instanceID"]


def rows(trees: tuple[Tree, ...]) -> Iterator[str]:
    for tree in trees:
        if tree.kind in TYPES:
            yield f"| | {tree.kind} | {tree.name} | {tree.label} |"
        else:
            yield f"| | begin_{tree.kind} | {tree.name} | {tree.label} |"
            yield from rows(tree.children)
            yield f"| | end_{tree.kind} | | |"
