"""Testers who set sessions, use them and end them, without pause: each knows what every answer must be.

A life is one session: it is set over one of the doors, asks for a little of everything, is asked about, and ends in one
of the ways there are. What a tester does nobody else sees, so all counts are exact.
"""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import grpc.aio
from google.protobuf.json_format import ParseDict
from support.http_wire import BROKEN, HttpWire, Said
from support.soaking_refusals import REFUSED
from understudy.v1 import session_service_pb2 as sessions
from understudy.v1 import verification_service_pb2 as pb
from understudy.v1.session_service_pb2_grpc import SessionServiceStub
from understudy.v1.verification_service_pb2_grpc import VerificationServiceStub

DELAY_MS = 20
EVENTS = 3
LIBRARY = ("ovr_own", "ovr_delayed", "ovr_reset", "ovr_cut", "ovr_gone", "ovr_events")
SCENARIO = "scn_declined"
CALLS_MAX = 30
_LEAVES = "leaves=1"
# What is asked about: the calls of whoever stays until there is an answer.
_STAYING = {"leaves": {"present": False}}
_BODIES = (0, 10, 1_000, 70_000)
# A clock that looks at a delay may be a little behind the one that made it.
_CLOCKS_MS = 2


@dataclass
class Tally:
    """What was done, by what it was, and all that was not as it must be."""

    done: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Target:
    """Where testers go, and with which key."""

    proxy: str
    rest: str
    channel: grpc.aio.Channel
    key: str
    base: str
    """Stands before every path of the proxy."""

    @property
    def auth(self) -> str:
        return f"Bearer {self.key}"


class Soaker:
    """One tester, with a connection to the proxy and one to the API."""

    def __init__(self, name: str, target: Target, tally: Tally, dice: random.Random) -> None:
        self._name = name
        self._target = target
        self._tally = tally
        self._dice = dice
        self._app = HttpWire(target.proxy)
        self._api = HttpWire(target.rest, renews=True)
        self._lives = 0

    async def live(self) -> None:
        """One session from its beginning to its end, and a few things that must be refused."""
        self._lives += 1
        life = _Life(f"{self._name}-{self._lives}", self._target, self._tally, self._dice, self._app, self._api)
        await life.run()
        refused = self._dice.choice(REFUSED)
        wire = self._api if refused.is_of_api else self._app
        self._tally.wrong += await refused.ask(wire, self._target.base, f"authorization: {self._target.auth}")
        self._tally.done["refused"] += 1
        self._tally.done["sessions"] += 1

    def leave(self) -> None:
        """Close the connections."""
        self._app.drop()
        self._api.drop()


class _Life:
    def __init__(
        self, key: str, target: Target, tally: Tally, dice: random.Random, app: HttpWire, api: HttpWire
    ) -> None:
        self._key = key
        self._target = target
        self._tally = tally
        self._dice = dice
        self._app = app
        self._api = api
        self._declines = dice.random() < 0.5
        self._has_own_mock = dice.random() < 0.5
        self._calls: Counter[str] = Counter()
        self._left = 0
        self._sessions: Any = SessionServiceStub(target.channel)
        self._verifications: Any = VerificationServiceStub(target.channel)

    async def run(self) -> None:
        await self._begin()
        tail = asyncio.create_task(self._tail()) if self._dice.random() < 0.5 else None
        ways: Sequence[Callable[[], Awaitable[None]]] = (
            self._mocked,
            self._passed_through,
            self._declined,
            self._delayed,
            self._own_mock,
            self._events,
            self._broken,
            self._gone,
        )
        for _ in range(self._dice.randrange(5, CALLS_MAX)):
            await self._dice.choice(ways)()
        await self._leave_early()
        await self._await_one_more()
        await self._ask()
        if tail is not None:
            if self._dice.random() < 0.5:
                await tail
            tail.cancel()
            await asyncio.gather(tail, return_exceptions=True)
        await self._end()

    # Beginning and end.

    async def _begin(self) -> None:
        scenario = SCENARIO if self._declines else None
        if self._dice.random() < 0.5:
            said = await self._rest("PUT", "", {"overrides": LIBRARY, "label": "soak", "scenario": scenario})
            self._expect(said.status == 200, f"PUT said {said.status} {said.body[:200]!r}")
        else:
            request = sessions.PutSessionRequest(session_key=self._key, overrides=LIBRARY, scenario=scenario)
            request.update_mask.paths.extend(["overrides", "scenario"])
            await self._sessions.PutSession(request, metadata=self._metadata)
        if self._has_own_mock:
            mock = {
                "matcher": {"method": "GET", "path": "/soak/mine"},
                "action": {"respond": {"json": {"mine": self._key}}},
            }
            said = await self._rest("PUT", "/mocks/ovr_mine", mock)
            self._expect(said.status == 200, f"the mock's PUT said {said.status} {said.body[:200]!r}")

    async def _end(self) -> None:
        way = self._dice.choice(("expire", "reset", "delete", "purge", "purge over gRPC"))
        if way == "purge over gRPC":
            request = sessions.DeleteSessionRequest(
                session_key=self._key, mode=sessions.DELETE_MODE_DELETE, purge_journal=True
            )
            await self._sessions.DeleteSession(request, metadata=self._metadata)
        elif way != "expire":
            mode = "reset" if way == "reset" else "delete"
            said = await self._rest("DELETE", f"?mode={mode}{'&purgeJournal=true' if way == 'purge' else ''}")
            self._expect(said.status == 200, f"DELETE said {said.status} {said.body[:200]!r}")
        if way != "expire":
            # From the next request on it is as if nothing had ever been set.
            said = await self._request("GET", "/soak/own", counted=way == "reset")
            self._expect(said.body == b'{"real": "/soak/own"}', f"after a {way} it was {said.body[:200]!r}")
            await self._ask_about_the_past(is_kept="purge" not in way)
        if way in ("expire", "reset"):
            said = await self._rest("PUT", "", {"ttlSeconds": 1})
            self._expect(said.status == 200, f"the last PUT said {said.status} {said.body[:200]!r}")
        self._tally.done[f"ended by {way}"] += 1

    async def _ask_about_the_past(self, *, is_kept: bool) -> None:
        said = await self._rest("POST", "/calls:count", {"matcher": {"path": "/soak/own", "query": _STAYING}})
        if is_kept:
            self._expect(said.json().get("count") == self._calls["/soak/own"], f"past calls: {said.body[:500]!r}")
        elif not self._left:
            # A request of who has left may end behind the purge, and be on record then.
            self._expect(said.status == 404, f"what was purged has {said.body[:500]!r}")

    # Requests.

    async def _mocked(self) -> None:
        said = await self._request("GET", "/soak/own")
        self._expect(
            (said.status, said.body) == (200, f'{{"you": "{self._key}"}}'.encode()),
            f"its own answer was {said.status} {said.body[:200]!r}",
        )

    async def _passed_through(self) -> None:
        body = self._dice.randbytes(self._dice.choice(_BODIES))
        said = await self._request("POST", "/real/echo", body=body, chunked=bool(body) and self._dice.random() < 0.5)
        self._expect((said.status, said.body) == (200, body), f"{len(body)} bytes came back as {len(said.body)}")

    async def _declined(self) -> None:
        said = await self._request("POST", "/soak/pay", body=b'{"amount": 1180}')
        wanted = (402, b'{"error": "declined"}') if self._declines else (200, b'{"real": "/soak/pay"}')
        self._expect((said.status, said.body) == wanted, f"paying was answered {said.status} {said.body[:200]!r}")

    async def _own_mock(self) -> None:
        said = await self._request("GET", "/soak/mine")
        wanted: Any = {"mine": self._key} if self._has_own_mock else {"real": "/soak/mine"}
        self._expect(said.json() == wanted, f"its own mock said {said.body[:200]!r}")

    async def _delayed(self) -> None:
        began = time.monotonic()
        said = await self._request("GET", "/soak/delayed")
        took_ms = (time.monotonic() - began) * 1_000
        self._expect(said.json() == {"delayed": True}, f"what is delayed was {said.body[:200]!r}")
        self._expect(took_ms >= DELAY_MS - _CLOCKS_MS, f"what is delayed took {took_ms:.1f} ms")

    async def _events(self) -> None:
        said = await self._request("GET", "/soak/events")
        wanted = [f"data: {self._key}".encode()] * EVENTS
        self._expect(said.body.split(b"\n\n")[:-1] == wanted, f"its events were {said.body[:200]!r}")

    async def _broken(self) -> None:
        """By a mock, or by the service."""
        path = self._dice.choice(("/soak/reset", "/soak/cut", "/real/half"))
        try:
            said = await self._request("GET", path)
        except BROKEN:
            return
        self._expect(False, f"{path} was answered {said.status} {said.body[:200]!r}")

    async def _gone(self) -> None:
        """The service is not there, or resets."""
        path = self._dice.choice(("/soak/gone", "/real/reset"))
        said = await self._request("GET", path)
        self._expect(said.status == 502, f"{path} was answered {said.status} {said.body[:200]!r}")

    async def _leave_early(self) -> None:
        """Go before there is an answer. What is on record of that is told when it ends, so it has no count."""
        self._left = self._dice.randrange(3)
        for path in self._dice.sample(("/soak/delayed", "/real/never"), self._left):
            wire = HttpWire(self._target.proxy)
            await wire.send("GET", f"{self._path(path)}&{_LEAVES}", self._header)
            if self._dice.random() < 0.5:
                await asyncio.sleep(0)
            wire.drop(resets=self._dice.random() < 0.5)
            self._tally.done["clients that left"] += 1

    async def _request(self, method: str, path: str, *, counted: bool = True, **how: Any) -> Said:
        if counted:
            self._calls[path] += 1
        self._tally.done["requests"] += 1
        return await self._app.ask(method, self._path(path), self._header, **how)

    # Questions.

    async def _await_one_more(self) -> None:
        """Wait for a call before it is made."""
        expected = pb.Expectation(exactly=self._calls["/soak/own"] + 1)
        expected.matcher.path = "/soak/own"
        request = pb.AwaitCallsRequest(session_key=self._key, expectation=expected, timeout_ms=60_000)
        waiting = asyncio.ensure_future(self._verifications.AwaitCalls(request, metadata=self._metadata))
        await self._mocked()
        found = await waiting
        self._expect(found.verdict == pb.VERDICT_PASSED and not found.timed_out, f"waiting: {found.outcome.message}")
        self._tally.done["questions"] += 1

    async def _ask(self) -> None:
        paths = [*self._calls, "/soak/never-called"]
        expectations = [{"matcher": {"path": path, "query": _STAYING}, "exactly": self._calls[path]} for path in paths]
        if self._dice.random() < 0.5:
            said = await self._rest("POST", "/calls:verify", {"expectations": expectations})
            self._expect(said.status == 200 and said.json()["verdict"] == "passed", f"verify: {said.body[:2_000]!r}")
        else:
            request = pb.VerifyCallsRequest(session_key=self._key)
            for each in expectations:
                ParseDict(each, request.expectations.add())
            found = await self._verifications.VerifyCalls(request, metadata=self._metadata)
            self._expect(found.verdict == pb.VERDICT_PASSED, f"verify: {found}")
        path = self._dice.choice(paths)
        said = await self._rest("POST", "/calls:count", {"matcher": {"path": path, "query": _STAYING}})
        self._expect(said.json().get("count") == self._calls[path], f"count of {path}: {said.body[:500]!r}")
        await self._list()
        self._tally.done["questions"] += 3

    async def _list(self) -> None:
        """All rows, page by page: as many as calls, and nobody else's."""
        counted: Counter[str] = Counter()
        cursor = ""
        while True:
            page = (await self._rest("GET", f"/logs?limit=20{cursor}")).json()
            for row in page["logs"]:
                self._check_row(row)
                if _LEAVES not in row["query"]:
                    counted[row["path"]] += 1
            if page["nextCursor"] is None:
                break
            cursor = f"&before={page['nextCursor']}"
        self._expect(counted == self._calls, f"rows {counted}, calls {self._calls}")

    async def _tail(self) -> None:
        """Follow the rows until as many came as calls were made by then."""
        wire = HttpWire(self._target.rest)
        try:
            await wire.send("GET", self._api_path("/logs/tail?fromStart=true"), f"authorization: {self._target.auth}")
            status, _ = await wire.head()
            self._expect(status == 200, f"the tail said {status}")
            seen, text = 0, b""
            async for piece in wire.chunks():
                text += piece
                *events, text = text.split(b"\n\n")
                rows = [
                    json.loads(line[5:]) for each in events for line in each.split(b"\n") if line.startswith(b"data:")
                ]
                for row in rows:
                    self._check_row(row["log"])
                seen += len(rows)
                if seen >= self._calls.total():
                    break
            self._tally.done["rows followed"] += seen
        finally:
            wire.drop()
            self._tally.done["tails"] += 1

    async def _rest(self, method: str, rest: str, body: Any = None) -> Said:
        content = b"" if body is None else json.dumps(body).encode()
        return await self._api.ask(
            method,
            self._api_path(rest),
            f"authorization: {self._target.auth}",
            "content-type: application/json",
            body=content,
        )

    def _api_path(self, rest: str) -> str:
        return f"/api/v1/sessions/{quote(self._key)}{rest}"

    def _path(self, path: str) -> str:
        """Each request says whose it is."""
        return f"{self._target.base}{path}?of={quote(self._key)}"

    def _check_row(self, row: Any) -> None:
        self._expect(row["query"].startswith(f"of={self._key}"), f"a row of another: {row}")

    @property
    def _header(self) -> str:
        return f"x-flowmock-session: {self._key}"

    @property
    def _metadata(self) -> tuple[tuple[str, str], ...]:
        return (("authorization", self._target.auth),)

    def _expect(self, holds: bool, said: str) -> None:
        if not holds:
            self._tally.wrong.append(f"{self._key}: {said}")
