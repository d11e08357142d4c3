"""Statements that take many rows at once.

The lock that Python's threads share is let go with each step of a statement, and has to be won back from a busy event
loop: where the machine is busy, too, that took several milliseconds each time (measured), and a batch of a hundred
streams hundreds of them. So a batch takes a few statements, however many rows it has.
"""

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

Row = TypeVar("Row", bound=Sequence[object])

# Any number is made of few of these, and they are few enough for their statements to stay prepared. A row has at most
# 16 values, so that there are never more than SQLite takes.
_AT_ONCE: Final = (512, 256, 128, 64, 32, 16, 8, 4, 2, 1)


def some(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Cut rows into as many as one statement takes."""
    done = 0
    for size in _AT_ONCE:
        while len(rows) - done >= size:
            yield rows[done : done + size]
            done += size


def values(width: int, count: int) -> str:
    """The rows of a statement: ``VALUES (?, ?), (?, ?)``."""
    return "VALUES " + ", ".join([f"({', '.join('?' * width)})"] * count)
