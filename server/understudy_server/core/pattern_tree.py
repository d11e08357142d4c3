r"""What a pattern of RE2 is made of, as far as it takes to tell how large its automaton grows.

For patterns that RE2 has taken already: nothing is checked here. Assertions such as `^` and `\b` count as empty, which
makes the automaton larger rather than smaller. Classes of Unicode such as `\pL` are known for some characters only:
enough to tell that one reads what another does not.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, takewhile
from typing import Final

CHARACTER_MAX: Final = 0x10FFFF

Ranges = tuple[tuple[int, int], ...]
"""Characters, as ranges of code points with both ends."""

ANY: Final[Ranges] = ((0, CHARACTER_MAX),)


@dataclass(frozen=True, slots=True)
class One:
    """One of these characters."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other; none: the empty text."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Choice:
    """The first of these that fits."""

    parts: "tuple[Node, ...]"


@dataclass(frozen=True, slots=True)
class Repeat:
    """So many times; ``most`` is ``None`` where there is no end. ``greedy``: rather more often than less."""

    part: "Node"
    least: int
    most: int | None
    greedy: bool


Node = One | Sequence | Choice | Repeat

EMPTY: Final = Sequence(())

_DIGITS: Final[Ranges] = ((48, 57),)
_WORD: Final[Ranges] = ((48, 57), (65, 90), (95, 95), (97, 122))
_BLANKS: Final[Ranges] = ((9, 10), (12, 13), (32, 32))
_PERL: Final = {"d": _DIGITS, "w": _WORD, "s": _BLANKS}
_POSIX: Final[dict[str, Ranges]] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "ascii": ((0, 127),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 31), (127, 127)),
    "digit": _DIGITS,
    "graph": ((33, 126),),
    "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": _WORD,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}
_CONTROLS: Final = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_EMPTY_ESCAPES: Final = "AzbB"
_TIMES = re.compile(r"\{([0-9]+)(,([0-9]*))?\}")
_GROUP = re.compile(r"\?(?:P?<[^>]*>|(?P<flags>[a-zA-Z-]*)(?P<scope>[:)]))")
_UNICODE = re.compile(r"([pP])(?:\{(\^?)([^}]*)\}|(.))")
# Latin letters and their neighbours, and one of each kind from elsewhere.
_SAMPLES: Final = [
    *range(0x250),
    *map(
        ord,
        "\u0301\u03a9\u03c9\u0416\u05d0\u0627\u0664\u093f\u0e01\u1f88\u2028\u2029\u2160\u20ac\u30a2\u4e00\uac00\ue000😀",
    ),
]
_CODE = re.compile(r"x\{([0-9A-Fa-f]+)\}|x([0-9A-Fa-f]{2})|()([0-7]{1,3})")
_POSIX_CLASS = re.compile(r"\[:(\^?)([a-z]+):\]")
_FOLDED_MAX: Final = 512


def others(ranges: Ranges) -> Ranges:
    """All characters but these."""
    found: list[tuple[int, int]] = []
    next_one = 0
    for first, last in sorted(ranges):
        if first > next_one:
            found.append((next_one, first - 1))
        next_one = max(next_one, last + 1)
    if next_one <= CHARACTER_MAX:
        found.append((next_one, CHARACTER_MAX))
    return tuple(found)


@lru_cache(maxsize=256)
def unicode_class(name: str) -> Ranges:
    """Those of some characters that are in a class: a category such as `L` or `Lu`, or a script such as `Greek`."""
    return tuple([(code, code) for code in _SAMPLES if _is_in(code, name)]) or ((_SAMPLES[-1],) * 2,)


def _is_in(code: int, name: str) -> bool:
    if len(name) <= 2:
        return unicodedata.category(chr(code)).startswith(name)
    return name == "Any" or unicodedata.name(chr(code), "").startswith("CJK" if name == "Han" else name.upper())


def read(text: str, *, ignore_case: bool = False) -> Node:
    """Read a pattern that is known to be one."""
    return _Reader(text, "i" if ignore_case else "").choice()


class _Reader:
    def __init__(self, text: str, flags: str) -> None:
        self._text = text
        self._at = 0
        self._flags = frozenset(flags)

    def choice(self) -> Node:
        """Read up to the end of the group. What flags it sets end with it."""
        flags = self._flags
        parts = [self._sequence()]
        while self._take("|"):
            parts.append(self._sequence())
        self._flags = flags
        return _choice(parts)

    def _sequence(self) -> Node:
        parts: list[Node] = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            if self._take(r"\Q"):
                end = self._text.find(r"\E", self._at)
                quoted = self._text[self._at : end if end >= 0 else None]
                self._at = end + 2 if end >= 0 else len(self._text)
                parts += [One(self._folded(((ord(character),) * 2,))) for character in quoted]
                if parts and quoted:
                    parts[-1] = self._repeated(parts[-1])
            else:
                part = self._repeated(self._atom())
                # What is empty is left out, so that repeating it costs nothing.
                parts += [part] if part != EMPTY else []
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _repeated(self, part: Node) -> Node:
        while self._at < len(self._text):
            symbol = self._text[self._at]
            times = _TIMES.match(self._text, self._at) if symbol == "{" else None
            if times:
                least = int(times[1])
                most = (int(times[3]) if times[3] else None) if times[2] else least
                self._at = times.end()
            elif symbol in "*+?":
                least, most = int(symbol == "+"), 1 if symbol == "?" else None
                self._at += 1
            else:
                break
            greedy = self._take("?") == ("U" in self._flags)
            part = Repeat(part, least, most, greedy) if part != EMPTY else EMPTY
        return part

    def _atom(self) -> Node:
        symbol = self._text[self._at]
        self._at += 1
        if symbol == "(":
            return self._group()
        if symbol == "[":
            return One(self._class())
        if symbol == "\\":
            return self._escape()
        if symbol in "^$":
            return EMPTY
        if symbol == ".":
            return One(ANY if "s" in self._flags else others(((10, 10),)))
        return One(self._folded(((ord(symbol),) * 2,)))

    def _group(self) -> Node:
        opened = _GROUP.match(self._text, self._at)
        before = self._flags
        if opened:
            self._at = opened.end()
            on, _, off = (opened["flags"] or "").partition("-")
            self._flags = (self._flags | set(on)) - set(off)
            if opened["scope"] == ")":
                # They hold from here to the end of the group around.
                return EMPTY
        inner = self.choice()
        self._flags = before
        self._take(")")
        return inner

    def _escape(self) -> Node:
        if self._text[self._at] in _EMPTY_ESCAPES:
            self._at += 1
            return EMPTY
        return One(self._escaped_ranges())

    def _escaped_ranges(self) -> Ranges:
        if unicode := _UNICODE.match(self._text, self._at):
            self._at = unicode.end()
            ranges = unicode_class(unicode[3] or unicode[4])
            return others(ranges) if (unicode[1] == "P") != bool(unicode[2]) else ranges
        if code := _CODE.match(self._text, self._at):
            self._at = code.end()
            digits = code[1] or code[2]
            return self._folded(((int(digits, 16) if digits else int(code[4], 8),) * 2,))
        letter = self._text[self._at]
        self._at += 1
        if letter.lower() in _PERL:
            ranges = _PERL[letter.lower()]
            return ranges if letter.islower() else others(ranges)
        if letter == "C":
            return ANY
        return self._folded(((_CONTROLS.get(letter, ord(letter)),) * 2,))

    def _class(self) -> Ranges:
        negated = self._take("^")
        found: list[tuple[int, int]] = []
        first = True
        while first or not self._take("]"):
            first = False
            ranges = self._member()
            single = len(ranges) == 1 and ranges[0][0] == ranges[0][1]
            if single and self._text[self._at] == "-" and self._text[self._at + 1] != "]":
                self._at += 1
                ranges = ((ranges[0][0], self._member()[0][1]),)
            found += ranges
        ranges = self._folded(tuple(found))
        return others(ranges) if negated else ranges

    def _member(self) -> Ranges:
        if posix := _POSIX_CLASS.match(self._text, self._at):
            self._at = posix.end()
            ranges = _POSIX[posix[2]]
            return others(ranges) if posix[1] else ranges
        if self._take("\\"):
            return self._escaped_plainly()
        symbol = self._text[self._at]
        self._at += 1
        return ((ord(symbol),) * 2,)

    def _escaped_plainly(self) -> Ranges:
        """An escape within a class, where case is folded for the class as a whole."""
        flags, self._flags = self._flags, self._flags - {"i"}
        ranges = self._escaped_ranges()
        self._flags = flags
        return ranges

    def _folded(self, ranges: Ranges) -> Ranges:
        """With the other case of each character, where case does not count; of many characters, only ASCII's."""
        if "i" not in self._flags:
            return ranges
        few = sum(last - first for first, last in ranges) < _FOLDED_MAX
        found = list(ranges)
        for first, last in ranges:
            for code in range(first, (last if few else min(last, 127)) + 1):
                found += [(ord(other),) * 2 for other in {chr(code).upper(), chr(code).lower()} if len(other) == 1]
        return tuple(found)

    def _take(self, symbol: str) -> bool:
        if not self._text.startswith(symbol, self._at):
            return False
        self._at += len(symbol)
        return True


def _choice(parts: list[Node]) -> Node:
    """The first of these that fits; what several in a row begin with comes before their choice, as RE2 has it."""
    found: list[Node] = []
    for _, group in groupby(parts, lambda part: _spelled(part)[:1]):
        spelled = [_spelled(part) for part in group]
        if len(spelled) == 1 or not spelled[0]:
            found += [_sequence(each) for each in spelled]
        else:
            common = len(list(takewhile(_all_equal, zip(*spelled, strict=False))))
            found.append(_sequence((*spelled[0][:common], _choice([_sequence(each[common:]) for each in spelled]))))
    if EMPTY in found:
        # Of several that are empty the first is taken.
        at = found.index(EMPTY) + 1
        found[at:] = [part for part in found[at:] if part != EMPTY]
    return found[0] if len(found) == 1 else Choice(tuple(found))


def _all_equal(nodes: tuple[Node, ...]) -> bool:
    return all(node == nodes[0] for node in nodes)


def _spelled(node: Node) -> tuple[Node, ...]:
    return node.parts if isinstance(node, Sequence) else (node,)


def _sequence(parts: tuple[Node, ...]) -> Node:
    return parts[0] if len(parts) == 1 else Sequence(parts)
