"""What is odd about a session, as callers ask for it: of what is on record, and of what there is now."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from support.desk import Desk
from understudy.options.v1.options_pb2 import ROLE_CI
from understudy.v1 import log_service_pb2, project_service_pb2
from understudy.v1 import verification_service_pb2 as pb
from understudy.v1.evaluation_service_pb2 import EvaluateRequest, EvaluateResponse
from understudy.v1.explain_service_pb2 import ExplainedRequest, ExplainRequest, ExplainResponse
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.project_session_service_pb2 import (
    CreateProjectSessionRequest,
    CreateProjectSessionResponse,
    ProjectSession,
)
from understudy.v1.session_mock_service_pb2 import PutSessionMockRequest, PutSessionMockResponse
from understudy.v1.session_service_pb2 import DELETE_MODE_DELETE, PutSessionRequest
from understudy.v1.state_pb2 import Lifetime
from understudy_server.app.health import EXPLAINED_MAX, LOOKED_AT_MAX
from understudy_server.core.exchange import Captured, Exchange
from understudy_server.core.explanation import Explanation, Subject
from understudy_server.core.record import ExchangeOutcome, Lost, Stream

HEALTH = "VerificationService.GetSessionHealth"


class Recorder:
    """Puts exchanges on record, each a second after the one before."""

    def __init__(self, desk: Desk, project_id: str, environment_id: str) -> None:
        self.desk = desk
        self.project_id = project_id
        self.environment_id = environment_id
        self.count = 0

    async def session_id(self, key: str) -> str:
        record = await self.desk.world.store.read(lambda tx: tx.session(self.environment_id, key))
        return record.id if record else ""

    async def came(self, path: str = "/api/pay", *, key: str = "ci-42", **changes: Any) -> Exchange:
        """A `POST` that was passed on; in the session that the key names now."""
        self.count += 1
        self.desk.world.clock.advance(1)
        made = Exchange(
            id=f"log_{self.count:06}",
            project_id=self.project_id,
            environment_id=self.environment_id,
            session_key=key,
            session_id=await self.session_id(key) if key else "",
            method="POST",
            path=path,
            query="",
            status=200,
            started_at_ms=self.desk.world.clock.now_ms,
            duration_ms=1,
            mock_id="",
            request_headers=((b"host", b"shop.test"),),
            response_headers=(),
            request_body=Captured(b"{}", 2, "application/json"),
            response_body=None,
            outcome=ExchangeOutcome.FORWARDED,
        )
        return self.desk.world.journal.record(made._replace(**changes))

    async def mocked(self, mock_id: str = "ovr_pay", **changes: Any) -> Exchange:
        return await self.came(outcome=ExchangeOutcome.MOCKED, mock_id=mock_id, **changes)


@pytest.fixture
async def recorder(desk: Desk) -> Recorder:
    """Of an environment with an upstream, in which `ovr_pay` is for `POST /api/pay`, and ci-42 has nothing on."""
    change = project_service_pb2.UpdateEnvironmentRequest()
    change.changes.upstream = "http://127.0.0.1:9"
    await desk.call("ProjectService.UpdateEnvironment", change, project_service_pb2.UpdateEnvironmentResponse)
    await make(desk, "ovr_pay", "/api/pay")
    await desk.publish("ovr_pay")
    await desk.put()

    async def place(tx: Any) -> tuple[str, str]:
        project = await tx.project(desk.project)
        return project.id, (await tx.environment(project.id, desk.environment)).id

    return Recorder(desk, *await desk.world.store.read(place))


async def make(desk: Desk, mock_id: str, path: str, **fields: Any) -> Mock:
    mock = Mock(id=mock_id, name=mock_id, **fields)
    mock.matcher.method, mock.matcher.path = "POST", path
    return await desk.create(mock)


async def health(desk: Desk, key: str = "ci-42") -> pb.GetSessionHealthResponse:
    return await desk.call(HEALTH, pb.GetSessionHealthRequest(session_key=key), pb.GetSessionHealthResponse)


async def on(desk: Desk, *mock_ids: str, key: str = "ci-42") -> None:
    await desk.put(PutSessionRequest(session_key=key, overrides=mock_ids), "overrides")


def codes(found: pb.GetSessionHealthResponse) -> list[str]:
    return [each.code for each in found.findings]


# Of a session


async def test_a_session_whose_mock_has_answered_is_healthy(desk: Desk, recorder: Recorder) -> None:
    await on(desk, "ovr_pay")
    await recorder.mocked()
    found = await health(desk)
    assert (found.healthy, found.session_exists, codes(found)) == (True, True, [])
    (count,) = found.counts
    assert (count.outcome, count.count) == (log_service_pb2.EXCHANGE_OUTCOME_MOCKED, 1)
    record = found.completeness
    assert (record.up_to, record.complete, record.kept) == (1, True, 1)
    assert record.session_id == await recorder.session_id("ci-42")


async def test_a_request_that_missed_by_little_is_told_field_by_field(desk: Desk, recorder: Recorder) -> None:
    await on(desk, "ovr_pay")
    await recorder.came("/api/pays")
    found = await health(desk)
    missed, unused = found.findings
    assert (missed.code, missed.count, list(missed.log_ids)) == ("unmatched", 1, ["log_000001"])
    assert list(missed.mock_ids) == ["ovr_pay"]
    (mismatch,) = missed.mismatches
    assert (mismatch.field, mismatch.expected, mismatch.actual, mismatch.code) == (
        "matcher.path", "is /api/pay", "/api/pays", "differs",
    )  # fmt: skip
    assert (unused.code, list(unused.mock_ids), list(unused.mismatches)) == ("mock_never_used", ["ovr_pay"], [mismatch])


async def test_a_mock_of_the_sessions_own_that_answered_nothing_is_told(desk: Desk, recorder: Recorder) -> None:
    request = PutSessionMockRequest(session_key="ci-42", mock_id="ovr_mine")
    request.mock.name, request.mock.matcher.path = "mine", "/mine"
    await desk.call("SessionMockService.PutSessionMock", request, PutSessionMockResponse)
    await recorder.mocked("ovr_other")
    found = await health(desk)
    assert [(each.code, list(each.mock_ids)) for each in found.findings] == [("mock_never_used", ["ovr_mine"])]


async def test_another_session_with_the_mock_on_is_named(desk: Desk, recorder: Recorder) -> None:
    await on(desk, "ovr_pay", key="ci-41")
    await recorder.came()
    (found,) = (await health(desk)).findings
    assert (found.code, list(found.mock_ids)) == ("would_match_in_session", ["ovr_pay"])
    assert "in session 'ci-41'" in found.message


async def test_a_mock_that_is_not_on_is_named(desk: Desk, recorder: Recorder) -> None:
    await recorder.came()
    (found,) = (await health(desk)).findings
    assert (found.code, list(found.mock_ids)) == ("mock_not_active", ["ovr_pay"])


async def test_a_mock_that_was_switched_on_too_late_is_named(desk: Desk, recorder: Recorder) -> None:
    await recorder.came()
    await on(desk, "ovr_pay")
    first, second = (await health(desk)).findings
    assert (first.code, list(first.mock_ids), second.code) == ("mock_not_active", ["ovr_pay"], "mock_never_used")
    assert "would answer it now, and did not then" in first.message


async def test_a_draft_is_told_to_those_alone_who_may_see_it(desk: Desk, recorder: Recorder) -> None:
    await make(desk, "ovr_draft", "/draft")
    await recorder.came("/draft")
    (found,) = (await health(desk)).findings
    assert (found.code, list(found.mock_ids)) == ("mock_draft", ["ovr_draft"])
    assert (await health(desk.of(await desk.world.make_key(ROLE_CI)))).healthy


async def test_a_mock_whose_time_is_over_is_named(desk: Desk, recorder: Recorder) -> None:
    await make(desk, "ovr_brief", "/brief", lifetime=Lifetime(ttl_ms=60_000))
    await desk.publish("ovr_brief")
    await on(desk, "ovr_brief")
    desk.world.clock.advance(61)
    await recorder.came("/brief")
    found = (await health(desk)).findings[0]
    assert (found.code, list(found.mock_ids)) == ("mock_expired", ["ovr_brief"])
    assert [each.code for each in found.mismatches] == ["expired"]


async def test_what_the_service_answered_and_no_mock_was_meant_for_is_not_odd(desk: Desk, recorder: Recorder) -> None:
    await on(desk, "ovr_pay")
    await recorder.mocked()
    await recorder.came("/quite/another")
    assert (await health(desk)).healthy


async def test_findings_of_exchanges_are_counted(desk: Desk, recorder: Recorder) -> None:
    for _ in range(2):
        await recorder.mocked(findings=("session_header_repeated", "client_gone"))
    found = (await health(desk)).findings
    assert [(each.code, each.count) for each in found] == [("session_header_repeated", 2), ("client_gone", 2)]


async def test_a_record_that_is_not_whole_is_told(desk: Desk, recorder: Recorder) -> None:
    for _ in range(3):
        last = await recorder.mocked()
    desk.world.journal.lose(last.stream, 1, 2)
    found = await health(desk)
    (only,) = found.findings
    assert (only.code, only.count) == ("journal_incomplete", 2)
    assert (found.completeness.complete, found.completeness.kept, found.completeness.up_to) == (False, 1, 3)
    assert [(each.reason, each.count) for each in found.completeness.losses] == [("session_quota", 2)]


async def test_after_the_server_was_killed_the_record_is_doubtful(desk: Desk, recorder: Recorder) -> None:
    last = await recorder.mocked()
    desk.world.journal.doubtful[last.stream] = 1
    desk.world.journal.losses[last.stream][Lost.UNCLEAN_STOP] = 0
    found = await health(desk)
    assert (codes(found), found.completeness.complete) == (["journal_incomplete"], False)


# Of a key that no session has


async def test_a_key_that_nobody_knows_is_told_so(desk: Desk, recorder: Recorder) -> None:
    found = await health(desk, "ci-none")
    assert (found.healthy, found.session_exists, codes(found)) == (False, False, ["no_session"])
    assert (found.completeness.up_to, found.completeness.complete) == (0, True)


async def test_a_session_whose_key_differs_in_case_alone_is_named(desk: Desk, recorder: Recorder) -> None:
    await desk.put(PutSessionRequest(session_key="CI-423"))
    (found,) = (await health(desk, "CI-42")).findings
    assert "There is a session 'ci-42': case counts." in found.message


async def test_requests_of_the_last_minutes_without_any_key_are_a_hint(desk: Desk, recorder: Recorder) -> None:
    await recorder.came(key="")
    desk.world.clock.advance(400)
    assert codes(await health(desk, "ci-none")) == ["no_session"]
    await recorder.came(key="")
    first, second = (await health(desk, "ci-none")).findings
    assert (first.code, second.code, second.count) == ("no_session", "no_session_key", 1)
    assert second.log_ids == ["log_000002"]


async def test_of_a_session_only_those_count_that_came_since_it_was_set(desk: Desk, recorder: Recorder) -> None:
    await recorder.came(key="")
    desk.world.clock.advance(1)
    await on(desk, "ovr_pay")
    assert (await health(desk)).healthy
    await recorder.came(key="")
    assert codes(await health(desk)) == ["no_session_key"]


async def test_requests_whose_key_never_had_a_session_are_counted(desk: Desk, recorder: Recorder) -> None:
    await recorder.came(key="ci-none")
    found = await health(desk, "ci-none")
    (only,) = found.findings
    assert (only.code, only.count, list(only.log_ids)) == ("no_session", 1, ["log_000001"])


async def test_requests_that_came_before_the_session_are_told(desk: Desk, recorder: Recorder) -> None:
    await recorder.came(key="ci-late")
    await desk.put(PutSessionRequest(session_key="ci-late"))
    await recorder.mocked(key="ci-late")
    (only,) = (await health(desk, "ci-late")).findings
    assert (only.code, list(only.log_ids)) == ("no_session", ["log_000001"])


@pytest.mark.parametrize("ends", ["deleted", "expired"])
async def test_of_a_session_that_has_ended_the_last_incarnation_is_told_of(
    desk: Desk, recorder: Recorder, ends: str
) -> None:
    await desk.put(PutSessionRequest(ttl_seconds=60), "ttl_seconds")
    stream = (await recorder.mocked()).stream
    if ends == "deleted":
        await desk.end(DELETE_MODE_DELETE)
    else:
        desk.world.clock.advance(60)
    found = await health(desk)
    assert (found.session_exists, codes(found)) == (False, ["no_session"])
    assert (found.completeness.session_id, found.completeness.up_to) == (stream.session_id, 1)


async def test_an_earlier_incarnation_is_not_told_of(desk: Desk, recorder: Recorder) -> None:
    await recorder.came("/api/pays")
    await desk.end(DELETE_MODE_DELETE)
    await desk.put()
    found = await health(desk)
    assert (found.healthy, len(found.counts), found.completeness.up_to) == (True, 0, 0)


async def test_without_a_key_what_carried_none_is_told_of(desk: Desk, recorder: Recorder) -> None:
    await recorder.came(key="", outcome=ExchangeOutcome.UNMATCHED)
    found = await health(desk, "  ")
    assert (codes(found), found.session_exists) == (["unmatched"], False)
    assert found.completeness.up_to == await last_number(desk, Stream(recorder.environment_id))


async def last_number(desk: Desk, stream: Stream) -> int:
    return (await desk.world.journal.standing(stream)).last_number


# Sessions of the project


async def of_project(desk: Desk) -> ProjectSession:
    """A session of the project in which a flag was evaluated."""
    made = await desk.call(
        "ProjectSessionService.CreateProjectSession",
        CreateProjectSessionRequest(flags='{"a": true}', ttl_seconds=60),
        CreateProjectSessionResponse,
    )
    request = EvaluateRequest(flag_key="a", session_token=made.session.token)
    await desk.call("EvaluationService.Evaluate", request, EvaluateResponse)
    return made.session


async def test_a_session_of_the_project_that_lives_is_healthy(desk: Desk, recorder: Recorder) -> None:
    found = await health(desk, (await of_project(desk)).id)
    assert (found.session_exists, codes(found), [each.count for each in found.counts]) == (True, [], [1])


@pytest.mark.parametrize("evaluated", [True, False])
async def test_requests_that_carry_the_id_of_a_session_of_the_project_are_told(
    desk: Desk, recorder: Recorder, evaluated: bool
) -> None:
    session = await of_project(desk)
    if not evaluated:
        desk.world.journal.exchanges.clear()
    await recorder.came(key=session.id)
    found = await health(desk, session.id)
    (only,) = found.findings
    assert (found.session_exists, only.code, only.count) == (True, "no_session", 1)
    assert "a session of the project" in only.message
    assert "session put" not in only.message


async def test_a_session_of_the_project_that_has_ended_is_told_as_such(desk: Desk, recorder: Recorder) -> None:
    session = await of_project(desk)
    desk.world.clock.advance(60)
    found = await health(desk, session.id)
    (only,) = found.findings
    assert (found.session_exists, only.code) == (False, "no_session")
    assert "of the project has ended" in only.message
    assert "session put" not in only.message


# Within bounds


async def test_no_more_than_the_last_thousand_are_looked_at(desk: Desk, recorder: Recorder) -> None:
    first = await recorder.mocked()
    stream_id = first.session_id
    for number in range(2, LOOKED_AT_MAX + 12):
        desk.world.journal.record(first._replace(id=f"log_{number:06}", session_id=stream_id))
    (count,) = (await health(desk)).counts
    assert count.count == LOOKED_AT_MAX


async def test_evaluations_take_no_place_of_requests(desk: Desk, recorder: Recorder) -> None:
    await on(desk, "ovr_pay")
    first = await recorder.mocked()
    for number in range(2, LOOKED_AT_MAX + 4):
        evaluated = first._replace(id=f"log_{number:06}", outcome=ExchangeOutcome.EVALUATED, mock_id="")
        desk.world.journal.record(evaluated)
    recorder.count = LOOKED_AT_MAX + 3
    await recorder.came("/other")
    found = await health(desk)
    assert (found.healthy, sum(each.count for each in found.counts)) == (True, LOOKED_AT_MAX + 4)


async def test_of_mocks_nothing_is_said_where_evaluations_hide_requests(
    desk: Desk, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("understudy_server.app.record_reading.PASSED_OVER_MAX", 20)
    monkeypatch.setattr("understudy_server.app.health.PASSED_OVER_MAX", 20)
    await on(desk, "ovr_pay")
    first = await recorder.mocked()
    for number in range(2, 23):
        evaluated = first._replace(id=f"log_{number:06}", outcome=ExchangeOutcome.EVALUATED, mock_id="")
        desk.world.journal.record(evaluated)
    recorder.count = 22
    await recorder.came("/other")
    found = await health(desk)
    assert (found.healthy, sum(each.count for each in found.counts)) == (True, 21)


async def test_no_more_than_twenty_requests_are_explained_and_the_rest_is_told_together(
    desk: Desk, recorder: Recorder
) -> None:
    for number in range(EXPLAINED_MAX + 5):
        await recorder.came(f"/{number}", outcome=ExchangeOutcome.UNMATCHED)
    found = await health(desk)
    assert len(found.findings) == EXPLAINED_MAX + 1
    assert found.findings[-1].count == 5
    assert found.findings[-1].message.startswith("5 requests more had no mock")


class SlowExplainer:
    """Counts the questions, each of which is to take three seconds."""

    def __init__(self, explain: Any) -> None:
        self._explain = explain
        self.asked = 0

    async def explain(
        self, subject: Subject, now_ms: int, considered_max: int, drafts: Sequence[Mock] = ()
    ) -> Explanation:
        self.asked += 1
        found: Explanation = await self._explain(subject, now_ms, considered_max, drafts)
        return found


async def test_explaining_ends_when_it_has_taken_its_time(
    desk: Desk, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        await recorder.came(f"/{number}", outcome=ExchangeOutcome.UNMATCHED)
    slow = SlowExplainer(desk.world.explainer.explain)
    monkeypatch.setattr(desk.world.explainer, "explain", slow.explain)
    loop = asyncio.get_running_loop()
    real = loop.time
    monkeypatch.setattr(loop, "time", lambda: real() + 3 * slow.asked)
    found = await health(desk)
    # Slow are the first two: with the second, six seconds have passed.
    monkeypatch.undo()
    assert slow.asked == 2
    assert [each.count for each in found.findings] == [1, 1, 3]


# What explaining one request tells beside


async def test_explaining_a_request_names_drafts_and_other_sessions(desk: Desk, recorder: Recorder) -> None:
    await make(desk, "ovr_draft", "/api/pay")
    await on(desk, "ovr_pay", key="ci-41")
    request = ExplainRequest(request=ExplainedRequest(method="POST", target="/api/pay", session_key="ci-42"))
    found = await desk.call("ExplainService.Explain", request, ExplainResponse)
    assert list(found.drafts) == ["ovr_draft"]
    assert [(each.session_key, each.mock_id) for each in found.elsewhere] == [("ci-41", "ovr_pay")]
    pipeline = desk.of(await desk.world.make_key(ROLE_CI))
    assert list((await pipeline.call("ExplainService.Explain", request, ExplainResponse)).drafts) == []
