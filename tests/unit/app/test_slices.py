"""Slices of the event loop: who has done much lets others go first, and one at a time has its turn after that."""

import asyncio
import gc
from collections.abc import Generator, Iterator
from itertools import count

import pytest
from understudy_server.app import slices
from understudy_server.app.slices import Slices

QUESTIONS, SLICES = 5, 4


@pytest.fixture(autouse=True)
def slow_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock by which each look at it takes a second: so every slice is over at once."""
    ticks: Iterator[int] = count()
    monkeypatch.setattr("understudy_server.app.slices.perf_counter", lambda: float(next(ticks)))


async def test_one_question_at_a_time_has_a_slice_in_a_round_of_the_loop() -> None:
    slices_in_round = [0]

    async def ask() -> None:
        own = Slices()
        for _ in range(SLICES):
            await own.pause()
            slices_in_round[-1] += 1

    asking = asyncio.gather(*[ask() for _ in range(QUESTIONS)])
    while not asking.done():
        await asyncio.sleep(0)
        slices_in_round.append(0)
    assert sum(slices_in_round) == QUESTIONS * SLICES
    assert max(slices_in_round) == 1


async def test_questions_have_their_slices_in_turn() -> None:
    had: list[int] = []

    async def ask(number: int) -> None:
        own = Slices()
        for _ in range(SLICES):
            await own.pause()
            had.append(number)

    await asyncio.gather(*[ask(number) for number in range(QUESTIONS)])
    assert had == list(range(QUESTIONS)) * SLICES


async def test_who_is_cancelled_while_it_waits_holds_nobody_up() -> None:
    async def ask() -> int:
        await Slices().pause()
        return 1

    asking = [asyncio.create_task(ask()) for _ in range(QUESTIONS)]
    await asyncio.sleep(0)
    asking[0].cancel()
    asking[1].cancel()
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert [each == 1 for each in found] == [False, False, True, True, True]


async def test_work_in_parts_is_done_to_its_end_and_gives_its_result() -> None:
    done: list[int] = []

    def work() -> Generator[None, None, str]:
        for number in range(SLICES):
            done.append(number)
            yield
        return "all of it"

    assert await Slices().result_of(work()) == "all of it"
    assert done == list(range(SLICES))


def test_a_loop_that_is_closed_is_let_go_of() -> None:
    async def ask() -> None:
        await Slices().pause()

    for _ in range(3):
        asyncio.run(ask())
    gc.collect()
    assert not [each for each in slices._lines if each.is_closed()]


async def test_what_is_raised_in_a_part_is_raised() -> None:
    def work() -> Generator[None, None, None]:
        yield
        raise ValueError("no further")

    with pytest.raises(ValueError, match="no further"):
        await Slices().result_of(work())
