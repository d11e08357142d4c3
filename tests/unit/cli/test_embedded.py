"""The rooms of a data directory."""

from pathlib import Path

from support import records
from understudy_server.cli.embedded import open_rooms
from understudy_server.core.record import Lost
from understudy_server.journal.memory import MemoryLimits


async def test_a_journal_in_memory_leaves_nothing_in_the_directory(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, "normal", MemoryLimits()) as rooms:
        rooms.journal.record(records.exchange(1))
        found = await rooms.journal.exchange(records.exchange(1).id)
        assert found == records.exchange(1)._replace(number=1)

    assert not (tmp_path / "journal.db").exists()


async def test_a_journal_in_memory_keeps_to_its_limits(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, "normal", MemoryLimits(exchanges_max=2)) as rooms:
        for number in range(5):
            rooms.journal.record(records.exchange(number))
        assert rooms.journal.losses == {Lost.SERVER_QUOTA: 3}


async def test_ids_go_on_after_those_in_the_journal_on_disk(tmp_path: Path) -> None:
    last = "log_7ZZZZZZZZZZZZZZZZZZZZZZZZZ"
    async with open_rooms(tmp_path, "normal") as rooms:
        rooms.journal.record(records.exchange(1)._replace(id=last))

    async with open_rooms(tmp_path, "normal") as rooms:
        assert rooms.new_id("log_") > last
