"""A tree of path segments: where a split path leads, the literal branch before the parameter at each level.

It is walked without recursion, and the walk can be taken up again: the branches that were passed by are kept by the
caller. Each node is visited at most once, so a hostile path costs no more than the tree is large.
"""

from typing import Generic, TypeVar

_Group = TypeVar("_Group")

Waiting = list[tuple["Node[_Group]", int]]
"""Branches not taken yet, the next one last, each with the number of segments that lie behind it."""

_Pattern = tuple[str | None, ...]


class Node(Generic[_Group]):
    """A place in the tree: where the next segment leads, and what ends here. Not changed once the tree is built."""

    __slots__ = ("group", "literals", "parameter")

    def __init__(self) -> None:
        self.literals: dict[str, Node[_Group]] = {}
        self.parameter: Node[_Group] | None = None
        self.group: _Group | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing ends here or behind it."""
        return self.group is None and self.parameter is None and not self.literals

    def reach(self, segments: _Pattern) -> "Node[_Group]":
        """Return the node of a pattern's segments, making those on the way."""
        node = self
        for segment in segments:
            if segment is None:
                node.parameter = node.parameter or Node()
                node = node.parameter
            else:
                node = node.literals.get(segment) or node.literals.setdefault(segment, Node())
        return node

    def find(self, segments: _Pattern) -> "Node[_Group] | None":
        """Return the node of a pattern's segments, if there is one."""
        node: Node[_Group] | None = self
        for segment in segments:
            if node is None:
                break
            node = node.parameter if segment is None else node.literals.get(segment)
        return node

    def with_group(self, segments: _Pattern, group: _Group | None) -> "Node[_Group]":
        """The tree in which this ends at a pattern's segments, or nothing does. It shares all other branches."""
        root = node = self._copy()
        way = []
        for segment in segments:
            known = node.parameter if segment is None else node.literals.get(segment)
            way.append((node, segment))
            following: Node[_Group] = known._copy() if known else Node()
            node._lead(segment, following)
            node = following
        node.group = group
        while way and node.is_empty:
            node, segment = way.pop()
            node._lead(segment, None)
        return root

    def _copy(self) -> "Node[_Group]":
        made: Node[_Group] = Node()
        made.literals, made.parameter, made.group = self.literals.copy(), self.parameter, self.group
        return made

    def _lead(self, segment: str | None, node: "Node[_Group] | None") -> None:
        if segment is None:
            self.parameter = node
        elif node is None:
            del self.literals[segment]
        else:
            self.literals[segment] = node


def next_group(segments: tuple[str, ...], waiting: "Waiting[_Group]") -> _Group | None:
    """Walk on to the next pattern that the segments are one of, and return what ends there; ``None`` when none is left.

    Begin with ``[(root, 0)]``, and pass the same list to go on.
    """
    while waiting:
        node, depth = waiting.pop()
        for segment in segments[depth:]:
            depth += 1
            literal, parameter = node.literals.get(segment), node.parameter
            if parameter is None or not segment:
                if literal is None:
                    break
                node = literal
            elif literal is None:
                node = parameter
            else:
                waiting.append((parameter, depth))
                node = literal
        else:
            if node.group is not None:
                return node.group
    return None
