"""Section 10: calls."""

import socket

import pytest
from support.assertive_server import AssertiveUser, text

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD")


@pytest.mark.parametrize("method", METHODS)
def test_a_method_is_answered_by_its_stub(user: AssertiveUser, path: str, method: str) -> None:
    user.stub({"path": path, "method": method}, text("body", 203))
    assert user.said(method, path) == (203, "" if method == "HEAD" else "body")
    for other in set(METHODS) - {method}:
        assert user.ask(other, path).status_code == 404


@pytest.mark.parametrize("method", METHODS)
def test_without_a_stub_the_answer_says_so(user: AssertiveUser, path: str, method: str) -> None:
    answer = user.write(method, path)
    assert answer.status == 404
    assert answer.body == (b"" if method == "HEAD" else b"NO_STUB_MATCH_FOUND")
    assert answer.values("content-type") == []
    assert user.asserts(path=path, method=method)


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "BREW"])
def test_other_methods_are_not_allowed(scoped: AssertiveUser, method: str) -> None:
    scoped.stub({})
    answer = scoped.write(method, "/a")
    assert (answer.status, answer.json()) == (405, {"detail": "Method Not Allowed"})
    assert answer.values("content-type") == ["application/json"]
    assert {each.strip() for each in answer.values("allow")[0].split(",")} <= set(METHODS)
    assert [each["method"] for each in scoped.requests("/a")] == []


def test_the_connection_goes_on_after_a_refusal(user: AssertiveUser, path: str) -> None:
    host, _, port = user.address.rpartition(":")
    with socket.create_connection((host, int(port)), 20) as connection:
        first = f"TRACE {path} HTTP/1.1\r\nHost: mock\r\n\r\n"
        connection.sendall(f"{first}GET {path} HTTP/1.1\r\nHost: mock\r\nConnection: close\r\n\r\n".encode())
        said = b""
        while piece := connection.recv(65_536):
            said += piece
    assert said.startswith(b"HTTP/1.1 405 ")
    assert said.endswith(b"NO_STUB_MATCH_FOUND")


def test_head_is_not_answered_by_a_stub_for_get(user: AssertiveUser, path: str) -> None:
    user.stub({"path": path, "method": "GET"})
    assert user.ask("HEAD", path).status_code == 404


def test_a_page_of_another_origin_gets_no_answer_of_our_own(user: AssertiveUser, path: str) -> None:
    lines = ("Origin: https://page.example", "Access-Control-Request-Method: GET")
    asked = user.write("OPTIONS", path, *lines)
    assert (asked.status, asked.body) == (404, b"NO_STUB_MATCH_FOUND")
    user.stub({"path": path}, text("mine", headers={"Access-Control-Allow-Origin": "*"}))
    answered = user.write("OPTIONS", path, *lines)
    assert (answered.status, answered.body, answered.values("access-control-allow-origin")) == (200, b"mine", ["*"])
    for answer in (asked, answered):
        assert [name for name, _ in answer.headers if name.lower().startswith("access-control-allow-m")] == []
        assert answer.values("vary") == []


def test_many_calls_go_over_one_connection(user: AssertiveUser, path: str) -> None:
    user.stub({"path": path}, text("a"))
    host, _, port = user.address.rpartition(":")
    with socket.create_connection((host, int(port)), 20) as connection:
        call = f"GET {path} HTTP/1.1\r\nHost: mock\r\n\r\n".encode()
        control = b"GET /__mock__/scopes HTTP/1.1\r\nHost: mock\r\n\r\n"
        last = f"GET {path}/no HTTP/1.1\r\nHost: mock\r\nConnection: close\r\n\r\n".encode()
        # Calls and the control plane in turns, all sent at once.
        connection.sendall((call + control) * 5 + call + last)
        said = b""
        while piece := connection.recv(65_536):
            said += piece
    assert said.count(b"HTTP/1.1 200 ") == 11
    assert said.count(b'"scopes"') == 5
    assert said.endswith(b"NO_STUB_MATCH_FOUND")


@pytest.mark.parametrize(
    "target", ["/", "/?a=1", "/a/b/c", "/favicon.ico", "/api/v1/sessions", "/health", "/%00", "/*"]
)
def test_any_path_can_be_called(scoped: AssertiveUser, target: str) -> None:
    scoped.stub({}, text("any"))
    answer = scoped.write("GET", target)
    assert (answer.status, answer.body) == (200, b"any")


def test_a_call_in_absolute_form_is_like_others(user: AssertiveUser, path: str) -> None:
    user.stub({"path": path}, text("a"))
    answer = user.write("GET", f"http://mock{path}?a=1")
    assert (answer.status, answer.body) == (200, b"a")
