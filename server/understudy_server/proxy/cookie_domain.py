"""Cookies on a custom domain: siblings share them.

Where an app calls the proxy by a name of its own such as ``api-qa.example.com``, a cookie that the real service sets
for itself would be refused by the browser or kept from ``www.example.com``. So its ``Domain`` becomes the registrable
root, ``example.com``: the shortest name that somebody can own, by the public suffix list. The FlowMock contract asks
for this on custom domains below a root, so that sibling hosts share the cookie. A cookie without ``Domain`` belongs to
its host alone, and most session cookies are such: they get one, or nothing would be shared. Clearing a cookie goes the
same way, so it clears what was set.
"""

import re
from functools import cache, lru_cache

from publicsuffixlist import PublicSuffixList

_BLANKS = b" \t"
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)+")
_ROOTS_KEPT = 1024


def widen(set_cookie: bytes, host: str) -> bytes:
    """Rewrite the value of one ``Set-Cookie`` line of an answer that goes out on ``host`` (lower case, without port).

    Every ``Domain`` becomes the registrable root of the host; without one it is added at the end. All else stays as it
    is, to the byte. Unchanged are cookies whose name begins with ``__Host-``, which must not have a domain, and all
    cookies when the host is no name below a root (``registrable_root``).
    """
    root = registrable_root(host)
    if root is None:
        return set_cookie
    pair, *attributes = set_cookie.split(b";")
    if pair.lstrip(_BLANKS).lower().startswith(b"__host-"):
        return set_cookie
    domain = root.encode()
    written = [_with_domain(each, domain) if _is_domain(each) else each for each in attributes]
    if not any(map(_is_domain, attributes)):
        written.append(b" Domain=" + domain)
    return b";".join([pair, *written])


def _is_domain(attribute: bytes) -> bool:
    return attribute.partition(b"=")[0].strip(_BLANKS).lower() == b"domain"


def _with_domain(attribute: bytes, domain: bytes) -> bytes:
    return attribute.partition(b"=")[0].rstrip(_BLANKS) + b"=" + domain


@lru_cache(_ROOTS_KEPT)
def registrable_root(host: str) -> str | None:
    """The registrable root above a host name: ``example.co.uk`` for ``api.qa.example.co.uk``.

    ``None`` when there is none above it: the host is itself a root, a public suffix, a single label, an address, or not
    an ASCII name in lower case. The first call that needs the list reads it, which takes some 20 ms.
    """
    if not _HOST.fullmatch(host) or host.rpartition(".")[2].isdigit():
        return None
    labels = host.split(".")
    root = _suffixes().privatesuffix(".".join(map(_readable, labels)))
    kept = root.count(".") + 1 if root else len(labels)
    return ".".join(labels[-kept:]) if kept < len(labels) else None


def _readable(label: str) -> str:
    """A label in its own script, as the list has it."""
    try:
        return label[4:].encode().decode("punycode") if label.startswith("xn--") else label
    except UnicodeError:
        return label


@cache
def _suffixes() -> PublicSuffixList:
    # Reading the list with the encoded form of its names too would take three times as long.
    return PublicSuffixList(accept_encoded_idn=False)
