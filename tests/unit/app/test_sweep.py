"""The end of sessions that nobody ends."""

from collections.abc import Awaitable, Callable, Hashable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TypeVar

import pytest
from support.desk import Desk
from support.dispatching import START_MS, World
from understudy.v1.session_service_pb2 import PutSessionRequest, Session
from understudy_server.app.ports import Bell, SessionRecord, Transaction
from understudy_server.app.sweep import sweep

T = TypeVar("T")
IDLE_MS = 10_000


async def swept(here: World, after_ms: int, idle_ms: int = IDLE_MS) -> int:
    here.clock.now_ms = START_MS + after_ms
    return await sweep(here.store, here.presence, here.state, here.clock.now_ms, idle_ms)


async def ids_of(here: World) -> list[str]:
    return sorted(await here.store.read(lambda tx: tx.session_ids()))


@pytest.mark.parametrize(("after_ms", "removed"), [(4_999, 0), (5_000, 1)])
async def test_a_session_is_swept_from_the_millisecond_in_which_its_time_is_over(
    desk: Desk, after_ms: int, removed: int
) -> None:
    await desk.put(PutSessionRequest(ttl_seconds=5))
    assert await swept(desk.world, after_ms) == removed


@pytest.mark.parametrize(("after_ms", "removed"), [(IDLE_MS, 0), (IDLE_MS + 1, 1)])
async def test_a_session_is_swept_when_it_was_idle_for_longer_than_the_limit(
    desk: Desk, after_ms: int, removed: int
) -> None:
    await desk.put()
    assert await swept(desk.world, after_ms) == removed


@pytest.mark.parametrize(("after_ms", "removed"), [(IDLE_MS + 3_000, 0), (IDLE_MS + 3_001, 1)])
async def test_being_seen_keeps_a_session(desk: Desk, after_ms: int, removed: int) -> None:
    await desk.put()
    (session_id,) = await ids_of(desk.world)
    desk.world.presence.seen[session_id] = START_MS + 3_000
    assert await swept(desk.world, after_ms) == removed


async def test_being_seen_does_not_keep_a_session_whose_time_is_over(desk: Desk) -> None:
    await desk.put(PutSessionRequest(ttl_seconds=5))
    (session_id,) = await ids_of(desk.world)
    desk.world.presence.seen[session_id] = START_MS + 5_000
    assert await swept(desk.world, 5_000) == 1


async def test_a_put_that_changes_nothing_keeps_a_session_too(desk: Desk) -> None:
    await desk.put(PutSessionRequest(label="CI"))
    desk.world.clock.advance(9)
    await desk.put(PutSessionRequest(label="CI"))
    assert await swept(desk.world, IDLE_MS + 1) == 0


async def test_without_an_idle_limit_no_session_is_idle(desk: Desk) -> None:
    await desk.put()
    assert await swept(desk.world, 10**12, idle_ms=0) == 0


async def test_what_is_swept_is_gone_from_presence_and_the_rest_stays(desk: Desk) -> None:
    await desk.put(PutSessionRequest(session_key="stays"))
    (stays,) = await ids_of(desk.world)
    await desk.put(PutSessionRequest(session_key="short", ttl_seconds=1))
    desk.world.presence.seen = dict.fromkeys(await ids_of(desk.world), START_MS)
    await swept(desk.world, 1_000)
    assert desk.world.presence.seen == {stays: START_MS}


async def test_a_session_that_was_deleted_is_forgotten_by_the_next_sweep(desk: Desk) -> None:
    desk.world.presence.seen = {"ses_gone": START_MS}
    await swept(desk.world, 1_000)
    assert desk.world.presence.seen == {}


async def test_what_is_swept_is_not_found_and_another_session_is(desk: Desk) -> None:
    await desk.put(PutSessionRequest(session_key="idle"))
    desk.world.clock.advance(8)
    await desk.put(PutSessionRequest(session_key="fresh"))
    await swept(desk.world, IDLE_MS + 1)
    assert await desk.session_keys() == ["fresh"]


async def test_sessions_of_every_environment_are_swept(desk: Desk) -> None:
    await desk.put()
    await Desk(desk.world, environment="qa").put()
    assert await swept(desk.world, IDLE_MS + 1) == 2


async def test_nothing_to_sweep_writes_nothing(desk: Desk) -> None:
    await desk.put()
    before = desk.world.store.known_version
    await swept(desk.world, IDLE_MS)
    assert desk.world.store.known_version == before


async def first_record(desk: Desk) -> SessionRecord:
    """Make a session and return its record."""
    await desk.put()
    place = await desk.world.store.read(lambda tx: tx.project("checkout"))
    assert place is not None
    environment = await desk.world.store.read(lambda tx: tx.environment(place.id, "staging"))
    assert environment is not None
    record = await desk.world.store.read(lambda tx: tx.session(environment.id, "ci-42"))
    assert record is not None
    return record


def renamed(record: SessionRecord, number: int) -> SessionRecord:
    """Another session of the same age."""
    message = Session(session_key=f"k{number}", revision=1)
    return replace(record, id=f"ses_{number}", message=message)


class Watched:
    """A store that notes its writes and does something between a look and the write after it."""

    def __init__(self, here: World, between: Callable[[], Awaitable[object]] | None = None) -> None:
        self._store = here.store
        self._between = between
        self.writes = 0

    async def read(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        return await self._store.read(work)

    async def write(self, work: Callable[[Transaction], Awaitable[T]], *, brief: bool = False) -> T:
        self.writes += 1
        if self._between:
            await self._between()
        return await self._store.write(work, brief=brief)

    def recalled(self, question: Hashable) -> object:
        return self._store.recalled(question)

    def bell(self) -> AbstractContextManager[Bell]:
        return self._store.bell()

    def flag_bell(self) -> AbstractContextManager[Bell]:
        return self._store.flag_bell()


async def test_a_large_sweep_is_done_in_batches(desk: Desk) -> None:
    record = await first_record(desk)

    async def many(tx: Transaction) -> None:
        for number in range(1_000):
            await tx.put_session(renamed(record, number))

    await desk.world.store.write(many)
    store = Watched(desk.world)
    assert await sweep(store, desk.world.presence, desk.world.state, START_MS + IDLE_MS + 1, IDLE_MS) == 1_001
    assert store.writes == 3
    assert await ids_of(desk.world) == []


async def test_a_session_set_anew_between_the_look_and_the_sweep_stays(desk: Desk) -> None:
    await desk.put(PutSessionRequest(label="CI"))
    desk.world.clock.now_ms = START_MS + IDLE_MS + 1
    store = Watched(desk.world, lambda: desk.put(PutSessionRequest(label="CI")))
    assert await sweep(store, desk.world.presence, desk.world.state, desk.world.clock.now_ms, IDLE_MS) == 0
    assert await desk.has_session()


async def test_a_session_seen_between_the_look_and_the_sweep_stays(desk: Desk) -> None:
    await desk.put()
    (session_id,) = await ids_of(desk.world)

    async def see() -> None:
        desk.world.presence.seen[session_id] = START_MS + IDLE_MS

    store = Watched(desk.world, see)
    assert await sweep(store, desk.world.presence, desk.world.state, START_MS + IDLE_MS + 1, IDLE_MS) == 0
    assert desk.world.presence.seen


async def test_a_time_to_live_renewed_between_the_look_and_the_sweep_counts(desk: Desk) -> None:
    await desk.put(PutSessionRequest(ttl_seconds=5))
    desk.world.clock.now_ms = START_MS + 4_999
    store = Watched(desk.world, lambda: desk.put(PutSessionRequest(ttl_seconds=5)))
    assert await sweep(store, desk.world.presence, desk.world.state, START_MS + 5_000, IDLE_MS) == 0


async def test_a_session_with_a_time_to_live_is_not_swept_for_being_idle(desk: Desk) -> None:
    await desk.put(PutSessionRequest(ttl_seconds=1_000))
    assert await swept(desk.world, IDLE_MS + 1) == 0
