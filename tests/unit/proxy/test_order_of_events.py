"""What a connection does when things happen in an awkward order, played by hand: no socket would be so punctual."""

import asyncio
from collections.abc import Callable

import pytest
from support.hand_wire import Hand, by_hand
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.proxying import ask, get, status_of, unused_port
from support.strict_http import read_answers
from support.vanishing import eventually
from understudy_server.proxy.settings import ProxySettings

_KEY = "x-flowmock-session: ci-42"
_GET = get("/x", _KEY, close=False)
_LONG_MS = 120_000


def _source(*, delay_ms: int = 0, body: str = '"x"') -> FakeSource:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={"ovr_x": mock("ovr_x", path="/x", json=body)},
        sessions={"ses_ci-42": session(overrides=("ovr_x",), delay_ms=delay_ms)},
    )
    return source


def _answers(hand: Hand) -> int:
    answers, rest = read_answers(hand.wire.written, ["GET"] * 10_000)
    assert rest == b""
    return len(answers)


async def test_requests_of_one_piece_are_answered_in_one_write() -> None:
    async with by_hand(_source()) as hand:
        hand.connection.data_received(_GET * 5)
        assert len(hand.wire.writes) == 1
        assert _answers(hand) == 5


async def test_answers_stop_when_the_client_does_not_read_and_go_on_when_it_does() -> None:
    """However many requests came in one piece, only so much is made of answers before the client is asked to read."""
    async with by_hand(_source(body='"' + "x" * 100_000 + '"')) as hand:
        _become_full_when_written_to(hand)
        hand.connection.data_received(_GET * 100)
        assert len(hand.journal.exchanges) == 1
        hand.connection.resume_writing()
        assert len(hand.journal.exchanges) == 2
        _stay_empty(hand)
        hand.connection.resume_writing()
        assert len(hand.journal.exchanges) == 100
        assert _answers(hand) == 100


async def test_short_answers_stop_too_when_the_client_does_not_read() -> None:
    async with by_hand(_source()) as hand:
        _become_full_when_written_to(hand)
        hand.connection.data_received(_GET * 500)
        assert 1 <= len(hand.journal.exchanges) <= 100
        _stay_empty(hand)
        hand.connection.resume_writing()
        assert _answers(hand) == 500


def _become_full_when_written_to(hand: Hand) -> None:
    write = hand.wire.write

    def write_and_fill(data: bytes) -> None:
        write(data)
        hand.connection.pause_writing()

    hand.wire.write = write_and_fill  # type: ignore[method-assign]


def _stay_empty(hand: Hand) -> None:
    del hand.wire.write


async def test_no_more_is_read_than_may_wait() -> None:
    async with by_hand(_source(delay_ms=_LONG_MS), ProxySettings(tick_seconds=3600, pipelined_max=3)) as hand:
        hand.connection.data_received(_GET)
        for _ in range(3):
            hand.connection.data_received(_GET)
        assert hand.wire.reading
        hand.connection.data_received(_GET)
        assert not hand.wire.reading


async def test_what_follows_the_last_request_stops_nothing() -> None:
    """It is kept, since it might be another protocol, and the answer is made all the same."""
    source = _source(delay_ms=1)
    async with by_hand(source) as hand:
        source.alone, source.gate = False, asyncio.Event()
        hand.connection.data_received(get("/x", _KEY))
        hand.connection.data_received(b"more")
        source.gate.set()
        await eventually(lambda: bool(hand.wire.writes), "there is no answer")
        assert _answers(hand) == 1


async def test_what_follows_the_last_request_is_read_up_to_a_bound() -> None:
    async with by_hand(_source(delay_ms=_LONG_MS)) as hand:
        hand.connection.data_received(get("/x", _KEY))
        hand.connection.data_received(bytes(70_000))
        assert not hand.wire.reading


async def test_client_that_half_closes_while_the_end_of_its_request_waits_is_answered() -> None:
    """The request is whole, though its turn could not take its end yet."""
    source = _source()
    async with by_hand(source) as hand:
        source.alone, source.gate = False, asyncio.Event()
        hand.connection.data_received(ask("POST", "/x", _KEY, "Content-Length: 4", close=False) + b"ab")
        hand.connection.data_received(b"cd")
        assert hand.connection.eof_received()
        source.gate.set()
        await eventually(lambda: bool(hand.wire.writes), "there is no answer")
        (exchange,) = hand.journal.exchanges
        assert exchange.request_body is not None
        assert exchange.request_body.content == b"abcd"
        assert hand.wire.closed


async def test_stop_waits_for_a_request_whose_end_is_still_to_come() -> None:
    source = _source()
    async with by_hand(source) as hand:
        source.alone, source.gate = False, asyncio.Event()
        hand.connection.data_received(ask("POST", "/x", _KEY, "Content-Length: 4", close=False) + b"ab")
        hand.connection.data_received(b"cd" + _GET)
        hand.connection.finish()
        source.gate.set()
        await eventually(lambda: bool(hand.wire.writes), "there is no answer")
        assert _answers(hand) == 1
        assert hand.wire.closed


@pytest.mark.parametrize(
    "last",
    [
        lambda hand: hand.connection.data_received(get("/x", _KEY)),
        lambda hand: hand.connection.finish(),
        lambda hand: hand.connection.overdue(),
    ],
    ids=["last answer", "stop", "idle"],
)
async def test_client_that_does_not_take_the_end_is_cut_after_a_while(last: Callable[[Hand], None]) -> None:
    """Closing waits for what is written to leave, which a client can put off for ever."""
    async with by_hand(_source()) as hand:
        hand.connection.data_received(_GET)
        hand.wire.unsent = 10
        last(hand)
        assert (hand.wire.closed, hand.wire.cut) == (True, False)
        hand.pass_seconds(ProxySettings().write_seconds - 1)
        assert not hand.wire.cut
        hand.pass_seconds(1)
        assert hand.wire.cut


async def test_client_that_takes_nothing_is_cut() -> None:
    async with by_hand(_source(delay_ms=_LONG_MS)) as hand:
        hand.connection.data_received(_GET)
        hand.wire.unsent = 10
        hand.connection.pause_writing()
        hand.pass_seconds(ProxySettings().write_seconds)
        assert hand.wire.cut


async def test_client_that_was_reset_unnoticed_is_cut_when_it_is_refused() -> None:
    async with by_hand(_source()) as hand:

        def write_eof() -> None:
            raise OSError

        hand.wire.write_eof = write_eof  # type: ignore[method-assign]
        hand.connection.data_received(b"NONSENSE\r\n\r\n")
        assert hand.wire.cut


async def test_refused_client_may_go_on_sending_for_a_while() -> None:
    async with by_hand(_source()) as hand:
        hand.connection.data_received(b"NONSENSE\r\n\r\n")
        assert (status_of(hand.wire.written), hand.wire.ended, hand.wire.closed) == (501, True, False)
        assert hand.connection.deadline == hand.watch.now + ProxySettings().linger_seconds
        hand.connection.data_received(_GET)
        assert len(hand.wire.writes) == 1
        hand.pass_seconds(ProxySettings().linger_seconds)
        assert hand.wire.cut


async def test_deadline_of_a_head_is_not_moved_by_its_bytes() -> None:
    async with by_hand(_source()) as hand:
        hand.connection.data_received(b"GE")
        first = hand.connection.deadline
        hand.watch.now += 5
        hand.connection.data_received(b"T / HT")
        assert hand.connection.deadline == first == hand.watch.now - 5 + ProxySettings().head_seconds
        hand.connection.overdue()
        assert status_of(hand.wire.written) == 408


async def test_deadline_of_a_body_is_moved_by_its_bytes() -> None:
    async with by_hand(_source()) as hand:
        hand.connection.data_received(ask("POST", "/x", _KEY, "Content-Length: 9") + b"a")
        hand.watch.now += 5
        hand.connection.data_received(b"b")
        assert hand.connection.deadline == hand.watch.now + ProxySettings().body_seconds
        hand.connection.overdue()
        assert status_of(hand.wire.written) == 408
        assert [each.status for each in hand.journal.exchanges] == [408]


async def test_connection_between_requests_is_closed_without_a_word() -> None:
    async with by_hand(_source()) as hand:
        hand.connection.data_received(_GET)
        assert hand.connection.deadline == hand.watch.now + ProxySettings().idle_seconds
        hand.connection.overdue()
        assert (_answers(hand), hand.wire.closed) == (1, True)


async def test_request_in_hand_has_no_deadline() -> None:
    async with by_hand(_source(delay_ms=_LONG_MS)) as hand:
        hand.connection.data_received(_GET + b"GET / H")
        assert hand.connection.deadline == float("inf")


def _passing_through() -> FakeSource:
    """What is not mocked is for an upstream that refuses connections."""
    source = _source(delay_ms=_LONG_MS)
    source.commit(environments={ENVIRONMENT_ID: environment(upstream=f"http://127.0.0.1:{unused_port()}")})
    return source


async def test_end_of_the_client_is_taken_once() -> None:
    """Some event loops tell of it again when reading is resumed behind it."""
    async with by_hand(_passing_through()) as hand:
        hand.connection.data_received(get("/", close=False))
        assert hand.connection.eof_received()
        assert hand.connection.eof_received()
        await eventually(lambda: bool(hand.journal.exchanges), "it is not answered")
        assert [each.findings for each in hand.journal.exchanges] == [("client_half_closed",)]


async def test_nothing_is_read_behind_the_end_of_the_client() -> None:
    async with by_hand(_passing_through()) as hand:
        read: list[bool] = []
        hand.wire.pause_reading = lambda: read.append(False)  # type: ignore[method-assign]
        hand.wire.resume_reading = lambda: read.append(True)  # type: ignore[method-assign]
        hand.connection.data_received(_GET)
        hand.connection.data_received(ask("POST", "/", "Content-Length: 2", close=False))
        hand.connection.data_received(b"ab")
        hand.connection.eof_received()
        await eventually(lambda: len(hand.journal.exchanges) == 2, "the second one is not answered")
        assert read == []
