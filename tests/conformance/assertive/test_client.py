"""Section 12: the product's own client."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from assertive import (
    as_json_matches,
    contains,
    contains_exactly,
    has_exact_key_values,
    has_key_values,
    has_length,
    ignore_case,
    is_between,
    is_eq,
    is_even,
    is_gt,
    is_gte,
    is_lt,
    is_lte,
    is_neq,
    is_odd,
    regex,
)
from assertive_mock_api_client import MockApiClient
from support.assertive_server import AssertiveUser
from support.told_upstream import ToldUpstream


def answer(client: MockApiClient, body: str = "here", **request: Any) -> None:
    client.when_requested_with(**request).respond_with(status_code=200, headers={}, body=body)


def test_a_stub_with_everything_answers(client: MockApiClient, user: AssertiveUser, path: str) -> None:
    client.when_requested_with(
        host="127.0.0.1",
        headers={"x-team": "qa"},
        query={"page": "2"},
        path=path + "/{id}",
        method="POST",
        json={"n": is_gt(1)},
    ).respond_with(status_code=201, headers={"X-Own": "1"}, body="made", max_calls=1)
    call: dict[str, Any] = {"headers": {"X-Team": "qa"}, "params": {"page": "2"}, "json": {"n": 2}}
    made = user.ask("POST", path + "/7", **call)
    assert (made.status_code, made.text, made.headers["x-own"]) == (201, "made", "1")
    assert user.ask("POST", path + "/7", **call).status_code == 404


def test_json_comes_back_under_its_name(client: MockApiClient, user: AssertiveUser, path: str) -> None:
    client.when_requested_with(path=path).respond_with_json(status_code=200, body={"a": [1]}, headers={"X-Own": "1"})
    got = user.ask("GET", path)
    assert (got.json(), got.headers["content-type"], got.headers["x-own"]) == ({"a": [1]}, "application/json", "1")


def test_a_template_is_rendered(client: MockApiClient, user: AssertiveUser, path: str) -> None:
    client.when_requested_with(path=path + "/{id}").respond_with_template(
        status_code=200, template_body="user id: {{ request.path_params.id }}"
    )
    assert user.said("GET", path + "/u_123") == (200, "user id: u_123")


def test_events_are_streamed(client: MockApiClient, user: AssertiveUser, path: str) -> None:
    client.when_requested_with(path=path).respond_with_sse(
        events=[{"id": "1", "event": "message", "data": "first"}, {"data": "second", "delay_ms": 1}], default_delay_ms=2
    )
    assert user.said("GET", path) == (200, "id: 1\nevent: message\ndata: first\n\ndata: second\n\n")


def test_a_call_is_forwarded(client: MockApiClient, user: AssertiveUser, path: str, service: ToldUpstream) -> None:
    client.when_requested_with(path=path).proxy_to(url=service.url + "/x", headers={"x-own": "1"}, timeout=3)
    assert user.ask("GET", path).json() == {"cart": "real", "pay": "real"}
    assert (service.last.target, service.last.values(b"x-own")) == ("/x", [b"1"])


def test_chaos_can_be_chained(client: MockApiClient, user: AssertiveUser, path: str) -> None:
    client.when_requested_with(path=path).with_latency(delay_ms=60, jitter_ms=5).with_connection_drop(
        probability=1
    ).respond_with(status_code=200, headers={}, body="body")
    start = time.monotonic()
    with pytest.raises(httpx.RemoteProtocolError):
        user.ask("GET", path)
    assert time.monotonic() - start >= 0.06


def test_latency_under_its_older_name_still_works(client: MockApiClient, user: AssertiveUser, path: str) -> None:
    with pytest.warns(DeprecationWarning, match="with_latency"):
        stub = client.when_requested_with(path=path).with_delay(delay_ms=60)
    stub.respond_with(status_code=200, headers={}, body="body")
    start = time.monotonic()
    assert user.said("GET", path) == (200, "body")
    assert time.monotonic() - start >= 0.06


def test_calls_are_confirmed(client: MockApiClient, user: AssertiveUser, path: str) -> None:
    user.ask("POST", path, params={"q": "1"}, headers={"x-team": "qa"}, json={"n": 2})
    assert client.confirm_request(path=path)
    assert client.confirm_request(
        path=path, method="POST", query={"q": "1"}, headers={"x-team": "qa"}, host="127.0.0.1"
    )
    assert client.confirm_request(path=path, body=as_json_matches({"n": is_gt(1)}))
    assert client.confirm_request(path=regex(path), times=is_eq(1))
    assert client.confirm_request(path=path, times=1)
    assert client.confirm_request(path=path, times=None)
    assert client.confirm_request(path=path + "/no", times=is_eq(0))
    assert not client.confirm_request(path=path, times=is_gt(1))
    assert not client.confirm_request(path=path, method="GET")
    assert not client.confirm_request(path=path + "/no")


def test_a_scope_lasts_for_its_block(client: MockApiClient, user: AssertiveUser, path: str) -> None:
    with client.new_scope("Team-Client") as scoped:
        answer(scoped, "scope", path=path)
        assert user.said("GET", path, headers={"team-client": "1"}) == (200, "scope")
        assert user.said("GET", path)[0] == 404
        assert scoped.confirm_request(path=path, times=is_eq(2))
        assert client.confirm_request(path=path, times=is_eq(1))
        with pytest.raises(httpx.HTTPStatusError, match="409"):
            client.create_scope("TEAM-client")
    assert "team-client" not in user.scopes()
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        client.delete_scope("team-client")


def test_a_client_may_be_made_for_a_scope(client: MockApiClient, user: AssertiveUser, path: str) -> None:
    with user.in_new_scope("team-own") as scoped:
        own = MockApiClient(base_url=client.base_url, scope_name="team-own", scope_header_value="anything")
        answer(own, path=path)
        assert scoped.said("GET", path) == (200, "here")


def test_a_session_removes_what_it_made(client: MockApiClient, user: AssertiveUser, path: str) -> None:
    answer(client, "stays", path=path, method="GET")
    with client.new_session() as session:
        answer(session, "goes", path=path, method="POST")
        answer(session, "goes too", path=path + "/more")
        assert user.said("POST", path) == (200, "goes")
    assert [user.ask("POST", path).status_code, user.ask("GET", path + "/more").status_code] == [404, 404]
    assert user.said("GET", path) == (200, "stays")


def test_what_is_wrong_raises(client: MockApiClient, path: str) -> None:
    with pytest.raises(httpx.HTTPStatusError, match="422"):
        client.when_requested_with(path=path).respond_with(status_code=1000, headers={}, body="")


# Criteria of the client's library, and JSON for which they hold and do not.
CRITERIA: dict[str, tuple[Any, list[Any], list[Any]]] = {
    "eq": (is_eq(1), [1], [2]),
    "neq": (is_neq(1), [2], [1]),
    "or": (is_gt(1) | 20, [2, 20], [1]),
    "and": (is_gte(1) & is_lt(3), [1, 2], [0, 3]),
    "xor": (is_gt(1) ^ is_gt(5), [2], [1, 6]),
    "not": (~is_eq(1), [2], [1]),
    "lte": (is_lte(3), [3], [4]),
    "between": (is_between(1, 3), [1, 3], [0, 4]),
    "between, without its ends": (is_between(1, 3).exclusive(), [2], [1, 3]),
    "even": (is_even(), [2], [1]),
    "odd": (is_odd(), [1], [2]),
    "length": (has_length(is_gt(2)), ["abc", [1, 2, 3]], ["ab"]),
    "regex": (regex("[a-z]+[0-9]"), ["ab1"], ["1ab"]),
    "without case": (ignore_case("Hello"), ["hELLO"], ["hell"]),
    "contains": (contains(1, is_gt(5)), [[6, 1]], [[1], [6]]),
    "contains exactly": (contains_exactly(1, is_gt(1)), [[1, 2]], [[2, 1], [1]]),
    "pairs": (has_key_values({"a": is_gt(1)}), [{"a": 2, "b": 1}], [{"a": 1}]),
    "exactly pairs": (has_exact_key_values({"a": is_gt(1)}), [{"a": 2}], [{"a": 2, "b": 1}]),
    "values in values": ({"a": {"b": [is_gt(1), "x"]}}, [{"a": {"b": [2, "x"]}}], [{"a": {"b": [1, "x"]}}]),
}


@pytest.mark.parametrize("name", CRITERIA)
def test_a_criterion_of_the_library_holds(client: MockApiClient, user: AssertiveUser, path: str, name: str) -> None:
    wanted, fitting, others = CRITERIA[name]
    answer(client, path=path, json=wanted)
    assert [user.ask("POST", path, json=each).status_code for each in fitting] == [200] * len(fitting)
    assert [user.ask("POST", path, json=each).status_code for each in others] == [404] * len(others)
    assert client.confirm_request(path=path, body=as_json_matches(wanted), times=len(fitting))


def test_clients_work_side_by_side(client: MockApiClient, user: AssertiveUser, path: str) -> None:
    def work(number: int) -> list[tuple[int, str]]:
        with client.new_scope(f"worker-{number}") as scoped:
            answer(scoped, f"for {number}", path=path)
            said = [user.said("GET", path, headers={f"worker-{number}": "1"}) for _ in range(3)]
            assert scoped.confirm_request(path=path, times=is_eq(3))
            return said

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(work, range(6)))
    assert results == [[(200, f"for {number}")] * 3 for number in range(6)]


def test_the_other_clients_calls_are_answered(user: AssertiveUser, path: str) -> None:
    # An extension of an editor lists, makes and deletes, and takes a scope that is there for its own.
    for status in (201, 409):
        assert user.ask("POST", "/__mock__/scopes", json={"name": "editor"}).status_code == status
    scope = {"editor": "true"}
    made = user.ask("POST", "/__mock__/stubs", headers=scope, json={
        "request": {"path": path}, "action": {"response": {"status_code": 200, "headers": {}, "body": "a"}},
    })  # fmt: skip
    user.ask("GET", path, headers=scope)
    assert user.ask("GET", "/__mock__/stubs", headers=scope).json()["stubs"][0]["stub_id"] == made.json()["stub_id"]
    assert user.ask("GET", "/__mock__/requests", headers=scope).json()["requests"][0]["path"] == path
    assert user.ask("DELETE", f"/__mock__/stubs/{made.json()['stub_id']}", headers=scope).status_code == 200
    assert user.ask("DELETE", "/__mock__/scopes/editor").status_code == 200
