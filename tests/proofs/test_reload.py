"""The file is exchanged under traffic, again and again and in every way there is: no request ever sees half of it."""

import asyncio
import contextlib
import os
import random
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from support.proofs import new_seed, report, scaled
from support.reloading import Check, Target, Traffic
from support.server import Server, running_server
from understudy.v1.mock_service_pb2 import ActivateMockRequest
from understudy.v1.mock_service_pb2_grpc import MockServiceStub
from understudy.v1.session_service_pb2 import PutSessionRequest
from understudy.v1.session_service_pb2_grpc import SessionServiceStub

# In a short run, once in each way.
RELOADS = scaled(200)
REQUESTS = scaled(250_000)
RATE = 2_000
CONNECTIONS = 32
MOCKS = 200
# So many requests pass while a file lies there by half, or broken. At the pace that is time enough for a server that
# would take it for whole to read and apply it.
PAUSE_REQUESTS = 4_000
PROJECT, ENVIRONMENT = "shop", "staging"
SESSION = "pair"
LIBRARY = [f"ovr_{number}" for number in range(MOCKS)]
# They belong to a scenario, and are asked for in one write.
PAIR = ("ovr_left", "ovr_right")
HEAD = "projects:\n  shop:\n    environments:\n      staging:\n"


def _mock(mock: str, generation: int, indent: str) -> str:
    body = f"{mock} {generation}"
    return f"{indent}{mock}:\n{indent}  matcher: /{mock}\n{indent}  action: {{respond: {{text: {body}}}}}\n"


def manifest(generation: int) -> str:
    """A file whose every mock tells the generation. What stands before the middle is a whole manifest too."""
    pair = "".join(_mock(each, generation, " " * 14) for each in PAIR)
    scenario = f"        scenarios:\n          scn_pair:\n            localMocks:\n{pair}"
    return HEAD + scenario + "        mocks:\n" + "".join(_mock(each, generation, " " * 10) for each in LIBRARY)


def middle_of(text: str) -> int:
    """The end of a mock about half-way."""
    return text.index(f"          {LIBRARY[MOCKS // 2]}:\n")


class Rewriter:
    """Writes the file of a generation the way a person, an editor or a script might."""

    def __init__(self, path: Path, traffic: Traffic, seed: int) -> None:
        self._path = path
        self._traffic = traffic
        self._dice = random.Random(seed)
        self._ways = [self.at_once, self.by_rename, self.broken_first]
        if sys.platform == "linux":
            # Only there can it be known that a file is not whole yet.
            self._ways.append(self.slowly)
        self._next: list[Callable[[str], Awaitable[None]]] = []

    async def write(self, generation: int) -> None:
        """Write a generation: in each way once, then in each way again, in another order each time."""
        if not self._next:
            self._next = self._dice.sample(self._ways, len(self._ways))
        await self._next.pop()(manifest(generation))

    async def at_once(self, text: str) -> None:
        self._path.write_text(text)

    async def by_rename(self, text: str) -> None:
        partial = self._path.with_name("partial")
        partial.write_text(text)
        partial.rename(self._path)

    async def broken_first(self, text: str) -> None:
        self._path.write_text(text[: self._dice.randrange(len(HEAD), len(text))] + "\n: [")
        await self._traffic.more(PAUSE_REQUESTS)
        self._path.write_text(text)

    async def slowly(self, text: str) -> None:
        middle = middle_of(text)
        with contextlib.closing(os.fdopen(os.open(self._path, os.O_WRONLY | os.O_TRUNC), "w")) as file:
            file.write(text[:middle])
            file.flush()
            await self._traffic.more(PAUSE_REQUESTS)
            file.write(text[middle:])


@pytest.mark.timeout(3_600)
async def test_no_request_sees_half_a_file(tmp_path: Path) -> None:
    seed = new_seed()
    path = tmp_path / "understudy.yaml"
    path.write_text(manifest(1))
    check, loop = Check(), asyncio.get_running_loop()
    with running_server("--config", str(path), "--journal", "memory") as server:
        _switch_on(server)
        traffic = Traffic(_target(server), check, seed)
        await traffic.start(CONNECTIONS, RATE)
        began, reloads = loop.time(), 0
        rewriter = Rewriter(path, traffic, seed)
        while not check.wrong and (reloads < RELOADS or check.answered < REQUESTS):
            check.begun += 1
            await rewriter.write(check.begun)
            await traffic.told(check.begun)
            reloads += 1
        seconds = loop.time() - began
        await traffic.stop()
    report(
        "reload under traffic",
        reloads=reloads,
        requests=check.answered,
        requests_per_second=round(check.answered / seconds),
        mocks_in_the_file=MOCKS + len(PAIR),
        wrong=len(check.wrong),
        seed=seed,
    )
    assert check.wrong[:5] == []


def _switch_on(server: Server) -> None:
    """The library for everybody, the pair for one session."""
    mocks = MockServiceStub(server.owner)
    for each in LIBRARY:
        mocks.ActivateMock(ActivateMockRequest(mock_id=each, project=PROJECT, environment=ENVIRONMENT))
    request = PutSessionRequest(session_key=SESSION, scenario="scn_pair", project=PROJECT, environment=ENVIRONMENT)
    request.update_mask.paths.append("scenario")
    SessionServiceStub(server.owner).PutSession(request)


def _target(server: Server) -> Target:
    prefix = f"/{PROJECT}/{ENVIRONMENT}"
    requests = {each: f"GET {prefix}/{each} HTTP/1.1\r\nhost: app\r\n\r\n".encode() for each in LIBRARY}
    for each in PAIR:
        head = f"GET {prefix}/{each} HTTP/1.1\r\nhost: app\r\nx-flowmock-session: {SESSION}\r\n\r\n"
        requests[each] = head.encode()
    return Target(server.proxy, requests, [PAIR, (PAIR[1], PAIR[0]), (PAIR[0], LIBRARY[0]), (LIBRARY[-1], PAIR[1])])
