"""What the settings say of the door for FlagBridge's clients, read from their texts."""

import re
import secrets
from dataclasses import fields
from typing import Final

from understudy_gateway.dialects.flagbridge.settings import Edition, Login, RequestsAMinute

_SECRET_BYTES: Final = 32
_SCOPES: Final = tuple(each.name for each in fields(RequestsAMinute))
_ADDRESS: Final = re.compile(r"[^\s:@]+@[^\s:@]+")


def read_edition(text: str) -> Edition:
    """Read which edition is played. Raises ValueError."""
    try:
        return Edition(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an edition: give {' or '.join(Edition)}") from None


def read_login(text: str) -> Login:
    """Read ``EMAIL:PASSWORD``. Raises ValueError, which does not repeat what may be a password.

    The tokens are good in this process only: what signs them is drawn now.
    """
    email, colon, password = text.strip().partition(":")
    if not colon or not password or not _ADDRESS.fullmatch(email):
        raise ValueError("this is not a login: give EMAIL:PASSWORD")
    return Login(email, password, secrets.token_bytes(_SECRET_BYTES))


def read_requests(text: str) -> RequestsAMinute:
    """Read ``eval=10000,test=1000``; scopes that are left out keep their default. Raises ValueError."""
    found: dict[str, int] = {}
    for part in text.split(","):
        scope, _, count = part.strip().partition("=")
        if scope not in _SCOPES or not re.fullmatch(r"[1-9][0-9]{0,8}", count):
            raise ValueError(f"{part.strip()!r} is not SCOPE=REQUESTS, where SCOPE is one of {', '.join(_SCOPES)}")
        if scope in found:
            raise ValueError(f"{scope} stands there twice")
        found[scope] = int(count)
    return RequestsAMinute(**found)
