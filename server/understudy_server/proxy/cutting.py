"""What is sent of a body that is cut, and comes in pieces."""

from collections.abc import Callable
from typing import Final

HELD_BYTES_MAX: Final = 256 * 1024
"""A body whose length nobody tells is taken to end here, if it does not sooner: so much of it is held."""


class Cutting:
    """Lets the part of a body through that is sent. ``length`` is what was announced, ``None`` when nothing was.

    ``part_of`` says how much that is of so many bytes, for a fraction: `faults.cut_bytes`, or as that does.
    """

    __slots__ = ("_fraction", "_held", "_part_of", "_rest")

    def __init__(self, length: int | None, fraction: float, part_of: Callable[[int, float], int]) -> None:
        self._fraction = fraction
        self._part_of = part_of
        self._rest = None if length is None else part_of(length, fraction)
        self._held = bytearray()

    def take(self, data: bytes, *, last: bool) -> tuple[bytes, bool]:
        """Take the next bytes, or the last ones; return those to send, and whether the cut is behind them."""
        if self._rest is not None:
            part = data[: self._rest]
            self._rest -= len(part)
            return part, not self._rest
        self._held += data
        if last or len(self._held) >= HELD_BYTES_MAX:
            return bytes(self._held[: self._part_of(len(self._held), self._fraction)]), True
        return b"", False
