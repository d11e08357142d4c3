"""Scopes over the door: made, listed, found by their headers, deleted with all that is theirs."""

import asyncio

import pytest
from support.assertive_door import Door, stub
from understudy.v1 import session_mock_service_pb2 as session_mocks
from understudy.v1 import session_service_pb2 as sessions
from understudy_server.app.sweep import sweep

TWO = {"team-a": "1", "team-b": ""}
AMBIGUOUS = {"detail": "Multiple scope headers matched this request"}


async def test_a_scope_is_made_in_lower_case_and_listed_in_the_order_of_making(door: Door) -> None:
    for name in ("Zoe", "team_A-1", "b"):
        made = await door.post("/__mock__/scopes", {"name": name}, status=201)
        assert made == {"success": True, "name": name.lower()}
        # In the same millisecond, too.
    assert await door.get("/__mock__/scopes") == {"scopes": ["zoe", "team_a-1", "b"]}


async def test_a_scope_that_is_there_is_told_as_it_was_sent(door: Door) -> None:
    await door.make_scope("team-a")
    answer = await door.post("/__mock__/scopes", {"name": "TEAM-a"}, status=409)
    assert answer == {"detail": "Scope 'TEAM-a' already exists"}


async def test_of_many_who_make_the_same_scope_one_does(door: Door) -> None:
    answers = await asyncio.gather(*[door.http.post("/__mock__/scopes", json={"name": "race"}) for _ in range(10)])
    assert sorted(each.status_code for each in answers) == [201] + [409] * 9


@pytest.mark.parametrize("name", ["", "a b", "a/b", "é", "a\n", "a.b"])
async def test_a_name_that_no_header_has_is_refused(door: Door, name: str) -> None:
    (problem,) = (await door.post("/__mock__/scopes", {"name": name}, status=422))["detail"]
    assert problem["type"] == "string_pattern_mismatch"
    assert problem["loc"] == ["body", "name"]
    assert problem["ctx"] == {"pattern": "^[A-Za-z0-9_-]+$"}


async def test_a_name_that_no_session_can_have_is_refused(door: Door) -> None:
    await door.make_scope("a" * 200)
    (problem,) = (await door.post("/__mock__/scopes", {"name": "a" * 201}, status=422))["detail"]
    assert problem["msg"] == "Value error, The name of a scope has at most 200 characters."
    assert (await door.http.delete("/__mock__/scopes/" + "a" * 201)).status_code == 404
    # Nor does a header that is longer find the scope whose name it begins with.
    await door.record(scope="a" * 200)
    assert await door.called("a" * 201) == []


async def test_a_session_that_is_found_by_its_key_is_no_scope_and_keeps_its_name(door: Door) -> None:
    await door.desk.put(sessions.PutSessionRequest(session_key="accept"))
    assert await door.get("/__mock__/scopes") == {"scopes": []}
    assert await door.delete("/__mock__/scopes/accept", status=404)
    answer = await door.post("/__mock__/scopes", {"name": "accept"}, status=409)
    assert answer == {"detail": "Scope 'accept' already exists as a session that is found by its key"}
    # Each request has a header of that name.
    assert await door.make_stub() in await door.stub_ids()


async def test_a_scope_is_a_session_that_a_header_finds_and_that_nobody_ends_for_being_idle(door: Door) -> None:
    await door.make_scope("team-a")
    request = sessions.GetSessionRequest(session_key="team-a")
    found = await door.desk.call("SessionService.GetSession", request, sessions.GetSessionResponse)
    assert found.session.found_by == sessions.FOUND_BY_HEADER_NAME
    world = door.desk.world
    world.clock.advance(100 * 24 * 3600)
    assert await sweep(world.store, world.presence, world.state, world.clock.now_ms, 1000) == 0
    assert await door.get("/__mock__/scopes") == {"scopes": ["team-a"]}


async def test_a_session_that_a_header_finds_is_a_scope_whoever_made_it(door: Door) -> None:
    await door.desk.put(sessions.PutSessionRequest(session_key="ours", found_by=sessions.FOUND_BY_HEADER_NAME))
    assert await door.get("/__mock__/scopes") == {"scopes": ["ours"]}
    await door.delete("/__mock__/scopes/ours")
    assert await door.get("/__mock__/scopes") == {"scopes": []}


async def test_a_scope_goes_with_its_stubs_and_its_calls_and_begins_anew(door: Door) -> None:
    await door.make_scope("team-a")
    await door.make_stub("team-a", path="/mine")
    await door.record("/mine", "team-a")
    assert await door.delete("/__mock__/scopes/TEAM-A") == {"success": True, "name": "team-a"}
    journal = door.desk.world.journal
    assert journal.exchanges == []
    assert await door.get("/__mock__/stubs", "team-a") == {"stubs": []}
    await door.make_scope("team-a")
    assert await door.stub_ids("team-a") == []
    assert await door.called("team-a") == []
    assert await door.post("/__mock__/assert", {}, "team-a") == {"result": False}


async def test_what_an_earlier_scope_has_left_is_not_that_of_a_later_one(door: Door) -> None:
    await door.make_scope("team-a")
    await door.record("/before", "team-a")
    ending = sessions.DeleteSessionRequest(session_key="team-a", mode=sessions.DELETE_MODE_DELETE)
    await door.desk.call("SessionService.DeleteSession", ending, sessions.DeleteSessionResponse)
    await door.make_scope("team-a")
    assert await door.called("team-a") == []
    assert await door.post("/__mock__/assert", {"path": "/before"}, "team-a") == {"result": False}
    await door.record("/after", "team-a")
    assert await door.called("team-a") == ["/after"]


@pytest.mark.parametrize("name", ["Nobody", "a.b", "%C3%A9", "a%20b"])
async def test_a_scope_that_is_not_there_cannot_be_deleted(door: Door, name: str) -> None:
    answer = await door.http.delete(f"/__mock__/scopes/{name}")
    assert answer.status_code == 404
    sent = name.replace("%C3%A9", "é").replace("%20", " ")
    assert answer.json() == {"detail": f"Scope '{sent}' was not found"}


@pytest.mark.parametrize(
    ("method", "path", "payload"),
    [
        ("POST", "/__mock__/stubs", stub()),
        ("GET", "/__mock__/stubs", None),
        ("DELETE", "/__mock__/stubs/any", None),
        ("GET", "/__mock__/requests", None),
        ("POST", "/__mock__/assert", {}),
    ],
)
async def test_headers_of_two_scopes_are_ambiguous(door: Door, method: str, path: str, payload: object) -> None:
    for name in TWO:
        await door.make_scope(name)
    answer = await door.http.request(method, path, headers=TWO, json=payload)
    assert (answer.status_code, answer.json()) == (400, AMBIGUOUS)


async def test_calls_about_scopes_and_pages_do_not_look_at_scope_headers(door: Door) -> None:
    for name in TWO:
        await door.make_scope(name)
    for path in ("/__mock__", "/__mock__/scopes", "/__admin__", "/__admin__/partials/stubs"):
        assert (await door.http.get(path, headers=TWO)).status_code == 200
    assert (await door.http.post("/__mock__/scopes", json={"name": "c"}, headers=TWO)).status_code == 201
    assert (await door.http.delete("/__mock__/scopes/team-b", headers=TWO)).status_code == 200
    # A header of none is a header.
    assert (await door.http.get("/__mock__/stubs", headers=TWO)).status_code == 200


async def test_the_same_header_twice_is_one_scope(door: Door) -> None:
    await door.make_scope("team-a")
    mine = await door.make_stub("team-a")
    answer = await door.http.get("/__mock__/stubs", headers=[("Team-A", "1"), ("TEAM-A", "2")])
    assert [each["stub_id"] for each in answer.json()["stubs"]] == [mine]


async def test_a_stub_for_a_scope_that_is_deleted_meanwhile_is_one_of_none(door: Door) -> None:
    async def delete() -> None:
        ending = sessions.DeleteSessionRequest(session_key="team-a", mode=sessions.DELETE_MODE_DELETE)
        await door.desk.call("SessionService.DeleteSession", ending, sessions.DeleteSessionResponse)

    await door.make_scope("team-a")
    door.backend.before["PutSessionMock"] = delete
    made = await door.make_stub("team-a")
    assert await door.stub_ids() == [made]
    # And no session was left in its place.
    assert await door.desk.code("SessionService.GetSession", sessions.GetSessionRequest(session_key="team-a"))


async def test_a_session_that_takes_a_scopes_place_meanwhile_keeps_what_is_its_own(door: Door) -> None:
    async def replace() -> None:
        ending = sessions.DeleteSessionRequest(session_key="team-a", mode=sessions.DELETE_MODE_DELETE)
        await door.desk.call("SessionService.DeleteSession", ending, sessions.DeleteSessionResponse)
        await door.desk.put(sessions.PutSessionRequest(session_key="team-a", label="mine"))
        await door.desk.put(sessions.PutSessionRequest(session_key="team-a", label="mine still"))

    await door.make_scope("team-a")
    door.backend.before["PutSessionMock"] = replace
    made = await door.make_stub("team-a")
    assert await door.stub_ids() == [made]
    request = session_mocks.ListSessionMocksRequest(session_key="team-a")
    kept = await door.desk.call("SessionMockService.ListSessionMocks", request, session_mocks.ListSessionMocksResponse)
    assert list(kept.mocks) == []


async def test_making_deleting_and_filling_a_scope_at_once_leaves_no_half(door: Door) -> None:
    async def play(number: int) -> int:
        match number % 3:
            case 0:
                answer = await door.http.post("/__mock__/scopes", json={"name": "race"})
            case 1:
                answer = await door.http.delete("/__mock__/scopes/race")
            case _:
                answer = await door.http.post("/__mock__/stubs", json=stub(), headers={"race": "1"})
        return answer.status_code

    statuses = await asyncio.gather(*[play(number) for number in range(60)])
    assert set(statuses) <= {200, 201, 404, 409}
    deleted = sum(status == 200 for status in statuses[1::3])
    made = sum(status == 201 for status in statuses[0::3])
    listed = (await door.get("/__mock__/scopes"))["scopes"]
    assert made - deleted == len(listed)
    # Whatever is there under the name is a scope.
    code = await door.desk.code("SessionService.GetSession", sessions.GetSessionRequest(session_key="race"))
    assert (code == "") is bool(listed)
