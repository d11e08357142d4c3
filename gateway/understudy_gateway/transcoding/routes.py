"""Routing on the raw path: a tree by segment, literal before variable, each segment percent-decoded exactly once.

``feature%2Flogin`` is one segment. A colon belongs to the segment it is in, unless a sibling route has what follows it
as its verb: then ``{id}:publish`` is that route's for every method, and a plain ``{id}`` never swallows it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import unquote_to_bytes

from understudy_gateway.transcoding.templates import ANY_SEGMENT, REST_OF_PATH, Template, Variable

ANY_METHOD = "*"

MEMO_PATHS_MAX = 1024
MEMO_PATH_BYTES_MAX = 512

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")

Target = TypeVar("Target")


class BadEncoding(Exception):
    """Percent-encoding that is malformed, or that stands for bytes that are not UTF-8."""


class PathNotFound(Exception):
    """No route has this path."""


class MethodNotAllowed(Exception):
    """Routes have this path, for other methods: ``allowed``, sorted."""

    def __init__(self, allowed: list[str]) -> None:
        super().__init__(", ".join(allowed))
        self.allowed = allowed


class Match(NamedTuple, Generic[Target]):
    """The route found and the decoded segments that its variables stand for, in the order of the template."""

    target: Target
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Leaf(Generic[Target]):
    """What a path leads to, by method."""

    methods: dict[str, tuple[Target, tuple[Variable, ...]]] = field(default_factory=dict)


@dataclass(slots=True)
class _Node(Generic[Target]):
    literals: dict[str, "_Node[Target]"] = field(default_factory=dict)
    variable: "_Node[Target] | None" = None
    rest: "_Node[Target] | None" = None
    leaf: _Leaf[Target] | None = None
    verbs: dict[str, _Leaf[Target]] = field(default_factory=dict)


class AmbiguousRoute(Exception):
    """Two routes of the contract have the same method and path. Raised when the gateway starts, never by a request."""


class RouteTree(Generic[Target]):
    """All routes. Adding is for the start; ``find`` costs time by the number of segments, not of routes."""

    def __init__(self) -> None:
        self._root: _Node[Target] = _Node()
        # Clients ask for the same few paths again and again: finding one anew costs ten times a look into a memo.
        self._remembered = lru_cache(MEMO_PATHS_MAX)(self._search)

    def add(self, method: str, template: Template, target: Target) -> None:
        """Add a route; the method is upper case, or ``*`` for any. Raises ``AmbiguousRoute``."""
        node = self._root
        for step in template.steps:
            node = _grow(node, step)
        if template.verb:
            leaf = node.verbs.setdefault(template.verb, _Leaf())
        else:
            leaf = node.leaf = node.leaf or _Leaf()
        if method in leaf.methods:
            raise AmbiguousRoute(f"{method} /{'/'.join(template.steps)}:{template.verb}")
        leaf.methods[method] = (target, template.variables)
        self._remembered.cache_clear()

    def find(self, method: str, raw_path: bytes) -> Match[Target]:
        """Find the route of a request. Raises ``BadEncoding``, ``PathNotFound`` or ``MethodNotAllowed``."""
        search = self._remembered if len(raw_path) <= MEMO_PATH_BYTES_MAX else self._search
        return search(method, raw_path)

    def _search(self, method: str, raw_path: bytes) -> Match[Target]:
        segments, ends = _segments(raw_path)
        allowed: set[str] = set()
        for leaf, verb in self._leaves(segments, ends):
            found = leaf.methods.get(method) or leaf.methods.get(ANY_METHOD)
            if found is not None:
                target, variables = found
                return Match(target, _values(variables, segments, ends[0] if verb else None))
            allowed.update(leaf.methods)
        if allowed:
            raise MethodNotAllowed(sorted(allowed))
        raise PathNotFound

    def _leaves(self, segments: list[str], ends: tuple[str, str]) -> Iterator[tuple[_Leaf[Target], bool]]:
        """Yield what the path may lead to, best first, and whether its last segment ended with a verb."""
        last = len(segments) - 1
        # The branches not taken yet, the best on top. There is more than one only where the routes differ.
        branches = [(self._root, 0)]
        while branches:
            node, at = branches.pop()
            if at < 0:
                yield from _ending(node, ends[1])
                continue
            if node.rest is not None:
                branches.append((node.rest, -1))
            if at == last:
                yield from _last(node, segments[at], ends)
                continue
            segment = segments[at]
            if node.variable is not None and segment:
                branches.append((node.variable, at + 1))
            literal = node.literals.get(segment)
            if literal is not None:
                branches.append((literal, at + 1))


def _last(node: _Node[Target], segment: str, ends: tuple[str, str]) -> Iterator[tuple[_Leaf[Target], bool]]:
    """Yield the leaves for the last segment. One that ends with a known verb leads there and nowhere else."""
    head, verb = ends
    for child in (node.literals.get(head), node.variable if head else None):
        if child is not None and verb in child.verbs:
            yield child.verbs[verb], True
            return
    for child in (node.literals.get(segment), node.variable if segment else None):
        if child is not None and child.leaf is not None:
            yield child.leaf, False


def _ending(node: _Node[Target], verb: str) -> Iterator[tuple[_Leaf[Target], bool]]:
    """Yield the leaf of the rest of a path: that of its verb if it ends with a known one."""
    if verb in node.verbs:
        yield node.verbs[verb], True
    elif node.leaf is not None:
        yield node.leaf, False


def _grow(node: _Node[Target], step: str) -> _Node[Target]:
    if step == ANY_SEGMENT:
        node.variable = node.variable or _Node()
        return node.variable
    if step == REST_OF_PATH:
        node.rest = node.rest or _Node()
        return node.rest
    return node.literals.setdefault(step, _Node())


def _segments(raw_path: bytes) -> tuple[list[str], tuple[str, str]]:
    """Split a raw path into decoded segments, and its last segment at its last raw colon into head and verb."""
    try:
        path = raw_path.decode()
    except UnicodeDecodeError as error:
        raise BadEncoding from error
    segments = path.split("/")[1:] or [""]
    head, _, verb = segments[-1].rpartition(":")
    if "%" in path:
        return [decode(segment) for segment in segments], (decode(head), decode(verb))
    return segments, (head, verb)


def decode(text: str) -> str:
    """Decode the percent-encoding of a text once. Raises ``BadEncoding``."""
    if "%" not in text:
        return text
    if _BAD_ESCAPE.search(text):
        raise BadEncoding
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError as error:
        raise BadEncoding from error


def _values(variables: tuple[Variable, ...], segments: list[str], head: str | None) -> tuple[str, ...]:
    if head is not None:
        segments = [*segments[:-1], head]
    return tuple("/".join(segments[variable.start : variable.stop]) for variable in variables)
