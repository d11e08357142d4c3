"""What the journal in memory keeps, loses and in which order, against a plain model that does it the slow way."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from support.journal_model import PlainRules, exchange
from understudy_server.core.exchange import Exchange
from understudy_server.core.record import Lost, Quota, Standing, Stream
from understudy_server.journal.memory import MemoryJournal, MemoryLimits
from understudy_server.journal.scales import IN_MEMORY, weigh

_SESSIONS = ["", "ses_1", "ses_2", "ses_3", "ses_4"]
_ENVIRONMENTS = ["env_1", "env_2"]
_WEEK_MS = 1 << 40


class _Weighed(NamedTuple):
    exchange: Exchange
    size: int


class _Bound(NamedTuple):
    entries: int
    bytes: int


@dataclass
class _Plain:
    """All streams, the one that was recorded to last as the last. What comes between two questions comes together."""

    rules: PlainRules
    whole: _Bound
    streams: dict[Stream, list[_Weighed]] = field(default_factory=dict)
    numbers: dict[Stream, int] = field(default_factory=dict)
    losses: dict[Stream, dict[Lost, int]] = field(default_factory=dict)
    purged: dict[Stream, int] = field(default_factory=dict)

    def record(self, exchanges: Sequence[Exchange]) -> None:
        """Record exchanges, and make room for them."""
        runs: dict[Stream, list[int]] = {}
        for each in exchanges:
            weighed = _Weighed(each, *weigh([each], IN_MEMORY))
            self.streams[each.stream] = [*self.streams.pop(each.stream, []), weighed]
            self.numbers[each.stream] = self.numbers.get(each.stream, 0) + 1
            runs[each.stream] = [*runs.pop(each.stream, []), weighed.size]
        quota = self.rules.own
        for stream in runs:
            bound = _Bound(quota.session_entries, quota.session_bytes)
            while self._is_over([stream], bound):
                self._lose(stream, Lost.SESSION_QUOTA)
        for environment_id in _ENVIRONMENTS:
            own = {stream: sizes for stream, sizes in runs.items() if stream.environment_id == environment_id}
            if own:
                self._make_room(environment_id, _Bound(quota.entries, quota.bytes), own, Lost.ENVIRONMENT_QUOTA)
        self._make_room("", self.whole, runs, Lost.SERVER_QUOTA)

    def _make_room(self, environment_id: str, bound: _Bound, runs: dict[Stream, list[int]], reason: Lost) -> None:
        together = [each for each in self.streams if environment_id in ("", each.environment_id)]
        for stream in together:
            if self._is_over(together, bound) and stream.session_id in self.rules.ended:
                while self.streams[stream]:
                    self._lose(stream, reason)
        for stream in reversed(runs):
            over = self._over(together, bound)
            entries, size = min(len(runs[stream]), over.entries), min(sum(runs[stream]), over.bytes)
            while self.streams[stream] and (entries > 0 or size > 0):
                entries, size = entries - 1, size - self._lose(stream, reason)
        for stream in reversed(runs):
            while self.streams[stream] and self._is_over(together, bound):
                self._lose(stream, reason)

    def _over(self, streams: Sequence[Stream], bound: _Bound) -> _Bound:
        kept = [each for stream in streams for each in self.streams[stream]]
        return _Bound(len(kept) - bound.entries, sum(each.size for each in kept) - bound.bytes)

    def _is_over(self, streams: Sequence[Stream], bound: _Bound) -> bool:
        return max(self._over(streams, bound)) > 0

    def _lose(self, stream: Stream, reason: Lost) -> int:
        losses = self.losses.setdefault(stream, {})
        losses[reason] = losses.get(reason, 0) + 1
        return self.streams[stream].pop(0).size

    def purge(self, stream: Stream) -> None:
        """Remove what there is of a stream, and what it had lost."""
        self.streams[stream], self.losses[stream] = [], {}
        self.purged[stream] = self.numbers.get(stream, 0)


class _Step(NamedTuple):
    records: Sequence[tuple[str, str, int]]
    ended: frozenset[str]
    purged: int | None


_records = st.lists(
    st.tuples(st.sampled_from(_ENVIRONMENTS), st.sampled_from(_SESSIONS), st.sampled_from([0, 100, 1_500, 4_000])),
    min_size=1,
    max_size=30,
)
_steps = st.lists(
    st.builds(
        _Step,
        _records,
        st.frozensets(st.sampled_from(_SESSIONS[1:]), max_size=3),
        st.none() | st.integers(0, len(_SESSIONS) - 1),
    ),
    min_size=1,
    max_size=8,
)
_entries = st.integers(1, 40)
_bytes = st.integers(2_000, 60_000)


def _stream(environment_id: str, session_id: str) -> Stream:
    return Stream(environment_id, f"ci-{session_id}", session_id) if session_id else Stream(environment_id)


@given(steps=_steps, quota=st.builds(Quota, _entries, _bytes, _entries, _bytes, st.just(_WEEK_MS)))
def test_what_streams_and_environments_keep_is_what_the_plain_model_keeps(steps: list[_Step], quota: Quota) -> None:
    asyncio.run(_compare(steps, quota, MemoryLimits(), at_once=1_000))


@given(steps=_steps, entries=_entries, bytes_=_bytes)
def test_what_all_together_keep_is_what_the_plain_model_keeps(steps: list[_Step], entries: int, bytes_: int) -> None:
    """One by one, since so small a journal does not wait for more."""
    roomy = Quota(1_000, 1 << 40, 1_000, 1 << 40, _WEEK_MS)
    asyncio.run(_compare(steps, roomy, MemoryLimits(entries, bytes_), at_once=1))


async def _compare(steps: Sequence[_Step], quota: Quota, limits: MemoryLimits, at_once: int) -> None:
    rules = PlainRules(quota)
    journal, plain = MemoryJournal(limits, rules), _Plain(rules, _Bound(limits.exchanges_max, limits.bytes_max))
    made = 0
    for records, ended, purged in steps:
        rules.ended = set(ended)
        exchanges = [
            exchange(made + at, session_id, of, bytes_=size) for at, (of, session_id, size) in enumerate(records)
        ]
        made += len(exchanges)
        for start in range(0, len(exchanges), at_once):
            together = exchanges[start : start + at_once]
            for each in together:
                journal.record(each)
            await journal.last_id()
            plain.record(together)
        if purged is not None:
            stream = _stream(_ENVIRONMENTS[0], _SESSIONS[purged])
            await journal.purge(stream)
            plain.purge(stream)
        await _check(journal, plain)
    await journal.close()


async def _check(journal: MemoryJournal, plain: _Plain) -> None:
    for stream, kept in plain.streams.items():
        last = plain.numbers.get(stream, 0)
        there = [each._replace(number=last - len(kept) + at) for at, (each, _) in enumerate(kept, 1)]
        assert list(await journal.read(stream, 0, 10_000)) == there
        losses, purged = plain.losses.get(stream, {}), plain.purged.get(stream, 0)
        assert await journal.standing(stream) == Standing(last, len(kept), losses, purged=purged)
    assert journal.size_bytes() == sum(each.size for kept in plain.streams.values() for each in kept)


@settings(max_examples=20)
@given(seed=st.integers(0, 1 << 32), session_entries=st.integers(1, 60), entries=st.integers(300, 900))
def test_however_many_wait_to_be_counted_all_add_up_when_asked(seed: int, session_entries: int, entries: int) -> None:
    asyncio.run(_add_up(random.Random(seed), Quota(session_entries, 1 << 40, entries, 1 << 40, _WEEK_MS)))


async def _add_up(dice: random.Random, quota: Quota) -> None:
    journal = MemoryJournal(rules=PlainRules(quota))
    taken: dict[Stream, int] = {}
    for number in range(2_000):
        each = exchange(number, f"ses_{dice.randrange(40)}", bytes_=dice.choice((0, 500, 5_000)))
        taken[each.stream] = taken.get(each.stream, 0) + 1
        journal.record(each)
    size = kept = lost = 0
    for stream, count in taken.items():
        standing, there = await journal.standing(stream), await journal.read(stream, 0, 10_000)
        assert standing.last_number == count
        assert [each.number for each in there] == list(range(count - standing.kept + 1, count + 1))
        assert standing.kept + sum(standing.losses.values()) == count
        assert standing.kept <= quota.session_entries
        size += sum(weigh(there, IN_MEMORY))
        kept, lost = kept + standing.kept, lost + sum(standing.losses.values())
    assert kept <= quota.entries
    assert (journal.size_bytes(), sum(journal.losses.values())) == (size, lost)
