"""A server that stops while calls wait: it lets them go, and does not wait for them."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import grpc
import httpx
from support.server import Server, running_server, stop
from understudy.v1 import verification_service_pb2 as pb
from understudy.v1.log_service_pb2 import TailLogsRequest
from understudy.v1.log_service_pb2_grpc import LogServiceStub
from understudy.v1.session_service_pb2 import PutSessionRequest
from understudy.v1.session_service_pb2_grpc import SessionServiceStub
from understudy.v1.verification_service_pb2_grpc import VerificationServiceStub

# The doors give calls under way 5 seconds each.
STOP_SECONDS_MAX = 4
LONG_MS = 300_000


def test_calls_that_wait_do_not_hold_up_a_stop() -> None:
    with running_server() as server, ThreadPoolExecutor() as pool:
        place = server.make_place("staging")
        auth = {"authorization": f"Bearer {server.make_key(project=place.project).text}"}
        with grpc.insecure_channel(server.grpc) as channel, httpx.Client(base_url=f"http://{server.rest}") as http:
            metadata = tuple(auth.items())
            SessionServiceStub(channel).PutSession(PutSessionRequest(session_key="ci-42"), metadata=metadata)
            waiting = pb.AwaitCallsRequest(session_key="ci-42", timeout_ms=LONG_MS)
            over_grpc = VerificationServiceStub(channel).AwaitCalls.future(waiting, metadata=metadata)
            tail = LogServiceStub(channel).TailLogs(TailLogsRequest(session_key="ci-42"), metadata=metadata)
            over_rest = pool.submit(
                http.post,
                "/api/v1/sessions/ci-42/calls:await",
                json={"timeoutMs": LONG_MS},
                headers=auth,
                timeout=60,
            )
            _until_all_wait(server, auth)
            began = time.monotonic()
            stop(server.process)
            assert time.monotonic() - began < STOP_SECONDS_MAX
            assert _refusal(over_grpc) == grpc.StatusCode.UNAVAILABLE
            assert _refusal(tail) == grpc.StatusCode.UNAVAILABLE
            _is_told(over_rest)


def _until_all_wait(server: Server, auth: dict[str, str]) -> None:
    """Calls are served in their order: when a later one is answered, those before it wait."""
    for _ in range(20):
        answer = httpx.get(f"http://{server.rest}/api/v1/sessions/ci-42", headers=auth, timeout=10)
        assert answer.status_code == httpx.codes.OK


def _refusal(call: Any) -> grpc.StatusCode:
    found: grpc.StatusCode = call.code()
    return found


def _is_told(answer: "Future[httpx.Response]") -> None:
    found = answer.result(timeout=10)
    assert (found.status_code, found.json()["code"]) == (503, "storage_unavailable")
