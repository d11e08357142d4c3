"""What is kept between requests: values, machines, and how often mocks were used. The interface, and its own values.

Whoever keeps it does each step in one go, so that two requests at the same time never take the same step of a machine
and never see a count twice. Nothing here waits: a request is judged in one piece.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple, Protocol

MACHINE_START: Final = "started"
"""The state in which every machine begins."""

VALUES_MAX: Final = 10_000
"""An owner keeps at most so many values."""

VALUES_BYTES_MAX: Final = 16 * 1024 * 1024
"""The values of one owner have together, with their keys, at most so many bytes of JSON."""


class Scope(StrEnum):
    """Whose state something is. The values are those that are written to files."""

    SESSION = "session"
    CHAIN = "chain"
    ENVIRONMENT = "environment"


class Owner(NamedTuple):
    """Whose state it is.

    ``name``: what a session's state is found by (`SessionRow.state_id`; empty for all requests without a session), the
    name of a chain, or nothing for the environment's own.
    """

    environment_id: str
    scope: Scope
    name: str = ""


class Absent:
    """Stands for a value that is not there."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()


class StateFull(Exception):
    """The owner keeps as much as it may. Nothing was changed."""


class NotANumber(Exception):
    """What is to be added to is no number. Nothing was changed."""


class Claim(NamedTuple):
    """What a mock asks for before it answers: all of it or nothing.

    ``mock`` names the mock among all of the environment's: its id, with the session's before it for a session's own.
    ``counted`` is who counts its uses; ``uses_max`` 0: any number. ``machine`` is the name of its machine, empty
    without; ``required`` and ``next`` are empty for any state, and for the state as it is.
    """

    mock: str
    counted: Owner
    uses_max: int = 0
    machine: str = ""
    stepped: Owner | None = None
    required: str = ""
    next: str = ""


class Refusal(StrEnum):
    """Why a claim would be lost."""

    SPENT = "spent"
    MACHINE_STATE = "machine_state"


class State(Protocol):
    """Keeps it all. Values are what JSON can say, and are never changed after they were given or taken."""

    def claim(self, claim: Claim) -> int | None:
        """Take the step and count the use, in one go. Returns which use it is, from 1; ``None``: lost."""

    def refusal(self, claim: Claim) -> Refusal | None:
        """Why `claim` would be lost now; ``None`` when it would not. Changes nothing."""

    def uses_of(self, owner: Owner, mock: str) -> int:
        """How often a mock was used, by those that an owner counts."""

    def value(self, owner: Owner, key: str) -> Any:
        """Return a value, or ``ABSENT``."""

    def set_value(self, owner: Owner, key: str, value: Any) -> None:
        """Keep a value. Raises StateFull."""

    def increment(self, owner: Owner, key: str, by: int) -> int | float:
        """Add to a number, 0 when there is none, and return the sum. Raises NotANumber, StateFull."""

    def delete_value(self, owner: Owner, key: str) -> None:
        """Let go of a value, if there is one."""

    def values(self, owner: Owner, *, prefix: str, after: str, limit: int) -> Sequence[tuple[str, Any]]:
        """Values in the order of their keys, from behind ``after``."""

    def machine(self, owner: Owner, machine: str) -> str:
        """The state of a machine."""

    def set_machine(self, owner: Owner, machine: str, state: str) -> None:
        """Put a machine into a state."""

    def machines(self, owner: Owner) -> Sequence[tuple[str, str]]:
        """The machines that are not in their first state, in the order of their names."""

    def uses(self, owner: Owner) -> Sequence[tuple[str, int]]:
        """The mocks that were used, and how often, in the order of their ids."""

    def reset(self, owner: Owner) -> None:
        """Begin anew, for one owner."""

    def reset_environment(self, environment_id: str) -> None:
        """Begin anew, for all owners of an environment."""
