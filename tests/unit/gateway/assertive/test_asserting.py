"""Assertions: which calls are meant, and how many."""

from typing import Any

import pytest
from assertive.core import ensure_criteria
from assertive.serialize import deserialize
from hypothesis import given
from hypothesis import strategies as st
from support.assertive_payloads import NUMBERS, criteria
from understudy.v1.matching_pb2 import RequestMatcher
from understudy_gateway.dialects.assertive import asserting
from understudy_server.core.matching.request import Request
from understudy_server.definitions.matchers import compile_matcher


def fits(payload: dict[str, Any], received: Request) -> bool:
    return compile_matcher(asserting.translate(payload).matcher, "matcher").matches(received)


def holds(times: Any, count: int) -> bool:
    return asserting.translate({"times": times}).holds(count)


def test_nothing_asked_is_one_call_at_least_of_any() -> None:
    assertion = asserting.translate({})
    assert assertion.matcher == RequestMatcher()
    assert [assertion.holds(count) for count in (0, 1, 2)] == [False, True, True]
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
