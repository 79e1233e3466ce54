"""The page at `/`: that the server is there, and what to do next."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response

blueprint = Blueprint("web", __name__)

_PAGE: Final = """<!doctype html>
<html lang="es">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tejido</title>
<link rel="stylesheet" href="/welcome.css">
</head>
<body>
<main>
<h1>Tejido</h1>
<p>El servidor está en marcha y recibe formularios de ODK Collect.</p>
<p>Para conectar un teléfono, escanee el código QR que da la orden
<code>tejido app-user create "Teléfono 2" --project 1</code>.
Para bajar los datos: <code>tejido extract</code>, o la API en <code>/v1</code>.</p>
<hr>
<p lang="en">The server is running and receives forms from ODK Collect. To connect a phone, scan the QR code that
<code>tejido app-user create "Phone 2" --project 1</code> gives. To take data out: <code>tejido extract</code>,
or the API at <code>/v1</code>.</p>
</main>
</body>
</html>
"""
_STYLE: Final = """:root { color-scheme: light dark; font: 1.125rem/1.5 system-ui, sans-serif; }
body { margin: 0; padding: 1.5rem; }
main { max-width: 36rem; margin: 0 auto; }
h1 { color: light-dark(#075f5b, #5fd3cd); }
code { overflow-wrap: anywhere; }
"""


@blueprint.get("/")
def welcome() -> Response:
    """Says nothing of what is kept here: nobody has logged in."""
    return _secured(Response(_PAGE, content_type="text/html; charset=utf-8"))


@blueprint.get("/welcome.css")
def style() -> Response:
    """The page's style, apart from it: the policy below allows nothing inline."""
    return _secured(Response(_STYLE, content_type="text/css; charset=utf-8"))


def _secured(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
