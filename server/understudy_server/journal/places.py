"""Where exchanges lie in ``journal.db``: together by stream, in the order of their numbers.

A place is one whole number, the key of the table: the stream's id in the higher bits, the exchange's number in the
lower 38 (a stream that gets 10 000 a second for 300 days has room). So a stream is one range of places, to read some of
it is one step down the tree, and to remove its oldest frees whole pages, which later rows fill.
"""

from typing import Final

NUMBER_BITS: Final = 38
_NUMBER_MAX: Final = (1 << NUMBER_BITS) - 1
STREAM_ID_MAX: Final = (1 << 25) - 1


def base_of(stream_id: int) -> int:
    """The place before a stream's first; a number added is the place of its exchange."""
    return stream_id << NUMBER_BITS


def end_of(stream_id: int) -> int:
    """The last place that a stream can have."""
    return base_of(stream_id) + _NUMBER_MAX


def number_at(place: int) -> int:
    """The number of the exchange at a place."""
    return place & _NUMBER_MAX
