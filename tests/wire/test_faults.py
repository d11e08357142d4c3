"""What goes wrong on purpose, byte for byte on real sockets; and the connection ends, whatever was sent behind."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.planned import KEY, LONG_BODY, Planned, events, forward, planned_mocks, respond, source_of
from support.proxying import DATE, Proxy, ask, get, running, upstream
from support.tls import LOOPBACK, Authority
from support.vanishing import Client, client
from understudy_server.core.exchange import Exchange
from understudy_server.core.record import ExchangeOutcome
from understudy_server.core.responding.plan import FaultKind, Plan, PlannedFault
from understudy_server.proxy.faults import GARBAGE, MALFORMED_CHUNK
from understudy_server.proxy.settings import ProxySettings

_SETTINGS = ProxySettings(linger_seconds=0.1, tick_seconds=0.01)
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n"
_REST = b"date: " + DATE + b"\r\n\r\n"
_LENGTH = b"content-length: 104\r\n"
_EVENTS = events((b"data: one\n\n", 0), (b"data: two\n\n", 0))
_EVENTS_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
    b"transfer-encoding: chunked\r\ndate: " + DATE + b"\r\n\r\n"
)


@dataclass
class End:
    """What a client read until the end, and whether that was a reset."""

    data: bytes
    was_reset: bool


@asynccontextmanager
async def _asking(proxy: Proxy, data: bytes) -> AsyncIterator[Client]:
    async with client(proxy.address) as asking:
        await asking.send(data)
        yield asking


async def _read(asking: Client) -> End:
    read = bytearray()
    try:
        while data := await asking.read():
            read += data
    except ConnectionResetError:
        return End(bytes(read), was_reset=True)
    return End(bytes(read), was_reset=False)


async def _end_of(plan: Plan, data: bytes, *, upstream_url: str = "") -> tuple[End, list[Exchange]]:
    """Ask for the mock on `/x`; `/good` is a mock, too, and the real service has the rest."""
    with planned_mocks({"/x": Planned(plan), "/good": respond(b"good")}):
        async with (
            running(source_of("/x", "/good", upstream=upstream_url), settings=_SETTINGS) as proxy,
            _asking(proxy, data) as asking,
        ):
            end = await _read(asking)
            async with _asking(proxy, get("/good", KEY)) as other:
                assert (await _read(other)).data.endswith(b"\r\n\r\ngood")
        return end, proxy.journal.exchanges[:-1]


def _faulty(kind: FaultKind, fraction: float = 0.5) -> PlannedFault:
    return PlannedFault(kind, fraction)


@dataclass(frozen=True)
class Row:
    name: str
    plan: Plan
    sent: bytes
    was_reset: bool = False
    status: int = 0
    body: bytes = b""


_ROWS = [
    Row("reset", respond(fault=_faulty(FaultKind.RESET)), b"", was_reset=True),
    Row("empty reply", respond(fault=_faulty(FaultKind.EMPTY_REPLY)), b""),
    Row("garbage", respond(fault=_faulty(FaultKind.GARBAGE)), GARBAGE),
    Row(
        "malformed chunk",
        respond(fault=_faulty(FaultKind.MALFORMED_CHUNK)),
        _HEAD + b"transfer-encoding: chunked\r\n" + _REST + MALFORMED_CHUNK,
        status=200,
    ),
    Row(
        "cut in the middle",
        respond(fault=_faulty(FaultKind.CUT)),
        _HEAD + _LENGTH + _REST + LONG_BODY[:52],
        status=200,
        body=LONG_BODY[:52],
    ),
    Row(
        "cut at once, after one byte",
        respond(fault=_faulty(FaultKind.CUT, 0.0)),
        _HEAD + _LENGTH + _REST + LONG_BODY[:1],
        status=200,
        body=LONG_BODY[:1],
    ),
    Row(
        "cut before the last byte",
        respond(fault=_faulty(FaultKind.CUT, 1.0)),
        _HEAD + _LENGTH + _REST + LONG_BODY[:-1],
        status=200,
        body=LONG_BODY[:-1],
    ),
    Row(
        "cut without a body, within the head",
        respond(b"", fault=_faulty(FaultKind.CUT)),
        _HEAD + b"content-length: 0\r\n" + _REST[:-2],
        status=200,
    ),
    Row(
        "cut slowly",
        respond(fault=_faulty(FaultKind.CUT), bytes_per_second=1000),
        _HEAD + _LENGTH + _REST + LONG_BODY[:52],
        status=200,
        body=LONG_BODY[:52],
    ),
    Row(
        "cut within the first event",
        Plan(_EVENTS, fault=_faulty(FaultKind.CUT)),
        _EVENTS_HEAD + b"5\r\ndata:\r\n",
        status=200,
        body=b"data:",
    ),
    Row("reset in place of events", Plan(_EVENTS, fault=_faulty(FaultKind.RESET)), b"", was_reset=True),
    Row(
        "malformed chunk in place of events",
        Plan(_EVENTS, fault=_faulty(FaultKind.MALFORMED_CHUNK)),
        _EVENTS_HEAD + MALFORMED_CHUNK,
        status=200,
    ),
    Row("reset after a delay", respond(fault=_faulty(FaultKind.RESET), delay_ms=30), b"", was_reset=True),
    Row("garbage after a delay", respond(fault=_faulty(FaultKind.GARBAGE), delay_ms=30), GARBAGE),
]
_rows = pytest.mark.parametrize("row", _ROWS, ids=[row.name for row in _ROWS])


@_rows
async def test_spoiled_answer_is_this_and_on_record(row: Row) -> None:
    end, exchanges = await _end_of(row.plan, get("/x", KEY, close=False))
    assert end == End(row.sent, row.was_reset)
    (exchange,) = exchanges
    assert (exchange.status, exchange.mock_id, exchange.findings) == (row.status, "ovr_0", ("fault_injected",))
    assert (exchange.outcome, exchange.layer) == (ExchangeOutcome.FAULT_INJECTED, "session")
    assert (exchange.response_body.content if exchange.response_body else b"") == row.body
    assert exchange.duration_ms == 0


@_rows
async def test_what_is_sent_behind_a_spoiled_answer_is_not_answered(row: Row) -> None:
    data = get("/x", KEY, close=False) + get("/good", KEY, close=False)
    end, exchanges = await _end_of(row.plan, data)
    assert end.data == row.sent
    assert [each.path for each in exchanges] == ["/x"]


@_rows
async def test_what_was_asked_before_a_spoiled_answer_is_answered(row: Row) -> None:
    data = get("/good", KEY, close=False) + get("/x", KEY, close=False)
    end, exchanges = await _end_of(row.plan, data)
    good = _HEAD + b"content-length: 4\r\n" + _REST + b"good"
    assert end == End(good + row.sent, row.was_reset)
    assert [each.path for each in exchanges] == ["/good", "/x"]


async def test_body_of_the_request_is_read_before_its_answer_is_spoiled() -> None:
    data = ask("POST", "/x", KEY, body=b"hello", close=False)
    end, exchanges = await _end_of(respond(fault=_faulty(FaultKind.EMPTY_REPLY)), data)
    assert end == End(b"", was_reset=False)
    (exchange,) = exchanges
    assert exchange.request_body is not None
    assert exchange.request_body.content == b"hello"


async def test_answer_to_head_is_cut_within_its_head() -> None:
    data = ask("HEAD", "/x", KEY, close=False)
    end, _ = await _end_of(respond(fault=_faulty(FaultKind.CUT)), data)
    assert end == End(_HEAD + _LENGTH + _REST[:-2], was_reset=False)


@pytest.mark.parametrize(
    ("plan", "sent", "was_reset"),
    [
        (
            respond(fault=_faulty(FaultKind.CUT)),
            _HEAD + _LENGTH + _REST[:-2] + b"connection: close\r\n\r\n" + LONG_BODY[:52],
            False,
        ),
        # Without chunks an end would look like the end of the stream.
        (
            Plan(_EVENTS, fault=_faulty(FaultKind.CUT)),
            _EVENTS_HEAD.replace(b"transfer-encoding: chunked\r\n", b"")[:-2] + b"connection: close\r\n\r\ndata:",
            True,
        ),
        (respond(fault=_faulty(FaultKind.GARBAGE)), GARBAGE, False),
    ],
    ids=["body", "events", "garbage"],
)
async def test_answer_to_an_old_client_is_spoiled_likewise(plan: Plan, sent: bytes, was_reset: bool) -> None:
    data = f"GET /checkout/staging/x HTTP/1.0\r\n{KEY}\r\n\r\n".encode()
    end, _ = await _end_of(plan, data)
    assert end == End(sent, was_reset)


@pytest.mark.parametrize("kind", list(FaultKind))
async def test_page_of_another_origin_may_read_what_there_is_of_an_answer(kind: FaultKind) -> None:
    data = get("/x", KEY, "Origin: https://a.example", close=False)
    end, _ = await _end_of(respond(fault=_faulty(kind)), data)
    has_head = end.data.startswith(b"HTTP/1.1 200")
    assert (b"\r\naccess-control-allow-origin: https://a.example\r\n" in end.data) == has_head
    assert has_head == (kind in (FaultKind.CUT, FaultKind.MALFORMED_CHUNK))


# Answers of a target that a mock has the request passed on to.

_ANSWER = b"HTTP/1.1 201 Made\r\nX-A: 1\r\nContent-Length: 10\r\n\r\n0123456789"
_CHUNKED = b"HTTP/1.1 201 Made\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n"
_FORWARDED = [
    ("reset", FaultKind.RESET, _ANSWER, b"", True, 0),
    ("empty reply", FaultKind.EMPTY_REPLY, _ANSWER, b"", False, 0),
    ("garbage", FaultKind.GARBAGE, _ANSWER, GARBAGE, False, 0),
    (
        "malformed chunk",
        FaultKind.MALFORMED_CHUNK,
        _ANSWER,
        b"HTTP/1.1 201 Made\r\nX-A: 1\r\ntransfer-encoding: chunked\r\n\r\n" + MALFORMED_CHUNK,
        False,
        201,
    ),
    (
        "cut of a known length",
        FaultKind.CUT,
        _ANSWER,
        b"HTTP/1.1 201 Made\r\nX-A: 1\r\nContent-Length: 10\r\n\r\n01234",
        False,
        201,
    ),
    (
        "cut of an unknown length",
        FaultKind.CUT,
        _CHUNKED,
        b"HTTP/1.1 201 Made\r\nX-A: 1\r\ntransfer-encoding: chunked\r\n\r\n5\r\n01234\r\n",
        False,
        201,
    ),
    (
        "cut without a body",
        FaultKind.CUT,
        b"HTTP/1.1 204 None\r\nX-A: 1\r\n\r\n",
        b"HTTP/1.1 204 None\r\nX-A: 1\r\n",
        False,
        204,
    ),
]


@pytest.mark.parametrize("slow", [0, 100], ids=["at once", "slowly"])
@pytest.mark.parametrize(
    ("kind", "answer", "sent", "was_reset", "status"),
    [each[1:] for each in _FORWARDED],
    ids=[each[0] for each in _FORWARDED],
)
async def test_answer_of_another_target_is_spoiled_after_it_was_asked(
    kind: FaultKind, answer: bytes, sent: bytes, was_reset: bool, status: int, slow: int
) -> None:
    async with upstream(answer) as service:
        plan = Plan(forward(service.url), fault=_faulty(kind), bytes_per_second=slow)
        end, exchanges = await _end_of(plan, get("/x", KEY, close=False) + get("/good", KEY))
    assert end == End(sent, was_reset)
    (exchange,) = exchanges
    assert (exchange.status, exchange.mock_id, exchange.findings) == (status, "ovr_0", ("fault_injected",))
    assert [each.split(b"\r\n")[0] for each in service.requests] == [b"GET /there HTTP/1.1"]


async def test_target_that_breaks_off_before_the_cut_has_broken_off() -> None:
    async with upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123") as service:
        plan = Plan(forward(service.url), fault=_faulty(FaultKind.CUT))
        end, exchanges = await _end_of(plan, get("/x", KEY))
    assert end.data.endswith(b"\r\n\r\n0123")
    assert [each.findings for each in exchanges] == [("upstream_broke_off",)]
    assert [each.outcome for each in exchanges] == [ExchangeOutcome.UPSTREAM_FAILED]


async def test_target_that_cannot_be_reached_is_told_and_nothing_is_spoiled() -> None:
    async with upstream(b"") as service:
        plan = Plan(forward(service.url), fault=_faulty(FaultKind.RESET))
        end, exchanges = await _end_of(plan, get("/x", KEY))
    assert end.data.startswith(b"HTTP/1.1 502")
    assert [(each.status, each.findings, each.mock_id) for each in exchanges] == [(502, (), "ovr_0")]
    assert [each.outcome for each in exchanges] == [ExchangeOutcome.UPSTREAM_FAILED]


# Over TLS.


@pytest.mark.parametrize(
    ("plan", "sent"),
    [
        (respond(fault=_faulty(FaultKind.RESET)), b""),
        (respond(fault=_faulty(FaultKind.EMPTY_REPLY)), b""),
        (respond(fault=_faulty(FaultKind.GARBAGE)), GARBAGE),
        (respond(fault=_faulty(FaultKind.CUT)), _HEAD + _LENGTH + _REST + LONG_BODY[:52]),
        (Plan(_EVENTS, fault=_faulty(FaultKind.CUT)), _EVENTS_HEAD + b"5\r\ndata:\r\n"),
    ],
    ids=["reset", "empty reply", "garbage", "cut", "cut event"],
)
async def test_answer_over_tls_is_spoiled_likewise(tmp_path: Path, plan: Plan, sent: bytes) -> None:
    authority = Authority.make(tmp_path)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(authority.identity())
    with planned_mocks({"/x": plan}):
        async with running(source_of("/x"), settings=_SETTINGS) as proxy:
            host, port = await proxy.listener.listen(LOOPBACK, 0, tls=served)
            reader, writer = await asyncio.open_connection(host, port, ssl=authority.trust())
            writer.write(get("/x", KEY, close=False))
            read = bytearray()
            with contextlib.suppress(ConnectionResetError, ssl.SSLError):
                while data := await asyncio.wait_for(reader.read(65536), 10):
                    read += data
            writer.close()
            with contextlib.suppress(ConnectionResetError, ssl.SSLError):
                await writer.wait_closed()
    assert bytes(read) == sent
    assert [each.findings for each in proxy.journal.exchanges] == [("fault_injected",)]
