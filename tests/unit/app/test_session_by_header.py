"""Sessions that requests find by the name of a header."""

import pytest
from support.desk import Desk
from understudy.v1.session_service_pb2 import (
    DELETE_MODE_DELETE,
    FOUND_BY_HEADER_NAME,
    FOUND_BY_KEY,
    DeleteSessionRequest,
    PutSessionRequest,
)


def scope(name: str) -> PutSessionRequest:
    return PutSessionRequest(session_key=name, found_by=FOUND_BY_HEADER_NAME)


async def test_its_key_is_the_name_of_the_header_in_lower_case(desk: Desk) -> None:
    session = await desk.put(scope("Team-A"))
    assert (session.session_key, session.found_by) == ("team-a", FOUND_BY_HEADER_NAME)


async def test_of_a_session_that_is_found_by_its_key_nothing_is_said(desk: Desk) -> None:
    session = await desk.put(PutSessionRequest(session_key="ci-42", found_by=FOUND_BY_KEY))
    assert not session.HasField("found_by")


async def test_a_later_put_that_does_not_say_leaves_it_as_it_is(desk: Desk) -> None:
    await desk.put(scope("team-a"))
    session = await desk.put(PutSessionRequest(session_key="team-a", label="later"))
    assert (session.label, session.found_by) == ("later", FOUND_BY_HEADER_NAME)


@pytest.mark.parametrize("name", ["team a", "team:a", "größe", "a.b"])
async def test_what_is_no_name_of_a_header_is_refused(desk: Desk, name: str) -> None:
    assert await desk.code("SessionService.PutSession", scope(name)) == "invalid_field"


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (scope("team-a"), PutSessionRequest(session_key="team-a", found_by=FOUND_BY_KEY)),
        (PutSessionRequest(session_key="team-a"), scope("team-a")),
    ],
)
async def test_how_it_is_found_cannot_be_changed(desk: Desk, first: PutSessionRequest, then: PutSessionRequest) -> None:
    await desk.put(first)
    assert await desk.code("SessionService.PutSession", then) == "invalid_field"


async def test_a_session_made_anew_may_be_found_in_another_way(desk: Desk) -> None:
    await desk.put(scope("team-a"))
    request = DeleteSessionRequest(session_key="team-a", mode=DELETE_MODE_DELETE)
    assert await desk.code("SessionService.DeleteSession", request) == ""
    assert not (await desk.put(PutSessionRequest(session_key="team-a"))).HasField("found_by")
