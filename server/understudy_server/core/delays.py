"""How long an answer is held back. All times are whole milliseconds."""

from typing import Protocol


class Dice(Protocol):
    """A source of chance, such as ``random.Random``."""

    def randint(self, a: int, b: int, /) -> int:
        """Return a whole number from ``a`` to ``b``, both included."""


def session_delay_ms(fixed_ms: int, max_ms: int, dice: Dice) -> int:
    """The session's delay of one answer: drawn from [fixed, max] when max is above fixed, else exactly fixed."""
    return dice.randint(fixed_ms, max_ms) if max_ms > fixed_ms else fixed_ms
