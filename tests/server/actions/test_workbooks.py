"""A workbook or XForm is read with every check there is, and refused with everything that is wrong with it."""

from __future__ import annotations

import pytest

from forms.problems import Problem
from server.actions import workbooks
from tests.helpers import samples
from tests.helpers.xforms import xform

WORKBOOK = """
| survey |
| | type   | name    | label   | save_to | privacy | save_to_confirmed | consent |
| | text   | apodo   | Apodo   | apodo   | direct  | {confirmed}       |         |
| | text   | color   | Color   | Color   |         |                   | {consent} |
| | text   | tono    | Tono    | color   |         |                   |         |
| settings |
| | form_id | version |
| | casas   | 1       |
| entities |
| | list_name | label  |
| | casas     | 'Casa' |
"""


def test_a_workbook_is_refused_with_all_that_is_wrong_with_its_entities_and_its_consent():
    sheet = WORKBOOK.format(confirmed="", consent="${nada}")

    with pytest.raises(Problem) as caught:
        workbooks.read(sheet.encode(), "casas.md")

    assert caught.value.code == 400.15
    assert [(one["severity"], one["row"], one["column"]) for one in caught.value.details["findings"]] == [
        ("error", 3, "consent"),
        ("error", 4, "save_to"),
        ("error", 2, "save_to"),
    ]


def test_a_confirmed_identifier_is_saved():
    sheet = WORKBOOK.format(confirmed="yes", consent="").replace("| Color   | Color   |", "| Color   | fondo   |")

    checked = workbooks.read(sheet.encode(), "casas.md")

    assert checked.findings == ()
    assert checked.schema.entities[0].properties == {"apodo": "/apodo", "fondo": "/color", "color": "/tono"}


def test_an_xform_with_entities_that_cannot_be_is_refused():
    xml = xform('<q/><meta><entity dataset="a.b" id=""/><instanceID/></meta>')

    with pytest.raises(Problem) as caught:
        workbooks.read(xml, "casas.xml")

    assert caught.value.code == 400.25
    assert caught.value.sentence.en.startswith("The entity definition within the form is invalid. The form declares ")
    assert [one["severity"] for one in caught.value.details["findings"]] == ["error"] * 3


def test_an_xform_that_saves_a_place_is_warned_of():
    checked = workbooks.read(samples.tree_registration().xform, "arboles.xml")

    assert [(finding.severity, finding.row) for finding in checked.findings] == [("warning", None)]
    assert checked.findings[0].sentence.en == (
        "“ubicacion” counts as identifying a person (by its type: an exact place or a file) and is saved as “geometry” to "
        "“arboles”, a list that phones carry."
    )
