"""100 MB each way: every byte arrives, in order, and the server's memory grows by less than 8 MB meanwhile.

When one side is slow the other is held back, and nothing piles up in between.
"""

import asyncio
import http.client
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest
from support.big_bodies import Body, Framing, Trace, narrow_socket, read_body, read_head
from support.bulk_upstream import BulkUpstream, running_bulk_upstream
from support.memory import MIB, growth
from support.proofs import PROVE, report
from support.server import MadePlace, Server, running_server
from understudy.v1.actions_pb2 import Action, Respond
from understudy.v1.matching_pb2 import RequestMatcher

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(sys.platform != "linux", reason="what a process holds is read from /proc"),
]

# Far above the bound in each case: a body that is kept cannot hide below it.
BIG = (100 if PROVE else 32) * MIB
GROWTH_BYTES_MAX = 8 * MIB
SMALL, WARM = 1_000, MIB // 2
BOTH = (Framing.LENGTH, Framing.CHUNKED)
# Nothing has moved for so long: whoever sends is held back.
STILL_SECONDS = 0.5
BEGIN_SECONDS_MAX = 20
KEY = "ci-42"
PATH = "/api/bulk"


@pytest.fixture(scope="module")
def numbers() -> Iterator[dict[str, int]]:
    """By how many KiB the server grew in each case, reported together."""
    grown: dict[str, int] = {}
    yield grown
    report("big bodies", bytes=BIG, **{f"{name}_grew_KiB": kib for name, kib in grown.items()})


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as started:
        yield started


@dataclass
class Exchange:
    """One request with a body and its answer with one, which both go on at the same time."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    sends: Body
    upstream: BulkUpstream
    sent: Trace = field(default_factory=Trace)
    read: Trace = field(default_factory=Trace)

    async def send(self) -> None:
        await self.sends.send(self.writer, self.sent)

    async def receive(self) -> None:
        head = await read_head(self.reader)
        assert head.start == "HTTP/1.1 200 OK"
        await read_body(self.reader, head, self.read)

    async def end(self) -> None:
        """Compare every byte at both ends."""
        self.writer.close()
        await self.writer.wait_closed()
        assert (self.sent.total, self.upstream.sent.total) == (self.sends.size, self.upstream.gives.size)
        assert (self.upstream.received.total, self.upstream.received.digest()) == (self.sends.size, self.sent.digest())
        assert (self.read.total, self.read.digest()) == (self.upstream.gives.size, self.upstream.sent.digest())


@dataclass
class Stage:
    place: MadePlace
    upstream: BulkUpstream

    @property
    def pid(self) -> int:
        return self.place.server.process.pid

    async def begin(self, sends: Body, gives: Body, *, key: str = "") -> Exchange:
        """Send the head of a request. Its body, and what is read of the answer, are the caller's."""
        self.upstream.gives = gives
        self.upstream.received, self.upstream.sent = Trace(), Trace()
        connection = narrow_socket()
        connection.setblocking(False)
        host, _, port = self.place.server.proxy.rpartition(":")
        await asyncio.get_running_loop().sock_connect(connection, (host, int(port)))
        reader, writer = await asyncio.open_connection(sock=connection)
        lines = f"POST /{self.place.project}/staging{PATH} HTTP/1.1\r\nhost: app\r\n"
        lines += f"x-flowmock-session: {key}\r\n" if key else ""
        writer.write(lines.encode() + sends.header() + b"\r\n")
        return Exchange(reader, writer, sends, self.upstream)

    async def exchange(self, sends: Body, gives: Body, *, key: str = "") -> None:
        """The whole of it, as fast as it goes."""
        exchange = await self.begin(sends, gives, key=key)
        await asyncio.gather(exchange.send(), exchange.receive())
        await exchange.end()


@pytest.fixture
async def stage(server: Server) -> AsyncIterator[Stage]:
    async with running_bulk_upstream() as upstream:
        stage = Stage(server.make_place("staging", upstream=upstream.url), upstream)
        # What is loaded and allocated once is not growth.
        for framing in BOTH:
            await stage.exchange(Body(WARM, 1, framing), Body(WARM, 2, framing))
        yield stage


@pytest.mark.parametrize("framing", BOTH)
@pytest.mark.parametrize(("name", "up", "down"), [("upload", BIG, SMALL), ("download", SMALL, BIG), ("both", BIG, BIG)])
async def test_a_big_body_passes_through_without_being_kept(
    stage: Stage, numbers: dict[str, int], name: str, up: int, down: int, framing: Framing
) -> None:
    with growth(stage.pid) as grown:
        await stage.exchange(Body(up, 3, framing), Body(down, 4, framing))
    numbers[f"{name}_{framing}"] = grown.kib
    assert grown.bytes_max < GROWTH_BYTES_MAX


async def test_an_answer_is_relayed_while_its_request_still_comes(stage: Stage) -> None:
    exchange = await stage.begin(Body(BIG, 3, Framing.CHUNKED), Body(BIG, 4, Framing.CHUNKED))
    receiving = asyncio.create_task(exchange.receive())
    # Nothing of the body was sent until then.
    await asyncio.wait_for(exchange.read.begins(), BEGIN_SECONDS_MAX)
    await asyncio.gather(exchange.send(), receiving)
    await exchange.end()


async def test_a_client_that_does_not_read_holds_the_service_back(stage: Stage, numbers: dict[str, int]) -> None:
    with growth(stage.pid) as grown:
        exchange = await stage.begin(Body(SMALL, 3, Framing.LENGTH), Body(BIG, 4, Framing.LENGTH))
        await exchange.send()
        await stage.upstream.sent.stands_still(STILL_SECONDS)
        assert stage.upstream.sent.total < BIG
        await exchange.receive()
        await exchange.end()
    numbers["slow_client"] = grown.kib
    assert grown.bytes_max < GROWTH_BYTES_MAX


async def test_a_service_that_does_not_read_holds_the_client_back(stage: Stage, numbers: dict[str, int]) -> None:
    stage.upstream.reads.clear()
    with growth(stage.pid) as grown:
        exchange = await stage.begin(Body(BIG, 3, Framing.LENGTH), Body(SMALL, 4, Framing.LENGTH))
        sending = asyncio.create_task(exchange.send())
        await exchange.sent.stands_still(STILL_SECONDS)
        assert exchange.sent.total < BIG
        stage.upstream.reads.set()
        await asyncio.gather(sending, exchange.receive())
        await exchange.end()
    numbers["slow_service"] = grown.kib
    assert grown.bytes_max < GROWTH_BYTES_MAX


async def test_a_mock_that_asks_for_the_body_does_not_make_the_proxy_keep_it(
    stage: Stage, numbers: dict[str, int]
) -> None:
    _want_bodies(stage.place)
    # More than is ever parsed, so that its room is there.
    await stage.exchange(Body(2 * MIB, 1, Framing.LENGTH), Body(SMALL, 2, Framing.LENGTH), key=KEY)
    with growth(stage.pid) as grown:
        await stage.exchange(Body(BIG, 3, Framing.CHUNKED), Body(SMALL, 4, Framing.LENGTH), key=KEY)
    numbers["asked_for_by_a_mock"] = grown.kib
    assert grown.bytes_max < GROWTH_BYTES_MAX


def test_a_process_that_keeps_a_body_would_be_found() -> None:
    keeping = (
        "import sys; print('ready', flush=True); sys.stdin.read(1); kept = b'.' * int(sys.argv[1]); print(len(kept))"
    )
    command = [sys.executable, "-c", keeping, str(BIG)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdout.readline()
        with growth(process.pid) as grown:
            process.stdin.write(b"!")
            process.stdin.flush()
            process.stdout.read(1)
    assert grown.bytes_max > GROWTH_BYTES_MAX


def _want_bodies(place: MadePlace) -> None:
    """Switch on a mock whose matcher has to see the body, and which none of these bodies fits."""
    matcher = RequestMatcher(method="POST", path=PATH)
    matcher.body.json_subset = '{"amount": 1180}'
    place.make_mock("ovr_bulk", matcher=matcher, action=Action(respond=Respond(status=402)))
    api = http.client.HTTPConnection(place.server.rest, timeout=30)
    auth = {"authorization": f"Bearer {place.server.make_key(project=place.project).text}"}
    api.request("PUT", f"/api/v1/sessions/{KEY}", json.dumps({"overrides": ["ovr_bulk"]}), auth)
    assert api.getresponse().status == 200
    api.close()
