"""The gateway as its clients meet it: routes, methods, bodies, keys and failures, over ASGI."""

import asyncio
import logging
import threading
from typing import Any

import httpx
import orjson
import pytest
from google.protobuf.message import Message
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from hypothesis import given
from hypothesis import strategies as st
from support.rest import Exchange, FakeBackend, client
from understudy import status
from understudy.status import Problem
from understudy.v1 import file_service_pb2, manifest_service_pb2, session_service_pb2, verification_service_pb2
from understudy.v1.session_service_pb2 import DELETE_MODE_DELETE
from understudy_gateway.app import build_app
from understudy_gateway.transcoding.responses import Content, ResponseEncoder

SESSION = "/api/v1/sessions/ci-42"
MIB = 1024 * 1024


def session(request: Any) -> Message:
    """Answer any call about a session with the key that it named."""
    response = session_service_pb2.GetSessionResponse()
    response.session.session_key, response.session.revision = request.session_key, 3
    return response


async def call(method: str, path: str, backend: FakeBackend | None = None, **more: Any) -> httpx.Response:
    async with client(build_app(backend or FakeBackend(session), body_bytes_max=100)) as http:
        return await http.request(method, path, **more)


def code(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/json"
    envelope = answer.json()
    assert isinstance(envelope["error"], str)
    return answer.status_code, envelope["code"]


async def test_get_answers_the_session() -> None:
    answer = await call("GET", SESSION)
    assert (answer.status_code, answer.json()["sessionKey"], answer.headers["etag"]) == (200, "ci-42", '"3"')
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(("characters", "beside"), [(100, False), (200_000, True)])
async def test_only_a_large_answer_is_written_beside_the_event_loop(
    monkeypatch: pytest.MonkeyPatch, characters: int, *, beside: bool
) -> None:
    writers = []
    encode = ResponseEncoder.encode

    def noted(self: ResponseEncoder, answer: Message) -> Content:
        writers.append(threading.current_thread())
        return encode(self, answer)

    monkeypatch.setattr(ResponseEncoder, "encode", noted)
    reply = session_service_pb2.GetSessionResponse()
    reply.session.label = "x" * characters
    answer = await call("GET", SESSION, FakeBackend(lambda _: reply))
    assert len(answer.json()["label"]) == characters
    assert [each is not threading.current_thread() for each in writers] == [beside]


async def test_put_calls_with_the_mask_and_the_places_of_the_query() -> None:
    backend = FakeBackend(session)
    await call("PUT", f"{SESSION}?project=one", backend, json={"project": "two", "label": None})
    assert backend.last.method == "/understudy.v1.SessionService/PutSession"
    assert backend.last.request.project == "two"
    assert list(backend.last.request.update_mask.paths) == ["label"]
    assert backend.last.metadata == {"understudy-query-project": "one"}


async def test_delete_calls_with_the_mode() -> None:
    backend = FakeBackend(lambda _: session_service_pb2.DeleteSessionResponse(ok=True, mode=DELETE_MODE_DELETE))
    answer = await call("DELETE", f"{SESSION}?mode=delete", backend)
    assert backend.last.request.mode == DELETE_MODE_DELETE
    assert answer.json() == {"ok": True, "mode": "delete"}


async def test_an_additional_binding_calls_the_same_method() -> None:
    backend = FakeBackend(lambda _: Status(code=code_pb2.UNAVAILABLE))
    await call("GET", "/api/v1/projects/p/environments/e/scenarios", backend)
    assert backend.last.method == "/understudy.v1.ScenarioService/ListScenarios"
    assert backend.last.request.environment == "e"


async def test_the_key_travels_untouched_and_cookies_do_not_travel() -> None:
    backend = FakeBackend(session)
    await call("GET", SESSION, backend, headers={"Authorization": "Token  fmk_x", "Cookie": "key=fmk_y"})
    assert backend.last.metadata == {"authorization": "Token  fmk_x"}


async def test_head_answers_like_get_without_a_body() -> None:
    answer, whole = await call("HEAD", SESSION), await call("GET", SESSION)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(whole.content))


async def test_options_tells_the_methods() -> None:
    answer = await call("OPTIONS", SESSION)
    assert (answer.status_code, answer.headers["allow"]) == (204, "DELETE, GET, HEAD, OPTIONS, PUT")


@pytest.mark.parametrize("method", ["PATCH", "POST", "TRACE", "BREW"])
async def test_another_method_on_a_known_path_is_refused(method: str) -> None:
    answer = await call(method, SESSION)
    assert code(answer) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, OPTIONS, PUT"


@pytest.mark.parametrize("path", ["/api/v1/sessions", "/api/v1/nothing", "/nothing", "/api/v1/sessions/a/b"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
async def test_an_unknown_route_is_not_found(method: str, path: str) -> None:
    assert code(await call(method, path)) == (404, "not_found")


@pytest.mark.parametrize("raw_path", [b"/api/v1/sessions/%", b"/api/v1/sessions/%ff", b"/%zz", b"/\xff"])
async def test_a_badly_encoded_path_is_refused(raw_path: bytes) -> None:
    exchange = Exchange([])
    await exchange.run(build_app(FakeBackend(session)), "GET", raw_path)
    assert exchange.status == 400
    assert orjson.loads(exchange.sent[1]["body"])["code"] == "invalid_request"


async def test_a_body_needs_no_content_type() -> None:
    backend = FakeBackend(session)
    assert (await call("PUT", SESSION, backend, content=b'{"label":"x"}')).status_code == 200
    assert backend.last.request.label == "x"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{", (400, "invalid_json")),
        (b"[]", (400, "invalid_json")),
        (b"\xff", (400, "invalid_json")),
        (b'{"label":NaN}', (400, "invalid_json")),
        (b'{"label":1,"label":1}', (400, "invalid_json")),
        (b'{"label":1}', (422, "invalid_body")),
        (b'{"overrides":null}', (422, "invalid_body")),
        (b'{"globalDelayMs":1.5}', (422, "invalid_body")),
        (b'{"globalDelayMs":-1}', (422, "invalid_body")),
        (b"x" * 101, (413, "body_too_large")),
    ],
)
async def test_a_body_that_is_no_session_is_refused(body: bytes, expected: tuple[int, str]) -> None:
    assert code(await call("PUT", SESSION, content=body)) == expected


async def test_a_body_longer_than_the_limit_reaches_no_backend() -> None:
    backend = FakeBackend(session)
    await call("PUT", SESSION, backend, content=b"x" * 5_000_000)
    assert backend.calls == []


async def test_a_manifest_may_be_longer_than_other_bodies() -> None:
    backend = FakeBackend(lambda _: manifest_service_pb2.ApplyManifestResponse())
    body = {"manifest": {"source": "x" * 3_000_000}}
    assert (await call("POST", "/api/v1/manifest:apply", backend, json=body)).status_code == 200
    assert len(backend.last.request.manifest.source) == 3_000_000


async def test_a_manifest_longer_than_its_own_limit_is_refused() -> None:
    exchange, backend = Exchange([]), FakeBackend(session)
    await exchange.run(build_app(backend), "POST", b"/api/v1/manifest:apply", {"content-length": str(16 * MIB + 1)})
    assert exchange.status == 413
    assert str(16 * MIB).encode() in exchange.sent[1]["body"]
    assert backend.calls == []


async def test_a_server_that_takes_more_of_any_route_takes_it_of_a_manifest_too() -> None:
    backend = FakeBackend(lambda _: manifest_service_pb2.ApplyManifestResponse())
    body = b'{"manifest":{"source":"x"}}'.ljust(16 * MIB + 1)
    async with client(build_app(backend, body_bytes_max=17 * MIB)) as http:
        assert (await http.post("/api/v1/manifest:apply", content=body)).status_code == 200


FILE = "/api/v1/projects/p/environments/e/files/may.bin"


async def test_a_file_is_put_as_the_bytes_that_were_sent() -> None:
    backend = FakeBackend(lambda _: file_service_pb2.PutFileResponse())
    content = bytes(range(256)) * 8_192
    answer = await call("PUT", FILE, backend, content=content, headers={"Content-Type": "application/x-thing"})
    assert answer.status_code == 200
    assert backend.last.request.content.data == content
    assert backend.last.request.content.content_type == "application/x-thing"


async def test_a_file_longer_than_its_limit_is_refused() -> None:
    exchange, backend = Exchange([]), FakeBackend(session)
    await exchange.run(build_app(backend), "PUT", FILE.encode(), {"content-length": str(8 * MIB + 1)})
    assert exchange.status == 413
    assert str(8 * MIB).encode() in exchange.sent[1]["body"]
    assert backend.calls == []


async def test_a_file_is_answered_as_it_was_put() -> None:
    reply = file_service_pb2.GetFileResponse()
    reply.content.data, reply.content.content_type = b"\xff\0", "application/x-thing"
    answer = await call("GET", FILE, FakeBackend(lambda _: reply))
    assert (answer.content, answer.headers["content-type"]) == (b"\xff\0", "application/x-thing")


async def test_the_body_of_a_call_that_has_none_is_not_read() -> None:
    exchange = Exchange([])
    backend = FakeBackend(lambda _: session_service_pb2.ActivateOverrideResponse(override_id="ovr_x", active=True))
    await exchange.run(build_app(backend), "POST", b"/api/v1/sessions/a/overrides/ovr_x", {"content-length": "9999999"})
    assert exchange.status == 200


async def test_a_bad_length_is_refused() -> None:
    exchange = Exchange([])
    await exchange.run(build_app(FakeBackend(session)), "PUT", SESSION.encode(), {"content-length": "x"})
    assert (exchange.status, orjson.loads(exchange.sent[1]["body"])["code"]) == (400, "invalid_request")


async def test_a_client_that_leaves_before_its_body_is_whole_is_not_answered() -> None:
    backend = FakeBackend(session)
    exchange = Exchange([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])
    await exchange.run(build_app(backend), "PUT", SESSION.encode())
    assert (exchange.sent, backend.calls) == ([], [])


class Hanging(FakeBackend):
    """Never answers, and notes that it was cancelled."""

    cancelled = False

    async def unary(self, method: str, metadata: Any, decode: Any) -> Message | Status:
        await super().unary(method, metadata, decode)
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        raise AssertionError("nothing ends it")


async def test_a_client_that_leaves_while_it_waits_for_calls_cancels_the_wait() -> None:
    backend = Hanging(lambda _: verification_service_pb2.AwaitCallsResponse())
    exchange = Exchange([{"type": "http.request", "body": b'{"timeoutMs": 300000}'}, {"type": "http.disconnect"}])
    await exchange.run(build_app(backend), "POST", f"{SESSION}/calls:await".encode())
    assert (exchange.sent, len(backend.calls), backend.cancelled) == ([], 1, True)


async def test_who_waits_for_calls_is_answered_when_they_came() -> None:
    reply = verification_service_pb2.AwaitCallsResponse(verdict=verification_service_pb2.VERDICT_PASSED)
    answer = await call("POST", f"{SESSION}/calls:await", FakeBackend(lambda _: reply), json={"timeoutMs": 5})
    assert (answer.status_code, answer.json()["verdict"], answer.json()["timedOut"]) == (200, "passed", False)


async def test_a_refusal_of_the_backend_is_answered_in_the_envelope() -> None:
    refusal = status.write(code_pb2.NOT_FOUND, Problem("not_found", "No such session."))
    answer = await call("GET", SESSION, FakeBackend(lambda _: refusal))
    assert code(answer) == (404, "not_found")
    assert answer.json()["error"] == "No such session."


async def test_a_status_without_a_reason_is_hidden_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    answer = await call("GET", SESSION, FakeBackend(lambda _: Status(code=code_pb2.UNKNOWN, message="secret")))
    assert code(answer) == (500, "internal_error")
    assert "secret" not in answer.text
    assert answer.json()["requestId"] in caplog.text


async def test_an_exception_of_the_backend_is_hidden_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: Message) -> Message:
        raise RuntimeError("secret")

    answer = await call("GET", SESSION, FakeBackend(fail))
    assert code(answer) == (500, "internal_error")
    assert "secret" not in answer.text
    assert answer.json()["requestId"] in caplog.text
    assert "secret" in caplog.text


async def test_an_answer_of_the_wrong_type_is_our_fault(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.CRITICAL):
        answer = await call("GET", SESSION, FakeBackend(lambda _: session_service_pb2.Session()))
    assert code(answer) == (500, "internal_error")


@given(st.binary(max_size=80))
async def test_no_body_gets_a_fault_of_ours(body: bytes) -> None:
    answer = await call("PUT", SESSION, content=body)
    assert answer.status_code in {200, 400, 422}


@given(st.binary(max_size=40), st.binary(max_size=40), st.sampled_from(["GET", "PUT", "DELETE", "HEAD", "OPTIONS"]))
async def test_no_path_and_no_query_get_a_fault_of_ours(path: bytes, query: bytes, method: str) -> None:
    exchange = Exchange([{"type": "http.request", "body": b"", "more_body": False}] * 2)
    target = b"/api/v1/sessions/" + path.replace(b"?", b"") + b"?" + query
    replies: dict[str, Message] = {"DELETE": session_service_pb2.DeleteSessionResponse()}
    reply = replies.get(method, session_service_pb2.GetSessionResponse())
    await exchange.run(build_app(FakeBackend(lambda _: reply)), method, target)
    assert exchange.status < 500
