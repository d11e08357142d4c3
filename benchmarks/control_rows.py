"""Rows of the control plane: how long reading a session takes over either door."""

import statistics
import time
from collections.abc import Callable, Sequence

import grpc
from understudy.v1.session_service_pb2 import GetSessionRequest

from benchmarks.load import Loaded, compared
from benchmarks.method import Length, alternate
from benchmarks.processes import started
from benchmarks.row import Row, at_least, at_most
from benchmarks.scenery import ENVIRONMENT, KEY, PROJECT
from benchmarks.telling import rate, throughput

CALLS_PER_SECOND = 1_000
_CONNECTIONS = 32
_GET_PATH = f"/api/v1/sessions/{KEY}?project={PROJECT}&environment={ENVIRONMENT}"
# The page of the API document: bytes that the gateway makes once and answers as they are.
_CONSTANT_PATH = "/docs"


def rest_get_session(length: Length) -> list[Row]:
    """GET session over REST against constant bytes from the same gateway."""
    with started("rest") as server:
        headers = {"Authorization": f"Bearer {server.key}"}
        get = Loaded(server.pid, server.address, _GET_PATH, headers, _CONNECTIONS)
        constant = Loaded(server.pid, server.address, _CONSTANT_PATH, headers, _CONNECTIONS)
        rounds = compared(get, constant, length)
    return [Row("REST GET session / constant bytes", rounds.ratio(rate), at_least(0.60), throughput(rounds))]


def grpc_get_session(length: Length) -> list[Row]:
    """Unloaded GET session over gRPC against a bare echo."""
    request = GetSessionRequest(session_key=KEY, project=PROJECT, environment=ENVIRONMENT).SerializeToString()
    method, calls = "/understudy.v1.SessionService/GetSession", CALLS_PER_SECOND * length.seconds
    with (
        started("grpc") as server,
        started("echo") as bare,
        grpc.insecure_channel(server.address) as channel,
        grpc.insecure_channel(bare.address) as bare_channel,
    ):
        metadata = (("authorization", f"Bearer {server.key}"),)
        rounds = alternate(
            lambda: _median_us(channel.unary_unary(method), request, metadata, calls),
            lambda: _median_us(bare_channel.unary_unary(method), request, metadata, calls),
            length,
            steady=float,
        )
    detail = f"p50 {rounds.subject(float).median:.0f} us and {rounds.reference(float).median:.0f} us, one connection"
    return [Row("gRPC GET session p50 / bare echo p50", rounds.ratio(float), at_most(1.30), detail)]


def _median_us(call: Callable[..., bytes], request: bytes, metadata: Sequence[tuple[str, str]], calls: int) -> float:
    """The median time of a call, one after the other."""
    times = []
    for _ in range(calls):
        start = time.perf_counter_ns()
        call(request, metadata=metadata)
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / 1000
