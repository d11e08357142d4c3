"""What paths select, how long they may take, and that a library which follows them in its own way agrees."""

from typing import Any

import pytest
from hypothesis import assume, example, given, reject
from hypothesis import strategies as st
from jsonpath import JSONPathEnvironment, JSONPathError
from support.cpu_time import cpu_seconds
from understudy_server.core.json_paths import PATH_MAX, STEPS_MAX, BadPath, TooManySteps, query
from understudy_server.core.steps import Steps


@pytest.mark.parametrize(
    ("path", "document", "values"),
    [
        ("$[?@ == 1]", [1, True, 1.0, "1", [1]], [1, 1.0]),
        ("$[?@ == true]", [1, True, "true"], [True]),
        ("$[?@ == $[0]]", [[1, {"a": True}], [True, {"a": True}], [1.0, {"a": True}], [1, {"a": 1}]], None),
        (
            "$[?@ == 12345678901234567890123]",
            [12345678901234567890123, 12345678901234567890124],
            [12345678901234567890123],
        ),
        ("$[?@ < 'b']", ["a", "b", 1, None], ["a"]),
        ("$[?@ <= null]", [None, 0, "null"], [None]),
        ("$[?@ <= false]", [False, 0, True], [False]),
        ("$[?@.a != @.b]", [{"a": 1}, {"a": 1, "b": 1}, {}], [{"a": 1}]),
        ("$[?!@.a]", [{"a": None}, {"b": 1}, 1], [{"b": 1}, 1]),
        (
            "$[?length(@) == 2]",
            ["né", "😀x", [1, 2], {"a": 1, "b": 2}, 22, None],
            ["né", "😀x", [1, 2], {"a": 1, "b": 2}],
        ),
        ("$[?count(@.*) == 2]", [[1, 2], [1], {"a": 1, "b": 2}, "ab"], [[1, 2], {"a": 1, "b": 2}]),
        ("$[?value(@..a) == 1]", [{"a": 1}, {"b": [{"a": 1}]}, {"a": 1, "b": {"a": 1}}], [{"a": 1}, {"b": [{"a": 1}]}]),
        ("$[?match(@, 'a.c')]", ["abc", "a\nc", "a\rc", "a\u2028c", "abcd", 1], ["abc", "a\u2028c"]),
        ("$[?match(@, 'a|bc')]", ["a", "bc", "ac"], ["a", "bc"]),
        ("$[?search(@, '[.]')]", ["a.b", "ab"], ["a.b"]),
        ("$[?search(@, '\\\\.')]", ["a.b", "ab"], ["a.b"]),
        ("$.t[?match(@, $.p)]", {"t": ["ab", "b"], "p": "a."}, ["ab"]),
        ("$.t[?match(@, $.p)]", {"t": ["ab", "("], "p": "("}, []),
        ("$.t[?match(@, $.p)]", {"t": ["ab", "a" * 300], "p": "a" * 300}, []),
        ("$.t[?match(@, $.p)]", {"t": ["a" * 200], "p": "a{200}"}, []),
        ("$.t[?match(@, $.p)]", {"t": ["ab"] * 500, "p": "a."}, ["ab"] * 500),
        ("$[?match('ab', @)]", ["a", "a.", "(", 1, "[ab]+"], ["a.", "[ab]+"]),
        ("$[?match('a', 1) || match(1, 'a')]", [1], []),
        ("$[?search(@, 'x')]", ["\ud800x", "\ud800"], ["\ud800x"]),
        ("$[?count($[*]) == 3]", [1, 2, 3], [1, 2, 3]),
        ("$[::0]", [1], []),
        ("$[-3]", [1, 2], []),
        ("$['a']", [1], []),
        ("$[0]", {"0": 1}, []),
        ("$[0]", "abc", []),
        ("$..[0, 'a']", {"a": [1, {"a": 2}]}, [[1, {"a": 2}], 1, 2]),
        ("$..[?@.a]", [[{"a": 1}], {"a": 2}], [{"a": 2}, {"a": 1}]),
    ],
)
def test_path_selects_these_values(path: str, document: Any, values: list[Any] | None) -> None:
    if values is None:
        values = [document[0], document[2]]
    selected = query(path).values(document)
    assert selected == values
    assert [type(each) for each in selected] == [type(each) for each in values]


def test_pattern_that_is_none_is_refused_when_it_is_read() -> None:
    with pytest.raises(BadPath, match=r"match\(\) has a pattern that is none: missing \)"):
        query("$[?match(@, '(')]")


def test_path_is_refused_when_it_is_too_long() -> None:
    with pytest.raises(BadPath, match=f"{PATH_MAX} are the most"):
        query("$" + " " * PATH_MAX + ".a")
    with pytest.raises(BadPath, match=f"{STEPS_MAX} are the most"):
        query("$" + ".a" * (STEPS_MAX + 1))


def test_singular_path_says_so() -> None:
    assert query("$.a[0]['b']").singular
    assert not query("$.a[*]").singular
    assert not query("$..a").singular
    assert not query("$['a','b']").singular


def _deep(levels: int) -> Any:
    document: Any = "end"
    for level in range(levels):
        document = [document] if level % 2 else {"a": document}
    return document


def test_depth_of_the_document_does_not_matter() -> None:
    assert query("$..a").values(_deep(20_000), 1_000_000)[-1] == "end"
    two = [_deep(10_000), _deep(10_000)]
    assert len(query("$[?@ == $[0]]").values(two, 1_000_000)) == 2


_HOSTILE = [
    ("$..*..*..*", [[[[0] * 20] * 20] * 20]),
    ("$[?count($..*) > count(@..*)]", [[[0] * 50] * 50] * 50),
    ("$[?@ == $[0]]", [[0] * 2000] * 100),
    ("$[?$[0] == $[1]]", ["x" * 500_000, "x" * 500_000, *range(50)]),
    ("$[?@ < $[0]]", ["x" * 500_000] * 50),
    ("$[?match('a', @)]", [f"a{number}" for number in range(100)]),
    ("$[?match('a', @)]", [f"\\pL[a-z]{{50}}{number}" for number in range(100)]),
    ("$[?search(@, 'a[ab]{60}c')]", ["ab" * 100] * 1000),
    ("$..a", [{"b": [number]} for number in range(30_000)]),
    ("$[?@..a]", [_deep(200)] * 1000),
    ("$..['a','b','c','d','e','f']", [{"a": 1, "b": 2}] * 20_000),
    ("$[*,*,*,*][*,*,*,*][*,*,*,*]", [[[0] * 20] * 20] * 20),
    ("$[" + ",".join(["0:1000"] * 400) + "]", [0] * 1000),
]


@pytest.mark.parametrize(("path", "document"), _HOSTILE, ids=[path[:30] for path, _ in _HOSTILE])
def test_path_that_takes_too_long_is_given_up(path: str, document: Any) -> None:
    follow = query(path).values

    def run() -> None:
        with pytest.raises(TooManySteps):
            follow(document)

    # It takes 20 ms at most where nothing else runs.
    assert cpu_seconds(run) < 0.1


def test_steps_may_be_given_and_shared() -> None:
    ten = query("$[*]")
    assert len(ten.values([0] * 10, 11)) == 10
    with pytest.raises(TooManySteps):
        ten.values([0] * 10, 10)
    shared = Steps(25)
    ten.values([0] * 10, shared)
    ten.values([0] * 10, shared)
    assert shared.left == 3
    with pytest.raises(TooManySteps):
        ten.values([0] * 10, shared)
    assert shared.left == 0


# What the library reads as the RFC does, and what follows in a document from it.
_names = st.sampled_from(["a", "b", "c"])
_ints = st.integers(-3, 3)
_maybe_ints = st.one_of(st.just(""), _ints.map(str))
_slices = st.tuples(_maybe_ints, _maybe_ints, st.one_of(st.just(""), _ints.map(lambda step: f":{step}"))).map(
    lambda parts: f"{parts[0]}:{parts[1]}{parts[2]}"
)
_constants = st.sampled_from(["0", "1", "-1.5", "'a'", '"b"', "true", "false", "null"])

_singular = st.tuples(
    st.sampled_from(["@", "$"]),
    st.lists(st.one_of(_names.map(lambda name: f".{name}"), _ints.map(lambda index: f"[{index}]")), max_size=2).map(
        "".join
    ),
).map("".join)


@st.composite
def _paths(draw: st.DrawFn, depth: int) -> str:
    """A path without its beginning; filters in it are nested so deep."""
    return "".join([draw(_segments(depth)) for _ in range(draw(st.integers(0, 3)))])


@st.composite
def _segments(draw: st.DrawFn, depth: int) -> str:
    kind = draw(st.sampled_from([".", "[", "..["]))
    if kind == ".":
        return kind + draw(_names)
    return kind + ",".join([draw(_selectors(depth)) for _ in range(draw(st.integers(1, 2)))]) + "]"


@st.composite
def _selectors(draw: st.DrawFn, depth: int) -> str:
    if depth and draw(st.booleans()):
        return "?" + draw(_tests(depth))
    return draw(st.one_of(_names.map(lambda name: f"'{name}'"), _ints.map(str), _slices, st.just("*")))


@st.composite
def _values(draw: st.DrawFn, depth: int) -> str:
    kind = draw(st.sampled_from(["path", "constant", "length", "count", "value"]))
    if kind == "constant":
        return draw(_constants)
    if kind in {"path", "length"}:
        path = draw(_singular)
        return path if kind == "path" else f"length({path})"
    # The library raises TypeError for `count(@)` and `value(@)` where that is no container.
    return f"{kind}(@{draw(_paths(depth - 1).filter(bool))})"


@st.composite
def _tests(draw: st.DrawFn, depth: int) -> str:
    kind = draw(st.sampled_from(["path", "compare", "match", "search", "!", "&&", "||", "()"]))
    if kind == "path":
        # The library takes a value that is there and false for one that is not, where it is the whole of a test.
        return f"@{draw(_paths(depth - 1).filter(bool))}"
    if kind == "compare":
        return draw(_values(depth)) + draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">="])) + draw(_values(depth))
    if kind in {"match", "search"}:
        return f"{kind}({draw(_singular)}, '{draw(st.sampled_from(['a', 'a|b', '[^b]*', '.']))}')"
    if kind == "!":
        return f"!({draw(_tests(depth))})"
    if kind == "()":
        return f"({draw(_tests(depth))})"
    return draw(_tests(depth)) + kind + draw(_tests(depth))


_leaves = st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.just(1.5), st.sampled_from(["a", "b", "ab", ""]))
_documents = st.recursive(
    _leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_names, inner, max_size=3)),
    max_leaves=10,
)
_library = JSONPathEnvironment(strict=True)


def _typed(values: list[Any]) -> str:
    return repr(values)


@given(_paths(2).map("$".__add__), _documents)
@example("$..[?@.a == @.b]", [{"a": 1, "b": True}])
def test_library_selects_the_same(path: str, document: Any) -> None:
    values = [document, *query("$..*").values(document)]
    # It slices texts, too.
    assume(":" not in path or not any(isinstance(value, str) for value in values))
    # It orders true and false as if they were numbers.
    has_booleans = "true" in path or "false" in path or any(isinstance(value, bool) for value in values)
    assume(not has_booleans or not {"<", ">"} & set(path))
    try:
        expected = list(_library.findall(path, document))
    except JSONPathError:
        # It refuses an index before a slice, as in `$[0,:]`.
        reject()
    assert _typed(query(path).values(document)) == _typed(expected)
