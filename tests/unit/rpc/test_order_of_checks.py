"""The chain around a call: which check speaks first when several would."""

import threading
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status
from support.dispatching import World, world
from understudy import status
from understudy.options.v1.options_pb2 import ROLE_CI
from understudy.status import Problem
from understudy.v1.evaluation_service_pb2 import EvaluateRequest
from understudy.v1.log_service_pb2 import GetLogRequest, ListLogsRequest
from understudy.v1.manifest_service_pb2 import ApplyManifestRequest
from understudy.v1.session_service_pb2 import DeleteSessionRequest, PutSessionRequest
from understudy_server.core.plans import Plan
from understudy_server.core.rates import Rate

APPLY = "/understudy.v1.ManifestService/ApplyManifest"
PUT = "/understudy.v1.SessionService/PutSession"


def refusal(field: str = "", reason: str = "invalid_field") -> Status:
    return status.write(Code.INVALID_ARGUMENT, Problem(reason, "unreadable", field=field))


async def put(here: World, key: str, request: PutSessionRequest, unreadable: Status | None, **query: str) -> str:
    metadata = {"authorization": f"Bearer {key}", **{f"understudy-query-{name}": each for name, each in query.items()}}
    answer = await here.dispatcher.unary(PUT, metadata, lambda: (request, unreadable))
    return status.read(answer).reason if isinstance(answer, Status) else ""


async def test_a_bad_key_is_refused_before_the_request_is_read(here: World) -> None:
    def decode() -> tuple[PutSessionRequest, Status | None]:
        raise AssertionError("read before the key was checked")

    answer = await here.dispatcher.unary(PUT, {"authorization": "Bearer fmk_wrong"}, decode)
    assert isinstance(answer, Status)
    assert status.read(answer).reason == "unauthorized"


@pytest.mark.parametrize(
    ("method", "request_", "beside"),
    [(APPLY, ApplyManifestRequest(), True), (PUT, PutSessionRequest(), False)],
    ids=["manifest", "session"],
)
async def test_only_what_may_be_long_is_read_beside_the_event_loop(
    here: World, method: str, request_: Message, *, beside: bool
) -> None:
    readers = []

    def decode() -> tuple[Message, Status | None]:
        readers.append(threading.current_thread())
        return request_, None

    await here.dispatcher.unary(method, {}, decode, owner=True)
    assert [each is not threading.current_thread() for each in readers] == [beside]


async def test_the_rate_comes_before_the_plan(tmp_path: Path) -> None:
    async with world(tmp_path / "data", Rate(1, 60)) as here:
        key = await here.make_key(ROLE_CI)
        await here.store.write(lambda tx: tx.set_plan(Plan.FREE))
        assert await put(here, key, PutSessionRequest(session_key="k"), None) == "plan_required"
        assert await put(here, key, PutSessionRequest(session_key="k"), None) == "rate_limited"


async def test_the_plan_comes_before_the_project(here: World) -> None:
    key = await here.make_key(ROLE_CI)
    await here.store.write(lambda tx: tx.set_plan(Plan.FREE))
    assert await put(here, key, PutSessionRequest(session_key="k"), None) == "plan_required"


async def test_the_project_comes_before_the_environment(here: World) -> None:
    key = await here.make_key(ROLE_CI)
    request = PutSessionRequest(session_key="k", project="nowhere", environment="nowhere")
    assert (await here.refused("SessionService.PutSession", request, key)).field == "project"


async def test_the_environment_comes_before_the_fields(here: World) -> None:
    key = await here.make_key(ROLE_CI)
    request = PutSessionRequest(session_key="k", project="checkout", global_delay_ms=120_001)
    assert await put(here, key, request, None) == "environment_required"


async def test_the_environment_comes_before_what_cannot_be_read(here: World) -> None:
    key = await here.make_key(ROLE_CI)
    request = PutSessionRequest(session_key="k", project="checkout", environment="nowhere")
    assert await put(here, key, request, refusal("label")) == "not_found"


async def test_fields_come_before_existence(here: World) -> None:
    key = await here.make_key(ROLE_CI)
    request = DeleteSessionRequest(session_key="none", project="checkout", environment="qa", mode=99)  # type: ignore[arg-type]
    assert await here.code("SessionService.DeleteSession", request, key) == "invalid_mode"


async def test_existence_comes_before_what_an_override_means(here: World) -> None:
    key = await here.make_key(ROLE_CI)
    request = PutSessionRequest(
        session_key="k", project="checkout", environment="qa", scenario="scn_none", overrides=["bad"]
    )
    assert await put(here, key, request, None) == "not_found"


async def test_an_unreadable_body_may_hold_the_project_that_is_missing(here: World) -> None:
    key = await here.make_key(ROLE_CI)
    assert await put(here, key, PutSessionRequest(session_key="k"), refusal(reason="invalid_json")) == "invalid_json"


async def test_an_unreadable_project_is_what_is_wrong(here: World) -> None:
    key = await here.make_key(ROLE_CI)
    assert await put(here, key, PutSessionRequest(session_key="k"), refusal("project")) == "invalid_field"


async def test_a_missing_project_is_wrong_though_the_label_is_unreadable_too(here: World) -> None:
    key = await here.make_key(ROLE_CI)
    assert await put(here, key, PutSessionRequest(session_key="k"), refusal("label")) == "project_required"


async def test_the_project_named_in_the_query_is_checked_though_the_body_wins(here: World) -> None:
    key = await here.make_key(ROLE_CI, "checkout")
    request = PutSessionRequest(session_key="k", project="checkout", environment="qa")
    assert await put(here, key, request, None, project="other") == "scope_mismatch"


async def test_the_body_wins_over_the_query(here: World) -> None:
    key = await here.make_key(ROLE_CI)
    request = PutSessionRequest(session_key="k", project="checkout", environment="qa")
    assert await put(here, key, request, None, environment="staging") == ""
    assert await here.store.read(lambda tx: tx.environments("", "", 1)) == []
    logs = ListLogsRequest(session_key="k", project="checkout", environment="staging")
    assert await here.code("LogService.ListLogs", logs, key) == "not_found"


@pytest.mark.parametrize("length", [64, 65])
async def test_a_slug_has_at_most_64_characters(here: World, length: int) -> None:
    key = await here.make_key(ROLE_CI)
    request = PutSessionRequest(session_key="k", project="p" * length, environment="staging")
    problem = await here.refused("SessionService.PutSession", request, key)
    assert (problem.reason, problem.rule) == (("not_found", "") if length == 64 else ("invalid_field", "max_length"))


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({"project": "p" * 65}, ("project", "max_length")),
        ({"environment": "e" * 65}, ("environment", "max_length")),
        ({"flag_key": ""}, ("flag_key", "required")),
    ],
)
async def test_fields_are_checked_though_the_place_is_remembered(
    here: World, changed: dict[str, Any], refused: tuple[str, str]
) -> None:
    key = await here.make_key(ROLE_CI)
    good: dict[str, Any] = {"project": "checkout", "environment": "qa", "flag_key": "a"}
    assert await here.code("EvaluationService.Evaluate", EvaluateRequest(**good), key) == ""
    problem = await here.refused("EvaluationService.Evaluate", EvaluateRequest(**{**good, **changed}), key)
    assert (problem.field, problem.rule) == refused


async def test_a_project_is_checked_where_it_is_not_what_places_the_call(here: World) -> None:
    key = await here.make_key(ROLE_CI)
    problem = await here.refused("LogService.GetLog", GetLogRequest(log_id="log_1", project="p" * 65), key)
    assert (problem.field, problem.rule) == ("project", "max_length")


async def test_an_unexpected_failure_shows_an_id_and_no_text(here: World, caplog: pytest.LogCaptureFixture) -> None:
    def decode() -> tuple[PutSessionRequest, Status | None]:
        raise RuntimeError("a secret of the inside")

    key = await here.make_key(ROLE_CI)
    answer = await here.dispatcher.unary(PUT, {"authorization": f"Bearer {key}"}, decode)
    assert isinstance(answer, Status)
    problem = status.read(answer)
    assert problem.reason == "internal_error"
    assert "secret" not in str(answer)
    assert problem.request_id
    assert problem.request_id in caplog.text


async def test_an_unknown_method_is_an_error_of_the_transport(here: World) -> None:
    answer = await here.dispatcher.unary(
        "/understudy.v1.SessionService/Nothing", {}, lambda: (PutSessionRequest(), None)
    )
    assert isinstance(answer, Status)
    assert (answer.code, status.read(answer).reason) == (Code.UNIMPLEMENTED, "")


async def test_the_owner_need_not_name_the_only_project(tmp_path: Path) -> None:
    async with world(tmp_path / "data") as here:
        request = PutSessionRequest(session_key="k")
        assert await here.code("SessionService.PutSession", request) == "project_required"
        await here.make_project("checkout", "staging")
        assert await here.code("SessionService.PutSession", request) == ""
        await here.make_project("other", "staging")
        assert await here.code("SessionService.PutSession", request) == "project_required"
