"""Forms on their way to phones: form list, XML, manifest and media, and how little of it is sent twice."""

from __future__ import annotations

import gzip
import hashlib
from urllib.parse import urlsplit

import pytest

from forms.problems import Problem
from server.actions import drafts
from server.app import create_app
from tests.helpers.phone.http import java_accepts
from tests.server.desk import ON_SQLITE, PROJECT, TOKEN, Desk, form, questions
from tests.server.wire import Wire, instance, to_app

HOUSE = form("hogar", questions("integer edad"))
SCHOOL = form("escuela", questions("select_one_from_file escuelas.csv escuela", "image foto"))
SCHOOLS = {"escuelas.csv": b"name,label\ne1,Escuela 1\n" * 100}


def test_case_03_hash_is_the_md5_of_exactly_the_bytes_served(desk: Desk, phone: Wire):
    odd = (
        b'\xef\xbb\xbf<?xml version="1.0"?>\r\n<h:html xmlns="http://www.w3.org/2002/xforms" '
        b'xmlns:h="http://www.w3.org/1999/xhtml"><h:head><h:title>\xc3\xb1</h:title><model><instance>'
        b"<data id='raro' version='1'><q/><meta><instanceID/></meta></data></instance>\r\n"
        b"<bind nodeset='/data/q' type='string'/></model></h:head>\n<h:body><input ref='/data/q'><label>q</label>"
        b"</input></h:body></h:html>\r\n\n"
    )
    desk.publish(odd)
    desk.publish(HOUSE)

    forms = phone.forms()

    assert phone.follow(forms["raro"]["downloadUrl"]).content == odd
    for line in forms.values():
        body = phone.follow(line["downloadUrl"]).content
        assert line["hash"] == f"md5:{hashlib.md5(body).hexdigest()}"


@ON_SQLITE
def test_case_03_media_hashes_are_the_md5_of_the_files(desk: Desk, phone: Wire):
    desk.publish(SCHOOL, SCHOOLS)

    (line,) = phone.follow(phone.forms()["escuela"]["manifestUrl"]).xml
    name, digest, url = (child.text or "" for child in line)

    assert (name, digest) == ("escuelas.csv", f"md5:{hashlib.md5(SCHOOLS['escuelas.csv']).hexdigest()}")
    assert phone.follow(url).content == SCHOOLS["escuelas.csv"]


def test_case_04_another_form_under_the_same_version_is_refused(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    before = phone.forms()

    with pytest.raises(Problem) as refused:
        desk.publish(form("hogar", questions("integer edad", "text nombre")))

    assert (refused.value.code, refused.value.status) == (409.6, 409)
    assert phone.forms() == before


def test_case_04_going_back_to_an_old_version_is_refused(desk: Desk, phone: Wire):
    second = form("hogar", questions("integer edad", "text nombre"), version="2")
    desk.publish(HOUSE)
    desk.publish(second)

    with pytest.raises(Problem) as refused:
        desk.publish(HOUSE)

    assert refused.value.code == 409.6
    assert phone.forms()["hogar"]["version"] == "2"


def test_case_04_the_very_same_form_published_again_changes_nothing(desk: Desk, phone: Wire):
    desk.publish(SCHOOL, SCHOOLS)
    before = phone.forms()

    again = desk.publish(SCHOOL, {"escuelas.csv": b"name,label\ne2,Otra\n"})

    assert again.again
    assert phone.forms() == before
    (line,) = phone.follow(phone.forms()["escuela"]["manifestUrl"]).xml
    assert phone.follow(line[2].text or "").content == b"name,label\ne2,Otra\n"


def test_case_05_a_broken_database_never_gives_an_empty_form_list(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    desk.change(lambda conn: conn.exec_driver_sql("ALTER TABLE forms RENAME TO lost"))

    answer = phone.get("/formList")

    assert answer.status >= 500
    assert answer.message


def test_case_05_an_app_user_of_one_form_is_listed_that_form(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    desk.publish(SCHOOL, SCHOOLS)
    token = desk.app_user(forms=("escuela",)).display_name

    assert list(Wire(phone.send, f"/v1/key/{token}/projects/{PROJECT}").forms()) == ["escuela"]
    assert sorted(phone.forms()) == ["escuela", "hogar"]


def test_case_06_urls_are_absolute_percent_encoded_and_java_accepts_them(desk: Desk, phone: Wire):
    name = "jr://images/foto ñ&1.png"
    for form_id in ("hogar/2026", "hogar 1", "100%", "¿qué?", "a&b", "a<b", "ñ+ü", "a%2Fb", "hogar.xml"):
        desk.publish(odd_form(form_id, name), {"foto ñ&1.png": b"png"})

    forms = phone.forms()

    assert len(forms) == 9
    for form_id, line in forms.items():
        assert java_accepts(line["downloadUrl"])
        answer = phone.follow(line["downloadUrl"])
        assert hashlib.md5(answer.content).hexdigest() == line["hash"][4:], form_id
        (medium,) = phone.follow(line["manifestUrl"]).xml
        assert medium[0].text == "foto ñ&1.png"
        assert java_accepts(medium[2].text or "")
        assert phone.follow(medium[2].text or "").content == b"png"
        assert phone.post(instance(form_id)).status == 201


def odd_form(form_id: str, medium: str) -> bytes:
    quoted = form_id.replace("&", "&amp;").replace("<", "&lt;")
    return (
        '<h:html xmlns="http://www.w3.org/2002/xforms" xmlns:h="http://www.w3.org/1999/xhtml"><h:head><h:title>t</h:title>'
        f'<model><instance><data id="{quoted}" version="1"><q/><meta><instanceID/></meta></data></instance><itext>'
        f'<translation lang="es"><text id="q"><value form="image">{medium.replace("&", "&amp;")}</value></text>'
        "</translation></itext><bind nodeset='/data/q' type='string'/></model></h:head><h:body><input ref='/data/q'>"
        "<label ref=\"jr:itext('q')\"/></input></h:body></h:html>"
    ).encode()


@ON_SQLITE
def test_case_06_behind_a_base_url_every_url_begins_with_it(office, desk: Desk):
    proxied = type(office)(office.settings.with_(base_url="https://datos.example.org"), office.database, office.blobs)
    desk.publish(SCHOOL, SCHOOLS)
    phone = Wire(to_app(create_app(proxied)), f"/v1/key/{TOKEN}/projects/{PROJECT}")

    line = phone.forms()["escuela"]

    prefix = f"https://datos.example.org/v1/key/{TOKEN}/projects/1/forms/escuela"
    assert (line["downloadUrl"], line["manifestUrl"]) == (f"{prefix}.xml", f"{prefix}/manifest")


@ON_SQLITE
def test_case_06_queries_that_the_address_carries_do_no_harm(desk: Desk, phone: Wire):
    desk.publish(HOUSE)

    assert phone.send("GET", f"{phone.root}/formList?a=b&deviceID=x", {}, None).status == 200
    assert phone.send("GET", f"{phone.root}/formList?formID=hogar", {}, None).xml[0][0].text == "hogar"


@ON_SQLITE
@pytest.mark.parametrize("what", ["formList", "xml", "manifest", "medium"])
def test_case_19_what_the_phone_has_is_not_sent_again(desk: Desk, phone: Wire, what: str):
    desk.publish(SCHOOL, SCHOOLS)
    path = {
        "formList": "/formList",
        "xml": "/forms/escuela.xml",
        "manifest": "/forms/escuela/manifest",
        "medium": "/forms/escuela/attachments/escuelas.csv",
    }[what]

    first = phone.get(path)
    again = phone.get(path, **{"If-None-Match": first.headers["ETag"]})

    assert (again.status, again.body) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert first.headers["Vary"] == "Accept-Encoding"
    assert "no-store" not in first.headers["Cache-Control"]


def test_case_19_a_new_version_and_new_media_change_the_tags(desk: Desk, phone: Wire):
    desk.publish(SCHOOL, SCHOOLS)
    paths = ("/formList", "/forms/escuela.xml", "/forms/escuela/manifest", "/forms/escuela/attachments/escuelas.csv")
    tags = {path: phone.get(path).headers["ETag"] for path in paths}

    desk.publish(SCHOOL.replace("| 1 |", "| 2 |"), {"escuelas.csv": b"name,label\n"})

    for path, tag in tags.items():
        answer = phone.get(path, **{"If-None-Match": tag})
        assert (answer.status, answer.headers["ETag"] == tag) == (200, False), path


@ON_SQLITE
def test_case_19_documents_and_csv_are_compressed_where_the_phone_takes_it(desk: Desk, phone: Wire):
    for number in range(5):
        desk.publish(form(f"hogar{number}", questions("integer edad")))
    desk.publish(SCHOOL, SCHOOLS)

    for path in ("/formList", "/forms/escuela.xml", "/forms/escuela/attachments/escuelas.csv"):
        packed, plain = phone.get(path), phone.get(path, **{"Accept-Encoding": "identity"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert "Content-Encoding" not in plain.headers
        assert gzip.decompress(packed.body) == plain.body
        assert len(packed.body) * 2 < len(plain.body)
        assert int(packed.headers["Content-Length"]) == len(packed.body)


def test_form_list_shows_only_open_published_forms(desk: Desk, phone: Wire):
    for form_id in ("abierto", "cerrando", "cerrado", "borrado"):
        desk.publish(form(form_id, questions("integer edad")))
    desk.draft(form("borrador", questions("integer edad")))
    desk.set_state("cerrando", "closing")
    desk.set_state("cerrado", "closed")
    desk.delete_form("borrado")

    assert list(phone.forms()) == ["abierto"]


@ON_SQLITE
def test_form_list_of_a_project_without_forms_is_empty_and_valid(phone: Wire):
    assert phone.forms() == {}


def test_files_that_are_not_here_yet_are_left_out_of_the_manifest(desk: Desk, phone: Wire):
    published = desk.publish(SCHOOL)

    manifest = phone.follow(phone.forms()["escuela"]["manifestUrl"])

    assert len(manifest.xml) == 0
    assert [finding.say("en") for finding in published.findings] == [
        "The file “escuelas.csv”, which the form needs on the phone, is missing."
    ]
    assert phone.get("/forms/escuela/attachments/escuelas.csv").status == 404


def test_a_new_version_takes_over_the_media_that_did_not_change(desk: Desk, phone: Wire):
    desk.publish(SCHOOL, SCHOOLS)
    desk.publish(SCHOOL.replace("| 1 |", "| 2 |"))

    assert phone.get("/forms/escuela/attachments/escuelas.csv").content == SCHOOLS["escuelas.csv"]


def test_draft_is_tried_on_a_phone_through_its_token_and_kept_apart(desk: Desk, phone: Wire):
    made = desk.draft(SCHOOL, SCHOOLS)
    trial = Wire(phone.send, f"/v1/test/{made.test_token}/projects/{PROJECT}/forms/escuela/draft")

    line = trial.forms()["escuela"]
    body = trial.follow(line["downloadUrl"]).content
    (medium,) = trial.follow(line["manifestUrl"]).xml

    assert hashlib.md5(body).hexdigest() == line["hash"][4:]
    assert trial.follow(medium[2].text or "").content == SCHOOLS["escuelas.csv"]
    assert trial.head().status == 204
    sent = instance("escuela", "<escuela>e1</escuela><foto>a.jpg</foto>", instance_id="uuid:prueba")
    assert [trial.post(sent, {"a.jpg": b"jpg"}).status for _ in range(2)] == [201, 201]
    assert desk.submissions() == 1
    assert phone.forms() == {}

    desk.act(lambda ctx: drafts.publish(ctx, PROJECT, "escuela"))
    assert desk.rows("escuela") == []
    assert phone.post(sent).status == 201
    assert len(desk.rows("escuela")) == 1


def test_draft_that_was_published_or_replaced_is_gone_with_a_sentence(desk: Desk, phone: Wire):
    token = desk.draft(HOUSE).test_token
    trial = Wire(phone.send, f"/v1/test/{token}/projects/{PROJECT}/forms/hogar/draft")
    assert trial.get("/formList").status == 200

    desk.draft(HOUSE)

    answer = trial.post(instance("hogar"))
    assert answer.status == 404
    assert answer.message == "El borrador que estaba probando ya no existe o fue publicado; escanee un código nuevo."
    assert trial.get("/formList").status == 404
    assert trial.head().status == 404


def test_draft_token_opens_nothing_else(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    token = desk.draft(SCHOOL).test_token

    for path in (
        f"/v1/test/{token}/projects/1/forms/hogar/draft/formList",
        f"/v1/test/{token}/projects/2/forms/escuela/draft/formList",
        f"/v1/key/{token}/projects/1/formList",
    ):
        assert phone.get(path).status in (403, 404)
    trial = Wire(phone.send, f"/v1/test/{token}/projects/{PROJECT}/forms/escuela/draft")
    assert trial.post(instance("hogar")).status == 404


@ON_SQLITE
def test_urls_have_the_host_that_the_phone_asked(desk: Desk, phone: Wire):
    desk.publish(HOUSE)

    answer = phone.get("/formList", Host="192.168.4.1:8383")

    assert urlsplit(answer.xml[0].findtext("{*}downloadUrl") or "").netloc == "192.168.4.1:8383"


@ON_SQLITE
@pytest.mark.parametrize("size", [1_000, 9_000_000])
def test_case_03_a_file_cut_short_on_the_disk_is_never_served_as_whole(desk: Desk, phone: Wire, size: int):
    """Collect compares no MD5 with what it downloaded."""
    desk.publish(SCHOOL, {"escuelas.csv": b"name,label\n".ljust(size, b"x")})
    path = "/forms/escuela/attachments/escuelas.csv"
    assert len(phone.get(path).content) == size
    (file,) = [file for file in desk.office.settings.data.rglob("*") if file.is_file() and file.stat().st_size == size]
    with file.open("r+b") as opened:
        opened.truncate(size - 1)

    assert phone.get(path).status == 503


@ON_SQLITE
def test_case_02_titles_with_what_xml_forbids_leave_the_list_readable(desk: Desk, phone: Wire):
    desk.publish(odd_form("raro", "jr://images/a.png").replace(b"<h:title>t", b"<h:title>&#29; a &lt; b &#29;"))

    assert phone.forms()["raro"]["name"] == "a < b"
