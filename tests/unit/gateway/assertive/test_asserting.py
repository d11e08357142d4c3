"""Assertions: which calls are meant, and how many."""

from typing import Any

import pytest
from assertive.core import ensure_criteria
from assertive.serialize import deserialize
from hypothesis import given
from hypothesis import strategies as st
from support import plain_times
from support.assertive_payloads import NUMBERS, criteria
from understudy.v1.matching_pb2 import RequestMatcher
from understudy_gateway.dialects.assertive import asserting
from understudy_gateway.dialects.assertive.times import verdict
from understudy_gateway.dialects.assertive.wire import Operation, parse
from understudy_server.core.matching.request import Request
from understudy_server.definitions.matchers import compile_matcher


def fits(payload: dict[str, Any], received: Request) -> bool:
    return compile_matcher(asserting.translate(payload).matcher, "matcher").matches(received)


def holds(times: Any, count: int) -> bool:
    held = verdict(asserting.translate({"times": times}).times, count, count)
    assert held is not None
    return held


def test_nothing_asked_is_one_call_at_least_of_any() -> None:
    assertion = asserting.translate({})
    assert assertion.matcher == RequestMatcher()
    assert [verdict(assertion.times, count, count) for count in (0, 1, 2)] == [False, True, True]
    assert asserting.translate({"times": None}) == assertion


@pytest.mark.parametrize(
    ("path", "sent", "expected"),
    [
        ("/users/{id}", "/users/42", False),
        ("/users/{id}", "/users/%7Bid%7D", True),
        ("/users", "/users/", False),
        ("/a b", "/a%20b", True),
        ("", "/", False),
        ({"$regex": {"pattern": "/users/[0-9]+"}}, "/users/42", True),
    ],
)
def test_a_path_that_is_a_text_stands_for_itself(path: Any, sent: str, expected: bool) -> None:
    assert fits({"path": path}, Request("GET", sent)) is expected


def test_parts_are_asked_for_as_of_stubs() -> None:
    received = Request("POST", "/pay", "a=1&a=2", b'{"n":1}', headers=((b"X-A", b"1"),), host="shop")
    assert fits(
        {
            "method": "POST",
            "headers": {"x-a": "1"},
            "query": {"a": "2"},
            "host": "shop",
            "body": {"$json": {"inner_criteria": {"n": 1}}},
        },
        received,
    )
    for part in ({"method": "post"}, {"headers": {"X-A": "1"}}, {"query": {"a": "1"}}, {"host": "x"}, {"body": ""}):
        assert not fits(part, received)


@pytest.mark.parametrize(
    ("times", "held"),
    [
        ({"$gte": {"value": 1}}, [1, 2, 3]),
        ({"$eq": {"value": 0}}, [0]),
        ({"$neq": {"value": 2}}, [0, 1, 3]),
        ({"$lt": {"value": 2}}, [0, 1]),
        ({"$lte": {"value": 2.0}}, [0, 1, 2]),
        ({"$gt": {"value": "1"}}, []),
        ({"$between": {"lower": 1, "upper": 3, "is_inclusive": False}}, [2]),
        ({"$between": {"lower": 1, "upper": 2}}, [1, 2]),
        ({"$between": {"lower": "1", "upper": "2"}}, []),
        ({"$even": {}}, [0, 2]),
        ({"$odd": {}}, [1, 3]),
        ({"$or": {"items": [{"$eq": {"value": 0}}, {"$gt": {"value": 2}}]}}, [0, 3]),
        ({"$and": {"items": []}}, [0, 1, 2, 3]),
        ({"$xor": {"left": {"$even": {}}, "right": {"$gt": {"value": 1}}}}, [0, 3]),
        ({"$not": {"value": {"$eq": {"value": 1}}}}, [0, 2, 3]),
        ({"$length": {"value": 1}}, []),
        ({"$regex": {"pattern": ""}}, []),
        (2, [2]),
        (2.0, [2]),
        ("2", []),
        ({"plain": 2}, []),
    ],
)
def test_times_are_a_criterion_on_the_number_of_calls(times: Any, held: list[int]) -> None:
    assert [count for count in range(4) if holds(times, count)] == held


@given(criteria(NUMBERS, exact_items=False), st.integers(0, 4))
def test_times_mean_what_the_products_own_library_says(times: Any, count: int) -> None:
    try:
        expected = ensure_criteria(deserialize(times)).run_match(count)
    except TypeError:
        return
    assert holds(times, count) is bool(expected)


_NUMBER = st.integers(-2, 9) | st.sampled_from([-0.5, 1.0, 2.5, 8.75, True, "2"])
_LEAF = st.one_of(
    _NUMBER,
    st.builds(
        lambda name, value: {name: {"value": value}},
        st.sampled_from(["$eq", "$neq", "$gt", "$gte", "$lt", "$lte"]),
        st.integers(-2, 9) | st.sampled_from([2.5, 3.0, "3"]),
    ),
    st.builds(
        lambda lower, upper, is_inclusive: {"$between": {"lower": lower, "upper": upper, "is_inclusive": is_inclusive}},
        st.integers(-2, 9) | st.just(1.5),
        st.integers(-2, 9) | st.just(6.5),
        st.booleans(),
    ),
    st.sampled_from([{"$even": {}}, {"$odd": {}}, {"$length": {"value": 1}}]),
)
_CRITERION = _LEAF.filter(lambda leaf: isinstance(leaf, dict))
_ANY = st.recursive(
    _CRITERION,
    lambda inner: st.one_of(
        st.builds(lambda value: {"$not": {"value": value}}, inner),
        st.builds(lambda value: {"$eq": {"value": value}}, inner),
        st.builds(lambda left, right: {"$xor": {"left": left, "right": right}}, inner, inner),
        st.builds(
            lambda name, items: {name: {"items": items}}, st.sampled_from(["$and", "$or"]), st.lists(inner, max_size=4)
        ),
    ),
    max_leaves=8,
)


@given(wanted=_ANY | _LEAF, least=st.integers(0, 12), more=st.integers(0, 12))
def test_a_range_of_numbers_is_told_as_one_after_the_other_would_tell(wanted: Any, least: int, more: int) -> None:
    node = parse(wanted)
    assert verdict(node, least, least + more) is plain_times.verdict(node, least, least + more)


@given(wanted=_ANY | _LEAF, least=st.integers(0, 12))
def test_a_range_without_end_is_told_as_one_that_ends_behind_all_that_is_named(wanted: Any, least: int) -> None:
    node = parse(wanted)
    assert verdict(node, least, None) is plain_times.verdict(node, least, 30)


def test_numbers_that_nobody_counts_to_are_known_all_the_same() -> None:
    wanted = asserting.translate({"times": {"$lte": {"value": 1e300}}}).times
    assert verdict(wanted, 0, None) is None
    assert verdict(wanted, 0, 10**9) is True


def test_a_long_criterion_costs_no_more_where_the_range_is_wide() -> None:
    """Its numbers are looked at once, not for each number in the range."""
    looked_at = 0

    class Counted(int):
        def __add__(self, other: int) -> int:
            nonlocal looked_at
            looked_at += 1
            return int(self) + other

        def __floor__(self) -> "Counted":
            return self

    items = [Operation("$gt", {"value": Counted(number * 100)}) for number in range(500)]
    assert verdict(Operation("$or", {"items": items}), 5, None) is True
    assert looked_at == 2 * len(items)
