"""Finds the mocks of one layer that a request is for, most specific first.

The cost does not grow with the number of mocks. Each method has a table of its own, made when the first request of that
method comes. In it patterns without parameters stand in a dict, by the texts in which they are usually sent, so that
most paths are found without being split; the others in a tree of segments. That is the order of
`precedence.order_in_layer`, whose first part is the path: so patterns are met in order, and only the mocks of one and
the same pattern need sorting, which is done when the table is made.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Final

from understudy_server.core.matching.mock import Candidate
from understudy_server.core.matching.paths import PathPattern
from understudy_server.core.matching.request import Request
from understudy_server.core.matching.tree import Node, next_group
from understudy_server.core.precedence import order_in_layer

_Entry = tuple[Candidate, Callable[[Request], bool] | None]
"""A candidate, and the test of what it asks for beyond method and path, if it asks for anything."""

_Group = tuple[_Entry, ...]
"""The candidates of one path pattern, in order."""

_NONE: Final[_Group] = ()


class Index:
    """The mocks that are on in one layer. Never changes: what changes is built anew and put in its place."""

    __slots__ = ("_others", "_size", "_tables")

    def __init__(self, candidates: Iterable[Candidate] = ()) -> None:
        by_method: dict[str, list[Candidate]] = {}
        for candidate in candidates:
            by_method.setdefault(candidate.mock.matcher.method, []).append(candidate)
        self._size = sum(map(len, by_method.values()))
        any_method = by_method.pop("", [])
        self._tables = {method: _Table(named, any_method) for method, named in by_method.items()}
        self._others = _Table(any_method)

    def __len__(self) -> int:
        return self._size

    def make_as(self, other: "Index") -> None:
        """Make the tables now that another index has had to make, so that no request has to wait for them."""
        if other._others.made and not self._others.made:
            self._others.make()
        for method, table in self._tables.items():
            known = other._tables.get(method)
            if known is not None and known.made and not table.made:
                table.make()

    def first(self, request: Request) -> Candidate | None:
        """Return the first that `matching` would yield, or ``None``. Raises BodyWanted as that does."""
        # The proxy's hot path: no generator, and no call that a plain request can do without.
        table = self._tables.get(request.method, self._others)
        if not table.made:
            table.make()
        path = request.path
        group = table.by_text.get(path)
        if group is None and "%" in path:
            group = table.by_segments.get(request.segments())
        if group is not None:
            for candidate, holds in group:
                if holds is None or holds(request):
                    return candidate
        if table.tree is not None:
            found = _first_in_tree(table.tree, request)
            if found is not None:
                return found
        for candidate, holds in table.any_path:
            if holds is None or holds(request):
                return candidate
        return None

    def matching(self, request: Request) -> Iterator[Candidate]:
        """Yield the mocks that the request is for, most specific first. Does no more work than is asked for.

        Raises BodyWanted on reaching a mock of which all else holds and whose criterion is on a body that is not here
        yet: whatever comes after it would be a guess.
        """
        table = self._tables.get(request.method, self._others)
        if not table.made:
            table.make()
        for group in _groups(table, request):
            for candidate, holds in group:
                if holds is None or holds(request):
                    yield candidate


class _Table:
    """What is for requests of one method. Empty until it is made, which is done once.

    ``by_text`` holds what ``by_segments`` holds, by the spellings of `PathPattern`: a path without percent-encoding
    that is not there has no literal pattern. ``tree`` is ``None`` when no pattern has parameters.
    """

    __slots__ = ("_sources", "any_path", "by_segments", "by_text", "made", "tree")

    def __init__(self, *sources: list[Candidate]) -> None:
        # Shared with other tables, so that many methods beside many mocks for any method cost nothing until asked for.
        self._sources = sources
        self.made = False
        self.by_text: dict[str, _Group] = {}
        self.by_segments: dict[tuple[str, ...], _Group] = {}
        self.tree: Node[_Group] | None = None
        self.any_path = _NONE

    def make(self) -> None:
        by_path: dict[tuple[str | None, ...] | None, list[Candidate]] = {}
        for candidate in chain.from_iterable(self._sources):
            pattern = candidate.mock.matcher.path
            by_path.setdefault(pattern.segments if pattern else None, []).append(candidate)
        self.any_path = _group(by_path.pop(None, []))
        for candidates in by_path.values():
            self._place(candidates[0].mock.matcher.path, _group(candidates))
        self.made = True

    def _place(self, pattern: PathPattern | None, group: _Group) -> None:
        if pattern is None:
            return
        if pattern.literal is None:
            self.tree = self.tree or Node()
            self.tree.reach(pattern.segments).group = group
            return
        self.by_segments[pattern.literal] = group
        for text in pattern.spellings:
            self.by_text[text] = group


def _group(candidates: list[Candidate]) -> _Group:
    if len(candidates) > 1:
        candidates.sort(key=order_in_layer)
    return tuple([_entry(candidate) for candidate in candidates])


def _entry(candidate: Candidate) -> _Entry:
    matcher = candidate.mock.matcher
    return candidate, matcher.content_matches if matcher.has_criteria else None


def _first_in_tree(tree: Node[_Group], request: Request) -> Candidate | None:
    segments = request.segments()
    waiting = [(tree, 0)]
    while waiting:
        group = next_group(segments, waiting)
        if group is not None:
            for candidate, holds in group:
                if holds is None or holds(request):
                    return candidate
    return None


def _groups(table: _Table, request: Request) -> Iterator[_Group]:
    """The candidates of each pattern that the path is one of, in order: what `first` looks at, told plainly."""
    segments = request.segments()
    yield table.by_segments.get(segments, _NONE)
    waiting: list[tuple[Node[_Group], int]] = [(table.tree, 0)] if table.tree else []
    while waiting:
        yield next_group(segments, waiting) or _NONE
    yield table.any_path


EMPTY: Final = Index()
"""The index of a layer in which nothing is on."""
