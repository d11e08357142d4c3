"""What is wrong with a payload, in the words and the shape of the product's framework."""

import json
from typing import Any

import pytest
from assertive_mock_api_client.client import StubPayload
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from understudy_gateway.dialects.assertive import payloads
from understudy_gateway.dialects.assertive.validation import Invalid, refused

RESPONSE = {"status_code": 200, "headers": {}, "body": "hello"}
STUB: dict[str, Any] = {"request": {}, "action": {"response": RESPONSE}}


def detail(payload: Any) -> list[dict[str, Any]]:
    with pytest.raises(Invalid) as invalid:
        payloads.stub(payload)
    return invalid.value.detail


def responding(**changes: Any) -> dict[str, Any]:
    return {"request": {}, "action": {"response": {**RESPONSE, **changes}}}


def with_chaos(chaos: Any) -> dict[str, Any]:
    return {**STUB, "chaos": chaos}


@pytest.mark.parametrize("bodies", [{"template_body": "x"}, {"body": None}, {"body": "", "template_body": ""}])
def test_a_response_has_exactly_one_body(bodies: dict[str, Any]) -> None:
    response = {**RESPONSE, **bodies}
    assert detail({"request": {}, "action": {"response": response}}) == [
        {
            "type": "value_error",
            "loc": ["body", "action", "response"],
            "msg": "Value error, Exactly one of body or template_body must be provided.",
            "input": response,
            "ctx": {"error": {}},
        }
    ]


@pytest.mark.parametrize("action", [{}, {"response": RESPONSE, "proxy": {"url": "http://a"}}, {"sse": None}])
def test_a_stub_has_exactly_one_action(action: dict[str, Any]) -> None:
    [problem] = detail({"request": {}, "action": action})
    assert problem["loc"] == ["body", "action"]
    assert problem["msg"] == "Value error, Exactly one of response, proxy, or sse must be provided."
    assert problem["input"] == action


def test_a_drop_at_the_wrong_level_is_told_where_it_belongs() -> None:
    chaos = {"connection_drop": {}, "latency": {"base_ms": -1}}
    assert detail(with_chaos(chaos)) == [
        {
            "type": "value_error",
            "loc": ["body", "chaos"],
            "msg": "Value error, Use chaos.faults.connection_drop instead of chaos.connection_drop",
            "input": chaos,
            "ctx": {"error": {}},
        }
    ]


def test_all_problems_are_told_in_the_order_of_the_fields() -> None:
    found = detail(
        {
            "action": {"response": {"status_code": 1.5, "body": "x", "template_body": 3}},
            "max_calls": {},
            "chaos": {"latency": {"base_ms": -1}, "faults": {"connection_drop": {"probability": "1.5"}}},
        }
    )
    assert [(each["type"], each["loc"]) for each in found] == [
        ("missing", ["body", "request"]),
        ("int_from_float", ["body", "action", "response", "status_code"]),
        ("missing", ["body", "action", "response", "headers"]),
        ("string_type", ["body", "action", "response", "template_body"]),
        ("int_type", ["body", "max_calls"]),
        ("greater_than_equal", ["body", "chaos", "latency", "base_ms"]),
        ("less_than_equal", ["body", "chaos", "faults", "connection_drop", "probability"]),
    ]
    assert found[0]["msg"] == "Field required"
    assert found[5]["ctx"] == {"ge": 0}
    assert found[6]["ctx"] == {"le": 1.0}


def test_a_stream_needs_an_event() -> None:
    [problem] = detail({"request": {}, "action": {"sse": {"events": []}}})
    assert (problem["type"], problem["loc"]) == ("too_short", ["body", "action", "sse", "events"])
    assert problem["ctx"] == {"field_type": "List", "min_length": 1, "actual_length": 0}


@pytest.mark.parametrize("payload", [None, [1], "x", 5])
def test_a_payload_that_is_no_object_is_told_so(payload: Any) -> None:
    [problem] = detail(payload)
    assert (problem["type"], problem["loc"]) == ("model_attributes_type", ["body"])


@pytest.mark.parametrize(
    ("status", "kind"),
    [(199, "greater_than_equal"), (600, "less_than_equal"), (0, "greater_than_equal"), (10**40, "less_than_equal")],
)
def test_a_status_that_cannot_be_sent_is_refused(status: int, kind: str) -> None:
    [problem] = detail(responding(status_code=status))
    assert (problem["type"], problem["loc"]) == (kind, ["body", "action", "response", "status_code"])


def test_numbers_may_be_spelled_as_texts() -> None:
    assert payloads.stub(responding(status_code="201"))["action"]["response"]["status_code"] == 201
    assert payloads.stub({**STUB, "max_calls": " 2.0 "})["max_calls"] == 2


def test_a_timeout_is_a_whole_number_of_seconds() -> None:
    [problem] = detail({"request": {}, "action": {"proxy": {"url": "http://a", "timeout": 0.5}}})
    assert (problem["type"], problem["loc"]) == ("int_from_float", ["body", "action", "proxy", "timeout"])


@pytest.mark.parametrize(
    ("chaos", "latency"),
    [
        ({}, (0, 0)),
        ({"latency": {"base_ms": 5}}, (5, 0)),
        ({"delay": {"base_ms": 5, "jitter_ms": 2}}, (5, 2)),
        ({"delay_ms": 5}, (5, 0)),
        ({"jitter_ms": 2}, (0, 2)),
        ({"latency": {"base_ms": 1}, "delay_ms": 5}, (1, 0)),
    ],
)
def test_shapes_of_older_releases_are_read_as_those_of_today(chaos: Any, latency: tuple[int, int]) -> None:
    found = payloads.stub(with_chaos(chaos))["chaos"]
    assert (found["latency"]["base_ms"], found["latency"]["jitter_ms"]) == latency
    assert found["faults"] == {"connection_drop": None}


def test_a_drop_without_a_probability_is_certain_and_unknown_faults_are_ignored() -> None:
    faults = payloads.stub(with_chaos({"faults": {"connection_drop": {}, "fire": 1}}))["chaos"]["faults"]
    assert faults == {"connection_drop": {"probability": 1.0}}


def test_base_and_jitter_together_are_no_longer_than_a_delay_may_be() -> None:
    [problem] = detail(with_chaos({"latency": {"base_ms": 120_000, "jitter_ms": 1}}))
    assert problem["loc"] == ["body", "chaos", "latency"]


@pytest.mark.parametrize(
    ("headers", "kind", "loc"),
    [
        ([], "dict_type", []),
        (None, "dict_type", []),
        ({"x": None}, "string_type", ["x"]),
        ({"x": [1]}, "string_type", ["x"]),
        ({"x y": "1"}, "value_error", ["x y"]),
        ({"": "1"}, "value_error", [""]),
        ({"x": "a\r\nb"}, "value_error", ["x"]),
        ({"x": "é"}, "value_error", ["x"]),
    ],
)
def test_headers_that_cannot_be_sent_are_refused(headers: Any, kind: str, loc: list[str]) -> None:
    [problem] = detail(responding(headers=headers))
    assert (problem["type"], problem["loc"]) == (kind, ["body", "action", "response", "headers", *loc])


@pytest.mark.parametrize("url", ["", "shop", "/x", "ftp://a", "http://", "http://a:0", "http://a:99999", "http://[x]/"])
def test_a_url_that_leads_nowhere_is_refused(url: str) -> None:
    [problem] = detail({"request": {}, "action": {"proxy": {"url": url}}})
    assert (problem["type"], problem["loc"]) == ("value_error", ["body", "action", "proxy", "url"])


def test_a_wrong_criterion_is_told_where_it_stands() -> None:
    assert detail({**STUB, "request": {"body": {"$json": {"inner_criteria": {"a": {"$gt": 5}}}}}}) == [
        {
            "type": "value_error",
            "loc": ["body", "request", "body", "$json", "inner_criteria", "a", "$gt"],
            "msg": 'Value error, $gt takes an object of arguments: {"value": ...}',
            "input": 5,
            "ctx": {"error": {}},
        }
    ]


def test_an_assertion_takes_texts_and_criteria() -> None:
    with pytest.raises(Invalid) as invalid:
        payloads.assertion({"path": 1, "body": [1], "times": True, "query": "a=1"})
    assert [each["loc"] for each in invalid.value.detail] == [
        ["body", "path", "str"],
        ["body", "path", "dict[any,any]"],
        ["body", "body", "str"],
        ["body", "body", "dict[any,any]"],
        ["body", "query"],
        ["body", "times", "str"],
        ["body", "times", "dict[any,any]"],
    ]


@pytest.mark.parametrize("name", ["", "a b", "é", "a/b", "a\n", "a.b"])
def test_a_scope_with_a_name_that_is_no_header_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as invalid:
        payloads.scope_name({"name": name})
    [problem] = invalid.value.detail
    assert (problem["type"], problem["loc"]) == ("string_pattern_mismatch", ["body", "name"])
    assert problem["ctx"] == {"pattern": "^[A-Za-z0-9_-]+$"}


def test_a_scope_has_its_name_as_it_was_sent() -> None:
    assert payloads.scope_name({"name": "Team-A_1"}) == "Team-A_1"
    with pytest.raises(Invalid):
        payloads.scope_name({"name": 5})


def test_what_the_server_refuses_is_told_in_the_same_shape() -> None:
    invalid = refused("mock.matcher.body is no pattern of RE2", {"request": {}})
    assert [(each["type"], each["loc"]) for each in invalid.detail] == [("value_error", ["body"])]
    assert str(invalid) == "body: Value error, mock.matcher.body is no pattern of RE2"


# Held against the models of the client package, which are those of the product, where neither has rules of its own.

_NOT_QUITE = st.none() | st.booleans() | st.just(1.5) | st.sampled_from([[], {}, "x", "2", " 3 ", "1_0", "4.0", "-1"])
_WHOLE = st.integers(0, 5) | _NOT_QUITE | st.just(-1)
_STATUS = st.sampled_from([200, "404", 599]) | st.sampled_from([[], {}, "x", 1.5])
_TEXTS = st.sampled_from(["", "x"]) | st.sampled_from([1, [], {}])
_PROBABILITIES = st.sampled_from([0, 1, 0.5, 2, -1, "0.5", "x", "nan", True, [], {}])


def _members(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({}, optional=values)


def _nearly(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(inner, inner, inner, st.sampled_from([5, "x", []]))


_EVENTS = st.lists(_nearly(_members(data=_TEXTS, event=_TEXTS, id=_TEXTS, retry=_WHOLE, delay_ms=_WHOLE)), max_size=2)
_RESPONSES = _members(status_code=_STATUS, headers=st.just({}) | st.just([]), body=_TEXTS, template_body=_TEXTS)
_ACTIONS = _members(
    response=_nearly(_RESPONSES),
    sse=_nearly(_members(events=_nearly(_EVENTS), default_delay_ms=_WHOLE)),
    proxy=_nearly(
        _members(url=st.just("http://a"), headers=st.just({}) | st.just(5), timeout=st.just(5) | st.just([]))
    ),
)
_PARTS = _members(method=_TEXTS, path=_TEXTS, body=_TEXTS, headers=_TEXTS, host=_TEXTS, query=_TEXTS)
_DROPS = st.fixed_dictionaries({"probability": _PROBABILITIES})
_CHAOS = _members(
    latency=_nearly(_members(base_ms=_WHOLE, jitter_ms=_WHOLE)), faults=_nearly(_members(connection_drop=_DROPS))
)
_STUBS = _members(request=_nearly(_PARTS), action=_nearly(_ACTIONS), max_calls=_WHOLE, chaos=_nearly(_CHAOS))


@given(_STUBS)
def test_problems_are_those_that_the_products_own_framework_finds(payload: Any) -> None:
    try:
        StubPayload.model_validate(payload, from_attributes=True)
        expected = []
    except ValidationError as error:
        expected = json.loads(error.json(include_url=False))
    try:
        payloads.stub(payload)
        found = []
    except Invalid as invalid:
        found = json.loads(json.dumps(invalid.detail))
    assert [_told(each) for each in found] == [_told({**each, "loc": ["body", *each["loc"]]}) for each in expected]


def _told(problem: dict[str, Any]) -> tuple[Any, ...]:
    ctx = problem.get("ctx", {})
    return problem["type"], problem["loc"], problem["msg"], problem["input"], {} if "error" in ctx else ctx
