"""The ASGI side of a request and of its answer: headers, a bounded body, one answer."""

from collections.abc import Awaitable, Callable, Collection, MutableMapping, Sequence
from typing import Any
from urllib.parse import quote

from understudy_gateway.answers import Answer
from understudy_gateway.transcoding.responses import Headers

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_LENGTH_MAX_DIGITS = 18

# What has no body and says nothing of one: no content, and what the client has already.
_WITHOUT_LENGTH = frozenset((204, 304))


class BodyTooLarge(Exception):
    """The body is, or says it will be, longer than the limit. No more than the limit was kept."""


class BadLength(Exception):
    """The body is not as long as its header says, or the header says nothing readable."""


class Disconnected(Exception):
    """The client went away before it had sent its request."""


def raw_path(scope: Scope) -> bytes:
    """Return the path as the client sent it. A server that does not keep it decoded it: then it is encoded again."""
    raw = scope.get("raw_path")
    return raw if raw is not None else quote(scope["path"], safe="/:").encode()


def pick_headers(lines: Headers, names: Collection[bytes]) -> dict[bytes, bytes]:
    """Return the headers wanted, by lower-case name. The first line counts when there are several."""
    found: dict[bytes, bytes] = {}
    for name, value in lines:
        if name in names and name not in found:
            found[name] = value
    return found


async def read_body(content_length: bytes | None, receive: Receive, bytes_max: int) -> bytes:
    """Read the whole body, of which no more than ``bytes_max`` is kept.

    Raises ``BodyTooLarge``, ``BadLength`` or ``Disconnected``.
    """
    expected = _length(content_length)
    if expected is not None and expected > bytes_max:
        raise BodyTooLarge
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise Disconnected
        chunk = event.get("body", b"")
        size += len(chunk)
        if size > bytes_max:
            raise BodyTooLarge
        chunks.append(chunk)
        more = event.get("more_body", False)
    if expected is not None and size != expected:
        raise BadLength
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _length(header: bytes | None) -> int | None:
    if header is None:
        return None
    if not header.isdigit():
        raise BadLength
    if len(header) > _LENGTH_MAX_DIGITS:
        header = header.lstrip(b"0") or b"0"
        if len(header) > _LENGTH_MAX_DIGITS:
            raise BodyTooLarge
    return int(header)


async def send_answer(
    send: Send, answer: Answer, *, also: Sequence[tuple[bytes, bytes]] = (), head: bool = False
) -> None:
    """Send an answer; with ``head`` its headers only, with the length that the body would have.

    ``also``: headers that follow its own.
    """
    headers = [*answer.headers, *also]
    if answer.status not in _WITHOUT_LENGTH:
        headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else answer.body})
