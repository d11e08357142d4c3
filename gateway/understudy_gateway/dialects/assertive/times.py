"""How often something must have been called: a criterion of the wire on a number, judged here."""

import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from understudy_gateway.dialects.assertive.wire import Node, Operation, is_number


def verdict(node: Node, least: int, most: int | None) -> bool | None:
    """Tell whether a criterion holds for a number of calls that is only known to lie between two, both included.

    ``most`` is None where there is no end to it. None: it holds for some of them alone. What is plain holds for that
    number, and what is about texts, lists and objects for none. It takes time in proportion to the criterion, however
    far the two are apart.
    """
    found: set[bool] = set()
    # Even and odd are all that makes a difference between the numbers that it names.
    for first in (least, least + 1):
        if most is None or first <= most:
            found.update(_Course.of(node, parity=first % 2).values(first, most))
    return found.pop() if len(found) == 1 else None


class _Course(NamedTuple):
    """For which numbers of one parity something holds: so it begins, and at each of the turns it is the other way."""

    turns: Sequence[int]
    begins: bool = False

    @classmethod
    def of(cls, node: Node, parity: int) -> "_Course":
        if not isinstance(node, Operation):
            return _equal(node)
        follow = _FOLLOWED.get(node.operator)
        return _NEVER if follow is None else follow(node.given, parity)

    def values(self, first: int, last: int | None) -> Iterator[bool]:
        """What it is at ``first`` and at every second number from there up to ``last``, if that is any."""
        value, start = self.begins, first
        for turn in self.turns:
            # The first number of this parity that lies behind the turn.
            behind = max(first, turn + (turn - first) % 2)
            if behind > start:
                yield value
            value, start = not value, behind
            if last is not None and start > last:
                return
        yield value

    def inverted(self) -> "_Course":
        return _Course(self.turns, begins=not self.begins)


_NEVER: Final = _Course(())
_ALWAYS: Final = _Course((), begins=True)


def _combined(courses: Iterable[_Course], test: Callable[[int, int], bool]) -> _Course:
    """Of several courses one: it holds where ``test`` does of how many of them hold, and of how many there are."""
    given = list(courses)
    if len(given) == 1:
        # However deep it stands, it is looked through once.
        return given[0]
    steps: dict[int, int] = {}
    for each in given:
        step = -1 if each.begins else 1
        for turn in each.turns:
            steps[turn] = steps.get(turn, 0) + step
            step = -step
    holding = sum(each.begins for each in given)
    begins = value = test(holding, len(given))
    turns = []
    for turn in sorted(steps):
        holding += steps[turn]
        if test(holding, len(given)) is not value:
            value = not value
            turns.append(turn)
    return _Course(turns, begins)


def _equal(value: Any) -> _Course:
    if not is_number(value) or value != math.floor(value):
        return _NEVER
    return _Course((int(value), int(value) + 1))


def _from(number: int) -> _Course:
    return _Course((number,))


def _above(value: Any) -> _Course:
    return _from(math.floor(value) + 1) if is_number(value) else _NEVER


def _at_least(value: Any) -> _Course:
    return _from(math.ceil(value)) if is_number(value) else _NEVER


def _below(value: Any) -> _Course:
    return _at_least(value).inverted() if is_number(value) else _NEVER


def _at_most(value: Any) -> _Course:
    return _above(value).inverted() if is_number(value) else _NEVER


def _all(courses: Iterable[_Course]) -> _Course:
    return _combined(courses, operator.eq)


def _between(given: Mapping[str, Any], _parity: int) -> _Course:
    lower, upper = given["lower"], given["upper"]
    if given["is_inclusive"]:
        return _all((_at_least(lower), _at_most(upper)))
    return _all((_above(lower), _below(upper)))


def _each(nodes: Iterable[Node], parity: int) -> Iterator[_Course]:
    return (_Course.of(each, parity) for each in nodes)


_Follow = Callable[[Mapping[str, Any], int], _Course]

_FOLLOWED: Final[Mapping[str, _Follow]] = {
    "$eq": lambda given, parity: _Course.of(given["value"], parity),
    "$neq": lambda given, parity: _Course.of(given["value"], parity).inverted(),
    "$gt": lambda given, _parity: _above(given["value"]),
    "$gte": lambda given, _parity: _at_least(given["value"]),
    "$lt": lambda given, _parity: _below(given["value"]),
    "$lte": lambda given, _parity: _at_most(given["value"]),
    "$between": _between,
    "$and": lambda given, parity: _all(_each(given["items"], parity)),
    "$or": lambda given, parity: _combined(_each(given["items"], parity), lambda holding, _given: holding > 0),
    "$xor": lambda given, parity: _combined(
        _each((given["left"], given["right"]), parity), lambda holding, _given: holding == 1
    ),
    "$not": lambda given, parity: _Course.of(given["value"], parity).inverted(),
    "$even": lambda _given, parity: _ALWAYS if parity == 0 else _NEVER,
    "$odd": lambda _given, parity: _ALWAYS if parity == 1 else _NEVER,
}
