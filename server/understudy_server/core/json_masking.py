"""Masking values in JSON text: what paths select gives way to a marker, all else stays byte for byte.

The text is checked by Python's own parser, which is written in C, and then walked through once. All paths are followed
together: where the walk stands is a set of steps that come next, and such a set says for each member or element with
which set the walk goes on inside it, or that it is masked. So a document is as much work for paths with many `..` as
for simple ones, and what no path leads into is passed over at once. What would be too much work is not masked in part:
the text counts as unreadable.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from understudy_server.core.json_paths import Path, Step

WORK_MAX: Final = 60_000
"""So many members, elements and sets of steps are looked at in one text; that takes some 60 ms (measured)."""

DEPTH_MAX: Final = 200
"""Paths are followed through so many levels."""

_MARKER: Final = '"[redacted]"'
_SELECTED: Final = -1
_OVER_AT_ONCE: Final = 64
"""So many characters are passed over in the time that one member takes."""

_BLANKS = re.compile(r"[ \t\n\r]*+")
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
# From behind an opening brace or a comma to the value, and over it if it is no container.
_MEMBER = re.compile(rf"[ \t\n\r]*+({_STRING})[ \t\n\r]*+:[ \t\n\r]*+({_STRING}|[^\[{{,}}\s\"]++)?[ \t\n\r]*+")
# In a list, over all that is no container.
_SCALARS = re.compile(rf'[^\[\]{{}}"]*+(?:{_STRING}[^\[\]{{}}"]*+)*+')
# Names that can be written in JSON in one way only, but for `\u`.
_PLAIN = re.compile(r"[^\x00-\x1f\"\\/]*+")


def _refuse(name: str) -> float:
    raise ValueError(name)


_decoder = json.JSONDecoder(parse_constant=_refuse)
# Half as fast, since it is told how to read a number; in return it takes those that are longer than Python reads.
_patient_decoder = json.JSONDecoder(parse_constant=_refuse, parse_float=len, parse_int=len)


class _TooMuch(Exception):
    """The walk would take too long, or goes too deep."""


@dataclass(frozen=True)
class JsonMask:
    """Masks what its paths select. Masks with equal paths are equal."""

    paths: tuple[Path, ...]

    def apply(self, content: bytes) -> bytes | None:
        """The text with the marker in place of what is selected; the same object when that is nothing.

        ``None``: it cannot be read. It is no JSON, or not UTF-8, or takes more work than it may.
        """
        try:
            text = content.decode()
            start = _after(_BLANKS, text, 1 if text.startswith("\ufeff") else 0)
            decoder, end = _read(text, start)
            if not _BLANKS.fullmatch(text, end):
                return None
            walk = _Walk(text, self._steps, decoder)
            walk.take(start, walk.set_of(self._begin(text)), 0)
        except (ValueError, RecursionError, _TooMuch):
            return None
        return _replaced(text, walk.spans).encode() if walk.spans else content

    @cached_property
    def _steps(self) -> tuple[tuple[Step, int], ...]:
        """All steps of all paths in a row, each with the number of the one after it."""
        steps: list[tuple[Step, int]] = []
        for path in self.paths:
            ends = len(steps) + len(path)
            numbers = range(len(steps) + 1, ends + 1)
            steps += [(step, _SELECTED if after == ends else after) for step, after in zip(path, numbers, strict=True)]
        return tuple(steps)

    def _begin(self, text: str) -> frozenset[int]:
        """The first steps of those paths that may lead to something in a text."""
        # A name that is nowhere in the text is in no member of it, unless characters are written by their numbers.
        sure = "\\u" not in text
        first, found = 0, []
        for path in self.paths:
            if not (sure and any(_is_absent(step, text) for step in path)):
                found.append(first if path else _SELECTED)
            first += len(path)
        return frozenset(found)


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Where the match of a pattern ends that may be empty."""
    match = pattern.match(text, at)
    return match.end() if match else at


def _read(text: str, start: int) -> tuple[json.JSONDecoder, int]:
    """Who can read the JSON value at a place, and where it ends. Raises ValueError and RecursionError."""
    try:
        return _decoder, _decoder.raw_decode(text, start)[1]
    except json.JSONDecodeError:
        raise
    except ValueError:
        return _patient_decoder, _patient_decoder.raw_decode(text, start)[1]


def _is_absent(step: Step, text: str) -> bool:
    """True when a step can lead nowhere in a text in which no character is written by its number."""
    if step.wildcard or step.positional:
        return False
    return not any(f'"{name}"' in text or not _PLAIN.fullmatch(name) for name in step.names)


def _replaced(text: str, spans: Iterable[tuple[int, int]]) -> str:
    pieces, at = [], 0
    for start, end in spans:
        pieces += [text[at:start], _MARKER]
        at = end
    pieces.append(text[at:])
    return "".join(pieces)


@dataclass(eq=False, slots=True)
class _Set:
    """Steps that come next, by number. ``selected``: the value that was reached is masked, and nothing else counts."""

    numbers: frozenset[int]
    selected: bool
    names: frozenset[str] = frozenset()
    """The names that make a difference."""

    positional: bool = False
    """True when places in a list make a difference."""

    everywhere: frozenset[int] = frozenset()
    """The steps that come next in any member or element."""

    inside: "_Set | None" = None
    """The same as a set, once it was asked for."""

    by_name: dict[str, "_Set"] = field(default_factory=dict)


class _Walk:
    """One walk through one text, which is JSON. ``spans`` are the places of what is selected, in order and apart."""

    def __init__(self, text: str, steps: tuple[tuple[Step, int], ...], decoder: json.JSONDecoder) -> None:
        self.spans: list[tuple[int, int]] = []
        self._text = text
        self._steps = steps
        self._decode = decoder.raw_decode
        self._sets: dict[frozenset[int], _Set] = {}
        self._left = WORK_MAX

    def set_of(self, numbers: frozenset[int]) -> _Set:
        """The set of the steps with these numbers: one object for each set."""
        found = self._sets.get(numbers)
        if found is None:
            self._work(1 + len(numbers))
            found = self._sets[numbers] = _Set(numbers, _SELECTED in numbers)
            if not found.selected:
                steps = [(number, *self._steps[number]) for number in numbers]
                found.names = frozenset().union(*[step.names for _, step, _ in steps])
                found.positional = any(step.positional for _, step, _ in steps)
                deep = [number for number, step, _ in steps if step.deep]
                found.everywhere = frozenset([*deep, *[after for _, step, after in steps if step.wildcard]])
        return found

    def take(self, at: int, here: _Set, depth: int) -> int:
        """Walk through the value at a place, and return where it ends."""
        opening = self._text[at]
        if here.selected:
            end = self._over(at)
            self.spans.append((at, end))
            return end
        if not here.numbers or opening not in "{[":
            return self._over(at)
        if depth >= DEPTH_MAX:
            raise _TooMuch
        self._work(1)
        if opening == "{":
            return self._object(at, here, depth + 1)
        inside = self._inside(here)
        if here.positional or inside.selected:
            return self._list_by_place(at, here, depth + 1)
        return self._list(at, inside, depth + 1) if inside.numbers else self._over(at)

    def _over(self, at: int) -> int:
        return self._decode(self._text, at)[1]

    def _work(self, amount: int) -> None:
        self._left -= amount
        if self._left < 0:
            raise _TooMuch

    def _inside(self, here: _Set) -> _Set:
        if here.inside is None:
            here.inside = self.set_of(here.everywhere)
        return here.inside

    def _named(self, here: _Set, name: str) -> _Set:
        if name not in here.names:
            return self._inside(here)
        found = here.by_name.get(name)
        if found is None:
            steps = [self._steps[number] for number in here.numbers]
            reached = here.everywhere.union([after for step, after in steps if name in step.names])
            found = here.by_name[name] = self.set_of(reached)
        return found

    def _object(self, at: int, here: _Set, depth: int) -> int:
        text, at = self._text, at + 1
        while member := _MEMBER.match(text, at):
            self._work(1)
            name = member[1]
            inside = self._named(here, json.loads(name) if "\\" in name else name[1:-1])
            end = member.end()
            if member[2] is None:
                end = _after(_BLANKS, text, self.take(end, inside, depth))
            elif inside.selected:
                self.spans.append(member.span(2))
            at = end + 1
            if text[end] == "}":
                return at
        # There is no member.
        return text.index("}", at) + 1

    def _list(self, at: int, inside: _Set, depth: int) -> int:
        """Walk through a list in which no place is special and no element is selected itself."""
        text, at = self._text, at + 1
        while True:
            at = _after(_SCALARS, text, at)
            if text[at] == "]":
                return at + 1
            at = self.take(at, inside, depth)

    def _list_by_place(self, at: int, here: _Set, depth: int) -> int:
        """Walk through a list element by element, as far as there is any to look at."""
        text, otherwise = self._text, self._inside(here)
        elements, list_end = self._decode(text, at)
        self._work((list_end - at) // _OVER_AT_ONCE)
        chosen = self._chosen(here, len(elements))
        last = len(elements) if otherwise.numbers else max(chosen, default=-1) + 1
        self._work(last)
        for place in range(last):
            at = _after(_BLANKS, text, at + 1)
            at = _after(_BLANKS, text, self.take(at, chosen.get(place, otherwise), depth))
        return list_end

    def _chosen(self, here: _Set, length: int) -> dict[int, _Set]:
        """What comes next in the elements whose place makes a difference."""
        reached: dict[int, set[int]] = {}
        for number in here.numbers:
            step, after = self._steps[number]
            places = [index + length if index < 0 else index for index in step.indexes]
            for bounds in step.slices:
                sliced = range(*slice(*bounds).indices(length))
                self._work(len(sliced))
                places += sliced
            for place in places:
                if 0 <= place < length:
                    reached.setdefault(place, set()).add(after)
        return {place: self.set_of(here.everywhere.union(after)) for place, after in reached.items()}
