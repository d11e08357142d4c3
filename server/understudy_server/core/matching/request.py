"""A request as matchers see it. What few matchers ask for is read when first asked for, and once."""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_plus

from understudy_server.core.matching import json_values, paths


@dataclass(frozen=True, slots=True)
class Overlong:
    """Stands for a body that is too long to be matched; equal to no bytes."""


OVERLONG: Final = Overlong()
"""The body of a request that has more of it than ``json_values.PARSED_BYTES_MAX``: no criterion on a body holds."""

Body = bytes | Overlong | None
"""``None``: not here yet."""


class BodyWanted(Exception):
    """Whether a mock answers depends on the body, which is not here yet. Set it (``Request.body``), and ask again."""


class Request:
    """The parts of a request that can be matched.

    ``path`` begins with a slash and is without the proxy's prefix and the query; ``query`` is the raw text behind the
    question mark. Both are as sent, percent-encoded. A request can be judged while its ``body`` is still ``None``; it
    is set once, when it is here or known to be ``OVERLONG``.
    """

    __slots__ = ("_json", "_parameters", "_segments", "body", "method", "path", "query")

    def __init__(self, method: str, path: str, query: str = "", body: Body = b"") -> None:
        self.method = method
        self.path = path
        self.query = query
        self.body = body
        self._segments: tuple[str, ...] | None = None
        self._parameters: dict[str, list[str]] | None = None
        self._json: tuple[Any] | None = None

    def segments(self) -> tuple[str, ...]:
        """The path's segments, decoded."""
        if self._segments is None:
            self._segments = paths.split(self.path)
        return self._segments

    def parameters(self) -> dict[str, list[str]]:
        """The query's values by name, in order, decoded. A name without a value has the empty text."""
        if self._parameters is None:
            self._parameters = _read_form(self.query)
        return self._parameters

    def content(self) -> bytes | Overlong:
        """The body. Raises BodyWanted when it is not here yet."""
        if self.body is None:
            raise BodyWanted
        return self.body

    def json(self) -> Any:
        """The body read as JSON, or ``json_values.UNREADABLE``. Raises BodyWanted when it is not here yet."""
        if self._json is None:
            content = self.content()
            self._json = (json_values.read(content) if isinstance(content, bytes) else json_values.UNREADABLE,)
        return self._json[0]


def _read_form(query: str) -> dict[str, list[str]]:
    # What urllib's parse_qsl reads, at a third of its cost: most names and values have nothing to decode.
    found: dict[str, list[str]] = {}
    encoded = "%" in query or "+" in query
    for part in query.split("&"):
        if part:
            name, _, value = part.partition("=")
            if encoded:
                name, value = _decode(name), _decode(value)
            found.setdefault(name, []).append(value)
    return found


def _decode(text: str) -> str:
    return unquote_plus(text, errors="surrogateescape")
