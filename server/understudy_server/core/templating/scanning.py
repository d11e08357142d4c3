"""A template's text, taken apart: text between tags, and the tokens of each tag."""

import re
from collections.abc import Iterator
from enum import Enum, auto
from typing import Any, Final, NamedTuple

from understudy_server.core.templating.faults import BadTemplate

TOKENS_MAX: Final = 5000
"""A template has at most so many tokens in its tags: reading it takes some 40 ms."""

_TOKENS_OF_TAG = 2

INTEGER_DIGITS_MAX: Final = 300


class Kind(Enum):
    """What a token is."""

    NAME = auto()
    CONSTANT = auto()
    SIGN = auto()
    END = auto()


class Token(NamedTuple):
    """``value`` is the name, the sign, or the constant itself."""

    kind: Kind
    value: Any
    line: int


class Piece(NamedTuple):
    """Text (``opening`` empty) or a tag: ``opening`` is ``{{`` or ``{%``, and ``tokens`` end with one of `Kind.END`."""

    opening: str
    text: str
    tokens: tuple[Token, ...]
    line: int


_OPENING = re.compile(r"\{[{%#]")
_RAW = re.compile(r"\{%[-+]?\s*raw\s*(-?)%\}")
_ENDRAW = re.compile(r"\{%(-?)\s*endraw\s*([-+]?)%\}")
_COMMENT_END = re.compile(r"([-+]?)#\}")
_WORD = r"""\s*(?:
    (?P<name>[^\W\d]\w*)
    | (?P<float>\d[\d_]*(?:\.\d[\d_]*(?:[eE][+-]?\d+)?|[eE][+-]?\d+))
    | (?P<integer>0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|\d[\d_]*)
    | (?P<string>'[^'\\]*+(?:\\.[^'\\]*+)*+'|"[^"\\]*+(?:\\.[^"\\]*+)*+")
    | (?P<sign>\*\*|//|==|!=|<=|>=|[-+*/%~<>=.,:|()\[\]{}])
    )"""


def _tokens(end: str = "(?!)") -> re.Pattern[str]:
    return re.compile(rf"\s*(?P<end>[-+]?{end})|{_WORD}", re.VERBOSE | re.DOTALL)


_WITHIN_BRACKETS = _tokens()
_UP_TO_END = {"{{": _tokens(r"\}\}"), "{%": _tokens(r"%\}")}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[0-7]{1,3}|.)", re.DOTALL)
_SIMPLE_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "a": "\a", "\n": ""}
_CLOSED_BY = {"(": ")", "[": "]", "{": "}"}
_WORDS: Final = {"true": True, "True": True, "false": False, "False": False, "none": None, "None": None}


class Scanner:
    """Takes a template apart. ``tokens`` are how many were read."""

    def __init__(self, source: str) -> None:
        # One newline at the end is no part of it, as in Jinja.
        self._source = source[:-2] if source.endswith("\r\n") else source.removesuffix("\n")
        self._at = 0
        self._line = 1
        self._strip_next = False
        self.tokens = 0

    def pieces(self) -> Iterator[Piece]:
        """All of it, in order. Raises BadTemplate."""
        while self._at < len(self._source):
            found = _OPENING.search(self._source, self._at)
            end = found.start() if found else len(self._source)
            after = self._source[end + 2 : end + 3] if found else ""
            yield from self._text(end, strip_end=after == "-")
            if found is None:
                return
            self._count(_TOKENS_OF_TAG)
            opening = found.group()
            if opening == "{#":
                self._skip_comment()
            elif raw := _RAW.match(self._source, self._at):
                yield from self._raw(raw)
            else:
                yield self._tag(opening, 3 if after in ("-", "+") else 2)

    def _text(self, end: int, *, strip_end: bool) -> Iterator[Piece]:
        text, line = self._source[self._at : end], self._line
        self._move(end)
        if self._strip_next:
            text = text.lstrip()
        if strip_end:
            text = text.rstrip()
        self._strip_next = False
        if text:
            yield Piece("", text, (), line)

    def _skip_comment(self) -> None:
        found = _COMMENT_END.search(self._source, self._at + 2)
        if found is None:
            raise BadTemplate("a comment has no end", self._line)
        self._strip_next = found.group(1) == "-"
        self._move(found.end())

    def _raw(self, opening: re.Match[str]) -> Iterator[Piece]:
        closing = _ENDRAW.search(self._source, opening.end())
        if closing is None:
            raise BadTemplate("raw has no endraw", self._line)
        self._move(opening.end())
        self._strip_next = opening.group(1) == "-"
        yield from self._text(closing.start(), strip_end=closing.group(1) == "-")
        self._strip_next = closing.group(2) == "-"
        self._move(closing.end())

    def _tag(self, opening: str, width: int) -> Piece:
        line, up_to_end = self._line, _UP_TO_END[opening]
        self._at += width
        tokens: list[Token] = []
        waiting: list[str] = []
        while True:
            found = (_WITHIN_BRACKETS if waiting else up_to_end).match(self._source, self._at)
            if found is None:
                raise self._misfit(opening, line)
            kind, text = found.lastgroup or "", found.group()
            self._at = found.end()
            if "\n" in text:
                self._line += text.count("\n")
            if kind == "end":
                self._strip_next = found["end"][0] == "-"
                tokens.append(Token(Kind.END, None, self._line))
                return Piece(opening, "", tuple(tokens), line)
            self._count()
            token = _made(kind, found[kind], self._line)
            tokens.append(token)
            if kind == "sign":
                _balance(waiting, token)

    def _count(self, tokens: int = 1) -> None:
        self.tokens += tokens
        if self.tokens > TOKENS_MAX:
            raise BadTemplate(f"it has more than {TOKENS_MAX} words and signs in its tags", self._line)

    def _misfit(self, opening: str, line: int) -> BadTemplate:
        rest = self._source[self._at : self._at + 100].lstrip()
        if not rest:
            return BadTemplate(f"a tag that begins with {opening} has no end", line)
        return BadTemplate("a text has no end" if rest[0] in "'\"" else f"{rest[0]!r} is out of place", self._line)

    def _move(self, to: int) -> None:
        self._line += self._source.count("\n", self._at, to)
        self._at = to


def _balance(waiting: list[str], token: Token) -> None:
    """Keep account of the brackets that are to be closed: until then the end of a tag is none."""
    if token.value in _CLOSED_BY:
        waiting.append(_CLOSED_BY[token.value])
    elif token.value in (")", "]", "}") and (not waiting or waiting.pop() != token.value):
        raise BadTemplate(f"{token.value!r} closes nothing", token.line)


def _made(kind: str, text: str, line: int) -> Token:
    match kind:
        case "name":
            return Token(Kind.CONSTANT, _WORDS[text], line) if text in _WORDS else Token(Kind.NAME, text, line)
        case "sign":
            return Token(Kind.SIGN, text, line)
        case "string":
            return Token(Kind.CONSTANT, _unescaped(text[1:-1]), line)
        case "float":
            return Token(Kind.CONSTANT, float(text.replace("_", "")), line)
        case _:
            if len(text) > INTEGER_DIGITS_MAX:
                raise BadTemplate("a number is too long", line)
            digits = text.replace("_", "")
            return Token(Kind.CONSTANT, int(digits, 0) if digits[1:2].isalpha() else int(digits), line)


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_unescape, text) if "\\" in text else text


def _unescape(found: re.Match[str]) -> str:
    code = found.group(1)
    if len(code) > 1 and code[0] in "ux":
        return chr(int(code[1:], 16))
    if code[0] in "01234567":
        return chr(int(code, 8))
    # As in Python: a backslash before anything else stands for itself.
    return _SIMPLE_ESCAPES.get(code, code if code in "\\'\"" else found.group())
