"""One thing that is odd about a session."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from understudy_server.core.matching.mismatch import Mismatch

MOCK_IDS_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """What is odd, by a stable code of the contract, and in a sentence that says what to do.

    ``count`` is of exchanges, 0 where it is about none; ``log_ids`` are of the last of them, and ``mock_ids`` of the
    mocks that it is about, at most 5 of either. ``mismatches``: what does not hold of the nearest mock.
    """

    code: str
    message: str
    count: int = 0
    log_ids: Sequence[str] = ()
    mock_ids: Sequence[str] = ()
    mismatches: Sequence[Mismatch] = ()
