"""Who watches flags is told which change in the environment, and keeps none of them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from google.rpc.status_pb2 import Status
from support.desk import Desk
from support.dispatching import World
from understudy import status
from understudy.v1 import evaluation_service_pb2 as pb
from understudy.v1.flag_service_pb2 import (
    CreateFlagRequest,
    CreateFlagResponse,
    DeleteFlagRequest,
    DeleteFlagResponse,
    PutFlagStateRequest,
    PutFlagStateResponse,
)
from understudy.v1.flags_pb2 import Flag, FlagState
from understudy.v1.session_service_pb2 import PutSessionRequest
from understudy_server.app import watching_flags
from understudy_server.app.ports import Transaction
from understudy_server.store.sqlite.flags import Flags

_METHOD = "/understudy.v1.EvaluationService/WatchFlags"
_REQUEST = pb.WatchFlagsRequest(project="checkout", environment="staging")


class Watch:
    """What somebody is told."""

    def __init__(self, answers: AsyncIterator[object]) -> None:
        self._answers = answers
        self._next = asyncio.ensure_future(anext(answers))

    async def next(self) -> object:
        found = await self._next
        self._next = asyncio.ensure_future(anext(self._answers))
        return found

    async def key(self) -> str:
        found = await self.next()
        assert isinstance(found, pb.WatchFlagsResponse)
        assert found.environment == "staging"
        return found.flag_key

    def end(self) -> None:
        self._next.cancel()


@asynccontextmanager
async def watching(here: World) -> AsyncIterator[Watch]:
    async with aclosing(here.dispatcher.stream(_METHOD, {}, lambda: (_REQUEST, None), owner=True)) as answers:
        watch = Watch(answers)
        try:
            assert await watch.key() == ""
            yield watch
        finally:
            watch.end()
            await asyncio.gather(watch._next, return_exceptions=True)


async def make(desk: Desk, *keys: str) -> None:
    for key in keys:
        await desk.call("FlagService.CreateFlag", CreateFlagRequest(flag=Flag(key=key)), CreateFlagResponse)


async def put(desk: Desk, key: str, *, enabled: bool) -> None:
    request = PutFlagStateRequest(flag_key=key, state=FlagState(enabled=enabled))
    await desk.call("FlagService.PutFlagState", request, PutFlagStateResponse)


async def test_what_changes_is_told_once_and_what_was_so_before_is_not(desk: Desk, here: World) -> None:
    await make(desk, "before")
    async with watching(here) as watch:
        await make(desk, "a")
        assert await watch.key() == "a"
        await put(desk, "a", enabled=True)
        assert await watch.key() == "a"
        await desk.call("FlagService.DeleteFlag", DeleteFlagRequest(flag_key="a"), DeleteFlagResponse)
        assert await watch.key() == "a"
        await make(desk, "end")
        assert await watch.key() == "end"


async def test_what_others_do_is_not_told(desk: Desk, here: World) -> None:
    await make(desk, "a")
    await make(Desk(here, "other"), "x")
    async with watching(here) as watch:
        await put(Desk(here, environment="qa"), "a", enabled=True)
        await put(Desk(here, "other"), "x", enabled=True)
        await desk.put(PutSessionRequest(flags='{"a": true}'))
        await make(desk, "end")
        assert await watch.key() == "end"


async def test_many_changes_at_once_are_all_told(desk: Desk, here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching_flags, "_PAGE", 3)
    project = await here.store.read(lambda tx: tx.project("checkout"))
    assert project is not None
    keys = [f"f{number}" for number in range(10)]

    async def work(tx: Transaction) -> None:
        for key in keys:
            await tx.put_flag(project.id, Flag(key=key))

    async with watching(here) as watch:
        await here.store.write(work)
        assert [await watch.key() for _ in keys] == keys
        await make(desk, "end")
        assert await watch.key() == "end"


async def test_however_many_watch_what_changed_is_looked_up_once(
    desk: Desk, here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    original = Flags.flags_changed

    async def noted(tx: Flags, project: str, environment: str, since: int, *more: Any) -> Sequence[str] | None:
        looks.append(since)
        return await original(tx, project, environment, since, *more)

    monkeypatch.setattr(Flags, "flags_changed", noted)
    await make(desk, "a", "b")
    async with watching(here) as first, watching(here) as second:
        await put(desk, "a", enabled=True)
        assert [await first.key(), await second.key()] == ["a", "a"]
        await make(desk, "end")
        assert [await first.key(), await second.key()] == ["end", "end"]
    assert len(looks) == len(set(looks)) == 2


async def test_who_is_too_far_behind_is_refused(desk: Desk, here: World) -> None:
    await make(desk, "a")
    async with aclosing(here.dispatcher.stream(_METHOD, {}, lambda: (_REQUEST, None), owner=True)) as answers:
        await anext(answers)
        await put(desk, "a", enabled=True)
        await here.store.trim(0)
        refused = await anext(answers)
    assert isinstance(refused, Status)
    assert status.read(refused).reason == "storage_unavailable"
