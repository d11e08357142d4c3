"""Exchanges that are off the record, but not out of memory yet."""

from typing import Final

from understudy_server.core.exchange import Exchange

# To free one takes some 0.2 us, and somebody waits meanwhile: so many make no difference.
AT_ONCE: Final = 512


class Leaving:
    """Lets go of exchanges a few at a time, where many have to go at once: a long stream that ended, or was purged."""

    __slots__ = ("_exchanges",)

    def __init__(self) -> None:
        self._exchanges: list[list[Exchange | None]] = []

    @property
    def steps(self) -> int:
        """How often `let_go` has to be called until all are gone."""
        return sum([-(-len(each) // AT_ONCE) for each in self._exchanges])

    def take(self, exchanges: list[Exchange | None]) -> None:
        """Let go of these from now on, of which nobody else holds the list."""
        self._exchanges.append(exchanges)

    def let_go(self) -> None:
        """Let a few go."""
        if self._exchanges:
            last = self._exchanges[-1]
            del last[-AT_ONCE:]
            if not last:
                self._exchanges.pop()
