"""How large a message becomes, counted while it is read: an alias costs a few bytes and may stand for millions."""

from understudy_server.manifest.limits import MESSAGE_BYTES_MAX
from understudy_server.manifest.problems import TooLarge


class Size:
    """Counts characters of texts and keys, and bytes: never more than the message will have."""

    def __init__(self) -> None:
        self._left = MESSAGE_BYTES_MAX

    def add(self, count: int) -> None:
        """Count what is about to be put into the message. Raises TooLarge."""
        self._left -= count
        if self._left < 0:
            raise TooLarge
