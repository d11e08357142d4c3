"""Rows of the journal: how soon a call that waits wakes, and how long a page of a large journal takes."""

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import grpc
from understudy.v1.verification_service_pb2 import VERDICT_PASSED, AwaitCallsRequest, AwaitCallsResponse
from understudy_server.core.exchange import Captured, Exchange
from understudy_server.core.ids import IdMaker
from understudy_server.core.record import Quota
from understudy_server.journal.rules import DiskLimits, FixedRules
from understudy_server.journal.sqlite import SqliteJournal

from benchmarks.method import Length, Rejected, Spread
from benchmarks.mocked import serving_mocks
from benchmarks.row import Row, at_most
from benchmarks.scenery import ENVIRONMENT, HEADERS, KEY, MOCKED_BODY, PROJECT, PROXIED_MOCKED_PATH

ROWS, SESSIONS, PAGE = 5_000_000, 2_000, 100
_WAKE_MS_MAX, _PAGE_MS_MAX = 2.0, 5.0
_WAKES, _PAGES = 200, 200
_MANY = 100_000_000
_TERABYTE = 1 << 40
_ALL = FixedRules(Quota(_MANY, _TERABYTE, _MANY, _TERABYTE, 365 * 86_400 * 1_000))
_HANDED_OVER = 4_000


def await_calls(length: Length) -> list[Row]:
    """From the moment that a client has its whole answer until `AwaitCalls`, which waited for it, has its own."""
    with serving_mocks("disk") as server:
        rounds = [asyncio.run(_wakes(server.proxy, server.grpc, server.make_key())) for _ in range(length.rounds)]
    spread = Spread.of([statistics.median(each) for each in rounds])
    worst = Spread.of([sorted(each)[len(each) * 99 // 100] for each in rounds])
    detail = f"{_WAKES} a round, one at a time, journal on disk; p99 {worst.median:.2f} ms"
    return [Row("AwaitCalls answers behind the exchange it waits for", spread, at_most(_WAKE_MS_MAX), detail, " ms")]


async def _wakes(proxy: str, door: str, key: str) -> list[float]:
    host, _, port = proxy.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    lines = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    request = f"GET {PROXIED_MOCKED_PATH} HTTP/1.1\r\nhost: {proxy}\r\n{lines}\r\n".encode()
    metadata = (("authorization", f"Bearer {key}"),)
    took = []
    async with grpc.aio.insecure_channel(door) as channel:
        wait = channel.unary_unary(
            "/understudy.v1.VerificationService/AwaitCalls",
            request_serializer=AwaitCallsRequest.SerializeToString,
            response_deserializer=AwaitCallsResponse.FromString,
        )
        wanted = AwaitCallsRequest(session_key=KEY, project=PROJECT, environment=ENVIRONMENT, timeout_ms=0)
        for _ in range(_WAKES):
            wanted.timeout_ms = 0
            wanted.after = (await wait(wanted, metadata=metadata)).completeness.up_to
            wanted.timeout_ms = 10_000
            waiting = asyncio.ensure_future(wait(wanted, metadata=metadata))
            # So that it waits before anything happens.
            await asyncio.sleep(0.005)
            writer.write(request)
            await reader.readuntil(MOCKED_BODY)
            began = time.perf_counter()
            answer = await waiting
            took.append((time.perf_counter() - began) * 1_000)
            if answer.verdict != VERDICT_PASSED:
                raise Rejected("a call that was made was not seen")
    writer.close()
    return took


def listing(length: Length) -> list[Row]:
    """A page of one session, in a journal of millions of rows of thousands of sessions."""
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as folder:
        rounds = asyncio.run(_pages(Path(folder), length.rounds))
    name = f"{PAGE} rows of a session among {ROWS} of {SESSIONS} sessions"
    return [
        Row(f"{name}: {kind}", Spread.of(took), at_most(_PAGE_MS_MAX), f"median of {_PAGES} sessions a round", " ms")
        for kind, took in rounds.items()
    ]


async def _pages(folder: Path, rounds: int) -> dict[str, list[float]]:
    journal = await SqliteJournal.open(folder, rules=_ALL, limits=DiskLimits(_MANY, _TERABYTE))
    try:
        first = await _fill(journal)
        kinds = {"newest": {"before": "", "since": ""}, "behind a row": {"before": "", "since": first}}
        found: dict[str, list[float]] = {kind: [] for kind in kinds}
        for round_ in range(rounds):
            for kind, bounds in kinds.items():
                took = []
                for number in range(_PAGES):
                    key = f"ci-{(number * 7 + round_) % SESSIONS}"
                    began = time.perf_counter()
                    page = await journal.page(ENVIRONMENT, key, limit=PAGE, **bounds)
                    took.append((time.perf_counter() - began) * 1_000)
                    if len(page) != PAGE:
                        raise Rejected(f"a page has {len(page)} rows")
                found[kind].append(statistics.median(took))
    finally:
        await journal.close()
    return found


async def _fill(journal: SqliteJournal) -> str:
    """Put the rows on record, of all sessions in turn. Returns the id of an early one."""
    new_id = IdMaker(lambda: time.time_ns() // 1_000_000)
    early = ""
    for number in range(ROWS):
        made = _exchange(new_id("log_"), number % SESSIONS)
        early = early or made.id
        journal.record(made)
        if number % _HANDED_OVER == 0:
            await journal.last_id()
    await journal.last_id()
    if journal.dropped:
        raise Rejected(f"{journal.dropped} exchanges were dropped")
    return early


def _exchange(log_id: str, session: int) -> Exchange:
    return Exchange(
        id=log_id,
        project_id=PROJECT,
        environment_id=ENVIRONMENT,
        session_key=f"ci-{session}",
        session_id=f"ses_{session}",
        method="GET",
        path="/api/orders/1001",
        query="",
        status=200,
        started_at_ms=time.time_ns() // 1_000_000,
        duration_ms=1,
        mock_id="ovr_order",
        request_headers=((b"host", b"127.0.0.1:8080"), (b"x-flowmock-session", b"ci-1")),
        response_headers=((b"content-type", b"application/json"),),
        request_body=None,
        response_body=Captured(MOCKED_BODY, len(MOCKED_BODY), "application/json"),
    )
