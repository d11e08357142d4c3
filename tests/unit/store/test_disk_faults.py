import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support import records
from support.failing_disk import FailingDisk
from support.mirror import full
from support.records import ENVIRONMENT
from support.store_steps import Change, change, furnish, put_mock, put_session
from understudy_server.core.errors import StorageFailure
from understudy_server.store.sqlite import SqliteStore

# More than the free pages of a file can hold.
_LONG = "x" * 200_000


def _put_long(mock_id: str) -> Change:
    return put_mock(mock_id, name=_LONG)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> FailingDisk:
    return FailingDisk(monkeypatch)


@pytest.fixture
async def store(disk: FailingDisk, tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = await SqliteStore.open(tmp_path)
    await furnish(store)
    yield store
    await store.close()


async def test_a_full_disk_is_named(store: SqliteStore, disk: FailingDisk) -> None:
    disk.fill()

    with pytest.raises(StorageFailure, match="the disk is full") as caught:
        await change(store, _put_long("ovr_a"))

    assert isinstance(caught.value.__cause__, sqlite3.OperationalError)


async def test_read_only_files_are_named(store: SqliteStore, disk: FailingDisk) -> None:
    disk.protect()

    with pytest.raises(StorageFailure, match="the files are read-only"):
        await change(store, put_mock("ovr_a"))


async def test_why_the_last_write_failed_is_known_until_one_succeeds(store: SqliteStore, disk: FailingDisk) -> None:
    disk.protect()
    with pytest.raises(StorageFailure):
        await change(store, put_mock("ovr_a"))
    failing = store.problem
    disk.repair()
    await change(store, put_mock("ovr_a"))

    assert (failing, store.problem) == ("the files are read-only", "")


async def test_a_refused_write_leaves_nothing(store: SqliteStore, disk: FailingDisk) -> None:
    before = await full(store)
    disk.fill()

    with pytest.raises(StorageFailure):
        await change(store, put_session("ci-42"), _put_long("ovr_a"))

    assert await full(store) == before


async def test_a_refused_write_does_not_move_the_version(store: SqliteStore, disk: FailingDisk) -> None:
    before = store.known_version
    disk.protect()

    with pytest.raises(StorageFailure):
        await change(store, put_mock("ovr_a"))

    assert (store.known_version, (await store.load_since(before)).version) == (before, before)


async def test_reading_goes_on_while_nothing_can_be_written(store: SqliteStore, disk: FailingDisk) -> None:
    await change(store, put_session("ci-42"))
    disk.fill()
    with pytest.raises(StorageFailure):
        await change(store, _put_long("ovr_a"))

    assert await store.read(lambda tx: tx.session(ENVIRONMENT, "ci-42")) == records.session("ses_ci-42", "ci-42")


@pytest.mark.parametrize("fault", ["fill", "protect"])
async def test_writing_goes_on_once_the_disk_takes_it(store: SqliteStore, disk: FailingDisk, fault: str) -> None:
    getattr(disk, fault)()
    for _ in range(3):
        with pytest.raises(StorageFailure):
            await change(store, _put_long("ovr_a"))
    disk.repair()

    await change(store, _put_long("ovr_b"))

    assert set((await full(store)).mocks) == {(ENVIRONMENT, "ovr_b")}


async def test_the_version_after_a_failure_goes_on_from_the_one_before(store: SqliteStore, disk: FailingDisk) -> None:
    before = store.known_version
    disk.fill()
    with pytest.raises(StorageFailure):
        await change(store, _put_long("ovr_a"))
    disk.repair()

    await change(store, _put_long("ovr_b"))

    assert store.known_version == before + 1


async def test_all_of_a_batch_that_the_disk_refuses_are_told(store: SqliteStore, disk: FailingDisk) -> None:
    disk.fill()

    outcomes = await asyncio.gather(
        *(change(store, _put_long(f"ovr_{number}")) for number in range(20)), return_exceptions=True
    )

    assert {type(outcome) for outcome in outcomes} == {StorageFailure}


async def test_what_was_acknowledged_before_a_failure_is_there_after_it(disk: FailingDisk, tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path)
    await furnish(store)
    await change(store, put_session("ci-42"))
    disk.fill()
    with pytest.raises(StorageFailure):
        await change(store, put_session("ci-43"), _put_long("ovr_a"))
    await store.close()

    again = await SqliteStore.open(tmp_path)
    try:
        assert {each.key for each in (await full(again)).sessions.values()} == {"ci-42"}
    finally:
        await again.close()


async def test_one_outage_is_logged_once_with_its_end(
    store: SqliteStore, disk: FailingDisk, caplog: pytest.LogCaptureFixture
) -> None:
    disk.protect()
    for _ in range(3):
        with pytest.raises(StorageFailure):
            await change(store, put_mock("ovr_a"))
    disk.repair()
    await change(store, put_mock("ovr_a"))

    assert [(each.levelname, each.getMessage()) for each in caplog.records] == [
        ("ERROR", "cannot write control.db: attempt to write a readonly database"),
        ("WARNING", "control.db is written again"),
    ]


async def test_an_error_says_nothing_of_files(store: SqliteStore, disk: FailingDisk, tmp_path: Path) -> None:
    disk.fill()

    with pytest.raises(StorageFailure) as caught:
        await change(store, _put_long("ovr_a"))

    assert "control.db" not in caught.value.message
    assert str(tmp_path) not in caught.value.message
