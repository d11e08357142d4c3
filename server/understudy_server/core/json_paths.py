"""Which values of a JSON document a JSONPath selects, as plain values. Source: RFC 9535.

A path is read once, when it is set, and followed often, in documents that anybody may have sent. So it may only say
what can be followed in one walk through a document: names, indexes, slices, wildcards, and any of them at any depth
(`..`). Filters are refused: each may look at the whole document again.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

STEPS_MAX: Final = 64
"""A path has at most so many steps."""


class BadPath(ValueError):
    """The text is no path that can be followed. The message says why, and where, without the text."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step from a value to values in it; ``deep``: in any value that it holds, at any depth, itself among them.

    ``slices`` are (start, stop, step) as Python's, whose step is not 0. Negative indexes count from the end.
    """

    names: frozenset[str] = frozenset()
    indexes: frozenset[int] = frozenset()
    slices: tuple[tuple[int | None, int | None, int | None], ...] = ()
    wildcard: bool = False
    deep: bool = False

    @property
    def positional(self) -> bool:
        """True when the place in a list counts."""
        return bool(self.indexes or self.slices)


Path = tuple[Step, ...]
"""The steps from the whole document on; without one it is the document itself that is selected."""


@lru_cache(maxsize=1024)
def parse(text: str) -> Path:
    """Read a path. Raises BadPath."""
    if not text.startswith("$"):
        raise BadPath("it does not begin with $, the whole document")
    # Slow to import (a tenth of a second), and most servers never read a path.
    from jsonpath import JSONPathEnvironment, JSONPathError  # noqa: PLC0415

    try:
        segments = JSONPathEnvironment(strict=True).compile(text).segments  # type: ignore[union-attr]
    except (JSONPathError, RecursionError) as error:
        raise BadPath(_reason(error)) from None
    if len(segments) > STEPS_MAX:
        raise BadPath(f"it has {len(segments)} steps; {STEPS_MAX} are the most")
    return tuple([_step(segment) for segment in segments])


def _reason(error: Exception) -> str:
    """What the library says, in one line: its own text of an error may not be had of every error."""
    reason = str(error.args[0]) if error.args else "it is not a JSONPath"
    reason = reason.replace("TOKEN_", "").lower() if "TOKEN_" in reason else reason
    place = getattr(getattr(error, "token", None), "index", -1)
    return f"{reason}, at character {place + 1}" if place >= 0 else reason


def _step(segment: Any) -> Step:
    from jsonpath import selectors  # noqa: PLC0415 - as above

    names, indexes, slices, wildcard = set(), set(), [], False
    for each in segment.selectors:
        match each:
            case selectors.NameSelector():
                names.add(each.name)
            case selectors.IndexSelector():
                indexes.add(each.index)
            case selectors.SliceSelector():
                if each.slice.step != 0:
                    slices.append((each.slice.start, each.slice.stop, each.slice.step))
            case selectors.WildcardSelector():
                wildcard = True
            case _:
                raise BadPath("it has a filter ([?...]), which is not followed here; name the values by their places")
    deep = type(segment).__name__ == "JSONPathRecursiveDescentSegment"
    return Step(frozenset(names), frozenset(indexes), tuple(slices), wildcard, deep)
