"""API keys: how their text is made, hashed and told apart, and what a role may do."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

PREFIX = "fmk_"
RANDOM_BYTES = 32
ACTIVE_MAX = 25
HINT_CHARACTERS = 8
SCOPED_PREFIX = "fb_sk_"
SCOPED_RANDOM_BYTES = 16
SCOPED_HINT_CHARACTERS = 20
TEXT_CHARACTERS_MAX = 64
"""No key is longer: what is, is no key, and nothing is worked out, looked up or remembered of it."""


def make_text(random_bytes: Callable[[int], bytes]) -> str:
    """Make the text of a new key: ``fmk_`` and 32 random bytes in unpadded base64url, 47 characters in all."""
    return PREFIX + base64.urlsafe_b64encode(random_bytes(RANDOM_BYTES)).rstrip(b"=").decode()


def make_scoped_text(scope: str, random_bytes: Callable[[int], bytes]) -> str:
    """Make the text of a new key of a scope: ``fb_sk_``, the scope, ``_`` and 16 random bytes in hexadecimal."""
    return f"{SCOPED_PREFIX}{scope}_{random_bytes(SCOPED_RANDOM_BYTES).hex()}"


def fingerprint(text: str) -> bytes:
    """The SHA-256 of the whole key: all that is kept of it.

    One hash is enough for 256 random bits, and for the 128 of a key with a scope.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def hint(text: str) -> str:
    """The first characters of a key, which tell a person keys apart and nobody else anything."""
    return text[: SCOPED_HINT_CHARACTERS if text.startswith(SCOPED_PREFIX) else HINT_CHARACTERS]


def text_of(authorization: str) -> str | None:
    """The key in an ``Authorization`` value, ``Bearer KEY`` or ``Token KEY``, the word in any case, or ``None``."""
    scheme, _, text = authorization.strip().partition(" ")
    text = text.strip()
    return text if scheme.lower() in ("bearer", "token") and text else None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: the id and role of a key and the only project and environment it is for (ids, empty for all).

    ``role`` is a number of the contract's Role: each includes the ones below it. The owner at the command line is an
    organisation-wide admin without a key. ``scope`` is a number of the contract's KeyScope, 0 for a key that has none.
    """

    key_id: str
    role: int
    project_id: str = ""
    environment_id: str = ""
    scope: int = 0

    @property
    def is_owner(self) -> bool:
        return not self.key_id
