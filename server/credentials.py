"""Credentials: passwords, tokens and how they are kept."""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

TOKEN_CHARACTERS: Final = 64
"""Length of an app user's token, as in ODK Central."""

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hash_password(password: str) -> str:
    """An argon2id hash (19 MiB, t=2, p=1: OWASP's minimum), with its parameters and salt in it."""
    return _HASHER.hash(password)


def password_matches(password: str, kept: str) -> bool:
    """Whether `password` gives the hash `kept`; about 0.1 s on a small machine."""
    try:
        return _HASHER.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


def new_token() -> str:
    """64 characters that can stand in a URL and nobody can guess (384 bits)."""
    return secrets.token_urlsafe(48)


def new_password() -> str:
    """A password to be read aloud: four groups of four, no look-alike characters (about 80 bits)."""
    alphabet = "abcdefghijkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(4)) for _ in range(4))


def token_hash(token: str) -> str:
    """SHA-256 of a token, hexadecimal: what is kept instead of the token."""
    return hashlib.sha256(token.encode()).hexdigest()
