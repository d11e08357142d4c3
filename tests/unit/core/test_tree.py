"""A tree of which a branch is changed equals one that is built so, and leaves the other as it was."""

from hypothesis import given
from hypothesis import strategies as st
from understudy_server.core.matching.tree import Node, next_group

_Pattern = tuple[str | None, ...]
_PATTERNS = st.lists(st.sampled_from(["a", "b", None]), max_size=4).map(tuple)
_PATHS = st.lists(st.sampled_from(["a", "b", "c", ""]), max_size=4).map(tuple)


def _found(tree: Node[int], path: tuple[str, ...]) -> list[int]:
    waiting, found = [(tree, 0)], []
    while waiting:
        group = next_group(path, waiting)
        if group is not None:
            found.append(group)
    return found


def _built(groups: dict[_Pattern, int]) -> Node[int]:
    root: Node[int] = Node()
    for pattern, group in groups.items():
        root.reach(pattern).group = group
    return root


def _nodes(tree: Node[int]) -> int:
    waiting, count = [tree], 0
    while waiting:
        node = waiting.pop()
        count += 1
        waiting += [*node.literals.values(), *([node.parameter] if node.parameter else [])]
    return count


@given(st.lists(st.tuples(_PATTERNS, st.none() | st.integers(0, 9)), max_size=8), _PATHS)
def test_a_tree_changed_step_by_step_equals_one_that_is_built_of_the_result(
    steps: list[tuple[_Pattern, int | None]], path: tuple[str, ...]
) -> None:
    tree: Node[int] = Node()
    groups: dict[_Pattern, int] = {}
    for pattern, group in steps:
        before, expected = tree, _found(tree, path)
        tree = tree.with_group(pattern, group)
        groups.pop(pattern, None)
        if group is not None:
            groups[pattern] = group
        assert _found(before, path) == expected
        built = _built(groups)
        assert _found(tree, path) == _found(built, path)
        assert _nodes(tree) == _nodes(built)
        node = tree.find(pattern)
        assert (node.group if node else None) == group


def test_a_branch_of_thousands_of_segments_is_changed_without_recursion() -> None:
    pattern = (None,) * 5000
    tree: Node[int] = Node()
    tree = tree.with_group(pattern, 1)
    assert _found(tree, ("x",) * 5000) == [1]
    assert tree.with_group(pattern, None).is_empty
