"""How large the automaton of a pattern grows, told without running it.

RE2 follows all places of a pattern at which a text may be, and remembers each set of them that it meets as a state,
with where each character leads. Here the same is done for all characters there are. When few states come out, no text
can make more, and RE2 runs over a text at full speed; when there are too many, a text can be made that keeps meeting
new ones.
"""

from bisect import bisect_right
from typing import Final, Literal, NamedTuple

from understudy_server.core import pattern_tree
from understudy_server.core.pattern_tree import CHARACTER_MAX, Choice, Node, One, Repeat, Sequence

STATES_MAX: Final = 500
"""An automaton of so many states is small: RE2 keeps it in the memory that it has."""

_WORK_MAX: Final = 25_000
"""So many places are looked at before a pattern counts as large; that takes some 6 ms, once for each pattern."""


class Limits(NamedTuple):
    """How large a pattern may be: its places with repetitions written out, and its instructions, more or less."""

    places: int
    instructions: int


LARGEST: Final = Limits(5_000, 40_000)
"""RE2 would read what is larger for 50 ms and more."""

SMALL: Final = Limits(150, 2_000)
"""RE2 reads what is smaller in 1 ms, or so."""

_PLACES_MAX: Final = LARGEST.places
_SMALL_PROGRAM_MAX: Final = 14_000
# A class such as `\\pL` is hundreds of ranges, and we know tens of them.
_RANGES_OF_UNICODE: Final = 24
_INSTRUCTIONS_OF_UNICODE: Final = 1_200
_ASCII_MAX: Final = 127

# Length of a text times size of a pattern: up to here it is quick either way, and nobody need know which.
_UNMEASURED_MAX: Final = 30_000

# What one step (0.1 us) is enough for, in bytes; or in bytes times positions, the slow way; the third is in between.
_BYTES_IN_A_STEP: Final = 50
_SLOW_BYTES_IN_A_STEP: Final = 12
_UNMEASURED_IN_A_STEP: Final = 25

Mode = Literal["whole", "at_start", "within"]


class _TooLarge(Exception):
    """The automaton is not small."""


class Allowance:
    """How much work it may take to measure patterns; without one, each may take its own."""

    __slots__ = ("left",)

    def __init__(self, left: int = _WORK_MAX) -> None:
        self.left = left


class Measured:
    """What it takes to run a pattern that an engine has taken already. ``size``: of its program, where that is known.

    ``allowance``: for it and others together.
    """

    __slots__ = ("_allowance", "_ignore_case", "_positions", "_size", "_text")

    def __init__(
        self, text: str, *, ignore_case: bool = False, size: int | None = None, allowance: Allowance | None = None
    ) -> None:
        self._text = text
        self._allowance = allowance
        self._ignore_case = ignore_case
        self._size = size
        self._positions: dict[Mode, int] = {}

    def is_short(self, length: int) -> bool:
        """Tell whether a text of so many bytes is matched quickly, whatever the pattern."""
        return length * self._least_size() <= _UNMEASURED_MAX

    def steps(self, length: int, mode: Mode) -> int:
        """How many steps it takes to run it over a text of so many bytes."""
        if self.is_short(length):
            return 1 + length * self._least_size() // _UNMEASURED_IN_A_STEP
        places = self.positions(mode)
        return 1 + (length * places // _SLOW_BYTES_IN_A_STEP if places else length // _BYTES_IN_A_STEP)

    def steps_slowly(self, length: int) -> int:
        """How many steps it takes without an automaton, as it does to find groups."""
        return 1 + length * self._least_size() // _SLOW_BYTES_IN_A_STEP

    def positions(self, mode: Mode) -> int:
        """How many positions it has to follow at once; 0 when its automaton is small. Worked out once."""
        if mode not in self._positions:
            found = positions(self._text, mode, ignore_case=self._ignore_case, allowance=self._allowance)
            # RE2 makes room for states of all instructions of a program before it begins, or does without an automaton.
            self._positions[mode] = found or (size(self._text) if self._least_size() > _SMALL_PROGRAM_MAX else 0)
        return self._positions[mode]

    def _least_size(self) -> int:
        if self._size is None:
            self._size = size(self._text)
        return self._size


def size(text: str) -> int:
    """How many characters the pattern spells out, repetitions included."""
    try:
        return 1 + len(_Program(pattern_tree.read(text), searched=False).characters)
    except _UNREAD:
        return _PLACES_MAX


def is_too_large(text: str, limits: Limits = LARGEST) -> bool:
    """Tell whether it takes an engine too long to read a pattern. One that is none is not too large."""
    try:
        program = _Program(pattern_tree.read(text), searched=False, places_max=limits.places)
    except _TooLarge:
        return True
    except _UNREAD:
        return False
    return sum(map(_instructions, program.characters.values())) > limits.instructions


def _instructions(ranges: pattern_tree.Ranges) -> int:
    """How many instructions it takes, or so, to read one of these characters byte by byte."""
    if len(ranges) > _RANGES_OF_UNICODE:
        return _INSTRUCTIONS_OF_UNICODE
    return len(ranges) if ranges and ranges[-1][1] <= _ASCII_MAX else 8 + len(ranges)


# Too large, or nested too deep, or not RE2's: then it is taken to be large.
_UNREAD: Final = (_TooLarge, RecursionError, LookupError, ValueError)


def positions(text: str, mode: Mode, *, ignore_case: bool, allowance: Allowance | None = None) -> int:
    """How many places of the pattern a text can be at, at most, and at once; 0 when the automaton is small."""
    try:
        program = _Program(pattern_tree.read(text, ignore_case=ignore_case), searched=mode == "within")
    except _UNREAD:
        return _PLACES_MAX
    try:
        program.explore(allowance or Allowance(), ordered=mode != "whole")
    except _TooLarge:
        return len(program.characters)
    return 0


class _Program:
    """A pattern as a list of places: one of characters leads to the next, an empty one to others, by preference.

    ``characters`` holds the ranges of those places that read one; ``ways`` where the empty ones lead.
    """

    def __init__(self, tree: Node, *, searched: bool, places_max: int = _PLACES_MAX) -> None:
        self._places_max = places_max
        self.characters: dict[int, pattern_tree.Ranges] = {}
        self._ways: list[tuple[int, ...]] = []
        end = self._place(())
        start = self._add(tree, end)
        if searched:
            # It may begin anywhere, but rather here than later.
            again = self._place(())
            skip = self._place((again,))
            self.characters[skip] = pattern_tree.ANY
            self._ways[again] = (start, skip)
            start = again
        self._start = start
        self._end = end
        self._allowance = Allowance()

    def explore(self, allowance: Allowance, *, ordered: bool) -> None:
        """Meet all states. ``ordered``: which way is preferred counts, as it does for where a match ends.

        Raises _TooLarge.
        """
        self._allowance = allowance
        kinds = self._kinds()
        kinds_count = len(next(iter(kinds.values()), ()))
        known = {first := self._closed([self._start], ordered=ordered)}
        waiting = [first]
        while waiting:
            state = waiting.pop()
            for kind in range(kinds_count):
                allowance.left -= len(state) // 4
                following = [self._ways[place][0] for place in state if place != self._end and kinds[place][kind]]
                reached = self._closed(following, ordered=ordered)
                if reached not in known:
                    if len(known) >= STATES_MAX:
                        raise _TooLarge
                    known.add(reached)
                    waiting.append(reached)

    def _kinds(self) -> dict[int, tuple[bool, ...]]:
        """For each place of characters, which kinds it reads: all characters of a kind are read by the same places."""
        edges = sorted(
            {edge for ranges in self.characters.values() for first, last in ranges for edge in (first, last + 1)}
        )
        edges = [edge for edge in edges if edge <= CHARACTER_MAX]
        seen: dict[pattern_tree.Ranges, tuple[bool, ...]] = {}
        for ranges in self.characters.values():
            if ranges not in seen:
                read = [False] * len(edges)
                for first, last in ranges:
                    for number in range(bisect_right(edges, first) - 1, bisect_right(edges, last)):
                        read[number] = True
                seen[ranges] = tuple(read)
        # Kinds that nobody tells apart are one.
        kinds = sorted(set(zip(*seen.values(), strict=True)))
        columns = dict(zip(seen, zip(*kinds, strict=True), strict=True)) if kinds else {}
        return {place: columns[ranges] for place, ranges in self.characters.items()}

    def _closed(self, places: list[int], *, ordered: bool) -> tuple[int, ...]:
        """The places of characters that are reached from these without reading, and the end."""
        found: dict[int, None] = {}
        seen: set[int] = set()
        waiting = places[::-1]
        while waiting:
            place = waiting.pop()
            self._allowance.left -= 1
            if place in seen:
                continue
            seen.add(place)
            if place == self._end:
                found[place] = None
                if ordered:
                    # What is found counts; what is less preferred is not followed any more.
                    break
            elif place in self.characters:
                found[place] = None
            else:
                waiting += self._ways[place][::-1]
        if self._allowance.left < 0:
            raise _TooLarge
        return tuple(found) if ordered else tuple(sorted(found))

    def _add(self, node: Node, after: int) -> int:
        """Add what leads through a node to the place ``after``; the place where it begins."""
        match node:
            case One(ranges):
                place = self._place((after,))
                self.characters[place] = ranges
                return place
            case Sequence(parts):
                for part in reversed(parts):
                    after = self._add(part, after)
                return after
            case Choice(parts):
                return self._place(tuple([self._add(part, after) for part in parts]))
            case Repeat(part, least, most, greedy):
                return self._repeat(part, least, most, after, greedy=greedy)

    def _repeat(self, part: Node, least: int, most: int | None, after: int, *, greedy: bool) -> int:
        start = after
        if most is None:
            start = self._place(())
            body = self._add(part, start)
            self._ways[start] = (body, after) if greedy else (after, body)
        else:
            # Each one that may be left out is within the one before, as RE2 writes them.
            for _ in range(most - least):
                body = self._add(part, start)
                start = self._place((body, after) if greedy else (after, body))
        for _ in range(least):
            before, start = start, self._add(part, start)
            if start == before:
                # It reads nothing, however often.
                break
        return start

    def _place(self, ways: tuple[int, ...]) -> int:
        if len(self._ways) >= self._places_max:
            raise _TooLarge
        self._ways.append(ways)
        return len(self._ways) - 1
