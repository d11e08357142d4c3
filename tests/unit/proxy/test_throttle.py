"""Bytes are let out at their rate, exactly, whatever the timers do."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.manual_loop import ManualLoop
from understudy_server.proxy.throttle import PIECE_SECONDS, Throttle


class Sink:
    """What was let out, each piece with the milliseconds since the start, and whether it was the last."""

    def __init__(self, loop: ManualLoop) -> None:
        self._loop = loop
        self._start = loop.time()
        self.pieces: list[tuple[int, bytes]] = []
        self.ended_at: int | None = None

    def __call__(self, piece: bytes, last: bool) -> None:
        at = round((self._loop.time() - self._start) * 1000)
        self.pieces.append((at, piece))
        if last:
            assert self.ended_at is None
            self.ended_at = at

    @property
    def data(self) -> bytes:
        return b"".join(piece for _, piece in self.pieces)


@pytest.fixture
def loop() -> Iterator[ManualLoop]:
    made = ManualLoop()
    asyncio.events._set_running_loop(made)
    yield made
    asyncio.events._set_running_loop(None)
    made.close()


def test_a_body_takes_its_length_by_the_rate(loop: ManualLoop) -> None:
    sink = Sink(loop)
    Throttle(loop, 1000, sink).put(bytes(500), last=True)
    loop.advance(10)
    assert (sink.ended_at, sink.data) == (500, bytes(500))


def test_pieces_leave_twenty_times_a_second(loop: ManualLoop) -> None:
    sink = Sink(loop)
    Throttle(loop, 1000, sink).put(bytes(200), last=True)
    loop.advance(10)
    assert [(at, len(piece)) for at, piece in sink.pieces] == [(50, 50), (100, 50), (150, 50), (200, 50)]
    assert PIECE_SECONDS == 0.05


def test_a_very_slow_body_leaves_byte_by_byte(loop: ManualLoop) -> None:
    sink = Sink(loop)
    Throttle(loop, 2, sink).put(b"abc", last=True)
    loop.advance(10)
    assert sink.pieces == [(500, b"a"), (1000, b"b"), (1500, b"c")]


def test_a_fast_body_leaves_in_one_piece_when_it_would_have_come(loop: ManualLoop) -> None:
    sink = Sink(loop)
    Throttle(loop, 1_000_000_000, sink).put(bytes(1000), last=True)
    loop.advance(0.001)
    assert (sink.ended_at, len(sink.pieces)) == (0, 1)


def test_an_end_without_bytes_comes_at_once(loop: ManualLoop) -> None:
    sink = Sink(loop)
    Throttle(loop, 1, sink).put(b"", last=True)
    loop.advance(0)
    assert sink.pieces == [(0, b"")]
    assert sink.ended_at == 0


def test_nothing_leaves_while_it_is_held_and_nothing_is_saved_up(loop: ManualLoop) -> None:
    sink = Sink(loop)
    throttle = Throttle(loop, 1000, sink)
    throttle.put(bytes(100), last=True)
    loop.advance(0.06)
    throttle.hold()
    loop.advance(10)
    assert len(sink.data) == 50
    throttle.go_on()
    loop.advance(0.049)
    assert len(sink.data) == 50
    loop.advance(0.002)
    assert (len(sink.data), throttle.waiting) == (100, 0)


def test_no_time_is_saved_up_while_there_is_nothing_to_let_out(loop: ManualLoop) -> None:
    sink = Sink(loop)
    throttle = Throttle(loop, 100, sink)
    throttle.put(b"x" * 10)
    loop.advance(60)
    throttle.put(b"y" * 10, last=True)
    loop.advance(60)
    assert (sink.pieces[1][0], sink.ended_at) == (100, 60_100)


def test_what_is_stopped_lets_nothing_out_any_more(loop: ManualLoop) -> None:
    sink = Sink(loop)
    throttle = Throttle(loop, 10, sink)
    throttle.put(bytes(10), last=True)
    loop.advance(0.25)
    throttle.stop()
    loop.advance(10)
    assert (len(sink.data), loop.timers) == (2, 0)


def test_a_late_timer_is_made_up_for(loop: ManualLoop) -> None:
    """What arrived meanwhile leaves together, so that the whole is not later than it should be."""
    sink = Sink(loop)
    Throttle(loop, 1000, sink).put(bytes(300), last=True)
    loop._now += 0.22
    loop.advance(10)
    assert sink.pieces[0] == (220, bytes(220))
    assert sink.ended_at == 300


@given(
    bodies=st.lists(st.binary(max_size=200), max_size=6),
    rate=st.integers(1, 10_000),
    pauses=st.lists(st.floats(0, 0.3), max_size=6),
)
def test_all_that_is_put_in_comes_out_in_order_and_never_too_soon(
    bodies: list[bytes], rate: int, pauses: list[float]
) -> None:
    loop = ManualLoop()
    sink = Sink(loop)
    throttle = Throttle(loop, rate, sink)
    for number, body in enumerate(bodies):
        throttle.put(body)
        loop.advance(pauses[number] if number < len(pauses) else 0)
    throttle.put(b"", last=True)
    loop.advance(10_000)
    loop.close()
    whole = b"".join(bodies)
    assert sink.data == whole
    assert sink.ended_at is not None
    assert sink.ended_at >= int(len(whole) / rate * 1000) - 1
