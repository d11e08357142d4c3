"""Long JSON read in parts, so that others can have their turn in between.

A part of a list is a list itself, when it begins behind a comma and ends before one. Whether that is a comma between
the elements of the whole list needs no looking for: if it stands in a text, or in a list within, the part is no JSON,
since it ends in the middle of one. It is the same with the members of an object, and with the end of the list.

What is long may be the whole text, or a list within it, as in `{"items": [...], "next": 2}`. Which one that is shows
where the text has got to after some kilobytes: it is one of those that are open there. Each of them is tried, and what
is around the one that is long may hold another: so all that is read for one text has an allowance, and when that is
spent nothing more is tried.
"""

import re
import secrets
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import getitem
from typing import Any, Final

import orjson

Read = Callable[[bytes], Any]
"""Reads a text in one go. Raises ValueError when it is no JSON."""

# Where the long list begins is looked for so far, and where a part ends so much further than it should.
_BEGINNING: Final = 2 * 1024
_OVER_MAX: Final = 16 * 1024
_LEVELS_MAX: Final = 8

# So many times the bytes of a text are read for it, with all that is looked at ahead or tried in vain. What is not made
# to hold others up takes 1 to 4.
_ALLOWANCE: Final = 5

# Behind a list or an object the comma is more often one between elements than another.
_COMMAS_TRIED: Final = 3
_ENDS_OF_PARTS: Final = (b"},", b"],", b",")
# The beginning may end within a text.
_TOKENS: Final = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_CLOSINGS: Final = {b"[": b"]", b"{": b"}"}
# Marks have 18 digits: no reader takes such a number for one that is out of its range.
_MARKS_FROM: Final = 10**17


class NotInParts(Exception):
    """The text cannot be read in parts; whether it is JSON shows when it is read in one go."""


class _GivenUp(Exception):
    """Nothing more is to be tried."""


class _Reader:
    """Reads pieces of one text, in all no more of them than it is allowed."""

    __slots__ = ("_left", "_read")

    def __init__(self, read: Read, bytes_max: int) -> None:
        self._read = read
        self._left = bytes_max

    def read(self, piece: bytes) -> Any:
        """Read a piece in one go. Raises ValueError when it is no JSON, and _GivenUp."""
        self.spend(len(piece))
        return self._read(piece)

    def spend(self, size_bytes: int) -> None:
        """Note that so much is read. Raises _GivenUp."""
        self._left -= size_bytes
        if self._left < 0:
            raise _GivenUp


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

    Returns the value. Raises NotInParts, also when it would take too long to find out which parts there are.
    """
    try:
        return (yield from _read_parts(text, size, _Reader(read, _ALLOWANCE * len(text))))
    except _GivenUp:
        # What follows is another turn's.
        yield
        raise NotInParts from None


def _read_parts(text: bytes, size: int, reader: _Reader) -> Generator[None, None, Any]:
    """The same, with what is left to a reader. Raises NotInParts and _GivenUp."""
    # What is long is a list more often than not, and that which holds the others.
    for opened in sorted(_opened(text), key=lambda each: each.opening != b"["):
        try:
            return (yield from _read_within(text, opened, size, reader))
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


def _read_within(text: bytes, opened: _Opened, size: int, reader: _Reader) -> Generator[None, None, Any]:
    """Read the whole, of which this list or object is the long part."""
    depth = len(opened.path)

    def piece(begin: int, end: int) -> Any:
        # As deep as it stands in the whole, so that what is too deep there is so here.
        content = b"[" * depth + opened.opening + text[begin:end] + _CLOSINGS[opened.opening] + b"]" * depth
        try:
            value = reader.read(content)
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
    if opened.path and _closed(text, at, at + size, opened.opening, reader) >= 0:
        # That is not what is long.
        raise NotInParts
    while True:
        part, end, follows = _part(text, at, size, opened.opening, piece, reader)
        if isinstance(inner, list):
            inner += part
        else:
            inner |= part
        if follows < 0:
            break
        at = follows
        yield
    if opened.path:
        return (yield from _put_back(text, opened, end, inner, size, reader))
    if end != len(text) - 1:
        raise NotInParts
    return inner


def _part(
    text: bytes, at: int, size: int, opening: bytes, piece: Callable[[int, int], Any], reader: _Reader
) -> tuple[Any, int, int]:
    """The elements that begin ``at``, where they end, and where the next ones begin: -1 behind the last.

    Raises NotInParts.
    """
    for end, follows in _ends(text, at, at + size, opening, reader):
        part = piece(at, end)
        # Nothing between two commas is no element.
        if part:
            return part, end, follows
    raise NotInParts


def _ends(text: bytes, at: int, until: int, opening: bytes, reader: _Reader) -> Iterator[tuple[int, int]]:
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
    closed = _closed(text, at, latest, opening, reader)
    if closed >= 0:
        yield closed, -1


def _closed(text: bytes, at: int, until: int, opening: bytes, reader: _Reader) -> int:
    """Where the list ends of which elements begin ``at``; -1: later than that. It may be wrong in what is no JSON."""
    content = opening + text[at:until]
    reader.spend(len(content))
    seen = content.decode("utf-8", "ignore")
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


def _put_back(
    text: bytes, opened: _Opened, end: int, inner: Any, size: int, reader: _Reader
) -> Generator[None, None, Any]:
    """The whole with the list in its place, in which it is read with a mark for all that the list holds.

    Raises _GivenUp when the rest is not read: this was the list that is long, so no other one leads further. So it does
    when the mark is not there: a value that comes later, for the same name, is what counts. Raises NotInParts when the
    mark is in the text by chance.
    """
    # Nobody can know it beforehand. To try one after the other until one is not there would take as long as the sender
    # of the text likes.
    number = _MARKS_FROM + secrets.randbelow(9 * _MARKS_FROM)
    if b"%d" % number in text:
        raise NotInParts
    mark = b"%d" % number if opened.opening == b"[" else b'"":%d' % number
    around = text[: opened.begins] + mark + text[end:]
    try:
        if len(around) > 2 * size:
            yield
            whole = yield from _read_parts(around, size, reader)
        else:
            whole = reader.read(around)
        names = [-1 if name is None else reader.read(name) for name in opened.path]
        holder = reduce(getitem, names[:-1], whole)
        marked = holder[names[-1]][0 if opened.opening == b"[" else ""]
    except (NotInParts, ValueError, LookupError, TypeError):
        raise _GivenUp from None
    # A number that is written in another way is no integer.
    if type(marked) is not int or marked != number:
        raise _GivenUp
    holder[names[-1]] = inner
    return whole
