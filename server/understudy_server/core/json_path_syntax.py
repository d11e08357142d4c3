"""The grammar of JSONPath (RFC 9535), read into plain values, with what is not well-typed refused (section 2.4.3).

Read by hand, and not by a library: python-jsonpath imports for a tenth of a second, takes paths that are none (`$.a-b`,
`@.a == 1 == 1`, `(@.a) == 1`), refuses some that are (`$..true`), and raises what is no error of its own for others.
"""

import re
from typing import Final

from understudy_server.core.json_path_tree import (
    All,
    Any,
    Call,
    Compare,
    Constant,
    Filter,
    Index,
    Name,
    Not,
    Operand,
    Path,
    Segment,
    Segments,
    Selector,
    Slice,
    Test,
    Wildcard,
)

NESTED_MAX: Final = 32
"""Parentheses, functions, and paths in filters of paths, may be nested so deep."""

INDEX_MAX: Final = 2**53 - 1
"""The largest integer that a path may use as a place in a list, and its negative the smallest (section 2.1)."""


class BadPath(ValueError):
    """The text is no path that can be followed. The message says why, and where, without the text."""


# What each function takes: one value at most, or what a path selects.
_FUNCTIONS: Final = {
    "length": ("value",),
    "count": ("path",),
    "value": ("path",),
    "match": ("value", "value"),
    "search": ("value", "value"),
}
_TRUTHS: Final = ("match", "search")
_CONSTANTS: Final = {"true": True, "false": False, "null": None}

_BLANKS: Final = (" ", "\t", "\n", "\r")
# Letters, `_`, and all characters beyond ASCII; then digits, too. They say what a name may not hold: each of the
# 55 000 characters that it may hold would be looked at when they are compiled, at every start.
_BEGINNING = r"[^\x00-@\[-^`{-\x7f\ud800-\udfff]"
_SHORT_NAME = re.compile(_BEGINNING + r"[^\x00-/:-@\[-^`{-\x7f\ud800-\udfff]*")
_SHORT_NAME_WITH_DASHES = re.compile(_BEGINNING + r"[^\x00-,./:-@\[-^`{-\x7f\ud800-\udfff]*")
_INTEGER = re.compile(r"0(?![0-9])|-?[1-9][0-9]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?(?![0-9])")
_WORD = re.compile(r"[a-z][a-z_0-9]*")
_OPERATOR = re.compile(r"==|!=|<=|>=|<|>")
_PLAIN = {
    '"': re.compile(r'[^"\\\x00-\x1f\ud800-\udfff]+'),
    "'": re.compile(r"[^'\\\x00-\x1f\ud800-\udfff]+"),
}
_ESCAPED: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "/": "/", "\\": "\\"}
_HEX = re.compile(r"[0-9A-Fa-f]{4}")
_HIGH: Final = range(0xD800, 0xDC00)
_LOW: Final = range(0xDC00, 0xE000)


def read(text: str, *, dashes: bool = False) -> Segments:
    """Read a path from its `$` to its end. ``dashes``: names behind a dot may have them, too. Raises BadPath."""
    if not text.startswith("$"):
        raise BadPath("it does not begin with $, the whole document")
    reader = _Reader(text, _SHORT_NAME_WITH_DASHES if dashes else _SHORT_NAME)
    reader.at = 1
    segments = reader.segments(0)
    if reader.at < len(text):
        raise reader.bad(
            "it has blanks at its end" if not text[reader.at :].strip(" \t\n\r") else "this is not expected"
        )
    return segments


class _Reader:
    """Reads one path. ``at`` is the place in the text that is read next."""

    def __init__(self, text: str, short_name: re.Pattern[str]) -> None:
        self.text = text
        self.at = 0
        self._short_name = short_name

    def bad(self, reason: str, at: int | None = None) -> BadPath:
        place = self.at if at is None else at
        if place >= len(self.text):
            return BadPath(f"it ends too soon: {reason}")
        return BadPath(f"{reason}, at character {place + 1}")

    def segments(self, depth: int) -> Segments:
        found: list[Segment] = []
        while True:
            before = self.at
            self._skip()
            if self._take(".."):
                found.append(Segment(self._bracketed(depth) if self._next("[") else self._shorthand(), deep=True))
            elif self._take("."):
                found.append(Segment(self._shorthand()))
            elif self._next("["):
                found.append(Segment(self._bracketed(depth)))
            else:
                # Blanks belong to a path only between its segments.
                self.at = before
                return tuple(found)

    def _shorthand(self) -> tuple[Selector, ...]:
        if self._take("*"):
            return (Wildcard(),)
        name = self._match(self._short_name)
        if not name:
            raise self.bad("a name or * is expected; other names are written ['...']")
        return (Name(name),)

    def _bracketed(self, depth: int) -> tuple[Selector, ...]:
        self._expect("[")
        found = [self._selector(depth)]
        while self._take(","):
            found.append(self._selector(depth))
        self._expect("]", "a comma or ] is expected")
        return tuple(found)

    def _selector(self, depth: int) -> Selector:
        """Read a selector and the blanks around it."""
        self._skip()
        selector = self._one_selector(depth)
        self._skip()
        return selector

    def _one_selector(self, depth: int) -> Selector:
        if self._take("*"):
            return Wildcard()
        if self._take("?"):
            return Filter(self._any(depth + 1))
        if self._next('"') or self._next("'"):
            return Name(self._string())
        start = self._maybe_integer()
        before = self.at
        self._skip()
        if self._take(":"):
            return self._rest_of_slice(start)
        self.at = before
        if start is None:
            raise self.bad("a name in quotes, an index, a slice, * or ? is expected")
        return Index(start)

    def _rest_of_slice(self, start: int | None) -> Slice:
        self._skip()
        stop = self._maybe_integer()
        self._skip()
        if not self._take(":"):
            return Slice(start, stop, None)
        self._skip()
        return Slice(start, stop, self._maybe_integer())

    def _maybe_integer(self) -> int | None:
        place = self.at
        digits = self._match(_INTEGER)
        if not digits:
            if self.text[place : place + 1].isdigit() or self._next("-"):
                raise self.bad("this is no index")
            return None
        if abs(int(digits)) > INDEX_MAX:
            raise self.bad("the index is out of range", place)
        return int(digits)

    def _any(self, depth: int) -> Test:
        tests = [self._all(depth)]
        while self._take("||"):
            tests.append(self._all(depth))
        return tests[0] if len(tests) == 1 else Any(tuple(tests))

    def _all(self, depth: int) -> Test:
        tests = [self._one(depth)]
        while self._take("&&"):
            tests.append(self._one(depth))
        return tests[0] if len(tests) == 1 else All(tuple(tests))

    def _one(self, depth: int) -> Test:
        """Read a test and the blanks around it."""
        if depth > NESTED_MAX:
            raise self.bad(f"it is nested deeper than {NESTED_MAX}")
        self._skip()
        negated = self._take("!")
        self._skip()
        if self._take("("):
            test = self._any(depth + 1)
            self._expect(")", "&&, || or ) is expected")
        else:
            test = self._comparison_or_test(depth, negated=negated)
        self._skip()
        return Not(test) if negated else test

    def _comparison_or_test(self, depth: int, *, negated: bool) -> Test:
        place = self.at
        left = self._operand(depth)
        after = self.at
        self._skip()
        operator = "" if negated else self._match(_OPERATOR)
        if not operator:
            self.at = after
            if isinstance(left, Constant):
                raise self.bad("a value in a filter must be compared with something", place)
            if isinstance(left, Call) and left.name not in _TRUTHS:
                raise self.bad(f"the result of {left.name}() must be compared with something", place)
            return left
        self._check_comparable(left, place)
        self._skip()
        place = self.at
        right = self._operand(depth)
        self._check_comparable(right, place)
        return Compare(operator, left, right)

    def _check_comparable(self, operand: Operand, place: int) -> None:
        if isinstance(operand, Path) and not operand.singular:
            raise self.bad("a path that may select several values cannot be compared", place)
        if isinstance(operand, Call) and operand.name in _TRUTHS:
            raise self.bad(f"the result of {operand.name}() cannot be compared", place)

    def _operand(self, depth: int) -> Operand:
        if self._take("@"):
            return Path(self.segments(depth + 1), absolute=False)
        if self._take("$"):
            return Path(self.segments(depth + 1), absolute=True)
        if self._next('"') or self._next("'"):
            return Constant(self._string())
        place = self.at
        word = self._match(_WORD)
        if word and self._take("("):
            return self._call(word, place, depth + 1)
        if word in _CONSTANTS:
            return Constant(_CONSTANTS[word])
        self.at = place
        return self._number()

    def _number(self) -> Constant:
        found = _NUMBER.match(self.text, self.at)
        if found is None:
            raise self.bad("a path, a function or a value is expected")
        self.at = found.end()
        return Constant(float(found[0]) if found[1] or found[2] else int(found[0]))

    def _call(self, name: str, place: int, depth: int) -> Call:
        if name not in _FUNCTIONS:
            raise self.bad(f"there is no function of this name; there are {', '.join(sorted(_FUNCTIONS))}", place)
        if depth > NESTED_MAX:
            raise self.bad(f"it is nested deeper than {NESTED_MAX}")
        arguments: list[Operand] = []
        for number, kind in enumerate(_FUNCTIONS[name]):
            if number:
                self._expect(",", f"{name}() takes {len(_FUNCTIONS[name])} values")
            self._skip()
            argument_place = self.at
            argument = self._operand(depth)
            self._check_argument(name, kind, argument, argument_place)
            arguments.append(argument)
            self._skip()
        self._expect(")", f"{name}() takes {_counted(len(arguments))}, and ) is expected")
        return Call(name, tuple(arguments))

    def _check_argument(self, name: str, kind: str, argument: Operand, place: int) -> None:
        if kind == "path" and not isinstance(argument, Path):
            raise self.bad(f"{name}() takes a path", place)
        if kind == "value":
            self._check_comparable(argument, place)

    def _string(self) -> str:
        quote = self.text[self.at]
        self.at += 1
        parts: list[str] = []
        while not self._take(quote):
            if plain := self._match(_PLAIN[quote]):
                parts.append(plain)
            elif self._take("\\"):
                parts.append(self._escape(quote))
            else:
                raise self.bad(
                    "the text in quotes is not ended" if self.at >= len(self.text) else "it must be escaped here"
                )
        return "".join(parts)

    def _escape(self, quote: str) -> str:
        place = self.at - 1
        letter = self.text[self.at : self.at + 1]
        self.at += 1
        if letter == quote:
            return quote
        if letter in _ESCAPED:
            return _ESCAPED[letter]
        if letter != "u":
            raise self.bad("there is no such escape", place)
        code = self._code(place)
        if code in _HIGH:
            low = self._code(place) if self._take("\\u") else 0
            if low not in _LOW:
                raise self.bad("it escapes half a surrogate pair", place)
            return chr(0x10000 + ((code - _HIGH.start) << 10) + (low - _LOW.start))
        if code in _LOW:
            raise self.bad("it escapes half a surrogate pair", place)
        return chr(code)

    def _code(self, place: int) -> int:
        digits = self._match(_HEX)
        if not digits:
            raise self.bad("four hexadecimal digits are expected after \\u", place)
        return int(digits, 16)

    def _next(self, symbol: str) -> bool:
        return self.text.startswith(symbol, self.at)

    def _take(self, symbol: str) -> bool:
        if not self.text.startswith(symbol, self.at):
            return False
        self.at += len(symbol)
        return True

    def _expect(self, symbol: str, reason: str = "") -> None:
        if not self._take(symbol):
            raise self.bad(reason or f"{symbol} is expected")

    def _skip(self) -> None:
        while self.text[self.at : self.at + 1] in _BLANKS:
            self.at += 1

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if found is None:
            return ""
        self.at = found.end()
        return found[0]


def _counted(count: int) -> str:
    return "one value" if count == 1 else f"{count} values"
