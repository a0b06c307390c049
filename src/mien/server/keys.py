"""API keys: 256 random bits, of which only a hash is stored, and the role that they give."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

PREFIX = "mien"
"""Keys look like ``mien_<id>_<secret>``, so that scanners for leaked secrets can find them."""


class Role(StrEnum):
    """What a key allows; each includes those before it.

    Analyse: look at photos, verify, identify, challenges. Enrol: list, enrol and remove people. Admin: export people,
    calibrate.
    """

    ANALYSE = "analyse"
    ENROL = "enrol"
    ADMIN = "admin"

    def includes(self, other: Role) -> bool:
        """Whether this role may do what the other may.

        >>> Role.ENROL.includes(Role.ANALYSE), Role.ENROL.includes(Role.ADMIN)
        (True, False)
        """
        roles = list(Role)
        return roles.index(self) >= roles.index(other)


@dataclass(frozen=True, slots=True)
class Key:
    """A key without its secret.

    Attributes:
        id: its public part.
        name: whom or what it is for, in words.
        role: what it allows.
        created: when (UTC).
    """

    id: str
    name: str
    role: Role
    created: datetime


def new_key() -> tuple[str, str, bytes]:
    """Draw a key; gives its text, its id and the hash to store."""
    key_id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    return f"{PREFIX}_{key_id}_{secret}", key_id, hashed(secret)


def split(text: str) -> tuple[str, str] | None:
    """Id and secret of a key's text; None when it has not the form of a key."""
    prefix, _, rest = text.partition("_")
    key_id, _, secret = rest.partition("_")
    return (key_id, secret) if prefix == PREFIX and key_id and secret else None


def hashed(secret: str) -> bytes:
    """SHA-256: a slow hash would add nothing for a secret that has 256 random bits and cannot be guessed."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def matches(secret: str, stored: bytes | None) -> bool:
    """Whether a secret has a stored hash, in a time that tells nothing; None is compared too, and matches nothing."""
    equal = hmac.compare_digest(hashed(secret), stored or bytes(32))
    return equal and stored is not None
