"""TLS handshakes of clients that are under way when the proxy stops."""

import asyncio
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock
from support.proxying import get, running
from support.tls import LOOPBACK, Authority
from support.vanishing import Client, client


@dataclass
class _Handshake:
    """The client's side of one, taken step by step."""

    client: Client
    trust: ssl.SSLContext
    _incoming: ssl.MemoryBIO = field(default_factory=ssl.MemoryBIO)
    _outgoing: ssl.MemoryBIO = field(default_factory=ssl.MemoryBIO)

    async def begin(self) -> None:
        """Say hello, and get what the server answers: it waits for the client to finish."""
        self.tls = self.trust.wrap_bio(self._incoming, self._outgoing, server_hostname=LOOPBACK)
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._send()
                self._incoming.write(await self.client.read())
            else:
                return

    async def finish(self, data: bytes) -> None:
        """End the handshake, and send the first bytes behind it."""
        self.tls.write(data)
        await self._send()

    async def _send(self) -> None:
        await self.client.send(self._outgoing.read())


async def test_client_whose_handshake_ends_after_the_stop_is_not_let_in(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path / "ca")
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(authority.identity())
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(active_mocks=("mock_1",))}, mocks={"mock_1": mock("mock_1", path="/")}
    )
    async with running(source) as proxy:
        address = await proxy.listener.listen(LOOPBACK, 0, tls=served)
        async with client(address) as late:
            handshake = _Handshake(late, authority.trust())
            await handshake.begin()
            stopping = asyncio.create_task(proxy.listener.stop())
            await asyncio.sleep(0)
            # It may be cut already.
            with suppress(ConnectionError):
                await handshake.finish(get("/", close=False))
            await late.read_all()
            await asyncio.wait_for(stopping, 10)
            assert proxy.listener.open_connections == 0
    assert proxy.journal.exchanges == []
