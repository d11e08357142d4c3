import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from support.failing_disk import FailingDisk
from support.state_suite import ANOTHER, CHAIN, ELSEWHERE, NOTHING, SESSION, StateSuite, everything, step, use
from support.timers import ManualTimers
from understudy_server.core.state import MACHINE_START, State, StateFull
from understudy_server.state.kept import KeptState
from understudy_server.store.sqlite import SqlitePresence


class Directory:
    """A data directory whose state is kept in memory and written when the timers are fired."""

    def __init__(self, folder: Path, timers: ManualTimers) -> None:
        self.folder = folder
        self.timers = timers

    async def open(self) -> KeptState:
        self._presence = await SqlitePresence.open(self.folder, later=self.timers)
        self.state = await KeptState.open(self.folder, self._presence.writer, later=self.timers)
        return self.state

    async def close(self) -> None:
        await self.state.close()
        await self._presence.close()

    async def open_again(self) -> KeptState:
        """As after a regular stop."""
        await self.close()
        return await self.open()

    async def flush(self) -> None:
        """Bring the timers forward and wait until what they have begun is done."""
        self.timers.fire()
        if flushing := self.state._flushing:
            await flushing

    def written(self, table: str) -> list[tuple[str | int | bytes, ...]]:
        """The rows of a table, as another process sees them."""
        connection = sqlite3.connect(self.folder / "state.db")
        rows = connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4").fetchall()
        connection.close()
        return rows


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Directory]:
    directory = Directory(tmp_path, ManualTimers())
    await directory.open()
    yield directory
    await directory.close()


class TestKeptState(StateSuite):
    limits_in = "understudy_server.state.memory"

    @pytest.fixture
    async def state(self, kept: Directory) -> State:
        return kept.state


async def test_all_of_it_outlives_a_stop(kept: Directory) -> None:
    for owner in (SESSION, CHAIN, ELSEWHERE):
        kept.state.set_text(owner, "k", '{"a": 1.10, "ä": "\\ud83d"}')
        kept.state.claim(step(MACHINE_START, "paid", owner=owner))
        kept.state.claim(step("paid", "", owner=owner))
    before = everything(kept.state, SESSION)

    again = await kept.open_again()

    assert [everything(again, owner) for owner in (SESSION, CHAIN, ELSEWHERE)] == [before] * 3
    assert everything(again, ANOTHER) == NOTHING
    assert again.claim(step("paid", "")) == 3


async def test_what_was_taken_in_counts_against_the_limits(kept: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.state.set_text(SESSION, "kä", '"ä"')
    again = await kept.open_again()
    # Three bytes of a key and four of a value.
    monkeypatch.setattr("understudy_server.state.memory.VALUES_BYTES_MAX", 9)

    again.set_text(SESSION, "l", "1")
    with pytest.raises(StateFull):
        again.set_text(SESSION, "m", "1")

    again.delete_value(SESSION, "kä")
    again.set_text(SESSION, "m", '"öö"')
    with pytest.raises(StateFull):
        again.set_text(SESSION, "l", "12")


async def test_many_changes_are_one_write(kept: Directory) -> None:
    for _ in range(100):
        kept.state.claim(use())
        kept.state.increment(SESSION, "n", 1)

    assert kept.timers.waiting == 1
    await kept.flush()
    assert kept.written("mock_use") == [(*SESSION, "ovr_a", 100)]
    assert kept.written("state_value") == [(*SESSION, "n", b"100")]
    assert kept.timers.waiting == 0


async def test_changes_are_written_before_the_stop(kept: Directory) -> None:
    kept.state.claim(use())
    await kept.flush()
    kept.state.claim(use())
    assert kept.timers.waiting == 1

    await kept.flush()

    assert kept.written("mock_use") == [(*SESSION, "ovr_a", 2)]


@pytest.mark.parametrize(
    "let_go",
    [
        lambda state: state.reset(SESSION),
        lambda state: state.reset_environment("env_1"),
        lambda state: (
            state.delete_value(SESSION, "k"),
            state.set_machine(SESSION, "order", MACHINE_START),
            state.forget_uses("env_1", ["ovr_a"]),
        ),
    ],
    ids=["owner", "environment", "one by one"],
)
async def test_what_was_let_go_is_gone_from_the_file(kept: Directory, let_go: Callable[[State], object]) -> None:
    for owner in (SESSION, ELSEWHERE):
        kept.state.set_text(owner, "k", "1")
        kept.state.claim(step("", "paid", owner=owner))
    await kept.flush()

    let_go(kept.state)
    await kept.flush()

    for table in ("state_value", "state_machine", "mock_use"):
        assert [row[:3] for row in kept.written(table)] == [ELSEWHERE]


async def test_what_came_after_a_reset_is_in_the_file_and_what_was_before_is_not(kept: Directory) -> None:
    kept.state.set_text(SESSION, "before", "1")
    await kept.flush()
    kept.state.set_text(SESSION, "unwritten", "1")
    kept.state.reset_environment("env_1")
    kept.state.set_text(SESSION, "between", "1")
    kept.state.reset(SESSION)
    kept.state.set_text(SESSION, "after", "1")
    kept.state.set_text(ANOTHER, "after", "1")

    await kept.flush()

    assert [(row[2], row[3]) for row in kept.written("state_value")] == [("ses_1.1", "after"), ("ses_2.1", "after")]


async def test_a_change_of_another_thread_is_written_too(kept: Directory) -> None:
    await asyncio.to_thread(kept.state.claim, use())
    await asyncio.sleep(0)

    await kept.flush()

    assert kept.written("mock_use") == [(*SESSION, "ovr_a", 1)]


async def test_a_change_during_a_write_is_written_by_the_next_one(kept: Directory) -> None:
    kept.state.claim(use())
    kept.timers.fire()
    await asyncio.sleep(0)
    kept.state.claim(use())
    assert kept.state._flushing
    await kept.state._flushing

    assert kept.timers.waiting == 1
    await kept.flush()
    assert kept.written("mock_use") == [(*SESSION, "ovr_a", 2)]


async def test_what_is_written_together_was_so_at_one_moment(kept: Directory) -> None:
    kept.state.claim(step(MACHINE_START, "paid"))
    kept.timers.fire()
    await asyncio.sleep(0)
    # The batch is on its way to the writer's thread; what comes now is no part of it.
    kept.state.claim(step("paid", "sent"))
    assert kept.state._flushing
    await kept.state._flushing

    assert kept.written("mock_use") == [(*SESSION, "ovr_a", 1)]
    assert kept.written("state_machine") == [(*SESSION, "order", "paid")]


async def test_what_the_disk_refused_is_kept_told_once_and_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    disk = FailingDisk(monkeypatch)
    kept = Directory(tmp_path, ManualTimers())
    await kept.open()
    kept.state.set_text(SESSION, "k", "1")
    await kept.flush()
    disk.fill()
    kept.state.set_text(SESSION, "long", f'"{"x" * 1_000_000}"')
    kept.state.claim(use())
    for _ in range(3):
        await kept.flush()
        kept.state.reset(SESSION)
        kept.state.claim(use())
        assert (kept.timers.waiting, kept.state.uses_of(SESSION, "ovr_a")) == (1, 1)
    refused = [each for each in caplog.messages if "cannot write state.db" in each]
    disk.repair()

    # First what was refused, then what came after it.
    await kept.flush()
    await kept.flush()

    assert len(refused) == 1
    assert kept.written("state_value") == []
    assert kept.written("mock_use") == [(*SESSION, "ovr_a", 1)]
    assert kept.timers.waiting == 0
    await kept.close()


async def test_a_stop_on_a_disk_that_refuses_says_what_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    disk = FailingDisk(monkeypatch)
    kept = Directory(tmp_path, ManualTimers())
    await kept.open()
    disk.protect()
    kept.state.claim(use())
    await kept.flush()
    kept.state.claim(use(owner=ANOTHER))

    await kept.close()

    assert "the state of 2 sessions, chains or environments could not be written" in caplog.text


async def test_a_stop_writes_what_was_refused_and_what_came_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FailingDisk(monkeypatch)
    kept = Directory(tmp_path, ManualTimers())
    await kept.open()
    disk.protect()
    kept.state.claim(use())
    await kept.flush()
    kept.state.claim(use(owner=ANOTHER))
    disk.repair()

    again = await kept.open_again()

    assert sorted(again.owners()) == [SESSION, ANOTHER]
    await kept.close()


async def test_a_stop_waits_for_the_write_under_way(kept: Directory) -> None:
    kept.state.claim(use())
    kept.timers.fire()
    await asyncio.sleep(0)
    kept.state.claim(use("ovr_b"))

    again = await kept.open_again()

    assert again.uses(SESSION) == [("ovr_a", 1), ("ovr_b", 1)]


async def test_a_request_after_the_stop_is_no_fault(kept: Directory) -> None:
    await kept.state.close()

    assert kept.state.claim(use()) == 1
    assert kept.timers.waiting == 0
