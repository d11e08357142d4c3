"""What it takes to put a JSON Schema to a value, known before it is done.

A schema is put to a value by putting its subschemas to parts of it, one perhaps in several ways: two schemas that both
refer to a third, which does so again, and so on, make a million of twenty. So first the value is walked through once,
as an automaton would: where the walk stands is how often each subschema is put to the value there; where it stands for
a member or an element follows from that, and is remembered. The walk stops when it has counted too much.

The walk takes longer than most schemas do. So where it cannot get to many places, and none of them is dear, it is
enough to know how many values there are.
"""

import heapq
from dataclasses import dataclass
from typing import Any, Final

import orjson

from understudy_server.core.pattern_sizes import Allowance, Measured
from understudy_server.core.schema_graph import Graph, Subschema
from understudy_server.core.steps import STEPS_MAX, TooManySteps

# Asked of each value: with a union in its place that takes three times as long.
_NESTING: Final = (dict, list)

DEPTH_MAX: Final = 512
"""Values are followed through so many levels; the validator would follow them until the stack is full."""

_KEYWORDS_IN_A_STEP: Final = 8
_CHARACTERS_IN_A_STEP: Final = 1024
_PLAIN_BITS: Final = 64
_STATES_MAX: Final = 2_000
# Of subschemas in states that are new: a value that meets so many new ones at once has to come again.
_BUILDING_MAX: Final = 10_000
# Integers of more bits are written out and read again for each comparison, in a time that grows with the square.
_SQUARE_BITS_IN_A_STEP: Final = 24_000
# What is sorted and compared, and not only looked at (measured).
_STEPS_OF_UNIQUE: Final = 2
# It takes some time to find out what it takes (measured).
_STEPS_TO_LOOK: Final = 4


# What is counted from above: the validator does so many such steps in the time of one (measured), and so many bytes are
# written in it, to be counted.
_OFTEN_IN_A_STEP: Final = 4
_WRITTEN_IN_A_STEP: Final = 64
# Whatever is a value or a name in JSON has one of these before it, but the whole.
_BEFORE_VALUES: Final = (b",", b":", b"[", b"{")
# Places where a value can be, times the names of members: following them is done once, in a millisecond or two.
_WAYS_MAX: Final = 4_000
_DEAR: Final = 64


@dataclass(slots=True, eq=False)
class _State:
    """How often each subschema is put to a value, and what that takes.

    ``containers`` is for a list or an object, ``leaves`` for what is neither: the validator remembers what came out of
    a recursive reference, but only of the former. ``patterns``: those that a text is put to, and ``name_patterns`` the
    name of each member. ``unique``: how often the elements of a list must differ. ``leads_on``: whether any is put to
    a part of the value. ``following``: the states for a part of the value, as far as they are known.
    """

    counts: dict[int, int]
    containers: int
    leaves: int
    patterns: list[Measured]
    name_patterns: list[Measured]
    unique: int
    leads_on: bool
    following: "dict[str | int, _State | None]"


_UNTOLD: Final[tuple[int, list[Measured]]] = (_DEAR + 1, [])
_FLAT: Final = frozenset((float, bool, type(None), int, str))
_ELEMENTS: Final = 0
_NAMES: Final = 1
_OTHERS: Final = 2


class Costs:
    """What a schema takes."""

    def __init__(self, graph: Graph, *, remembering: bool = True) -> None:
        """``remembering`` as the validator does when it only tells whether a value is valid, and not what is wrong.

        Raises TooManySteps when no value at all may be given to it.
        """
        self._subschemas = graph.subschemas
        self._remembering = remembering
        self._rank = {number: rank for rank, number in enumerate(graph.order)}
        self._order = graph.order
        self._weights = [_weight(subschema.content) for subschema in graph.subschemas]
        allowance = Allowance()
        self._patterns = [_patterns(subschema.content, allowance) for subschema in graph.subschemas]
        self._name_patterns = [_name_patterns(subschema.content, allowance) for subschema in graph.subschemas]
        self._leads_on = [len(each.parts()) > len(each.here) for each in graph.subschemas]
        self._states: dict[tuple[frozenset[tuple[int, int]], int, int], _State] = {}
        self._building = 0
        self._names = {name for subschema in graph.subschemas for name in subschema.member}
        self._start = self._state({0: 1}, {})
        self._dearest: tuple[int, list[Measured]] | None = None

    def of(self, value: Any, steps_max: int = STEPS_MAX) -> int:
        """How many steps it takes to put the schema to this value, at most. Raises TooManySteps above ``steps_max``."""
        if len(self._states) > _STATES_MAX:
            self._states.clear()
            self._start.following.clear()
        self._building = 0
        total = 0
        waiting: list[tuple[Any, _State, int]] = [(value, self._start, 0)]
        while waiting:
            current, state, depth = waiting.pop()
            if isinstance(current, _NESTING):
                total += state.containers
                # Each of its parts takes so many at least, if it takes any.
                parts = len(waiting) + (len(current) if state.leads_on else 0)
                if depth > DEPTH_MAX or total + _STEPS_TO_LOOK * parts > steps_max:
                    raise TooManySteps
                total += _STEPS_TO_LOOK + self._of_container(current, state, steps_max)
                waiting += self._led_from(current, state, depth + 1)
            else:
                total += _STEPS_TO_LOOK + _of_leaf(current, state)
            if total > steps_max or self._building > _BUILDING_MAX:
                raise TooManySteps
        return total

    def at_most(self, value: Any, steps_max: int = STEPS_MAX) -> int | None:
        """How many steps it takes at most, told without a walk; ``None`` where that cannot be told, or is too much."""
        if self._dearest is None:
            self._dearest = self._most_in_one_place()
        weight, patterns = self._dearest
        most = _OFTEN_IN_A_STEP * steps_max // weight
        if weight > _DEAR or _held(value, most) > most:
            return None
        try:
            text = orjson.dumps(value)
        except TypeError:
            # Integers of many digits, or half a surrogate pair, or nested deeply.
            return None
        count = 1 + sum(map(text.count, _BEFORE_VALUES))
        long = len(text) // _CHARACTERS_IN_A_STEP * weight + sum([each.steps(len(text), "within") for each in patterns])
        return len(text) // _WRITTEN_IN_A_STEP + (count * (weight + len(patterns)) + long) // _OFTEN_IN_A_STEP

    def _most_in_one_place(self) -> tuple[int, list[Measured]]:
        """The most that it takes for one value, wherever it is; and the patterns that texts are put to somewhere."""
        ways: tuple[str | int, ...] = (_ELEMENTS, _NAMES, _OTHERS, *self._names)
        seen, waiting = [self._start], [self._start]
        self._building = 0
        try:
            while waiting:
                state = waiting.pop()
                dear = state.unique or state.name_patterns
                if dear or len(seen) * len(ways) > _WAYS_MAX or self._building > _BUILDING_MAX // 10:
                    return _UNTOLD
                for part in ways if state.leads_on else ():
                    following = self._following(state, part)
                    if following is not None and following not in seen:
                        seen.append(following)
                        waiting.append(following)
        except TooManySteps:
            return _UNTOLD
        patterns = [pattern for state in seen for pattern in state.patterns]
        if any(pattern.positions("within") for pattern in patterns):
            # That takes more than in proportion to the text.
            return _UNTOLD
        return max([max(state.containers, state.leaves) for state in seen]), patterns

    def _led_from(self, value: dict[str, Any] | list[Any], state: _State, depth: int) -> list[tuple[Any, _State, int]]:
        """The parts of a list or an object that the schema is put to, and the states that it is put to them in."""
        if not state.leads_on:
            return []
        if isinstance(value, list):
            following = self._following(state, _ELEMENTS)
            return [(part, following, depth) for part in value] if following is not None else []
        known = self._names
        led = [(part, self._following(state, name if name in known else _OTHERS)) for name, part in value.items()]
        return [(part, following, depth) for part, following in led if following is not None]

    def _of_container(self, value: dict[str, Any] | list[Any], state: _State, steps_max: int) -> int:
        """What it takes beside its parts: to tell the elements apart, or to look at the names."""
        if isinstance(value, list):
            often = _STEPS_OF_UNIQUE * state.unique
            return often * _size(value, steps_max // often) if often else 0
        if not state.leads_on:
            return 0
        # To find out what each of its names leads to.
        steps = _STEPS_TO_LOOK * len(value)
        following = self._following(state, _NAMES)
        if following is not None:
            steps += sum([_of_leaf(name, following) for name in value])
        for pattern in state.name_patterns:
            for name in value:
                steps += pattern.steps(4 * len(name), "within")
                if steps > steps_max:
                    raise TooManySteps
        return steps

    def _following(self, state: _State, part: str | int) -> _State | None:
        if part not in state.following:
            state.following[part] = self._led_to(state, part)
        return state.following[part]

    def _led_to(self, state: _State, part: str | int) -> _State | None:
        counts: dict[int, int] = {}
        again: dict[int, int] = {}
        for number, count in state.counts.items():
            subschema = self._subschemas[number]
            for target in _targets(subschema, part):
                into = again if target in subschema.again else counts
                into[target] = into.get(target, 0) + count
        return self._state(counts, again) if counts or again else None

    def _state(self, counts: dict[int, int], again: dict[int, int]) -> _State:
        """The state that begins with so many of each subschema; those in ``again`` are recursive references to it."""
        containers, lookups = self._closed(counts, again, remembering=self._remembering)
        leaves, _ = self._closed(counts, again, remembering=False)
        weight = lookups + sum([count * self._weights[number] for number, count in containers.items()])
        leaf_weight = sum([count * self._weights[number] for number, count in leaves.items()])
        if weight > STEPS_MAX or leaf_weight > STEPS_MAX:
            raise TooManySteps
        key = (frozenset(containers.items()), weight, leaf_weight)
        if key not in self._states:
            self._states[key] = self._made(containers, leaves, weight, leaf_weight)
        return self._states[key]

    def _made(self, containers: dict[int, int], leaves: dict[int, int], weight: int, leaf_weight: int) -> _State:
        self._building += len(leaves)
        contents = {number: self._subschemas[number].content for number in leaves}
        patterns = [pattern for number, count in leaves.items() for pattern in self._patterns[number] * count]
        name_patterns = [
            pattern for number, count in containers.items() for pattern in self._name_patterns[number] * count
        ]
        unique = sum([count for number, count in containers.items() if contents[number].get("uniqueItems") is True])
        leads_on = any(self._leads_on[number] for number in containers)
        return _State(containers, weight, leaf_weight, patterns, name_patterns, unique, leads_on, {})

    def _closed(
        self, counts: dict[int, int], again: dict[int, int], *, remembering: bool
    ) -> tuple[dict[int, int], int]:
        """With all that those put to the same value in turn; and how often something is remembered."""
        found = dict(counts)
        recalled = dict(again)
        lookups = 0
        waiting = [self._rank[number] for number in {**found, **recalled}]
        heapq.heapify(waiting)
        done: dict[int, int] = {}
        while waiting:
            number = self._order[heapq.heappop(waiting)]
            if number in done:
                continue
            asked = recalled.get(number, 0)
            lookups += asked
            count = found.get(number, 0) + (min(asked, 1) if remembering else asked)
            if count > STEPS_MAX:
                raise TooManySteps
            done[number] = count
            subschema = self._subschemas[number]
            for target in subschema.here:
                into = recalled if target in subschema.again else found
                into[target] = into.get(target, 0) + count
                heapq.heappush(waiting, self._rank[target])
        return done, lookups if remembering else 0


def _held(value: Any, most: int) -> int:
    """How many values it holds, in two levels of it: told at once. That is all when it is more than ``most`` in one."""
    if not isinstance(value, _NESTING):
        return 0
    if len(value) > most:
        return len(value)
    parts = value.values() if isinstance(value, dict) else value
    return len(value) + sum([len(part) for part in parts if isinstance(part, _NESTING)])


def _targets(subschema: Subschema, part: str | int) -> list[int]:
    if part == _ELEMENTS:
        return subschema.elements
    if part == _NAMES:
        return subschema.names
    if isinstance(part, str) and part in subschema.member:
        return subschema.member[part] + subschema.members
    return subschema.members


def _weight(content: dict[str, Any]) -> int:
    """What it takes to put this subschema alone to a value, in steps."""
    work = len(content)
    for keyword in ("properties", "patternProperties", "required", "dependentRequired", "dependencies"):
        work += len(content.get(keyword) or ())
    work += sum([_breadth(content.get(keyword)) for keyword in ("enum", "const")])
    return 1 + work // _KEYWORDS_IN_A_STEP


def _breadth(value: Any) -> int:
    """How many values it holds, at all depths; those that are compared one by one count for more."""
    if isinstance(value, _NESTING):
        return 8 + sum(map(_breadth, value.values() if isinstance(value, dict) else value))
    return 1


def _patterns(content: dict[str, Any], allowance: Allowance) -> list[Measured]:
    pattern = content.get("pattern")
    return [Measured(pattern, allowance=allowance)] if isinstance(pattern, str) else []


def _name_patterns(content: dict[str, Any], allowance: Allowance) -> list[Measured]:
    patterns = content.get("patternProperties")
    return [Measured(pattern, allowance=allowance) for pattern in patterns] if isinstance(patterns, dict) else []


def _of_leaf(value: Any, state: _State) -> int:
    if isinstance(value, str):
        length = len(value)
        return state.leaves * (1 + length // _CHARACTERS_IN_A_STEP) + sum(
            [pattern.steps(4 * length, "within") for pattern in state.patterns]
        )
    if isinstance(value, int) and (bits := value.bit_length()) > _PLAIN_BITS:
        return state.leaves * (1 + bits * bits // _SQUARE_BITS_IN_A_STEP)
    return state.leaves


def _size(value: list[Any], steps_max: int) -> int:
    """What it takes to tell all elements of a list apart. Raises TooManySteps above ``steps_max``."""
    if len(value) > steps_max:
        raise TooManySteps
    kinds = set(map(type, value))
    if kinds <= _FLAT:
        # As most lists are: then it is told at once.
        count, scalars = len(value), value
    else:
        count, scalars = _scalars_within(value, steps_max)
    texts = sum(map(len, [each for each in scalars if type(each) is str]))
    bits = max(map(int.bit_length, [each for each in scalars if type(each) is int]), default=0)
    total = count + texts // _CHARACTERS_IN_A_STEP
    if bits > _PLAIN_BITS:
        # Then each is compared with each.
        total += len(value) ** 2 * (1 + bits * bits // _SQUARE_BITS_IN_A_STEP)
    return total


def _scalars_within(value: list[Any], steps_max: int) -> tuple[int, list[Any]]:
    """How many steps it takes to go through a list, and the values in it that hold no others."""
    count, scalars = 0, []
    waiting: list[tuple[Any, int]] = [(value, 0)]
    while waiting:
        current, depth = waiting.pop()
        count += _STEPS_TO_LOOK
        if isinstance(current, _NESTING):
            parts = current.values() if isinstance(current, dict) else current
            waiting += [(part, depth + 1) for part in parts]
        else:
            scalars.append(current)
        if count + _STEPS_TO_LOOK * len(waiting) > steps_max or depth > DEPTH_MAX:
            raise TooManySteps
    return count, scalars
