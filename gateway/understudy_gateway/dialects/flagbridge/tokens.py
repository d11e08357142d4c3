"""Tokens of a login: JSON Web Tokens, signed with HMAC-SHA-256 of the standard library, and good for an hour."""

import base64
import binascii
import hashlib
import hmac
import json
from typing import Final

from understudy_gateway.dialects.flagbridge.refusals import unauthorized

LIFETIME_SECONDS: Final = 3600
_HEAD: Final = {"alg": "HS256", "typ": "JWT"}
_BAD: Final = "The token is malformed, expired or not of this server."
_PARTS: Final = 3


def looks_like_one(text: str) -> bool:
    """True for three parts with dots between them, which no key has."""
    return text.count(".") == _PARTS - 1


def make(email: str, secret: bytes, now_ms: int) -> tuple[str, int]:
    """A token for one who is logged in, and the second since 1970 from which it is good no more."""
    seconds = now_ms // 1000
    ends = seconds + LIFETIME_SECONDS
    signed = f"{_part(_HEAD)}.{_part({'sub': email, 'iat': seconds, 'exp': ends})}"
    return f"{signed}.{_encoded(_signature(signed, secret))}", ends


def read(text: str, secret: bytes, now_ms: int) -> str:
    """Who is logged in with a token. Raises Refusal."""
    signed, _, signature = text.rpartition(".")
    if not hmac.compare_digest(_encoded(_signature(signed, secret)).encode(), signature.encode()):
        raise unauthorized(_BAD)
    try:
        # What is signed was written here, but by whom is shown only as far as the secret is one.
        head, claims = (json.loads(_decoded(part)) for part in signed.split("."))
        is_good = head["alg"] == "HS256" and now_ms < claims["exp"] * 1000
        email = claims["sub"]
    except (ValueError, TypeError, KeyError, binascii.Error):
        raise unauthorized(_BAD) from None
    if not is_good or type(email) is not str:
        raise unauthorized(_BAD)
    return email


def _part(value: object) -> str:
    return _encoded(json.dumps(value, separators=(",", ":")).encode())


def _signature(signed: str, secret: bytes) -> bytes:
    return hmac.new(secret, signed.encode(), hashlib.sha256).digest()


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
