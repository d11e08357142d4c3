"""Reads HTTP/1.1 in the one form that nobody can misread: a judge of what the proxy writes, apart from its parsers.

Whatever a lenient reader could take in two ways is refused here, and not interpreted: a bare CR or LF, a folded line,
two lengths, a length beside a coding, a coding that is not exactly `chunked`, any doubt in a chunk size.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([\x21-\x7e]+) HTTP/1\.1")
_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-9]\d\d) [\t\x20-\x7e\x80-\xff]*")
_HEADER = re.compile(rb"(" + _TOKEN + rb"): ?((?:[\x21-\x7e\x80-\xff][\t\x20-\x7e\x80-\xff]*)?)")
_LENGTH = re.compile(rb"0|[1-9]\d{0,15}")
_CHUNK_SIZE = re.compile(rb"[0-9a-fA-F]{1,8}")

Headers = tuple[tuple[bytes, bytes], ...]


class Ambiguous(Exception):
    """These bytes could be read in more than one way, or in none."""


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an answer. ``start`` is its first line; names are in lower case; trailers are left out."""

    start: bytes
    headers: Headers
    body: bytes = b""

    @property
    def method(self) -> str:
        return self.start.split(b" ")[0].decode()

    @property
    def target(self) -> str:
        return self.start.split(b" ")[1].decode()

    @property
    def status(self) -> int:
        return int(self.start.split(b" ")[1])

    def values(self, name: bytes) -> list[bytes]:
        return [value for given, value in self.headers if given == name]


def read_requests(data: bytes) -> tuple[list[Message], bytes]:
    """Return the whole requests, and the bytes of one that broke off. Raises Ambiguous."""
    requests, at = [], 0
    while at < len(data):
        head = _head(data, at, _REQUEST_LINE)
        if head is None:
            break
        message, body_at = head
        if len(message.values(b"host")) != 1:
            raise Ambiguous(f"not one Host: {message.headers!r}")
        whole = _with_body(message, data, body_at, none_without_framing=True)
        if whole is None:
            break
        message, at = whole
        requests.append(message)
    return requests, data[at:]


def read_answers(data: bytes, methods: Iterable[str]) -> tuple[list[Message], bytes]:
    """Return the whole answers to requests of these methods, interim ones too, and the bytes of one that broke off.

    An answer that only the end of the connection can frame ends with the data. Raises Ambiguous, also for an answer
    that nobody asked for; more methods than answers are fine.
    """
    answers, at, asked = [], 0, iter(methods)
    while at < len(data):
        head = _head(data, at, _STATUS_LINE)
        if head is None:
            break
        message, body_at = head
        whole: tuple[Message, int] | None = (message, body_at)
        if message.status >= 200:
            method = next(asked, None)
            if method is None:
                raise Ambiguous(f"an answer to nothing: {data[at:]!r}")
            if method != "HEAD" and message.status not in (204, 304):
                whole = _with_body(message, data, body_at, none_without_framing=False)
        if whole is None:
            break
        message, at = whole
        answers.append(message)
    return answers, data[at:]


def _head(data: bytes, at: int, start: re.Pattern[bytes]) -> tuple[Message, int] | None:
    end = data.find(b"\r\n\r\n", at)
    if end < 0:
        return None
    first, *lines = data[at:end].split(b"\r\n")
    if not start.fullmatch(first):
        raise Ambiguous(f"start line {first!r}")
    headers = []
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None:
            raise Ambiguous(f"header line {line!r}")
        headers.append((header[1].lower(), header[2]))
    return Message(first, tuple(headers)), end + 4


def _with_body(message: Message, data: bytes, at: int, *, none_without_framing: bool) -> tuple[Message, int] | None:
    lengths, codings = message.values(b"content-length"), message.values(b"transfer-encoding")
    if len(lengths) + len(codings) > 1:
        raise Ambiguous(f"framed more than once: {message.headers!r}")
    if codings:
        if codings[0].lower() != b"chunked":
            raise Ambiguous(f"transfer coding {codings[0]!r}")
        chunked = _chunks(data, at)
        return chunked and (Message(message.start, message.headers, chunked[0]), chunked[1])
    if not lengths:
        end = at if none_without_framing else len(data)
    elif _LENGTH.fullmatch(lengths[0]):
        end = at + int(lengths[0])
    else:
        raise Ambiguous(f"length {lengths[0]!r}")
    if end > len(data):
        return None
    return Message(message.start, message.headers, data[at:end]), end


def _chunks(data: bytes, at: int) -> tuple[bytes, int] | None:
    body = b""
    while (line_end := data.find(b"\r\n", at)) >= 0:
        if not _CHUNK_SIZE.fullmatch(data[at:line_end]):
            raise Ambiguous(f"chunk size {data[at:line_end]!r}")
        size, at = int(data[at:line_end], 16), line_end + 2
        if size == 0:
            return _after_trailers(data, at, body)
        if len(data) < at + size + 2:
            return None
        if data[at + size : at + size + 2] != b"\r\n":
            raise Ambiguous(f"chunk is longer than its size {size}")
        body, at = body + data[at : at + size], at + size + 2
    return None


def _after_trailers(data: bytes, at: int, body: bytes) -> tuple[bytes, int] | None:
    while (line_end := data.find(b"\r\n", at)) >= 0:
        if line_end == at:
            return body, at + 2
        if not _HEADER.fullmatch(data[at:line_end]):
            raise Ambiguous(f"trailer line {data[at:line_end]!r}")
        at = line_end + 2
    return None
