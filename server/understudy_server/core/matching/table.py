"""The mocks that are for requests of one method, by their paths."""

from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from understudy_server.core.matching.merging import Entry, Group, in_order, merged
from understudy_server.core.matching.mock import Candidate
from understudy_server.core.matching.paths import PathPattern
from understudy_server.core.matching.request import Request
from understudy_server.core.matching.tree import Node, next_group
from understudy_server.core.profiles import Order

Named = dict[str, Candidate]
"""Candidates by the names of their mocks (`Mock.state_name`)."""

_NONE: Final[Group] = ()

# What a table has before it is made: most tables of a session never are.
_NO_TEXTS: Final[dict[str, Group]] = {}
_NO_SEGMENTS: Final[dict[tuple[str, ...], Group]] = {}


@dataclass(slots=True)
class _Change:
    """What changes in the group of one pattern: what goes, by identity, and what comes."""

    pattern: PathPattern | None
    gone: set[int] = field(default_factory=set)
    new: list[Candidate] = field(default_factory=list)


class Table:
    """Candidates in groups, each of the mocks of one path pattern. Empty until it is made, which is done once.

    ``by_text`` holds what ``by_segments`` holds, by the spellings of `PathPattern`: a path that is not there, without
    percent-encoding and without slashes side by side, has no literal pattern. ``tree`` is ``None`` when no pattern has
    parameters. ``any_path``: what has no pattern. ``in_path_order``: the groups that a request meets one after the
    other are in order; otherwise they are merged by their keys.
    """

    __slots__ = (
        "_order",
        "_priority",
        "any_path",
        "by_segments",
        "by_text",
        "gives_first",
        "in_path_order",
        "made",
        "sources",
        "tree",
    )

    def __init__(self, order: Order, *sources: Named) -> None:
        # Shared with other tables, so that many methods beside many mocks for any method cost nothing until asked for.
        self.sources = sources
        self._order = order
        self._priority = 0
        self.made = False
        self.in_path_order = True
        self.gives_first = False
        """Whether it is made, and the first match among its groups, in their order, is the strongest."""
        self.by_text = _NO_TEXTS
        self.by_segments = _NO_SEGMENTS
        self.tree: Node[Group] | None = None
        self.any_path = _NONE

    def __len__(self) -> int:
        return sum(map(len, self.sources))

    def make(self) -> None:
        """Sort what is in it."""
        by_path: dict[tuple[str | None, ...] | None, list[Candidate]] = {}
        patterns: list[PathPattern] = []
        priorities = set[int]()
        for candidate in chain.from_iterable(map(dict.values, self.sources)):
            pattern = candidate.mock.matcher.path
            priorities.add(candidate.mock.priority)
            segments = None if pattern is None else pattern.segments
            same = by_path.get(segments)
            if same is not None:
                same.append(candidate)
                continue
            by_path[segments] = [candidate]
            if pattern is not None:
                patterns.append(pattern)
        self.by_text, self.by_segments = {}, {}
        self._priority = next(iter(priorities), 0)
        self.in_path_order = self._order.by_path and len(priorities) <= 1
        self.any_path = self._group(by_path.get(None, []))
        for pattern in patterns:
            self._place(pattern, self._group(by_path[pattern.segments]))
        self._is_made()

    def changed(self, sources: Sequence[Named], gone: Sequence[Candidate], new: Sequence[Candidate]) -> "Table":
        """The table of these sources, made if this one is: what did not change is shared.

        ``gone`` are those in it that are not in ``sources``, and ``new`` those that are in there only.
        """
        made = Table(self._order, *sources)
        if not self.made:
            return made
        if self.in_path_order and any(each.mock.priority != self._priority for each in new):
            # From now on groups are merged, or again not.
            made.make()
            return made
        made._priority, made.in_path_order = self._priority, self.in_path_order
        made.by_text, made.by_segments = self.by_text.copy(), self.by_segments.copy()
        made.tree, made.any_path = self.tree, self.any_path
        for change in _by_pattern(gone, new):
            made._take_in(change)
        made._is_made()
        return made

    def _is_made(self) -> None:
        self.made = True
        # Where all patterns are literal, a path has one group at most.
        self.gives_first = self.in_path_order or not (self.tree or self.any_path)

    def _take_in(self, change: _Change) -> None:
        pattern = change.pattern
        group = self._with(self._of(pattern), change)
        if pattern is None:
            self.any_path = group
        elif pattern.literal is None:
            # The branches that are shared with another table stay as they are.
            self.tree = (self.tree or Node()).with_group(pattern.segments, group or None)
        elif group:
            self._place(pattern, group)
        else:
            self._forget(pattern)

    def first(self, request: Request) -> Candidate | None:
        """Return the first that `matching` would yield, or ``None``. Raises BodyWanted as that does."""
        # The proxy's hot path: no generator, and no call that a plain request can do without.
        if not self.gives_first:
            return next(self.matching(request), None)
        path = request.path
        group = self.by_text.get(path)
        if group is None and ("%" in path or "//" in path):
            group = self.by_segments.get(request.segments())
        if group is not None:
            for _, candidate, holds in group:
                if holds is None or holds(request):
                    return candidate
        if self.tree is not None:
            found = _first_in_tree(self.tree, request)
            if found is not None:
                return found
        for _, candidate, holds in self.any_path:
            if holds is None or holds(request):
                return candidate
        return None

    def matching(self, request: Request) -> Iterator[Candidate]:
        """Yield the candidates that the request is for, the strongest first. Does no more work than is asked for.

        Raises BodyWanted on reaching a mock of which all else holds and whose criterion is on a body that is not here
        yet: whatever comes after it would be a guess.
        """
        for _, candidate, holds in self.fitting(request):
            if holds is None or holds(request):
                yield candidate

    def fitting(self, request: Request) -> Iterable[Entry]:
        """Those whose path is the request's, the strongest first: what is left are their criteria."""
        groups = self.groups(request)
        return chain.from_iterable(groups) if self.in_path_order else merged([group for group in groups if group])

    def groups(self, request: Request) -> Iterator[Group]:
        """The candidates of each pattern that the path is one of, the most specific pattern first."""
        segments = request.segments()
        yield self.by_segments.get(segments, _NONE)
        waiting: list[tuple[Node[Group], int]] = [(self.tree, 0)] if self.tree else []
        while waiting:
            yield next_group(segments, waiting) or _NONE
        yield self.any_path

    def _place(self, pattern: PathPattern, group: Group) -> None:
        if pattern.literal is None:
            self.tree = self.tree or Node()
            self.tree.reach(pattern.segments).group = group
            return
        self.by_segments[pattern.literal] = group
        for text in pattern.spellings:
            self.by_text[text] = group

    def _forget(self, pattern: PathPattern) -> None:
        if pattern.literal is not None:
            self.by_segments.pop(pattern.literal, None)
        for text in pattern.spellings:
            self.by_text.pop(text, None)

    def _of(self, pattern: PathPattern | None) -> Group:
        if pattern is None:
            return self.any_path
        if pattern.literal is not None:
            return self.by_segments.get(pattern.literal, _NONE)
        node = self.tree.find(pattern.segments) if self.tree else None
        return node.group or _NONE if node else _NONE

    @property
    def _keeps_keys(self) -> bool:
        """Whether groups may have to be merged; otherwise keys are for sorting alone."""
        return not (self.in_path_order and self._order.by_layer)

    def _group(self, candidates: list[Candidate]) -> Group:
        key = self._order.key
        if self._keeps_keys:
            return in_order([(key(candidate), candidate, _test(candidate)) for candidate in candidates])
        if len(candidates) > 1:
            candidates.sort(key=key)
        return tuple([((), candidate, _test(candidate)) for candidate in candidates])

    def _with(self, group: Group, change: _Change) -> Group:
        key, keeps_keys = self._order.key, self._keeps_keys
        entries = [entry for entry in group if id(entry[1]) not in change.gone]
        for candidate in change.new:
            entry: Entry = (key(candidate) if keeps_keys else (), candidate, _test(candidate))
            # Keys are worked out of few, not of all.
            insort(entries, entry, key=lambda each: key(each[1]))
        return tuple(entries)


def _by_pattern(gone: Iterable[Candidate], new: Iterable[Candidate]) -> Iterable[_Change]:
    """What changes, by pattern: the names of parameters make no difference."""
    found: dict[tuple[str | None, ...] | None, _Change] = {}

    def change(candidate: Candidate) -> _Change:
        pattern = candidate.mock.matcher.path
        segments = None if pattern is None else pattern.segments
        return found.get(segments) or found.setdefault(segments, _Change(pattern))

    for candidate in gone:
        change(candidate).gone.add(id(candidate))
    for candidate in new:
        change(candidate).new.append(candidate)
    return found.values()


def _test(candidate: Candidate) -> Callable[[Request], bool] | None:
    matcher = candidate.mock.matcher
    return matcher.content_matches if matcher.has_criteria else None


def _first_in_tree(tree: Node[Group], request: Request) -> Candidate | None:
    node = tree
    for segment in request.segments():
        following = node.literals.get(segment)
        if following is None:
            following = node.parameter
            if following is None or not segment:
                return None
        elif node.parameter is not None:
            return _first_of_branches(tree, request)
        node = following
    group = node.group
    if group is not None:
        for _, candidate, holds in group:
            if holds is None or holds(request):
                return candidate
    return None


def _first_of_branches(tree: Node[Group], request: Request) -> Candidate | None:
    segments = request.segments()
    waiting = [(tree, 0)]
    while waiting:
        group = next_group(segments, waiting)
        if group is not None:
            for _, candidate, holds in group:
                if holds is None or holds(request):
                    return candidate
    return None
