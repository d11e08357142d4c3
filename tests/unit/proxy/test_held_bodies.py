"""What is held of bodies that are still coming has one bound for all connections, and is given back at every end."""

import json
from collections.abc import Callable
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.manual_loop import Wire
from support.proxying import OK, ask, body_of, status_of
from support.virtual_proxy import VirtualProxy
from understudy_server.proxy.connection import Connection
from understudy_server.proxy.held_bodies import BODY_NOT_HELD
from understudy_server.proxy.settings import ProxySettings

_End = Callable[[VirtualProxy, Wire], None]
_KEY = "x-flowmock-session: ci-42"
_UPSTREAM = "http://192.0.2.1"
_BOUND = 20
_SETTINGS = ProxySettings(held_bodies_bytes_max=_BOUND, captured_bytes_max=16)


def _source() -> FakeSource:
    """Mocks: /body by its body, and /any, at once or /late. The rest goes to the upstream."""
    by_body = mock("ovr_body", path="/body", json='"body"')
    by_body.matcher.body.json_subset = '{"a":1}'
    mocks = (
        by_body,
        mock("ovr_any", path="/any", json='"any"'),
        mock("ovr_late", path="/late", json='"late"', delay_ms=500),
    )
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(upstream=_UPSTREAM)},
        mocks={each.id: each for each in mocks},
        sessions={"ses_ci-42": session(overrides=tuple(each.id for each in mocks))},
    )
    return source


def _head(path: str, size: int) -> bytes:
    return ask("POST", path, _KEY, f"Content-Length: {size}")


def _proxy() -> VirtualProxy:
    return VirtualProxy(_source(), _SETTINGS)


def _sent(client: Wire) -> bytes:
    return b"".join(client.sent)


def test_body_for_which_there_is_no_room_is_refused_and_nobody_answers_in_the_place_of_the_mock() -> None:
    with _proxy() as proxy:
        proxy.send(_head("/body", 100) + b"x" * 15)
        late = proxy.send(_head("/body", 12) + b'{"a":')
        proxy.say(late, b" 1")
        answer = _sent(late)
        assert (status_of(answer), json.loads(body_of(answer))["code"]) == (503, BODY_NOT_HELD)
        assert not proxy.upstreams
    assert [(each.status, each.mock_id, each.session_key, each.findings) for each in proxy.exchanges] == [
        (503, "", "ci-42", (BODY_NOT_HELD,))
    ]


def test_what_came_with_the_head_counts_too() -> None:
    with _proxy() as proxy:
        client = proxy.send(_head("/body", 100) + b"x" * (_BOUND + 1))
        assert status_of(_sent(client)) == 503
        assert proxy.held_body_bytes == 0


def test_body_that_was_refused_is_let_go_of_while_the_client_still_reads_why() -> None:
    with _proxy() as proxy:
        client = proxy.send(_head("/body", 100) + b"x" * (_BOUND + 1))
        assert not client.lost
        assert not cast("Connection", client._protocol)._request.body


def test_body_that_came_whole_needs_no_room() -> None:
    with _proxy() as proxy:
        proxy.send(_head("/body", 100) + b"x" * _BOUND)
        client = proxy.send(_head("/body", 7) + b'{"a":1}')
        assert body_of(_sent(client)) == b'"body"'


def _whole(proxy: VirtualProxy, client: Wire) -> None:
    proxy.say(client, b"x" * 2)


def _gone(proxy: VirtualProxy, client: Wire) -> None:
    client.lose()
    proxy.settle()


def _broken_off(proxy: VirtualProxy, client: Wire) -> None:
    client.end()
    proxy.settle()


def _too_slow(proxy: VirtualProxy, client: Wire) -> None:
    proxy.pass_seconds(_SETTINGS.body_seconds + 1)


def _not_recorded(proxy: VirtualProxy, client: Wire) -> None:
    proxy.fault = OSError("the disk is gone")
    _whole(proxy, client)


def _at_fault(proxy: VirtualProxy, client: Wire) -> None:
    """Something of ours goes wrong, in whatever the request is at."""
    if not client.lost:
        cast("Connection", client._protocol).fault()
    proxy.settle()


_ENDS = [_whole, _gone, _broken_off, _too_slow, _not_recorded, _at_fault]


@pytest.mark.parametrize("end", _ENDS)
@pytest.mark.parametrize("path", ["/body", "/any", "/late", "/passed-on"])
def test_room_is_given_back_when_the_body_is_whole_and_when_it_will_not_be(path: str, end: _End) -> None:
    with _proxy() as proxy:
        client = proxy.send(_head(path, 10) + b"x" * 8)
        assert proxy.held_body_bytes == 8
        end(proxy, client)
        for upstream in proxy.upstreams:
            proxy.say(upstream, OK)
        proxy.pass_ms(500)
        assert proxy.held_body_bytes == 0


def test_next_request_has_the_room_of_one_that_was_refused() -> None:
    with _proxy() as proxy:
        proxy.send(_head("/body", 100) + b"x" * (_BOUND + 1))
        client = proxy.send(_head("/body", _BOUND) + b'{"a":1}'.ljust(_BOUND - 1))
        proxy.say(client, b" ")
        assert body_of(_sent(client)) == b'"body"'


@pytest.mark.parametrize(("path", "answer"), [("/any", b'"any"'), ("/late", b'"late"'), ("/passed-on", b"ok")])
def test_whose_body_is_for_the_record_alone_is_answered_and_less_of_it_is_on_record(path: str, answer: bytes) -> None:
    with _proxy() as proxy:
        proxy.send(_head("/any", 100) + b"x" * 7)
        client = proxy.send(_head(path, 6) + b"ab")
        proxy.say(client, b"cd")
        proxy.say(client, b"ef")
        for upstream in proxy.upstreams:
            proxy.say(upstream, OK)
        proxy.pass_ms(500)
        assert body_of(_sent(client)) == answer
        assert proxy.held_body_bytes == 7
    (exchange,) = proxy.exchanges
    assert exchange.findings == (BODY_NOT_HELD,)
    assert exchange.request_body is not None
    assert (exchange.request_body.content, exchange.request_body.size_bytes) == (b"ab", 6)


def test_what_is_for_the_record_alone_leaves_room_for_what_has_to_be_judged() -> None:
    with _proxy() as proxy:
        for _ in range(5):
            proxy.send(_head("/any", 100) + b"x" * 10)
        client = proxy.send(_head("/body", 10) + b'{"a":1}')
        proxy.say(client, b"   ")
        assert body_of(_sent(client)) == b'"body"'


_SENDS = st.tuples(st.integers(0, 3), st.sampled_from(["/body", "/any", "/late", "/passed-on"]), st.integers(0, 12))
_SAYS = st.tuples(st.integers(0, 3), st.just(""), st.integers(1, 12))
_STEPS = st.one_of(_SENDS, _SAYS, st.tuples(st.integers(0, 3), st.sampled_from(_ENDS), st.just(0)))


@given(st.lists(_STEPS, max_size=30))
def test_no_more_is_held_than_the_bound_and_nothing_when_all_have_gone(
    steps: list[tuple[int, str | _End, int]],
) -> None:
    with _proxy() as proxy:
        clients = [proxy.connect() for _ in range(4)]
        for number, what, size in steps:
            client = clients[number]
            if callable(what):
                what(proxy, client)
                proxy.fault = None
            else:
                proxy.say(client, (_head(what, 12) if what else b"") + b"x" * size)
            for upstream in proxy.upstreams:
                if not upstream.closing and size % 2:
                    proxy.say(upstream, OK)
            assert 0 <= proxy.held_body_bytes <= _BOUND
            if client.lost:
                clients[number] = proxy.connect()
        for client in clients:
            client.lose()
        proxy.settle()
        assert proxy.held_body_bytes == 0
