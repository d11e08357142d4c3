"""A request of whose rest nothing can be made is on record with its refusal, however it came in pieces."""

import asyncio
import json
from itertools import pairwise

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.proxying import ask, body_of, status_of
from support.virtual_proxy import VirtualProxy
from understudy_server.proxy.settings import ProxySettings

_HEAD = ("x-flowmock-session: ci-42", "Transfer-Encoding: chunked")
_PATHS = ["/mocked", "/judged", "/"]
_BODY_BYTES_MAX = 10


def _source() -> FakeSource:
    """`/mocked` is mocked, `/judged` if its body is right, and the rest is passed through."""
    by_body = mock("ovr_judged", path="/judged")
    by_body.matcher.body.equals = "right"
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(upstream="http://192.0.2.1")},
        mocks={"ovr_mocked": mock("ovr_mocked", path="/mocked"), "ovr_judged": by_body},
        sessions={"ses_ci-42": session(overrides=("ovr_mocked", "ovr_judged"))},
    )
    return source


def _proxy(source: FakeSource) -> VirtualProxy:
    return VirtualProxy(source, ProxySettings(request_body_bytes_max=_BODY_BYTES_MAX))


def _on_record(proxy: VirtualProxy) -> list[tuple[int, str, str, bytes]]:
    """Status, session key, code and body of each exchange."""
    return [
        (
            each.status,
            each.session_key,
            json.loads(each.response_body.content)["code"] if each.response_body else "",
            each.request_body.content if each.request_body else b"",
        )
        for each in proxy.exchanges
    ]


@pytest.mark.parametrize("cuts", [[], [0], [0, 4], [0, 6]], ids=["one piece", "two", "three", "within a chunk's end"])
@pytest.mark.parametrize(
    ("spoiled", "status", "code"),
    [(b"1\r\na\r\nzz\r\n", 400, "bad_request"), (b"1\r\na\r\nff\r\n" + bytes(99), 413, "body_too_large")],
    ids=["no chunk", "too long"],
)
@pytest.mark.parametrize("path", _PATHS)
def test_refusal_of_the_rest_is_on_record_in_whatever_pieces_it_came(
    path: str, spoiled: bytes, status: int, code: str, cuts: list[int]
) -> None:
    with _proxy(_source()) as proxy:
        head = ask("POST", path, *_HEAD, close=False)
        data = head + spoiled
        at = [0, *(len(head) + cut for cut in cuts), len(data)]
        client = proxy.send(data[: at[1]])
        for start, end in pairwise(at[1:]):
            proxy.say(client, data[start:end])
        assert status_of(b"".join(client.sent)) == status
        assert json.loads(body_of(b"".join(client.sent)))["code"] == code
    ((*recorded, body),) = _on_record(proxy)
    assert recorded == [status, "ci-42", code]
    assert body[:1] == b"a"


# Before the request could be judged.


def _behind(source: FakeSource) -> FakeSource:
    """The view cannot be brought up to date as long as the gate is closed."""
    source.alone, source.gate = False, asyncio.Event()
    return source


@pytest.mark.parametrize("path", _PATHS)
def test_refusal_of_the_rest_is_on_record_although_the_request_was_not_judged_yet(path: str) -> None:
    source = _source()
    with _proxy(source) as proxy:
        _behind(source)
        client = proxy.send(ask("POST", path, *_HEAD, close=False) + b"1\r\na\r\nzz\r\n")
        assert status_of(b"".join(client.sent)) == 400
    assert _on_record(proxy) == [(400, "ci-42", "bad_request", b"a")]


@pytest.mark.parametrize("path", _PATHS)
def test_client_that_goes_before_its_request_was_judged_is_on_record(path: str) -> None:
    source = _source()
    with _proxy(source) as proxy:
        _behind(source)
        client = proxy.send(ask("POST", path, _HEAD[0], body=b"body", close=False))
        client.lose()
    assert _on_record(proxy) == [(499, "ci-42", "", b"body")]


def test_client_that_goes_before_its_request_was_judged_is_on_no_record_without_an_environment() -> None:
    source = _source()
    with _proxy(source) as proxy:
        _behind(source)
        client = proxy.send(b"GET /nowhere/ HTTP/1.1\r\nHost: a\r\n\r\n")
        client.lose()
    assert proxy.exchanges == []
