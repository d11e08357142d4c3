"""What a journal tells of itself: how much it took in, what it takes, and whether all of it is kept."""

from pathlib import Path

import pytest
from support import records
from support.failing_disk import FailingDisk
from support.records import ENVIRONMENT
from support.timers import ManualTimers
from understudy_server.core.errors import StorageFailure
from understudy_server.journal import sqlite
from understudy_server.journal.memory import MemoryJournal, MemoryLimits
from understudy_server.journal.sqlite import SqliteJournal


async def test_on_disk_all_that_was_taken_in_is_counted_written_or_not(tmp_path: Path) -> None:
    journal = await SqliteJournal.open(tmp_path)
    for number in range(3):
        journal.record(records.exchange(number))
    before = journal.recorded
    await journal.knows(ENVIRONMENT, "ci-42")
    assert (before, journal.recorded, journal.problem) == (3, 3, "")
    assert journal.size_bytes() >= (tmp_path / sqlite.FILE).stat().st_size > 0
    await journal.close()


async def test_a_disk_that_refuses_is_a_problem_until_it_takes_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FailingDisk(monkeypatch)
    journal = await SqliteJournal.open(tmp_path, later=ManualTimers())
    disk.protect()
    journal.record(records.exchange(1))
    with pytest.raises(StorageFailure):
        await journal.knows(ENVIRONMENT, "ci-42")
    assert journal.problem == (
        "exchanges cannot be written now (the files are read-only); 1 wait: make room or make the files writable"
    )
    disk.repair()
    assert await journal.knows(ENVIRONMENT, "ci-42")
    assert journal.problem == ""
    await journal.close()


async def test_exchanges_that_could_not_be_kept_are_a_problem_from_then_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PENDING_MAX", 2)
    journal = await SqliteJournal.open(tmp_path)
    for number in range(5):
        journal.record(records.exchange(number))
    await journal.knows(ENVIRONMENT, "ci-42")
    assert journal.recorded == 2
    assert journal.problem.startswith("3 exchanges could not be kept since the start")
    await journal.close()


async def test_in_memory_what_made_room_was_taken_in_too_and_is_no_problem() -> None:
    journal = MemoryJournal(MemoryLimits(exchanges_max=3))
    for number in range(200):
        journal.record(records.exchange(number))
    assert (journal.recorded, journal.problem) == (200, "")


async def test_in_memory_what_is_kept_takes_room() -> None:
    journal = MemoryJournal(MemoryLimits(exchanges_max=1_000))
    for number in range(100):
        journal.record(records.exchange(number, body=b"x" * 1_000))
    assert journal.size_bytes() >= 100 * 1_000
    before = journal.size_bytes()
    journal.record(records.exchange(101, body=b"x" * 10_000))
    assert journal.size_bytes() >= before + 10_000
