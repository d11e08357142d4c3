"""Section 9: the log of requests, and assertions on it."""

from typing import Any

import pytest
from support.assertive_server import AssertiveUser, text


def times(**bound: int) -> dict[str, Any]:
    ((name, value),) = bound.items()
    return {f"${name}": {"value": value}}


def test_a_request_is_shown_with_all_its_parts(user: AssertiveUser, path: str) -> None:
    stub = user.stub({"path": path + "/{id}"})
    target = path + "/a%20b?q=1&q=2&empty&u=%C3%BC"
    user.write(
        "PATCH", target, "X-Team: qa", "X-Team: dev", "Accept: */*", body="zoë".encode(), host="API.Example.com:81"
    )
    (seen,) = user.requests(path + "/a b")
    headers = seen.pop("headers")
    assert seen == {
        "method": "PATCH",
        "path": path + "/a b",
        "query": {"q": "2", "empty": "", "u": "ü"},
        "body": "zoë",
        "host": "api.example.com",
        "scope": None,
        "matched_stub_id": stub,
    }
    assert headers == {"host": "API.Example.com:81", "x-team": "qa", "accept": "*/*", "content-length": "4"}


def test_a_request_that_nothing_matched_is_shown_too(scoped: AssertiveUser) -> None:
    scoped.ask("GET", "/a")
    (seen,) = scoped.requests("/a")
    assert (seen["matched_stub_id"], seen["scope"], seen["body"]) == (None, scoped.scope, "")


def test_a_request_is_shown_as_soon_as_it_is_answered(user: AssertiveUser, path: str) -> None:
    for number in range(1, 7):
        user.ask("GET", path)
        assert len(user.requests(path)) == number
        assert user.asserts(path=path, times=times(eq=number))


def test_requests_are_listed_oldest_first_those_of_the_scope_before_all(scoped: AssertiveUser, path: str) -> None:
    for number in range(6):
        (scoped if number % 2 else scoped.unscoped).ask("GET", path, params={"n": number})
    assert [each["query"]["n"] for each in scoped.requests(path)] == ["1", "3", "5", "0", "2", "4"]


def test_many_are_all_listed(scoped: AssertiveUser) -> None:
    for number in range(130):
        scoped.ask("GET", "/many", params={"n": number})
    assert [each["query"]["n"] for each in scoped.requests("/many")] == [str(number) for number in range(130)]
    assert scoped.asserts(path="/many", times=times(eq=130))


def test_a_long_body_is_kept_whole(scoped: AssertiveUser) -> None:
    body = "0123456789" * 25_000
    scoped.ask("POST", "/long", content=body.encode())
    assert scoped.requests("/long")[0]["body"] == body
    assert scoped.asserts(path="/long", body={"$length": {"value": len(body)}})
    assert scoped.asserts(path="/long", body={"$regex": {"pattern": "(?s).*9$"}})
    assert not scoped.asserts(path="/long", body=body[:50_000])


def test_a_body_that_is_no_text_does_not_break_the_list(scoped: AssertiveUser) -> None:
    scoped.ask("POST", "/bytes", content=b"a\xff\xfeb\x00")
    (seen,) = scoped.requests("/bytes")
    assert (seen["body"][0], seen["body"].rstrip("\x00")[-1]) == ("a", "b")
    assert len(scoped.requests("/bytes")) == 1


def test_what_a_stub_was_is_on_record_when_it_is_gone(user: AssertiveUser, path: str) -> None:
    stub = user.stub({"path": path})
    user.ask("GET", path)
    user.delete_stub(stub)
    assert user.requests(path)[0]["matched_stub_id"] == stub


SENT = {"params": {"a": "1", "b": "2"}, "headers": {"X-Team": "qa"}, "content": b'{"n": 5}'}

# An assertion, and whether it is true of one POST to /things/{id} of exactly that path.
ASSERTIONS: dict[str, tuple[dict[str, Any], bool]] = {
    "nothing": ({}, True),
    "its path": ({"path": "/things/7"}, True),
    "a pattern is literal": ({"path": "/things/{id}"}, False),
    "a path by a criterion": ({"path": {"$regex": {"pattern": "/things/[0-9]$"}}}, True),
    "a slash too many": ({"path": "/things/7/"}, False),
    "its method": ({"path": "/things/7", "method": "POST"}, True),
    "another method": ({"path": "/things/7", "method": "GET"}, False),
    "a method in lower case": ({"method": "post", "path": "/things/7"}, False),
    "a header": ({"headers": {"x-team": "qa"}}, True),
    "a header in capitals": ({"headers": {"X-Team": "qa"}}, False),
    "a header by a criterion": ({"headers": {"x-team": {"$length": {"value": 2}}}}, True),
    "headers by a criterion": ({"headers": {"$key_values": {"key_values": {"x-team": "qa"}}}}, True),
    "some of the query": ({"path": "/things/7", "query": {"a": "1"}}, True),
    "another query": ({"path": "/things/7", "query": {"a": "2"}}, False),
    "a number in the query": ({"path": "/things/7", "query": {"a": 1}}, False),
    "exactly the query": ({"query": {"$exact_key_values": {"key_values": {"a": "1", "b": "2"}}}}, True),
    "its body": ({"body": '{"n": 5}'}, True),
    "a body that is an object": ({"path": "/things/7", "body": {"n": 5}}, False),
    "a body as JSON": ({"body": {"$json": {"inner_criteria": {"n": {"$gt": {"value": 4}}}}}}, True),
    "its host": ({"path": "/things/7", "host": "127.0.0.1"}, True),
    "another host": ({"path": "/things/7", "host": "localhost"}, False),
    "nulls": (dict.fromkeys(("path", "method", "headers", "body", "host", "query", "times")), True),
    "once": ({"path": "/things/7", "times": {"$eq": {"value": 1}}}, True),
    "twice": ({"path": "/things/7", "times": {"$eq": {"value": 2}}}, False),
    "never": ({"path": "/things/7", "times": {"$eq": {"value": 0}}}, False),
    "another never": ({"path": "/things/8", "times": {"$eq": {"value": 0}}}, True),
    "between": ({"path": "/things/7", "times": {"$between": {"lower": 1, "upper": 3}}}, True),
    "one or five": (
        {"path": "/things/7", "times": {"$or": {"items": [{"$eq": {"value": 5}}, {"$eq": {"value": 1}}]}}}, True,
    ),
    "not once": ({"path": "/things/7", "times": {"$not": {"value": {"$eq": {"value": 1}}}}}, False),
    "odd": ({"path": "/things/7", "times": {"$odd": {}}}, True),
    "less than three": ({"path": "/things/7", "times": {"$lt": {"value": 3}}}, True),
    "times as text never holds": ({"path": "/things/7", "times": "1"}, False),
    # The product refuses it, although its client can send it.
    "times as a number": ({"path": "/things/7", "times": 1}, True),
    "other times as a number": ({"path": "/things/7", "times": 2}, False),
    "no times as a number": ({"path": "/things/8", "times": 0}, True),
}  # fmt: skip


@pytest.mark.parametrize("name", ASSERTIONS)
def test_an_assertion(scoped: AssertiveUser, name: str) -> None:
    assertion, true = ASSERTIONS[name]
    scoped.ask("POST", "/things/7", **SENT)
    assert scoped.asserts(**assertion) is true


@pytest.mark.parametrize("body", [[1], []])
def test_a_list_is_no_body_to_assert(user: AssertiveUser, body: list[int]) -> None:
    assert user.refused({"body": body}, "/__mock__/assert")[0]["loc"][:2] == ["body", "body"]


def test_an_assertion_counts_in_its_scope(scoped: AssertiveUser, path: str) -> None:
    for each in (scoped, scoped, scoped.unscoped):
        each.ask("GET", path)
    assert scoped.asserts(path=path, times=times(eq=3))
    assert scoped.unscoped.asserts(path=path, times=times(eq=1))


def test_an_assertion_counts_only_what_fits_in_all_parts(scoped: AssertiveUser) -> None:
    for method, query in (("GET", "1"), ("GET", "2"), ("POST", "1"), ("GET", "1")):
        scoped.ask(method, "/a", params={"q": query})
    assert scoped.asserts(path="/a", method="GET", query={"q": "1"}, times=times(eq=2))
    assert scoped.asserts(path="/a", times=times(eq=4))


def test_assertions_are_not_counted_themselves(scoped: AssertiveUser) -> None:
    scoped.ask("GET", "/a")
    for _ in range(3):
        assert scoped.asserts(path="/a", times=times(eq=1))


def test_calls_without_a_stub_can_be_asserted(scoped: AssertiveUser) -> None:
    scoped.stub({"path": "/a"}, text())
    scoped.ask("GET", "/a")
    scoped.ask("GET", "/b")
    assert scoped.asserts(path={"$regex": {"pattern": "/[ab]$"}}, headers={scoped.scope: "1"}, times=times(eq=2))
