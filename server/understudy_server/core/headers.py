"""Reading header lines as they came: names in any case, values as bytes."""

from collections.abc import Iterator
from typing import TypeAlias

from understudy_server.core.exchange import RawHeaders

Content: TypeAlias = tuple[bytes, bytes]
"""What a head tells of a body: content type and content coding, each empty when it does not."""


def text_of(raw: bytes) -> str:
    """Read a header's bytes: as UTF-8 when they are, else as Latin-1. Never fails."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def content_of(headers: RawHeaders) -> Content:
    """What a head tells of the body behind it."""
    return first(headers, b"content-type") or b"", first(headers, b"content-encoding") or b""


def values(headers: RawHeaders, name: bytes) -> Iterator[bytes]:
    """All values of a header in the order sent, given its name in lower case."""
    return (value for given, value in headers if given.lower() == name)


def first(headers: RawHeaders, name: bytes) -> bytes | None:
    """The first value of a header, given its name in lower case; ``None`` when there is none."""
    for given, value in headers:
        if given.lower() == name:
            return value
    return None
