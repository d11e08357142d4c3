from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.failing_disk import FailingDisk
from support.timers import ManualTimers
from understudy_server.store.sqlite import SqlitePresence


@pytest.fixture
def timers() -> ManualTimers:
    return ManualTimers()


@pytest.fixture
async def presence(tmp_path: Path, timers: ManualTimers) -> AsyncIterator[SqlitePresence]:
    presence = await SqlitePresence.open(tmp_path, later=timers)
    yield presence
    await presence.close()


async def _after_restart(presence: SqlitePresence, folder: Path) -> SqlitePresence:
    await presence.close()
    return await SqlitePresence.open(folder)


async def test_a_session_not_seen_yet_was_never_seen(presence: SqlitePresence) -> None:
    assert presence.last_seen("ses_1") is None


async def test_a_session_seen_is_known_at_once(presence: SqlitePresence) -> None:
    presence.touch("ses_1", 1_000)
    presence.touch("ses_1", 2_000)

    assert presence.last_seen("ses_1") == 2_000


async def test_many_requests_are_one_write(presence: SqlitePresence, timers: ManualTimers) -> None:
    for number in range(100):
        presence.touch(f"ses_{number % 3}", number)

    assert timers.waiting == 1


@pytest.mark.parametrize("count", [256, 1_000])
async def test_times_of_many_are_kept_over_a_restart(presence: SqlitePresence, tmp_path: Path, count: int) -> None:
    for number in range(count):
        presence.touch(f"ses_{number}", 1_000 + number)

    again = await _after_restart(presence, tmp_path)

    assert [again.last_seen(f"ses_{number}") for number in range(count)] == list(range(1_000, 1_000 + count))
    assert len(again.session_ids()) == count
    await again.close()


async def test_session_that_is_seen_again_after_it_was_forgotten_is_known(
    presence: SqlitePresence, tmp_path: Path
) -> None:
    presence.touch("ses_1", 1_000)
    again = await _after_restart(presence, tmp_path)
    again.forget(["ses_1"])
    again.touch("ses_1", 2_000)

    once_more = await _after_restart(again, tmp_path)

    assert once_more.last_seen("ses_1") == 2_000
    await once_more.close()


async def test_times_are_kept_over_a_restart(presence: SqlitePresence, tmp_path: Path) -> None:
    presence.touch("ses_1", 1_000)

    again = await _after_restart(presence, tmp_path)

    assert again.last_seen("ses_1") == 1_000
    await again.close()


async def test_a_forgotten_session_is_forgotten_over_a_restart(presence: SqlitePresence, tmp_path: Path) -> None:
    presence.touch("ses_1", 1_000)
    presence.touch("ses_2", 1_000)
    again = await _after_restart(presence, tmp_path)

    again.forget(["ses_1", "ses_unknown"])
    assert again.last_seen("ses_1") is None
    third = await _after_restart(again, tmp_path)

    assert (third.last_seen("ses_1"), third.last_seen("ses_2")) == (None, 1_000)
    await third.close()


async def test_forgetting_is_written_without_a_request(presence: SqlitePresence, timers: ManualTimers) -> None:
    presence.touch("ses_1", 1_000)
    timers.fire()

    presence.forget(["ses_1"])

    assert timers.waiting == 1


async def test_times_that_the_disk_refused_are_written_later(
    tmp_path: Path, timers: ManualTimers, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FailingDisk(monkeypatch)
    presence = await SqlitePresence.open(tmp_path, later=timers)
    disk.protect()
    presence.touch("ses_1", 1_000)
    timers.fire()
    await presence._flush()
    waiting_for_retry = timers.waiting
    disk.repair()

    again = await _after_restart(presence, tmp_path)

    assert waiting_for_retry == 1
    assert again.last_seen("ses_1") == 1_000
    await again.close()


async def test_why_the_times_cannot_be_written_is_known(
    tmp_path: Path, timers: ManualTimers, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FailingDisk(monkeypatch)
    presence = await SqlitePresence.open(tmp_path, later=timers)
    disk.protect()
    presence.touch("ses_1", 1_000)
    await presence.close()

    assert presence.problem == "the files are read-only"


async def test_closing_on_a_disk_that_refuses_says_what_is_lost(
    tmp_path: Path, timers: ManualTimers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    disk = FailingDisk(monkeypatch)
    presence = await SqlitePresence.open(tmp_path, later=timers)
    disk.protect()
    presence.touch("ses_1", 1_000)

    await presence.close()

    assert "the last-seen times of 1 sessions could not be written" in caplog.text


async def test_a_request_after_the_close_is_no_fault(tmp_path: Path, timers: ManualTimers) -> None:
    presence = await SqlitePresence.open(tmp_path, later=timers)
    await presence.close()

    presence.touch("ses_1", 1_000)

    assert timers.waiting == 0


async def test_a_session_has_no_findings_until_one_is_noted(presence: SqlitePresence) -> None:
    presence.touch("ses_1", 1_000)

    assert presence.findings("ses_1") == []


async def test_findings_are_kept_each_once_in_the_order_of_their_names(presence: SqlitePresence) -> None:
    presence.note("ses_1", ("upstream_retried", "client_gone"))
    presence.note("ses_1", ("carriers_disagree", "client_gone"))
    presence.note("ses_2", ("client_gone",))

    assert presence.findings("ses_1") == ["carriers_disagree", "client_gone", "upstream_retried"]


async def test_a_finding_that_is_known_is_not_written_again(presence: SqlitePresence, timers: ManualTimers) -> None:
    presence.note("ses_1", ("client_gone",))
    timers.fire()

    presence.note("ses_1", ("client_gone",))

    assert timers.waiting == 0


async def test_findings_are_kept_over_a_restart(presence: SqlitePresence, tmp_path: Path) -> None:
    presence.note("ses_1", ("client_gone",))
    again = await _after_restart(presence, tmp_path)
    again.note("ses_1", ("carriers_disagree",))
    third = await _after_restart(again, tmp_path)

    assert third.findings("ses_1") == ["carriers_disagree", "client_gone"]
    assert third.session_ids() == ["ses_1"]
    await third.close()


async def test_forgotten_findings_are_forgotten_over_a_restart(presence: SqlitePresence, tmp_path: Path) -> None:
    presence.note("ses_1", ("client_gone",))
    presence.note("ses_2", ("client_gone",))
    again = await _after_restart(presence, tmp_path)

    again.forget(["ses_1"])
    assert again.findings("ses_1") == []
    third = await _after_restart(again, tmp_path)

    assert (third.findings("ses_1"), third.findings("ses_2")) == ([], ["client_gone"])
    await third.close()


async def test_findings_that_the_disk_refused_are_written_later(
    tmp_path: Path, timers: ManualTimers, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FailingDisk(monkeypatch)
    presence = await SqlitePresence.open(tmp_path, later=timers)
    disk.protect()
    presence.note("ses_1", ("client_gone",))
    timers.fire()
    await presence._flush()
    disk.repair()

    again = await _after_restart(presence, tmp_path)

    assert again.findings("ses_1") == ["client_gone"]
    await again.close()
