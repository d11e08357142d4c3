"""One rendering of a template: what it may still cost, and what its names stand for now."""

from typing import Any, Final

from understudy_server.core.steps import STEPS_MAX, Steps
from understudy_server.core.templating.faults import Fault

OUTPUT_MAX: Final = 1024 * 1024
"""A rendering makes at most so many characters, and no text within it is longer."""

CHARACTERS_IN_A_STEP: Final = 64
MACROS_MAX: Final = 30
"""Macros within macros, at most."""


class Scope:
    """Names that have a value here, and where to look for the others."""

    __slots__ = ("around", "values")

    def __init__(self, values: dict[str, Any], around: "Scope | None" = None) -> None:
        self.values = values
        self.around = around


_NOWHERE: Final = Scope({})


class Run(Steps):
    """One rendering, or several that share what they may cost: it is the count of the steps that are left.

    ``scene`` is whatever the roots and functions of the language are about, and ``draws`` where their chance comes
    from. ``room`` is how many characters may still be printed. ``drawn`` counts what was drawn.
    """

    __slots__ = ("depth", "drawn", "draws", "room", "scene", "scope")

    def __init__(self, scene: Any, draws: Any = None) -> None:
        self.left = STEPS_MAX
        self.scene = scene
        self.draws = draws
        self.room = OUTPUT_MAX
        # Of no template: each begins with one of its own.
        self.scope = _NOWHERE
        self.depth = 0
        self.drawn = 0

    def take_for_text(self, length: int) -> None:
        """Take the steps that a text of such a length costs. Raises TooManySteps; Fault for one that is too long."""
        if length > OUTPUT_MAX:
            raise Fault("a text grows beyond 1 MiB")
        self.take(2 + length // CHARACTERS_IN_A_STEP)

    def print_room(self, length: int) -> None:
        """Take room in the output. Raises Fault when there is no more."""
        self.room -= length
        if self.room < 0:
            raise Fault("the output grows beyond 1 MiB")
