"""How much may be done for one request: steps, counted, so that nothing that a request brings holds everybody else up.

A step is what takes about a tenth of a microsecond: a value that a path looks at, a schema put to a value, some bytes
that a pattern runs over. Counted and not timed: the same request comes out the same, however busy the machine is.
"""

from typing import Final

STEPS_MAX: Final = 35_000
"""So many steps may be taken in one go: for the criterion on one part of a request, or for its answer; some 4 ms."""


class TooManySteps(Exception):
    """It takes more steps than it may; nothing is known about the outcome."""

    def __init__(self) -> None:
        super().__init__("it takes more steps than one request may take")


class Steps:
    """What is ``left`` of the steps. One such count may be shared by all that is done for a request."""

    __slots__ = ("left",)

    def __init__(self, left: int = STEPS_MAX) -> None:
        self.left = left

    def take(self, count: int) -> None:
        """Take so many. Raises TooManySteps when there are fewer left, and then there are none."""
        self.left -= count
        if self.left < 0:
            self.left = 0
            raise TooManySteps
