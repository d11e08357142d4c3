"""32 writers and readers on 16 sessions: whoever asks right after its last answer is told exactly what it did.

Two share each session, and all of them use the same paths, so that an exchange that is not on record yet, or is on
somebody else's, makes a count wrong. Half of them wait for their calls, too, since before the first of them.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import grpc.aio
import pytest
from support.proofs import new_seed, report, scaled
from support.server import MadePlace, Server, running_server
from understudy.v1 import verification_service_pb2 as pb
from understudy.v1.matching_pb2 import RequestMatcher
from understudy.v1.session_service_pb2 import PutSessionRequest
from understudy.v1.session_service_pb2_grpc import SessionServiceStub
from understudy.v1.verification_service_pb2_grpc import VerificationServiceStub

SESSIONS = 16
WRITERS = 32
VERIFICATIONS = scaled(10_000)
# Every writer also asks about all it ever did, now and then: that reads its whole record.
WHOLE_EVERY = 25
CALLS_MAX = 5
TIMEOUT_MS = 60_000
ENTRIES_MAX = 1_000_000


@dataclass
class Tally:
    """What was asked, and what was wrong."""

    verifications: int = 0
    waits: int = 0
    calls: int = 0
    wrong: list[str] = field(default_factory=list)


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("journal", ["disk", "memory"])
async def test_what_is_asked_right_after_the_last_answer_is_exact(
    journal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed, tally = new_seed(), Tally()
    # In memory less is kept than the whole run records; what becomes of what is lost is shown elsewhere.
    for limit in ("MEMORY_EXCHANGES", "SESSION_ENTRIES", "ENVIRONMENT_ENTRIES"):
        monkeypatch.setenv(f"UNDERSTUDY_JOURNAL_{limit}_MAX", str(ENTRIES_MAX))
    with running_server("--api-rate", "1000000/60", "--journal", journal) as server:
        place = server.make_place("staging")
        place.make_answer("ovr_any", "GET", "/w/:writer/:round", '{"ok": true}')
        place.switch_on_for_all("ovr_any")
        key = server.make_key(project=place.project).text
        async with grpc.aio.insecure_channel(server.grpc) as channel:
            stub = VerificationServiceStub(channel)
            await make_sessions(server, key)
            rounds = -(-VERIFICATIONS // WRITERS)
            writers = [Writer(number, place, stub, key, seed) for number in range(WRITERS)]
            await asyncio.gather(*[each.work(rounds, tally) for each in writers])
    report(
        f"verification right after the last answer, journal {journal}",
        sessions=SESSIONS,
        writers=WRITERS,
        calls=tally.calls,
        verifications=tally.verifications,
        waits=tally.waits,
        wrong=len(tally.wrong),
        seed=seed,
    )
    assert tally.wrong == []
    assert tally.verifications >= VERIFICATIONS


async def make_sessions(server: Server, key: str) -> None:
    async with grpc.aio.insecure_channel(server.grpc) as channel:
        stub = SessionServiceStub(channel)
        for number in range(SESSIONS):
            request = PutSessionRequest(session_key=f"ci-{number}")
            await stub.PutSession(request, metadata=_metadata(key))


class Writer:
    """Makes calls in rounds, another number of them in each, and asks after each round."""

    def __init__(self, number: int, place: MadePlace, stub: VerificationServiceStub, key: str, seed: int) -> None:
        self._number = number
        self._session = f"ci-{number % SESSIONS}"
        self._place = place
        self._stub = stub
        self._key = key
        self._seed = seed
        self._after = 0
        self._done = 0

    async def work(self, rounds: int, tally: Tally) -> None:
        host, _, port = self._place.server.proxy.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        try:
            for each in range(rounds):
                await self._round(each, reader, writer, tally)
        finally:
            writer.close()
            await writer.wait_closed()

    async def _round(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tally: Tally
    ) -> None:
        # What a session has done differs from that of all others, and so do the rounds.
        calls = 1 + (self._seed + self._number + 3 * number) % CALLS_MAX
        path = f"/w/{self._number // SESSIONS}/{number}"
        expected = pb.Expectation(matcher=RequestMatcher(path=path), exactly=calls)
        waiting = asyncio.create_task(self._wait(expected)) if self._number % 2 else None
        for _ in range(calls):
            await self._call(path, reader, writer)
        tally.calls += calls
        self._done += calls
        await self._verify([expected], self._after, calls, tally)
        if number % WHOLE_EVERY == WHOLE_EVERY - 1:
            whole = pb.Expectation(
                matcher=RequestMatcher(path=f"/w/{self._number // SESSIONS}/:round"), exactly=self._done
            )
            await self._verify([whole], 0, self._done, tally)
        if waiting is not None:
            found = await waiting
            tally.waits += 1
            if found.verdict != pb.VERDICT_PASSED or found.timed_out:
                tally.wrong.append(f"{self._session} waited for {path}: {found.outcome.message}")

    async def _verify(self, expectations: Sequence[pb.Expectation], after: int, calls: int, tally: Tally) -> None:
        request = pb.VerifyCallsRequest(session_key=self._session, expectations=expectations, after=after)
        found = await self._stub.VerifyCalls(request, metadata=_metadata(self._key))
        tally.verifications += 1
        (outcome,) = found.outcomes
        exact = found.verdict == pb.VERDICT_PASSED and outcome.count == calls and found.completeness.complete
        if not exact:
            tally.wrong.append(f"{self._session}: {found.message}: {outcome.message}")
        self._after = max(self._after, found.completeness.up_to)

    async def _wait(self, expected: pb.Expectation) -> pb.AwaitCallsResponse:
        request = pb.AwaitCallsRequest(
            session_key=self._session, expectation=expected, after=self._after, timeout_ms=TIMEOUT_MS
        )
        found: pb.AwaitCallsResponse = await self._stub.AwaitCalls(request, metadata=_metadata(self._key))
        return found

    async def _call(self, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Make a call and read its answer to the last byte."""
        target = f"/{self._place.project}/staging{path}"
        writer.write(f"GET {target} HTTP/1.1\r\nHost: proxy\r\nX-FlowMock-Session: {self._session}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        lines = head.lower().split(b"\r\n")
        (length,) = [int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:")]
        await reader.readexactly(length)


def _metadata(key: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {key}"),)
