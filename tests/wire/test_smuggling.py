"""No request of a client can be read as another one, or as two, by the service behind the proxy."""

import asyncio
from dataclasses import dataclass, replace

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment
from support.proxying import Proxy, running
from support.recording_upstream import RecordingUpstream, echo_of, recording_upstream
from support.smuggled_requests import ROWS
from support.smuggled_row import Row
from support.strict_http import Message, read_answers
from understudy_server.core.exchange import Exchange
from understudy_server.proxy.settings import ProxySettings

_SETTINGS = ProxySettings(linger_seconds=0.2)
_AFTER = b"GET /checkout/staging/after HTTP/1.1\r\nHost: proxy\r\n\r\n"
_AFTER_FORWARDED = ("GET", "/after", b"")
_DEADLINE_SECONDS = 10


@dataclass(frozen=True)
class Outcome:
    """What one client read, and what the service and the journal have of it."""

    answers: list[Message]
    arrived: list[tuple[str, str, bytes]]
    raw: bytes
    counted: list[tuple[str, str, bytes]]


async def _say(proxy: Proxy, data: bytes, method: str, *, whole: bool) -> list[Message]:
    """Send bytes, end the own side, and read until the proxy closes; it may do so before all is sent."""
    reader, writer = await proxy.connect()
    reading = asyncio.create_task(_read(reader))
    for piece in [data] if whole else [data[at : at + 1] for at in range(len(data))]:
        if not reading.done():
            writer.write(piece)
        await asyncio.sleep(0)
    if not reading.done() and not writer.is_closing():
        writer.write_eof()
    read = await asyncio.wait_for(reading, _DEADLINE_SECONDS)
    writer.transport.abort()
    answers, rest = read_answers(read, [method, "GET"])
    assert rest == b"", f"an answer broke off: {read!r}"
    return answers


async def _read(reader: asyncio.StreamReader) -> bytes:
    read = b""
    try:
        while data := await reader.read(65536):
            read += data
    except ConnectionResetError:
        # A client that goes on sending after its last request is cut off; what it got until then counts.
        pass
    return read


def _counted(proxy: Proxy) -> list[tuple[str, str, bytes]]:
    """The requests that the upstream answered, as the journal has them."""
    return [
        (
            exchange.method,
            exchange.path + (f"?{exchange.query}" if exchange.query else ""),
            exchange.request_body.content if exchange.request_body else b"",
        )
        for exchange in proxy.journal.exchanges
        if exchange.status == 200
    ]


async def _outcome(row: Row, *, whole: bool, followed: bool) -> Outcome:
    async with recording_upstream() as service, running(_source(service), settings=_SETTINGS) as proxy:
        answers = await _say(proxy, row.data + (_AFTER if followed else b""), row.method, whole=whole)
        arrived = [(each.method, each.target, each.body) for each in service.requests()]
        return Outcome(answers, arrived, service.raw, _counted(proxy))


def _source(service: RecordingUpstream) -> FakeSource:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment(upstream=service.url)})
    return source


@pytest.mark.parametrize("whole", [True, False], ids=["whole", "byte-by-byte"])
@pytest.mark.parametrize("followed", [False, True], ids=["alone", "with-more"])
@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
async def test_request_is_refused_or_reaches_the_upstream_as_the_proxy_counted_it(
    row: Row, *, followed: bool, whole: bool
) -> None:
    outcome = await _outcome(row, whole=whole, followed=followed)
    assert outcome.arrived == outcome.counted
    if row.unaddressed:
        assert outcome.arrived == ([_AFTER_FORWARDED] if followed else [])
        assert [answer.status for answer in outcome.answers] == ([404, 200] if followed else [404])
    elif outcome.arrived:
        _check_forwarded(row, outcome, followed=followed)
    else:
        _check_refused(row, outcome, followed=followed)


def _check_forwarded(row: Row, outcome: Outcome, *, followed: bool) -> None:
    assert row.forwarded is not None, f"must be refused, but {outcome.arrived} arrived"
    expected = [row.forwarded, _AFTER_FORWARDED] if followed and not row.last else [row.forwarded]
    answers = outcome.answers
    if row.may_end and len(outcome.arrived) == 1:
        expected, answers = expected[:1], [answer for answer in answers if answer.status == 200]
    assert outcome.arrived == expected
    assert [answer.body for answer in answers] == [
        b"" if method == "HEAD" else echo_of(method, target, body) for method, target, body in expected
    ]


def _check_refused(row: Row, outcome: Outcome, *, followed: bool) -> None:
    assert row.forwarded is None or row.may_refuse, "must be forwarded"
    statuses = [answer.status for answer in outcome.answers]
    if followed or statuses:
        # What is cut short is no request yet: a client that ends there need not be answered.
        assert len(statuses) == 1
        assert 400 <= statuses[0] < 600
        assert outcome.answers[0].values(b"connection") == [b"close"]
    if not row.in_body:
        assert outcome.raw == b""


_SESSION = "x-flowmock-session"


async def _recorded(lines: str, body: bytes = b"", *, target: str = "/checkout/staging/x") -> list[Exchange]:
    """What is on record of one POST with these header lines, which the upstream must have got in one way only."""
    async with recording_upstream() as service, running(_source(service), settings=_SETTINGS) as proxy:
        head = f"POST {target} HTTP/1.1\r\nHost: proxy\r\n{lines}\r\n\r\n".encode()
        await _say(proxy, head + body, "POST", whole=True)
        assert len(service.requests()) == len(proxy.journal.exchanges)
        return proxy.journal.exchanges


async def test_first_of_two_session_headers_counts_and_the_other_is_a_finding() -> None:
    (exchange,) = await _recorded(f"{_SESSION}: first\r\n{_SESSION}: second")
    assert exchange.session_key == "first"
    assert "session_header_repeated" in exchange.findings


async def test_session_in_a_trailer_does_not_count() -> None:
    lines = f"{_SESSION}: mine\r\nTransfer-Encoding: chunked"
    (exchange,) = await _recorded(lines, f"1\r\nx\r\n0\r\n{_SESSION}: evil\r\n\r\n".encode())
    assert exchange.session_key == "mine"
    assert "session_header_repeated" not in exchange.findings


async def test_session_that_connection_names_counts_all_the_same() -> None:
    (exchange,) = await _recorded(f"Connection: {_SESSION}\r\n{_SESSION}: mine")
    assert exchange.session_key == "mine"


@pytest.mark.parametrize(
    ("target", "host", "arrives"),
    [
        ("http://shop.test/x", "proxy", True),
        ("http://SHOP.test:8080/x", "proxy", True),
        ("/x", "shop.test", True),
        ("http://proxy/x", "shop.test", False),
        ("http://shop.test@proxy/x", "shop.test", False),
    ],
)
async def test_authority_of_an_absolute_target_goes_before_host(target: str, host: str, *, arrives: bool) -> None:
    async with recording_upstream() as service:
        source = FakeSource()
        row = replace(environment(upstream=service.url), hosts=("shop.test",))
        source.commit(environments={ENVIRONMENT_ID: row})
        async with running(source, settings=_SETTINGS) as proxy:
            (answer,) = await _say(proxy, f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode(), "GET", whole=True)
            arrived = [each.target for each in service.requests()]
    assert arrived == (["/x"] if arrives else [])
    assert (answer.status == 200) is arrives
