"""JSON values compared whatever the order in their lists.

To be equal so is to have the same signature, in which a list is what it holds and how often. To contain so is harder:
each element that is asked for must be given one of its own, and which one may depend on all the others. That is a
matching in a bipartite graph, found by augmenting paths; it is searched step by step and given up when steps run out.
"""

from collections import Counter, deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from understudy_server.core.matching.json_comparing import same_scalar
from understudy_server.core.steps import Steps

# Asked of each value: with a union in its place that takes three times as long.
_NESTING: Final = (dict, list)

_STEPS_FOR_EACH = 10
_STEPS_FOR_A_PAIR = 2

Signature = Any
"""Equal for values that are equal in any order. Made of text alone: numbers can be chosen so that they get in each
other's way in a table, and texts cannot."""


class Signed(NamedTuple):
    """What is asked for: its signature, and how deep it is, so that nothing deeper has to be looked at."""

    signature: Signature
    depth: int


class _Deeper(Exception):
    """A value is nested deeper than the one it is compared with."""


def signed(wanted: Any) -> Signed:
    """Prepare a value to be compared with, which was read from a mock."""
    depth = _depth(wanted)
    return Signed(_signature(wanted, depth, Steps(2**62)), depth)


def equal(given: Any, wanted: Signed, steps: Steps) -> bool:
    """Tell whether the two are equal in any order. Raises TooManySteps."""
    try:
        return bool(_signature(given, wanted.depth, steps) == wanted.signature)
    except _Deeper:
        return False


def contains(given: Any, wanted: Any, steps: Steps) -> bool:
    """Tell whether ``given`` contains ``wanted`` in any order. Raises TooManySteps."""
    steps.take(_STEPS_FOR_EACH)
    if isinstance(wanted, dict):
        return isinstance(given, dict) and all(
            name in given and contains(given[name], value, steps) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(given, list) and len(wanted) <= len(given) and _contains_all(given, wanted, steps)
    return same_scalar(given, wanted)


def _contains_all(given: list[Any], wanted: list[Any], steps: Steps) -> bool:
    """Give each element that is asked for one of its own. Only what holds others can be given in several ways."""
    steps.take(_STEPS_FOR_EACH * len(given))
    simple = Counter(_text_of_scalar(value) for value in wanted if not isinstance(value, _NESTING))
    if simple:
        simple.subtract(_text_of_scalar(value) for value in given if not isinstance(value, _NESTING))
        if any(count > 0 for count in simple.values()):
            return False
    nested = [value for value in wanted if isinstance(value, _NESTING)]
    others = [value for value in given if isinstance(value, _NESTING)]
    if len(nested) > len(others):
        return False
    known: dict[tuple[int, int], bool] = {}

    def fits(at: int, place: int) -> bool:
        steps.take(_STEPS_FOR_A_PAIR)
        found = known.get((at, place))
        if found is None:
            found = known[at, place] = contains(others[place], nested[at], steps)
        return found

    return _can_all_be_placed(len(nested), len(others), fits)


def _can_all_be_placed(count: int, places: int, fits: Callable[[int, int], bool]) -> bool:
    """Tell whether each of ``count`` can have a place of its own that fits it. Without recursion."""
    free = deque(range(places))
    holder: dict[int, int] = {}
    place_of: dict[int, int] = {}
    for newcomer in range(count):
        if not (
            _take_free(newcomer, free, holder, place_of, fits) or _move_up(newcomer, places, holder, place_of, fits)
        ):
            return False
    return True


def _take_free(
    newcomer: int,
    free: deque[int],
    holder: dict[int, int],
    place_of: dict[int, int],
    fits: Callable[[int, int], bool],
) -> bool:
    """Take a place that nobody has, if one fits: in lists in the same order it is the first."""
    for _ in range(len(free)):
        place = free.popleft()
        if place in holder:
            # Somebody has moved there since.
            continue
        if fits(newcomer, place):
            holder[place], place_of[newcomer] = newcomer, place
            return True
        free.append(place)
    return False


def _move_up(
    newcomer: int, places: int, holder: dict[int, int], place_of: dict[int, int], fits: Callable[[int, int], bool]
) -> bool:
    """Let others move, the last of them to a free place, so that there is one for the newcomer; if there is a way."""
    wanted_by: dict[int, int] = {}
    movers = [newcomer]
    while movers:
        mover = movers.pop()
        for place in range(places):
            if place in wanted_by or not fits(mover, place):
                continue
            wanted_by[place] = mover
            if place in holder:
                movers.append(holder[place])
                continue
            while True:
                who = wanted_by[place]
                left = place_of.get(who)
                holder[place], place_of[who] = who, place
                if left is None:
                    return True
                place = left  # noqa: PLW2901 - back along the way that was found
    return False


def _signature(value: Any, depth: int, steps: Steps) -> Signature:
    steps.take(_STEPS_FOR_EACH)
    if isinstance(value, _NESTING):
        if depth == 0:
            raise _Deeper
        if isinstance(value, dict):
            return ("object", frozenset([(name, _signature(each, depth - 1, steps)) for name, each in value.items()]))
        counted = Counter([_signature(each, depth - 1, steps) for each in value])
        return ("list", frozenset(counted.items()))
    return _text_of_scalar(value)


def _text_of_scalar(value: Any) -> str:
    """A text for a value that holds no others: the same for numbers that are equal, and for nothing else."""
    if isinstance(value, str):
        return f'"{value}'
    if isinstance(value, float):
        return f"{int(value):x}" if value.is_integer() else repr(value)
    # In base 16, because Python refuses to write very long numbers in base 10.
    return f"{value:x}" if isinstance(value, int) and not isinstance(value, bool) else repr(value)


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0
