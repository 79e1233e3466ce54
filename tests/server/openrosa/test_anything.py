"""Anything at all at the phones' door: no 5xx, an answer that can be read, and 201 only for what is kept byte for byte."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from lxml import etree

from forms import instance as instances
from tests.server.desk import ADMIN, PROJECT, TOKEN, Desk, form, questions
from tests.server.openrosa.test_access import basic
from tests.server.wire import Answer, Wire

HOUSE: Final = form(
    "hogar",
    questions(
        *("integer edad", "decimal peso", "text nombre", "date dia", "time hora", "dateTime momento", "geopoint gps"),
        *("geotrace camino", "image foto", "begin repeat m", "text n", "begin repeat k", "integer e"),
        *("end repeat", "end repeat", "begin group g", "integer dentro", "end group"),
    ),
)
SEEDED: Final = settings(
    max_examples=80,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
NAMES: Final = (
    *("edad", "peso", "nombre", "dia", "hora", "momento", "gps", "camino", "foto", "m", "n", "k", "e", "g", "dentro"),
    *("meta", "instanceID", "deprecatedID", "ñ", "x"),
)
VALUES: Final = (
    *(
        "",
        " ",
        "0",
        "-1",
        "1e400",
        "NaN",
        "9" * 40,
        "2026-02-30",
        "0000-00-00",
        "24:00:00.000-05:00",
        "OK",
        "\U0001f600",
    ),
    *("9999-12-31T23:59:59.999-14:00", "1970-01-01T00:00:00Z", "0 0 0 0", "91 181", "1 2; 3 4;", ";", "=1+1", "../x"),
    *("a.jpg", "uuid:1", "&#29;", "&#0;", "&#65;", "<![CDATA[a]]>", "<!-- -->", "<?x?>"),
)
BROKEN: Final = ("&#xD800;", "&nada;", "]]>", "<", "\0")
texts: SearchStrategy[str] = st.one_of(
    *(st.sampled_from(VALUES) for _ in range(4)),
    st.text(max_size=40).map(lambda text: text.replace("&", "&amp;").replace("<", "&lt;")),
    st.text(st.characters(categories=["Cc", "Cf", "Zs", "So"]), max_size=10),
    st.sampled_from((*VALUES, *BROKEN)),
)


def element(name: str, attributes: Mapping[str, str], content: str) -> str:
    given = "".join(f' {key}="{value.replace(chr(34), "&quot;")}"' for key, value in attributes.items())
    return f"<{name}{given}>{content}</{name}>"


elements: SearchStrategy[str] = st.recursive(
    st.builds(element, st.sampled_from(NAMES), st.just({}), texts),
    lambda inner: st.builds(
        element,
        st.sampled_from(NAMES),
        st.dictionaries(st.sampled_from(["id", "version", "create", "xmlns", "x"]), texts, max_size=1),
        st.lists(inner, max_size=4).map("".join),
    ),
    max_leaves=12,
)
documents: SearchStrategy[bytes] = st.builds(
    lambda prolog, root, attributes, inside, instance_id, edited, encoding: (
        prolog + element(root, attributes, f"{inside}<meta><instanceID>{instance_id}</instanceID>{edited}</meta>")
    ).encode(encoding, "replace"),
    st.sampled_from(
        (*["<?xml version='1.0' encoding='UTF-8' ?>"] * 5, "", "\ufeff", "<!DOCTYPE x>", "<?xml version='1.1'?>")
    ),
    st.sampled_from(["data", "hogar", "ñ"]),
    st.dictionaries(
        st.sampled_from(["id", "version", "encrypted", "xmlns"]),
        st.sampled_from(["hogar", "1", "01", "", "yes", "otro", "http://www.opendatakit.org/xforms/encrypted"]),
        max_size=3,
    ).map(lambda given: {**given, "id": "hogar"} if len(given) < 3 else given),
    st.lists(elements, max_size=6).map("".join),
    st.one_of(*(st.integers(0, 300).map("uuid:{}".format) for _ in range(5)), texts),
    st.one_of(
        st.just(""),
        st.integers(0, 300).map("<deprecatedID>uuid:{}</deprecatedID>".format),
    ),
    st.sampled_from((*["utf-8"] * 8, "utf-16", "latin-1")),
)
lines: SearchStrategy[bytes] = st.one_of(
    st.sampled_from(
        [
            b'Content-Disposition: form-data; name="xml_submission_file"; filename="a.xml"',
            b'Content-Disposition: form-data; name="xml_submission_file"',
            b'Content-Disposition: form-data; name="a.jpg"; filename="a.jpg"',
            b'Content-Disposition: form-data; name="*isIncomplete*"',
            b"Content-Disposition: form-data; name=x; filename*=UTF-8''%C3%B1",
            b'Content-Disposition: form-data; name="a\\"b"; filename="a%22b.jpg"',
            b"Content-Type: text/xml",
            b"Content-Type: image/jpeg; charset=\xff",
            b"Content-Transfer-Encoding: base64",
            b"",
            b"--B",
        ]
    ),
    st.binary(max_size=20),
)
heads: SearchStrategy[list[bytes]] = st.one_of(
    st.just(
        [b'Content-Disposition: form-data; name="xml_submission_file"; filename="a.xml"', b"Content-Type: text/xml"]
    ),
    st.just([b'Content-Disposition: form-data; name="a.jpg"; filename="a.jpg"', b"Content-Type: image/jpeg"]),
    st.lists(lines, min_size=1, max_size=2),
)
bodies: SearchStrategy[bytes] = st.builds(
    lambda parts, end: (
        b"".join(
            b"--B\r\n" + b"".join(line + b"\r\n" for line in head) + b"\r\n" + content + b"\r\n"
            for head, content in parts
        )
        + end
    ),
    st.lists(
        st.tuples(st.lists(lines, min_size=1, max_size=2), st.one_of(documents, st.binary(max_size=50))), max_size=4
    ),
    st.sampled_from([*[b"--B--\r\n"] * 5, b"--B--", b"", b"--B\r\n", b"--B--\r\nresto"]),
)
PARTS: Final = (
    *(
        "v1",
        "key",
        TOKEN,
        "projects",
        "1",
        "0",
        "99999999999999999999",
        "forms",
        "hogar",
        "hogar.xml",
        "manifest",
        "draft",
    ),
    *(
        "attachments",
        "formList",
        "submission",
        "test",
        "submissions.csv.zip",
        "",
        "..",
        "%00",
        "%2F",
        "%25",
        "%FF",
        "%",
    ),
)
segments: SearchStrategy[str] = st.one_of(
    *(st.sampled_from(PARTS) for _ in range(3)),
    st.text(max_size=8).map(lambda text: quote(text, safe="")),
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#/"), max_size=8),
)
PATHS: Final = (
    *(
        ["formList"],
        ["submission"],
        ["forms", "hogar.xml"],
        ["forms", "hogar", "manifest"],
        ["forms", "hogar", "draft.xml"],
    ),
    *(["forms", "hogar", "submissions.csv.zip"], ["forms", "hogar", "attachments", "%00"], ["", "", "formList", ""]),
)
ROOTS: Final = ("", "/v1", f"/v1/key/{TOKEN}/projects/{PROJECT}", f"/v1/projects/{PROJECT}", f"/v1/test/{TOKEN}")
queries: SearchStrategy[str] = st.one_of(
    st.sampled_from(["", "deviceID=%00", "formID=%FF"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20),
)
HEADERS: Final = (
    *(
        "Host",
        "Authorization",
        "If-None-Match",
        "Accept-Encoding",
        "X-Forwarded-Proto",
        "Range",
        "Content-Type",
        "Cookie",
    ),
    *("If-Modified-Since", "Date", "User-Agent", "Accept", "X-OpenRosa-Version", "Expect", "Origin"),
)
GIVEN: Final = (
    *(
        basic("a@b", "ñ"),
        basic(*ADMIN),
        "Basic /w==",
        "Digest username=x",
        'W/"x"',
        "*",
        "gzip;q=0",
        "gzip;q=x",
        "bytes=0-",
    ),
    *(
        "h_h:99999",
        "multipart/form-data; boundary=B",
        "multipart/form-data; boundary=ñ",
        "multipart/form-data; boundary*=x",
    ),
)
headers: SearchStrategy[dict[str, str]] = st.dictionaries(
    st.sampled_from(HEADERS),
    st.one_of(
        st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=30),
        st.sampled_from(GIVEN),
    ),
    max_size=3,
)


def assert_answered(answer: Answer) -> None:
    assert answer.status < 500, (answer.status, answer.body)
    if answer.body and answer.headers.get("Content-Type", "").startswith("text/xml"):
        etree.fromstring(answer.content)


def test_any_request_is_answered(desk: Desk, phone: Wire):
    desk.publish(HOUSE)

    @SEEDED
    @given(
        st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]),
        st.one_of(st.sampled_from(PATHS), st.lists(segments, max_size=9)),
        st.sampled_from(ROOTS),
        queries,
        headers,
        st.one_of(st.none(), bodies),
    )
    def ask(method: str, path: list[str], root: str, query: str, given: dict[str, str], body: bytes | None) -> None:
        url = "/" + (root + "".join(f"/{segment}" for segment in path)).lstrip("/") + (f"?{query}" if query else "")
        assert_answered(phone.send(method, url, given, body))

    ask()


def test_any_multipart_body_is_kept_or_told(desk: Desk, phone: Wire):
    desk.publish(HOUSE)

    @SEEDED
    @given(bodies)
    def post(body: bytes) -> None:
        answer = phone.raw(body, "multipart/form-data; boundary=B")

        assert_answered(answer)
        assert answer.message

    post()
    assert desk.failures() == []


def test_any_xml_is_kept_byte_for_byte_or_told(desk: Desk, phone: Wire):
    desk.publish(HOUSE)

    @SEEDED
    @given(documents, st.lists(st.tuples(texts, st.binary(max_size=10)), max_size=2))
    def post(xml: bytes, files: list[tuple[str, bytes]]) -> None:
        answer = phone.post(xml, [(name.replace("\r", "").replace("\n", ""), content) for name, content in files])

        assert_answered(answer)
        assert answer.message
        if answer.status == 201:
            assert desk.xml_of(instances.read(xml).instance_id) == xml

    post()
    assert desk.failures() == []
