"""What a process tells of itself."""

from pathlib import Path

from support import records
from understudy.v1.server_service_pb2 import Listener
from understudy_server.app.host import Watched
from understudy_server.cli.embedded import open_rooms
from understudy_server.journal.memory import MemoryLimits


async def test_a_command_has_neither_started_nor_listens(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, "full") as rooms:
        facts = rooms.host()()
    assert (facts.started_at_ms, list(facts.listeners), facts.watched) == (0, [], None)
    assert (facts.store.kind, facts.store.durability, facts.journal.kind) == ("sqlite", "full", "disk")
    assert facts.version


async def test_a_server_tells_when_it_started_and_where_it_listens(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, "normal") as rooms:
        host = rooms.host(5, lambda: Watched("shop"))
        host.add_listener("grpc", "127.0.0.1:1")
        host.add_listener("proxy", "127.0.0.1:2", "checkout/staging")
        facts = host()
    assert (facts.started_at_ms, facts.watched) == (5, Watched("shop"))
    assert list(facts.listeners) == [
        Listener(kind="grpc", address="127.0.0.1:1"),
        Listener(kind="proxy", address="127.0.0.1:2", place="checkout/staging"),
    ]


async def test_what_store_and_journal_hold_is_told_as_it_is_now(tmp_path: Path) -> None:
    async with open_rooms(tmp_path, "normal", MemoryLimits()) as rooms:
        host = rooms.host()
        before = host()
        await rooms.store.write(lambda tx: tx.put_project(records.project()))
        rooms.journal.record(records.exchange(1))
        after = host()
    assert after.store.version == before.store.version + 1
    assert (before.journal.recorded, after.journal.recorded, after.journal.kind) == (0, 1, "memory")
    assert after.store.size_bytes > 0
    assert (after.store_problem, after.journal_problem, after.presence_problem) == ("", "", "")
