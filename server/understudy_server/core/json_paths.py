"""JSONPaths that users write (RFC 9535), for two purposes.

`query` reads any path, for criteria and templates: what it selects is looked up in a document at hand, in so many steps
at most. `parse` reads those that say which values to mask in a document that anybody may have sent; they may only say
what can be followed in one walk through its text: names, indexes, slices, wildcards, and any of them at any depth
(`..`). Filters are refused there: each may look at the whole document again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from understudy_server.core import json_path_running
from understudy_server.core import json_path_tree as tree
from understudy_server.core.json_path_syntax import BadPath, read
from understudy_server.core.steps import STEPS_MAX as RUN_STEPS_MAX
from understudy_server.core.steps import Steps as RunSteps
from understudy_server.core.steps import TooManySteps

__all__ = ["STEPS_MAX", "BadPath", "Path", "Query", "Step", "TooManySteps", "normalized", "parse", "query"]

PATH_MAX: Final = 4096
"""A path has at most so many characters."""

STEPS_MAX: Final = 64
"""A path has at most so many steps."""


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A path that can be followed through documents of dict, list, str, int, float, bool and None."""

    text: str
    singular: bool
    """True when it selects one value at most."""
    _follow: Callable[[Any, RunSteps], list[Any]]

    def values(self, document: Any, steps: int | RunSteps = RUN_STEPS_MAX) -> list[Any]:
        """What it selects, in the order of the document; each value as often as it is selected.

        ``steps``: how many it may take, or the count of them that it shares with others. Raises TooManySteps.
        """
        return self._follow(document, RunSteps(steps) if isinstance(steps, int) else steps)


@lru_cache(maxsize=1024)
def query(text: str) -> Query:
    """Read a path, as RFC 9535 has it. Patterns of `match` and `search` are RE2's. Raises BadPath."""
    segments = _read(text, dashes=False)
    return Query(text, all(segment.singular for segment in segments), json_path_running.follow(segments))


def _read(text: str, *, dashes: bool) -> tree.Segments:
    if len(text) > PATH_MAX:
        raise BadPath(f"it has {len(text)} characters; {PATH_MAX} are the most")
    segments = read(text, dashes=dashes)
    if len(segments) > STEPS_MAX:
        raise BadPath(f"it has {len(segments)} steps; {STEPS_MAX} are the most")
    return segments


def normalized(place: Iterable[str | int]) -> str:
    """The path to one place in a document, in its normal form (section 2.7), such as `$['cards'][0]`."""
    return "$" + "".join([f"[{each}]" if isinstance(each, int) else f"['{_escaped(each)}']" for each in place])


_ESCAPES: Final = {
    ord(character): escape
    for character, escape in {
        **{chr(code): f"\\u{code:04x}" for code in range(0x20)},
        "\b": "\\b",
        "\t": "\\t",
        "\n": "\\n",
        "\f": "\\f",
        "\r": "\\r",
        "'": "\\'",
        "\\": "\\\\",
    }.items()
}


def _escaped(name: str) -> str:
    return name.translate(_ESCAPES)


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
    """Read a path without filters. A name behind a dot may have dashes, as it always could here. Raises BadPath."""
    return tuple([_step(segment) for segment in _read(text, dashes=True)])


def _step(segment: tree.Segment) -> Step:
    names, indexes, slices, wildcard = set(), set(), [], False
    for selector in segment.selectors:
        match selector:
            case tree.Name(name):
                names.add(name)
            case tree.Index(index):
                indexes.add(index)
            case tree.Slice(start, stop, step):
                if step != 0:
                    slices.append((start, stop, step))
            case tree.Wildcard():
                wildcard = True
            case tree.Filter():
                raise BadPath("it has a filter ([?...]), which is not followed here; name the values by their places")
    return Step(frozenset(names), frozenset(indexes), tuple(slices), wildcard, segment.deep)
