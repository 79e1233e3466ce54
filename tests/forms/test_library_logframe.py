"""The bundled logframe declares the 28 indicators over the bundled forms, in expressions that those forms understand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import pytest

from forms import spreadsheets, tables, xform
from forms.expressions.checks import check, check_formula
from forms.expressions.evaluate import Unit, evaluate
from forms.expressions.scope import Scope
from forms.expressions.tree import Kind
from forms.library import bundled, logframe
from forms.schema import Schema
from tests.forms.test_library import compiled, sheet, table

CODES = [
    *("I1", "I2", "I3", "I4", "I5", "I6"),
    *("R1.1", "R1.2", "R1.3", "R1.4"),
    *("R2.1", "R2.2", "R2.3", "R2.4", "R2.5", "R2.6"),
    *("R3.1", "R3.2", "R3.3", "R3.4", "R3.5", "R3.6", "R3.7", "R3.8", "R3.9", "R3.10", "R3.11", "R3.12"),
]
PARTS = [
    *("I2a", "I2b", "I2c", "I2d", "I2e", "I4h", "I4a", "I5a", "I5b", "I6a", "I6b"),
    *("R2.2a", "R2.2b", "R2.2c", "R2.2d", "R3.2a", "R3.2b", "R3.2c", "R3.4a", "R3.5a", "R3.8a", "R3.11a"),
]
SURVEY_CODES = ["I1", "I2", "I3", "I4", "I5", "I6", "R1.4", "R2.4", "R2.6", "R3.9", "R3.10", "R3.11"]
LANGUAGES = ("Español (es)", "English (en)")
TEXT_COLUMNS = {"label", "definition", "unit"}
SHEETS = ("results", "indicators", "dimensions", "targets", "places", "choices")
OF_THE_TYPE: Mapping[str, Mapping[str, Kind]] = {
    "distinct": {"numerator": "boolean"},
    "percent": {"numerator": "boolean", "denominator": "boolean"},
    "ratio": {"numerator": "number", "denominator": "number"},
    **{name: {"value": "number"} for name in ("sum", "mean", "median")},
}
OF_ALL: Mapping[str, Kind] = {
    **dict.fromkeys(("key", "group", "strata", "psu", "place"), "text"),
    "where": "boolean",
    "weight": "number",
    "date": "date",
}
ROUNDS = "${survey_round}"


@cache
def book() -> spreadsheets.Book:
    return spreadsheets.read(logframe().read_bytes(), logframe().name, SHEETS)


def rows(name: str) -> tuple[Mapping[str, str], ...]:
    return book().sheets[name].rows


@cache
def schemas() -> Mapping[str, Schema]:
    return {form.name: xform.read(compiled(form).xml) for form in bundled()}


@cache
def beneficiaries() -> Schema:
    """The entity list as if it were a form: what the forms save is its questions."""
    saved = {
        field.save_to: replace(field, name=field.save_to, path=f"/{field.save_to}")
        for form in ("ben_followup", "ben_registration")
        for field in schemas()[form].fields
        if field.save_to
    }
    instances = tuple(one for form in ("ben_followup", "ben_registration") for one in schemas()[form].instances)
    return Schema(form_id="", version="", title="", root="", fields=tuple(saved.values()), instances=instances)


def scope(row: Mapping[str, str]) -> Scope:
    over = row.get("over", "")
    if over == "entities:beneficiaries":
        assert "form" not in row
        return Scope(beneficiaries(), periods=True)
    schema = schemas()[row["form"]]
    [unit] = [field.path for field in schema.fields if field.kind == "repeat" and field.name == over] if over else [""]
    return Scope(schema, unit, periods=True)


def form_lists(name: str) -> list[list[tuple[str, ...]]]:
    """What each form that has the list says of it: code and labels."""
    found = [
        [(row["name"], *(row[f"label::{language}"] for language in LANGUAGES)) for row in sheet(form, "choices")
         if row["list_name"] == name]
        for form in bundled()
    ]  # fmt: skip
    return [choices for choices in found if choices]


def own_list(name: str) -> list[tuple[str, ...]]:
    return [
        (row["name"], *(row[f"label::{language}"] for language in LANGUAGES))
        for row in rows("choices")
        if row["list_name"] == name
    ]


def submission(values: Mapping[str, Any]) -> tables.Row:
    return tables.Row(table="", number=1, parent=None, position=1, key="uuid:1", parent_key=None, values=dict(values))


def value(expression: str, form: str, answers: Mapping[str, Any], wanted: Kind | None = None) -> Any:
    """What an expression gives in a submission with these answers and no others."""
    schema = schemas()[form]
    paths = {field.name: field.path for field in schema.fields}
    row = submission({paths[name]: answer for name, answer in answers.items()})
    return evaluate(check(expression, Scope(schema, periods=True), wanted), Unit([row], row))


def cell(name: str, column: str) -> str:
    [row] = [row for row in rows("indicators") if row["name"] == name]
    return row[column]


INDICATORS = pytest.mark.parametrize("row", rows("indicators"), ids=lambda row: row["name"])
DIMENSIONS = pytest.mark.parametrize(
    "row", rows("dimensions"), ids=lambda row: f"{row['name']}-{row.get('form', row.get('over'))}"
)


def test_logframe_declares_the_28_indicators_and_their_parts():
    names = [row["name"] for row in rows("indicators")]

    assert len(CODES) == 28
    assert Counter(names) == Counter([*CODES, *PARTS])
    assert [name for name in names if name in CODES] == CODES


def test_logframe_says_that_it_is_a_demonstration_before_anything_else():
    impact = rows("results")[0]
    readme = spreadsheets.read(logframe().read_bytes(), logframe().name, {"leame"}).sheets["leame"]

    assert book().names == ("leame", *SHEETS)
    assert impact["level"] == "impact"
    assert impact["label::Español (es)"].startswith("(Marco lógico de demostración, no de un proyecto real)")
    assert impact["label::English (en)"].startswith("(Demonstration logframe, not a real project's)")
    assert readme.rows[0] == {"Español": "Marco lógico de demostración", "English": "Demonstration logframe"}


@pytest.mark.parametrize("name", ["results", "indicators", "dimensions", "choices"])
def test_every_text_stands_in_both_languages(name):
    needed = {"label", "definition", "unit"} if name == "indicators" else {"label"}
    wanted = {f"{column}::{language}" for column in needed for language in LANGUAGES}
    translated = {header for header in book().sheets[name].headers if header.partition("::")[0] in TEXT_COLUMNS}

    assert translated == wanted
    assert [row for row in rows(name) if not wanted <= row.keys()] == []


def test_results_are_a_tree_under_one_impact():
    level = {row["name"]: row["level"] for row in rows("results")}
    above = {"outcome": "impact", "output": "outcome"}

    assert Counter(level.values()) == {"impact": 1, "outcome": 3, "output": 4}
    for row in rows("results"):
        assert level.get(row.get("parent", "")) == above.get(row["level"])
    assert {row["result"] for row in rows("indicators")} == set(level)


@INDICATORS
def test_indicator_is_understood_by_its_form(row):
    if row["type"] == "formula":
        others = {other["name"] for other in rows("indicators")} - {row["name"]}
        assert check_formula(row["value"], others).kind == "number"
        assert not {"form", "over", "period", *OF_ALL} & row.keys()
        return
    seen = scope(row)
    own = OF_THE_TYPE[row["type"]]

    kinds = {column: check(row[column], seen, kind).kind for column, kind in OF_ALL.items() if column in row}
    in_group = replace(seen, grouped="group" in row)
    kinds |= {column: check(row[column], in_group, kind).kind for column, kind in own.items() if column in row}

    assert not {"numerator", "denominator", "value"} - own.keys() & row.keys()
    assert own.keys() <= row.keys() or row["name"] == "R3.1"
    assert {"date", "place"} <= kinds.keys()
    if row["period"] == ROUNDS:
        assert check(ROUNDS, seen, "text").kind == "text"
    else:
        assert row["period"] in ("month", "quarter", "semester", "year")


@INDICATORS
def test_indicator_names_what_there_is(row):
    levels = {place["level"] for place in rows("places")}
    over = row.get("over", "")
    here = {(row.get("form"), over)}
    if row["type"] == "formula":
        here = {("hh_baseline", "")}
    elif "join" in row:
        here |= {(None, f"entities:{row['join']}")}
    dimensions = {one["name"] for one in rows("dimensions") if (one.get("form"), one.get("over", "")) in here}

    assert set(row["disaggregate"].split()) <= dimensions | levels
    assert row.get("cohort") in (None, "R3.3")
    assert "key" in row or not {"latest", "join"} & row.keys() - ({"latest"} if "group" in row else set())


@DIMENSIONS
def test_dimension_is_understood_and_its_categories_are_listed(row):
    tree = check(row["expression"], scope(row))
    lists = [own_list(row["list_name"]), *form_lists(row["list_name"])]

    assert tree.kind == ("choices" if row["name"] == "component" else "text")
    assert [choices for choices in lists if choices]
    assert own_list(row["list_name"]) or "form" in row, "no form names the lists of an entity list"


def test_lists_of_the_forms_are_repeated_as_they_are():
    repeated = {name: own_list(name) for name in {row["list_name"] for row in rows("choices")} if form_lists(name)}

    assert sorted(repeated) == ["components", "inst_type", "people", "sex"]
    for name, choices in repeated.items():
        assert all(choices == other for other in form_lists(name))


def test_categories_that_are_computed_are_in_their_lists():
    computed = [row for row in rows("dimensions") if row["expression"].startswith("if(")]

    assert {row["name"] for row in computed} == {"age_group", "indigenous", "disability", "household_disability"}
    for row in computed:
        given = {part for part in row["expression"].split("'")[1::2] if part not in ("", "%Y", "none")}
        assert given == {code for code, *_ in own_list(row["list_name"])}


@pytest.mark.parametrize("form", ["hh_baseline", "ben_registration"])
def test_ages_fall_into_groups_of_the_programme(form):
    [row] = [one for one in rows("dimensions") if (one["name"], one.get("form")) == ("age_group", form)]
    name = {"hh_baseline": "resp_age", "ben_registration": "age"}[form]
    ages = [0, 4, 5, 14, 15, 29, 30, 59, 60, 97]

    assert [value(row["expression"], form, {name: str(age)}) for age in ages] == [
        *("a0_4", "a0_4", "a5_14", "a5_14", "a15_29", "a15_29", "a30_59", "a30_59", "a60", "a60")
    ]
    assert value(row["expression"], form, {}) is None


def test_age_of_a_beneficiary_is_that_of_the_year_in_which_the_period_ends():
    [row] = [
        one for one in rows("dimensions") if (one["name"], one.get("over")) == ("age_group", "entities:beneficiaries")
    ]
    tree = check(row["expression"], scope(row))
    born = submission({"/birth_year": "1997"})

    found = [evaluate(tree, Unit([born], born), period_end=date(year, 6, 30)) for year in (2026, 2027)]
    assert found == ["a15_29", "a30_59"]


@pytest.mark.parametrize(
    ("scores", "index"),
    [
        ({"trust": "66.67", "groups": "100", "action": "50", "support": "33.33", "part": "0"}, 50.0),
        ({"groups": "100", "action": "50", "support": "50", "part": "0"}, 50.0),
        ({"groups": "100", "action": "50", "part": "0"}, None),
        ({}, None),
    ],
)
def test_social_capital_is_the_mean_of_at_least_four_dimensions(scores, index):
    found = value(cell("I2", "value"), "hh_baseline", {f"sc_{name}": score for name, score in scores.items()}, "number")

    assert found == (None if index is None else pytest.approx(index, abs=1e-12))


@pytest.mark.parametrize(("score", "counted"), [("0.2333", 0.0), ("0.25", 0.25), ("0.4667", 0.4667)])
def test_deprivation_below_the_cut_off_counts_as_zero(score, counted):
    assert value(cell("I4", "value"), "hh_baseline", {"dep_score": score}, "number") == counted


def test_interview_that_did_not_happen_is_not_looked_at():
    where = cell("I1", "where")

    assert [value(where, "hh_baseline", answers) for answers in ({"consent": "yes"}, {"consent": "no"}, {})] == [
        *(True, False, False)
    ]


def test_institution_has_a_key_before_it_has_an_id():
    key = cell("R1.3", "key")
    new = {"district": "d1201", "inst_name": "Municipio de Besikó"}

    assert value(key, "inst_assessment", new) == "d1201|Municipio de Besikó"
    assert value(key, "inst_assessment", {"district": "d1201", "inst_id": "1f-7"}) == "1f-7"
    assert value(cell("R1.3", "date"), "inst_assessment", {"period_end": "2013-06-30"}) == date(2013, 6, 30)


def test_only_people_and_households_are_protected_by_the_project_s_minimum():
    open_ones = {row["name"] for row in rows("indicators") if row.get("minimum_n") == "1"}

    assert open_ones == {
        *("R1.1", "R1.2", "R1.3", "R2.1", "R2.5"),
        *("R2.2", "R2.2a", "R2.2b", "R2.2c", "R2.2d", "R2.3"),
    }
    assert {row.get("minimum_n") for row in rows("indicators")} == {None, "1"}


def test_only_computed_baselines_are_declared_and_no_figure_is_invented():
    over_surveys = {row["name"] for row in rows("indicators") if row.get("form") == "hh_baseline"} | {"I5", "I6"}

    assert {(row["kind"], row["period"], row.get("value")) for row in rows("targets")} == {
        ("baseline", "baseline", None)
    }
    assert Counter(row["indicator"] for row in rows("targets")) == Counter(over_surveys)
    assert set(SURVEY_CODES) == over_surveys & set(CODES)
    assert all(
        "datos de demostración" in row["note"] and "demonstration data" in row["note"] for row in rows("targets")
    )
    assert all(row.keys() <= {"indicator", "kind", "period", "source", "note"} for row in rows("targets"))


def test_places_are_the_codes_of_the_forms_and_no_others():
    codes: dict[str, set[str]] = {"province": set(), "district": set(), "corregimiento": set()}
    for row in rows("places"):
        codes[row["level"]].add(row["code"])

    for level in ("province", "district"):
        for choices in form_lists(level):
            assert codes[level] == {code for code, *_ in choices}
    listed = table(bundled()[0], "corregimientos.csv")
    assert codes["corregimiento"] == {row["name"] for row in listed}
    assert [len(found) for found in codes.values()] == [13, 82, 699]


def test_places_are_named_and_placed_as_in_the_forms():
    today = {row["code"]: row for row in rows("places") if "valid_to" not in row}
    listed = table(bundled()[0], "corregimientos.csv")
    districts = [row for row in sheet(bundled()[0], "choices") if row["list_name"] == "district"]

    assert {row["name"]: (row["label"], row["district"]) for row in listed} == {
        code: (row["label"], row["parent"]) for code, row in today.items() if row["level"] == "corregimiento"
    }
    assert {row["name"]: (row["label::Español (es)"], row["province"]) for row in districts} == {
        code: (row["label"], row["parent"]) for code, row in today.items() if row["level"] == "district"
    }
    assert {code: row["label"] for code, row in today.items() if row["level"] == "province"} == {
        code: label for code, label, _ in form_lists("province")[0]
    }


def test_parents_of_places_exist_and_are_one_level_above():
    level = {row["code"]: row["level"] for row in rows("places")}
    above = {"province": None, "district": "province", "corregimiento": "district"}

    for row in rows("places"):
        assert level.get(row.get("parent", "")) == above[row["level"]]


def test_panama_oeste_exists_since_2014_and_its_districts_were_of_panama_before():
    dated = [row for row in rows("places") if {"valid_from", "valid_to"} & row.keys()]
    twice = [code for code, count in Counter(row["code"] for row in rows("places")).items() if count > 1]
    between = [(row["code"], row.get("parent"), row.get("valid_from"), row.get("valid_to")) for row in dated]

    assert twice == ["d1301", "d1303", "d1304", "d1307", "d1309"]
    assert between == [
        ("p13", None, "2014-01-01", None),
        *(
            line
            for code in twice
            for line in [(code, "p08", None, "2013-12-31"), (code, "p13", "2014-01-01", None)]
        ),
    ]  # fmt: skip
