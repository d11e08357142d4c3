"""The phrase beside a status code. It says nothing to programs; people who read a transcript like it."""

from http import HTTPStatus
from typing import Final

# The names of RFC 9110, which Python has had for all of them since 3.13 only.
_RENAMED = {
    413: b"Content Too Large",
    414: b"URI Too Long",
    416: b"Range Not Satisfiable",
    422: b"Unprocessable Content",
}
REASONS: Final = {status.value: status.phrase.encode() for status in HTTPStatus} | _RENAMED


def reason(status: int) -> bytes:
    """Return the usual phrase of a status, empty when it has none."""
    return REASONS.get(status, b"")
