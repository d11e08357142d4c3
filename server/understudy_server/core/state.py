"""What is kept between requests: values, machines, and how often mocks were used. The interface, and its own values.

Whoever keeps it does each step in one go, so that two requests at the same time never take the same step of a machine
and never see a count twice. Nothing here waits: a request is judged in one piece. Any thread may ask.

A value is kept as the JSON text that it was given as, so that whoever reads the text has the same digits again.
"""

from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple, Protocol

MACHINE_START: Final = "started"
"""The state in which every machine begins."""

VALUES_MAX: Final = 10_000
"""An owner keeps at most so many values."""

VALUES_BYTES_MAX: Final = 16 * 1024 * 1024
"""The values of one owner have together, with their keys, at most so many bytes of JSON."""

MACHINES_MAX: Final = 10_000
"""An owner has at most so many machines that are not in their first state, beside those that mocks have moved."""


class Scope(StrEnum):
    """Whose state something is. The values are those that are written to files."""

    SESSION = "session"
    CHAIN = "chain"
    ENVIRONMENT = "environment"

    # As the text that it is equal to, and twice as fast as an enumeration's own: every request looks an owner up.
    __hash__ = str.__hash__


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
    """Keeps it all. Values are what JSON can say, and are never changed after they were given or taken.

    No key is empty.
    Where several processes share it in a file, every method raises StorageFailure when the file cannot be used.
    """

    def claim(self, claim: Claim) -> int | None:
        """Take the step and count the use, in one go. Returns which use it is, from 1; ``None``: lost."""

    def refusal(self, claim: Claim) -> Refusal | None:
        """Why `claim` would be lost now; ``None`` when it would not. Changes nothing."""

    def uses_of(self, owner: Owner, mock: str) -> int:
        """How often a mock was used, by those that an owner counts."""

    def value(self, owner: Owner, key: str) -> Any:
        """Return a value, or ``ABSENT``; ``json_reading.UNREADABLE`` for one too long to be looked at."""

    def set_value(self, owner: Owner, key: str, value: Any) -> None:
        """Keep a value. Raises StateFull."""

    def increment(self, owner: Owner, key: str, by: int) -> int | float:
        """Add to a number, 0 when there is none, and return the sum. Raises NotANumber, StateFull.

        Whole numbers stay whole, with all their digits; others are added to as doubles.
        """

    def delete_value(self, owner: Owner, key: str) -> None:
        """Let go of a value, if there is one."""

    def text(self, owner: Owner, key: str) -> str | None:
        """Return a value as JSON text, ``None`` when there is none."""

    def set_text(self, owner: Owner, key: str, text: str) -> None:
        """Keep a value that is given as JSON text, which the caller has checked. Raises StateFull."""

    def texts(self, owner: Owner, *, prefix: str = "", after: str = "", limit: int) -> Sequence[tuple[str, str]]:
        """Keys that begin with ``prefix`` and their values as JSON text, in the order of the keys, behind ``after``."""

    def machine(self, owner: Owner, machine: str) -> str:
        """The state of a machine."""

    def set_machine(self, owner: Owner, machine: str, state: str) -> None:
        """Put a machine into a state. Raises StateFull."""

    def machines(self, owner: Owner) -> Sequence[tuple[str, str]]:
        """The machines that are not in their first state, in the order of their names."""

    def uses(self, owner: Owner) -> Sequence[tuple[str, int]]:
        """The mocks that were used, and how often, in the order of their ids."""

    def owners(self) -> Collection[Owner]:
        """Whoever has any state now."""

    def forget_uses(self, environment_id: str, mocks: Iterable[str]) -> None:
        """Forget how often these mocks were used, whoever counts them."""

    def reset(self, owner: Owner) -> None:
        """Begin anew, for one owner."""

    def reset_environment(self, environment_id: str) -> None:
        """Begin anew, for all owners of an environment."""
