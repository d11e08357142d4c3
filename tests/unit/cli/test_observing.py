"""The health of a server, over real files."""

from pathlib import Path

import pytest
from support import records
from support.failing_disk import FailingDisk
from understudy_server.cli.embedded import open_rooms
from understudy_server.cli.observing import Observing, health_of
from understudy_server.journal.memory import MemoryLimits
from understudy_server.live.view import LiveView
from understudy_server.telemetry.health import Phase


@pytest.mark.parametrize("in_memory", [None, MemoryLimits()], ids=["disk", "memory"])
async def test_a_server_on_sound_files_is_ready(tmp_path: Path, in_memory: MemoryLimits | None) -> None:
    async with open_rooms(tmp_path / "data", "normal", in_memory) as rooms:
        rooms.journal.record(records.exchange(1))
        health = health_of(rooms, LiveView(rooms.store))
        health.phase = Phase.SERVING
        assert await health.ready() == {"listeners": "", "store": "", "journal": "", "view": ""}


async def test_looking_has_the_view_catch_up(tmp_path: Path) -> None:
    async with open_rooms(tmp_path / "data", "normal") as rooms:
        view = LiveView(rooms.store)
        await rooms.store.write(lambda tx: tx.put_project(records.project()))
        await health_of(rooms, view).ready()
        assert view.version == rooms.store.known_version


async def test_a_journal_that_cannot_be_written_is_named_until_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FailingDisk(monkeypatch)
    async with open_rooms(tmp_path / "data", "normal") as rooms:
        health = health_of(rooms, LiveView(rooms.store))
        disk.protect()
        rooms.journal.record(records.exchange(1))
        ready = await health.ready()
        assert "cannot be written" in ready["journal"]
        assert str(tmp_path) not in str(ready)
        disk.repair()
        assert (await health.ready())["journal"] == ""


async def test_a_request_that_nobody_counts_or_traces_goes_straight_to_the_journal(tmp_path: Path) -> None:
    async with open_rooms(tmp_path / "data", "normal", MemoryLimits()) as rooms:
        observing = Observing(rooms, LiveView(rooms.store), None, counts=False)
        assert observing.recorder() is rooms.journal
        assert observing.proxy_traces is None
