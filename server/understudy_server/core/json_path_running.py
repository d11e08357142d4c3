"""Following a JSONPath through a document: which values it selects, and in which order (RFC 9535, section 2).

A path is made into functions once. They call each other as deep as the path is nested, and not the document, and they
count what they look at: so neither deep nor large documents hold anybody up.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from understudy_server.core import json_path_tree as tree
from understudy_server.core import patterns
from understudy_server.core.json_path_comparing import NOTHING, equal, less, not_above
from understudy_server.core.json_path_syntax import BadPath
from understudy_server.core.steps import Steps

# Asked of each value: with a union in its place that takes three times as long.
_NESTING: Final = (dict, list)

# What these take, in steps (measured): each list or object on the way down, and each pattern that the document brings.
_STEPS_OF_DESCENT: Final = 8
_STEPS_OF_PATTERN: Final = 5_000


class _Run:
    """One document on its way: its whole, and the steps that are left. ``known``: what paths from `$` select in it.

    ``patterns``: those that came with it, as far as they were met.
    """

    __slots__ = ("known", "patterns", "root", "steps")

    def __init__(self, root: Any, steps: Steps) -> None:
        self.root = root
        self.steps = steps
        self.known: dict[int, list[Any]] = {}
        self.patterns: dict[str, patterns.Pattern | None] = {}


_Select = Callable[[Any, _Run, list[Any]], None]
"""Appends what is selected in a value."""

_Follow = Callable[[list[Any], _Run], list[Any]]
_Truth = Callable[[Any, _Run], bool]
_Value = Callable[[Any, _Run], Any]


def follow(segments: tree.Segments) -> Callable[[Any, Steps], list[Any]]:
    """The function that follows a path: from a document to what is selected in it. It raises TooManySteps."""
    run = _follow(segments)
    return lambda document, steps: run([document], _Run(document, steps))


def _follow(segments: tree.Segments) -> _Follow:
    parts = [_descend(segment) if segment.deep else _child(segment) for segment in segments]

    def run(nodes: list[Any], state: _Run) -> list[Any]:
        for part in parts:
            if not nodes:
                break
            nodes = part(nodes, state)
        return nodes

    return run


def _child(segment: tree.Segment) -> _Follow:
    selects = [_select(selector) for selector in segment.selectors]
    count = len(selects)

    def run(nodes: list[Any], state: _Run) -> list[Any]:
        state.steps.take(count * len(nodes))
        found: list[Any] = []
        for node in nodes:
            if isinstance(node, _NESTING):
                for select in selects:
                    select(node, state, found)
        return found

    return run


def _descend(segment: tree.Segment) -> _Follow:
    selects = [_select(selector) for selector in segment.selectors]
    count = _STEPS_OF_DESCENT + 2 * len(selects)

    def run(nodes: list[Any], state: _Run) -> list[Any]:
        found: list[Any] = []
        # A value before what it holds, and that in its order: the next one is at the end.
        waiting = [node for node in reversed(nodes) if isinstance(node, _NESTING)]
        while waiting:
            node = waiting.pop()
            state.steps.take(count + len(node))
            for select in selects:
                select(node, state, found)
            children: Iterable[Any] = reversed(node.values() if isinstance(node, dict) else node)
            waiting += [child for child in children if isinstance(child, _NESTING)]
        return found

    return run


def _select(selector: tree.Selector) -> _Select:
    match selector:
        case tree.Name(name):
            return _member(name)
        case tree.Index(index):
            return _element(index)
        case tree.Slice(start, stop, step):
            return _elements(slice(start, stop, step))
        case tree.Wildcard():
            return _everything
        case tree.Filter(test):
            return _chosen(test)


def _member(name: str) -> _Select:
    def select(node: Any, state: _Run, found: list[Any]) -> None:  # noqa: ARG001 - as all selectors
        if isinstance(node, dict) and name in node:
            found.append(node[name])

    return select


def _element(index: int) -> _Select:
    least = index + 1 if index >= 0 else -index

    def select(node: Any, state: _Run, found: list[Any]) -> None:  # noqa: ARG001 - as all selectors
        if isinstance(node, list) and len(node) >= least:
            found.append(node[index])

    return select


def _elements(part: slice) -> _Select:
    def select(node: Any, state: _Run, found: list[Any]) -> None:
        if isinstance(node, list) and part.step != 0:
            state.steps.take(len(range(*part.indices(len(node)))))
            found += node[part]

    return select


def _everything(node: Any, state: _Run, found: list[Any]) -> None:
    if node:
        state.steps.take(len(node))
        found += node.values() if isinstance(node, dict) else node


def _chosen(test: tree.Test) -> _Select:
    holds = _truth(test)
    size = 1 + _size(test)

    def select(node: Any, state: _Run, found: list[Any]) -> None:
        state.steps.take(size * len(node))
        values = node.values() if isinstance(node, dict) else node
        found += [value for value in values if holds(value, state)]

    return select


def _size(test: tree.Test | tree.Operand) -> int:
    """How many steps it takes to try a test on one value, but for what depends on the value."""
    match test:
        case tree.Path(segments):
            return (1 if test.singular else 2) * (1 + len(segments))
        case tree.Call(_, arguments):
            return 2 + sum(map(_size, arguments))
        case tree.Compare(_, left, right):
            return 1 + _size(left) + _size(right)
        case tree.Not(inner):
            return 1 + _size(inner)
        case tree.All(tests) | tree.Any(tests):
            return 1 + sum(map(_size, tests))
        case _:
            return 1


def _truth(test: tree.Test) -> _Truth:
    match test:
        case tree.Path():
            return _existence(test)
        case tree.Call():
            return _found(test)
        case tree.Compare():
            return _comparison(test)
        case tree.Not(inner):
            wanted = _truth(inner)
            return lambda value, state: not wanted(value, state)
        case tree.All(tests):
            return _all([_truth(each) for each in tests])
        case tree.Any(tests):
            return _any([_truth(each) for each in tests])


def _all(tests: list[_Truth]) -> _Truth:
    return lambda value, state: all(test(value, state) for test in tests)


def _any(tests: list[_Truth]) -> _Truth:
    return lambda value, state: any(test(value, state) for test in tests)


def _existence(path: tree.Path) -> _Truth:
    if path.singular:
        get = _single(path)
        return lambda value, state: get(value, state) is not NOTHING
    nodes = _nodes(path)
    return lambda value, state: bool(nodes(value, state))


def _nodes(path: tree.Path) -> Callable[[Any, _Run], list[Any]]:
    """All that a path in a filter selects; one from `$` is followed once for each document."""
    run = _follow(path.segments)
    if not path.absolute:
        return lambda value, state: run([value], state)
    key = id(run)

    def once(value: Any, state: _Run) -> list[Any]:  # noqa: ARG001 - as the other
        if key not in state.known:
            state.known[key] = run([state.root], state)
        return state.known[key]

    return once


def _single(path: tree.Path) -> _Value:
    """The one value that a path selects, or nothing."""
    selectors = [selector for segment in path.segments for selector in segment.selectors]
    keys: list[Any] = [
        each.name if isinstance(each, tree.Name) else each.index
        for each in selectors
        if isinstance(each, tree.Name | tree.Index)
    ]
    absolute = path.absolute

    def get(value: Any, state: _Run) -> Any:
        node = state.root if absolute else value
        for key in keys:
            if not isinstance(node, list if isinstance(key, int) else dict):
                return NOTHING
            try:
                node = node[key]
            except LookupError:
                return NOTHING
        return node

    return get


def _value(operand: tree.Operand) -> _Value:
    match operand:
        case tree.Constant(constant):
            return lambda value, state: constant  # noqa: ARG005 - as all values
        case tree.Path():
            return _single(operand)
        case tree.Call("length", (argument,)):
            measured = _value(argument)
            return lambda value, state: _length(measured(value, state))
        case tree.Call("count", (tree.Path() as path,)):
            counted = _nodes(path)
            return lambda value, state: len(counted(value, state))
        case tree.Call("value", (tree.Path() as path,)):
            nodes = _nodes(path)
            return lambda value, state: _only(nodes(value, state))
        case _:
            raise AssertionError(operand)


def _length(value: Any) -> Any:
    return len(value) if isinstance(value, str | list | dict) else NOTHING


def _only(nodes: list[Any]) -> Any:
    return nodes[0] if len(nodes) == 1 else NOTHING


def _found(call: tree.Call) -> _Truth:
    """`match` and `search`. What is no text is not found, and nothing is found by what is no pattern."""
    subject, pattern_text = map(_value, call.arguments)
    whole = call.name == "match"
    constant = call.arguments[1]
    fixed = None
    if isinstance(constant, tree.Constant) and isinstance(constant.value, str):
        # Said here, when it is set, and not found out by what never matches.
        try:
            fixed = patterns.compile(patterns.with_dots(constant.value))
        except patterns.BadPattern as error:
            raise BadPath(f"{call.name}() has a pattern that is none: {error}") from None

    def holds(value: Any, state: _Run) -> bool:
        text = subject(value, state)
        pattern = fixed or _pattern_of(pattern_text(value, state), state)
        if pattern is None or not isinstance(text, str):
            return False
        return pattern.whole(text, state.steps) if whole else pattern.within(text, state.steps)

    return holds


def _pattern_of(text: Any, state: _Run) -> patterns.Pattern | None:
    """The pattern that came with the document; ``None`` when it is none."""
    if not isinstance(text, str):
        return None
    if text not in state.patterns:
        state.steps.take(_STEPS_OF_PATTERN)
        state.patterns[text] = patterns.i_regexp(text)
    return state.patterns[text]


def _comparison(test: tree.Compare) -> _Truth:
    left, right = _value(test.left), _value(test.right)
    match test.operator:
        case "==":
            return lambda value, state: equal(left(value, state), right(value, state), state.steps)
        case "!=":
            return lambda value, state: not equal(left(value, state), right(value, state), state.steps)
        case "<":
            return lambda value, state: less(left(value, state), right(value, state), state.steps)
        case ">":
            return lambda value, state: less(right(value, state), left(value, state), state.steps)
        case "<=":
            return lambda value, state: not_above(left(value, state), right(value, state), state.steps)
        case _:
            return lambda value, state: not_above(right(value, state), left(value, state), state.steps)
