"""The journal's copy of a body: cut to a limit, and readable where its content coding is a simple one."""

import zlib

from understudy_server.core.exchange import Captured
from understudy_server.proxy.messages import RawHeaders, first, text_of

# Window bits for zlib: 15 with 32 added recognises the headers of gzip and zlib by themselves.
_WINDOW = {b"gzip": 47, b"x-gzip": 47, b"deflate": 47}


def capture(body: bytes, headers: RawHeaders, bytes_max: int) -> Captured | None:
    """Keep at most ``bytes_max`` of a body, decompressed if it was compressed; ``None`` for an empty one.

    The size of a decompressed body is exact when it was kept whole, and else only known to exceed what was kept:
    inflating stops at the limit, whatever the body claims to hold.
    """
    if not body:
        return None
    content_type = text_of(first(headers, b"content-type") or b"")
    coding = (first(headers, b"content-encoding") or b"").lower()
    inflated = _inflate(body, _WINDOW[coding], bytes_max) if coding in _WINDOW else None
    if inflated is None:
        return Captured(body[:bytes_max], len(body), content_type)
    return Captured(inflated[:bytes_max], len(inflated), content_type)


def _inflate(body: bytes, window: int, bytes_max: int) -> bytes | None:
    """Return at most one byte over the limit, or ``None`` when the body is not what its header says."""
    try:
        return zlib.decompressobj(window).decompress(body, bytes_max + 1)
    except zlib.error:
        return None
