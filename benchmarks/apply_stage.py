"""A server under traffic at a pace of its own, and manifests that change thousands of mocks on it."""

import asyncio
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import uvloop
from understudy.v1.manifest_service_pb2 import ApplyManifestResponse
from understudy.v1.mock_service_pb2 import ActivateMockRequest

from benchmarks.manifests import manifest_request, mock_body, mock_id, mock_path
from benchmarks.method import Rejected
from benchmarks.mocked import serving_mocks
from benchmarks.open_load import Answer, OpenLoad
from benchmarks.scenery import ENVIRONMENT, HEADERS, MOCKED_BODY, MOCKED_PATH, PROJECT
from benchmarks.whole import Whole

MOCKS, RATE, CONNECTIONS = 5_000, 2_000, 256
# So many of the mocks that are on are asked for, in turn.
_ASKED = 50
_PAUSE_SECONDS = 0.2
_APPLY, _ACTIVATE = "ManifestService/ApplyManifest", "MockService/ActivateMock"


@dataclass(frozen=True)
class Traffic:
    """Latencies of a round in ms, of all requests or of those sent while a manifest was applied.

    ``seconds`` is what applying took, and ``applies`` how often it was done.
    """

    p50_ms: float
    p99_ms: float
    worst_ms: float
    applies: int = 0
    seconds: float = 0.0

    @classmethod
    def of(cls, answers: Sequence[Answer], applies: Sequence[float] = ()) -> "Traffic":
        took = sorted([answer.took_ms for answer in answers])
        last = len(took) - 1
        seconds = statistics.median(applies) if applies else 0.0
        return cls(took[last // 2], took[last * 99 // 100], took[last], len(applies), seconds)


@dataclass(frozen=True)
class _Apply:
    """When a manifest was sent and acknowledged, in seconds of ``perf_counter``, which, and the answer's bytes."""

    began: float
    ended: float
    revision: int
    answer: bytes

    def check(self) -> None:
        """Raises Rejected when it did not change every mock."""
        changes = sum(each.count for each in ApplyManifestResponse.FromString(self.answer).counts)
        if changes != MOCKS:
            raise Rejected(f"applying a manifest changed {changes} things and not {MOCKS}")


class Stage:
    """All mocks are made, so many of them on for everyone, and there are two manifests that differ in every mock."""

    def __init__(self, runner: asyncio.Runner, server: Whole, on: int) -> None:
        self._runner, self._is_on = runner, on > 0
        self._metadata = (("authorization", f"Bearer {server.make_key()}"),)
        self._manifests = [manifest_request(MOCKS, revision).SerializeToString() for revision in (0, 1)]
        self._revision = 0
        self._runner.run(self._furnish(server.proxy, server.grpc, on))

    async def _furnish(self, address: str, door: str, on: int) -> None:
        self._channel = grpc.aio.insecure_channel(door)
        (await self._apply()).check()
        for number in range(on):
            request = ActivateMockRequest(project=PROJECT, environment=ENVIRONMENT, mock_id=mock_id(number))
            await self._call(_ACTIVATE, request.SerializeToString())
        self._load = await OpenLoad.connect(address, CONNECTIONS)

    def close(self) -> None:
        self._runner.run(self._channel.close())

    def quiet(self, seconds: float) -> Traffic:
        """The traffic alone."""
        return self._runner.run(self._quiet(seconds))

    def applying(self, seconds: float) -> Traffic:
        """The traffic while one manifest is applied after the other, with pauses; at least one."""
        return self._runner.run(self._applying(seconds))

    async def _quiet(self, seconds: float) -> Traffic:
        self._load.start(self._requests(), RATE)
        await asyncio.sleep(seconds)
        answers = await self._load.stop()
        self._check(answers, self._revision)
        return Traffic.of(answers)

    async def _applying(self, seconds: float) -> Traffic:
        self._load.start(self._requests(), RATE)
        until = time.perf_counter() + seconds
        applies: list[_Apply] = []
        while not applies or time.perf_counter() < until:
            await asyncio.sleep(_PAUSE_SECONDS)
            applies.append(await self._apply())
        await asyncio.sleep(_PAUSE_SECONDS)
        answers = await self._load.stop()
        for each in applies:
            each.check()
        for each, until in zip(applies, [*[later.began for later in applies[1:]], time.perf_counter()], strict=True):
            self._check([answer for answer in answers if each.ended <= answer.due < until], each.revision)
        meanwhile = [answer for answer in answers for each in applies if each.began <= answer.due <= each.ended]
        return Traffic.of(meanwhile, [each.ended - each.began for each in applies])

    async def _apply(self) -> _Apply:
        """Apply the manifest that is not in force. What it did is checked later, when there is no traffic."""
        self._revision = 1 - self._revision
        began = time.perf_counter()
        answer = await self._call(_APPLY, self._manifests[self._revision])
        ended = time.perf_counter()
        return _Apply(began, ended, self._revision, answer)

    async def _call(self, method: str, request: bytes) -> bytes:
        # Bytes in and out: a message that this process reads or writes meanwhile would make its own traffic late.
        call: Any = self._channel.unary_unary(f"/understudy.v1.{method}")
        answer: bytes = await call(request, metadata=self._metadata)
        return answer

    def _requests(self) -> list[bytes]:
        paths = [mock_path(number) for number in range(_ASKED)] if self._is_on else [MOCKED_PATH]
        lines = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "bench", **HEADERS}.items())
        return [f"GET /{PROJECT}/{ENVIRONMENT}{path} HTTP/1.1\r\n{lines}\r\n".encode() for path in paths]

    def _check(self, answers: Sequence[Answer], revision: int) -> None:
        """What was sent while nothing was being applied is answered as the last manifest says."""
        bodies = tuple(mock_body(number, revision) for number in range(_ASKED)) if self._is_on else (MOCKED_BODY,)
        for answer in answers:
            if not (answer.data.startswith(b"HTTP/1.1 200 ") and answer.data.endswith(bodies)):
                raise Rejected(f"with revision {revision} in force an answer was {answer.data[:400]!r}")


@contextmanager
def apply_stage(on: int) -> Iterator[Stage]:
    """A server with all mocks made, and so many of them on for everyone."""
    with serving_mocks() as server, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        stage = Stage(runner, server, on)
        try:
            yield stage
        finally:
            stage.close()
