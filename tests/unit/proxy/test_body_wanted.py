"""A request is judged at its head, unless it takes the body to tell which mock answers."""

import asyncio

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.played_upstream import Line, played_upstream
from support.proxying import OK, Proxy, ask, body_of, running, status_of
from support.vanishing import eventually
from support.virtual_proxy import VirtualProxy
from understudy.v1.mock_service_pb2 import Mock
from understudy_server.proxy.settings import ProxySettings

_MATCHED_BYTES_MAX = ProxySettings().match_body_bytes_max
_KEY = "x-flowmock-session: ci-42"


def _criterion(mock_id: str, *, method: str = "") -> Mock:
    message = mock(mock_id, path="/x", json=f'"{mock_id}"', method=method)
    message.matcher.body.json_subset = '{"a":1}'
    return message


def _source(*mocks: Mock, upstream_url: str = "") -> FakeSource:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(upstream=upstream_url)},
        mocks={each.id: each for each in mocks},
        sessions={"ses_ci-42": session(overrides=tuple(each.id for each in mocks))},
    )
    return source


async def _send_in_pieces(proxy: Proxy, head: bytes, *pieces: bytes) -> Line:
    """Send a head, wait until it is judged as far as it can be, and then the rest."""
    line = Line(*await proxy.connect())
    line.send(head)
    assert await line.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    for piece in pieces:
        line.send(piece)
        await line.writer.drain()
    return line


_HEAD = ask("POST", "/x", _KEY, "Content-Length: 8", "Expect: 100-continue")


@pytest.mark.parametrize(("body", "mocked"), [(b'{"a": 1}', True), (b'{"a": 2}', False), (b"no json!", False)])
async def test_body_that_comes_later_decides(body: bytes, *, mocked: bool) -> None:
    async with running(_source(_criterion("ovr_json"))) as proxy:
        line = await _send_in_pieces(proxy, _HEAD, body[:3], body[3:])
        answer = await line.reader.read()
    assert status_of(answer) == (200 if mocked else 502)
    (exchange,) = proxy.journal.exchanges
    assert exchange.mock_id == ("ovr_json" if mocked else "")
    assert exchange.request_body is not None
    assert exchange.request_body.content == body


async def test_weaker_mock_answers_when_the_body_does_not_fit_the_stronger_one() -> None:
    mocks = (mock("ovr_any", path="/x", json='"any"'), _criterion("ovr_json"))
    async with running(_source(*mocks)) as proxy:
        line = await _send_in_pieces(proxy, _HEAD, b'{"a": 2}')
        assert body_of(await line.reader.read()) == b'"any"'


async def test_body_in_chunks_decides_too() -> None:
    head = ask("POST", "/x", _KEY, "Transfer-Encoding: chunked", "Expect: 100-continue")
    async with running(_source(_criterion("ovr_json"))) as proxy:
        line = await _send_in_pieces(proxy, head, b'4\r\n{"a"\r\n', b"4\r\n: 1}\r\n", b"0\r\n\r\n")
        assert body_of(await line.reader.read()) == b'"ovr_json"'


async def test_mock_without_a_criterion_is_chosen_at_the_head_and_answers_after_the_body() -> None:
    async with running(_source(mock("ovr_any", path="/x", json='"any"'))) as proxy:
        line = await _send_in_pieces(proxy, _HEAD)
        assert proxy.journal.seen
        assert not proxy.journal.exchanges
        line.send(b"whatever")
        assert body_of(await line.reader.read()) == b'"any"'
    (exchange,) = proxy.journal.exchanges
    assert exchange.request_body is not None
    assert exchange.request_body.content == b"whatever"


async def test_request_that_no_criterion_is_for_goes_up_at_its_head() -> None:
    async with played_upstream() as service:
        source = _source(_criterion("ovr_json", method="PUT"), upstream_url=service.url)
        async with running(source) as proxy:
            line = await _send_in_pieces(proxy, _HEAD)
            upper = await service.line()
            await upper.until(b"\r\n\r\n")
            line.send(b"whatever")
            assert await upper.until(b"whatever") == b"whatever"
            upper.send()
            assert body_of(await line.reader.read()) == b"ok"


@pytest.mark.parametrize("size", [_MATCHED_BYTES_MAX, _MATCHED_BYTES_MAX + 1])
async def test_longer_body_than_criteria_look_at_fits_none_and_goes_up_whole(size: int) -> None:
    body = b'{"a":1}'.ljust(size)
    head = ask("POST", "/x", _KEY, f"Content-Length: {size}", "Expect: 100-continue")
    async with (
        played_upstream() as service,
        running(_source(_criterion("ovr_json"), upstream_url=service.url)) as proxy,
    ):
        line = await _send_in_pieces(proxy, head, body)
        if size > _MATCHED_BYTES_MAX:
            upper = await service.line()
            assert (await upper.request()).body == body
            upper.send()
        answer = await line.reader.read()
    assert body_of(answer) == (b"ok" if size > _MATCHED_BYTES_MAX else b'"ovr_json"')
    (exchange,) = proxy.journal.exchanges
    assert exchange.request_body is not None
    assert exchange.request_body.size_bytes == size


async def test_longer_body_goes_up_before_its_end_has_come() -> None:
    size = 2 * _MATCHED_BYTES_MAX
    head = ask("POST", "/x", _KEY, f"Content-Length: {size}", "Expect: 100-continue")
    async with (
        played_upstream() as service,
        running(_source(_criterion("ovr_json"), upstream_url=service.url)) as proxy,
    ):
        line = await _send_in_pieces(proxy, head)
        line.send(bytes(_MATCHED_BYTES_MAX + 65536))
        upper = await service.line()
        await upper.until(b"\r\n\r\n")
        line.send(bytes(size - _MATCHED_BYTES_MAX - 65537) + b"z")
        await upper.until(b"z")
        upper.send()
        assert body_of(await line.reader.read()) == b"ok"


def test_body_that_is_said_to_be_too_long_is_not_waited_for() -> None:
    size = _MATCHED_BYTES_MAX + 1
    with VirtualProxy(_source(_criterion("ovr_json"), upstream_url="http://192.0.2.1")) as proxy:
        proxy.send(ask("POST", "/x", _KEY, f"Content-Length: {size}"))
        (upstream,) = proxy.upstreams
        assert b"POST /x HTTP/1.1" in b"".join(upstream.sent)


async def test_limit_on_what_is_matched_is_a_setting() -> None:
    settings = ProxySettings(match_body_bytes_max=7)
    async with running(_source(_criterion("ovr_json")), settings=settings) as proxy:
        assert status_of(await proxy.ask(ask("POST", "/x", _KEY, body=b'{"a":1}'))) == 200
        assert status_of(await proxy.ask(ask("POST", "/x", _KEY, body=b' {"a":1}'))) == 502


async def test_client_that_goes_while_its_body_is_awaited_is_on_record_for_its_session() -> None:
    async with running(_source(_criterion("ovr_json"))) as proxy:
        line = await _send_in_pieces(proxy, _HEAD, b'{"a"')
        await asyncio.sleep(0)
        line.end()
        await eventually(lambda: bool(proxy.journal.exchanges), "nothing is on record")
    (exchange,) = proxy.journal.exchanges
    assert (exchange.status, exchange.session_key, exchange.mock_id) == (499, "ci-42", "")


def test_body_is_judged_by_what_holds_when_it_is_whole() -> None:
    """A change that was acknowledged while it came is in force."""
    source = _source(_criterion("ovr_json"), upstream_url="http://192.0.2.1")
    with VirtualProxy(source) as proxy:
        client = proxy.send(ask("POST", "/x", _KEY, "Content-Length: 7") + b'{"a"')
        source.commit(sessions={"ses_ci-42": session()})
        proxy.say(client, b":1}")
        (upstream,) = proxy.upstreams
        proxy.say(upstream, OK)
    assert [each.mock_id for each in proxy.exchanges] == [""]
