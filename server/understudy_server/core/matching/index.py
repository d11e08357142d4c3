"""Finds the mocks of one layer that a request is for, most specific first.

The cost does not grow with the number of mocks. Patterns without parameters stand in a dict; the others in a tree of
segments, which is walked without recursion, at each level the literal branch first. That order is the one of
`precedence.order_in_layer`, whose first part is the path: so patterns are met in order, and only the mocks of one and
the same pattern need sorting, which is done when the index is built.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from understudy_server.core.matching.mock import Candidate
from understudy_server.core.matching.paths import PathPattern
from understudy_server.core.matching.request import Request
from understudy_server.core.precedence import order_in_layer


@dataclass(frozen=True, slots=True)
class _Group:
    """The candidates of one path pattern, in order: for each method that one of them names, and for all others."""

    by_method: dict[str, tuple[Candidate, ...]]
    otherwise: tuple[Candidate, ...]

    @classmethod
    def of(cls, candidates: Iterable[Candidate]) -> "_Group":
        ordered = sorted(candidates, key=order_in_layer)
        methods = {candidate.mock.matcher.method for candidate in ordered} - {""}
        return cls(
            {method: _for_methods(ordered, {"", method}) for method in methods},
            _for_methods(ordered, {""}),
        )

    def matching(self, request: Request) -> Iterator[Candidate]:
        for candidate in self.by_method.get(request.method, self.otherwise):
            if candidate.mock.matcher.content_matches(request):
                yield candidate


def _for_methods(candidates: Iterable[Candidate], methods: set[str]) -> tuple[Candidate, ...]:
    return tuple([candidate for candidate in candidates if candidate.mock.matcher.method in methods])


@dataclass(slots=True)
class _Node:
    """A place in the tree: where the next segment leads, and what ends here. Not changed once the index is built."""

    literals: dict[str, "_Node"] = field(default_factory=dict)
    parameter: "_Node | None" = None
    group: _Group | None = None

    def reach(self, pattern: PathPattern) -> "_Node":
        """Return the node of a pattern, making those on the way."""
        node = self
        for segment in pattern.segments:
            if segment is None:
                node.parameter = node.parameter or _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment, _Node())
        return node


class Index:
    """The mocks that are on in one layer. Never changes: what changes is built anew and put in its place."""

    __slots__ = ("_any_path", "_literal", "_tree")

    def __init__(self, candidates: Iterable[Candidate] = ()) -> None:
        by_path: dict[PathPattern | None, list[Candidate]] = {}
        for candidate in candidates:
            by_path.setdefault(candidate.mock.matcher.path, []).append(candidate)
        self._literal: dict[tuple[str, ...], _Group] = {}
        self._tree = _Node()
        self._any_path = _Group.of(by_path.pop(None, ()))
        for pattern, group in by_path.items():
            self._place(pattern, _Group.of(group))

    def _place(self, pattern: PathPattern | None, group: _Group) -> None:
        literal = pattern.literal if pattern else None
        if literal is not None:
            self._literal[literal] = group
        elif pattern:
            self._tree.reach(pattern).group = group

    def matching(self, request: Request) -> Iterator[Candidate]:
        """Yield the mocks that the request is for, most specific first. Does no more work than is asked for."""
        exact = self._literal.get(request.segments)
        if exact:
            yield from exact.matching(request)
        for group in self._parametrised(request.segments):
            yield from group.matching(request)
        yield from self._any_path.matching(request)

    def _parametrised(self, segments: tuple[str, ...]) -> Iterator[_Group]:
        # Each node is visited at most once, so a hostile path costs no more than the tree is large.
        waiting = [(self._tree, 0)]
        while waiting:
            node, depth = waiting.pop()
            if depth == len(segments):
                if node.group:
                    yield node.group
                continue
            segment = segments[depth]
            if node.parameter and segment:
                waiting.append((node.parameter, depth + 1))
            literal = node.literals.get(segment)
            if literal:
                waiting.append((literal, depth + 1))


EMPTY: Final = Index()
"""The index of a layer in which nothing is on."""
