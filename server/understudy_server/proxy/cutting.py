"""What is sent of a body that is cut, and comes in pieces."""

from typing import Final

from understudy_server.proxy.faults import cut_bytes

HELD_BYTES_MAX: Final = 256 * 1024
"""A body whose length nobody tells is taken to end here, if it does not sooner: so much of it is held."""


class Cutting:
    """Lets the part of a body through that is sent. ``length`` is what was announced, ``None`` when nothing was."""

    __slots__ = ("_fraction", "_held", "_rest")

    def __init__(self, length: int | None, fraction: float) -> None:
        self._fraction = fraction
        self._rest = None if length is None else cut_bytes(length, fraction)
        self._held = bytearray()

    def take(self, data: bytes, *, last: bool) -> tuple[bytes, bool]:
        """Take the next bytes, or the last ones; return those to send, and whether the cut is behind them."""
        if self._rest is not None:
            part = data[: self._rest]
            self._rest -= len(part)
            return part, not self._rest
        self._held += data
        if last or len(self._held) >= HELD_BYTES_MAX:
            return bytes(self._held[: cut_bytes(len(self._held), self._fraction)]), True
        return b"", False
