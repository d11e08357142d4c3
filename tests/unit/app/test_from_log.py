"""A draft made of a recorded exchange: whose it is, where the log must be, and what refuses it."""

from typing import Any

import pytest
from support.desk import Desk
from understudy.options.v1.options_pb2 import ROLE_ADMIN, ROLE_EDITOR
from understudy.v1.mock_service_pb2 import (
    MOCK_STATE_DRAFT,
    CreateMockFromLogRequest,
    CreateMockFromLogResponse,
    GetMockRequest,
    Mock,
)
from understudy.v1.project_service_pb2 import UpdateEnvironmentRequest, UpdateEnvironmentResponse
from understudy_server.core.exchange import Captured, Exchange

CREATE = "MockService.CreateMockFromLog"


@pytest.fixture
async def log(desk: Desk) -> Exchange:
    """An exchange of checkout/staging."""
    return await record(desk)


async def record(desk: Desk, **changes: Any) -> Exchange:
    async def place(tx: Any) -> tuple[str, str]:
        project = await tx.project(desk.project)
        environment = await tx.environment(project.id, desk.environment)
        return project.id, environment.id

    project_id, environment_id = await desk.world.store.read(place)
    made = Exchange(
        id="log_1",
        project_id=project_id,
        environment_id=environment_id,
        session_key="ci-42",
        session_id="",
        method="POST",
        path="/api/pay",
        query="retry=1",
        status=402,
        started_at_ms=0,
        duration_ms=1,
        mock_id="",
        request_headers=(),
        response_headers=((b"content-type", b"application/json"), (b"access-control-allow-origin", b"https://a.test")),
        request_body=None,
        response_body=Captured(b'{"error":"card_declined"}', 25, "application/json"),
    )._replace(**changes)
    desk.world.journal.exchanges.append(made)
    return made


async def create(desk: Desk, log_id: str, **fields: str) -> Mock:
    request = CreateMockFromLogRequest(log_id=log_id, **fields)
    return (await desk.call(CREATE, request, CreateMockFromLogResponse)).mock


async def test_a_draft_answers_as_the_exchange_was_answered(desk: Desk, log: Exchange) -> None:
    mock = await create(desk, log.id)

    assert mock == await desk.mock(mock.id)
    assert (mock.name, mock.state, mock.revision) == ("POST /api/pay", MOCK_STATE_DRAFT, 1)
    assert (mock.matcher.method, mock.matcher.path, mock.matcher.query["retry"].equals) == ("POST", "/api/pay", "1")
    assert (mock.action.respond.status, mock.action.respond.json) == (402, '{"error":"card_declined"}')
    assert [each.name for each in mock.action.respond.headers] == ["content-type"]


async def test_id_and_name_can_be_chosen(desk: Desk, log: Exchange) -> None:
    mock = await create(desk, log.id, mock_id="ovr_declined", name="Declined")

    assert (mock.id, mock.name) == ("ovr_declined", "Declined")


async def test_the_draft_is_the_callers(desk: Desk, log: Exchange) -> None:
    key, other = await desk.world.make_key(ROLE_EDITOR), await desk.world.make_key(ROLE_EDITOR)
    admin = await desk.world.make_key(ROLE_ADMIN)

    mock = await create(desk.of(key), log.id)

    request = GetMockRequest(mock_id=mock.id)
    codes = [await desk.of(each).code("MockService.GetMock", request) for each in (key, other, admin)]
    assert codes == ["", "not_found", ""]


async def test_the_exchange_stays_as_it_is(desk: Desk, log: Exchange) -> None:
    await create(desk, log.id)

    assert desk.world.journal.exchanges == [log]


async def test_headers_for_pages_are_kept_where_the_environment_leaves_answers_alone(desk: Desk, log: Exchange) -> None:
    request = UpdateEnvironmentRequest()
    request.changes.cors.leave_answers = True
    await desk.call("ProjectService.UpdateEnvironment", request, UpdateEnvironmentResponse)

    mock = await create(desk, log.id)

    assert [each.name for each in mock.action.respond.headers] == ["content-type", "access-control-allow-origin"]


@pytest.mark.parametrize("log_id", ["log_none", "x" * 64])
async def test_an_unknown_log_is_not_found(desk: Desk, log: Exchange, log_id: str) -> None:
    problem = await desk.refused(CREATE, CreateMockFromLogRequest(log_id=log_id))

    assert (problem.reason, problem.field) == ("not_found", "log_id")


@pytest.mark.parametrize(("project", "environment"), [("checkout", "qa"), ("other", "staging")])
async def test_a_log_of_another_environment_is_not_found(
    desk: Desk, log: Exchange, project: str, environment: str
) -> None:
    problem = await Desk(desk.world, project, environment).refused(CREATE, CreateMockFromLogRequest(log_id=log.id))

    assert (problem.reason, problem.field) == ("not_found", "log_id")


async def test_an_id_that_is_taken_is_refused_by_its_own_name(desk: Desk, log: Exchange) -> None:
    await desk.library("ovr_pay")

    problem = await desk.refused(CREATE, CreateMockFromLogRequest(log_id=log.id, mock_id="ovr_pay"))

    assert (problem.reason, problem.field, problem.given) == ("already_exists", "mock_id", "ovr_pay")


async def test_a_body_that_was_not_kept_whole_is_refused_and_nothing_is_made(desk: Desk) -> None:
    log = await record(desk, response_body=Captured(b"{", 300_000))

    problem = await desk.refused(CREATE, CreateMockFromLogRequest(log_id=log.id))

    assert (problem.reason, problem.field) == ("body_not_kept", "log_id")
    assert "only 1 of 300000 bytes" in problem.message
    assert "captured_bytes_max" in problem.message
    assert await desk.mock_ids() == []
