"""The work that criteria make for one request: how much there may be of it, and in which turns of the event loop.

A criterion is tested in one go, for which it has `STEPS_MAX` steps, and all criteria of all mocks that a request meets
share `REQUEST_STEPS_MAX`. Where others wait for the event loop (``in_turns``), what takes long is spread over turns of
it: whoever has done much in a turn begins nothing more, but raises `TurnOver`, and is asked again in a later turn. What
was found until then is remembered, so that each test is made once.
"""

import marshal
from collections.abc import Callable, Generator
from typing import Any, Final

from understudy_server.core.steps import STEPS_MAX, Steps, TooManySteps

REQUEST_STEPS_MAX: Final = 100_000
"""So many steps the criteria of all mocks together may take for one request."""

TURN_STEPS: Final = 2_000
"""After so many of them nothing more is begun in the same turn: so a turn takes some 5 ms at most."""

# The last version of what `marshal` writes that does not depend on who else holds a value.
_PLAIN: Final = 2


class TurnOver(Exception):
    """To be gone on with in a later turn: nothing was claimed or kept so far. See `Request.go_on`.

    ``unfinished`` is the request with what was found of it, where whoever has the turns wants to know.
    """

    unfinished: Any = None


class Work:
    """What is ``left`` of the steps for a request, and what they were spent on. It goes with the request through turns.

    ``in_turns``: others wait meanwhile. ``reading`` is under way while the body is read as JSON.
    """

    __slots__ = ("_found", "_left_in_turn", "in_turns", "left", "reading")

    def __init__(self, *, in_turns: bool = False) -> None:
        self.left = REQUEST_STEPS_MAX
        self.reading: Generator[None, None, Any] | None = None
        self.in_turns = in_turns
        self._left_in_turn = TURN_STEPS
        self._found: dict[int, tuple[object, object, bool]] = {}

    def begin_turn(self) -> None:
        """Note that it is another turn than before."""
        self._left_in_turn = TURN_STEPS

    def pause(self) -> None:
        """Called before what may take long. Raises TurnOver when this turn has had enough."""
        if self._left_in_turn <= 0 and self.in_turns:
            raise TurnOver

    def test(self, holds: Callable[[Steps], bool], about: object = None, value: object = None) -> bool:
        """Make a test; what takes too many steps does not hold. It is made once ``about`` the same, if that is given.

        ``value`` is the JSON value that is tested, where that may be another one in a later turn: then it is made anew.
        Raises TurnOver.
        """
        found = self._found.get(id(about))
        if found is not None and _is_same(found[1], value):
            return found[2]
        if self._left_in_turn <= 0:
            self.pause()
        steps = self.steps()
        if not steps.left:
            return False
        try:
            outcome = holds(steps)
        except TooManySteps:
            outcome = False
        used = self.spent(steps)
        if used and self.in_turns and about is not None:
            # With what it is about, which so lives on: no other object has its id meanwhile.
            self._found[id(about)] = about, value, outcome
        return outcome

    def steps(self) -> Steps:
        """Those that one test may take now."""
        return Steps(min(STEPS_MAX, self.left))

    def spent(self, steps: Steps) -> int:
        """Note what a test has left of its `steps`. Returns how many it took."""
        used = min(STEPS_MAX, self.left) - steps.left
        self.left -= used
        self._left_in_turn -= used
        return used


def _is_same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are the same in all that a criterion may see: 1, 1.0 and true are not."""
    if one is other:
        return True
    # It is written with its types, in a fraction of the time that it takes to test it.
    return type(one) is type(other) and marshal.dumps(one, _PLAIN) == marshal.dumps(other, _PLAIN)
