"""Where requests are passed on to."""

import re
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.answering import planned, scene
from understudy_server.core.matching.paths import PathPattern
from understudy_server.core.responding.forwarding import encoded_path
from understudy_server.core.responding.plan import Failed, Forward

_LEGAL = re.compile(r"/(?:[A-Za-z0-9!$&'()*+,;=:@._~/-]|%[0-9A-Fa-f]{2})*")


def forward(target: str = "/a", parameters: dict[str, str] | None = None, **fields: Any) -> Forward:
    action = {"forward": {"target": "https://staging.example.com/base/", **fields}}
    answer = planned(action, scene(target, parameters=parameters), parameters=list(parameters or ())).answer
    assert isinstance(answer, Forward)
    return answer


@pytest.mark.parametrize(
    ("rewrite", "given", "target"),
    [
        (None, "/v1/a%2Fb?x=1&y=%20", "/v1/a%2Fb?x=1&y=%20"),
        ({"replace": "/v2"}, "/v1?x=1", "/v2?x=1"),
        ({"replace": "/v2/{id}/x y/%2F/100%"}, "/v1", "/v2/7%2F%C3%BC/x%20y/%2F/100%25"),
        ({"replace": "/é/{id}{id}"}, "/", "/%C3%A9/7%2F%C3%BC7%2F%C3%BC"),
        ({"stripPrefix": "/api"}, "/api/users", "/users"),
        ({"stripPrefix": "/api/"}, "/api/users", "/users"),
        ({"stripPrefix": "/api"}, "/api", "/"),
        ({"stripPrefix": "/api"}, "/other", "/other"),
        ({"substitute": {"pattern": "^/v1/", "replacement": "/v2/"}}, "/v1/v1/x?q", "/v2/v1/x?q"),
        ({"substitute": {"pattern": "/users/([0-9]+)", "replacement": r"/people/\1"}}, "/users/42/a", "/people/42/a"),
        ({"substitute": {"pattern": "^/", "replacement": "x?# "}}, "/a", "/x%3F%23%20a"),
        ({"substitute": {"pattern": "nope", "replacement": ""}}, "/a%20b", "/a%20b"),
    ],
)
def test_a_path_is_rewritten_like_this(rewrite: dict[str, Any] | None, given: str, target: str) -> None:
    fields = {"path": rewrite} if rewrite else {}
    found = forward(given, {"id": "7/ü"}, **fields)
    assert (found.base, found.target) == ("https://staging.example.com/base", target)


@pytest.mark.parametrize(("given", "target"), [("/a", "/a?x=1"), ("/a?y=2", "/a?y=2")])
def test_a_query_of_its_own_is_that_of_a_request_that_has_none(given: str, target: str) -> None:
    assert forward(given, query="x=1").target == target


def test_headers_are_set_and_removed() -> None:
    found = forward(
        setHeaders=[{"name": "X-A", "value": "1"}], removeHeaders=["Authorization"], keepHost=True, firstByteMs=5000
    )
    assert found.set_headers == ((b"X-A", b"1"),)
    assert found.removed == frozenset({b"authorization"})
    assert (found.keep_host, found.first_byte_ms) == (True, 5000)


def test_a_path_does_not_grow_without_end() -> None:
    action = {
        "forward": {
            "target": "http://a.example",
            "path": {"substitute": {"pattern": "(.*)", "replacement": r"\1" * 20}},
        }
    }
    answer = planned(action, scene("/" + "x" * 2000)).answer
    assert answer == Failed("rewrite_failed", "the path grows beyond 16384 characters")


def test_a_pattern_that_takes_too_long_on_a_path_is_told() -> None:
    pattern = {"pattern": "a[ab]{500}c", "replacement": ""}
    action = {"forward": {"target": "http://a.example", "path": {"substitute": pattern}}}
    answer = planned(action, scene("/" + "ab" * 5000)).answer
    assert answer == Failed("rewrite_failed", "the pattern takes more steps on this path than it may")


@given(st.binary(min_size=1, max_size=20))
def test_a_parameter_goes_into_a_path_and_out_again(raw: bytes) -> None:
    sent = "/users/" + quote(raw, safe="")
    pattern = PathPattern.parse("/users/{id}")
    action = {"forward": {"target": "http://a.example", "path": {"replace": "/people/{id}/x"}}}
    answer = planned(action, scene(sent, parameters=pattern.parameters(sent)), parameters=["id"]).answer
    assert isinstance(answer, Forward)
    assert _LEGAL.fullmatch(answer.target)
    assert unquote_to_bytes(answer.target.split("/")[2]) == raw


@given(st.text(max_size=40))
def test_any_text_becomes_a_path_that_may_be_sent_and_stays_so(text: str) -> None:
    path = encoded_path("/" + text.encode("utf-8", "replace").decode())
    assert _LEGAL.fullmatch(path)
    assert encoded_path(path) == path


@given(st.text(alphabet="/ab%2f.?é ", max_size=30), st.text(alphabet="/ab", max_size=3))
def test_whatever_is_taken_away_a_path_begins_with_a_slash(path: str, prefix: str) -> None:
    sent = encoded_path("/" + path)
    found = forward(sent, path={"stripPrefix": prefix}).target
    assert found.startswith("/")
    assert sent.endswith(found.removeprefix("/"))
