"""A request as matchers see it. What few matchers ask for is read when first asked for, and once."""

from typing import Any
from urllib.parse import parse_qsl

from understudy_server.core.matching import json_values, paths


class Request:
    """The parts of a request that can be matched.

    ``path`` begins with a slash and is without the proxy's prefix and the query; ``query`` is the raw text behind the
    question mark. Both are as sent, percent-encoded.
    """

    __slots__ = ("_json", "_parameters", "_query", "body", "method", "segments")

    def __init__(self, method: str, path: str, query: str = "", body: bytes = b"") -> None:
        self.method = method
        self.segments = paths.split(path)
        self.body = body
        self._query = query
        self._parameters: dict[str, list[str]] | None = None
        self._json: tuple[Any] | None = None

    def parameters(self) -> dict[str, list[str]]:
        """The query's values by name, in order, decoded. A name without a value has the empty text."""
        if self._parameters is None:
            self._parameters = {}
            for name, value in parse_qsl(self._query, keep_blank_values=True, errors="surrogateescape"):
                self._parameters.setdefault(name, []).append(value)
        return self._parameters

    def json(self) -> Any:
        """The body read as JSON, or ``json_values.UNREADABLE``."""
        if self._json is None:
            self._json = (json_values.read(self.body),)
        return self._json[0]
