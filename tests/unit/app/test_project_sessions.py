"""Sessions of a project: tokens, merged flags, the end."""

import asyncio
import json

import pytest
from support.desk import Desk
from support.dispatching import START_MS, World
from understudy.options.v1.options_pb2 import ROLE_CI
from understudy.v1 import project_session_service_pb2 as pb
from understudy.v1.project_session_service_pb2 import ProjectSession
from understudy_server.app import project_sessions
from understudy_server.app.sweep import sweep


async def create(desk: Desk, **asked: object) -> ProjectSession:
    request = pb.CreateProjectSessionRequest(**asked)  # type: ignore[arg-type]
    made = await desk.call("ProjectSessionService.CreateProjectSession", request, pb.CreateProjectSessionResponse)
    return made.session


async def read(desk: Desk, session: ProjectSession) -> ProjectSession:
    request = pb.GetProjectSessionRequest(session_id=session.id)
    found = await desk.call("ProjectSessionService.GetProjectSession", request, pb.GetProjectSessionResponse)
    return found.session


async def set_flags(desk: Desk, session: ProjectSession, **values: object) -> ProjectSession:
    request = pb.SetProjectSessionFlagsRequest(session_id=session.id, flags=json.dumps(values))
    found = await desk.call("ProjectSessionService.SetProjectSessionFlags", request, pb.SetProjectSessionFlagsResponse)
    return found.session


async def remove(desk: Desk, session: ProjectSession, key: str) -> ProjectSession:
    request = pb.RemoveProjectSessionFlagRequest(session_id=session.id, flag_key=key)
    found = await desk.call(
        "ProjectSessionService.RemoveProjectSessionFlag", request, pb.RemoveProjectSessionFlagResponse
    )
    return found.session


async def gone(desk: Desk, session: ProjectSession) -> bool:
    request = pb.GetProjectSessionRequest(session_id=session.id)
    return await desk.code("ProjectSessionService.GetProjectSession", request) == "not_found"


async def test_a_new_session_has_a_token_an_hour_and_no_flags(desk: Desk) -> None:
    session = await create(desk, label="checkout-e2e")

    assert session.token.startswith(session.id + "_")
    assert len(session.token) == len(session.id) + 33
    assert (session.project, session.label, session.flags, session.revision) == ("checkout", "checkout-e2e", "{}", 1)
    assert session.created_at.ToMilliseconds() == START_MS
    assert session.expires_at.ToMilliseconds() == START_MS + 3_600_000
    assert await read(desk, session) == session


async def test_tokens_differ(desk: Desk) -> None:
    assert len({(await create(desk)).token.rpartition("_")[2] for _ in range(10)}) == 10


@pytest.mark.parametrize("ttl", [86_401, 4_000_000_000])
async def test_a_life_of_more_than_a_day_is_refused(desk: Desk, ttl: int) -> None:
    request = pb.CreateProjectSessionRequest(ttl_seconds=ttl)

    assert await desk.code("ProjectSessionService.CreateProjectSession", request) == "invalid_field"


async def test_flags_are_merged_in_the_order_in_which_they_were_first_set(desk: Desk) -> None:
    session = await create(desk, flags='{"b": 1, "a": 2}')

    merged = await set_flags(desk, session, c=3, b=4)
    less = await set_flags(desk, session, a=None)

    assert (merged.flags, merged.revision) == ('{"b":4,"a":2,"c":3}', 2)
    assert less.flags == '{"b":4,"c":3}'
    assert merged.expires_at == session.expires_at


async def test_the_same_flags_again_are_no_change(desk: Desk) -> None:
    session = await create(desk, flags='{"a": 1}')

    assert (await set_flags(desk, session, a=1)).revision == 1


async def test_a_flag_is_taken_out_whether_it_is_there_or_not(desk: Desk) -> None:
    session = await create(desk, flags='{"batch": true, "__proto__": 1}')

    assert (await remove(desk, session, "batch")).flags == '{"__proto__":1}'
    assert (await remove(desk, session, "batch")).flags == '{"__proto__":1}'


async def test_of_many_changes_at_once_none_is_lost(desk: Desk) -> None:
    session = await create(desk)

    await asyncio.gather(*(set_flags(desk, session, **{f"f{number}": number}) for number in range(100)))

    assert json.loads((await read(desk, session)).flags) == {f"f{number}": number for number in range(100)}


async def test_one_bad_value_refuses_all_and_changes_nothing(desk: Desk) -> None:
    session = await create(desk, flags='{"a": 1}')
    request = pb.SetProjectSessionFlagsRequest(session_id=session.id, flags='{"b": 1, "": 2}')

    assert await desk.code("ProjectSessionService.SetProjectSessionFlags", request) == "invalid_field"
    assert (await read(desk, session)).flags == '{"a":1}'


async def test_a_session_has_room_for_a_thousand_flags(desk: Desk) -> None:
    session = await create(desk, flags=json.dumps({f"f{number}": True for number in range(1000)}))
    request = pb.SetProjectSessionFlagsRequest(session_id=session.id, flags='{"more": true}')

    assert await desk.code("ProjectSessionService.SetProjectSessionFlags", request) == "flags_full"


async def test_what_is_odd_about_flags_is_told_where_they_are_set(desk: Desk) -> None:
    session = await create(desk, flags='{"unheard": 1}')

    assert [each.code for each in session.warnings] == ["unknown_flag"]
    assert not (await read(desk, session)).warnings


async def test_projects_do_not_see_each_others_sessions(desk: Desk, here: World) -> None:
    session = await create(desk)

    assert await gone(Desk(here, "other"), session)


async def test_a_session_is_gone_from_the_millisecond_of_its_end(desk: Desk, here: World) -> None:
    session = await create(desk, ttl_seconds=1)
    here.clock.advance(0.999)
    assert not await gone(desk, session)
    here.clock.advance(0.001)

    assert await gone(desk, session)
    request = pb.SetProjectSessionFlagsRequest(session_id=session.id, flags='{"a": 1}')
    assert await desk.code("ProjectSessionService.SetProjectSessionFlags", request) == "not_found"


async def test_to_delete_a_session_twice_finds_nothing(desk: Desk) -> None:
    request = pb.DeleteProjectSessionRequest(session_id=(await create(desk)).id)

    codes = [await desk.code("ProjectSessionService.DeleteProjectSession", request) for _ in range(2)]

    assert codes == ["", "not_found"]


async def test_lists_have_those_that_live_the_newest_first(desk: Desk, here: World) -> None:
    await create(desk, ttl_seconds=1)
    first, second, third = [(await create(desk)).id for _ in range(3)]
    here.clock.advance(1)

    async def page(token: str) -> pb.ListProjectSessionsResponse:
        request = pb.ListProjectSessionsRequest(page_size=2, page_token=token)
        return await desk.call("ProjectSessionService.ListProjectSessions", request, pb.ListProjectSessionsResponse)

    newer = await page("")
    older = await page(newer.next_page_token)

    assert [each.id for each in (*newer.sessions, *older.sessions)] == [third, second, first]
    assert not older.next_page_token


async def test_a_page_ends_before_it_is_too_long_and_the_next_goes_on(desk: Desk) -> None:
    long = json.dumps({f"f{number}": "x" * 60_000 for number in range(16)})
    made = [(await create(desk, flags=long)).id for _ in range(6)]
    pages, token = list[pb.ListProjectSessionsResponse](), ""
    while not pages or token:
        request = pb.ListProjectSessionsRequest(page_size=1000, page_token=token)
        page = await desk.call("ProjectSessionService.ListProjectSessions", request, pb.ListProjectSessionsResponse)
        pages.append(page)
        token = page.next_page_token

    assert [each.id for page in pages for each in page.sessions] == made[::-1]
    assert [len(page.sessions) for page in pages] == [4, 2]
    assert all(page.ByteSize() < 5 * 1024 * 1024 for page in pages)


async def test_a_project_has_room_for_so_many_that_live(
    desk: Desk, here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project_sessions, "SESSIONS_MAX", 3)
    await create(desk, ttl_seconds=1)
    others = [await create(desk) for _ in range(2)]
    request = pb.CreateProjectSessionRequest()
    assert await desk.code("ProjectSessionService.CreateProjectSession", request) == "project_sessions_full"
    await create(Desk(here, "other"))

    # One that is over leaves room, whether it has been swept away yet or not.
    here.clock.advance(1)
    await create(desk)
    assert await desk.code("ProjectSessionService.CreateProjectSession", request) == "project_sessions_full"
    delete = pb.DeleteProjectSessionRequest(session_id=others[0].id)
    assert await desk.code("ProjectSessionService.DeleteProjectSession", delete) == ""
    await create(desk)


async def test_with_a_key_for_all_projects_the_id_says_which_is_meant(desk: Desk, here: World) -> None:
    session = await create(desk)
    for key in ("", await here.make_key(ROLE_CI)):
        anywhere = Desk(here, "", "", key)
        assert (await read(anywhere, session)).project == "checkout"
        assert (await set_flags(anywhere, session, a=True)).flags == '{"a":true}'
        assert (await remove(anywhere, session, "a")).flags == "{}"
        assert await gone(anywhere, ProjectSession(id="sess_none"))

    delete = pb.DeleteProjectSessionRequest(session_id=session.id)
    assert await anywhere.code("ProjectSessionService.DeleteProjectSession", delete) == ""
    assert await gone(anywhere, session)
    assert await anywhere.code("ProjectSessionService.ListProjectSessions", pb.ListProjectSessionsRequest()) == (
        "project_required"
    )


async def test_with_a_key_for_one_project_the_id_leads_nowhere_else(desk: Desk, here: World) -> None:
    session = await create(desk)

    assert await gone(Desk(here, "", "", await here.make_key(ROLE_CI, "other")), session)
    assert not await gone(Desk(here, "", "", await here.make_key(ROLE_CI, "checkout")), session)


async def test_a_project_that_is_named_beside_the_id_counts(desk: Desk, here: World) -> None:
    session = await create(desk)

    assert await gone(Desk(here, "other", "", await here.make_key(ROLE_CI)), session)


async def test_the_sweep_takes_away_those_that_have_ended(desk: Desk, here: World) -> None:
    await create(desk, ttl_seconds=1)
    kept = await create(desk)
    here.clock.advance(1)

    removed = await sweep(here.store, here.presence, here.state, here.clock(), 0)

    assert removed == 1
    assert await here.store.read(lambda tx: tx.ended_project_sessions(here.clock(), 10)) == []
    assert not await gone(desk, kept)
