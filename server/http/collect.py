"""What a phone must be told to reach this server: ODK Collect's settings, and the QR code that carries them."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any, Final

import segno

from server.http.paths import segment

_ICON: Final = "🧵"
_COLOR: Final = "#0b7a75"


def app_user_url(base_url: str, project_id: int, token: str) -> str:
    """The server URL of an app user: no user name, no password, the token is in it."""
    return f"{base_url}/v1/key/{segment(token)}/projects/{project_id}"


def draft_url(base_url: str, project_id: int, form_id: str, token: str) -> str:
    """The server URL that opens one draft to a phone."""
    return f"{base_url}/v1/test/{segment(token)}/projects/{project_id}/forms/{segment(form_id)}/draft"


def settings(url: str, *, project_name: str, language: str) -> dict[str, Any]:
    """Collect's settings (its client-settings.schema.json): forms kept exactly as on the server, sent as soon as possible."""
    return {
        "general": {
            "server_url": url,
            "username": "",
            "password": "",
            "form_update_mode": "match_exactly",
            "autosend": "wifi_and_cellular",
            "app_language": language,
        },
        "admin": {"change_server": False},
        "project": {"name": project_name, "icon": _ICON, "color": _COLOR},
    }


def encode(collect_settings: dict[str, Any]) -> str:
    """The text of the QR code: Base64 of the zlib stream of the JSON, as Collect reads it."""
    text = json.dumps(collect_settings, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def qr_code(collect_settings: dict[str, Any]) -> segno.QRCode:
    """The code itself, with Collect's own error correction (L): the fewest and largest squares."""
    return segno.make(encode(collect_settings), error="l", micro=False, boost_error=False)
