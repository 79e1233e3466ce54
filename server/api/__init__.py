"""The API's door: /v1, as ODK Central's clients know it."""
