"""Flags by the thousand, evaluated, frozen and watched: how long the event loop is held in one round at most.

The loop, the store and its threads are real. A round is measured in the processor's time of the loop's thread.
"""

import asyncio
import gc
import json
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from support import records
from support.dispatching import START_MS, World, world
from understudy.v1 import evaluation_service_pb2 as pb
from understudy.v1.flags_pb2 import Flag, FlagCondition, FlagRule, FlagState
from understudy.v1.session_service_pb2 import Session
from understudy_server.app.call import Call, Place
from understudy_server.app.evaluating import evaluate, evaluate_batch
from understudy_server.app.explaining_flags import explain_flag
from understudy_server.app.flag_cache import FlagCache
from understudy_server.app.ports import Transaction
from understudy_server.app.session_values import SessionValues
from understudy_server.app.watching_flags import watch_flags
from understudy_server.rpc.admission import OWNER

T = TypeVar("T")
Question = Callable[["FlagStage"], Coroutine[Any, Any, None]]

WATCHERS = 100
_AT_ONCE = 50
_PLAIN, _LONG, _FROZEN = "ci-plain", "ci-long", "ci-frozen"
_LONG_FLAG = "a-long-one"
_LONG_CONTEXT = json.dumps({"plan": "free", "more": [[1]] * 30_000})


class RoundsTimed(asyncio.SelectorEventLoop):
    """``longest_seconds`` is that of the longest round since it was last set to 0, ``rounds`` how many there were."""

    longest_seconds = 0.0
    rounds = 0

    def _run_once(self) -> None:
        began = time.thread_time()
        super()._run_once()  # type: ignore[misc]  # the one place through which all rounds go
        self.longest_seconds = max(self.longest_seconds, time.thread_time() - began)
        self.rounds += 1


@dataclass
class FlagStage:
    """A place with flags of five rules each, among them one that is as long as may be, and sessions."""

    loop: RoundsTimed
    here: World
    call: Call
    flags: int

    async def longest_round(self, question: Question) -> float:
        """How long the loop is held while a question is asked of a server that has nothing compiled yet."""
        gc.collect()
        gc.disable()
        try:
            fresh = replace(self.call.world, flags=FlagCache(), session_values=SessionValues())
            stage = replace(self, call=self.call._replace(world=fresh))
            await asyncio.sleep(0)
            self.loop.longest_seconds = 0.0
            await asyncio.create_task(question(stage))
            await asyncio.sleep(0)
        finally:
            gc.enable()
        return self.loop.longest_seconds

    async def one(self, key: str, session_key: str = "", context: str = "") -> None:
        request = pb.EvaluateRequest(flag_key=key, session_key=session_key, context=context)
        answer = await evaluate(self.call, request)
        assert answer.evaluation.kind

    async def explained(self) -> None:
        answer = await explain_flag(self.call, pb.ExplainFlagRequest(flag_key=_LONG_FLAG))
        assert answer.rules

    async def some(self) -> None:
        keys = [_key(number) for number in range(_AT_ONCE)]
        answer = await evaluate_batch(self.call, pb.EvaluateBatchRequest(flag_keys=keys))
        assert len(answer.evaluations) == _AT_ONCE

    async def all(self, session_key: str = "", context: str = '{"plan":"free"}') -> None:
        request = pb.EvaluateBatchRequest(all=True, context=context, session_key=session_key)
        answer = await evaluate_batch(self.call, request)
        assert len(answer.evaluations) >= self.flags

    async def change(self, count: int = 1) -> None:
        """Set flags anew."""
        await self._write(lambda tx: _put_flags(tx, self.call.place, count))

    async def watched(self) -> None:
        """Many watch while flags change, and all are told of all of them."""
        changed = min(self.flags, 20)
        ready = asyncio.Barrier(WATCHERS + 1)

        async def watch() -> None:
            request = pb.WatchFlagsRequest()
            async with aclosing(watch_flags(self.call, request)) as told:  # type: ignore[type-var]
                await anext(told)
                await ready.wait()
                assert [(await anext(told)).flag_key for _ in range(changed)] == [_key(n) for n in range(changed)]

        watching = [asyncio.create_task(watch()) for _ in range(WATCHERS)]
        await ready.wait()
        await self.change(changed)
        await asyncio.gather(*watching)

    async def _write(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        return await self.here.store.write(work)


async def _all_but_one_known(stage: FlagStage) -> None:
    await stage.all()
    await stage.change()
    await stage.all()


async def _all_changed(stage: FlagStage) -> None:
    await stage.all()
    await stage.change(stage.flags)
    await stage.one(_key(0))
    await stage.all()


QUESTIONS: Mapping[str, Question] = {
    "one": lambda stage: stage.one(_key(1)),
    "a long one": lambda stage: stage.one(_LONG_FLAG),
    "a long one for a long context": lambda stage: stage.one(_LONG_FLAG, context=_LONG_CONTEXT),
    "a long one explained": lambda stage: stage.explained(),
    "some": lambda stage: stage.some(),
    "all": lambda stage: stage.all(),
    "all for a long context": lambda stage: stage.all(context=_LONG_CONTEXT),
    "all, one of which changed": _all_but_one_known,
    "all, all of which changed": _all_changed,
    "all in a session": lambda stage: stage.all(_PLAIN),
    "all in a session that sets much": lambda stage: stage.all(_LONG),
    "one in a session that sets much": lambda stage: stage.one(_key(1), _LONG),
    "one in a frozen session": lambda stage: stage.one(_key(1), _FROZEN),
    "all in a frozen session": lambda stage: stage.all(_FROZEN),
    "watched": lambda stage: stage.watched(),
}


@asynccontextmanager
async def flag_stage(flags: int, long_rules: int) -> AsyncIterator[FlagStage]:
    """Build the stage; ``long_rules``: how many rules of a hundred conditions the long flag has."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, RoundsTimed)
    with tempfile.TemporaryDirectory() as folder:
        async with world(Path(folder)) as here:
            await here.make_project("checkout", "staging")
            place = await here.store.read(_place)
            await here.store.write(lambda tx: _put_flags(tx, place, flags))
            await here.store.write(lambda tx: _put_long_flag(tx, place, long_rules))
            await here.store.write(lambda tx: _put_sessions(tx, place))
            yield FlagStage(loop, here, Call(OWNER, place, START_MS, here.dispatcher._world), flags)


async def _place(tx: Transaction) -> Place:
    project = await tx.project("checkout")
    assert project is not None
    environment = await tx.environment(project.id, "staging")
    assert environment is not None
    return Place(project.id, "checkout", environment.id, "staging")


async def _put_flags(tx: Transaction, place: Place, count: int) -> None:
    conditions = [FlagCondition(attribute="plan", operator="in", value=f'["p{each}","q"]') for each in range(5)]
    rules = [FlagRule(id=f"rule_{number}", conditions=[each]) for number, each in enumerate(conditions)]
    for number in range(count):
        await tx.put_flag(place.project_id, Flag(key=_key(number)))
        await tx.put_flag_state(
            place.project_id, place.environment_id, _key(number), FlagState(enabled=True, rules=rules)
        )


async def _put_long_flag(tx: Transaction, place: Place, rules: int) -> None:
    words = json.dumps([f"word-{number}" for number in range(20)])
    conditions = [FlagCondition(attribute=f"a{number}", operator="in", value=words) for number in range(100)]
    state = FlagState(enabled=True, rules=[FlagRule(id=f"rule_{n}", conditions=conditions) for n in range(rules)])
    await tx.put_flag(place.project_id, Flag(key=_LONG_FLAG))
    await tx.put_flag_state(place.project_id, place.environment_id, _LONG_FLAG, state)


async def _put_sessions(tx: Transaction, place: Place) -> None:
    much = json.dumps({f"set-{number}": {"list": [1] * 250} for number in range(1_000)})
    for key, session in (
        (_PLAIN, Session(flags='{"set":true}')),
        (_LONG, Session(flags=much)),
        (_FROZEN, Session()),
    ):
        record = records.session(f"ses_{key}", key, of=place.environment_id)
        record.message.MergeFrom(session)
        if key == _FROZEN:
            record.message.frozen_at.GetCurrentTime()
        await tx.put_session(record)
        if key == _FROZEN:
            await tx.freeze_session(place.project_id, record)


def _key(number: int) -> str:
    return f"flag-{number:05}"
