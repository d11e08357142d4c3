"""Where a request keeps its session key: the session header first, then the carriers of the environment, in order.

Whatever the carrier, the text goes through the one function that the API uses (``session_key.normalise``), so a key
that the API cut or trimmed still meets its session. All carriers are read even when an earlier one gave a key, because
two that disagree are a finding. A carrier that is broken in any way gives no key and is no error.
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from understudy_server.core import strict_json
from understudy_server.core.exchange import RawHeaders
from understudy_server.core.headers import first, text_of, values
from understudy_server.core.session_key import normalise

SESSION_HEADER_REPEATED = "session_header_repeated"
"""The finding that the session header was sent more than once. Its first value counted."""

CARRIERS_DISAGREE = "carriers_disagree"
"""The finding that two carriers (the session header is one) held different keys. The first in order counted."""

_BLANKS = b" \t"
_PATTERNS_KEPT = 1024
_JWT_PARTS = 3


class CarrierKind(StrEnum):
    """The parts of a request that can hold a session key."""

    HEADER = "header"
    COOKIE = "cookie"
    QUERY = "query"
    JWT_CLAIM = "jwt_claim"
    BAGGAGE = "baggage"


@dataclass(frozen=True, slots=True)
class Carrier:
    """One place to look for a session key.

    ``name`` is that of the header (in any case), cookie, query parameter, claim or baggage member. A claim's may be a
    dotted path into nested objects; a claim that has the whole name, dots included, goes before the path.
    """

    kind: CarrierKind
    name: str


class FoundKey(NamedTuple):
    """The normalised key, empty when the request carries none, and the codes of what was odd about it."""

    key: str
    findings: tuple[str, ...]


_NOTHING = FoundKey("", ())


def find_key(explicit: Sequence[bytes], carriers: Sequence[Carrier], headers: RawHeaders, query: str) -> FoundKey:
    """Find the session key of a request. Never fails.

    ``explicit`` are the values of the session header in the order sent: only the first can give the key. ``query`` is
    the raw text behind the question mark, one character for each byte.
    """
    if not explicit and not carriers:
        return _NOTHING
    key = normalise(text_of(explicit[0])) if explicit else ""
    if not carriers and len(explicit) == 1:
        return FoundKey(key, ())
    found = [key, *(normalise(_READERS[each.kind](each.name, headers, query)) for each in carriers)]
    # In order and each once.
    keys = list(dict.fromkeys(filter(None, found)))
    findings = []
    if len(explicit) > 1:
        findings.append(SESSION_HEADER_REPEATED)
    if len(keys) > 1:
        findings.append(CARRIERS_DISAGREE)
    return FoundKey(keys[0] if keys else "", tuple(findings))


def _in_header(name: str, headers: RawHeaders, _query: str) -> str:
    return text_of(first(headers, name.lower().encode()) or b"")


def _in_cookie(name: str, headers: RawHeaders, _query: str) -> str:
    """The first cookie of that name, case counting, without quotes around its value. Source: RFC 6265, section 4.2."""
    member = _member(name, b";")
    for line in values(headers, b"cookie"):
        if found := member.search(line):
            return text_of(_unquoted(found[1].strip(_BLANKS)))
    return ""


def _unquoted(value: bytes) -> bytes:
    return value[1:-1] if len(value) > 1 and value[:1] == value[-1:] == b'"' else value


def _in_query(name: str, _headers: RawHeaders, query: str) -> str:
    """The first parameter of that name, both decoded as forms are: ``%XX``, and a plus for a space."""
    wanted = name.encode()
    for pair in query.encode("latin-1", "replace").split(b"&"):
        given, _, value = pair.partition(b"=")
        if _form_decoded(given) == wanted:
            return text_of(_form_decoded(value))
    return ""


def _form_decoded(raw: bytes) -> bytes:
    return unquote_to_bytes(raw.replace(b"+", b" "))


def _in_claim(name: str, headers: RawHeaders, _query: str) -> str:
    """A claim that is a string or an integer, read without verification: it says which session, it proves nothing."""
    value = payload = _jwt_payload(first(headers, b"authorization") or b"")
    whole = isinstance(payload, dict) and name in payload
    for step in [name] if whole else name.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _jwt_payload(authorization: bytes) -> Any:
    """The payload in ``Bearer header.payload.signature``, or ``None``. Source: RFC 7515, section 7.1.

    It is read strictly: a payload that two parsers may read in two ways identifies nobody.
    """
    scheme, _, token = authorization.partition(b" ")
    parts = token.strip().split(b".")
    if scheme.lower() != b"bearer" or len(parts) != _JWT_PARTS:
        return None
    payload = parts[1].rstrip(b"=")
    try:
        decoded = base64.b64decode(payload + b"=" * (-len(payload) % 4), altchars=b"-_", validate=True)
        return strict_json.parse(decoded.decode())
    except ValueError:
        # Not base64, not UTF-8, not JSON: all of them are ValueErrors.
        return None


def _in_baggage(name: str, headers: RawHeaders, _query: str) -> str:
    """The first list member of that key, percent-decoded, without its properties. Source: W3C Baggage, section 3.3."""
    member = _member(name, b",")
    for line in values(headers, b"baggage"):
        if found := member.search(line):
            return text_of(unquote_to_bytes(found[1].strip(_BLANKS)))
    return ""


@lru_cache(_PATTERNS_KEPT)
def _member(name: str, separator: bytes) -> re.Pattern[bytes]:
    """Finds ``name=value`` in a list, with the value up to a semicolon or the next member as its group.

    A search, because to split a line of 64 KiB with nothing but separators in it takes several times as long.
    """
    wanted = re.escape(name.encode())
    return re.compile(rb"(?:^|%b)[ \t]*%b[ \t]*=([^;%b]*)" % (separator, wanted, separator))


def headers_read(carriers: Sequence[Carrier]) -> frozenset[bytes]:
    """The names, in lower case, of the headers that `find_key` looks at besides the session header."""
    found = [_HEADER_OF.get(each.kind, each.name.lower().encode()) for each in carriers]
    return frozenset(filter(None, found))


_HEADER_OF: Mapping[CarrierKind, bytes] = {
    CarrierKind.COOKIE: b"cookie",
    CarrierKind.JWT_CLAIM: b"authorization",
    CarrierKind.BAGGAGE: b"baggage",
    CarrierKind.QUERY: b"",
}


_READERS: Mapping[CarrierKind, Callable[[str, RawHeaders, str], str]] = {
    CarrierKind.HEADER: _in_header,
    CarrierKind.COOKIE: _in_cookie,
    CarrierKind.QUERY: _in_query,
    CarrierKind.JWT_CLAIM: _in_claim,
    CarrierKind.BAGGAGE: _in_baggage,
}
