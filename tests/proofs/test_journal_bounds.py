"""A long run against small quotas: memory and disk stay flat, and every number is there or told to be lost."""

import asyncio
import random
from pathlib import Path

import pytest
from support.journal_model import PlainRules, exchange
from support.journals import Keeper
from support.memory import resident_bytes
from support.proofs import new_seed, report, scaled
from understudy_server.core.record import Quota, Stream
from understudy_server.journal.memory import MemoryJournal, MemoryLimits
from understudy_server.journal.rules import DiskLimits
from understudy_server.journal.sqlite import SqliteJournal

EXCHANGES = scaled(2_000_000)
AT_ONCE = 1_000
SESSIONS_AT_A_TIME = 16
# So long a session lives: about a hundred exchanges of all of them.
ENDS = 0.01
QUOTA = Quota(200, 512 * 1024, 2_000, 4 * 1024 * 1024, 1 << 40)
ENVIRONMENTS = 3
IN_ALL = 5_000
IN_ALL_BYTES = 10 * 1024 * 1024
# What a slope is measured from: the first quarter is for warming up. What a process takes is known by the page.
SLACK_BYTES = 24 * 1024 * 1024
# One batch, the log beside the file, and pages that are not full.
DISK_SLACK_BYTES = 40 * 1024 * 1024


class _Load:
    """Exchanges of sessions that come and go in a few environments, some without one."""

    def __init__(self, journal: Keeper, rules: PlainRules, dice: random.Random) -> None:
        self._journal = journal
        self._rules = rules
        self._dice = dice
        self._made = 0
        self._begun = 0
        self.last: dict[Stream, int] = {}
        self.living = [self._begin() for _ in range(SESSIONS_AT_A_TIME)]

    def _begin(self) -> str:
        self._begun += 1
        return f"ses_{self._begun}"

    def run(self, count: int) -> None:
        for _ in range(count):
            at = self._dice.randrange(SESSIONS_AT_A_TIME)
            if self._dice.random() < ENDS:
                self._rules.ended.add(self.living[at])
                self.living[at] = self._begin()
            session_id = "" if at == 0 else self.living[at]
            self._made += 1
            made = exchange(
                self._made, session_id, f"env_{at % ENVIRONMENTS}", bytes_=self._dice.choice((0, 50, 3_000))
            )
            self.last[made.stream] = self.last.get(made.stream, 0) + 1
            self._journal.record(made)

    def forget_those_that_ended(self) -> None:
        """So that what this process takes is the journal's."""
        gone = {each for each in self.last if each.session_id and each.session_id not in self.living}
        self.last = {stream: number for stream, number in self.last.items() if stream not in gone}


async def _check(journal: Keeper, load: _Load) -> int:
    """Compare what is on record with what was recorded; gives how many numbers are told to be lost."""
    kept, lost, sizes = 0, 0, 0
    for stream, last in load.last.items():
        standing = await journal.standing(stream)
        there = list(await journal.read(stream, 0, 10_000))
        assert standing.last_number == last
        # Gaps are exactly where something made room: at the beginning.
        assert [each.number for each in there] == list(range(last - len(there) + 1, last + 1))
        assert standing.kept == len(there) <= QUOTA.session_entries
        assert sum(standing.losses.values()) == last - len(there)
        kept, lost = kept + len(there), lost + last - len(there)
        sizes += sum(len(each.request_body.content) for each in there if each.request_body)
    assert kept <= IN_ALL
    assert sizes <= IN_ALL_BYTES
    return lost


@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("kind", ["disk", "memory"])
async def test_two_million_exchanges_stay_within_small_quotas(kind: str, tmp_path: Path) -> None:
    seed = new_seed()
    rules = PlainRules(QUOTA)
    journal: Keeper
    if kind == "memory":
        journal = MemoryJournal(MemoryLimits(IN_ALL, IN_ALL_BYTES), rules)
    else:
        journal = await SqliteJournal.open(tmp_path, rules=rules, limits=DiskLimits(IN_ALL, IN_ALL_BYTES))
    load = _Load(journal, rules, random.Random(seed))
    rounds, told_lost, largest, warm = EXCHANGES // AT_ONCE, 0, 0, 0
    for number in range(rounds):
        load.run(AT_ONCE)
        await journal.last_id()
        if number % (max(1, rounds // 20)) == 0:
            told_lost += await _check(journal, load)
            load.forget_those_that_ended()
            largest = max(largest, journal.size_bytes())
            assert largest <= IN_ALL_BYTES + (DISK_SLACK_BYTES if kind == "disk" else 0)
        if number == rounds // 4:
            warm = resident_bytes()
        await asyncio.sleep(0)
    grown = resident_bytes() - warm
    recorded, dropped = journal.recorded, journal.losses
    await journal.close()

    report(
        f"journal within small quotas ({kind})",
        exchanges=recorded,
        lost_by_reason=", ".join(f"{reason.value} {count}" for reason, count in sorted(dropped.items())),
        grown_after_warm_up_bytes=grown,
        largest_bytes=largest,
        seed=seed,
    )
    assert told_lost > 0
    assert grown <= SLACK_BYTES
