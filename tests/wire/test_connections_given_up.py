"""Connections to upstreams that nobody wants any more before they are made: nothing of them stays."""

import asyncio
import gc
import socket
from collections.abc import Iterator

import pytest
import uvloop
from understudy_server.proxy.forwarding import Origin
from understudy_server.proxy.messages import Refused
from understudy_server.proxy.pool import Pool
from understudy_server.proxy.settings import ProxySettings
from understudy_server.proxy.upstream import UpstreamConnection
from understudy_server.proxy.watch import Watch

LEASES = 5
TURNS_MAX = 8


@pytest.fixture
def upstream() -> Iterator[Origin]:
    """Something that accepts, and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        yield Origin(tls=False, host="127.0.0.1", port=listener.getsockname()[1])


class _Applicant:
    connection: UpstreamConnection | None = None

    def connected(self, connection: UpstreamConnection) -> None:
        self.connection = connection

    def unconnected(self, refused: Refused) -> None:
        raise AssertionError(refused)


@pytest.mark.parametrize("turns", range(TURNS_MAX))
@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_whoever_gives_up_after_some_turns_of_the_loop_leaves_nothing_behind(
    run: object, turns: int, upstream: Origin
) -> None:
    async def lease_and_give_up() -> int:
        settings = ProxySettings()
        pool = Pool(settings, Watch(asyncio.get_running_loop(), settings.tick_seconds))
        for _ in range(LEASES):
            applicant = _Applicant()
            withdraw = pool.lease(upstream, applicant, fresh=True)
            for _ in range(turns):
                await asyncio.sleep(0)
            withdraw()
            if applicant.connection is not None:
                applicant.connection.release()
            del applicant, withdraw
        await pool.close()
        gc.collect()
        return sum(isinstance(each, UpstreamConnection) for each in gc.get_objects())

    assert run(lease_and_give_up()) == 0  # type: ignore[operator]
