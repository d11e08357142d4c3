import asyncio
import gc
import random
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support import records
from support.allocated import allocated
from support.failing_disk import FailingDisk
from support.journals import sweep
from support.memory import MIB
from support.records import ENVIRONMENT, with_lines
from support.timers import ManualTimers
from understudy_server.core.errors import StorageFailure
from understudy_server.core.exchange import Exchange
from understudy_server.core.record import Lost, Standing, Stream
from understudy_server.journal import sqlite
from understudy_server.journal.sqlite import SqliteJournal
from understudy_server.store.sqlite.reader import Reader

# What takes its room on a disk, whoever compresses it.
_NOISE = random.Random(7).randbytes(200_000)


@pytest.fixture
def timers() -> ManualTimers:
    return ManualTimers()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> FailingDisk:
    return FailingDisk(monkeypatch)


@pytest.fixture
async def journal(disk: FailingDisk, tmp_path: Path, timers: ManualTimers) -> AsyncIterator[SqliteJournal]:
    journal = await SqliteJournal.open(tmp_path, later=timers)
    yield journal
    disk.repair()
    await journal.close()


async def _recorded(journal: SqliteJournal) -> list[Exchange]:
    """All exchanges of the key, oldest first."""
    return list(reversed(await journal.page(ENVIRONMENT, "ci-42", before="", since="", limit=100_000)))


async def _background(journal: SqliteJournal, timers: ManualTimers) -> None:
    """Let the time come, and wait for the writing that begins, as nobody does who only records."""
    timers.fire()
    assert journal._writing
    await asyncio.wait([journal._writing])


@pytest.mark.parametrize("fault", ["fill", "protect"])
async def test_a_question_is_refused_while_what_it_asks_about_cannot_be_written(
    journal: SqliteJournal, disk: FailingDisk, fault: str
) -> None:
    getattr(disk, fault)()
    journal.record(records.exchange(1, body=_NOISE[:200_000]))

    with pytest.raises(StorageFailure):
        await journal.knows(ENVIRONMENT, "ci-42")


@pytest.mark.parametrize("fault", ["fill", "protect"])
async def test_nothing_pending_is_lost_by_a_failure(journal: SqliteJournal, disk: FailingDisk, fault: str) -> None:
    exchanges = [records.exchange(number, body=_NOISE[:50_000]) for number in range(1, 21)]
    getattr(disk, fault)()
    for each in exchanges[:10]:
        journal.record(each)
    with pytest.raises(StorageFailure):
        await journal.exchange(exchanges[0].id)
    for each in exchanges[10:]:
        journal.record(each)
    disk.repair()

    assert await _recorded(journal) == records.numbered(exchanges)
    assert journal.dropped == 0


async def test_a_failure_that_nobody_waits_for_is_tried_again_later(
    journal: SqliteJournal, disk: FailingDisk, timers: ManualTimers, tmp_path: Path
) -> None:
    disk.protect()
    journal.record(records.exchange(1))
    await _background(journal, timers)
    disk.repair()

    await _background(journal, timers)

    reader = Reader(tmp_path / sqlite.FILE)
    assert reader.ask(lambda connection: connection.execute("SELECT count(*) FROM segment").fetchone()) == (1,)
    reader.close()


async def test_a_failure_that_nobody_waits_for_makes_no_noise(
    journal: SqliteJournal, disk: FailingDisk, timers: ManualTimers
) -> None:
    noise: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: noise.append(context))
    disk.protect()
    journal.record(records.exchange(1))
    await _background(journal, timers)
    gc.collect()

    assert noise == []


async def test_traffic_does_not_hammer_a_disk_that_refuses(
    journal: SqliteJournal, disk: FailingDisk, timers: ManualTimers
) -> None:
    disk.protect()
    journal.record(records.exchange(1))
    await _background(journal, timers)

    for number in range(2, 10):
        journal.record(records.exchange(number))

    assert (journal._writing, timers.waiting) == (None, 1)


async def test_all_who_wait_are_told_of_a_failure(journal: SqliteJournal, disk: FailingDisk) -> None:
    disk.protect()
    journal.record(records.exchange(1))

    outcomes = await asyncio.gather(*(journal.exchange("log_1") for _ in range(5)), return_exceptions=True)

    assert {type(each) for each in outcomes} == {StorageFailure}


async def test_what_does_not_fit_is_counted(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sqlite, "PENDING_MAX", 10)
    for number in range(1, 16):
        journal.record(records.exchange(number))

    assert len(await _recorded(journal)) == 10
    assert journal.dropped == 5
    assert [each.levelname for each in caplog.records] == ["ERROR", "WARNING"]


async def test_bodies_that_wait_are_bounded_in_bytes(journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "PENDING_BYTES_MAX", 1_000)
    for number in range(1, 6):
        journal.record(records.exchange(number, body=_NOISE[:400]))

    assert len(await _recorded(journal)) == 2
    assert journal.dropped == 3


async def test_there_is_room_again_once_what_waited_is_written(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PENDING_BYTES_MAX", 4_000)
    for number in range(1, 20):
        journal.record(records.exchange(number, body=_NOISE[:900]))
        journal.record(records.exchange(number)._replace(request_headers=((b"x-long", _NOISE[:900]),)))
        await journal.exchange("log_1")

    assert journal.dropped == 0


@pytest.mark.parametrize(("lines", "length"), [(1, 30_000), (100, 7)])
async def test_what_waits_takes_no_more_memory_than_it_may_whatever_it_is_made_of(
    journal: SqliteJournal, disk: FailingDisk, monkeypatch: pytest.MonkeyPatch, lines: int, length: int
) -> None:
    monkeypatch.setattr(sqlite, "PENDING_BYTES_MAX", 4 * MIB)
    monkeypatch.setattr(sqlite, "_BLOCK_EXCHANGES_MAX", 8)
    journal._filling.due = 8
    disk.protect()
    with allocated() as taken:
        for number in range(1, 501):
            journal.record(with_lines(number, lines, length))

    assert journal.dropped > 0
    assert 3 * MIB <= taken.bytes <= 4.4 * MIB


async def test_headers_that_those_who_wait_share_count_once(
    journal: SqliteJournal, disk: FailingDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PENDING_BYTES_MAX", 4 * MIB)
    disk.protect()
    headers = ((b"x-long", _NOISE[:60_000]),)
    for number in range(1, 2_001):
        journal.record(records.exchange(number)._replace(request_headers=headers))

    assert journal.dropped == 0


async def test_batches_are_bounded_by_their_headers_too(journal: SqliteJournal, disk: FailingDisk) -> None:
    disk.protect()
    for number in range(1, 601):
        journal.record(with_lines(number, 1, 60_000))

    assert [len(batch.exchanges) for batch in journal._batches] == [512]


async def test_who_fills_a_batch_while_much_waits_lets_the_disk_catch_up(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(sqlite, "_BATCH_BYTES_MAX", 50_000)
    monkeypatch.setattr(sqlite, "_CROWDED_BYTES", 100_000)
    monkeypatch.setattr(journal._written, "wait", waited.append)
    journal._write_now()
    waits = []
    for number in range(1, 4):
        journal.record(records.exchange(number, body=_NOISE[:50_000]))
        waits.append(len(waited))
    await journal.last_id()

    assert waits == [0, 1, 2]


async def test_what_is_written_is_let_go_of(journal: SqliteJournal) -> None:
    mine = records.exchange(1)
    before = sys.getrefcount(mine)
    journal.record(mine)
    await journal.last_id()

    assert sys.getrefcount(mine) == before


async def test_what_a_large_backlog_took_is_given_back_once(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_back: list[None] = []
    monkeypatch.setattr(sqlite, "give_back", lambda: given_back.append(None))
    monkeypatch.setattr(sqlite, "_LARGE_BYTES", 100_000)
    for number, size in enumerate((10, 200_000, 10), 1):
        journal.record(records.exchange(number, body=_NOISE[:size]))
        await journal.last_id()
    await journal.close()

    assert len(given_back) == 1


async def test_one_exchange_that_cannot_be_kept_does_not_hold_up_the_others(journal: SqliteJournal) -> None:
    journal.record(records.exchange(1))
    journal.record(records.exchange(2)._replace(path="\ud800"))
    journal.record(records.exchange(3)._replace(duration_ms=1 << 70))
    journal.record(records.exchange(4))

    kept = [records.exchange(1)._replace(number=1), records.exchange(4)._replace(number=4)]
    assert await _recorded(journal) == kept
    assert (await journal.standing(kept[0].stream)).losses == {Lost.DISK: 2}
    assert journal.dropped == 2


async def test_closing_writes_what_is_pending(journal: SqliteJournal, disk: FailingDisk, tmp_path: Path) -> None:
    disk.protect()
    journal.record(records.exchange(1))
    with pytest.raises(StorageFailure):
        await journal.exchange("log_1")
    disk.repair()
    await journal.close()

    again = await SqliteJournal.open(tmp_path)
    assert await _recorded(again) == records.numbered([records.exchange(1)])
    await again.close()


async def test_closing_on_a_disk_that_refuses_says_what_is_lost(
    journal: SqliteJournal, disk: FailingDisk, caplog: pytest.LogCaptureFixture
) -> None:
    disk.protect()
    journal.record(records.exchange(1))
    journal.record(records.exchange(2))

    await journal.close()

    assert "2 exchanges could not be written" in caplog.text


def _stream() -> Stream:
    return records.exchange(1).stream


async def test_what_is_dropped_takes_numbers_where_it_came(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PENDING_MAX", 3)
    for number in range(1, 6):
        journal.record(records.exchange(number))
    journal.record(records.exchange(6, "other"))
    assert (journal.waiting, journal.losses) == (3, {Lost.OVERLOAD: 3})
    await journal.last_id()
    journal.record(records.exchange(7))

    assert [each.number for each in await journal.read(_stream(), 0, 9)] == [1, 2, 3, 6]
    assert await journal.standing(_stream()) == Standing(6, 4, {Lost.OVERLOAD: 2})
    other = records.exchange(6, "other").stream
    assert await journal.standing(other) == Standing(1, 0, {Lost.OVERLOAD: 1})


async def test_what_is_dropped_while_a_batch_is_written_is_not_forgotten(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PENDING_MAX", 2)
    for number in range(1, 200):
        journal.record(records.exchange(number))
        if number % 3 == 0:
            await asyncio.sleep(0)
    standing = await journal.standing(_stream())

    assert standing.last_number == 199
    assert standing.losses == journal.losses == {Lost.OVERLOAD: 199 - standing.kept}
    assert journal.waiting == 0


@pytest.mark.parametrize("fault", ["fill", "protect"])
async def test_what_is_dropped_because_of_the_disk_says_so(
    journal: SqliteJournal, disk: FailingDisk, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(sqlite, "PENDING_MAX", 3)
    getattr(disk, fault)()
    journal.record(records.exchange(1, body=_NOISE[:200_000]))
    with pytest.raises(StorageFailure):
        await journal.standing(_stream())
    for number in range(2, 7):
        journal.record(records.exchange(number))
    with pytest.raises(StorageFailure):
        await journal.standing(_stream())
    journal.record(records.exchange(7))
    disk.repair()

    assert await journal.standing(_stream()) == Standing(7, 3, {Lost.DISK: 4})
    assert [each.number for each in await journal.read(_stream(), 0, 9)] == [1, 2, 3]


@pytest.mark.parametrize("fault", ["fill", "protect"])
async def test_after_a_failure_accounts_are_what_is_on_file(
    journal: SqliteJournal, disk: FailingDisk, fault: str
) -> None:
    journal.record(records.exchange(1))
    await journal.last_id()
    getattr(disk, fault)()
    for number in range(2, 5):
        journal.record(records.exchange(number, body=_NOISE[:200_000]))
        with pytest.raises(StorageFailure):
            await journal.last_id()
    with pytest.raises(StorageFailure):
        await journal.keep_verification(_stream(), _NOISE[:200_000])
    disk.repair()

    assert await journal.standing(_stream()) == Standing(4, 4)
    assert [each.number for each in await journal.read(_stream(), 0, 9)] == [1, 2, 3, 4]


async def test_a_sweep_that_fails_is_repeated(
    journal: SqliteJournal, disk: FailingDisk, timers: ManualTimers, caplog: pytest.LogCaptureFixture
) -> None:
    journal.start_sweeping(timers)
    journal.record(records.exchange(1))
    await journal.last_id()
    disk.protect()
    await sweep(journal, timers)
    assert "was not removed" in caplog.text
    disk.repair()
    await sweep(journal, timers)

    assert (await journal.standing(_stream())).losses == {Lost.RETENTION: 1}


async def test_a_stop_on_a_disk_that_refuses_leaves_doubt(
    journal: SqliteJournal, disk: FailingDisk, tmp_path: Path
) -> None:
    journal.record(records.exchange(1))
    await journal.last_id()
    disk.protect()
    journal.record(records.exchange(2))
    await journal.close()
    disk.repair()

    again = await SqliteJournal.open(tmp_path)

    assert (await again.standing(_stream())).doubtful_after == 1
    await again.close()
