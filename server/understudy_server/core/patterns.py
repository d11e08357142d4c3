r"""Patterns that users write: RE2's, matched in time proportional to the text, whatever the pattern.

RE2 runs a pattern as an automaton that it builds as it goes (about 2 ns per byte), and falls back to following all its
positions at once when that grows too large, as it does for `a[ab]{100}c` in a text of `a` and `b` (about 8 ns per byte
and position). Both are proportional to the text; only the first is quick enough for a whole body. So a long text is
matched only when the automaton is known to stay small, see `pattern_sizes.py`, or when it has few enough positions.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Protocol

from understudy_server.core import pattern_sizes
from understudy_server.core.pattern_sizes import Measured, Mode
from understudy_server.core.steps import Steps

PATTERN_MAX: Final = 4096
"""A pattern has at most so many characters."""

PROGRAM_BYTES_MAX: Final = 8 << 20
"""What one pattern may take in memory, its automaton included. With much less RE2 does without automata."""

_SMALL_PATTERN_MAX: Final = 256
_SURROGATES: Final = "surrogatepass"


class BadPattern(ValueError):
    """The text is no pattern of RE2, or too large a one; or no replacement for one. The message says why."""


class _Program(Protocol):
    """What RE2 makes of a pattern."""

    # ruff: noqa: N802 - its names
    def Match(self, anchor: Any, text: bytes, start: int, end: int) -> list[tuple[int, int]]: ...

    def ProgramSize(self) -> int: ...

    def NumberOfCapturingGroups(self) -> int: ...


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """A pattern that can be run. Subjects are text or bytes; bytes that are not UTF-8 are matched by no character.

    What runs it raises TooManySteps when there are too few ``steps`` left, which are STEPS_MAX where none are given.
    """

    text: str
    ignore_case: bool
    _program: _Program
    _anchors: Any
    _measured: Measured
    _made: list[_Program] = field(default_factory=list)
    """What `_forwards` has made."""

    def whole(self, subject: str | bytes, steps: Steps | None = None) -> bool:
        """Tell whether the whole subject is a match."""
        text = _encoded(subject) if isinstance(subject, str) else subject
        self._take(steps, len(text), "whole")
        return self._program.Match(self._anchors.ANCHOR_BOTH, text, 0, len(text))[0][0] >= 0

    def at_start(self, subject: str | bytes, steps: Steps | None = None) -> bool:
        """Tell whether the subject begins with a match."""
        text = _encoded(subject) if isinstance(subject, str) else subject
        self._take(steps, len(text), "at_start")
        return self._program.Match(self._anchors.ANCHOR_START, text, 0, len(text))[0][0] >= 0

    def within(self, subject: str | bytes, steps: Steps | None = None) -> bool:
        """Tell whether a part of the subject is a match."""
        text = _encoded(subject) if isinstance(subject, str) else subject
        self._take(steps, len(text), "within")
        if self._measured.is_short(len(text)):
            return self._program.Match(self._anchors.UNANCHORED, text, 0, len(text))[0][0] >= 0
        return self._forwards.Match(self._anchors.ANCHOR_START, text, 0, len(text))[0][0] >= 0

    def prepare(self, mode: Mode) -> None:
        """Do now what is else done when a long text is met first: some milliseconds' work, once for each pattern."""
        self._measured.positions(mode)
        if mode == "within":
            _ = self._forwards

    def check_replacement(self, replacement: str) -> None:
        r"""Check a text that stands in for a match: `\0` is the match, `\1` to `\9` are its groups, `\\` is a
        backslash.

        Raises BadPattern for a group that the pattern does not have, and for a backslash before anything else.
        """
        _pieces(replacement, self._with_groups().NumberOfCapturingGroups())

    def replace_first(self, subject: str, replacement: str, steps: Steps | None = None) -> str:
        """The subject with ``replacement`` in place of the first match; the subject itself when there is none.

        A group that took no part in the match is empty. Raises BadPattern as `check_replacement`.
        """
        program = self._with_groups()
        pieces = _pieces(replacement, program.NumberOfCapturingGroups())
        text = _encoded(subject)
        (steps or Steps()).take(self._measured.steps_slowly(len(text)))
        spans = program.Match(self._anchors.UNANCHORED, text, 0, len(text))
        start, end = spans[0]
        if start < 0:
            return subject
        new = b"".join([piece if isinstance(piece, bytes) else _part(text, spans[piece]) for piece in pieces])
        return _decoded(text[:start] + new + text[end:])

    def _take(self, steps: Steps | None, length: int, mode: Mode) -> None:
        if steps is not None or not self._measured.is_short(length):
            (steps or Steps()).take(self._measured.steps(length, mode))

    @property
    def _forwards(self) -> _Program:
        """The pattern with anything before it.

        RE2 finds where a match ends by running forwards, and where it begins by running backwards, with an automaton
        that may be as large as it likes. So what comes before is made a part of the match. That is slower where RE2
        could leap to a first letter, and therefore not done for short texts.
        """
        if not self._made:
            try:
                self._made.append(_program(rf"\C*?(?:{self.text})", ignore_case=self.ignore_case, groups=False))
            except BadPattern:
                # It has a `\Q` that has no end.
                self._made.append(_program(rf"\C*?(?:{self.text}\E)", ignore_case=self.ignore_case, groups=False))
        return self._made[0]

    def _with_groups(self) -> _Program:
        return _program(self.text, ignore_case=self.ignore_case, groups=True)


def compile(text: str, *, ignore_case: bool = False) -> Pattern:  # noqa: A001 - as in re
    """Read a pattern (https://github.com/google/re2/wiki/Syntax). Raises BadPattern."""
    return _compiled(text, ignore_case)


@lru_cache(maxsize=1024)
def _compiled(text: str, ignore_case: bool) -> Pattern:  # noqa: FBT001 - keeps the cache's keys plain
    if len(text) > PATTERN_MAX:
        raise BadPattern(f"it has {len(text)} characters; {PATTERN_MAX} are the most")
    if pattern_sizes.is_too_large(text):
        raise BadPattern("it is too large, when its repetitions are written out")
    program = _program(text, ignore_case=ignore_case, groups=False)
    from re2 import _re2  # noqa: PLC0415 - see _program

    measured = Measured(text, ignore_case=ignore_case, size=program.ProgramSize())
    return Pattern(text, ignore_case, program, _re2.RE2.Anchor, measured)


@lru_cache(maxsize=256)
def i_regexp(text: str) -> Pattern | None:
    """Read a small pattern of RFC 9485 that anybody may have sent; ``None`` when it is none, or not small."""
    if len(text) > _SMALL_PATTERN_MAX or pattern_sizes.is_too_large(text, pattern_sizes.SMALL):
        return None
    try:
        return compile(with_dots(text))
    except BadPattern:
        return None


def with_dots(text: str) -> str:
    r"""Give a pattern of RFC 9485 as one of RE2's.

    A dot stands for `[^\n\r]`, unless it is escaped or in a class of characters.
    """
    written: list[str] = []
    escaped = in_class = False
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == "." and not in_class:
            written.append(r"[^\n\r]")
            continue
        elif character in "[]":
            in_class = character == "["
        written.append(character)
    return "".join(written)


@lru_cache(maxsize=256)
def _program(text: str, *, ignore_case: bool, groups: bool) -> _Program:
    # Only when there is a pattern: most servers start without one.
    from re2 import Options, _re2  # noqa: PLC0415

    options = Options()
    options.log_errors = False
    options.max_mem = PROGRAM_BYTES_MAX
    options.case_sensitive = not ignore_case
    # Spans of groups cost a second and slower run.
    options.never_capture = not groups
    program: _Program = _re2.RE2(_encoded(text), options)
    if not program.ok():  # type: ignore[attr-defined]
        raise BadPattern(program.error().decode("utf-8", "replace"))  # type: ignore[attr-defined]
    return program


@lru_cache(maxsize=256)
def _pieces(replacement: str, groups: int) -> list[bytes | int]:
    """A replacement as text and numbers of groups, in order. Raises BadPattern."""
    first, *rest = replacement.split("\\")
    pieces: list[bytes | int] = [_encoded(first)]
    parts = iter(rest)
    for part in parts:
        if part == "":
            # Two in a row are one, and what follows them is text.
            following = next(parts, None)
            if following is None:
                raise BadPattern("the replacement ends with a single backslash")
            pieces.append(_encoded("\\" + following))
        elif part[0] not in "0123456789":
            raise BadPattern(
                f"the replacement has a backslash before {part[0]!r}; a digit or another backslash may follow"
            )
        elif int(part[0]) > groups:
            raise BadPattern(f"the replacement names group {part[0]}, and the pattern has {groups}")
        else:
            pieces += [int(part[0]), _encoded(part[1:])]
    return pieces


def _part(text: bytes, span: tuple[int, int]) -> bytes:
    return text[span[0] : span[1]] if span[0] >= 0 else b""


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Half of a pair, which JSON can spell and UTF-8 cannot. RE2 takes it for a character.
        return text.encode("utf-8", _SURROGATES)


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8", _SURROGATES)
    except UnicodeDecodeError:
        # `\C` is one byte, and so may have cut a character in two.
        return text.decode("utf-8", "replace")
