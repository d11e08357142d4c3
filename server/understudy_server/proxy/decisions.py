"""What was decided about requests alike, for as long as it may hold.

A decision holds the mock that answers, the session it is for, and the request that it was made for; an environment that
is changed all the time makes new ones all the time. So they are let go of as soon as the view has moved on, and the
oldest when there are too many: not when the place is needed in which the request itself is remembered.
"""

from collections import deque
from collections.abc import Hashable
from typing import Final, NamedTuple

from understudy_server.proxy.alike import Alike

DECISION_BYTES: Final = 1_200
"""What one takes, but for the bodies that it holds: 700 to 1 300 were measured."""

HEADER_BYTES: Final = 170
"""What a header line of its request takes, of usual length."""

PART_BYTES: Final = 500

_BYTES_MAX: Final = 24 * 1024 * 1024

# So many are let go of at a time, since somebody waits meanwhile; more than come.
_LET_GO_MAX: Final = 4


class _Kept(NamedTuple):
    alike: Alike
    version: int
    bytes: int


class Decisions:
    """Those of all addresses, in the order in which they were made, and the parts of requests alike."""

    __slots__ = ("_bytes_max", "_kept", "_parts", "bytes")

    def __init__(self, bytes_max: int = _BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._kept: deque[_Kept] = deque()
        self._parts: dict[tuple[Alike, Hashable], Alike] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def part(self, whole: Alike, of: Hashable) -> Alike:
        """The part of requests alike that is of somebody, as of the version of the view that they were met at last."""
        whose_part = (whole, of)
        part = self._parts.get(whose_part)
        if part is None:
            part = self._parts[whose_part] = Alike()
            part.whose_part = whose_part
            self.keep(part, whole.version, PART_BYTES)
        whole.part_of, whole.part = of, part
        return part

    def keep(self, alike: Alike, version: int, bytes_: int) -> None:
        """Note that something was left with requests alike: of a version of the view, and so large."""
        kept = self._kept
        kept.append(_Kept(alike, version, bytes_))
        self.bytes += bytes_
        for _ in range(_LET_GO_MAX):
            if kept[0].version == version:
                break
            self._let_go()
        while self.bytes > self._bytes_max:
            self._let_go()

    def _let_go(self) -> None:
        """Let go of the oldest, unless it was decided anew since: then that is kept further on."""
        alike, version, bytes_ = self._kept.popleft()
        self.bytes -= bytes_
        left = alike.standing or alike.decided
        if left is not None and left.version != version:
            return
        alike.let_go()
        if alike.whose_part is None:
            return
        self._parts.pop(alike.whose_part, None)
        whole = alike.whose_part[0]
        if whole.part is alike:
            whole.let_go()
