"""The page at `/`: there without any login, and telling nothing."""

from __future__ import annotations

from flask import Flask

from tests.server.desk import Desk, form, questions


def test_welcome_says_the_server_is_there_and_names_nothing_that_is_kept(app: Flask, desk: Desk) -> None:
    desk.publish(form("secreto", questions("text nombre")))

    page = app.test_client().get("/")

    assert page.status_code == 200
    assert "Tejido" in page.text
    assert "secreto" not in page.text


def test_welcome_allows_nothing_from_elsewhere(app: Flask) -> None:
    page = app.test_client().get("/")

    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "<script" not in page.text
    assert app.test_client().get("/welcome.css").mimetype == "text/css"


def test_health_answers_where_the_database_does(app: Flask) -> None:
    assert app.test_client().get("/healthz").json == {"ok": True}


def test_unknown_address_is_a_problem_in_json(app: Flask) -> None:
    answer = app.test_client().get("/v1/nada")

    assert answer.status_code == 404
    assert answer.json is not None
    assert answer.json["code"] == 404.1
