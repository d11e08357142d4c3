"""Section 3.1: what each part of a request is compared with."""

from dataclasses import dataclass
from typing import Any

import pytest
from support.assertive_server import NO_MATCH, AssertiveUser, text


@dataclass(frozen=True)
class Case:
    """A matcher, and the request that it is put to. ``target`` is what stands behind the path."""

    request: dict[str, Any]
    fits: bool
    method: str = "POST"
    target: str = ""
    lines: tuple[str, ...] = ()
    host: str = "mock"
    body: bytes = b""


def json_is(value: Any) -> dict[str, Any]:
    return {"$json": {"inner_criteria": {"$eq": {"value": value}}}}


CASES = {
    "the same method": Case({"method": "POST"}, fits=True),
    "another method": Case({"method": "PUT"}, fits=False),
    "a method in lower case never fits": Case({"method": "post"}, fits=False),
    "a method by a criterion": Case(
        {"method": {"$or": {"items": [{"$eq": {"value": "PUT"}}, {"$eq": {"value": "POST"}}]}}}, fits=True
    ),
    "the same host": Case({"host": "api.example.com"}, fits=True, host="api.example.com"),
    "a host in capitals and with a port": Case({"host": "api.example.com"}, fits=True, host="API.Example.com:8080"),
    "a host that names the port": Case({"host": "api.example.com:8080"}, fits=False, host="api.example.com:8080"),
    "a host in capitals never fits": Case({"host": "API.example.com"}, fits=False, host="API.example.com"),
    "another host": Case({"host": "api.example.com"}, fits=False, host="example.com"),
    "a host by a criterion": Case({"host": {"$regex": {"pattern": "api\\."}}}, fits=True, host="api.example.com"),
    "one of the headers": Case({"headers": {"x-team": "qa"}}, fits=True, lines=("x-team: qa", "x-other: 1")),
    "a header that came in capitals": Case({"headers": {"x-team": "qa"}}, fits=True, lines=("X-TEAM: qa",)),
    "a header wanted in capitals never fits": Case({"headers": {"X-Team": "qa"}}, fits=False, lines=("X-Team: qa",)),
    "a header with another value": Case({"headers": {"x-team": "qa"}}, fits=False, lines=("x-team: QA",)),
    "all headers that are wanted": Case(
        {"headers": {"x-a": "1", "x-b": "2"}}, fits=True, lines=("x-b: 2", "x-a: 1")
    ),
    "not all headers that are wanted": Case({"headers": {"x-a": "1", "x-b": "2"}}, fits=False, lines=("x-a: 1",)),
    "a number is no header's value": Case({"headers": {"x-a": 1}}, fits=False, lines=("x-a: 1",)),
    "a header by a criterion": Case(
        {"headers": {"x-a": {"$length": {"value": 3}}}}, fits=True, lines=("x-a: abc",)
    ),
    "headers by a criterion": Case(
        {"headers": {"$key_values": {"key_values": {"x-a": "1"}}}}, fits=True, lines=("x-a: 1",)
    ),
    "the first of a repeated header": Case({"headers": {"x-a": "1"}}, fits=True, lines=("x-a: 1", "x-a: 2")),
    "not the second of a repeated header": Case({"headers": {"x-a": "2"}}, fits=False, lines=("x-a: 1", "x-a: 2")),
    "one of the query": Case({"query": {"a": "1"}}, fits=True, target="?b=2&a=1"),
    "a query with another value": Case({"query": {"a": "1"}}, fits=False, target="?a=11"),
    "a query that is not there": Case({"query": {"a": "1"}}, fits=False),
    "a number is no query's value": Case({"query": {"a": 2}}, fits=False, target="?a=2"),
    "the last of a repeated query": Case({"query": {"a": "2"}}, fits=True, target="?a=1&a=2"),
    "not the first of a repeated query": Case({"query": {"a": "1"}}, fits=False, target="?a=1&a=2"),
    "a query's name alone": Case({"query": {"a": ""}}, fits=True, target="?a"),
    "a query without a value": Case({"query": {"a": ""}}, fits=True, target="?a="),
    "a query that is decoded": Case({"query": {"ä b": "c+d&e"}}, fits=True, target="?%C3%A4+b=c%2Bd%26e"),
    "exactly this query": Case(
        {"query": {"$exact_key_values": {"key_values": {"a": "1"}}}}, fits=True, target="?a=1"
    ),
    "more than exactly this query": Case(
        {"query": {"$exact_key_values": {"key_values": {"a": "1"}}}}, fits=False, target="?a=1&b=2"
    ),
    "the same body": Case({"body": "a: 1\n"}, fits=True, body=b"a: 1\n"),
    "a body with more": Case({"body": "a"}, fits=False, body=b"ab"),
    "a body in UTF-8": Case({"body": "zoë"}, fits=True, body="zoë".encode()),
    "no body": Case({"body": ""}, fits=True),
    "a body where none is wanted": Case({"body": ""}, fits=False, body=b"a"),
    "a body that is text, by a criterion": Case({"body": {"$length": {"value": 4}}}, fits=True, body="zoë!".encode()),
    "an object is no body": Case({"body": {"a": 1}}, fits=False, body=b'{"a": 1}'),
    "a list is no body": Case({"body": [1]}, fits=False, body=b"[1]"),
    "JSON however it is written": Case({"body": json_is({"a": 1, "b": [True]})}, fits=True, body=b'{"b":[true],"a":1}'),
    "other JSON": Case({"body": json_is({"a": 1})}, fits=False, body=b'{"a": 2}'),
    "JSON without the name of it": Case(
        {"body": json_is([])}, fits=True, body=b"[]", lines=("content-type: text/plain",)
    ),
    "null is as good as nothing": Case(
        dict.fromkeys(("method", "host", "headers", "query", "body")), fits=True, target="?a=1", body=b"a"
    ),
    "all of them": Case(
        {"method": "PUT", "host": "h", "headers": {"x-a": "1"}, "query": {"q": "1"}, "body": "b"},
        fits=True, method="PUT", host="h", lines=("x-a: 1",), target="?q=1", body=b"b",
    ),
    "all of them but one": Case(
        {"method": "PUT", "host": "h", "headers": {"x-a": "1"}, "query": {"q": "1"}, "body": "b"},
        fits=False, method="PUT", host="h", lines=("x-a: 1",), target="?q=2", body=b"b",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_matcher_fits(user: AssertiveUser, path: str, name: str) -> None:
    case = CASES[name]
    user.stub({"path": path, **case.request})
    answer = user.write(case.method, path + case.target, *case.lines, body=case.body, host=case.host)
    assert (answer.status, answer.body) == ((200, b"here") if case.fits else (404, NO_MATCH[1].encode()))


def test_a_matcher_that_says_nothing_fits_everything(scoped: AssertiveUser) -> None:
    scoped.stub({}, text("anything"))
    for method, target in (("GET", "/"), ("POST", "/a/b?c=d"), ("OPTIONS", "/x"), ("DELETE", "/__mock__/nothing")):
        assert scoped.said(method, target, content=b"body") == (200, "anything")
    assert scoped.unscoped.said("GET", "/") == NO_MATCH


def test_a_body_that_arrives_in_pieces_is_one(user: AssertiveUser, path: str) -> None:
    user.stub({"path": path, "body": "ab" * 5000})
    assert user.said("POST", path, content=iter([b"ab" * 2500, b"a", b"b" + b"ab" * 2499])) == (200, "here")
