"""Counting what is lost, and saying so the first time.

What is dropped because it cannot be written is said by who drops it, each time that it begins.
"""

import logging
from collections.abc import Mapping
from typing import Final

from understudy_server.core.record import Lost

_WORDS: Final[Mapping[Lost, str]] = {
    Lost.SESSION_QUOTA: (
        "a session has as many exchanges on record as may be kept of one: from now on the oldest make room for new ones"
    ),
    Lost.ENVIRONMENT_QUOTA: (
        "an environment has as many exchanges on record as may be kept of it: what is kept of sessions that have ended"
        " makes room from now on, and then the oldest of those that record"
    ),
    Lost.SERVER_QUOTA: (
        "the journal is full: what is kept of sessions that have ended makes room from now on, and then the oldest of"
        " those that record"
    ),
    Lost.RETENTION: "exchanges are older than they are kept, and go from now on",
    Lost.UNCLEAN_STOP: "the server was not stopped but ended: exchanges it had answered last may not be on record",
}


class Losses:
    """What a journal has lost since it was opened, by reason. Reasons that never came up are not in it."""

    def __init__(self, log: logging.Logger) -> None:
        self.counts: dict[Lost, int] = {}
        self._log = log

    def count(self, reason: Lost, count: int) -> None:
        """Count so many more."""
        self.counts[reason] = self.counts.get(reason, 0) + count

    def add(self, counts: Mapping[Lost, int]) -> None:
        """Count several reasons; what has its words is logged the first time."""
        for reason, count in counts.items():
            if reason not in self.counts and reason in _WORDS:
                self._log.warning(_WORDS[reason])
            self.count(reason, count)

    def of(self, *reasons: Lost) -> int:
        """How many for any of these reasons."""
        return sum(self.counts.get(each, 0) for each in reasons)
