"""The main job, end to end: a workbook is published, a phone fills and sends it over a bad link, the answers are rows."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from forms import library, workbook, xform
from forms.schema import Schema
from tests.helpers import samples
from tests.helpers.phone import Filled, Phone, Weather
from tests.journeys.truth import compare
from tests.server.desk import PROJECT, TOKEN, Desk
from tests.server.serving import serving

BAD_LINK = Weather(cut=0.3, lose=0.3)
ROUNDS = 60
PLAIN_SAMPLES = [sample for sample in samples.every_sample() if sample.form_id != samples.encrypted().form_id]
MakePhone = Callable[..., Phone]


def send_everything(phone: Phone) -> None:
    """As Collect does by itself: again and again until nothing is left."""
    for _ in range(ROUNDS):
        if all(sent.status == "submitted" for sent in phone.send(weather=BAD_LINK)):
            return
    raise AssertionError([sent for sent in phone.send() if sent.status != "submitted"])


def fill_and_send(
    desk: Desk, url: str, tmp_path: Path, make_phone: MakePhone, form_id: str, *, n: int, options: list[object]
) -> list[Filled]:
    """Two phones, a bad link, a limit per request so low that photos are split over several."""
    filled: list[Filled] = []
    with serving(tmp_path / "data", url, accept_content_length=20_000) as server:
        for number in (1, 2):
            phone = make_phone(f"{server.url}/v1/key/{TOKEN}/projects/{PROJECT}", seed=number)
            outcome = phone.sync()
            assert not outcome[form_id].startswith("error"), outcome
            made = phone.fill(form_id, n, seed=number, options=options)
            assert [one.unsatisfied for one in made] == [()] * n
            send_everything(phone)
            assert any(exchange.method == "POST" for exchange in phone.exchanges)
            filled += made
    return filled


@pytest.mark.parametrize("form", library.bundled(), ids=lambda form: form.name)
def test_bundled_form_reaches_the_tables_leaf_by_leaf(
    form: library.Bundled, desk: Desk, prepared_url: str, tmp_path: Path, make_phone: MakePhone
) -> None:
    schema = _publish_bundled(desk, form)

    filled = fill_and_send(desk, prepared_url, tmp_path, make_phone, form.name, n=6, options=["--repeats", "0-4"])

    assert compare(desk, schema, filled) > 200
    assert desk.flags(form.name) == []
    assert desk.failures() == []
    _same_files(desk, filled)


@pytest.mark.parametrize("sample", PLAIN_SAMPLES, ids=lambda sample: sample.form_id)
def test_sample_form_reaches_the_tables_leaf_by_leaf(
    sample: samples.Sample, desk: Desk, prepared_url: str, tmp_path: Path, make_phone: MakePhone
) -> None:
    desk.publish(sample.xform, _trees(sample))
    schema = xform.read(sample.xform)
    options = ["--repeats", "0-3", "--nasty", "0.3", "--px", "64"]

    filled = fill_and_send(desk, prepared_url, tmp_path, make_phone, sample.form_id, n=8, options=options)

    assert compare(desk, schema, filled) > 0
    assert desk.failures() == []
    assert desk.flags(sample.form_id) == []
    _same_files(desk, filled)


def test_encrypted_submissions_are_kept_whole(
    desk: Desk, prepared_url: str, tmp_path: Path, make_phone: MakePhone
) -> None:
    sample = samples.encrypted()
    desk.publish(sample.xform)

    filled = fill_and_send(desk, prepared_url, tmp_path, make_phone, sample.form_id, n=3, options=[])

    assert {row["_key"] for row in desk.whole_rows(sample.form_id)} == {one.instance_id for one in filled}
    assert all(row["_encrypted"] for row in desk.whole_rows(sample.form_id))
    _same_files(desk, filled)


def _same_files(desk: Desk, filled: list[Filled]) -> None:
    """Every byte that the phone had is in the office, the XML first of all."""
    for one in filled:
        assert desk.xml_of(one.instance_id) == one.xml.read_bytes()
        sent = {path.name: path.read_bytes() for path in one.folder.iterdir() if path != one.xml}
        kept = {name: content for name, content in desk.files(one.instance_id).items() if content is not None}
        assert kept == {name: content for name, content in sent.items() if not name.startswith(".")}


def _publish_bundled(desk: Desk, form: library.Bundled) -> Schema:
    compiled = workbook.compile(form.workbook.read_bytes(), form.workbook.name)
    schema = xform.read(compiled.xml)
    media = {file.name: _with_people(file.name, file.read_bytes(), schema) for file in form.media}
    desk.publish(compiled.xml, media)
    return schema


def _with_people(name: str, content: bytes, schema: Schema) -> bytes:
    """An entity list of the library holds nobody; invented entries, one for each district, so that one can be chosen."""
    if name not in library.ENTITY_LISTS:
        return content
    header = next(csv.reader([content.decode()]))
    district = next(field for field in schema.fields if field.name == "district")
    out = io.StringIO()
    writer = csv.DictWriter(out, header, restval="")
    writer.writeheader()
    for choice in schema.options(district.path):
        invented = {"name": str(uuid.uuid4()), "label": f"Demostración {choice.name}", "district": choice.name}
        known = {"__version": "1", "status": "active", "birth_year": "1990", "base_income": "80", "visits": "0"}
        known |= {"given_name": "Demostración", "ben_code": f"D{choice.name}", "hh_code": f"D{choice.name}"}
        writer.writerow({key: value for key, value in {**invented, **known}.items() if key in header})
    return out.getvalue().encode()


def _trees(sample: samples.Sample) -> dict[str, bytes]:
    media = dict(sample.media)
    expected = {entry.name for entry in xform.read(sample.xform).attachments}
    if "arboles.csv" in expected - media.keys():
        media["arboles.csv"] = f"name,label,__version,especie\n{uuid.uuid4()},Cedro 1,1,cedro\n".encode()
    return media
