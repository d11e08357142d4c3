"""Reads what the proxy wrote while it was fuzzed: quickly, and strictly where it matters.

`strict_http` tells the same more thoroughly, and takes too long for millions of inputs.
"""

import re
from collections.abc import Sequence

_HEAD = re.compile(
    rb"HTTP/1\.1 (\d\d\d) [\t\x20-\x7e\x80-\xff]*\r\n"
    rb"((?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[ \t]*[\t\x20-\x7e\x80-\xff]*\r\n)*)\r\n"
)
_LENGTH = re.compile(rb"(?:^|\r\n)content-length: *(\d+)\r\n", re.IGNORECASE)
_CHUNK = re.compile(rb"([0-9a-fA-F]+)\r\n")


class Found(Exception):
    """An input showed a fault. The message says which."""


def read_answers(sent: bytes, *, heads: Sequence[bool]) -> tuple[list[int], bool]:
    """The statuses of the final answers, and whether the last one is whole. Raises Found for what is not HTTP.

    ``heads`` says of each request whether it is HEAD. When it is empty that is not known: an answer that is followed by
    another one in place of its body was to HEAD, since no body looks like an answer then.
    """
    statuses: list[int] = []
    at = 0
    while at < len(sent):
        head = _HEAD.match(sent, at)
        if head is None:
            if b"\r\n\r\n" in sent[at:]:
                raise Found(f"not HTTP: {sent[at:]!r}")
            return statuses, False
        at, status = head.end(), int(head[1])
        if status < 200 and status != 101:
            continue
        is_head = heads[len(statuses)] if heads else at == len(sent) or sent.startswith(b"HTTP/1.1 ", at)
        end = at if is_head else _body_end(sent, at, head[2], status)
        if end is None:
            return statuses, False
        statuses.append(status)
        at = end
    return statuses, True


def _body_end(sent: bytes, at: int, headers: bytes, status: int) -> int | None:
    if status == 101:
        return len(sent)
    if status in (204, 304):
        return at
    length = _LENGTH.search(headers)
    if length:
        end = at + int(length[1])
        return end if end <= len(sent) else None
    if b"transfer-encoding: chunked\r\n" not in headers:
        return len(sent)
    while line := _CHUNK.match(sent, at):
        size = int(line[1], 16)
        at = line.end() + size + 2
        if at > len(sent):
            return None
        if sent[at - 2 : at] != b"\r\n":
            raise Found(f"a chunk does not end: {sent!r}")
        if size == 0:
            return at
    return None
