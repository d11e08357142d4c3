"""What cannot be compiled is refused when it is sent, with the path to the fault."""

import json
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from understudy.v1.matching_pb2 import Criterion, RequestMatcher
from understudy_server.definitions.criteria import CRITERIA_MAX, DEPTH_MAX
from understudy_server.definitions.matchers import compile_matcher
from understudy_server.definitions.unusable import Unusable

EQUALS: dict[str, Any] = {"equals": "1"}


def body(criterion: dict[str, Any]) -> dict[str, Any]:
    return {"body": criterion}


def between(lower: str, upper: str) -> dict[str, Any]:
    return body({"between": {"lower": lower, "upper": upper}})


@pytest.mark.parametrize(
    ("matcher", "path", "rule"),
    [
        # Nothing to test.
        (body({}), ".body", "required"),
        (body({"ignore_case": True}), ".body", "required"),
        (body({"not": {}}), ".body.not", "required"),
        (body({"all": {}}), ".body.all.criteria", "required"),
        (body({"any": {"criteria": []}}), ".body.any.criteria", "required"),
        (body({"exactly_one": {}}), ".body.exactly_one.criteria", "required"),
        (body({"elements": {}}), ".body.elements.criteria", "required"),
        (body({"all": {"criteria": [EQUALS, {}]}}), ".body.all.criteria[1]", "required"),
        (body({"fields": {"fields": {"a b": {}}}}), ".body.fields.fields['a b']", "required"),
        (body({"form": {}}), ".body.form.fields", "required"),
        (body({"form": {"fields": {"a": {}}}}), ".body.form.fields['a']", "required"),
        (body({"json_path": {"path": "$", "criterion": {}}}), ".body.json_path.criterion", "required"),
        ({"query": {"a": EQUALS, "b": {}}}, ".query['b']", "required"),
        ({"headers": {"a": {}}}, ".headers['a']", "required"),
        ({"cookies": {"a": {}}}, ".cookies['a']", "required"),
        ({"host": {}}, ".host", "required"),
        ({"all_query": {}}, ".all_query", "required"),
        ({"all_headers": {}}, ".all_headers", "required"),
        ({"state": [{"criterion": EQUALS}]}, ".state[0].key", "required"),
        ({"state": [{"key": "a"}]}, ".state[0].criterion", "required"),
        (
            {"state": [{"key": "a", "criterion": EQUALS}, {"key": "a", "criterion": {}}]},
            ".state[1].criterion",
            "required",
        ),
        # Of the wrong type.
        (body({"greater_than": "true"}), ".body.greater_than", "type"),
        (body({"at_least": "null"}), ".body.at_least", "type"),
        (body({"less_than": "[1]"}), ".body.less_than", "type"),
        (body({"at_most": "{}"}), ".body.at_most", "type"),
        (body({"at_most": "1 2"}), ".body.at_most", "json"),
        (between("1", '"a"'), ".body.between.upper", "type"),
        (between('"a"', "1"), ".body.between.upper", "type"),
        (between("[]", "1"), ".body.between.lower", "type"),
        (between("", "1"), ".body.between.lower", "json"),
        (between("2", "1"), ".body.between.upper", "min"),
        (between('"b"', '"a"'), ".body.between.upper", "min"),
        (body({"remainder": {}}), ".body.remainder.divisor", "required"),
        (body({"remainder": {"divisor": 2, "remainder": 2}}), ".body.remainder.remainder", "max"),
        (body({"json_equals": "{"}), ".body.json_equals", "json"),
        (body({"json_equals": "NaN"}), ".body.json_equals", "json"),
        (body({"json_subset": "{", "ignore_order": True}), ".body.json_subset", "json"),
        # Languages of their own.
        (body({"pattern": "("}), ".body.pattern", "regex"),
        (body({"pattern_at_start": "(?=a)"}), ".body.pattern_at_start", "regex"),
        (body({"pattern_within": r"(a)\1"}), ".body.pattern_within", "regex"),
        (body({"json_path": {"path": "a.b"}}), ".body.json_path.path", "json_path"),
        (body({"json_path": {"path": "$[?length(@.a)]"}}), ".body.json_path.path", "json_path"),
        (body({"json_schema": "[]"}), ".body.json_schema", "json_schema"),
        (body({"json_schema": '{"type": "no such type"}'}), ".body.json_schema", "json_schema"),
        (body({"json_schema": '{"$ref": "https://example.com/schema"}'}), ".body.json_schema", "json_schema"),
        # Options.
        (body({"json_equals": "1", "ignore_case": True}), ".body.ignore_case", "unfit"),
        (body({"contains": "a", "ignore_order": True}), ".body.ignore_order", "unfit"),
        (body({"not": {"present": True, "ignore_case": True}}), ".body.not.ignore_case", "unfit"),
        # One in place of the other.
        ({"method": "GET", "method_criterion": EQUALS}, ".method_criterion", "exclusive"),
        ({"path": "/", "path_criterion": EQUALS}, ".path_criterion", "exclusive"),
        # Names.
        ({"headers": {"X-A": EQUALS, "x-a": EQUALS}}, ".headers['x-a']", "unique"),
        ({"query": {"x" * 1025: EQUALS}}, ".query", "max_length"),
        (body({"fields": {"fields": {"x" * 1025: EQUALS}}}), ".body.fields.fields", "max_length"),
        # A chain that is none.
        ({"state": [{"key": "a", "scope": "STATE_SCOPE_CHAIN", "criterion": EQUALS}]}, ".state[0].scope", "chain"),
    ],
    ids=lambda each: json.dumps(each)[:80] if isinstance(each, dict) else "",
)
def test_a_fault_is_refused_where_it_is(matcher: dict[str, Any], path: str, rule: str) -> None:
    with pytest.raises(Unusable) as refused:
        compile_matcher(ParseDict(matcher, RequestMatcher()), "mock.matcher")
    assert (refused.value.path, refused.value.rule) == (f"mock.matcher{path}", rule)
    assert str(refused.value).startswith("mock.matcher")


def _nested(depth: int) -> Criterion:
    message = Criterion(equals="1")
    for _ in range(depth - 1):
        message = Criterion(**{"not": message})  # type: ignore[arg-type]
    return message


def test_criteria_are_nested_at_most_so_deep() -> None:
    compile_matcher(RequestMatcher(body=_nested(DEPTH_MAX)), "matcher")
    with pytest.raises(Unusable) as refused:
        compile_matcher(RequestMatcher(body=_nested(DEPTH_MAX + 1)), "matcher")
    assert (refused.value.path, refused.value.rule) == ("matcher.body" + ".not" * DEPTH_MAX, "depth")


def test_all_criteria_of_a_mock_are_counted_together() -> None:
    message = RequestMatcher()
    many = message.body.any.criteria
    for _ in range(CRITERIA_MAX - 2):
        many.add().equals = "1"
    message.query["p"].equals = "1"
    compile_matcher(message, "matcher")
    message.headers["x-a"].equals = "1"
    with pytest.raises(Unusable) as refused:
        compile_matcher(message, "matcher")
    assert (refused.value.path, refused.value.rule) == ("matcher.headers['x-a']", "max_items")
