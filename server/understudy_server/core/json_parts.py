"""Long JSON read in parts, so that others can have their turn in between.

A part of a list is a list itself, when it begins behind a comma and ends before one. Whether that is a comma between
the elements of the whole list needs no looking for: if it stands in a text, or in a list within, the part is no JSON,
since it ends in the middle of one. It is the same with the members of an object, and with the end of the list.

What is long may be the whole text, or a list within it, as in `{"items": [...], "next": 2}`. Which one that is shows
where the text has got to after some kilobytes: it is one of those that are open there.
"""

import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import count
from operator import getitem
from typing import Any, Final

import orjson

Read = Callable[[bytes], Any]
"""Reads a text in one go. Raises ValueError when it is no JSON."""

# Where the long list begins is looked for so far, and where a part ends so much further than it should.
_BEGINNING: Final = 2 * 1024
_OVER_MAX: Final = 16 * 1024
_LEVELS_MAX: Final = 8

# Behind a list or an object the comma is more often one between elements than another.
_COMMAS_TRIED: Final = 3
_ENDS_OF_PARTS: Final = (b"},", b"],", b",")
# The beginning may end within a text.
_TOKENS: Final = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_CLOSINGS: Final = {b"[": b"]", b"{": b"}"}


class NotInParts(Exception):
    """The text cannot be read in parts; whether it is JSON shows when it is read in one go."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """A list or an object: where its content begins, and what leads to it from the whole: names, as they are written.

    ``None`` is the last element of a list.
    """

    begins: int
    opening: bytes
    path: tuple[bytes | None, ...]


def read_in_parts(text: bytes, size: int, read: Read) -> Generator[None, None, Any]:
    """Read a text, which has no white space at its ends, in parts of about ``size`` bytes; yields between them.

    Returns the value. Raises NotInParts.
    """
    # What is long is a list more often than not, and that which holds the others.
    for opened in sorted(_opened(text), key=lambda each: each.opening != b"["):
        try:
            return (yield from _read_within(text, opened, size, read))
        except NotInParts:
            yield
    raise NotInParts


def _opened(text: bytes) -> list[_Opened]:
    """What is open where the looked-at beginning ends, from the outside."""
    # Of each where its content begins, its sign, and the text before it: in an object that is its name.
    found: list[tuple[int, bytes, bytes]] = []
    last = b""
    for token in _TOKENS.finditer(text, 0, _BEGINNING):
        sign = token[0]
        if sign in _CLOSINGS:
            found.append((token.end(), sign, last))
        elif sign in (b"]", b"}"):
            if not found:
                break
            found.pop()
        else:
            last = sign
    opened: list[_Opened] = []
    path: tuple[bytes | None, ...] = ()
    for begins, sign, name in found[:_LEVELS_MAX]:
        if opened:
            path = (*path, name if opened[-1].opening == b"{" else None)
        opened.append(_Opened(begins, sign, path))
    return opened


def _read_within(text: bytes, opened: _Opened, size: int, read: Read) -> Generator[None, None, Any]:
    """Read the whole, of which this list or object is the long part."""
    depth = len(opened.path)

    def piece(begin: int, end: int) -> Any:
        # As deep as it stands in the whole, so that what is too deep there is so here.
        content = b"[" * depth + opened.opening + text[begin:end] + _CLOSINGS[opened.opening] + b"]" * depth
        try:
            value = read(content)
        except ValueError:
            return None
        for _ in range(depth):
            if len(value) != 1:
                # It closes what is around it.
                return None
            value = value[0]
        return value

    inner: Any = [] if opened.opening == b"[" else {}
    at = opened.begins
    if opened.path and _closed(text, at, at + size, opened.opening) >= 0:
        # That is not what is long.
        raise NotInParts
    while True:
        part, end, follows = _part(text, at, size, opened.opening, piece)
        if isinstance(inner, list):
            inner += part
        else:
            inner |= part
        if follows < 0:
            break
        at = follows
        yield
    if opened.path:
        return (yield from _put_back(text, opened, end, inner, size, read))
    if end != len(text) - 1:
        raise NotInParts
    return inner


def _part(text: bytes, at: int, size: int, opening: bytes, piece: Callable[[int, int], Any]) -> tuple[Any, int, int]:
    """The elements that begin ``at``, where they end, and where the next ones begin: -1 behind the last.

    Raises NotInParts.
    """
    for end, follows in _ends(text, at, at + size, opening):
        part = piece(at, end)
        # Nothing between two commas is no element.
        if part:
            return part, end, follows
    raise NotInParts


def _ends(text: bytes, at: int, until: int, opening: bytes) -> Iterator[tuple[int, int]]:
    """Where a part may end: before a comma, or before what closes the list, if that comes sooner."""
    latest = until + _OVER_MAX
    if latest < len(text):
        for comma in _ENDS_OF_PARTS:
            end = until - 1
            for _ in range(_COMMAS_TRIED):
                end = text.find(comma, end + 1, latest) + len(comma) - 1
                if end < until:
                    break
                yield end, end + 1
    closed = _closed(text, at, latest, opening)
    if closed >= 0:
        yield closed, -1


def _closed(text: bytes, at: int, until: int, opening: bytes) -> int:
    """Where the list ends of which elements begin ``at``; -1: later than that. It may be wrong in what is no JSON."""
    seen = (opening + text[at:until]).decode("utf-8", "ignore")
    try:
        orjson.loads(seen)
        fails = len(seen)
    except orjson.JSONDecodeError as error:
        # What follows when the list is closed is where reading it fails.
        fails = error.pos
        if fails >= len(seen):
            return -1
    found = seen[:fails].encode("utf-8", "ignore").rfind(_CLOSINGS[opening])
    return at + found - len(opening) if found > 0 else -1


def _put_back(text: bytes, opened: _Opened, end: int, inner: Any, size: int, read: Read) -> Generator[None, None, Any]:
    """The whole with the list in its place, in which it is read with a mark for all that the list holds.

    Raises NotInParts when the mark is not there: a value that comes later, for the same name, is what counts.
    """
    number = next(each for each in count(1_000_000_007) if b"%d" % each not in text)
    mark = b"%d" % number if opened.opening == b"[" else b'"":%d' % number
    around = text[: opened.begins] + mark + text[end:]
    try:
        if len(around) > 2 * size:
            yield
            whole = yield from read_in_parts(around, size, read)
        else:
            whole = read(around)
        names = [-1 if name is None else read(name) for name in opened.path]
    except ValueError:
        raise NotInParts from None
    try:
        holder = reduce(getitem, names[:-1], whole)
        marked = holder[names[-1]][0 if opened.opening == b"[" else ""]
    except (LookupError, TypeError):
        raise NotInParts from None
    # A number that is written in another way is no integer.
    if type(marked) is not int or marked != number:
        raise NotInParts
    holder[names[-1]] = inner
    return whole
