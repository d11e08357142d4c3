"""The URLs that stubs pass requests on to."""

import base64
import re
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, quote, unquote, urlsplit

from understudy_gateway.dialects.assertive.validation import Loc, Problems, text

_LONE_PERCENT: Final = re.compile("%(?![0-9A-Fa-f]{2})")
_IN_PATH: Final = "!$&'()*+,;=:@-._~/%"
_URL_MAX_CHARACTERS: Final = 2048
_HOST: Final = re.compile(r"[A-Za-z0-9._-]{1,253}", re.ASCII)
_ADDRESS: Final = re.compile(r"[0-9A-Fa-f:.]{2,45}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Target:
    """A URL in parts: ``base`` (scheme, host and port), ``path`` (percent-encoded), and ``query`` as it stands.

    ``authorization`` is the header that stands for the user in it; empty without one.
    """

    base: str
    path: str
    query: str = ""
    authorization: str = ""


def target(given: Any, loc: Loc, problems: Problems) -> Any:
    """Check a URL."""
    if not isinstance(given, str):
        return text(given, loc, problems)
    try:
        split(given)
    except ValueError:
        message = f"A URL such as http://shop.example.com/api, of at most {_URL_MAX_CHARACTERS} characters, is wanted."
        problems.add_value_error(loc, message, given)
    return given


def split(url: str) -> Target:
    """Take a URL apart. Raises ValueError for what is none, or none of HTTP."""
    parts = urlsplit(url.strip())
    host = _host(parts)
    if parts.scheme not in ("http", "https") or len(url) > _URL_MAX_CHARACTERS or parts.port == 0:
        raise ValueError(url)
    base = f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")
    # Braces would name parameters of the stub's path: here they stand for themselves.
    path = quote(_LONE_PERCENT.sub("%25", parts.path or "/"), safe=_IN_PATH)
    if len(path) > _URL_MAX_CHARACTERS:
        raise ValueError(url)
    return Target(base, path, parts.query, _authorization(parts))


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if ":" in host:
        if not _ADDRESS.fullmatch(host):
            raise ValueError(host)
        return f"[{host}]"
    host = host if host.isascii() else host.encode("idna").decode()
    if not _HOST.fullmatch(host):
        raise ValueError(host)
    return host


def _authorization(parts: SplitResult) -> str:
    if parts.username is None:
        return ""
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()
