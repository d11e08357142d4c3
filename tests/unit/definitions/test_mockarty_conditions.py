"""Each condition of Mockarty has its equal here: what is looked at, and how it is compared. One test a row."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from understudy.v1.matching_pb2 import RequestMatcher
from understudy_server.core.matching.request import Request
from understudy_server.definitions.matchers import compile_matcher


def at(path: str, criterion: dict[str, Any] | None, select: str = "") -> dict[str, Any]:
    """A condition on the body."""
    inner = {} if criterion is None else {"criterion": criterion}
    return {"body": {"json_path": {"path": path, **inner, **({"select": select} if select else {})}}}


def eq(value: Any, *, sort: bool = False) -> dict[str, Any]:
    return {"json_equals": json.dumps(value), **({"ignore_order": True} if sort else {})}


def subset(value: Any, *, sort: bool = False) -> dict[str, Any]:
    return {"json_subset": json.dumps(value), **({"ignore_order": True} if sort else {})}


def contains(value: Any) -> dict[str, Any]:
    """Within a text, an element of a list, or a part of an object."""
    ways = [{"some": eq(value)}, subset(value)]
    return {"any": {"criteria": [*ways, {"contains": value}] if isinstance(value, str) else ways}}


def packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


ANY = {"any": {"criteria": [{"present": True}, {"present": False}]}}
MISSING: dict[str, Any] = {"other": 1}

ROWS: list[tuple[str, dict[str, Any], list[Any], list[Any]]] = [
    (
        "equals, deep",
        at("$.v", eq({"a": [1]})),
        [{"v": {"a": [1.0]}}],
        [{"v": {"a": ["1"]}}, {"v": {"a": [1, 2]}}, MISSING],
    ),
    ("equals is typed", at("$.v", eq(5)), [{"v": 5}], [{"v": "5"}, {"v": True}]),
    ("contains, of a text", at("$.v", contains("old")), [{"v": "gold"}], [{"v": "silver"}, {"v": 5}, MISSING]),
    ("contains, of an object", at("$.v", contains({"a": 1})), [{"v": {"a": 1, "b": 2}}], [{"v": {"b": 2}}]),
    ("contains, of a list", at("$.v", contains(1)), [{"v": [2, 1]}], [{"v": [2]}, {"v": []}]),
    ("not_equals", at("$.v", {"not": eq(5)}), [{"v": 6}, {"v": "5"}, MISSING], [{"v": 5}]),
    ("not_contains", at("$.v", {"not": contains("old")}), [{"v": "silver"}, MISSING], [{"v": "gold"}, {"v": ["old"]}]),
    ("matches", at("$.v", {"pattern_within": "^a[0-9]"}), [{"v": "a1b"}], [{"v": "ba1"}, {"v": None}]),
    ("any", at("$.v", ANY), [{"v": None}, {"v": [1]}, MISSING], []),
    ("notEmpty", at("$.v", {"empty": False}), [{"v": 0}, {"v": "x"}, {"v": False}], [{"v": ""}, {"v": {}}, MISSING]),
    (
        "empty",
        at("$.v", {"empty": True}),
        [{"v": ""}, {"v": []}, {"v": {}}, {"v": None}, MISSING],
        [{"v": 0}, {"v": [0]}],
    ),
    (
        "decode",
        at("$.v", {"base64": {"contains": "gold"}}),
        [{"v": packed("a gold b")}],
        [{"v": "gold"}, {"v": 5}, MISSING],
    ),
    ("decode, then JSON", at("$.v", {"base64": {"json": eq([1])}}), [{"v": packed("[1]")}], [{"v": packed("[2]")}]),
    ("sortArray, equals", at("$.v", eq([1, {"a": [2, 3]}], sort=True)), [{"v": [{"a": [3, 2]}, 1]}], [{"v": [1, 1]}]),
    (
        "sortArray, contains",
        at("$.v", subset([{"a": 1}], sort=True)),
        [{"v": [{"b": 1}, {"a": 1}]}],
        [{"v": [{"b": 1}]}],
    ),
    ("path, deep", at("$.user.role", eq("admin")), [{"user": {"role": "admin"}}], [{"user": {"role": "x"}}, {}]),
    ("path, index", at("$.relations[0].from", eq("a")), [{"relations": [{"from": "a"}]}], [{"relations": []}]),
    ("path, filter", at("$.items[?(@.x > 1)]", None), [{"items": [{"x": 2}]}], [{"items": [{"x": 1}]}, {}]),
    ("path, wildcard", at("$.items[*].x", eq(2)), [{"items": [{"x": 1}, {"x": 2}]}], [{"items": []}]),
    ("path, descent", at("$..x", eq(2)), [{"a": {"b": [{"x": 2}]}}], [{"y": 2}]),
    ("path, brackets", at("$['a b']", eq(1)), [{"a b": 1}], [{"ab": 1}]),
    (
        "all of a path",
        at("$.items[*].x", eq(2), "SELECTION_EACH"),
        [{"items": [{"x": 2}]}],
        [{"items": [{"x": 2}, {"x": 1}]}],
    ),
]


def _cases() -> Iterator[Any]:
    for name, matcher, holding, failing in ROWS:
        for body, expected in [(body, True) for body in holding] + [(body, False) for body in failing]:
            yield pytest.param(matcher, body, expected, id=f"{name}: {json.dumps(body)}")


def _matches(matcher: dict[str, Any], request: Request) -> bool:
    return compile_matcher(ParseDict(matcher, RequestMatcher()), "matcher").matches(request)


@pytest.mark.parametrize(("matcher", "body", "expected"), list(_cases()))
def test_a_condition_on_the_body_means_the_same(matcher: dict[str, Any], body: Any, expected: bool) -> None:
    assert _matches(matcher, Request("POST", "/", body=json.dumps(body).encode())) is expected


@pytest.mark.parametrize(
    ("matcher", "query", "header", "expected"),
    [
        pytest.param({"query": {"n": {"equals": "5"}}}, "n=5", "", True, id="a number equals its text"),
        pytest.param({"query": {"n": {"json_equals": "5"}}}, "n=5", "", True, id="or as a number"),
        pytest.param({"query": {"n": {"equals": "5"}}}, "n=4&n=5", "", True, id="any of several values"),
        pytest.param({"query": {"n": {"not": {"equals": "5"}}}}, "", "", True, id="not_equals of none"),
        pytest.param({"query": {"n": {"empty": True}}}, "", "", True, id="none is empty"),
        pytest.param({"query": {"n": {"empty": False}}}, "n=", "", False, id="notEmpty"),
        pytest.param({"headers": {"X-VIP": {"equals": "yes"}}}, "", "yes", True, id="headers in any case"),
        pytest.param({"headers": {"x-vip": {"base64": {"equals": "yes"}}}}, "", packed("yes"), True, id="decode"),
        pytest.param({"headers": {"x-vip": {"pattern_within": "e"}}}, "", "no", False, id="matches"),
    ],
)
def test_a_condition_on_the_head_means_the_same(
    matcher: dict[str, Any], query: str, header: str, expected: bool
) -> None:
    headers = [(b"x-ViP", header.encode())] if header else []
    assert _matches(matcher, Request("GET", "/", query, headers=headers)) is expected
