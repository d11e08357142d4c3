"""Clients that stall, reset, half-close or vanish, at every phase of a request."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from support.scripted_upstream import Script, Then
from support.vanishing import Client, client, eventually, full_house
from support.vanishing_stage import (
    KEY,
    LONG_MS,
    PATIENT,
    SOON_SECONDS,
    Stage,
    answers_of,
    hasty,
    refusal,
    request,
    stage,
)
from understudy_server.core.record import ExchangeOutcome

_BODY_HEAD = request("/odd", "Content-Length: 10", method="POST")
_CHUNKED_HEAD = request("/odd", "Transfer-Encoding: chunked", method="POST")


@dataclass(frozen=True)
class Unfinished:
    """How far a client gets with its request, and which deadline runs for it then."""

    name: str
    sent: bytes
    deadline: str
    judged: bool = False
    """The head is whole: what becomes of it is on record."""


_UNFINISHED = [
    Unfinished("before the first byte", b"", "head_seconds"),
    Unfinished("in the method", b"PO", "head_seconds"),
    Unfinished("in the target", _BODY_HEAD[:14], "head_seconds"),
    Unfinished("in the headers", _BODY_HEAD[:60], "head_seconds"),
    Unfinished("before the end of the head", _BODY_HEAD[:-1], "head_seconds"),
    Unfinished("before the body", _BODY_HEAD, "body_seconds", judged=True),
    Unfinished("in the body", _BODY_HEAD + b"12345", "body_seconds", judged=True),
    Unfinished("in a chunk size", _CHUNKED_HEAD + b"1", "body_seconds", judged=True),
    Unfinished("in a chunk", _CHUNKED_HEAD + b"a\r\n12345", "body_seconds", judged=True),
    Unfinished("before the last chunk", _CHUNKED_HEAD + b"5\r\n12345\r\n", "body_seconds", judged=True),
    Unfinished("in the trailers", _CHUNKED_HEAD + b"5\r\n12345\r\n0\r\nX: y", "body_seconds", judged=True),
    Unfinished(
        "in a body that is mocked", request("/quick", KEY, "Content-Length: 10") + b"12345", "body_seconds", judged=True
    ),
]

_LEAVE: dict[str, Callable[[Client], None]] = {
    "reset": Client.reset,
    "half-close": Client.half_close,
    "vanish": Client.vanish,
}

_phases = pytest.mark.parametrize("phase", _UNFINISHED, ids=[each.name for each in _UNFINISHED])
_ways = pytest.mark.parametrize("leave", _LEAVE.values(), ids=list(_LEAVE))


async def _connections_gone(play: Stage) -> None:
    await eventually(lambda: not play.proxy.listener.open_connections, "the proxy still holds a connection")


@_phases
async def test_stalling_client_is_told_once_and_cut_off(phase: Unfinished) -> None:
    async with stage(hasty(phase.deadline)) as play, client(play.proxy.address) as slow:
        await slow.send(phase.sent)
        answers, rest = await answers_of(slow)
        assert rest == b""
        assert [refusal(answer) for answer in answers] == ([(408, "request_timeout")] if phase.sent else [])
        assert play.statuses in ([], [408]) if phase.judged else play.statuses == []
        assert set(play.outcomes) <= {ExchangeOutcome.REFUSED}


async def test_connection_that_lies_idle_is_closed_without_a_word() -> None:
    async with stage(hasty("idle_seconds")) as play, client(play.proxy.address) as idle:
        await idle.send(request("/quick", KEY))
        answers, rest = await answers_of(idle)
        assert ([answer.status for answer in answers], rest) == ([200], b"")


@pytest.mark.parametrize("begun", [_BODY_HEAD[:14], _BODY_HEAD[:60]], ids=["in the target", "in the headers"])
async def test_client_that_trickles_its_head_is_cut_off_all_the_same(begun: bytes) -> None:
    """A byte now and then does not move the deadline of a head."""
    async with stage(hasty("head_seconds")) as play, client(play.proxy.address) as slow:
        await slow.send(begun)
        reading = asyncio.create_task(answers_of(slow))
        while not reading.done():
            await slow.send(b"x")
            await asyncio.wait([reading], timeout=SOON_SECONDS / 5)
        answers, rest = await reading
        assert ([refusal(answer) for answer in answers], rest) == ([(408, "request_timeout")], b"")


async def test_client_that_trickles_its_body_is_not_cut_off() -> None:
    """Each piece of a body moves its deadline."""
    async with stage(hasty("body_seconds")) as play, client(play.proxy.address) as slow:
        await slow.send(request("/quick", KEY, "Content-Length: 5", "Connection: close"))
        for _ in range(5):
            await asyncio.sleep(SOON_SECONDS / 3)
            await slow.send(b"x")
        (answer,), _ = await answers_of(slow)
        assert answer.status == 200


@_ways
@_phases
async def test_client_that_goes_in_the_middle_of_its_request_leaves_nothing(
    phase: Unfinished, leave: Callable[[Client], None]
) -> None:
    async with stage(PATIENT) as play, client(play.proxy.address) as leaving:
        await leaving.send(phase.sent)
        leave(leaving)
        await _connections_gone(play)
        assert play.statuses in ([], [499]) if phase.judged else play.statuses == []
        assert set(play.outcomes) <= {ExchangeOutcome.CLIENT_GONE}
    assert play.upstream.requests_whole == 0


@_ways
async def test_client_that_goes_while_it_is_delayed(leave: Callable[[Client], None]) -> None:
    async with stage(PATIENT, delay_ms=LONG_MS) as play, client(play.proxy.address) as waiting:
        await waiting.send(request("/quick", KEY))
        await eventually(lambda: bool(play.proxy.journal.seen), "the request was not judged")
        leave(waiting)
        await eventually(lambda: bool(play.statuses), "nothing is on record")
        # An end of what it sends cannot be told from an end of all: then it is answered without the delay.
        assert play.statuses == ([499] if leave is Client.reset else [200])
        if leave is Client.half_close:
            (answer,), rest = await answers_of(waiting)
            assert (answer.status, answer.body, rest) == (200, b'"quick"', b"")
        await _connections_gone(play)


@pytest.mark.parametrize(
    "leave", [Client.reset, Client.vanish, Client.half_close], ids=["reset", "vanish", "half-close"]
)
async def test_client_that_goes_while_the_upstream_is_connected_to(leave: Callable[[Client], None]) -> None:
    async with full_house() as (host, port):
        settings = replace(PATIENT, connect_seconds=0.3)
        async with (
            stage(settings, upstream_url=f"http://{host}:{port}") as play,
            client(play.proxy.address) as waiting,
        ):
            await waiting.send(request("/odd"))
            await eventually(lambda: bool(play.proxy.listener.upstream_connections), "nobody connects")
            leave(waiting)
            await eventually(lambda: bool(play.statuses), "nothing is on record")
            assert play.statuses == ([499] if leave is Client.reset else [504])
            await _connections_gone(play)


@_ways
async def test_client_that_goes_while_the_upstream_is_silent(leave: Callable[[Client], None]) -> None:
    async with (
        stage(hasty("first_byte_seconds"), Script(then=Then.STAY)) as play,
        client(play.proxy.address) as waiting,
    ):
        await waiting.send(request("/odd"))
        await play.upstream.played.wait()
        leave(waiting)
        await eventually(lambda: bool(play.statuses), "nothing is on record")
        assert play.statuses == ([499] if leave is Client.reset else [504])
        await play.upstream.lost.wait()
        await _connections_gone(play)


_MIB = 1024 * 1024
_LONG_ANSWERS = {
    "by length": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (8 * _MIB) + b"x" * (8 * _MIB),
    "in chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
    % (8 * _MIB, b"x" * (8 * _MIB)),
}
_long_answers = pytest.mark.parametrize("data", _LONG_ANSWERS.values(), ids=list(_LONG_ANSWERS))


@_long_answers
@pytest.mark.parametrize("leave", [Client.reset, Client.vanish], ids=["reset", "vanish"])
async def test_client_that_goes_while_its_answer_comes(leave: Callable[[Client], None], data: bytes) -> None:
    async with stage(PATIENT, Script(data)) as play, client(play.proxy.address) as reading:
        await reading.send(request("/odd"))
        assert (await reading.read(100)).startswith(b"HTTP/1.1 200")
        leave(reading)
        await eventually(lambda: bool(play.statuses), "nothing is on record")
        # Its status is what the client got of it; that it did not get all is a finding.
        assert play.recorded == [(200, ("client_gone",))]
        await play.upstream.lost.wait()
        await _connections_gone(play)


@_long_answers
async def test_client_that_half_closes_while_its_answer_comes_gets_all_of_it(data: bytes) -> None:
    async with stage(PATIENT, Script(data)) as play, client(play.proxy.address) as reading:
        await reading.send(request("/odd"))
        first = await reading.read(100)
        reading.half_close()
        whole = first + await reading.read_all()
        assert whole.count(b"x") == 8 * _MIB
        assert play.statuses == [200]
        await _connections_gone(play)


@_long_answers
async def test_client_that_does_not_read_its_answer_is_cut_off(data: bytes) -> None:
    async with (
        stage(hasty("write_seconds"), Script(data)) as play,
        client(play.proxy.address) as stalling,
    ):
        await stalling.send(request("/odd"))
        await eventually(lambda: bool(play.statuses), "nothing is on record")
        assert play.recorded == [(200, ("client_gone",))]
        await play.upstream.lost.wait()
        await _connections_gone(play)


@_long_answers
async def test_client_that_reads_slowly_is_not_cut_off(data: bytes) -> None:
    """As long as it takes something now and then: the deadline is of silence, not of the whole."""
    settings = replace(PATIENT, write_seconds=0.6)
    async with stage(settings, Script(data)) as play, client(play.proxy.address) as slow:
        await slow.send(request("/odd", "Connection: close"))
        started, read = time.monotonic(), 0
        for _ in range(6):
            # Below the deadline each time, above it in all.
            read += len(await slow.read_exactly(_MIB))
            await asyncio.sleep(settings.write_seconds / 5)
        read += len(await slow.read_all())
        assert time.monotonic() - started > settings.write_seconds
        assert read > 8 * _MIB
        assert play.statuses == [200]


@_ways
async def test_client_that_goes_between_two_requests_in_one_go(leave: Callable[[Client], None]) -> None:
    async with stage(PATIENT, delay_ms=LONG_MS) as play, client(play.proxy.address) as leaving:
        await leaving.send(request("/quick", KEY) + request("/quick", KEY)[:30])
        await eventually(lambda: bool(play.proxy.journal.seen), "the request was not judged")
        leave(leaving)
        await eventually(lambda: bool(play.statuses), "nothing is on record")
        assert play.statuses == ([499] if leave is Client.reset else [200])
        await _connections_gone(play)


async def test_client_that_stalls_in_its_second_request_gets_the_answer_to_its_first() -> None:
    async with stage(hasty("head_seconds")) as play, client(play.proxy.address) as stalling:
        await stalling.send(request("/quick", KEY) + request("/quick", KEY)[:30])
        answers, rest = await answers_of(stalling, "GET", "GET")
        assert ([answer.status for answer in answers], rest) == ([200, 408], b"")
        assert play.statuses == [200]


async def test_client_that_waits_for_its_answer_is_neither_idle_nor_slow() -> None:
    settings = replace(PATIENT, idle_seconds=0.05, head_seconds=0.05, body_seconds=0.05)
    async with stage(settings, delay_ms=200) as play, client(play.proxy.address) as waiting:
        await waiting.send(request("/quick", KEY))
        (answer,), _ = await answers_of(waiting)
        assert (answer.status, answer.body) == (200, b'"quick"')
        assert play.statuses == [200]


async def test_many_clients_that_vanish_at_random_leave_nothing() -> None:
    data = _BODY_HEAD + b"1234567890"
    async with stage(PATIENT) as play:
        for at in range(len(data)):
            async with client(play.proxy.address) as leaving:
                await leaving.send(data[:at])
                list(_LEAVE.values())[at % 3](leaving)
        await _connections_gone(play)


async def test_one_client_more_than_there_may_be_is_told_so() -> None:
    async with stage(replace(PATIENT, connections_max=1)) as play, client(play.proxy.address) as first:
        await first.send(request("/quick", KEY))
        assert (await first.read()).startswith(b"HTTP/1.1 200")
        async with client(play.proxy.address) as second:
            (answer,), _ = await answers_of(second)
        assert answer.status == 503
        first.half_close()
        await _connections_gone(play)
