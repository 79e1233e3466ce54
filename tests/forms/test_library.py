"""The bundled workbooks compile, are valid, and bring the files that they ask for."""

from __future__ import annotations

import csv
import io
import re

import pytest

from forms import attachments, spreadsheets, workbook, xform
from forms.library import ENTITY_LISTS, Bundled, bundled
from forms.validate import find_java, validate

FORMS = pytest.mark.parametrize("form", bundled(), ids=lambda form: form.name)


def compiled(form: Bundled) -> workbook.Compiled:
    return workbook.compile(form.workbook.read_bytes(), form.workbook.name)


def table(form: Bundled, name: str) -> list[dict[str, str]]:
    [medium] = [medium for medium in form.media if medium.name == name]
    return list(csv.DictReader(io.StringIO(medium.read_text(encoding="utf-8"), newline="")))


def header(name: str) -> list[str]:
    [line] = {m.read_text(encoding="utf-8").splitlines()[0] for form in bundled() for m in form.media if m.name == name}
    return line.split(",")


def sheet(form: Bundled, name: str) -> tuple[spreadsheets.Row, ...]:
    book = spreadsheets.read(form.workbook.read_bytes(), form.workbook.name, workbook.FORM_SHEETS)
    return book.sheets[name].rows


def test_library_holds_the_four_forms_of_a_programme():
    assert [(form.name, form.workbook.name, [m.name for m in form.media]) for form in bundled()] == [
        ("hh_baseline", "hh_baseline.xlsx", ["corregimientos.csv", "clusters.csv"]),
        ("ben_registration", "ben_registration.xlsx", ["corregimientos.csv", "households.csv", "beneficiaries.csv"]),
        ("ben_followup", "ben_followup.xlsx", ["beneficiaries.csv"]),
        ("inst_assessment", "inst_assessment.xlsx", ["institutions.csv"]),
    ]


@FORMS
def test_bundled_form_compiles_without_findings(form):
    made = compiled(form)

    assert (made.form_id, made.version, made.findings) == (form.name, "2026010101", ())


@FORMS
def test_bundled_form_has_the_files_that_it_needs_and_no_others(form):
    needed = [file.name for file in xform.read(compiled(form).xml).attachments]
    given = [medium.name for medium in form.media]

    assert attachments.match(needed, given) == attachments.Folder(used={name: name for name in needed})
    assert sorted(needed) == sorted(given)


@FORMS
def test_bundled_form_is_valid(form):
    java = find_java()
    assert java is not None, "the tests need a Java"
    made = compiled(form)

    assert validate(made.xml, java, rows=made.rows) == ()


@FORMS
def test_bundled_form_brings_the_files_that_it_asks_for_and_no_others(form):
    asked = set(re.findall(r"jr://[\w-]+/([\w.-]+)", compiled(form).xml.decode()))

    assert {medium.name for medium in form.media} == asked


@FORMS
def test_bundled_form_is_complete_in_both_languages(form):
    languages = {language.language: language.total - language.filled for language in compiled(form).languages}

    assert languages == {"Español (es)": 0, "English (en)": 0}


@FORMS
def test_rows_of_the_workbook_lead_to_the_questions_of_the_form(form):
    made = compiled(form)

    asked = {path for path in xform.read(made.xml).by_path if not path.startswith("/meta")}
    assert {path for path in made.rows if not path.startswith("/meta")} == asked


def test_direct_identifiers_are_marked():
    marked = {
        form.name: sorted(path for path, mark in compiled(form).marks.items() if mark.privacy == "direct")
        for form in bundled()
    }

    assert marked["hh_baseline"] == [
        "/ident/hh_number",
        "/main/location/dwelling_photo",
        "/main/location/hh_gps",
        "/main/roster/member/m_name",
    ]
    assert "/main/person/given_name" in marked["ben_registration"]


@pytest.mark.parametrize("name", sorted(ENTITY_LISTS))
def test_entity_list_has_the_properties_that_the_forms_save_and_no_rows(name):
    saved = dict.fromkeys(
        row["save_to"]
        for form in bundled()
        if sheet(form, "entities")[0]["list_name"] == name.removesuffix(".csv")
        for row in sheet(form, "survey")
        if "save_to" in row
    )

    assert header(name) == ["name", "label", "__version", "__trunkVersion", "__branchId", *saved]
    assert [table(form, name) for form in bundled() if name in {m.name for m in form.media}] in ([[]], [[], []])


def test_every_district_has_corregimientos_and_a_cluster_to_try():
    baseline = bundled()[0]
    districts = {row["name"] for row in sheet(baseline, "choices") if row.get("list_name") == "district"}

    assert len(districts) == 82
    assert {row["district"] for row in table(baseline, "corregimientos.csv")} == districts
    assert {row["district"] for row in table(baseline, "clusters.csv")} == districts


def test_codes_of_attached_lists_are_unique():
    baseline = bundled()[0]
    lists = [[row["name"] for row in table(baseline, medium.name)] for medium in baseline.media]

    assert [(len(codes), len(set(codes))) for codes in lists] == [(699, 699), (83, 83)]


def test_demonstration_data_says_so():
    assert {row["label"].rpartition(" ")[2] for row in table(bundled()[0], "clusters.csv")} == {"(ejemplo)"}
