"""Section 5.1: answers that a stub holds."""

from collections.abc import Mapping
from typing import Any

import pytest
from support.assertive_server import AssertiveUser, template, text


def response(body: Any, headers: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"response": {"status_code": 200, "headers": headers or {}, "body": body}}


# What the body is, what is sent, and under which type.
BODIES: dict[str, tuple[Any, bytes, list[str]]] = {
    "text": ("hello", b"hello", []),
    "text in UTF-8": ("zoë ☃", "zoë ☃".encode(), []),
    "text that looks like JSON": ('{"a": 1}', b'{"a": 1}', []),
    "text that looks like a template": ("{{ request.nope }}", b"{{ request.nope }}", []),
    "no text": ("", b"", []),
    "an object": ({"a": 1, "b": [None, True]}, b'{"a":1,"b":[null,true]}', ["application/json"]),
    "an object in its order": ({"b": 1, "a": 2}, b'{"b":1,"a":2}', ["application/json"]),
    "an empty object": ({}, b"{}", ["application/json"]),
    "a list": ([1, "zoë"], '[1,"zoë"]'.encode(), ["application/json"]),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_is_sent_by_its_kind(user: AssertiveUser, path: str, name: str) -> None:
    body, sent, kind = BODIES[name]
    user.stub({"path": path}, response(body))
    answer = user.write("GET", path)
    assert (answer.status, answer.body, answer.values("content-type")) == (200, sent, kind)
    assert answer.values("content-length") == [str(len(sent))]


@pytest.mark.parametrize(("body", "sent"), [(5, b"5"), (1.5, b"1.5"), (True, b"true"), (False, b"false"), (0, b"0")])
def test_a_number_is_sent_as_json(user: AssertiveUser, path: str, body: Any, sent: bytes) -> None:
    # The product sends nothing.
    user.stub({"path": path}, response(body))
    assert user.write("GET", path).body == sent


@pytest.mark.parametrize("body", ["text", {"a": 1}, [1]])
def test_the_stub_may_name_the_type(user: AssertiveUser, path: str, body: Any) -> None:
    user.stub({"path": path}, response(body, headers={"content-TYPE": "application/vnd.own+json"}))
    assert user.write("GET", path).values("content-type") == ["application/vnd.own+json"]


def test_headers_are_sent_as_they_are_written(user: AssertiveUser, path: str) -> None:
    headers = {"X-One": "1", "x-two": "a, b", "Cache-Control": "no-store", "Set-Cookie": "a=b; Path=/"}
    user.stub({"path": path}, text("", headers=headers))
    answer = user.write("GET", path)
    for name, value in headers.items():
        assert answer.values(name.lower()) == [value]


def test_headers_are_no_templates(user: AssertiveUser, path: str) -> None:
    user.stub({"path": path}, template("{{ request.method }}", headers={"x-a": "{{ request.method }}"}))
    answer = user.write("GET", path)
    assert (answer.values("x-a"), answer.body) == (["{{ request.method }}"], b"GET")


def test_nothing_is_sent_that_the_stub_does_not_say(user: AssertiveUser, path: str) -> None:
    user.stub({"path": path}, text("a", headers={"X-Own": "1"}))
    for answer in (user.write("GET", path), user.write("GET", path + "/unknown")):
        names = {name.lower() for name, _ in answer.headers}
        assert names <= {"x-own", "content-length", "date", "server", "connection"}


@pytest.mark.parametrize("status", [200, 201, 299, 302, 400, 404, 418, 500, 503, 599])
def test_a_status_is_sent(user: AssertiveUser, path: str, status: int) -> None:
    user.stub({"path": path}, text("body", status, {"location": "/elsewhere"}))
    answer = user.write("GET", path)
    assert (answer.status, answer.body, answer.values("location")) == (status, b"body", ["/elsewhere"])


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_sends_none(user: AssertiveUser, path: str, status: int) -> None:
    user.stub({"path": path}, text("body", status, headers={"x-own": "1"}))
    answer = user.write("GET", path)
    assert (answer.status, answer.body, answer.values("x-own")) == (status, b"", ["1"])
    # The connection is as good as after any other.
    assert user.ask("GET", path).status_code == status
    assert user.ask("GET", path).status_code == status


@pytest.mark.parametrize("status", [0, 99, 600, 1000, -1])
def test_a_status_that_cannot_be_sent_is_refused(user: AssertiveUser, status: int) -> None:
    (found,) = user.refused({"request": {}, "action": text("", status)})
    assert found["loc"] == ["body", "action", "response", "status_code"]


def test_values_of_headers_that_are_no_text_are_written_as_json(user: AssertiveUser, path: str) -> None:
    user.stub({"path": path}, response("", headers={"x-n": 5, "x-b": True}))
    answer = user.write("GET", path)
    assert (answer.values("x-n"), answer.values("x-b")) == (["5"], ["true"])


def test_a_template_is_sent_as_text(user: AssertiveUser, path: str) -> None:
    user.stub({"path": path}, template("zoë {{ request.query.a }}"))
    answer = user.write("GET", path + "?a=%C3%BC")
    assert (answer.body.decode(), answer.values("content-type")) == ("zoë ü", [])
    assert answer.values("content-length") == [str(len("zoë ü".encode()))]


def test_a_template_may_be_empty(user: AssertiveUser, path: str) -> None:
    user.stub({"path": path}, template(""))
    assert user.said("GET", path) == (200, "")


def test_an_answer_to_head_has_no_body(user: AssertiveUser, path: str) -> None:
    user.stub({"path": path, "method": "HEAD"}, text("body", headers={"x-own": "1"}))
    answer = user.write("HEAD", path)
    assert (answer.status, answer.body, answer.values("x-own")) == (200, b"", ["1"])


def test_a_large_body_is_sent_whole(user: AssertiveUser, path: str) -> None:
    body = "0123456789" * 50_000
    user.stub({"path": path}, text(body))
    assert user.said("GET", path) == (200, body)
