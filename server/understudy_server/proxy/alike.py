"""What is known of requests that are alike: left here by whoever decided about one of them, for the next.

Requests that differ in nothing but what means nothing to the proxy are decided alike. Those that differ in their
session keys, too, are so in *parts*: what a key stands for (`live.seats`) says which part a request is of.
"""

from collections.abc import Hashable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from understudy_server.live.environment import LiveEnvironment
    from understudy_server.proxy.judging import Decided
    from understudy_server.proxy.standing import Standing


class Alike:
    """Requests that are alike. With ``has_parts`` they carry session keys of their own, and nothing is left here.

    The first is only met. The next one is decided about for all (`leave`), and where that comes to the same bytes each
    time they stand (`stand`); then it is let go of in time by whoever keeps it (`decisions`), and all begins anew.
    """

    __slots__ = (
        "decided",
        "has_parts",
        "is_judged",
        "is_met",
        "live",
        "part",
        "part_of",
        "standing",
        "version",
        "whose_part",
    )

    def __init__(self, *, is_met: bool = False, has_parts: bool = False) -> None:
        self.is_met = is_met
        """True when there was one before: what comes once may never come again."""
        self.is_judged = False
        """True when one of them was judged, and so was for mocks or an upstream."""
        self.has_parts = has_parts
        self.decided: Decided | None = None
        """What was decided about them, as long as nothing stands."""
        self.standing: Standing | None = None
        """What answers them, as it goes on record and as it is sent."""
        self.version = -1
        """The version of the view at which they were for the environment ``live`` (``None``: for none)."""
        self.live: LiveEnvironment | None = None
        self.part_of: Hashable = None
        """Whose part was asked for last, and that part."""
        self.part: Alike | None = None
        self.whose_part: tuple[Alike, Hashable] | None = None
        """Of a part: what it is a part of, and whose."""

    def leave(self, decided: "Decided | None") -> None:
        """Leave what was decided about one for all of them. ``None``: it does not hold for the next."""
        self.decided, self.standing, self.is_met = decided, None, True

    def stand(self, standing: "Standing") -> None:
        """Have answered by that from now on what was decided."""
        self.decided, self.standing = None, standing

    def let_go(self) -> None:
        """Forget what was left here, and what that holds. It is to be decided anew."""
        self.decided = self.standing = self.live = self.part_of = self.part = None
        self.version = -1
