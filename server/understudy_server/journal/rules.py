"""Whose record may take how much, as the journals ask for it."""

from dataclasses import dataclass
from typing import Final, Protocol

from understudy_server.core.record import Quota

_MIB: Final = 1024 * 1024
_GIB: Final = 1024 * _MIB
_WEEK_MS: Final = 7 * 86_400 * 1_000

DISK_QUOTA: Final = Quota(100_000, 256 * _MIB, 1_000_000, 4 * _GIB, _WEEK_MS)
MEMORY_QUOTA: Final = Quota(10_000, 64 * _MIB, 20_000, 256 * _MIB, _WEEK_MS)


class Rules(Protocol):
    """What the journal does not know of environments and sessions. Both are asked in any thread, and never wait."""

    def quota(self, environment_id: str, /) -> Quota:
        """What is kept in an environment; of one that is not known (any more) what the server keeps."""

    def is_live(self, environment_id: str, session_id: str, /) -> bool:
        """True while a session has not ended: nothing of it makes room for others.

        Without a session (an empty id): while there is the environment.
        """


@dataclass(frozen=True, slots=True)
class DiskLimits:
    """What the journal on disk keeps in all, of all environments together."""

    exchanges_max: int = 10_000_000
    bytes_max: int = 32 * _GIB


@dataclass(frozen=True, slots=True)
class FixedRules:
    """One quota for every environment, and no session ever ends: for whoever only reads."""

    fixed: Quota = DISK_QUOTA

    def quota(self, _environment_id: str) -> Quota:
        """See ``Rules``."""
        return self.fixed

    def is_live(self, _environment_id: str, _session_id: str) -> bool:
        """See ``Rules``."""
        return True
