"""Waits, and the bells that end them."""

import asyncio
import threading
from collections.abc import Awaitable
from contextlib import ExitStack
from itertools import pairwise

import pytest
from support.desk import Desk
from support.dispatching import World
from understudy.v1.flag_service_pb2 import CreateFlagRequest
from understudy.v1.flags_pb2 import Flag
from understudy_server.app.bells import AT_ONCE, Bells, RungBell
from understudy_server.app.waits import Waits
from understudy_server.core.errors import StorageFailure

PATIENCE_SECONDS = 10


async def soon(work: Awaitable[object]) -> object:
    return await asyncio.wait_for(work, PATIENCE_SECONDS)


async def test_the_first_of_several_ends_a_wait() -> None:
    one, other = RungBell(), RungBell()
    other.ring()
    assert await soon(Waits().until([one.wait(), other.wait()]))


async def test_a_moment_ends_a_wait() -> None:
    assert not await soon(Waits().until([RungBell().wait()], asyncio.get_running_loop().time()))


async def test_a_ring_is_not_lost_on_a_wait_that_was_given_up() -> None:
    bell, waits = RungBell(), Waits()
    await waits.until([bell.wait()], 0)
    bell.ring()
    assert await soon(waits.until([bell.wait()], asyncio.get_running_loop().time() + PATIENCE_SECONDS))


async def test_a_wait_that_is_cancelled_is_no_stop() -> None:
    waits = Waits()
    waiting = asyncio.create_task(waits.until([RungBell().wait()]))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_the_end_lets_all_go_and_nobody_in() -> None:
    waits = Waits()
    waiting = [asyncio.create_task(waits.until([RungBell().wait()])) for _ in range(3)]
    await asyncio.sleep(0)
    waits.end()
    for each in waiting:
        with pytest.raises(StorageFailure, match="stopping"):
            await each
    with pytest.raises(StorageFailure, match="stopping"):
        await waits.until([RungBell().wait()])


async def test_whoever_was_let_go_is_not_cancelled_any_more() -> None:
    waits = Waits()

    async def wait_twice() -> str:
        try:
            await waits.until([RungBell().wait()])
        except StorageFailure:
            await asyncio.sleep(0)
        return "went on"

    waiting = asyncio.create_task(wait_twice())
    await asyncio.sleep(0)
    waits.end()
    assert await soon(waiting) == "went on"


async def test_bells_are_rung_from_other_threads() -> None:
    bells = Bells()
    with bells.entered() as bell:
        ringing = threading.Thread(target=bells.ring_from_anywhere)
        ringing.start()
        await soon(bell.wait())
        ringing.join()


async def test_a_bell_that_was_left_is_not_rung() -> None:
    bells = Bells()
    with bells.entered() as bell:
        pass
    bells.ring_from_anywhere()
    assert not await Waits().until([bell.wait()], 0)


async def test_the_store_rings_once_a_write_can_be_seen(here: World) -> None:
    with here.store.bell() as bell:
        assert not await Waits().until([bell.wait()], 0)
        await here.make_project("added")
        await soon(bell.wait())
        assert await here.store.read(lambda tx: tx.project("added"))


async def test_of_many_bells_few_ring_in_one_round_and_all_in_the_end() -> None:
    bells = Bells()
    with ExitStack() as entered:
        ringing = [entered.enter_context(bells.entered()) for _ in range(3 * AT_ONCE)]
        waiting = [asyncio.create_task(each.wait()) for each in ringing]
        await asyncio.sleep(0)
        # A second time while some of the first are still due.
        bells.ring_from_anywhere()
        bells.ring_from_anywhere()
        woken = [0]
        while woken[-1] < len(waiting):
            await asyncio.sleep(0)
            woken.append(sum(each.done() for each in waiting))
    assert max(later - before for before, later in pairwise(woken)) <= AT_ONCE


async def test_a_write_rings_the_bell_of_flags_only_when_it_changes_some(here: World, desk: Desk) -> None:
    with here.store.flag_bell() as bell:
        await desk.put()
        # What a bell is rung by comes to the event loop in the order of the writes.
        with here.store.bell() as other:
            await desk.put()
            await soon(other.wait())
        assert not await Waits().until([bell.wait()], 0)
        await here.call("FlagService.CreateFlag", CreateFlagRequest(project="checkout", flag=Flag(key="a")))
        await soon(bell.wait())
