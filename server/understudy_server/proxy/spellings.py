"""What a header is to the proxy, by its name in any case."""

from collections.abc import Mapping
from typing import Final

NOTHING: Final = 0
"""The meaning of most headers."""


class Spellings(dict[bytes, int]):
    """Looks up a meaning by a name as sent. Spellings that were met are remembered, up to a bound."""

    SPELLINGS_MAX: Final = 4096
    SPELLING_BYTES_MAX: Final = 64
    """A longer one is not remembered: a header's name may be as long as a head, and many of those fill the memory."""

    def __init__(self, by_name: Mapping[bytes, int]) -> None:
        """``by_name`` has the names in lower case; all others mean ``NOTHING``."""
        super().__init__()
        self._by_name = by_name

    def __missing__(self, spelling: bytes) -> int:
        meaning = self._by_name.get(spelling.lower(), NOTHING)
        if len(self) < self.SPELLINGS_MAX and len(spelling) <= self.SPELLING_BYTES_MAX:
            self[spelling] = meaning
        return meaning
