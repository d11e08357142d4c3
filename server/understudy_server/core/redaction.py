"""What never reaches the journal. Only the stored copy is masked, never the traffic."""

from collections.abc import Iterable

MARKER = "[redacted]"

_SECRET = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"})


def redact(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the header pairs in order, with the values of credentials replaced by a fixed marker."""
    return tuple([(name, MARKER if name.lower() in _SECRET else value) for name, value in headers])
