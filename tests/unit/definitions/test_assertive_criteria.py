"""Each operator of Assertive has its equal here. Source: the product's documentation of its criteria, one test a row.

The subject of most of them is a value within JSON, as under `$json`; what is said of texts is tried with texts.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from understudy.v1.matching_pb2 import Criterion, RequestMatcher
from understudy_server.core.matching.request import Request
from understudy_server.core.matching.values import Json, Text
from understudy_server.core.steps import Steps
from understudy_server.definitions.criteria import compile_criterion
from understudy_server.definitions.matchers import compile_matcher

Row = tuple[str, dict[str, Any], list[Any], list[Any]]
"""A name, the criterion, values for which it holds, and values for which it does not."""


def eq(value: Any) -> dict[str, Any]:
    return {"json_equals": json.dumps(value)}


def gt(value: Any) -> dict[str, Any]:
    return {"greater_than": json.dumps(value)}


def every(*criteria: dict[str, Any]) -> dict[str, Any]:
    return {"all": {"criteria": list(criteria)}}


def either(*criteria: dict[str, Any]) -> dict[str, Any]:
    return {"any": {"criteria": list(criteria)}}


def fields(found: dict[str, Any], *, only: bool) -> dict[str, Any]:
    return {"fields": {"fields": found, "only": only}}


ROWS: list[Row] = [
    (
        "$eq",
        eq({"a": [1, "x"]}),
        [{"a": [1, "x"]}, {"a": [1.0, "x"]}],
        [{"a": [1]}, {"a": [1, "x"], "b": 0}, "x", None],
    ),
    ("$eq with criteria in it", fields({"a": gt(1)}, only=True), [{"a": 2}], [{"a": 1}, {"a": 2, "b": 3}, {}]),
    ("$neq", {"not": eq(1)}, [2, "1", None, [1]], [1, 1.0]),
    ("$gt", gt(5), [6, 5.5], [5, 4, "6", None, True, [6]]),
    ("$gt of texts", gt("b"), ["ba", "c"], ["b", "B", 7]),
    ("$gte", {"at_least": "5"}, [5, 6], [4.9, "5"]),
    ("$lt", {"less_than": "5"}, [4, -1], [5, "4"]),
    ("$lte", {"at_most": "5"}, [5, 4], [5.1]),
    ("$between", {"between": {"lower": "1", "upper": "3"}}, [1, 2, 3], [0, 4, "2"]),
    ("$between, exclusive", {"between": {"lower": "1", "upper": "3", "exclusive": True}}, [2, 1.5], [1, 3]),
    ("$and", every(gt(1), {"less_than": "9"}), [5], [1, 9]),
    ("$or", either(gt(1), eq(-20)), [2, -20], [1, 0]),
    ("$xor", {"exactly_one": {"criteria": [gt(1), gt(5)]}}, [2, 5], [1, 6]),
    ("$not", {"not": gt(1)}, [1, "x"], [2]),
    ("$json", {"json": fields({"a": gt(1)}, only=True)}, ['{"a": 2}'], ['{"a": 1}', "{", "", "[]"]),
    (
        "$contains, of a list",
        every({"some": eq(1)}, {"some": {"prefix": "a"}}),
        [[1, "ab"], ["a", 2, 1]],
        [[1], ["a"], [], {"a": 1}, 1],
    ),
    ("$contains, of a text", every({"some": eq("a")}, {"some": eq("b")}), ["ab", "xbya"], ["a", "", "AB"]),
    ("$contains_exactly", {"elements": {"criteria": [eq(1), gt(1)]}}, [[1, 2]], [[2, 1], [1], [1, 2, 3], "12", []]),
    ("$regex", {"pattern_at_start": "[0-9]+"}, ["7abc", "7"], ["abc7", ""]),
    ("$length", {"length": eq(2)}, ["ab", "éé", [1, 2], {"a": 1, "b": 2}], ["a", [1], {}, 2, None, True]),
    ("$length with a criterion", {"length": gt(2)}, ["abc", [1, 2, 3]], ["ab", []]),
    ("$key_values", fields({"a": gt(1)}, only=False), [{"a": 2}, {"a": 2, "b": 1}], [{"a": 1}, {"b": 2}, {}, [], 2]),
    ("$exact_key_values", fields({"a": gt(1)}, only=True), [{"a": 2}], [{"a": 2, "b": 1}, {}]),
    ("$exact_key_values of none", fields({}, only=True), [{}], [{"a": 1}, []]),
    ("$even", {"remainder": {"divisor": 2}}, [0, 4, -2, 2.0], [1, 1.5, "2", None, True]),
    ("$odd", {"remainder": {"divisor": 2, "remainder": 1}}, [1, -1, 3.0], [2, 0.5]),
    ("$ignore_case", {"equals": "Gold", "ignore_case": True}, ["gold", "GOLD"], ["golden", "", "g old"]),
    # Forms that the product's client sends.
    ("is_gt(1) | 20", either(gt(1), eq(20)), [2, 20], [1]),
    ("~is_eq(1)", {"not": eq(1)}, [2], [1]),
    ("between(1, 3).exclusive()", {"between": {"lower": "1", "upper": "3", "exclusive": True}}, [2], [1, 3]),
    ("has_length(is_gt(2))", {"length": gt(2)}, ["abc"], ["ab"]),
]


def _cases() -> Iterator[Any]:
    for name, criterion, holding, failing in ROWS:
        for value, expected in [(value, True) for value in holding] + [(value, False) for value in failing]:
            yield pytest.param(criterion, value, expected, id=f"{name}: {json.dumps(value)}")


@pytest.mark.parametrize(("criterion", "value", "expected"), list(_cases()))
def test_an_operator_means_the_same_for_a_value_within_json(
    criterion: dict[str, Any], value: Any, expected: bool
) -> None:
    compiled = compile_criterion(ParseDict(criterion, Criterion()), "criterion")
    assert compiled.holds(Json(value), Steps()) is expected


@pytest.mark.parametrize(
    ("criterion", "text", "expected"),
    [
        (gt("b"), "c", True),
        (gt("b"), "a", False),
        ({"json": gt(5)}, "6", True),
        ({"json": gt(5)}, "x", False),
        # What is no criterion on JSON there sees a text, which no number equals.
        ({"text": eq(2)}, "2", False),
        ({"text": eq("2")}, "2", True),
        ({"text": gt(1)}, "2", False),
        ({"text": {"some": eq("1")}}, "[1]", True),
        ({"text": {"length": eq(3)}}, "éab", True),
    ],
)
def test_an_operator_means_the_same_for_a_text(criterion: dict[str, Any], text: str, expected: bool) -> None:
    compiled = compile_criterion(ParseDict(criterion, Criterion()), "criterion")
    assert compiled.holds(Text(text), Steps()) is expected


def _matches(matcher: dict[str, Any], request: Request) -> bool:
    return compile_matcher(ParseDict(matcher, RequestMatcher()), "matcher").matches(request)


def _request(query: str = "", body: bytes = b"", *headers: tuple[bytes, bytes]) -> Request:
    return Request("POST", "/users/42", query, body, headers=headers, host="shop.example.com")


@pytest.mark.parametrize(
    ("matcher", "request_", "expected"),
    [
        pytest.param({"path_criterion": {"pattern_at_start": "/users/[0-9]+"}}, _request(), True, id="path"),
        pytest.param({"method_criterion": {"equals": "post"}}, _request(), False, id="method counts case"),
        pytest.param({"host": {"equals": "shop.example.com"}}, _request(), True, id="host"),
        pytest.param(
            {"all_query": fields({"a": eq("2")}, only=False)}, _request("a=1&a=2&b"), True, id="last of query"
        ),
        pytest.param({"all_query": fields({"a": eq("1")}, only=False)}, _request("a=1&a=2"), False, id="not the first"),
        pytest.param({"all_query": fields({"a": eq("")}, only=True)}, _request("a"), True, id="no value is empty"),
        pytest.param({"all_query": fields({"a": eq(2)}, only=False)}, _request("a=2"), False, id="query is text"),
        pytest.param(
            {"all_headers": fields({"x-team": eq("qa")}, only=False)},
            _request("", b"", (b"X-Team", b"qa"), (b"x-team", b"dev")),
            True,
            id="first of headers",
        ),
        pytest.param({"body": {"equals": ""}}, _request(), True, id="no body is the empty text"),
        pytest.param({"body": {"text": {"length": eq(2)}}}, _request("", "éé".encode()), True, id="length of a body"),
        pytest.param({"body": {"json": fields({"a": gt(1)}, only=True)}}, _request("", b'{"a":2}'), True, id="json"),
        pytest.param({"body": {"json": fields({"a": gt(1)}, only=True)}}, _request("", b"a"), False, id="no json"),
        pytest.param({}, _request("a=1", b"x"), True, id="all"),
    ],
)
def test_a_part_of_a_request_is_what_it_is_there(matcher: dict[str, Any], request_: Request, expected: bool) -> None:
    assert _matches(matcher, request_) is expected
