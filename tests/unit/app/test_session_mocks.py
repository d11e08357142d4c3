"""Mocks that a session owns: put whole, seen by it alone, gone with it."""

import pytest
from support.desk import Desk
from understudy.v1 import session_mock_service_pb2 as pb
from understudy.v1.actions_pb2 import Action, Respond
from understudy.v1.matching_pb2 import RequestMatcher
from understudy.v1.mock_service_pb2 import MOCK_STATE_PUBLISHED, Mock
from understudy.v1.session_mock_service_pb2 import SessionMock
from understudy.v1.session_service_pb2 import DELETE_MODE_DELETE, DELETE_MODE_RESET, PutSessionRequest
from understudy.v1.state_pb2 import STATE_SCOPE_CHAIN, Lifetime, MachineStep
from understudy_server.app.session_mocks import MOCKS_MAX
from understudy_server.app.sweep import sweep
from understudy_server.app.times import milliseconds
from understudy_server.core.state import Claim, Owner, Scope

SERVICE = "SessionMockService"


def request(mock: SessionMock, mock_id: str = "ovr_a", key: str = "ci-42", seen: int = 0) -> pb.PutSessionMockRequest:
    return pb.PutSessionMockRequest(session_key=key, mock_id=mock_id, mock=mock, expected_revision=seen)


async def put(desk: Desk, mock: SessionMock | None = None, mock_id: str = "ovr_a", key: str = "ci-42") -> Mock:
    asked = request(mock or SessionMock(), mock_id, key)
    return (await desk.call(f"{SERVICE}.PutSessionMock", asked, pb.PutSessionMockResponse)).mock


async def refused(desk: Desk, mock: SessionMock, mock_id: str = "ovr_a", seen: int = 0) -> tuple[str, str]:
    problem = await desk.refused(f"{SERVICE}.PutSessionMock", request(mock, mock_id, seen=seen))
    return problem.reason, problem.field


async def get(desk: Desk, mock_id: str = "ovr_a", key: str = "ci-42") -> Mock:
    asked = pb.GetSessionMockRequest(session_key=key, mock_id=mock_id)
    return (await desk.call(f"{SERVICE}.GetSessionMock", asked, pb.GetSessionMockResponse)).mock


async def ids(desk: Desk, key: str = "ci-42") -> list[str]:
    asked = pb.ListSessionMocksRequest(session_key=key)
    found = await desk.call(f"{SERVICE}.ListSessionMocks", asked, pb.ListSessionMocksResponse)
    return [each.id for each in found.mocks]


async def delete(desk: Desk, mock_id: str = "ovr_a", key: str = "ci-42") -> str:
    asked = pb.DeleteSessionMockRequest(session_key=key, mock_id=mock_id)
    return await desk.code(f"{SERVICE}.DeleteSessionMock", asked)


async def test_what_is_put_is_on_at_once_and_makes_the_session(desk: Desk) -> None:
    mock = await put(desk, SessionMock(matcher=RequestMatcher(path="/a"), tags=["x", "y", "x"], priority=3))

    assert (mock.id, mock.name, mock.session, mock.state, mock.active, mock.revision) == (
        "ovr_a", "ovr_a", "ci-42", MOCK_STATE_PUBLISHED, True, 1,
    )  # fmt: skip
    assert (list(mock.tags), mock.priority, mock.scenario, mock.managed_by) == (["x", "y"], 3, "", "")
    assert await get(desk) == mock
    assert (await desk.get()).revision == 1


async def test_the_key_is_normalised(desk: Desk) -> None:
    await put(desk, key="  ci-\n42 ")
    assert await ids(desk, "ci-42 ") == ["ovr_a"]


async def test_one_is_replaced_whole(desk: Desk) -> None:
    first = await put(desk, SessionMock(name="one", priority=3, chain="c", lifetime=Lifetime(uses_max=1)))
    desk.world.clock.advance(1)
    second = await put(desk, SessionMock(action=Action(respond=Respond(status=404))))

    assert (second.name, second.priority, second.chain, second.HasField("lifetime")) == ("ovr_a", 0, "", False)
    assert (second.revision, second.created_at) == (2, first.created_at)
    assert milliseconds(second.updated_at) == desk.world.clock.now_ms


async def test_to_put_what_is_so_already_changes_nothing(desk: Desk) -> None:
    first = await put(desk, SessionMock(priority=3, machine=MachineStep(machine="m")))
    desk.world.clock.advance(1)
    assert await put(desk, SessionMock(priority=3, machine=MachineStep(machine="m"))) == first


async def test_a_time_to_live_begins_anew_when_it_is_put_again(desk: Desk) -> None:
    for revision in (1, 2):
        desk.world.clock.advance(60)
        mock = await put(desk, SessionMock(lifetime=Lifetime(ttl_ms=1000)))
        assert (mock.revision, milliseconds(mock.expires_at)) == (revision, desk.world.clock.now_ms + 1000)


async def test_a_revision_that_was_seen_counts(desk: Desk) -> None:
    assert await refused(desk, SessionMock(), seen=1) == ("revision_mismatch", "expected_revision")
    assert not await desk.has_session()
    await put(desk)
    assert await refused(desk, SessionMock(name="b"), seen=2) == ("revision_mismatch", "expected_revision")
    assert await desk.code(f"{SERVICE}.PutSessionMock", request(SessionMock(name="b"), seen=1)) == ""


async def test_sessions_and_the_environment_have_one_of_the_same_id_each(desk: Desk) -> None:
    await desk.library("ovr_a")
    await put(desk, SessionMock(name="mine"))
    await put(desk, SessionMock(name="yours"), key="other")

    found = [(await get(desk)).name, (await get(desk, key="other")).name, (await desk.mock("ovr_a")).name]

    assert found == ["mine", "yours", "ovr_a"]
    assert await desk.mock_ids() == ["ovr_a"]
    assert (await desk.get()).overrides == []


async def test_one_is_removed_and_the_session_stays(desk: Desk) -> None:
    await put(desk)
    await put(desk, mock_id="ovr_b")
    assert await delete(desk) == ""
    assert (await ids(desk), await delete(desk), await desk.has_session()) == (["ovr_b"], "not_found", True)


async def test_what_is_not_there_is_not_found(desk: Desk) -> None:
    asked = pb.GetSessionMockRequest(session_key="ci-42", mock_id="ovr_a")
    listed = pb.ListSessionMocksRequest(session_key="ci-42")
    assert await desk.code(f"{SERVICE}.ListSessionMocks", listed) == "not_found"
    assert (await desk.code(f"{SERVICE}.GetSessionMock", asked), await delete(desk)) == ("not_found", "not_found")
    await desk.put()
    assert await ids(desk) == []
    assert await desk.code(f"{SERVICE}.GetSessionMock", asked) == "not_found"


@pytest.mark.parametrize("mode", [DELETE_MODE_RESET, DELETE_MODE_DELETE])
async def test_they_go_when_the_session_is_reset_or_removed(desk: Desk, mode: int) -> None:
    await put(desk)
    await desk.end(mode)  # type: ignore[arg-type]
    await desk.put()
    assert await ids(desk) == []


async def test_an_expired_session_has_none_and_its_key_begins_without(desk: Desk) -> None:
    await desk.put(PutSessionRequest(ttl_seconds=1))
    await put(desk)
    desk.world.clock.advance(1)

    assert (
        await desk.code(f"{SERVICE}.ListSessionMocks", pb.ListSessionMocksRequest(session_key="ci-42")) == "not_found"
    )
    mock = await put(desk, mock_id="ovr_b")

    assert (await ids(desk), mock.revision, (await desk.get()).HasField("expires_at")) == (["ovr_b"], 1, False)


async def test_they_go_when_the_session_is_swept_away(desk: Desk) -> None:
    await desk.put(PutSessionRequest(ttl_seconds=1))
    await put(desk)
    before = await desk.world.store.load_since(0)
    desk.world.clock.advance(1)
    await sweep(desk.world.store, desk.world.presence, desk.world.state, desk.world.clock.now_ms, 0)
    after = await desk.world.store.load_since(0)
    assert (len(before.session_mocks), len(after.session_mocks)) == (1, 0)


async def test_one_that_comes_again_was_never_used_and_one_that_changes_goes_on(desk: Desk) -> None:
    await put(desk)
    (session,) = (await desk.world.store.load_since(0)).sessions.values()
    assert session
    owner, name = Owner(session.environment_id, Scope.ENVIRONMENT), f"{session.id}/ovr_a"
    desk.world.state.claim(Claim(name, owner))
    desk.world.state.claim(Claim("ovr_a", owner))

    await put(desk, SessionMock(name="b"))
    assert desk.world.state.uses_of(owner, name) == 1
    await delete(desk)
    await put(desk)
    assert (desk.world.state.uses_of(owner, name), desk.world.state.uses_of(owner, "ovr_a")) == (0, 1)


async def test_what_cannot_be_compiled_is_refused_and_makes_no_session(desk: Desk) -> None:
    pattern = RequestMatcher()
    pattern.body.pattern = "("
    chained = SessionMock(lifetime=Lifetime(uses_max=1, uses_per=STATE_SCOPE_CHAIN))
    missing = SessionMock(action=Action(respond=Respond(file="none.txt")))

    assert await refused(desk, SessionMock(matcher=pattern)) == ("invalid_field", "mock.matcher.body.pattern")
    assert await refused(desk, chained) == ("invalid_field", "mock.lifetime.uses_per")
    assert await refused(desk, missing) == ("invalid_field", "mock.action.respond.file")
    assert await refused(desk, SessionMock(tags=["a b"])) == ("invalid_field", "mock.tags[0]")
    assert await refused(desk, SessionMock(), "mine") == ("invalid_field", "mock_id")
    assert not await desk.has_session()


async def test_a_session_owns_a_thousand_at_most(desk: Desk) -> None:
    for number in range(MOCKS_MAX):
        await put(desk, mock_id=f"ovr_{number}")

    assert (await refused(desk, SessionMock(), "ovr_more"))[0] == "session_mocks_full"
    assert (await put(desk, SessionMock(name="b"), "ovr_0")).revision == 2
    assert (await put(desk, mock_id="ovr_more", key="other")).revision == 1
    assert await delete(desk, "ovr_0") == ""
    assert (await put(desk, mock_id="ovr_more")).revision == 1
