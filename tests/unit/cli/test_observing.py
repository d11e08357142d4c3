"""The health of a server, over real files."""

from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from support import records
from support.failing_disk import FailingDisk
from support.store_steps import furnish
from understudy_server.cli import serve
from understudy_server.cli.addresses import LOOPBACK, Address
from understudy_server.cli.embedded import open_rooms
from understudy_server.cli.observing import Observing, health_of
from understudy_server.cli.settings import Settings
from understudy_server.cli.target import OWNER_SOCKET
from understudy_server.journal.memory import MemoryLimits
from understudy_server.live.view import LiveView
from understudy_server.proxy.listener import ProxyListener
from understudy_server.telemetry.health import Phase
from understudy_server.telemetry.spans import Tracing


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


async def test_a_span_names_the_place_of_its_request_as_it_is_called_now(tmp_path: Path) -> None:
    provider, exporter = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    async with open_rooms(tmp_path / "data", "normal", MemoryLimits()) as rooms:
        view = LiveView(rooms.store)
        recorder = Observing(rooms, view, Tracing(provider), counts=False).recorder()
        await furnish(rooms.store)
        await view.catch_up()
        recorder.record(records.exchange(1))
        await rooms.store.write(lambda tx: tx.put_environment(records.environment(slug="renamed")))
        await view.catch_up()
        recorder.record(records.exchange(2))
        await rooms.store.write(lambda tx: tx.remove_environment(records.ENVIRONMENT))
        await view.catch_up()
        recorder.record(records.exchange(3))
    provider.shutdown()
    places = [(span.attributes or {}).get("understudy.environment") for span in exporter.get_finished_spans()]
    assert places == ["checkout/staging", "checkout/renamed", None]


async def test_the_grpc_doors_serve_only_once_every_listener_accepts_and_until_a_drain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anywhere = Address(LOOPBACK, 0)
    settings = Settings(data=tmp_path / "data", grpc=anywhere, rest=anywhere, proxy=anywhere)
    lines, said, make_proxy = list[str](), list[tuple[str, ...]](), serve._make_proxy

    async def ask() -> None:
        doors = (lines[0].rpartition(" ")[2], f"unix:{tmp_path / 'data' / OWNER_SOCKET}")
        said.append(tuple([await serving(each) for each in doors]))

    async def ask_first(*known: Any) -> ProxyListener:
        await ask()
        return await make_proxy(*known)

    monkeypatch.setattr(serve, "_make_proxy", ask_first)
    async with serve.running(settings, lines.append) as server:
        await ask()
        assert server.drain
        await server.drain()
        await ask()
    assert said == [("NOT_SERVING",) * 2, ("SERVING",) * 2, ("NOT_SERVING",) * 2]


async def serving(address: str) -> str:
    """What the health of a door is."""
    async with grpc.aio.insecure_channel(address) as channel:
        answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))
