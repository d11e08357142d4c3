"""Reading header lines as they came: names in any case, values as bytes."""

from collections.abc import Iterator

from understudy_server.core.exchange import RawHeaders


def text_of(raw: bytes) -> str:
    """Read a header's bytes: as UTF-8 when they are, else as Latin-1. Never fails."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def values(headers: RawHeaders, name: bytes) -> Iterator[bytes]:
    """All values of a header in the order sent, given its name in lower case."""
    return (value for given, value in headers if given.lower() == name)


def first(headers: RawHeaders, name: bytes) -> bytes | None:
    """The first value of a header, given its name in lower case; ``None`` when there is none."""
    for given, value in headers:
        if given.lower() == name:
            return value
    return None
