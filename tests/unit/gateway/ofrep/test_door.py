"""The door as its clients meet it: paths, methods, bodies, browsers and failures, over ASGI."""

from typing import Any

import httpx
import pytest
from google.protobuf.message import Message
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from support.rest import FakeBackend, client
from understudy import status
from understudy.status import Problem
from understudy.v1 import flags_pb2 as pb
from understudy.v1.evaluation_service_pb2 import EvaluateBatchRequest, EvaluateBatchResponse, EvaluateResponse
from understudy_gateway.app import build_app

FLAGS = "/ofrep/v1/evaluate/flags"


def enabled(key: str) -> pb.Evaluation:
    return pb.Evaluation(flag_key=key, enabled=True, value="true", reason=pb.EVALUATION_REASON_FLAG_ENABLED)


def flags(request: Any) -> Message:
    """Every flag is there and on; all of them are one."""
    if isinstance(request, EvaluateBatchRequest):
        return EvaluateBatchResponse(evaluations=[enabled("a")])
    return EvaluateResponse(evaluation=enabled(request.flag_key))


async def call(path: str, backend: FakeBackend | None = None, method: str = "POST", **more: Any) -> httpx.Response:
    async with client(build_app(backend or FakeBackend(flags), body_bytes_max=100)) as http:
        return await http.request(method, path, **more)


def told(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code, answer.json()["errorCode"]


async def test_one_flag_is_evaluated() -> None:
    backend = FakeBackend(flags)
    answer = await call(f"{FLAGS}/a%2Fb", backend, json={"context": {"targetingKey": "u"}}, headers={"x-api-key": "k"})
    assert (answer.status_code, answer.json()["key"], answer.json()["value"]) == (200, "a/b", True)
    assert backend.last.method == "/understudy.v1.EvaluationService/Evaluate"
    assert backend.last.metadata == {"authorization": "Bearer k"}


async def test_all_flags_are_evaluated_and_not_sent_twice() -> None:
    first = await call(FLAGS, json={})
    again = await call(FLAGS, json={}, headers={"if-none-match": first.headers["etag"]})
    assert [each["key"] for each in first.json()["flags"]] == ["a"]
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert "content-length" not in again.headers


async def test_many_flags_are_written_whole() -> None:
    many = EvaluateBatchResponse(evaluations=[enabled(f"flag-{number:08}") for number in range(10_000)])
    answer = await call(FLAGS, FakeBackend(lambda _: many))
    assert len(answer.json()["flags"]) == 10_000


async def test_an_answer_has_the_requests_id() -> None:
    answer = await call(FLAGS, headers={"x-request-id": "mine-1"})
    assert answer.headers["x-request-id"] == "mine-1"


async def test_a_body_that_is_too_long_is_refused() -> None:
    assert told(await call(FLAGS, content=b" " * 101)) == (400, "GENERAL")


async def test_a_refusal_is_told_in_the_protocols_words() -> None:
    no = status.write(code_pb2.UNAUTHENTICATED, Problem("unauthorized", "no key"))
    answer = await call(f"{FLAGS}/a", FakeBackend(lambda _: no))
    assert told(answer) == (401, "GENERAL")
    assert answer.json()["key"] == "a"


async def test_a_failure_without_a_code_is_hidden() -> None:
    answer = await call(f"{FLAGS}/a", FakeBackend(lambda _: Status(code=code_pb2.INTERNAL, message="secret")))
    assert told(answer) == (500, "GENERAL")
    assert "secret" not in answer.text


async def test_a_failure_of_ours_is_hidden_too(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Message) -> Message:
        raise ZeroDivisionError("secret")

    answer = await call(f"{FLAGS}/a", FakeBackend(fail))
    assert told(answer) == (500, "GENERAL")
    assert "secret" not in answer.text
    assert "secret" in caplog.text


async def test_a_key_that_is_no_utf8_is_refused() -> None:
    assert told(await call(f"{FLAGS}/%ff")) == (400, "GENERAL")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_other_methods_are_told_which_there_are(method: str) -> None:
    answer = await call(FLAGS, method=method)
    assert told(answer) == (405, "GENERAL")
    assert answer.headers["allow"] == "OPTIONS, POST"


async def test_what_is_none_of_the_protocol_is_answered_as_anywhere() -> None:
    answer = await call("/ofrep/v1/configuration", method="GET")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_browser_may_ask_from_any_page_with_any_header() -> None:
    asked = {
        "origin": "https://shop.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type, if-none-match, x-flowmock-session",
        "access-control-request-private-network": "true",
    }
    answer = await call(FLAGS, method="OPTIONS", headers=asked)
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (204, "*")
    assert answer.headers["access-control-allow-headers"] == asked["access-control-request-headers"]
    assert answer.headers["access-control-allow-methods"] == "POST"
    assert answer.headers["access-control-allow-private-network"] == "true"
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("path", [FLAGS, f"{FLAGS}/%ff"])
async def test_a_page_may_read_answers_and_refusals(path: str) -> None:
    answer = await call(path, headers={"origin": "https://shop.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "etag" in answer.headers["access-control-expose-headers"]


async def test_who_is_no_browser_hears_nothing_of_it() -> None:
    assert not [each for each in (await call(FLAGS)).headers if each.startswith("access-control")]
    plain = await call(FLAGS, method="OPTIONS")
    assert not [each for each in plain.headers if each.startswith("access-control")]
    assert (plain.status_code, plain.headers["allow"]) == (204, "OPTIONS, POST")
