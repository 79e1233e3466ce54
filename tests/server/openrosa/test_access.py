"""Who gets in at the phones' door: tokens, passwords, and what is said to those who do not."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest

from server import credentials
from server.actions import people
from server.store import people as store
from tests.helpers.phone.http import Exchange, Http, add_query
from tests.helpers.phone.multipart import Multipart, Part
from tests.server.desk import ADMIN, ON_SQLITE, PROJECT, Desk, form, questions
from tests.server.serving import serving
from tests.server.wire import DEVICE, Wire, instance

HOUSE = form("hogar", questions("integer edad"))


def basic(email: str, password: str, encoding: str = "utf-8") -> str:
    return "Basic " + base64.b64encode(f"{email}:{password}".encode(encoding)).decode()


@pytest.fixture
def member(desk: Desk, phone: Wire) -> Wire:
    """A data collector of the project, by address and password."""
    desk.publish(HOUSE)
    desk.user("ana@example.org", "formfill", password="contraseña de ñandú")
    return Wire(phone.send, f"/v1/projects/{PROJECT}", basic("ana@example.org", "contraseña de ñandú"))


def test_case_05_a_revoked_token_is_told_so_and_never_gets_an_empty_list(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    actor = desk.app_user()
    revoked = Wire(phone.send, f"/v1/key/{actor.display_name}/projects/{PROJECT}")
    xml = instance("hogar", "<edad>5</edad>")
    assert revoked.post(xml).status == 201
    desk.act(lambda ctx: people.revoke_app_user(ctx, PROJECT, actor.id))

    for answer in (revoked.get("/formList"), revoked.post(xml, {"a.jpg": b"A"}), revoked.get("/forms/hogar.xml")):
        assert answer.status == 403
        assert answer.message == (
            "Este código QR ya no es válido. Pida uno nuevo a su coordinación; sus formularios siguen en el teléfono."
        )
    assert revoked.head().status == 403
    assert len(desk.rows("hogar")) == 1


@ON_SQLITE
def test_case_05_a_token_that_nobody_gave_opens_nothing(desk: Desk, phone: Wire):
    desk.publish(HOUSE)

    for token in ("x" * 64, "x", "%C3%B1", "a%2Fb"):
        unknown = Wire(phone.send, f"/v1/key/{token}/projects/{PROJECT}")
        assert [unknown.get("/formList").status, unknown.head().status, unknown.post(instance("hogar")).status] == [
            403
        ] * 3
    assert desk.submissions() == 0


@ON_SQLITE
def test_case_16_without_credentials_basic_is_asked_for(desk: Desk, phone: Wire):
    nobody = Wire(phone.send, f"/v1/projects/{PROJECT}")

    for answer in (nobody.get("/formList"), nobody.head(), nobody.post(instance("hogar"), {"a.jpg": b"A"})):
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="Tejido", charset="UTF-8"'
    assert nobody.get("/formList").message.startswith("Falta decir quién pregunta.")
    assert list(desk.office.settings.data.rglob("*")) == []


def test_case_16_a_password_that_is_not_ascii_works(desk: Desk, member: Wire):
    assert list(member.forms()) == ["hogar"]
    assert member.head().status == 204
    assert member.post(instance("hogar", "<edad>5</edad>")).status == 201

    (row,) = desk.whole_rows("hogar")
    assert row["_submitter"] == "ana@example.org"


@ON_SQLITE
def test_case_16_a_password_in_latin_1_as_collect_writes_it_works(desk: Desk, member: Wire):
    """OkHttp's Basic is ISO-8859-1 unless told otherwise, and Collect tells it nothing."""
    latin = replace(member, authorization=basic("ana@example.org", "contraseña de ñandú", "latin-1"))

    assert latin.head().status == 204
    assert latin.post(instance("hogar", "<edad>5</edad>")).status == 201


@ON_SQLITE
@pytest.mark.parametrize(
    "authorization",
    [
        basic("ana@example.org", "contraseña de nandu"),
        basic("nadie@example.org", "contraseña de ñandú"),
        basic("", ""),
        basic("ana@example.org\0", "contraseña"),
        "Basic !!!",
        "Basic",
        "Bearer abc",
        'Digest username="ana@example.org", realm="x", nonce="y", uri="/", response="z"',
        "",
    ],
)
def test_case_16_wrong_credentials_are_401_and_never_an_empty_list(member: Wire, authorization: str):
    wrong = replace(member, authorization=authorization)

    assert [wrong.get("/formList").status, wrong.head().status, wrong.post(instance("hogar")).status] == [401] * 3


def test_a_nul_in_an_address_is_nobody(member: Wire):
    assert replace(member, authorization=basic("ana\0@example.org", "x")).get("/formList").status == 401


@ON_SQLITE
def test_addresses_are_compared_without_case(member: Wire):
    assert replace(member, authorization=basic("ANA@example.org", "contraseña de ñandú")).head().status == 204


@ON_SQLITE
def test_a_changed_password_ends_the_old_one_at_once(desk: Desk, member: Wire):
    """Verified passwords are remembered for five minutes, but only beside the hash they were verified against."""
    assert member.head().status == 204
    ana = desk.look(lambda conn: store.find_credentials(conn, "ana@example.org"))
    assert ana is not None
    desk.change(lambda conn: store.set_password(conn, ana[0], credentials.hash_password("otra contraseña")))

    assert member.head().status == 401
    assert replace(member, authorization=basic("ana@example.org", "otra contraseña")).head().status == 204


def test_an_app_user_of_one_form_sends_that_form_only(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    desk.publish(form("escuela", questions("integer aulas")))
    limited = Wire(phone.send, f"/v1/key/{desk.app_user(forms=('hogar',)).display_name}/projects/{PROJECT}")

    assert limited.post(instance("hogar", "<edad>5</edad>"), {"a.jpg": b"A"}).status == 201
    refused = limited.post(instance("escuela", "<aulas>5</aulas>"))

    assert (refused.status, refused.message) == (403, "No tiene permiso para hacer esto.")
    assert [limited.get(f"/forms/{name}.xml").status for name in ("hogar", "escuela")] == [200, 403]
    assert limited.get("/forms/escuela/manifest").status == 403
    assert desk.rows("escuela") == []


@ON_SQLITE
def test_the_administrator_may_send_from_a_phone_too(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    admin = Wire(phone.send, f"/v1/projects/{PROJECT}", basic(*ADMIN))

    assert list(admin.forms()) == ["hogar"]
    assert admin.post(instance("hogar", "<edad>5</edad>")).status == 201


def collects_round(collect: Http, url: str) -> tuple[list[int], list[Exchange]]:
    """What Collect asks for with a user and a password: the forms, then a submission in two POSTs."""

    def body(*parts: Part) -> Multipart:
        return Multipart(
            (Part("xml_submission_file", instance("hogar", instance_id="uuid:1"), "h.xml", "text/xml"), *parts)
        )

    first = body(Part("a.jpg", b"A", "a.jpg", "image/jpeg"), Part("*isIncomplete*", b"yes"))
    sending = add_query(f"{url}/submission", deviceID=DEVICE)
    answers = [
        collect.request("GET", add_query(f"{url}/formList", deviceID=DEVICE)),
        collect.request("GET", add_query(f"{url}/forms/hogar.xml", deviceID=DEVICE)),
        collect.request("HEAD", sending),
        collect.request("POST", sending, lambda: first),
        collect.request("POST", sending, lambda: body(Part("b.jpg", b"B", "b.jpg", "image/jpeg"))),
    ]
    collect.close()
    return [answer.status for answer in answers], collect.exchanges


def test_case_16_collect_asks_once_without_a_password_and_then_sends_it_ahead(
    desk: Desk, member: Wire, prepared_url: str, tmp_path: Path
):
    """Over https, which a proxy ends, so that Collect uses Basic: one 401 per start of the app, no body sent twice."""
    with serving(tmp_path / "data", prepared_url, threads=4) as server:
        url = f"{server.url}{member.root}"
        collect = Http(url, "ana@example.org", "contraseña de ñandú", basic_over_http=True)

        statuses, exchanges = collects_round(collect, url)

    assert statuses == [200, 200, 204, 201, 201]
    assert [(exchange.status, exchange.authorized) for exchange in exchanges] == [
        (401, False),
        (200, True),
        (200, True),
        (204, True),
        (201, True),
        (201, True),
    ]
    assert desk.submissions() == 1
    assert desk.files("uuid:1") == {"a.jpg": b"A", "b.jpg": b"B"}


@ON_SQLITE
def test_case_16_over_plain_http_collect_gives_up_and_is_told_so(member: Wire, prepared_url: str, tmp_path: Path):
    """Basic is all that is offered (a QR code needs no password), and Collect uses it over https alone."""
    with serving(tmp_path / "data", prepared_url, threads=4) as server:
        url = f"{server.url}{member.root}"
        statuses, exchanges = collects_round(Http(url, "ana@example.org", "contraseña de ñandú"), url)

    assert statuses == [401] * 5
    assert [exchange.authorized for exchange in exchanges] == [False] * 5


def test_case_05_a_user_without_a_role_is_refused_and_gets_no_empty_list(desk: Desk, phone: Wire):
    desk.publish(HOUSE)
    desk.user("eva@example.org", None, password="contraseña larga")
    other = desk.add_project("Otro")
    desk.user("leo@example.org", "formfill", password="contraseña larga", project=other)

    for who in ("eva@example.org", "leo@example.org"):
        wire = Wire(phone.send, f"/v1/projects/{PROJECT}", basic(who, "contraseña larga"))
        for answer in (wire.get("/formList"), wire.get("/forms/hogar.xml"), wire.get("/forms/hogar/manifest")):
            assert (answer.status, answer.message) == (403, "No tiene permiso para hacer esto.")
        assert wire.head().status == 403
