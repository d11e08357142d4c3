"""How long and how often a mock applies, and the machine it waits for and moves on: compiled.

What is true of a moment alone is told here (`Usage.closed`); what needs memory is a claim, which whoever keeps the
state takes in one step (`state.State.claim`).
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from understudy_server.core.state import Claim, Owner, Scope

ALL_OF_CHAIN: Final = "*"
"""The name under which uses are counted that all mocks of a chain have together."""


class Closed(StrEnum):
    """Why a mock does not apply at a moment. The values are codes of the contract (Mismatch)."""

    NOT_YET = "not_yet"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a machine. ``required`` and ``next`` are empty for any state, and for the state as it is."""

    machine: str
    required: str = ""
    next: str = ""
    scope: Scope = Scope.SESSION


@dataclass(frozen=True, slots=True)
class Usage:
    """What of a mock depends on when it is used, and on what was before.

    ``uses_max`` 0: any number; ``uses_per``: whose uses count together. ``counts``: somebody needs to know which use it
    is. Times are ms since 1970 (UTC), both 0 for any: it applies from ``not_before_ms`` on, and before ``until_ms``.
    ``chain`` is the mock's, empty without.
    """

    uses_max: int = 0
    uses_per: Scope = Scope.SESSION
    step: Step | None = None
    chain: str = ""
    not_before_ms: int = 0
    until_ms: int = 0
    counts: bool = False
    is_claimed: bool = field(init=False, repr=False, compare=False)
    """Whether it takes a claim to win: without one, time alone decides."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "is_claimed", self.counts or self.uses_max > 0 or self.step is not None)

    @property
    def is_limited(self) -> bool:
        """Whether there are requests that the mock matches and does not answer."""
        return bool(self.uses_max or self.step or self.not_before_ms or self.until_ms)

    def is_open(self, now_ms: int) -> bool:
        """Tell whether the mock applies at this time."""
        return self.not_before_ms <= now_ms and (now_ms < self.until_ms or not self.until_ms)

    def closed(self, now_ms: int) -> Closed | None:
        """Why `is_open` is false; ``None`` when it is true."""
        if now_ms < self.not_before_ms:
            return Closed.NOT_YET
        return Closed.EXPIRED if self.until_ms and now_ms >= self.until_ms else None

    def claim(self, environment_id: str, session_state: str, mock: str) -> Claim:
        """What is asked for when the mock answers a request.

        ``session_state`` names the state of the request's session, empty without one (see `state.Owner`); ``mock`` is
        `Mock.state_name`.
        """
        step = self.step
        counted = self._owner(self.uses_per, environment_id, session_state)
        return Claim(
            mock=ALL_OF_CHAIN if self.uses_per is Scope.CHAIN else mock,
            counted=counted,
            uses_max=self.uses_max,
            machine=step.machine if step else "",
            stepped=self._owner(step.scope, environment_id, session_state) if step else None,
            required=step.required if step else "",
            next=step.next if step else "",
        )

    def _owner(self, scope: Scope, environment_id: str, session_state: str) -> Owner:
        if scope is Scope.SESSION:
            return Owner(environment_id, scope, session_state)
        return Owner(environment_id, scope, self.chain if scope is Scope.CHAIN else "")
