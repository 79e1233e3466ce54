"""Journeys go through an office as the tests of the server do."""

from tests.server.conftest import desk, office, prepared_url, settings

__all__ = ["desk", "office", "prepared_url", "settings"]
