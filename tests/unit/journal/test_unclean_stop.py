"""A process that is killed takes with it what waited to be written: the next one says of which streams."""

import shutil
from collections.abc import Collection
from pathlib import Path

import pytest
from support.journal_model import exchange
from understudy_server.core.ids import encode
from understudy_server.core.record import Lost, Standing, Stream
from understudy_server.journal.sqlite import FILE, SqliteJournal

_NOW_MS = 1_700_000_100_000


def _stream(session_id: str) -> Stream:
    return Stream("env_1", f"ci-{session_id}", session_id)


def _session(moment_ms: int) -> str:
    """The id of a session that began then."""
    return f"ses_{encode(moment_ms, 0)}"


async def _killed(folder: Path, *session_ids: str) -> Path:
    """The files of a journal that recorded one exchange of each session, as a killed process leaves them."""
    journal = await SqliteJournal.open(folder)
    for number, session_id in enumerate(session_ids, 1):
        journal.record(exchange(number * 1_000, session_id))
    await journal.last_id()
    left = folder / "left"
    left.mkdir()
    for name in (FILE, f"{FILE}-wal"):
        shutil.copy(folder / name, left)
    await journal.close()
    return left


async def _open(folder: Path, living: Collection[str] | None = None, *, records: bool = True) -> SqliteJournal:
    return await SqliteJournal.open(folder, living=living, records=records, clock=lambda: _NOW_MS)


async def test_after_a_close_nothing_is_in_doubt(tmp_path: Path) -> None:
    first = await _open(tmp_path)
    first.record(exchange(1, "ses_1"))
    await first.close()

    again = await _open(tmp_path)

    assert await again.standing(_stream("ses_1")) == Standing(1, 1)
    assert again.losses == {}
    await again.close()


async def test_after_a_kill_what_was_on_file_is_in_doubt_from_there_on(tmp_path: Path) -> None:
    again = await _open(await _killed(tmp_path, "ses_1", ""))
    again.record(exchange(9, "ses_1"))

    assert await again.standing(_stream("ses_1")) == Standing(2, 2, {Lost.UNCLEAN_STOP: 0}, doubtful_after=1)
    assert (await again.standing(Stream("env_1"))).doubtful_after == 1
    assert again.losses == {Lost.UNCLEAN_STOP: 0}
    await again.close()


async def test_a_session_that_had_ended_long_before_is_not_in_doubt(tmp_path: Path) -> None:
    left = await _killed(tmp_path, "ses_gone", *(f"ses_{number}" for number in range(100)))

    again = await _open(left, living=["ses_1"])

    assert (await again.standing(_stream("ses_gone"))).doubtful_after is None
    assert (await again.standing(_stream("ses_1"))).doubtful_after == 1
    assert (await again.standing(_stream("ses_99"))).doubtful_after == 1, "it may have ended just before"
    await again.close()


@pytest.mark.parametrize(("began_ms", "doubtful_after"), [(_NOW_MS - 1, 0), (_NOW_MS + 1, None)])
async def test_a_session_that_nothing_is_on_file_of_is_in_doubt_if_it_began_before(
    tmp_path: Path, began_ms: int, doubtful_after: int | None
) -> None:
    again = await _open(await _killed(tmp_path, "ses_1"))
    session_id = _session(began_ms)

    assert (await again.standing(_stream(session_id))).doubtful_after == doubtful_after
    again.record(exchange(1, session_id))
    standing = await again.standing(_stream(session_id))
    assert (standing.last_number, standing.doubtful_after) == (1, doubtful_after)
    await again.close()


async def test_the_doubt_stays_over_restarts_and_where_it_began(tmp_path: Path) -> None:
    again = await _open(await _killed(tmp_path, "ses_1"))
    again.record(exchange(2, "ses_1"))
    await again.close()

    third = await _open(tmp_path / "left")

    assert (await third.standing(_stream("ses_1"))).doubtful_after == 1
    assert third.losses == {}
    await third.close()


async def test_after_another_kill_what_came_since_the_first_is_in_doubt_too(tmp_path: Path) -> None:
    again = await _open(await _killed(tmp_path, "ses_1"))
    for number in range(2, 6):
        again.record(exchange(number, "ses_1"))
    await again.last_id()
    left = tmp_path / "left again"
    left.mkdir()
    for name in (FILE, f"{FILE}-wal"):
        shutil.copy(tmp_path / "left" / name, left)
    await again.close()

    third = await _open(left)

    assert (await third.standing(_stream("ses_1"))).doubtful_after == 5
    await third.close()


async def test_who_only_reads_may_be_killed(tmp_path: Path) -> None:
    first = await _open(tmp_path)
    first.record(exchange(1, "ses_1"))
    await first.close()
    reader = await _open(tmp_path, records=False)
    left = tmp_path / "left"
    left.mkdir()
    shutil.copy(tmp_path / FILE, left)

    again = await _open(left)

    assert (await again.standing(_stream("ses_1"))).doubtful_after is None
    await again.close()
    await reader.close()
