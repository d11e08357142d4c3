"""How much is held, by all connections together, of bodies that are still coming.

Each body has a bound of its own, but there may be as many as connections, and a client can hold back the last byte of
each. So they have one in common, which is asked before anything more is kept, and is given back when it is not.
"""

from typing import Final

from understudy_server.proxy.messages import Refused

BODY_NOT_HELD: Final = "body_not_held"
"""The finding that too much was held of other bodies: the request was refused, or not all of its body is on record."""

NO_ROOM: Final = Refused(
    503, BODY_NOT_HELD, "Too much is held here of the bodies of other requests. Send them faster, or try again later."
)


class HeldBodies:
    """Counts what is held, of what may be. ``bytes`` is 0 when no request is under way."""

    __slots__ = ("_bytes_max", "_record_bytes_max", "bytes")

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._record_bytes_max = bytes_max // 2
        self.bytes = 0

    def take(self, size_bytes: int) -> bool:
        """Ask for room; False, and nothing is taken, when there is none."""
        if self.bytes + size_bytes > self._bytes_max:
            return False
        self.bytes += size_bytes
        return True

    def take_for_record(self, size_bytes: int) -> bool:
        """Ask for room for what goes on record alone: the last half is for requests that cannot be judged without."""
        if self.bytes + size_bytes > self._record_bytes_max:
            return False
        self.bytes += size_bytes
        return True

    def give_back(self, size_bytes: int) -> None:
        """So much is not held any more."""
        self.bytes -= size_bytes
