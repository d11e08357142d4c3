"""Evaluation in sessions that requests find by the name of a header."""

import json

import pytest
from support.desk import Desk
from support.dispatching import World
from understudy.v1 import evaluation_service_pb2 as pb
from understudy.v1.evaluation_service_pb2 import RequestHeader
from understudy.v1.project_service_pb2 import PROFILE_ASSERTIVE, CreateEnvironmentRequest, UpdateEnvironmentRequest
from understudy.v1.session_service_pb2 import (
    DELETE_MODE_DELETE,
    FOUND_BY_HEADER_NAME,
    FreezeSessionRequest,
    FreezeSessionResponse,
    PutSessionRequest,
    UnfreezeSessionRequest,
    UnfreezeSessionResponse,
)


@pytest.fixture
async def assertive(here: World) -> Desk:
    """An environment of Assertive's."""
    request = CreateEnvironmentRequest(project="checkout")
    request.environment.slug, request.environment.profile = "assertive", PROFILE_ASSERTIVE
    await here.call("ProjectService.CreateEnvironment", request)
    return Desk(here, environment="assertive")


async def scope(desk: Desk, name: str = "team-a", **fields: object) -> None:
    """A session that is found by a header of that name, and sets the flag to it."""
    request = PutSessionRequest(
        session_key=name,
        found_by=FOUND_BY_HEADER_NAME,
        flags=json.dumps({"f": name}),
        **fields,  # type: ignore[arg-type]
    )
    await desk.put(request)


async def found(desk: Desk, *names: str, **asked: str) -> str:
    """The session that is found for a request with headers of these names."""
    headers = [RequestHeader(name=name, value="1") for name in names]
    request = pb.EvaluateRequest(flag_key="f", headers=headers, **asked)
    return (await desk.call("EvaluationService.Evaluate", request, pb.EvaluateResponse)).session_key


async def test_a_header_of_its_name_in_any_case_finds_it(desk: Desk) -> None:
    await scope(desk)
    assert await found(desk, "Accept", "Team-A") == "team-a"
    assert await found(desk, "accept") == ""


async def test_it_is_found_from_the_next_evaluation_on_and_no_more_when_it_has_gone(desk: Desk) -> None:
    assert await found(desk, "team-a") == ""
    await scope(desk)
    assert await found(desk, "team-a") == "team-a"
    await desk.end(DELETE_MODE_DELETE, "team-a")
    assert await found(desk, "team-a") == ""


async def test_an_expired_one_is_not_found(desk: Desk) -> None:
    await scope(desk, ttl_seconds=60)
    desk.world.clock.advance(60)
    assert await found(desk, "team-a") == ""


async def test_of_two_none_is_chosen(desk: Desk) -> None:
    await scope(desk)
    await scope(desk, "team-b")
    assert await found(desk, "team-a", "team-b") == ""


async def test_another_environment_does_not_know_it(desk: Desk, assertive: Desk) -> None:
    await scope(desk)
    assert await found(assertive, "team-a") == ""


@pytest.mark.parametrize("carried", [{"session_key": "gone"}, {"baggage": "run=gone"}])
async def test_a_key_goes_before_even_when_it_is_no_sessions(
    desk: Desk, assertive: Desk, carried: dict[str, str]
) -> None:
    for each in (desk, assertive):
        request = UpdateEnvironmentRequest(project="checkout", environment=each.environment)
        request.changes.carriers.add().baggage = "run"
        await desk.world.call("ProjectService.UpdateEnvironment", request)
        await scope(each)
    assert await found(desk, "team-a", **carried) == ""
    # To Assertive that is a header like any other.
    assert await found(assertive, "team-a", **carried) == "team-a"


async def test_the_session_of_a_key_goes_before(desk: Desk, assertive: Desk) -> None:
    for each in (desk, assertive):
        await scope(each)
        await each.put()
        assert await found(each, "team-a", session_key="ci-42") == "ci-42"


async def test_a_token_that_means_nothing_is_no_key(desk: Desk) -> None:
    await scope(desk)
    assert await found(desk, "team-a", session_token="sess_none_x") == "team-a"
    assert await found(desk, "team-a", "x-flagbridge-session") == "team-a"


async def test_it_is_frozen_and_let_go_of_by_its_name_in_any_case(desk: Desk) -> None:
    await scope(desk)
    request = FreezeSessionRequest(session_key="Team-A")
    frozen = await desk.call("SessionService.FreezeSession", request, FreezeSessionResponse)
    assert (frozen.session.session_key, frozen.session.found_by) == ("team-a", FOUND_BY_HEADER_NAME)
    assert (await desk.get("team-a")).HasField("frozen_at")
    let_go = UnfreezeSessionRequest(session_key="TEAM-A")
    await desk.call("SessionService.UnfreezeSession", let_go, UnfreezeSessionResponse)
    assert not (await desk.get("team-a")).HasField("frozen_at")


async def test_a_session_that_is_found_by_its_key_is_frozen_by_that_very_key(desk: Desk) -> None:
    await scope(desk)
    await desk.put(PutSessionRequest(session_key="TEAM-A"))
    await desk.call("SessionService.FreezeSession", FreezeSessionRequest(session_key="TEAM-A"), FreezeSessionResponse)
    assert not (await desk.get("team-a")).HasField("frozen_at")
    await desk.call("SessionService.FreezeSession", FreezeSessionRequest(session_key="CI-7"), FreezeSessionResponse)
    assert await desk.has_session("CI-7")
