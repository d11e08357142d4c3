"""Both journals under random steps, with small quotas and several sessions, against all that was recorded."""

import asyncio
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from support.journal_model import Model, PlainRules, Told, exchange
from support.journals import Keeper
from understudy_server.core.record import Quota, Stream
from understudy_server.journal.memory import MemoryJournal, MemoryLimits
from understudy_server.journal.sqlite import SqliteJournal

T = TypeVar("T")
_SESSIONS = ["", "ses_1", "ses_2", "ses_3"]
_ENVIRONMENTS = ["env_1", "env_2"]
_WEEK_MS = 1 << 40


def _stream(environment_id: str, session_id: str) -> Stream:
    return Stream(environment_id, f"ci-{session_id}", session_id) if session_id else Stream(environment_id)


class _Machine(RuleBasedStateMachine):
    """Records, ends sessions, purges and asks. ``make`` opens the journal."""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._rules = PlainRules()
        self._model = Model()
        self._made = 0
        self._told: dict[Stream, Told] = {}
        self._folder = tempfile.TemporaryDirectory()
        self._journal: Keeper

    async def make(self, folder: Path, rules: PlainRules) -> Keeper:
        raise NotImplementedError

    @initialize(
        entries=st.integers(1, 8), all_entries=st.integers(1, 14), size=st.integers(2, 9), all_size=st.integers(2, 14)
    )
    def open(self, entries: int, all_entries: int, size: int, all_size: int) -> None:
        self._rules.own = Quota(entries, size * 2_000, all_entries, all_size * 2_000, _WEEK_MS)
        self._journal = self._run(self.make(Path(self._folder.name), self._rules))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    @rule(
        of=st.sampled_from(_ENVIRONMENTS),
        sessions=st.lists(st.sampled_from(_SESSIONS), min_size=1, max_size=12),
        body=st.sampled_from([0, 100, 1_500, 5_000]),
    )
    def record(self, of: str, sessions: list[str], body: int) -> None:
        before = self._told
        self._run(self._record(of, sessions, body))
        after = self._run(self._tell())
        to = {_stream(of, each) for each in sessions}
        self._model.check_step(before, after, to, self._rules.ended)

    async def _record(self, of: str, sessions: list[str], body: int) -> None:
        for session_id in sessions:
            self._made += 1
            made = exchange(self._made, session_id, of, bytes_=body)
            self._model.record(made)
            self._journal.record(made)

    @rule(session_id=st.sampled_from(_SESSIONS[1:]), ends=st.booleans())
    def end(self, session_id: str, ends: bool) -> None:
        (self._rules.ended.add if ends else self._rules.ended.discard)(session_id)

    @precondition(lambda self: self._model.recorded)
    @rule(data=st.data())
    def purge(self, data: st.DataObject) -> None:
        stream = data.draw(st.sampled_from(sorted(self._model.recorded)))
        self._model.purge(stream, self._told[stream].standing.losses)
        self._run(self._journal.purge(stream))

    @precondition(lambda self: self._model.recorded)
    @rule(data=st.data(), after=st.integers(0, 12), limit=st.integers(1, 5))
    def read(self, data: st.DataObject, after: int, limit: int) -> None:
        stream = data.draw(st.sampled_from(sorted(self._model.recorded)))
        there = [each for each in self._told[stream].there if each.number > after]
        assert list(self._run(self._journal.read(stream, after, limit))) == there[:limit]

    @precondition(lambda self: self._model.recorded)
    @rule(data=st.data(), limit=st.integers(1, 5), older=st.booleans())
    def page(self, data: st.DataObject, limit: int, older: bool) -> None:
        stream = data.draw(st.sampled_from(sorted(self._model.recorded)))
        key = f"ci-{stream.session_id}"
        cursor = f"log_{data.draw(st.integers(1, self._made)):08}"
        there = [each for each in self._told[stream].there if (each.id < cursor if older else each.id > cursor)]
        expected = there[::-1][:limit] if older else there[:limit]
        bounds = {"before": cursor, "since": ""} if older else {"before": "", "since": cursor}
        page = self._journal.page(stream.environment_id, key, limit=limit, **bounds)
        assert list(self._run(page)) == expected
        assert self._run(self._journal.knows(stream.environment_id, key)) == bool(self._told[stream].there)

    @invariant()
    def holds(self) -> None:
        if self._model.recorded:
            self._told = self._run(self._tell())
            self._model.check(self._told, self._rules.own, self._journal.losses)

    async def _tell(self) -> dict[Stream, Told]:
        return {
            stream: Told(await self._journal.standing(stream), list(await self._journal.read(stream, 0, 1_000)))
            for stream in self._model.recorded
        }

    def teardown(self) -> None:
        if hasattr(self, "_journal"):
            self._run(self._journal.close())
        self._runner.close()
        self._folder.cleanup()


class _Memory(_Machine):
    async def make(self, folder: Path, rules: PlainRules) -> Keeper:
        return MemoryJournal(MemoryLimits(), rules)


class _Disk(_Machine):
    async def make(self, folder: Path, rules: PlainRules) -> Keeper:
        return await SqliteJournal.open(folder, rules=rules)

    @rule()
    def restart(self) -> None:
        losses = self._journal.losses
        self._run(self._journal.close())
        self._journal = self._run(self.make(Path(self._folder.name), self._rules))
        # It counts anew; the streams do not.
        self._journal._losses.counts.update(losses)


@pytest.mark.parametrize("machine", [_Memory, _Disk])
def test_what_is_kept_and_lost_is_what_the_rules_say(machine: type[RuleBasedStateMachine]) -> None:
    run_state_machine_as_test(machine, settings=settings(stateful_step_count=20, deadline=None))
