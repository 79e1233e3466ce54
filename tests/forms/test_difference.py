"""Two versions of a form: what changed, and what is said of it before it is published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms import versions, workbook, xform
from forms.difference import (
    AnswerChange,
    ChoiceChange,
    Difference,
    KindChange,
    Move,
    TypeChange,
    column_type,
    compare,
)
from forms.problems import Finding
from forms.schema import Field, Schema, Type


@dataclass(frozen=True)
class Version:
    """A form with what its workbook says of earlier names."""

    schema: Schema
    was: dict[str, str]
    choices_were: dict[str, dict[str, str]]
    rows: dict[str, int]


def form(survey: str, choices: str = "", form_id: str = "f") -> Version:
    """A workbook: rows `type | name | was` and `list | code | label | was`, one a line, the last cells left out at will."""
    asked = "\n".join(f"| | {row} | x |" for row in rows(survey, 3))
    listed = "\n".join(f"| | {row} |" for row in rows(choices, 4))
    book = f"| survey |\n| | type | name | was | label |\n{asked}\n"
    if listed:
        book += f"| choices |\n| | list_name | name | label::Español (es) | was |\n{listed}\n"
    book += f"| settings |\n| | form_id | version |\n| | {form_id} | 1 |\n"
    compiled = workbook.compile(book.encode(), "f.md")
    return Version(
        xform.read(compiled.xml),
        {path: mark.was for path, mark in compiled.marks.items() if mark.was},
        {name: dict(codes) for name, codes in compiled.choices_were.items()},
        dict(compiled.rows),
    )


def rows(text: str, width: int) -> list[str]:
    """The lines of `text`, each filled up to `width` cells."""
    return [" | ".join((line.split(" | ") + [""] * width)[:width]) for line in text.splitlines()]


def difference(before: Version, after: Version) -> Difference:
    return compare(before.schema, after.schema, renamed=after.was, choices_renamed=after.choices_were, rows=after.rows)


def said(before: Version, after: Version, language: str = "en") -> list[tuple[str, str]]:
    """Errors and warnings."""
    return [
        (finding.severity, finding.say(language)) for finding in checked(before, after) if finding.severity != "note"
    ]


def noted(before: Version, after: Version, language: str = "en", **known: Any) -> list[str]:
    return [finding.say(language) for finding in checked(before, after, **known) if finding.severity == "note"]


def checked(before: Version, after: Version, **known: Any) -> tuple[Finding, ...]:
    return versions.check(
        before.schema, after.schema, after.was, choices_renamed=after.choices_were, rows=after.rows, **known
    )


# ---------------------------------------------------------------- added, removed, renamed


def test_version_without_changes_has_no_difference() -> None:
    one = form("integer | edad\nbegin_repeat | r\ntext | a\nend_repeat")
    assert difference(one, one) == Difference()
    assert said(one, one) == []


def test_first_version_has_nothing_to_say() -> None:
    assert versions.check(None, form("integer | edad").schema) == ()


def test_questions_are_added_and_removed() -> None:
    before = form("integer | edad\ntext | apodo")
    after = form("integer | edad\nbegin_group | g\ndate | dia\nend_group")
    assert difference(before, after) == Difference(added=("/g", "/g/dia"), removed=("/apodo",))
    assert said(before, after) == [
        ("warning", "sheet survey: Questions that are gone: /apodo. Their stored answers are kept.")
    ]
    assert said(before, after, "es") == [
        ("warning", "hoja survey: Preguntas que ya no están: /apodo. Sus respuestas guardadas se conservan.")
    ]


@pytest.mark.parametrize("was", ["sobrenombre", "/g/sobrenombre", "g/sobrenombre", "/data/g/sobrenombre"])
def test_renamed_question_continues(was: str) -> None:
    before = form("begin_group | g\ntext | sobrenombre\nend_group")
    after = form(f"begin_group | g\ntext | apodo | {was}\nend_group")
    assert difference(before, after) == Difference(renamed=(("/g/sobrenombre", "/g/apodo"),))
    assert said(before, after) == []


def test_renamed_question_continues_in_another_group() -> None:
    before = form("text | apodo\ninteger | edad")
    after = form("begin_group | g\ntext | apodo | apodo\nend_group\ninteger | edad")
    assert difference(before, after) == Difference(added=("/g",), renamed=(("/apodo", "/g/apodo"),))


def test_renamed_repeat_takes_what_it_holds_with_it() -> None:
    before = form("begin_repeat | r\nbegin_group | g\ninteger | a\nend_group\nend_repeat")
    after = form("begin_repeat | s | r\nbegin_group | g\ndecimal | a\ntext | b\nend_group\nend_repeat")
    assert difference(before, after) == Difference(
        added=("/s/g/b",),
        renamed=(("/r", "/s"), ("/r/g", "/s/g"), ("/r/g/a", "/s/g/a")),
        types=(TypeChange(before="/r/g/a", after="/s/g/a", before_type="int", after_type="decimal", column="decimal"),),
    )


def test_rename_left_in_the_workbook_has_no_effect() -> None:
    stored = form("text | apodo | sobrenombre\ntext | otro")
    assert difference(stored, stored) == Difference()
    brought_back = form("text | apodo | sobrenombre\ntext | otro\ntext | sobrenombre")
    assert difference(stored, brought_back) == Difference(added=("/sobrenombre",))
    assert said(brought_back, stored) == [
        ("warning", "sheet survey: Questions that are gone: /sobrenombre. Their stored answers are kept.")
    ]


def test_names_that_two_questions_exchange_are_an_error() -> None:
    stored, swapped = form("text | a\ntext | b"), form("text | a | b\ntext | b | a")

    assert said(stored, swapped) == [
        (
            "error",
            "sheet survey, row 2, column was: “/a” and “/b” exchange their names. Phones with the former version still "
            "send the names of before, and the answers would be mixed up: give both names that the form has not used.",
        )
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            "text | a",
            "text | a\ntext | b | nada",
            [
                (
                    "warning",
                    "sheet survey, row 3, column was: “b” says that it was “nada”, but the stored form has no “nada”: it "
                    "will be new.",
                )
            ],
        ),
        (
            "text | a",
            "text | a\ntext | b | a",
            [
                (
                    "error",
                    "sheet survey, row 3, column was: “b” says that it was “a”, but “a” is still in the form or already has "
                    "another new name.",
                )
            ],
        ),
        (
            "text | a",
            "text | b | a\ntext | c | a",
            [
                (
                    "error",
                    "sheet survey, row 3, column was: “c” says that it was “a”, but “a” is still in the form or already has "
                    "another new name.",
                )
            ],
        ),
        (
            "begin_group | g\ntext | a\nend_group\nbegin_group | h\ntext | a\nend_group",
            "text | b | a",
            [
                (
                    "error",
                    "sheet survey, row 2, column was: “a” may be any of these: /g/a, /h/a. Write the full path of one "
                    "of them in “was”.",
                ),
                ("warning", "sheet survey: Questions that are gone: /g/a, /h/a. Their stored answers are kept."),
            ],
        ),
        (
            "begin_group | g\ntext | a\nend_group",
            "text | a | g\ntext | x",
            [
                (
                    "error",
                    "sheet survey, row 2, column was: “a” says that it was “g”, but one is a question and the other a "
                    "group or a repeat.",
                ),
                (
                    "warning",
                    "sheet survey, row 2: “/g/a” is gone and “/a” is new: it will be another column. If it is the same "
                    "question, write “/g/a” in the column “was” of the sheet “survey”.",
                ),
            ],
        ),
    ],
)
def test_rename_that_cannot_be_followed_is_said(before: str, after: str, expected: list[tuple[str, str]]) -> None:
    assert said(form(before), form(after)) == expected


def test_rename_prefers_the_question_that_is_gone() -> None:
    before = form("begin_group | g\ntext | a\nend_group\ntext | a")
    after = form("begin_group | g\ntext | a\nend_group\ntext | b | a")
    assert difference(before, after) == Difference(renamed=(("/a", "/b"),))


def test_question_in_another_group_is_asked_about() -> None:
    before = form("text | apodo\ntext | x")
    after = form("begin_group | g\ntext | apodo\nend_group\ntext | x")
    assert difference(before, after) == Difference(
        added=("/g", "/g/apodo"), removed=("/apodo",), alike=(("/apodo", "/g/apodo"),)
    )
    assert said(before, after, "es") == [
        (
            "warning",
            "hoja survey, fila 3: «/apodo» ya no está y «/g/apodo» es nueva: será otra columna. Si es la misma pregunta, "
            "escriba «/apodo» en la columna «was» de la hoja «survey».",
        )
    ]


def test_what_is_new_is_noted() -> None:
    before = form("text | a\nselect_one z | s", "z | 1 | Uno")
    after = form(
        "text | a\nselect_one z | s\nbegin_group | g\ndate | dia\nend_group\nbegin_repeat | r\ninteger | n\nend_repeat",
        "z | 1 | Uno\nz | 2 | Dos",
    )

    assert noted(before, after) == [
        "sheet choices: New options in /s: 2.",
        "sheet survey: New questions: /g/dia (date), /r/n (whole number).",
        "sheet survey: New repeats: /r.",
    ]
    assert noted(before, after, "es") == [
        "hoja choices: Opciones nuevas en /s: 2.",
        "hoja survey: Preguntas nuevas: /g/dia (fecha), /r/n (número entero).",
        "hoja survey: Repeticiones nuevas: /r.",
    ]


def test_question_that_comes_back_is_told_from_a_new_one() -> None:
    assert noted(form("text | a"), form("text | a\ntext | b\ntext | c"), stored={"/a", "/b"}) == [
        "sheet survey: New questions: /c (text).",
        "sheet survey: Questions that come back: /b. The answers that they had already are kept.",
    ]


def test_honoured_renames_are_noted_once_for_all_that_a_group_holds() -> None:
    before = form(
        "text | a\nbegin_repeat | r\nbegin_group | g\ninteger | n\ninteger | m\nend_group\nend_repeat\ntext | x"
    )
    after = form(
        "text | b | a\nbegin_repeat | s | r\nbegin_group | h | g\ninteger | n\ninteger | o | m\nend_group\nend_repeat\n"
        "geopoint | y | x"
    )

    assert noted(before, after) == [
        "sheet survey, row 2, column was: “/b” was “/a” before: its answers stay in the same column.",
        "sheet survey, row 3, column was: “/s” was “/r” before: its rows stay in the same table.",
        "sheet survey, row 4, column was: “/s/h” was “/r/g” before: what it holds goes on.",
        "sheet survey, row 6, column was: “/s/h/o” was “/r/g/m” before: its answers stay in the same column.",
        "sheet survey, row 9, column was: “/y” was “/x” before.",
    ]
    assert noted(before, after, "es")[0] == (
        "hoja survey, fila 2, columna was: «/b» antes era «/a»: sus respuestas siguen en la misma columna."
    )


def test_rename_that_skips_a_version_is_noted_and_no_new_question() -> None:
    assert noted(form("text | a"), form("text | a\ntext | c"), late={"/c": "/b"}) == [
        "sheet survey, row 3, column was: “/c” continues the former “/b”, which the last version did not have."
    ]


# ---------------------------------------------------------------- types


@pytest.mark.parametrize(
    ("before", "after", "column"),
    [
        ("int", "int", "int"),
        ("int", "decimal", "decimal"),
        ("int", "string", "string"),
        ("decimal", "string", "string"),
        ("decimal", "int", "decimal"),
        ("string", "barcode", "string"),
        ("binary", "string", "string"),
        ("int", "barcode", "string"),
        ("string", "int", None),
        ("date", "string", None),
        ("date", "dateTime", None),
        ("boolean", "int", None),
        ("geopoint", "geotrace", None),
    ],
)
def test_column_takes_both_types_where_nothing_is_lost(before: Type, after: Type, column: Type | None) -> None:
    assert column_type(before, after) == column


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            "integer",
            "decimal",
            [
                (
                    "warning",
                    "sheet survey, row 2: “/q” was whole number and now is decimal number: its column becomes of that type "
                    "and the stored answers are kept.",
                )
            ],
        ),
        (
            "integer",
            "date",
            [
                (
                    "warning",
                    "sheet survey, row 2: “/q” was whole number and now is date: it gets a new column, and the stored "
                    "answers stay in the old one.",
                )
            ],
        ),
    ],
)
def test_type_change_is_said(before: str, after: str, expected: list[tuple[str, str]]) -> None:
    assert said(form(f"{before} | q"), form(f"{after} | q")) == expected


def test_type_change_within_a_column_is_noted() -> None:
    assert noted(form("decimal | q"), form("integer | q")) == [
        "sheet survey, row 2: “/q” was decimal number and now is whole number: it stays in the same column, which is of "
        "decimal number."
    ]
    assert noted(form("text | q"), form("barcode | q"), "es") == [
        "hoja survey, fila 2: «/q» era texto y ahora es código de barras: sigue en la misma columna, que es de texto."
    ]
    assert noted(form("barcode | q"), form("photo | q"), "es") == [
        "hoja survey, fila 2: «/q» era código de barras y ahora es archivo: sigue en la misma columna."
    ]


def test_type_change_without_room_gets_its_own_column() -> None:
    found = difference(form("text | q"), form("geopoint | p | q"))
    assert found == Difference(
        renamed=(("/q", "/p"),),
        types=(TypeChange(before="/q", after="/p", before_type="string", after_type="geopoint", column=None),),
    )
    assert found.own_columns == {"/p"}


# ---------------------------------------------------------------- repeats


def test_question_in_another_repeat_gets_its_own_column() -> None:
    before = form("integer | edad\nbegin_repeat | r\ntext | a\nend_repeat")
    after = form("begin_repeat | r\ntext | a\ninteger | edad | edad\nend_repeat")
    found = difference(before, after)
    assert found == Difference(
        renamed=(("/edad", "/r/edad"),),
        moved=(Move(before="/edad", after="/r/edad", before_table="", after_table="/r"),),
    )
    assert found.own_columns == {"/r/edad"}
    assert said(before, after) == [
        (
            "warning",
            "sheet survey: Questions that move from the form to the repeat “/r”: /r/edad. They get new columns, and the "
            "stored answers stay where they were.",
        )
    ]


def test_group_that_becomes_a_repeat_moves_its_questions() -> None:
    before = form("begin_group | g\ntext | a\nbegin_repeat | r\ntext | b\nend_repeat\nend_group")
    after = form("begin_repeat | g\ntext | a\nbegin_repeat | r\ntext | b\nend_repeat\nend_repeat")
    assert difference(before, after) == Difference(
        kinds=(KindChange(before="/g", after="/g", before_kind="group", after_kind="repeat"),),
        moved=(Move(before="/g/a", after="/g/a", before_table="", after_table="/g"),),
    )
    assert [severity for severity, _ in said(before, after)] == ["warning", "warning"]


@pytest.mark.parametrize("section", ["group", "repeat"])
def test_section_that_becomes_a_question_is_refused(section: str) -> None:
    before = form(f"begin_{section} | q\ntext | a\nend_{section}")
    after = form("text | q")
    word = {"group": "a group", "repeat": "a repeat"}[section]
    assert said(before, after) == [
        (
            "error",
            f"sheet survey, row 2: “/q” was {word} and now is a question. Give it another name: one name cannot store both.",
        ),
        ("warning", "sheet survey: Questions that are gone: /q/a. Their stored answers are kept."),
    ]
    assert said(after, before)[0][0] == "error"


def test_form_with_another_id_is_refused() -> None:
    assert said(form("text | q"), form("text | q", form_id="g")) == [
        (
            "error",
            "sheet settings: The form is “f” (form_id) and the new file says “g”. Correct the form_id, or publish the file "
            "as another form.",
        )
    ]


# ---------------------------------------------------------------- options


def test_options_are_added_removed_and_renamed() -> None:
    survey = "select_one sn | a\nselect_multiple sn | b"
    before = form(survey, "sn | si | Sí\nsn | no | No\nsn | ns | No sabe")
    after = form(survey, "sn | si | Sí\nsn | nr | No responde\nsn | dk | No  SABE | ns")
    assert difference(before, after) == Difference(
        choices=(
            ChoiceChange(paths=("/a", "/b"), list_name="sn", added=("nr",), removed=("no",), renamed=(("ns", "dk"),)),
        )
    )
    assert said(before, after) == [
        (
            "warning",
            "sheet choices: Options that are gone from /a, /b: no. The answers stored with them are kept.",
        ),
        (
            "warning",
            "sheet choices: Options of /a, /b with another code: ns → dk. The stored answers keep the former code.",
        ),
    ]


def test_options_with_another_text_are_said() -> None:
    before = form("select_one z | a", "z | 1 | Norte\nz | 2 | Sur")
    after = form("select_one z | a", "z | 1 | Sur\nz | 2 | sur")
    assert difference(before, after) == Difference(
        choices=(ChoiceChange(paths=("/a",), list_name="z", relabelled=(("1", "Norte", "Sur"),)),)
    )
    assert said(before, after, "es") == [
        (
            "warning",
            "hoja choices: Opciones de /a con otro texto: 1 (“Norte” → “Sur”). Si significan otra cosa, deles otro código: "
            "las respuestas guardadas se leerán con el texto nuevo.",
        )
    ]


def test_options_beyond_a_dozen_are_counted() -> None:
    many = "\n".join(f"z | c{number} | Opción {number}" for number in range(15))
    before, after = form("select_one z | a", many), form("select_one z | a", "z | x | X")
    [(_, sentence)] = said(before, after)
    assert sentence == (
        "sheet choices: Options that are gone from /a: c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11 and 3 more. The "
        "answers stored with them are kept."
    )


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (
            "z | c | C | nada",
            "In the list “z”, the option “c” says that it was “nada”, but the stored form has no “nada”.",
        ),
        (
            "z | c | C | a",
            "In the list “z”, the option “c” says that it was “a”, but “a” is still in the list or already has another new "
            "code.",
        ),
    ],
)
def test_option_rename_that_cannot_be_followed_is_said(row: str, expected: str) -> None:
    before = form("select_one z | q", "z | a | A\nz | b | B | x")
    after = form("select_one z | q", f"z | a | A\nz | b | B | x\n{row}")
    assert said(before, after) == [("warning", f"sheet choices, column was: {expected}")]


def test_question_answered_in_another_way_is_said() -> None:
    listed = "sn | s | Sí"
    before, after = form("select_one sn | q", listed), form("select_multiple sn | q", listed)
    assert difference(before, after) == Difference(
        answers=(AnswerChange(before="/q", after="/q", before_answer="one", after_answer="several"),)
    )
    assert said(before, after) == [
        (
            "warning",
            "sheet survey, row 2: “/q” was answered with one option and now with several options: the stored answers stay as "
            "they are.",
        )
    ]


def test_findings_put_errors_first() -> None:
    before = form("text | a\ninteger | b")
    after = form("text | c | a\ntext | d | a\ndate | b")
    assert [(finding.severity, finding.row) for finding in checked(before, after)] == [
        ("error", 3),
        ("warning", 4),
        ("note", None),
        ("note", 2),
    ]


# ---------------------------------------------------------------- any two versions


def schema_of(paths: set[str], repeats: set[str]) -> Schema:
    """A form with a question at each path, in the groups (or repeats) that the paths need."""
    sections = {path.rpartition("/")[0] for path in paths} - {""}
    sections |= {section.rpartition("/")[0] for section in sections} - {""}
    fields = [
        Field(path=path, name=path.rpartition("/")[2], kind="repeat" if path in repeats else "group")
        if path in sections
        else Field(path=path, name=path.rpartition("/")[2], kind="question", type="string")
        for path in sorted(paths | sections)
    ]
    return Schema(form_id="f", version="1", title="F", root="data", fields=tuple(fields))


NAMES = st.sampled_from("abc")
PATHS = st.lists(NAMES, min_size=1, max_size=3).map(lambda names: "/" + "/".join(names))
SCHEMAS = st.builds(schema_of, st.sets(PATHS, min_size=1, max_size=8), st.sets(PATHS, max_size=3))


@given(SCHEMAS, SCHEMAS, st.dictionaries(PATHS, NAMES | PATHS, max_size=5))
def test_every_field_of_any_two_versions_is_kept_renamed_added_or_removed(
    before: Schema, after: Schema, was: dict[str, str]
) -> None:
    found = compare(before, after, renamed=was)
    renamed_from, renamed_to = [old for old, _ in found.renamed], [new for _, new in found.renamed]
    kept = [path for path in after.by_path if path not in found.added and path not in renamed_to]
    assert sorted([*kept, *renamed_from, *found.removed]) == sorted(before.by_path)
    assert sorted([*kept, *renamed_to, *found.added]) == sorted(after.by_path)
    assert not before.by_path.keys() & set(renamed_to)
