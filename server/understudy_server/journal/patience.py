"""How often to look for sessions that have ended, where hardly any has.

To look for one costs as much as there are sessions that go on. After a search through many that found none, the next
one waits for as many exchanges: so it costs next to nothing for each, however many sessions there are.
"""

from typing import Final

# Fewer are looked through each time.
_FEW: Final = 32


class Patience:
    """When to search again."""

    __slots__ = ("_owed",)

    def __init__(self) -> None:
        self._owed = 0

    def may_search(self, recorded: int) -> bool:
        """Whether to search now, when so many exchanges were recorded since it was asked last."""
        self._owed = max(0, self._owed - recorded)
        return not self._owed

    def in_vain(self, looked_at: int) -> None:
        """Note that a search ended without having found enough."""
        self._owed = looked_at if looked_at > _FEW else 0
