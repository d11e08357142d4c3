"""kill -9 at random moments: no acknowledged write is lost, no transaction is seen half, and the files open."""

import asyncio
import contextlib
import copy
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support import records
from support.mirror import Mirror, full
from support.proofs import new_seed, report, scaled
from understudy_server.journal.sqlite import SqliteJournal
from understudy_server.live.source import Changes
from understudy_server.store.sqlite import SqliteStore

KILLS = scaled(200)
# So that empty directories are met again and again, and used ones too.
KILLS_OF_A_DIRECTORY = 10
# What a child may reach between two kills, so that numbers are used once.
NUMBERS_OF_A_CHILD = 1_000_000
# A child is killed while it starts, or else after this many lines at most.
SHARE_KILLED_AT_START = 0.25
LINES_MAX = 1_000
# Long enough to reach from the first import into the middle of the writing.
START_SECONDS = 1.2
CHILD = Path(__file__).with_name("writing_child.py")
TESTS = Path(__file__).parents[1]


@dataclass
class Said:
    """What a child said before it died."""

    put: set[int] = field(default_factory=set)
    removing: set[int] = field(default_factory=set)
    removed: set[int] = field(default_factory=set)
    recorded: set[int] = field(default_factory=set)

    @property
    def acknowledged(self) -> int:
        """How many writes."""
        return len(self.put) + len(self.removed) + len(self.recorded)


@dataclass
class Tally:
    acknowledged: int = 0
    before_the_first_write: int = 0
    lost: list[str] = field(default_factory=list)
    halves: list[str] = field(default_factory=list)


@pytest.mark.timeout(3_600)
async def test_no_acknowledged_write_is_lost_and_none_is_half_there(tmp_path: Path) -> None:
    seed = new_seed()
    dice, tally = random.Random(seed), Tally()
    for number in range(KILLS):
        folder = tmp_path / f"data-{number // KILLS_OF_A_DIRECTORY}"
        before = await _state(folder)
        said = await asyncio.to_thread(_run_and_kill, folder, number * NUMBERS_OF_A_CHILD, dice)
        tally.acknowledged += said.acknowledged
        tally.before_the_first_write += not said.acknowledged
        if folder.exists():
            await _examine(folder, before, said, tally)

    report(
        "kill -9 while writing",
        kills=KILLS,
        before_the_first_write=tally.before_the_first_write,
        acknowledged_writes=tally.acknowledged,
        lost=len(tally.lost),
        half_applied=len(tally.halves),
        seed=seed,
    )
    assert (tally.lost, tally.halves) == ([], [])


def _run_and_kill(folder: Path, first: int, dice: random.Random) -> Said:
    command = [sys.executable, str(CHILD), str(folder), str(first), str(dice.getrandbits(32))]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as child:
        assert child.stdout
        lines = []
        if dice.random() < SHARE_KILLED_AT_START:
            _let_run(child, dice.uniform(0, START_SECONDS))
        else:
            lines = [child.stdout.readline() for _ in range(dice.randrange(1, LINES_MAX))]
            _let_run(child, dice.uniform(0, 0.005))
        assert child.poll() is None, "the child ended by itself"
        child.kill()
        lines += child.stdout.readlines()
    return _understood(lines)


def _let_run(child: subprocess.Popen[bytes], seconds: float) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(seconds)


def _understood(lines: list[bytes]) -> Said:
    said = Said()
    kinds = {b"+": said.put, b"?": said.removing, b"-": said.removed, b".": said.recorded}
    for line in lines:
        kinds[line[:1]].add(int(line[1:]))
    return said


@asynccontextmanager
async def _opened(folder: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(folder)
    try:
        yield store
    finally:
        await store.close()


async def _state(folder: Path) -> Mirror:
    """What a directory holds before a child is let loose on it. Version 1 is the empty store."""
    if not await asyncio.to_thread(folder.exists):
        return Mirror(version=1)
    async with _opened(folder) as store:
        return await full(store)


async def _examine(folder: Path, before: Mirror, said: Said, tally: Tally) -> None:
    follower = copy.deepcopy(before)
    async with _opened(folder) as store:
        now = await full(store)
        changes = await follower.catch_up(store)
    assert follower == now, "what changed does not lead from the state before to the state now"
    assert now.version == before.version + _units(before, changes)
    _compare(now, said, tally)
    await _look_for_exchanges(folder, said, tally)
    for name in ("control.db", "journal.db"):
        _check_integrity(folder / name)


def _compare(now: Mirror, said: Said, tally: Tally) -> None:
    """Every acknowledged write is there, and the two things of a pair are there together or not at all."""
    mocks = {int(mock_id.removeprefix("ovr_")) for _, mock_id in now.mocks}
    sessions = {int(each.removeprefix("ses_")) for each in now.sessions}
    used = {int(mock_id.removeprefix("ovr_")) for row in now.sessions.values() for mock_id in row.overrides}
    tally.lost += [f"pair {number}" for number in said.put - said.removing - mocks]
    tally.lost += [f"removal of pair {number}" for number in said.removed & mocks]
    tally.halves += [f"pair {number}" for number in (mocks ^ sessions) | (mocks ^ used)]


def _units(before: Mirror, changes: Changes) -> int:
    """How many units of work must have been done for these changes."""
    furnished = len(changes.environments)
    puts = sum(name not in before.mocks for name in changes.mocks)
    removals = sum(mock is None for mock in changes.mocks.values())
    return furnished + puts + removals


async def _look_for_exchanges(folder: Path, said: Said, tally: Tally) -> None:
    journal = await SqliteJournal.open(folder)
    for number in said.recorded:
        found = await journal.exchange(records.exchange(number).id)
        if found is None or found._replace(number=0) != records.exchange(number):
            tally.lost.append(f"exchange {number}")
    stream = records.exchange(0).stream
    standing, there = await journal.standing(stream), await journal.read(stream, 0, 1_000_000)
    await journal.close()
    assert [each.number for each in there] == list(range(1, standing.last_number + 1)), "numbers have no gap"
    assert not said.recorded or standing.doubtful_after is not None, "that the end was unclean is noticed"


def _check_integrity(path: Path) -> None:
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        connection.close()
