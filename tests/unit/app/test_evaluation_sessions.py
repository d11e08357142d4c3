"""Evaluation: which session counts."""

from collections.abc import Sequence

import pytest
from support.desk import Desk
from support.dispatching import World
from support.evaluating import NOT_FOUND, OVERRIDE, answer, evaluate, project_session, put
from understudy.v1 import evaluation_service_pb2 as pb
from understudy.v1.project_service_pb2 import UpdateEnvironmentRequest
from understudy.v1.project_session_service_pb2 import DeleteProjectSessionRequest
from understudy.v1.session_service_pb2 import FOUND_BY_HEADER_NAME, PutSessionRequest


async def carriers(here: World, *baggage: str) -> None:
    request = UpdateEnvironmentRequest(project="checkout", environment="staging")
    for each in baggage:
        request.changes.carriers.add().baggage = each
    await here.call("ProjectService.UpdateEnvironment", request)


async def test_an_expired_session_counts_no_more_from_that_very_millisecond(desk: Desk, here: World) -> None:
    await desk.put(PutSessionRequest(flags='{"a": 1}', ttl_seconds=1))
    here.clock.advance(0.999)
    assert (await evaluate(desk, "a", session_key="ci-42")).reason == OVERRIDE
    here.clock.advance(0.001)

    assert (await evaluate(desk, "a", session_key="ci-42")).reason == NOT_FOUND


async def test_a_token_finds_a_session_of_the_project_in_every_environment(desk: Desk, here: World) -> None:
    session = await project_session(desk, flags='{"a": "green"}')

    for place in (desk, Desk(here, environment="qa")):
        found = await answer(place, "a", session_token=session.token)
        assert (found.evaluation.value, found.session_key) == ('"green"', session.id)
    assert (await evaluate(Desk(here, "other"), "a", session_token=session.token)).reason == NOT_FOUND


@pytest.mark.parametrize("wrong", ["{id}", "{token}x", "{id}_", "sess_none_x", "_", "é"])
async def test_what_is_not_the_token_finds_nothing_and_fails_nothing(desk: Desk, wrong: str) -> None:
    session = await project_session(desk, flags='{"a": 1}')

    token = wrong.format(id=session.id, token=session.token)

    assert (await evaluate(desk, "a", session_token=token)).reason == NOT_FOUND


async def test_a_session_without_a_secret_is_found_by_its_id(desk: Desk) -> None:
    session = await project_session(desk, flags='{"a": 1}', without_secret=True)

    assert session.token == session.id
    assert (await evaluate(desk, "a", session_token=session.id)).value == "1"


async def test_a_project_session_that_ended_counts_no_more(desk: Desk, here: World) -> None:
    deleted, expired = [await project_session(desk, flags='{"a": 1}', ttl_seconds=5) for _ in range(2)]
    request = DeleteProjectSessionRequest(project="checkout", session_id=deleted.id)
    await here.call("ProjectSessionService.DeleteProjectSession", request)
    here.clock.advance(5)

    found = [(await evaluate(desk, "a", session_token=each.token)).reason for each in (deleted, expired)]

    assert found == [NOT_FOUND, NOT_FOUND]


async def test_any_carrier_may_hold_a_key_or_a_token(desk: Desk, here: World) -> None:
    await carriers(here, "run")
    await put(desk, {"a": 1})
    token = (await project_session(desk, flags='{"a": 2}')).token

    def sent(name: str, value: str) -> Sequence[pb.RequestHeader]:
        return [pb.RequestHeader(name="accept", value="*/*"), pb.RequestHeader(name=name, value=value)]

    for text, value in (("ci-42", "1"), (token, "2")):
        for asked in (
            {"session_key": text},
            {"session_token": text},
            {"baggage": f"x=1,run={text}"},
            {"headers": sent("X-FlowMock-Session", text)},
            {"headers": sent("X-FlagBridge-Session", text)},
            {"headers": sent("Baggage", f"run={text}")},
        ):
            assert (await evaluate(desk, "a", **asked)).value == value, asked


async def test_the_first_session_that_lives_counts(desk: Desk) -> None:
    await put(desk, {"a": 1})
    token = (await project_session(desk, flags='{"a": 2}')).token

    both = await evaluate(desk, "a", session_key="ci-42", session_token=token)
    one = await evaluate(desk, "a", session_key="ci-42", session_token="gone")

    assert (both.value, one.value) == ("2", "1")


async def test_a_session_that_is_found_by_a_header_is_found_by_no_key(desk: Desk) -> None:
    await desk.put(PutSessionRequest(session_key="accept", found_by=FOUND_BY_HEADER_NAME, flags='{"a": 1}'))

    assert (await evaluate(desk, "a", session_key="accept")).reason == NOT_FOUND
