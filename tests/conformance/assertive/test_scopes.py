"""Section 8: scopes."""

import json
from collections.abc import Iterator

import httpx
import pytest
from assertive_mock_api_client import MockApiClient
from support.assertive_server import NO_MATCH, AssertiveUser, text

AMBIGUOUS = {"detail": "Multiple scope headers matched this request"}


@pytest.fixture
def other(user: AssertiveUser) -> Iterator[AssertiveUser]:
    """One in another scope."""
    with user.in_new_scope() as made:
        yield made


def test_a_scope_sees_its_own_stubs_and_those_of_all(scoped: AssertiveUser, other: AssertiveUser, path: str) -> None:
    scoped.stub({"path": path + "/own"}, text("own"))
    scoped.unscoped.stub({"path": path + "/all"}, text("all"))
    assert scoped.said("GET", path + "/own") == (200, "own")
    assert scoped.said("GET", path + "/all") == (200, "all")
    for each in (other, scoped.unscoped):
        assert each.said("GET", path + "/own") == NO_MATCH
        assert each.said("GET", path + "/all") == (200, "all")


def test_scopes_answer_each_in_its_way(scoped: AssertiveUser, other: AssertiveUser, path: str) -> None:
    for each in (scoped, other, scoped.unscoped):
        each.stub({"path": path}, text(each.scope or "nobody"))
    for each in (scoped, scoped.unscoped, other, scoped):
        assert each.said("GET", path) == (200, each.scope or "nobody")


@pytest.mark.parametrize("value", ["1", "", "anything at all", "team-b"])
def test_the_value_of_the_header_is_not_looked_at(scoped: AssertiveUser, path: str, value: str) -> None:
    scoped.stub({"path": path})
    answer = scoped.unscoped.write("GET", path, f"{scoped.scope}:{value}")
    assert (answer.status, answer.body) == (200, b"here")


def test_the_same_header_twice_is_one_scope(scoped: AssertiveUser, path: str) -> None:
    scoped.stub({"path": path})
    answer = scoped.write("GET", path, f"{scoped.scope.upper()}: 2")
    assert (answer.status, answer.body) == (200, b"here")
    assert [each["scope"] for each in scoped.requests(path)] == [scoped.scope]


def test_names_are_the_same_in_any_case(user: AssertiveUser, path: str) -> None:
    with user.in_new_scope("Team-MIXED") as scoped:
        user.ask(
            "POST", "/__mock__/stubs", headers={"TEAM-mixed": "1"}, json={"request": {"path": path}, "action": text()}
        )
        for name in ("team-mixed", "TEAM-MIXED", "Team-Mixed"):
            assert user.said("GET", path, headers={name: "1"}) == (200, "here")
        assert [each["scope"] for each in scoped.stubs() if each["request"]["path"] == path] == ["team-mixed"]
        assert {each["scope"] for each in scoped.requests(path)} == {"team-mixed"}


@pytest.mark.parametrize("name", ["content-type-x", "_", "0", "a_b-C", "accept"])
def test_a_name_may_be_that_of_any_header(user: AssertiveUser, path: str, name: str) -> None:
    with user.in_new_scope(name):
        made = user.ask(
            "POST", "/__mock__/stubs", headers={name: "x"}, json={"request": {"path": path}, "action": text("scope")}
        )
        assert made.status_code == 200
        assert user.said("GET", path, headers={name: "x"}) == (200, "scope")


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("te", ["TE: trailers"]),
        ("keep-alive", ["Keep-Alive: timeout=5"]),
        ("proxy-authorization", ["Proxy-Authorization: Basic YTpi"]),
        ("expect", ["Expect: 100-continue"]),
        ("transfer-coding", ["Connection: close, Transfer-Coding", "Transfer-Coding: 1"]),
    ],
)
def test_a_header_that_no_proxy_passes_on_is_one_of_control_calls_too(
    user: AssertiveUser, path: str, name: str, lines: list[str]
) -> None:
    with user.in_new_scope(name):
        payload = json.dumps({"request": {"path": path}, "action": text("scoped")}).encode()
        made = user.write("POST", "/__mock__/stubs", *lines, "Content-Type: application/json", body=payload)
        assert made.status == 200
        assert user.said("GET", path) == NO_MATCH
        assert user.write("GET", path, *lines).body == b"scoped"
        (view,) = [each for each in json.loads(user.write("GET", "/__mock__/stubs", *lines).body)["stubs"]
                   if each["request"]["path"] == path]  # fmt: skip
        assert view["scope"] == name


def test_what_the_server_adds_to_control_calls_is_no_header_of_theirs(user: AssertiveUser, path: str) -> None:
    with user.in_new_scope("x-understudy-handed-over"):
        stub = user.stub({"path": path})
        assert user.view(stub)["scope"] is None
        assert user.said("GET", path) == (200, "here")
        assert user.delete_stub(stub) == 200


def test_without_a_scope_of_its_name_a_header_is_a_header(user: AssertiveUser, path: str) -> None:
    user.stub({"path": path, "headers": {"team-none": "1"}}, text("header"))
    assert user.said("GET", path, headers={"team-none": "1"}) == (200, "header")
    assert user.requests(path)[0]["scope"] is None


def test_the_header_of_a_scope_can_be_matched_like_others(scoped: AssertiveUser) -> None:
    scoped.stub({"path": "/a", "headers": {scoped.scope: "1"}})
    assert scoped.said("GET", "/a") == (200, "here")


def test_two_scopes_at_once_are_refused(scoped: AssertiveUser, other: AssertiveUser, path: str) -> None:
    scoped.unscoped.stub({"path": path})
    both = {other.scope: ""}
    answer = scoped.ask("GET", path, headers=both)
    assert (answer.status_code, answer.json()) == (400, AMBIGUOUS)
    assert answer.headers["content-type"] == "application/json"
    for method, target, body in (
        ("GET", "/__mock__/stubs", None),
        ("POST", "/__mock__/stubs", {"request": {}, "action": text()}),
        ("DELETE", "/__mock__/stubs/some-id", None),
        ("GET", "/__mock__/requests", None),
        ("POST", "/__mock__/assert", {}),
    ):
        answer = scoped.ask(method, target, headers=both, json=body)
        assert (answer.status_code, answer.json()) == (400, AMBIGUOUS)
    for each in (scoped, other, scoped.unscoped):
        assert each.requests(path) == []


def test_what_is_about_scopes_does_not_look_at_them(scoped: AssertiveUser, other: AssertiveUser) -> None:
    both = {other.scope: "1"}
    names = scoped.ask("GET", "/__mock__/scopes", headers=both).json()["scopes"]
    assert {scoped.scope, other.scope} <= set(names)
    assert scoped.ask("POST", "/__mock__/scopes", headers=both, json={"name": "third"}).status_code == 201
    assert scoped.ask("DELETE", "/__mock__/scopes/third", headers=both).status_code == 200
    assert scoped.ask("GET", "/__admin__", headers=both).status_code == 200
    assert scoped.ask("GET", "/__mock__", headers=both).status_code == 200


def test_the_record_is_seen_by_the_scope_and_not_by_others(
    scoped: AssertiveUser, other: AssertiveUser, path: str
) -> None:
    for each in (scoped.unscoped, scoped, other, scoped):
        each.ask("GET", path)
    assert [each["scope"] for each in scoped.requests(path)] == [scoped.scope, scoped.scope, None]
    assert [each["scope"] for each in other.requests(path)] == [other.scope, None]
    assert [each["scope"] for each in scoped.unscoped.requests(path)] == [None]
    assert scoped.called(path, times=3)
    assert other.called(path, times=2)
    assert scoped.unscoped.called(path, times=1)


def test_out_of_the_scope_its_stubs_cannot_be_deleted(scoped: AssertiveUser, other: AssertiveUser, path: str) -> None:
    stub = scoped.stub({"path": path})
    assert scoped.unscoped.delete_stub(stub) == 404
    assert other.delete_stub(stub) == 404
    assert scoped.said("GET", path) == (200, "here")
    assert scoped.delete_stub(stub) == 200


def test_in_a_scope_those_of_all_can_be_deleted(scoped: AssertiveUser, path: str) -> None:
    stub = scoped.unscoped.stub({"path": path})
    assert scoped.delete_stub(stub) == 200
    assert scoped.unscoped.said("GET", path) == NO_MATCH


def test_a_deleted_scope_takes_everything_along(user: AssertiveUser, path: str) -> None:
    with user.in_new_scope("team-gone") as scoped:
        stub = scoped.stub({"path": path}, text("scope"))
        assert scoped.said("GET", path) == (200, "scope")
    assert scoped.said("GET", path) == NO_MATCH
    assert [each["scope"] for each in scoped.requests(path)] == [None]
    assert user.delete_stub(stub) == 404
    with user.in_new_scope("team-gone") as again:
        assert again.said("GET", path) == NO_MATCH
        assert stub not in [each["stub_id"] for each in again.stubs()]
        assert [each["scope"] for each in again.requests(path)] == ["team-gone", None]


def test_a_scope_made_and_deleted_again_and_again_is_new_each_time(user: AssertiveUser, path: str) -> None:
    for number in range(5):
        with user.in_new_scope("team-again") as scoped:
            assert scoped.said("GET", path) == NO_MATCH
            scoped.stub({"path": path}, text(str(number)))
            assert scoped.said("GET", path) == (200, str(number))
            assert scoped.called(path, times=2)


def test_stubs_of_a_scope_say_so(scoped: AssertiveUser) -> None:
    stub = scoped.stub({"path": "/a"})
    assert scoped.view(stub)["scope"] == scoped.scope
    assert stub not in [each["stub_id"] for each in scoped.unscoped.stubs()]


def test_a_session_of_the_client_within_a_scope_cannot_tidy_up(client: MockApiClient) -> None:
    # The client leaves the scope's header out when it deletes, as it does against the product.
    with (
        client.new_scope("team-session") as scoped,
        pytest.raises(httpx.HTTPStatusError, match="404"),
        scoped.new_session(),
    ):
        scoped.when_requested_with(path="/a").respond_with(status_code=200, headers={}, body="")
