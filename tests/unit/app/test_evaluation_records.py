"""Evaluations on record: in their session, with what would have been, and never taken for calls."""

import json
from typing import Any

import pytest
from support.desk import Desk
from support.dispatching import START_MS, World
from understudy.v1 import evaluation_service_pb2 as pb
from understudy.v1 import log_service_pb2 as logs
from understudy.v1 import verification_service_pb2 as verification
from understudy.v1.explain_service_pb2 import ExplainRequest
from understudy.v1.flag_service_pb2 import CreateFlagRequest, CreateFlagResponse
from understudy.v1.flags_pb2 import Flag
from understudy.v1.mock_service_pb2 import CreateMockFromLogRequest
from understudy.v1.project_service_pb2 import UpdateEnvironmentRequest
from understudy.v1.project_session_service_pb2 import CreateProjectSessionRequest, CreateProjectSessionResponse
from understudy.v1.session_service_pb2 import PutSessionRequest
from understudy_server.app.sweep import sweep


@pytest.fixture(autouse=True)
async def session(desk: Desk) -> None:
    """The flag a, off, and the session ci-42, in which it is on."""
    await desk.call("FlagService.CreateFlag", CreateFlagRequest(flag=Flag(key="a")), CreateFlagResponse)
    await desk.put(PutSessionRequest(flags='{"a": true}'))


async def evaluate(desk: Desk, key: str = "a", **asked: str) -> None:
    request = pb.EvaluateRequest(flag_key=key, **({"session_key": "ci-42"} | asked))  # type: ignore[arg-type]
    await desk.call("EvaluationService.Evaluate", request, pb.EvaluateResponse)


async def rows(desk: Desk, key: str = "ci-42") -> list[logs.LogEntry]:
    request = logs.ListLogsRequest(session_key=key)
    return list((await desk.call("LogService.ListLogs", request, logs.ListLogsResponse)).logs)


def said(row: logs.LogEntry) -> Any:
    return json.loads(row.response_preview)


async def test_an_evaluation_is_on_record_with_what_would_have_been(desk: Desk) -> None:
    await evaluate(desk, context='{"userId": "u"}')

    (row,) = await rows(desk)

    assert (row.method, row.path, row.outcome) == ("EVALUATE", "/flags/a", logs.EXCHANGE_OUTCOME_EVALUATED)
    assert (row.number, row.session_revision, row.override_applied) == (1, 1, False)
    assert json.loads(row.request_preview) == {"userId": "u"}
    without = {"enabled": False, "value": False, "reason": "flag_disabled"}
    common = {"flagKey": "a", "variant": None, "ruleId": None}
    assert said(row) == common | {
        "enabled": True,
        "value": True,
        "reason": "test_override",
        "wouldHaveBeen": common | without,
    }


async def test_a_batch_is_one_row(desk: Desk) -> None:
    request = pb.EvaluateBatchRequest(flag_keys=["a", "b"], session_key="ci-42")
    await desk.call("EvaluationService.EvaluateBatch", request, pb.EvaluateBatchResponse)

    (row,) = await rows(desk)

    assert (row.path, row.HasField("request_preview")) == ("/flags", False)
    assert [each["reason"] for each in said(row)["evaluations"]] == ["test_override", "flag_not_found"]


async def test_the_key_stands_in_the_path_encoded(desk: Desk) -> None:
    await evaluate(desk, "x/y?z")

    assert (await rows(desk))[0].path == "/flags/x%2Fy%3Fz"


async def test_without_a_session_nothing_is_on_record(desk: Desk, here: World) -> None:
    await evaluate(desk, session_key="")
    await evaluate(desk, session_key="none")

    assert here.journal.exchanges == []


async def test_a_session_of_the_project_has_a_record_too(desk: Desk) -> None:
    made = await desk.call(
        "ProjectSessionService.CreateProjectSession",
        CreateProjectSessionRequest(flags='{"a": 1}'),
        CreateProjectSessionResponse,
    )
    await evaluate(desk, session_key="", session_token=made.session.token)

    assert [each.path for each in await rows(desk, made.session.id)] == ["/flags/a"]


async def test_what_the_environment_masks_is_masked(desk: Desk, here: World) -> None:
    request = UpdateEnvironmentRequest(project="checkout", environment="staging")
    request.changes.redaction.json_paths.append("$.email")
    await here.call("ProjectService.UpdateEnvironment", request)

    await evaluate(desk, context='{"email": "a@b.c", "plan": "x"}')

    (row,) = await rows(desk)
    assert json.loads(row.request_preview) == {"email": "[redacted]", "plan": "x"}


async def test_a_session_that_is_evaluated_in_is_in_use(desk: Desk, here: World) -> None:
    here.clock.advance(100)
    await evaluate(desk)

    assert (await desk.get()).last_seen_at.ToMilliseconds() == START_MS + 100_000
    assert await sweep(here.store, here.presence, here.state, here.clock(), 50_000) == 0


async def test_no_evaluation_counts_as_a_call(desk: Desk) -> None:
    await evaluate(desk)
    await evaluate(desk)

    counted = await desk.call(
        "VerificationService.CountCalls",
        verification.CountCallsRequest(session_key="ci-42"),
        verification.CountCallsResponse,
    )
    request = verification.VerifyCallsRequest(session_key="ci-42", no_others=True)
    expected = request.expectations.add()
    expected.matcher.path = "/flags/a"
    expected.at_most = 0
    verified = await desk.call("VerificationService.VerifyCalls", request, verification.VerifyCallsResponse)

    assert (counted.count, counted.completeness.complete, counted.completeness.up_to) == (0, True, 2)
    assert (verified.verdict, list(verified.other_log_ids)) == (verification.VERDICT_PASSED, [])


async def test_an_evaluation_is_nothing_odd_about_a_session(desk: Desk) -> None:
    await evaluate(desk)
    request = verification.GetSessionHealthRequest(session_key="ci-42")

    found = await desk.call("VerificationService.GetSessionHealth", request, verification.GetSessionHealthResponse)

    assert [(each.outcome, each.count) for each in found.counts] == [(logs.EXCHANGE_OUTCOME_EVALUATED, 1)]
    assert "evaluat" not in " ".join(each.message for each in found.findings)


async def test_a_tail_shows_evaluations_unless_it_asks_for_requests(desk: Desk, here: World) -> None:
    await evaluate(desk)

    async def tailed(request: logs.TailLogsRequest) -> list[str]:
        request.session_key, request.from_start, request.until_now = "ci-42", True, True
        placed = desk.placed(request)
        stream = here.dispatcher.stream("/understudy.v1.LogService/TailLogs", {}, lambda: (placed, None), owner=True)
        return [each.log.path async for each in stream]  # type: ignore[union-attr]

    matching = logs.TailLogsRequest()
    matching.matcher.path = "/flags/a"

    assert await tailed(logs.TailLogsRequest()) == ["/flags/a"]
    assert await tailed(matching) == []


async def test_no_mock_is_made_and_nothing_explained_of_an_evaluation(desk: Desk) -> None:
    await evaluate(desk)
    log_id = (await rows(desk))[0].id

    made = await desk.refused("MockService.CreateMockFromLog", CreateMockFromLogRequest(log_id=log_id))
    explained = await desk.refused("ExplainService.Explain", ExplainRequest(log_id=log_id))

    assert [(each.reason, each.field) for each in (made, explained)] == [("invalid_field", "log_id")] * 2
