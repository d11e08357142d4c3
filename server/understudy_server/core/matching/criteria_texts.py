"""Tests of a value as text: parts of it, patterns, and text in any case of letters."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from understudy_server.core.matching.criteria import Leaf
from understudy_server.core.matching.distances import between_texts
from understudy_server.core.matching.mismatch import Code, cut
from understudy_server.core.matching.values import Value, encoded
from understudy_server.core.matching.wording import quoted, shown_bytes
from understudy_server.core.pattern_sizes import Mode
from understudy_server.core.patterns import Pattern
from understudy_server.core.steps import Steps

# Characters that are searched, and that are brought to one case, for one step.
_SEARCHED_IN_A_STEP = 32
_FOLDED_IN_A_STEP = 12

_MODES: Mapping[str, Mode] = {"pattern": "whole", "pattern_at_start": "at_start", "pattern_within": "within"}

# To run a pattern takes so much, beside what the text does.
_STEPS_TO_RUN = 16

Haystack = str | bytes


@dataclass(frozen=True)
class _Part(Leaf[Haystack]):
    """A test for a text in the value. Bytes are searched as they are: what is in UTF-8 is found so."""

    text: str
    ignore_case: bool = False

    @cached_property
    def _wanted(self) -> str:
        return self.text.casefold() if self.ignore_case else self.text

    @cached_property
    def _bytes(self) -> bytes:
        return encoded(self.text)

    def read(self, value: Value, steps: Steps) -> Haystack | Code:
        if not self.ignore_case:
            found = value.haystack()
            if not isinstance(found, Code):
                steps.take(len(found) // _SEARCHED_IN_A_STEP)
            return found
        steps.take(value.steps_to_decode())
        text = value.text()
        if isinstance(text, Code):
            return text
        steps.take(len(text) // _FOLDED_IN_A_STEP)
        return text.casefold()

    def distance(self, found: Haystack) -> float:
        return between_texts(self._wanted, found)

    def _said(self, verb: str) -> str:
        return cut(f"{verb} {quoted(self.text)}{' in any case' if self.ignore_case else ''}")


@dataclass(frozen=True)
class EqualsInAnyCase(_Part):
    """The value is this text, upper and lower case being the same."""

    ignore_case: bool = True

    name = "equals"

    def test(self, found: Haystack, _steps: Steps) -> bool:
        return found == self._wanted

    def words(self) -> str:
        return self._said("equals")


@dataclass(frozen=True)
class Contains(_Part):
    """The value has this text within."""

    name = "contains"

    def test(self, found: Haystack, _steps: Steps) -> bool:
        return self._bytes in found if isinstance(found, bytes) else self._wanted in found

    def words(self) -> str:
        return self._said("contains")


@dataclass(frozen=True)
class Prefix(_Part):
    """The value begins with this text."""

    name = "prefix"

    def test(self, found: Haystack, _steps: Steps) -> bool:
        return found.startswith(self._bytes) if isinstance(found, bytes) else found.startswith(self._wanted)

    def distance(self, found: Haystack) -> float:
        return between_texts(self._wanted, found[: len(self._wanted)])

    def words(self) -> str:
        return self._said("begins with")


@dataclass(frozen=True)
class Suffix(_Part):
    """The value ends with this text."""

    name = "suffix"

    def test(self, found: Haystack, _steps: Steps) -> bool:
        return found.endswith(self._bytes) if isinstance(found, bytes) else found.endswith(self._wanted)

    def distance(self, found: Haystack) -> float:
        return between_texts(self._wanted[-len(found) :], found[-len(self._wanted) :] if self.text else found)

    def words(self) -> str:
        return self._said("ends with")


@dataclass(frozen=True)
class EqualsBytes(Leaf[bytes]):
    """The bytes of the value are exactly these."""

    content: bytes

    name = "equals_bytes"

    def read(self, value: Value, _steps: Steps) -> bytes | Code:
        return value.content()

    def test(self, found: bytes, _steps: Steps) -> bool:
        return found == self.content

    def words(self) -> str:
        return cut(f"has exactly the {len(self.content)} bytes {shown_bytes(self.content)}")


@dataclass(frozen=True)
class Matches(Leaf[Haystack]):
    """The value, or where it may be a part of it, is a match of a pattern."""

    pattern: Pattern
    name: str = "pattern"  # type: ignore[misc]
    """Of `pattern`, `pattern_at_start` and `pattern_within`."""

    _run: Callable[[bytes, Steps | None], bool] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        pattern = self.pattern
        ways = {"pattern": pattern.whole, "pattern_at_start": pattern.at_start, "pattern_within": pattern.within}
        object.__setattr__(self, "_run", ways[self.name])

    def prepare(self) -> None:
        self.pattern.prepare(_MODES[self.name])

    def read(self, value: Value, _steps: Steps) -> Haystack | Code:
        return value.haystack()

    def test(self, found: Haystack, steps: Steps) -> bool:
        steps.take(_STEPS_TO_RUN)
        # Bytes that were no UTF-8 are those bytes again: no character, whether they came in a query or in a body.
        return self._run(found if isinstance(found, bytes) else encoded(found), steps)

    def words(self) -> str:
        way = {
            "pattern": "as a whole matches",
            "pattern_at_start": "begins with a match of",
            "pattern_within": "holds a match of",
        }
        return cut(f"{way[self.name]} {self.pattern.text}{' in any case' if self.pattern.ignore_case else ''}")
