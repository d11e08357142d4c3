"""Rows of the one call that every test run makes: a session is set."""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

import grpc
from understudy.v1.session_service_pb2 import PutSessionRequest

from benchmarks.asking import Asker, asking, no_collections, request
from benchmarks.method import Length, alternate
from benchmarks.processes import started
from benchmarks.row import Row, at_most
from benchmarks.scenery import CART_BODY, CART_PATH, ENVIRONMENT, KEY, PROJECT, SAMPLE_MOCK
from benchmarks.whole import ANY_PORT, UNLIMITED_CALLS, Whole, serving_anew

CALLS_PER_SECOND, SESSIONS_PER_SECOND = 500, 300
_METHOD = "/understudy.v1.SessionService/PutSession"
_RATIO_MAX, _RATIO_AIM = 2.0, 1.4
_READY_MS_MAX, _READY_MS_AIM = 5.0, 2.0
# Where a constant answer is as late as this, a round says nothing about sessions.
_FLOOR_MS_MAX = _READY_MS_MAX / 2
_CONSTANT_PATH = "/health/live"


def put_session(length: Length) -> list[Row]:
    """Unloaded PUT session over gRPC against a bare echo of the same bytes: one that is there, and new ones."""
    numbers = itertools.count()
    kinds = {"changed": lambda: KEY, "new": lambda: f"ci-{next(numbers)}"}
    return [_put_row(kind, key, length) for kind, key in kinds.items()]


def _put_row(kind: str, key: Callable[[], str], length: Length) -> Row:
    calls = CALLS_PER_SECOND * length.seconds
    runs = itertools.count()

    def requests() -> Sequence[bytes]:
        # Another label each time: nothing is put that is there already.
        return [_put(key(), f"CI run {next(runs)}") for _ in range(calls)]

    with (
        serving_anew(api_rate=UNLIMITED_CALLS, metrics=ANY_PORT) as server,
        started("echo") as bare,
        grpc.insecure_channel(server.grpc) as channel,
        grpc.insecure_channel(bare.address) as bare_channel,
    ):
        metadata = (("authorization", f"Bearer {server.make_key()}"),)
        rounds = alternate(
            lambda: _median_us(channel.unary_unary(_METHOD), requests(), metadata),
            lambda: _median_us(bare_channel.unary_unary(_METHOD), requests(), metadata),
            length,
            steady=float,
        )
    detail = (
        f"p50 {rounds.subject(float).median:.0f} us and {rounds.reference(float).median:.0f} us, one connection, "
        f"durability normal; {rounds.disturbed} rounds disturbed"
    )
    name = f"gRPC PUT session, {kind} each time: p50 / bare echo p50"
    return Row(name, rounds.ratio(float), at_most(_RATIO_MAX, aim=_RATIO_AIM), detail)


def _put(key: str, label: str) -> bytes:
    made = PutSessionRequest(project=PROJECT, environment=ENVIRONMENT, session_key=key, label=label)
    return made.SerializeToString()


def _median_us(call: Callable[..., bytes], requests: Sequence[bytes], metadata: Sequence[tuple[str, str]]) -> float:
    """The median time of a call, one after the other. A call that is refused raises RpcError."""
    times = []
    with no_collections():
        for each in requests:
            start = time.perf_counter_ns()
            call(each, metadata=metadata)
            times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / 1000


@dataclass(frozen=True)
class Ready:
    """How long a call took, and the first request of a session after it, in ms."""

    p50_ms: float
    p99_ms: float
    first_p50_ms: float = 0.0
    first_p99_ms: float = 0.0


def session_ready(length: Length) -> list[Row]:
    """PUT of a new session over REST until it is acknowledged; its first request is answered by its mock."""
    with (
        serving_anew(api_rate=UNLIMITED_CALLS, metrics=ANY_PORT) as server,
        asking(server.rest) as api,
        asking(server.proxy) as proxy,
    ):
        putting = _Putting(server, api, proxy)
        calls = SESSIONS_PER_SECOND * length.seconds
        rounds = alternate(
            lambda: putting.round(calls),
            lambda: putting.floor(calls),
            length,
            steady=lambda _: 1.0,
            quiet_enough=lambda floor: floor.p99_ms <= _FLOOR_MS_MAX,
        )
    p50, p99, first_p50, first_p99 = map(attrgetter, ("p50_ms", "p99_ms", "first_p50_ms", "first_p99_ms"))
    subject, reference = rounds.subject, rounds.reference
    detail = (
        f"{calls} sessions a round, p50 {subject(p50).median:.2f} ms; then its first mocked answer: "
        f"p50 {subject(first_p50).median:.2f} ms, p99 {subject(first_p99).median:.2f} ms; "
        f"a constant answer at the same door: p50 {reference(p50).median:.2f} ms, p99 {reference(p99).median:.2f} ms; "
        f"{rounds.disturbed} rounds disturbed"
    )
    target = at_most(_READY_MS_MAX, aim=_READY_MS_AIM)
    return [Row("new isolated session ready: PUT over REST, p99", subject(p99), target, detail, " ms")]


class _Putting:
    """Sessions that are made one after the other, none twice."""

    def __init__(self, server: Whole, api: Asker, proxy: Asker) -> None:
        self._api, self._proxy = api, proxy
        self._bearer = f"Bearer {server.make_key()}"
        self._keys: Iterator[str] = (f"ci-{number}" for number in itertools.count())

    def round(self, calls: int) -> Ready:
        ready, first = list[float](), list[float]()
        body = f'{{"project":"{PROJECT}","environment":"{ENVIRONMENT}","overrides":["{SAMPLE_MOCK}"]}}'.encode()
        with no_collections():
            for key in itertools.islice(self._keys, calls):
                put = request("PUT", f"/api/v1/sessions/{key}", body, authorization=self._bearer)
                ready.append(self._api.expect(put, 200))
                get = request("GET", CART_PATH, x_flowmock_session=key)
                first.append(self._proxy.expect(get, 200, CART_BODY))
        return Ready(*_percentiles_ms(ready), *_percentiles_ms(first))

    def floor(self, calls: int) -> Ready:
        """A constant answer at the same door."""
        get = request("GET", _CONSTANT_PATH)
        with no_collections():
            return Ready(*_percentiles_ms([self._api.expect(get, 200) for _ in range(calls)]))


def _percentiles_ms(seconds: Sequence[float]) -> tuple[float, float]:
    ordered = sorted(seconds)
    last = len(ordered) - 1
    return ordered[last // 2] * 1000, ordered[last * 99 // 100] * 1000
