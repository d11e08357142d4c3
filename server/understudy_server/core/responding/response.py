"""A mock's fixed response."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from understudy_server.core.responding.prepared import Prepared, prepare

Headers = tuple[tuple[str, str], ...]


class BodyKind(StrEnum):
    """How a body was given; the value is the content type it has unless a header says otherwise."""

    NONE = ""
    JSON = "application/json"
    TEXT = "text/plain; charset=utf-8"
    BINARY = "application/octet-stream"


@dataclass(frozen=True)
class Response:
    """Status, header pairs in order, and body. Framing (content-length) is not part of it."""

    status: int = 200
    headers: Headers = ()
    body: bytes = b""

    @cached_property
    def prepared(self) -> Prepared:
        """Its bytes, made when it is first sent."""
        return prepare(self.status, self.headers, self.body)


def with_default_type(status: int, headers: Headers, body: bytes, kind: BodyKind) -> Response:
    """Make a response whose content type follows from the kind of its body, unless a header names one."""
    if kind and not any(name.lower() == "content-type" for name, _ in headers):
        headers = (("content-type", kind.value), *headers)
    return Response(status, headers, body)
