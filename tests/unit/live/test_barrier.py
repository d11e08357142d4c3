"""The read barrier: whoever waits for it sees all that was acknowledged before, at the cost of few checks."""

import asyncio

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, row_of
from understudy_server.core.errors import StorageFailure
from understudy_server.live.view import LiveView


async def _settle() -> None:
    """Let every task run as far as it can without anything from outside."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_current_view_is_ready_without_suspending_or_asking() -> None:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment()})
    view = LiveView(source)
    assert not view.is_current()
    await view.catch_up()
    assert view.is_current()
    coroutine = view.catch_up()
    with pytest.raises(StopIteration):
        coroutine.send(None)
    assert (source.checks, source.loads) == (0, [0])


async def test_a_store_that_must_be_asked_is_never_taken_to_be_current() -> None:
    source = FakeSource(alone=False)
    view = LiveView(source)
    await view.catch_up()
    assert not view.is_current()
    assert (source.checks, source.loads) == (1, [])


async def test_only_what_came_since_is_loaded() -> None:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment()})
    view = LiveView(source)
    await view.catch_up()
    source.commit(environments={ENVIRONMENT_ID: environment(upstream="http://localhost:1")})
    await view.catch_up()
    assert source.loads == [0, 1]


async def test_many_that_wait_share_one_check() -> None:
    source = FakeSource(alone=False)
    view = LiveView(source)
    await asyncio.gather(*[view.catch_up() for _ in range(100)])
    assert source.checks == 1


async def test_those_that_come_during_a_check_share_the_next_one() -> None:
    source = FakeSource(alone=False)
    source.gate = asyncio.Event()
    view = LiveView(source)
    early = asyncio.create_task(view.catch_up())
    await _settle()
    late = [asyncio.create_task(view.catch_up()) for _ in range(100)]
    await _settle()
    assert source.checks == 1
    source.gate.set()
    await asyncio.gather(early, *late)
    assert source.checks == 2


async def test_a_write_during_a_check_is_seen_by_those_that_come_after_it() -> None:
    source = FakeSource(alone=False)
    source.gate = asyncio.Event()
    view = LiveView(source)
    early = asyncio.create_task(view.catch_up())
    await _settle()
    source.commit(environments={ENVIRONMENT_ID: environment()})
    late = asyncio.create_task(view.catch_up())
    await _settle()
    source.gate.set()
    await early
    await late
    assert row_of(view.live("checkout", "staging")) is not None


async def test_one_that_gives_up_waiting_does_not_take_the_check_from_the_others() -> None:
    source = FakeSource(alone=False)
    source.gate = asyncio.Event()
    source.commit(environments={ENVIRONMENT_ID: environment()})
    view = LiveView(source)
    impatient, patient = [asyncio.create_task(view.catch_up()) for _ in range(2)]
    await _settle()
    impatient.cancel()
    await _settle()
    source.gate.set()
    await patient
    assert row_of(view.live("checkout", "staging")) is not None


async def test_a_failure_reaches_all_that_wait_and_the_next_check_starts_afresh() -> None:
    source = FakeSource(alone=False)
    source.commit(environments={ENVIRONMENT_ID: environment()})
    source.broken = True
    view = LiveView(source)
    results = await asyncio.gather(view.catch_up(), view.catch_up(), return_exceptions=True)
    assert [type(result) for result in results] == [StorageFailure, StorageFailure]
    source.broken = False
    await view.catch_up()
    assert row_of(view.live("checkout", "staging")) is not None
