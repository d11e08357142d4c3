"""What differs between two answers: status, headers that mean something, and the body, where it is JSON by value."""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from understudy_server.core.codings import OF_PACKED_BYTES

CHANGING: Final = OF_PACKED_BYTES | {
    "age",
    "connection",
    "content-length",
    "date",
    "etag",
    "expires",
    "keep-alive",
    "last-modified",
    "server",
    "server-timing",
    "set-cookie",
    "traceparent",
    "transfer-encoding",
    "via",
    "x-request-id",
}
"""Headers that differ between any two answers, or only say how they were sent: they are not compared."""

_LINES_MAX: Final = 200
_ABSENT: Final = object()


class Answer(NamedTuple):
    """An answer as it is compared. Header names are in lower case, each with its values in order."""

    status: int
    headers: Mapping[str, Sequence[str]]
    body: bytes


class Difference(NamedTuple):
    """One thing that differs; an empty text where there is nothing. ``part`` such as ``body.$.items[0].id``."""

    part: str
    recorded: str
    now: str


def differences(recorded: Answer, now: Answer, ignored: Iterable[str] = ()) -> list[Difference]:
    """Compare two answers. ``ignored`` are parts that may differ, with all that is below them."""
    # Names of headers have no case.
    without = tuple([each.lower() if each.lower().startswith("headers.") else each for each in ignored])
    found = [*_of_status(recorded, now), *_of_headers(recorded, now), *_of_bodies(recorded.body, now.body)]
    return [each for each in found if not any(_is_below(each.part, part) for part in without)]


def _is_below(part: str, whole: str) -> bool:
    return part == whole or (part.startswith(whole) and part[len(whole)] in ".[")


def _of_status(recorded: Answer, now: Answer) -> Iterator[Difference]:
    if recorded.status != now.status:
        yield Difference("status", str(recorded.status), str(now.status))


def _of_headers(recorded: Answer, now: Answer) -> Iterator[Difference]:
    for name in sorted({*recorded.headers, *now.headers} - CHANGING):
        before, after = recorded.headers.get(name, ()), now.headers.get(name, ())
        if list(before) != list(after):
            yield Difference(f"headers.{name}", ", ".join(before), ", ".join(after))


def _of_bodies(recorded: bytes, now: bytes) -> Iterator[Difference]:
    if recorded == now:
        return
    before, after = _json(recorded), _json(now)
    if before is not _ABSENT and after is not _ABSENT:
        yield from _of_values("body.$", before, after)
        return
    try:
        lines = recorded.decode().splitlines(), now.decode().splitlines()
    except UnicodeDecodeError:
        yield Difference("body", f"{len(recorded)} bytes", f"{len(now)} bytes, others")
        return
    yield from _of_lines(*lines)


def _of_values(path: str, before: Any, after: Any) -> Iterator[Difference]:
    """Compare two JSON values. Walked without recursion: a body may be nested as deep as JSON is read."""
    waiting = [(path, before, after)]
    while waiting:
        place, left, right = waiting.pop()
        if isinstance(left, dict) and isinstance(right, dict):
            names = [*left, *[name for name in right if name not in left]]
            below = [(f"{place}.{name}", left.get(name, _ABSENT), right.get(name, _ABSENT)) for name in names]
            waiting += reversed(below)
        elif isinstance(left, list) and isinstance(right, list):
            length = max(len(left), len(right))
            below = [(f"{place}[{at}]", _item(left, at), _item(right, at)) for at in range(length)]
            waiting += reversed(below)
        elif type(left) is not type(right) or left != right:
            yield Difference(place, _written(left), _written(right))


def _item(items: Sequence[Any], at: int) -> Any:
    return items[at] if at < len(items) else _ABSENT


def _of_lines(before: Sequence[str], after: Sequence[str]) -> Iterator[Difference]:
    if len(before) + len(after) > _LINES_MAX or before == after:
        yield Difference("body", f"{len(before)} lines", f"{len(after)} lines, others")
        return
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for kind, first, last, first_now, last_now in matcher.get_opcodes():
        if kind != "equal":
            yield Difference(
                f"body.line {first + 1}", "\n".join(before[first:last]), "\n".join(after[first_now:last_now])
            )


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return _ABSENT


def _written(value: Any) -> str:
    return "" if value is _ABSENT else json.dumps(value, ensure_ascii=False)
