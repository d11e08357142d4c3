"""How exchanges lie in ``journal.db``: some of a stream that were recorded one after the other are one row, a segment.

A row for each exchange costs seven times what it takes to write it down, and as many times the room (measured: 17 us
and 900 bytes against 2.4 us and 130 in segments of a hundred), so what was recorded together is kept together. A
segment holds exchanges whose numbers follow each other; its place is that of the first. Those that belong to no session
have one key in a segment, so that they are found by it.

The content is a list of exchanges in MessagePack, each a list of its fields in the order of `Exchange`, with whatever
for its number, compressed by Zstandard where that makes it smaller. A field that is added comes last and has a default,
so that what is on file can be read. The outline is two numbers of eight bytes for each: when it ended, and what it
weighs. So the oldest can be counted out, and one is found by its id, without a look at the content.
"""

import logging
import sqlite3
import sys
import threading
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import chain
from typing import Final

import msgspec
import zstandard

from understudy_server.core.exchange import Exchange
from understudy_server.journal import many_rows
from understudy_server.journal.places import base_of, end_of, number_at

Row = tuple[int, int, int, str, str, str | None, bytes, str, bytes]
"""Place, count, bytes, batch, last id, key, outline, ids and content."""

# Few enough that one can be read at once, and that little is kept of what has to go.
COUNT_MAX: Final = 128
BYTES_MAX: Final = 256 * 1024
# Segments that were read last: one for each of a few who read at the same time.
_READ_KEPT: Final = 4
_WRITTEN: Final = "place, count, bytes, batch, last_id, key, outline, ids, content"
_WIDTH: Final = _WRITTEN.count(",") + 1
_OLDEST: Final = "SELECT place, count, bytes, outline FROM segment WHERE place BETWEEN ? AND ? ORDER BY place LIMIT ?"
_UNFIT: Final = (ValueError, OverflowError, TypeError)
_NUMBER: Final = Exchange._fields.index("number")
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(list[Exchange])
# What is shorter hardly gets smaller, and takes as long.
_COMPRESSED_MIN: Final = 4_096
_FRAME: Final = zstandard.FRAME_HEADER
_log = logging.getLogger(__name__)


class _Zstandard(threading.local):
    """One of each for a thread: neither may be used by two at once."""

    def __init__(self) -> None:
        self.compress = zstandard.ZstdCompressor(level=1).multi_compress_to_buffer
        self.decompress = zstandard.ZstdDecompressor().decompress


_zstandard: Final = _Zstandard()


# Writing.


def cut(exchanges: Sequence[Exchange], sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Where the segments of exchanges of one stream, recorded one after the other, begin and end."""
    begin = size = 0
    keyed = not exchanges[0].session_id
    for index, each in enumerate(sizes):
        full = index - begin == COUNT_MAX or size + each > BYTES_MAX
        if index > begin and (full or (keyed and exchanges[index][3] != exchanges[begin][3])):
            yield begin, index
            begin, size = index, 0
        size += each
    yield begin, len(exchanges)


def rows(place: int, exchanges: Sequence[Exchange], sizes: Sequence[int], batch: str) -> list[Row]:
    """The rows of one segment: one, and where an exchange cannot be kept those before and behind it."""
    try:
        return [_row(place, exchanges, sizes, batch)]
    except _UNFIT:
        if len(exchanges) == 1:
            # Tried again it would fail for ever, and hold up all that come after it.
            _log.exception("an exchange was dropped, because it cannot be kept")
            return []
    middle = len(exchanges) // 2
    return [
        *rows(place, exchanges[:middle], sizes[:middle], batch),
        *rows(place + middle, exchanges[middle:], sizes[middle:], batch),
    ]


def _row(place: int, exchanges: Sequence[Exchange], sizes: Sequence[int], batch: str) -> Row:
    # Fields by number: this is done for every request.
    ends_ms = [each[9] + each[10] for each in exchanges]
    outline = array("q", chain.from_iterable(zip(ends_ms, sizes, strict=True)))
    if sys.byteorder == "big":
        outline.byteswap()
    last = exchanges[-1]
    key = None if last[4] else last[3]
    ids = " ".join([each[0] for each in exchanges])
    content = _ENCODER.encode(exchanges)
    return place, len(exchanges), sum(sizes), batch, last[0], key, outline.tobytes(), ids, content


def insert(connection: sqlite3.Connection, made: Sequence[Row]) -> None:
    """Append rows within a transaction, their contents compressed. Raises sqlite3.Error."""
    for each in many_rows.some(_compressed(made)):
        connection.execute(_insert(len(each)), list(chain.from_iterable(each)))


def _compressed(made: Sequence[Row]) -> list[Row]:
    """The rows, those with long contents compressed: all at once, for the reason that `many_rows` has."""
    long: list[bytes | bytearray | memoryview[int]] = [row[-1] for row in made if len(row[-1]) >= _COMPRESSED_MIN]
    if not long:
        return list(made)
    short = iter(_zstandard.compress(long))
    return [(*row[:-1], next(short).tobytes()) if len(row[-1]) >= _COMPRESSED_MIN else row for row in made]


@cache
def _insert(count: int) -> str:
    return f"INSERT INTO segment ({_WRITTEN}) {many_rows.values(_WIDTH, count)}"


# Counting out.


@dataclass(frozen=True, slots=True)
class Left:
    """What is left of a segment: from which number on, how many exchanges, and their ends (in ms) and bytes."""

    first: int
    count: int
    bytes: int
    outline: Sequence[int]

    @property
    def ends_ms(self) -> Sequence[int]:
        """When each ended."""
        return self.outline[::2]

    def some(self, entries: int, size: int) -> tuple[int, int]:
        """How many of the oldest are so many entries and so many bytes at least; and their bytes."""
        count = freed = 0
        for each in self.outline[1::2]:
            if count >= entries and freed >= size:
                break
            count, freed = count + 1, freed + each
        return count, freed


def first_end_ms(row: Row) -> int:
    """When the first exchange of a row ended."""
    return _outline(row[6])[0]


def oldest(connection: sqlite3.Connection, stream_id: int, gone: int, most: int) -> list[Left]:
    """The oldest segments of a stream of which what has a number up to ``gone`` is no more."""
    found = connection.execute(_OLDEST, (base_of(stream_id), end_of(stream_id), most)).fetchall()
    return [_left(gone, *row) for row in found]


def _left(gone: int, place: int, count: int, size: int, outline: bytes) -> Left:
    entries = _outline(outline)
    first = number_at(place)
    skipped = max(0, gone + 1 - first)
    if skipped:
        entries = entries[2 * skipped :]
        size = sum(entries[1::2])
    return Left(first + skipped, count - skipped, size, entries)


def _outline(kept: bytes) -> "array[int]":
    entries = array("q", kept)
    if sys.byteorder == "big":
        entries.byteswap()
    return entries


def remove(connection: sqlite3.Connection, stream_id: int, gone: int) -> None:
    """Remove the segments of a stream of which nothing has a number above ``gone``."""
    connection.execute(
        "DELETE FROM segment WHERE place BETWEEN ?1 AND ?2 AND place + count - 1 <= ?2",
        (base_of(stream_id), base_of(stream_id) + gone),
    )


# Reading.


@lru_cache(_READ_KEPT)
def read(place: int, content: bytes) -> Sequence[Exchange]:
    """The exchanges of a segment, with their numbers.

    Who reads on and on has a few of them at a time, and comes back to the same segment for the next ones.
    """
    if content.startswith(_FRAME):
        content = _zstandard.decompress(content)
    first = number_at(place)
    return tuple(
        Exchange._make(
            (*each[:12], tuple(each[12]), tuple(each[13]), *each[14:_NUMBER], first + index, *each[_NUMBER + 1 :])
        )
        for index, each in enumerate(_DECODER.decode(content))
    )
