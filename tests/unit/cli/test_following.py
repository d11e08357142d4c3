"""When a manifest is read again: after a change and a quiet moment, when told to, when a refusal may have passed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from understudy_server.cli import following as module
from understudy_server.cli.following import Follower, Pace, Tell
from understudy_server.cli.watching import Glance, glance

NEVER_SECONDS = 1_000.0
SOON_SECONDS = 0.001
WAIT_SECONDS = 30
# Looks only when woken.
WOKEN_ONLY = Pace(SOON_SECONDS, SOON_SECONDS, look_seconds=NEVER_SECONDS, retry_seconds=NEVER_SECONDS)
# Looks by itself, and is never woken.
LOOKING = Pace(SOON_SECONDS, SOON_SECONDS, look_seconds=SOON_SECONDS, retry_seconds=SOON_SECONDS)


@dataclass
class File:
    """What is followed; each reading is a line in ``readings``, which says whether it was forced."""

    path: Path
    looked_at: frozenset[Path]
    may_succeed_now: bool = False
    readings: "asyncio.Queue[bool]" = field(default_factory=asyncio.Queue)
    on_read: Callable[[], None] = lambda: None

    async def again(self, *, even_if_same: bool) -> None:
        self.on_read()
        self.readings.put_nowait(even_if_same)

    async def is_read(self) -> bool:
        return await asyncio.wait_for(self.readings.get(), WAIT_SECONDS)


@dataclass
class Watch:
    """A watch in the test's hand."""

    tell: Tell = lambda: None
    followed: "asyncio.Queue[set[Path]]" = field(default_factory=asyncio.Queue)
    error: Exception | None = None
    is_closed: bool = False

    def follow(self, folders: frozenset[tuple[Path, int]]) -> None:
        self.followed.put_nowait({path for path, _ in folders})
        if self.error:
            raise self.error

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def file(tmp_path: Path) -> File:
    path = tmp_path / "understudy.yaml"
    path.write_text("first")
    return File(path, frozenset([path]))


@asynccontextmanager
async def following(
    file: File, pace: Pace = WOKEN_ONLY, *, seen: bool = True, error: Exception | None = None
) -> AsyncIterator[tuple[Follower, Watch]]:
    """A follower that runs; it has seen the files as they are, or nothing yet. ``error`` is what its watch fails by."""
    watch = Watch(error=error)

    def make(tell: Tell) -> Watch:
        watch.tell = tell
        return watch

    follower = Follower(file, seen=glance(file.looked_at) if seen else None, pace=pace, watch=make)
    task = asyncio.create_task(follower.run())
    # It follows before it waits.
    await watch.followed.get()
    try:
        yield follower, watch
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert watch.is_closed


async def test_a_change_is_read(file: File) -> None:
    async with following(file) as (_, watch):
        file.path.write_text("second")
        watch.tell()
        assert await file.is_read() is False


async def test_a_wake_about_something_else_reads_nothing(file: File) -> None:
    async with following(file) as (follower, watch):
        (file.path.parent / "other.txt").touch()
        watch.tell()
        await watch.followed.get()
        follower.read_now()
        # Only the reading that was asked for came of it.
        assert await file.is_read() is True
        assert file.readings.empty()


async def test_what_was_not_seen_before_is_read_at_once(file: File) -> None:
    async with following(file, seen=False):
        assert await file.is_read() is False


async def test_what_changed_between_reading_and_following_is_read_at_once(file: File) -> None:
    seen = glance(file.looked_at)
    file.path.write_text("second")
    follower = Follower(file, seen=seen, pace=WOKEN_ONLY, watch=lambda _: Watch())
    task = asyncio.create_task(follower.run())
    assert await file.is_read() is False
    task.cancel()


async def test_when_told_to_it_reads_although_nothing_changed(file: File) -> None:
    async with following(file) as (follower, _):
        follower.read_now()
        assert await file.is_read() is True


async def test_a_change_that_nobody_told_of_is_found_by_looking(file: File) -> None:
    async with following(file, LOOKING):
        file.path.write_text("second")
        assert await file.is_read() is False


async def test_a_change_during_a_reading_is_read_too(file: File) -> None:
    async with following(file, LOOKING):

        def change_once() -> None:
            file.on_read = lambda: None
            file.path.write_text("third, while the second is read")

        file.on_read = change_once
        file.path.write_text("second")
        await file.is_read()
        await file.is_read()


async def test_a_file_that_goes_and_one_that_comes_are_changes(file: File) -> None:
    async with following(file) as (_, watch):
        file.path.unlink()
        watch.tell()
        await file.is_read()
        file.path.write_text("again")
        watch.tell()
        await file.is_read()


async def test_files_that_a_reading_found_are_followed_from_then_on(file: File) -> None:
    more = file.path.parent / "more"
    more.mkdir()
    async with following(file) as (_, watch):

        def include() -> None:
            file.looked_at = frozenset([file.path, more / "a.yaml"])

        file.on_read = include
        file.path.write_text("include: more/a.yaml")
        watch.tell()
        await file.is_read()
        while await asyncio.wait_for(watch.followed.get(), WAIT_SECONDS) != {file.path.parent, more}:
            pass
        # Whether they changed between the reading and the following is not known, so they are read once more.
        await file.is_read()
        (more / "a.yaml").write_text("a")
        watch.tell()
        await file.is_read()


async def test_what_was_refused_for_another_reason_is_tried_again(file: File) -> None:
    async with following(file, LOOKING):
        file.may_succeed_now = True
        assert await file.is_read() is False


async def test_many_events_in_a_row_are_one_reading(file: File) -> None:
    quiet = Pace(quiet_seconds=0.05, noisy_seconds=NEVER_SECONDS, look_seconds=NEVER_SECONDS)
    async with following(file, quiet) as (_, watch):
        for number in range(20):
            file.path.write_text(f"version {number}")
            watch.tell()
            await asyncio.sleep(0)
        await file.is_read()
        assert file.readings.empty()


async def test_where_it_is_never_quiet_it_is_read_all_the_same(file: File) -> None:
    noisy = Pace(quiet_seconds=NEVER_SECONDS, noisy_seconds=SOON_SECONDS, look_seconds=NEVER_SECONDS)
    async with following(file, noisy) as (_, watch):
        file.path.write_text("second")
        # One wake starts the waiting, the next ones keep it from being quiet.
        while file.readings.empty():
            watch.tell()
            await asyncio.sleep(0)


class Looking:
    """A glance that changes a file before each of the first ``changes`` looks, as a copy under way does."""

    def __init__(self, file: File, changes: int) -> None:
        self._file = file
        self.left = changes

    def __call__(self, paths: Iterable[Path]) -> Glance:
        if self.left:
            self.left -= 1
            self._file.path.write_text("x" * self.left)
        return glance(paths)


@pytest.mark.parametrize("is_told", [True, False], ids=["with events", "without events"])
async def test_files_that_go_on_changing_are_read_once_they_rest(
    file: File, monkeypatch: pytest.MonkeyPatch, is_told: bool
) -> None:
    # It is noisy from the start, so that only the changes themselves keep it from being read.
    pace = Pace(SOON_SECONDS, 0, look_seconds=NEVER_SECONDS if is_told else SOON_SECONDS, retry_seconds=NEVER_SECONDS)
    looking = Looking(file, changes=50)
    left = []
    file.on_read = lambda: left.append(looking.left)
    monkeypatch.setattr(module, "glance", looking)
    async with following(file, pace) as (_, watch):
        watch.tell()
        await file.is_read()
    assert left == [0]


async def test_files_that_never_rest_are_read_in_the_end_and_that_is_said(
    file: File, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pace = Pace(SOON_SECONDS, SOON_SECONDS, settle_seconds_max=SOON_SECONDS, look_seconds=NEVER_SECONDS)
    monkeypatch.setattr(module, "glance", Looking(file, changes=1_000_000))
    async with following(file, pace) as (_, watch):
        watch.tell()
        await file.is_read()
    assert "its files have been changing for" in caplog.text


async def test_when_told_to_it_reads_files_that_never_rest_at_once(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    pace = Pace(SOON_SECONDS, NEVER_SECONDS, settle_seconds_max=NEVER_SECONDS, look_seconds=NEVER_SECONDS)
    monkeypatch.setattr(module, "glance", Looking(file, changes=1_000_000))
    async with following(file, pace) as (follower, _):
        follower.read_now()
        assert await file.is_read() is True


@pytest.mark.parametrize(("changing_seconds", "seconds"), [(0, 0.15), (0.2, 0.15), (1, 0.5), (30, 2.0)])
def test_the_longer_files_have_been_changing_the_longer_it_must_be_quiet(
    changing_seconds: float, seconds: float
) -> None:
    assert Pace().quiet_after(changing_seconds) == seconds


@pytest.mark.parametrize("error", [OSError("too many watches"), RuntimeError("can't start new thread")])
async def test_where_nothing_can_be_watched_changes_are_found_by_looking(
    file: File, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async with following(file, LOOKING, error=error) as (_, watch):
        file.path.write_text("second")
        await file.is_read()
        file.path.write_text("the third")
        await file.is_read()
        # It is tried again, so that a trouble that passes does.
        await asyncio.wait_for(watch.followed.get(), WAIT_SECONDS)
    (record,) = caplog.records
    assert str(error) in record.getMessage()
    assert "is looked at now and then only" in record.getMessage()


async def test_a_fault_in_one_round_does_not_end_the_following(
    file: File, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults = [RuntimeError("can't start new thread")] * 3

    def fail_at_first(paths: Iterable[Path]) -> Glance:
        if faults:
            raise faults.pop()
        return glance(paths)

    monkeypatch.setattr(module, "glance", fail_at_first)
    async with following(file, LOOKING):
        file.path.write_text("second")
        await file.is_read()
    assert [each.getMessage().partition(": ")[0] for each in caplog.records] == [f"{file.path} cannot be followed now"]


async def test_what_fails_again_and_again_is_tried_less_and_less_often_until_it_succeeds(file: File) -> None:
    follower = Follower(file, pace=Pace(retry_seconds=5, retry_seconds_max=60), watch=lambda _: Watch())
    waits = []
    for may_succeed_now in (True, True, False, True):
        file.may_succeed_now = may_succeed_now
        follower._plan_retry(is_retry=True)
        waits.append(follower._retry_seconds)
    assert waits == [10, 20, 5, 10]


async def test_it_ends_when_told_to_in_the_turn_in_which_it_is_woken(file: File) -> None:
    watch = Watch()
    follower = Follower(file, seen=glance(file.looked_at), pace=WOKEN_ONLY, watch=lambda _tell: watch)
    task = asyncio.create_task(follower.run())
    # It was woken at its start; from the second look on it waits.
    await watch.followed.get()
    await watch.followed.get()
    await asyncio.sleep(0)

    follower.read_now()
    # The turn in which the waiting hears of it, and before the follower itself goes on.
    await asyncio.sleep(0)
    task.cancel()

    await asyncio.wait([task], timeout=WAIT_SECONDS)
    assert task.cancelled()
