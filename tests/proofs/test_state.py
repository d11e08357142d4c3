"""200 requests at the same moment through counters and through a machine: nothing is lost, no state is seen twice.

Each round is a session of its own, whose requests come over 200 connections at once. A server that is killed has, when
it is started again, what was so at one moment not long before: a machine and the uses of its mocks agree.
"""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.proofs import new_seed, report, scaled
from support.server import MadePlace, running_server
from understudy.v1.actions_pb2 import Action, Respond
from understudy.v1.matching_pb2 import RequestMatcher
from understudy.v1.state_pb2 import STATE_SCOPE_ENVIRONMENT, Extraction, Lifetime, MachineStep
from understudy_server.core.state import Scope
from understudy_server.state.kept import KeptState
from understudy_server.store.sqlite import SqlitePresence

CLIENTS = 200
ROUNDS = scaled(100)
KILLS = scaled(50)
USES_MAX = 150
SECONDS_MAX = 30
# State is written twice a second: some of it is, and some is not, when the server dies.
KILLED_AFTER_SECONDS = (1.0, 2.0)


@dataclass
class Crowd:
    """Clients with a connection each, who ask for the same at the same moment."""

    connections: Sequence[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
    prefix: str

    async def ask(self, path: str, session: str) -> list[str]:
        """What each of them is answered: the body, or the status where that is not 200."""
        head = f"GET {self.prefix}{path} HTTP/1.1\r\nhost: app\r\nx-flowmock-session: {session}\r\n\r\n".encode()
        for _, writer in self.connections:
            writer.write(head)
        async with asyncio.timeout(SECONDS_MAX):
            return [await _answer(reader) for reader, _ in self.connections]


@asynccontextmanager
async def crowd_at(place: MadePlace) -> AsyncIterator[Crowd]:
    host, _, port = place.server.proxy.rpartition(":")
    connections = [await asyncio.open_connection(host, int(port)) for _ in range(CLIENTS)]
    try:
        yield Crowd(connections, f"/{place.project}/staging")
    finally:
        for _, writer in connections:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for _, writer in connections), return_exceptions=True)


async def _answer(reader: asyncio.StreamReader) -> str:
    status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    length = next(line for line in lines if line.lower().startswith("content-length:"))
    body = (await reader.readexactly(int(length.partition(":")[2]))).decode()
    return body if status.startswith("HTTP/1.1 200") else status.split(" ")[1]


def _furnish(place: MadePlace) -> None:
    """Mocks for ``/counted``, ``/limited`` and ``/step``, on for everybody."""

    def make(mock_id: str, path: str, action: Action, **fields: Any) -> None:
        matcher = RequestMatcher(method="GET", path=path)
        place.make_mock(mock_id, matcher=matcher, action=action, **fields)
        place.switch_on_for_all(mock_id)

    for name, scope in (("own", 0), ("all", STATE_SCOPE_ENVIRONMENT)):
        counted = Action(
            respond=Respond(template=f"{{{{ state.{'session' if name == 'own' else 'environment'}.n }}}}"),
            extract=[Extraction(key="n", increment=1, scope=scope)],  # type: ignore[arg-type]
        )
        make(f"ovr_counted-{name}", f"/counted/{name}", counted)
    make("ovr_limited", "/limited", _saying("limited"), lifetime=Lifetime(uses_max=USES_MAX))
    for number in range(CLIENTS):
        required = f"s{number}" if number else "started"
        step = MachineStep(machine="order", required=required, next=f"s{number + 1}")
        make(f"ovr_step-{number}", "/step", _saying(str(number)), machine=step)


def _saying(text: str) -> Action:
    return Action(respond=Respond(text=text))


@pytest.mark.timeout(900)
async def test_requests_at_the_same_moment_lose_nothing_and_see_nothing_twice() -> None:
    asked = 0
    numbers = [str(number) for number in range(CLIENTS + 1)]
    with running_server("--api-rate", "1000000/60") as server:
        place = server.make_place("staging")
        _furnish(place)
        auth = {"authorization": f"Bearer {server.make_key(project=place.project).text}"}
        rest = httpx.AsyncClient(base_url=f"http://{server.rest}/api/v1", headers=auth)
        async with crowd_at(place) as crowd, rest as api:
            for number in range(ROUNDS):
                session = f"ci-{number}"
                (await api.put(f"/sessions/{session}", json={})).raise_for_status()
                first = number * CLIENTS
                assert sorted(await crowd.ask("/counted/own", session), key=int) == numbers[1:]
                assert sorted(map(int, await crowd.ask("/counted/all", session))) == [
                    *range(first + 1, first + CLIENTS + 1)
                ]
                limited = Counter(await crowd.ask("/limited", session))
                assert limited["limited"] == USES_MAX
                assert sorted(await crowd.ask("/step", session), key=int) == numbers[:CLIENTS]
                state = (await api.get(f"{_state(place)}?sessionKey={session}")).json()
                assert state["machines"] == [{"machine": "order", "state": f"s{CLIENTS}"}]
                assert {each["uses"] for each in state["uses"] if "step" in each["mockId"]} == {1}
                asked += 4 * CLIENTS
    report("state", clients=CLIENTS, rounds=ROUNDS, requests=asked, lost=0, seen_twice=0)


@pytest.mark.timeout(3_600)
async def test_a_killed_server_has_what_was_so_at_one_moment() -> None:
    seed = new_seed()
    dice, taken, kept = random.Random(seed), 0, 0
    for _ in range(KILLS):
        with running_server("--api-rate", "1000000/60") as server:
            place = server.make_place("staging")
            _furnish(place)
            auth = {"authorization": f"Bearer {server.make_key(project=place.project).text}"}
            async with httpx.AsyncClient(base_url=f"http://{server.rest}/api/v1", headers=auth) as api:
                (await api.put("/sessions/ci-42", json={})).raise_for_status()
            steps = await _step_until_killed(place, dice)
            kept += await _check_whole(server.data, steps)
        taken += steps
    report("state after kill -9", kills=KILLS, steps=taken, kept=kept, torn=0, seed=seed)
    assert kept


async def _step_until_killed(place: MadePlace, dice: random.Random) -> int:
    """Take step after step of the machine until the server is killed; gives how many were taken."""
    taken = 0
    head = f"GET /{place.project}/staging/step HTTP/1.1\r\nhost: app\r\nx-flowmock-session: ci-42\r\n\r\n".encode()
    host, _, port = place.server.proxy.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    dies_at = asyncio.get_running_loop().time() + dice.uniform(*KILLED_AFTER_SECONDS)
    try:
        while taken < CLIENTS and asyncio.get_running_loop().time() < dies_at:
            writer.write(head)
            assert await _answer(reader) == str(taken)
            taken += 1
            # So that steps fall before, between and after what is written.
            await asyncio.sleep(dice.uniform(0, 2 * KILLED_AFTER_SECONDS[1] / CLIENTS))
        place.server.process.send_signal(signal.SIGKILL)
        place.server.process.wait()
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return taken


async def _check_whole(data: Path, steps: int) -> int:
    """A machine in state N goes with N mocks that were used once each. Gives N."""
    presence = await SqlitePresence.open(data)
    state = await KeptState.open(data, presence.writer)
    owners = [owner for owner in state.owners() if owner.scope is Scope.SESSION]
    reached = 0
    for owner in owners:
        ((machine, reached_state),) = state.machines(owner)
        reached = int(reached_state[1:])
        assert machine == "order"
        assert reached <= steps
        assert dict(state.uses(owner)) == {f"ovr_step-{number}": 1 for number in range(reached)}
    await state.close()
    await presence.close()
    return reached


def _state(place: MadePlace) -> str:
    return f"/projects/{place.project}/environments/staging/state"
