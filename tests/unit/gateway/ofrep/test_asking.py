"""From a request of the protocol to a request of EvaluationService."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from understudy import status
from understudy_gateway.dialects.ofrep import carried
from understudy_gateway.dialects.ofrep.asking import EVALUATE, EVALUATE_BATCH, Asking
from understudy_gateway.dialects.ofrep.paths import ALL, Asked

ONE = Asked("new-checkout")


def asking(asked: Asked = ONE, *, query: bytes = b"", body: bytes = b"", **headers: str) -> Asking:
    lines = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Asking(asked, carried.read(lines), query, body)


def message(asked: Asked = ONE, **more: Any) -> Any:
    request, refusal = asking(asked, **more).decode()
    assert refusal is None
    return request


def refusal(**more: Any) -> tuple[str, str]:
    _, refused = asking(**more).decode()
    assert refused is not None
    problem = status.read(refused)
    return problem.reason, problem.message


def test_one_flag_is_evaluated_and_all_in_a_batch() -> None:
    assert (asking().rpc, message().flag_key) == (EVALUATE, "new-checkout")
    assert (asking(ALL).rpc, message(ALL).all) == (EVALUATE_BATCH, True)


@pytest.mark.parametrize(
    ("body", "context"),
    [
        (b"", ""),
        (b"\r\n", ""),
        (b"{}", ""),
        (b'{"context": null}', ""),
        (b'{"context": {}}', "{}"),
        (b'{"other": [1], "context": {"targetingKey":"user-1","n":1.50}}', '{"targetingKey":"user-1","n":1.50}'),
        # What is no object the server refuses, as it does over any door.
        (b'{"context": [1]}', "[1]"),
    ],
)
def test_the_context_is_handed_on_as_it_was_written(body: bytes, context: str) -> None:
    assert message(body=body).context == context
    assert message(ALL, body=body).context == context


@pytest.mark.parametrize("body", [b"{", b"nonsense", b'{"context": {]}', b'{"context": NaN}', b"\xff"])
def test_what_is_no_json_is_refused_as_such(body: bytes) -> None:
    assert refusal(body=body)[0] == "invalid_json"


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"1"])
def test_a_body_is_an_object(body: bytes) -> None:
    assert refusal(body=body) == ("invalid_json", "The body must be a JSON object.")


@pytest.mark.parametrize(
    "body",
    [
        b'{"context":{"a":1},"context":{"b":2}}',
        b'{"context":{},"cont\\u0065xt":{}}',
        b'{"other":1,"context":{"a":"b:c"},"other":2}',
    ],
)
def test_a_body_that_says_a_thing_twice_is_refused(body: bytes) -> None:
    assert refusal(body=body) == ("invalid_json", "A JSON object has the same key twice.")


def test_a_body_that_is_nested_without_end_is_refused() -> None:
    assert refusal(body=b'{"context":' + b"[" * 100_000)[0] == "invalid_json"


@given(st.binary())
def test_any_body_is_read_or_refused(body: bytes) -> None:
    request, refused = asking(body=body).decode()
    assert refused is None or status.read(refused).reason == "invalid_json"
    assert request.flag_key == "new-checkout"  # type: ignore[attr-defined]


def test_the_headers_that_name_a_session_are_handed_on_and_no_others() -> None:
    request = message(
        authorization="Bearer fmk_1",
        x_understudy_project="shop",
        if_none_match='"a"',
        accept="*/*",
        x_flowmock_session="ci-42",
        x_test_run="ci-42",
        origin="https://shop.example",
        traceparent="00-1",
    )
    assert request.session_key == "ci-42"
    assert [each.name for each in request.headers] == ["x-test-run", "origin", "traceparent"]


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"query": b"project=shop&environment=staging"}, ("shop", "staging")),
        ({"x_understudy_project": "shop", "x_understudy_environment": "staging"}, ("shop", "staging")),
        ({"query": b"project=a", "x_understudy_project": "shop"}, ("shop", "")),
        ({}, ("", "")),
    ],
)
def test_the_place_is_named_by_headers_or_the_query(more: dict[str, Any], place: tuple[str, str]) -> None:
    for asked in (ONE, ALL):
        request = message(asked, **more)
        assert (request.project, request.environment) == place


def test_a_query_that_is_no_utf8_is_refused() -> None:
    assert refusal(query=b"project=%ff")[0] == "invalid_request"


@pytest.mark.parametrize(
    ("headers", "authorization"),
    [
        ({"authorization": "Bearer fmk_1"}, "Bearer fmk_1"),
        ({"x-api-key": "fmk_2"}, "Bearer fmk_2"),
        ({"x-api-key": "fmk_2", "authorization": "Bearer of-the-app"}, "Bearer fmk_2"),
        ({}, None),
    ],
)
def test_the_key_is_in_either_header(headers: dict[str, str], authorization: str | None) -> None:
    found = carried.metadata(carried.read([(name.encode(), value.encode()) for name, value in headers.items()]))
    assert found.get("authorization") == authorization


def test_beside_an_api_key_the_authorization_is_the_apps_own_and_may_carry_a_session() -> None:
    request = message(x_api_key="fmk_2", authorization="Bearer of-the-app")
    assert [(each.name, each.value) for each in request.headers] == [("authorization", "Bearer of-the-app")]


def test_the_trace_goes_on() -> None:
    found = carried.metadata(carried.read([(b"traceparent", b"00-1"), (b"cookie", b"a=b")]))
    assert found == {"traceparent": "00-1"}
