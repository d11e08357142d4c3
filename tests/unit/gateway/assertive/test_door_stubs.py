"""Stubs over the door: made, listed as they were asked for, deleted, and what they are to everybody else."""

import asyncio
import uuid
from typing import Any

import pytest
from support.assertive_door import Door, stub
from understudy.v1 import mock_service_pb2 as mocks
from understudy.v1 import session_mock_service_pb2 as session_mocks
from understudy.v1.actions_pb2 import Respond
from understudy.v1.mock_service_pb2 import MOCK_STATE_PUBLISHED, Mock
from understudy.v1.state_pb2 import STATE_SCOPE_ENVIRONMENT, Lifetime
from understudy_gateway.dialects.assertive import mock_view

FULL: dict[str, Any] = {
    "request": {
        "path": "/users/{id}",
        "method": {"$or": {"items": [{"$eq": {"value": "GET"}}, {"$eq": {"value": "PUT"}}]}},
        "headers": {"x-a": "1"},
        "query": {"$key_values": {"key_values": {"a": {"$neq": {"value": "2"}}}}},
        "body": {"$json": {"inner_criteria": {"$eq": {"value": {"a": {"$gt": {"value": 1}}}}}}},
        "host": "shop.example.com",
    },
    "action": {
        "response": {"status_code": "201", "headers": {"X-Number": 7, "Date": "now"}, "body": [1, 1.0, True, "é"]}
    },
    "max_calls": 3,
    "chaos": {"delay": {"base_ms": 5}},
}


async def test_a_stub_has_an_id_like_a_random_uuid(door: Door) -> None:
    made = await door.post("/__mock__/stubs", stub())
    assert made == {"success": True, "stub_id": made["stub_id"]}
    assert uuid.UUID(made["stub_id"]).version == 4
    assert uuid.UUID(made["stub_id"]).variant == uuid.RFC_4122


async def test_a_stub_is_shown_as_it_was_asked_for(door: Door) -> None:
    made = await door.make_stub(**FULL)
    assert await door.get("/__mock__/stubs") == {
        "stubs": [
            {
                "stub_id": made,
                "request": {
                    "method": {"$or": {"items": [{"$eq": {"value": "GET"}}, {"$eq": {"value": "PUT"}}]}},
                    "path": "/users/{id}",
                    "body": FULL["request"]["body"],
                    "headers": {"$key_values": {"key_values": {"x-a": {"$eq": {"value": "1"}}}}},
                    "host": "shop.example.com",
                    "query": FULL["request"]["query"],
                },
                "action": {
                    "response": {
                        "status_code": 201,
                        "headers": {"X-Number": 7, "Date": "now"},
                        "body": [1, 1.0, True, "é"],
                        "template_body": None,
                    },
                    "proxy": None,
                    "sse": None,
                },
                "scope": None,
                "chaos": {"latency": {"base_ms": 5, "jitter_ms": 0}, "faults": {"connection_drop": None}},
            }
        ]
    }


@pytest.mark.parametrize(
    "action",
    [
        {"response": {"status_code": 200, "headers": {}, "body": ""}},
        {"response": {"status_code": 200, "headers": {}, "body": 0}},
        {"response": {"status_code": 200, "headers": {}, "body": {"a": None}}},
        {"response": {"status_code": 200, "headers": {}, "template_body": "{{ request.path }}\n"}},
        {"proxy": {"url": "http://127.0.0.1:1/a?b=1", "headers": {"X-A": "1"}, "timeout": 7}},
        {"sse": {"events": [{"data": ""}, {"data": "a\nb", "event": "e", "id": "", "retry": 0, "delay_ms": 0}]}},
    ],
)
async def test_every_action_comes_back_with_all_of_its_fields(
    door: Door, action: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    await door.make_stub(action=action)
    # From its note, which the server has not made untrue by what it adds to a mock.
    monkeypatch.setattr(mock_view, "view", None)
    ((shown,),) = [(await door.get("/__mock__/stubs"))["stubs"]]
    ((kind, given),) = action.items()
    for name, value in given.items():
        if name != "events":
            assert shown["action"][kind][name] == value
    if kind == "sse":
        unset = {"event": None, "id": None, "retry": None, "delay_ms": None}
        assert shown["action"]["sse"] == {
            "events": [{**unset, **each} for each in given["events"]],
            "default_delay_ms": 0,
        }
    assert [name for name, value in shown["action"].items() if value is not None] == [kind]
    assert shown["chaos"] is None


async def test_without_a_scope_global_stubs_are_listed_and_in_one_its_own_first(door: Door) -> None:
    for name in ("team-a", "team-b"):
        await door.make_scope(name)
    first = await door.make_stub()
    a = await door.make_stub("team-a")
    await door.make_stub("team-b")
    second = await door.make_stub()
    b = await door.make_stub("TEAM-A")
    assert await door.stub_ids() == [first, second]
    assert await door.stub_ids("team-a") == [a, b, first, second]
    shown = (await door.get("/__mock__/stubs", "team-a"))["stubs"]
    assert [each["scope"] for each in shown] == ["team-a", "team-a", None, None]


async def test_stubs_of_one_moment_are_listed_in_the_order_of_making(door: Door) -> None:
    # The clock stands still.
    await door.make_scope("team-a")
    made = [await door.make_stub() for _ in range(20)]
    own = [await door.make_stub("team-a") for _ in range(20)]
    assert await door.stub_ids("team-a") == own + made


async def test_many_at_once_are_all_made(door: Door) -> None:
    await door.make_scope("team-a")
    made = await asyncio.gather(*[door.make_stub("team-a" if number % 2 else "") for number in range(40)])
    assert sorted(await door.stub_ids("team-a")) == sorted(made)


async def test_more_than_a_page_of_stubs_are_listed(door: Door) -> None:
    one = mocks.MockOperation(create=mocks.CreateMockRequest(mock=Mock(id="ovr_x", name="x")))
    for start in range(0, 1200, 300):
        batch = mocks.BatchMocksRequest()
        for number in range(start, start + 300):
            one.create.mock.id = f"ovr_{number:04}"
            batch.operations.append(one)
            batch.operations.add(publish=mocks.PublishMockRequest(mock_id=one.create.mock.id))
            batch.operations.add(activate=mocks.ActivateMockRequest(mock_id=one.create.mock.id))
        await door.desk.call("MockService.BatchMocks", batch, mocks.BatchMocksResponse)
    assert await door.stub_ids() == [f"{number:04}" for number in range(1200)]


async def test_deleting_without_a_scope_takes_global_stubs_only(door: Door) -> None:
    await door.make_scope("team-a")
    everybodys, own = await door.make_stub(), await door.make_stub("team-a")
    assert await door.delete(f"/__mock__/stubs/{own}", status=404) == {"detail": f"Stub '{own}' was not found"}
    assert await door.delete(f"/__mock__/stubs/{everybodys}") == {"success": True, "stub_id": everybodys}
    assert await door.delete(f"/__mock__/stubs/{everybodys}", status=404)
    assert await door.stub_ids("team-a") == [own]


async def test_deleting_in_a_scope_takes_its_own_and_global_ones_but_no_others(door: Door) -> None:
    for name in ("team-a", "team-b"):
        await door.make_scope(name)
    everybodys, own, others = await door.make_stub(), await door.make_stub("team-a"), await door.make_stub("team-b")
    assert await door.delete(f"/__mock__/stubs/{others}", "team-a", status=404)
    for each in (own, everybodys):
        await door.delete(f"/__mock__/stubs/{each}", "team-a")
    assert await door.stub_ids("team-a") == []
    assert await door.stub_ids("team-b") == [others]


@pytest.mark.parametrize("stub_id", ["nobody", "%C3%A9", "a%20b", "a" * 100, "x--", "%FF", "ovr_x"])
async def test_a_stub_that_is_not_there_cannot_be_deleted(door: Door, stub_id: str) -> None:
    answer = await door.http.delete(f"/__mock__/stubs/{stub_id}")
    assert answer.status_code == 404
    assert answer.json()["detail"].endswith("' was not found")


async def test_a_global_stub_is_a_mock_that_is_on_for_all(door: Door) -> None:
    made = await door.make_stub(max_calls=2, request={"path": "/hello", "method": "GET"})
    request = mocks.GetMockRequest(mock_id=f"ovr_{made}")
    mock = (await door.desk.call("MockService.GetMock", request, mocks.GetMockResponse)).mock
    assert (mock.name, mock.state, mock.active) == ("GET /hello", MOCK_STATE_PUBLISHED, True)
    assert mock.lifetime == Lifetime(uses_max=2, uses_per=STATE_SCOPE_ENVIRONMENT)


async def test_a_scoped_stub_is_a_mock_of_the_session_that_the_scope_is(door: Door) -> None:
    await door.make_scope("team-a")
    made = await door.make_stub("team-a", path="/hello")
    request = session_mocks.ListSessionMocksRequest(session_key="team-a")
    listed = await door.desk.call(
        "SessionMockService.ListSessionMocks", request, session_mocks.ListSessionMocksResponse
    )
    assert [(each.id, each.name) for each in listed.mocks] == [(f"ovr_{made}", "* /hello")]


async def test_a_draft_and_a_mock_that_is_switched_off_are_no_stubs(door: Door) -> None:
    made = await door.make_stub()
    switching = mocks.DeactivateMockRequest(mock_id=f"ovr_{made}")
    await door.desk.call("MockService.DeactivateMock", switching, mocks.DeactivateMockResponse)
    draft = mocks.CreateMockRequest(mock=Mock(id="ovr_draft", name="draft"))
    await door.desk.call("MockService.CreateMock", draft, mocks.CreateMockResponse)
    assert await door.stub_ids() == []
    for each in (made, "draft"):
        await door.delete(f"/__mock__/stubs/{each}", status=404)


async def test_a_stub_that_was_changed_elsewhere_is_shown_as_it_is_now(door: Door) -> None:
    made = await door.make_stub(path="/hello")
    change = mocks.UpdateMockRequest(mock_id=f"ovr_{made}")
    change.mock.action.respond.CopyFrom(Respond(status=418, json='{"a":1}'))
    change.update_mask.paths.append("action")
    await door.desk.call("MockService.UpdateMock", change, mocks.UpdateMockResponse)
    ((shown,),) = [(await door.get("/__mock__/stubs"))["stubs"]]
    assert shown["request"]["path"] == "/hello"
    assert shown["action"]["response"] == {"status_code": 418, "headers": {}, "body": {"a": 1}, "template_body": None}


async def test_a_mock_made_elsewhere_is_a_stub_too(door: Door) -> None:
    put = session_mocks.PutSessionMockRequest(session_key="team-a", mock_id="ovr_mine")
    put.mock.matcher.method, put.mock.matcher.path = "GET", "/cart"
    await door.make_scope("team-a")
    await door.desk.call("SessionMockService.PutSessionMock", put, session_mocks.PutSessionMockResponse)
    ((shown,),) = [(await door.get("/__mock__/stubs", "team-a"))["stubs"]]
    assert (shown["stub_id"], shown["scope"]) == ("mine", "team-a")
    assert (shown["request"]["method"], shown["request"]["path"]) == ("GET", "/cart")
    assert await door.delete("/__mock__/stubs/mine", "team-a") == {"success": True, "stub_id": "mine"}


async def test_a_large_stub_is_made_and_shown_whole(door: Door) -> None:
    body, wanted = "b" * 1_000_000, [{"$eq": {"value": "c" * 60_000}} for _ in range(10)]
    await door.make_stub(
        request={"body": {"$or": {"items": wanted}}},
        action={"response": {"status_code": 200, "headers": {}, "body": body}},
    )
    ((shown,),) = [(await door.get("/__mock__/stubs"))["stubs"]]
    assert shown["action"]["response"]["body"] == body
    assert shown["request"]["body"] == {"$or": {"items": wanted}}


async def test_a_template_that_is_none_is_taken_and_fails_when_it_is_called(door: Door) -> None:
    for template in ("{% bad %}", "{{", "{{ nope }}"):
        await door.make_stub(action={"response": {"status_code": 200, "headers": {}, "template_body": template}})
    await door.make_stub(action={"sse": {"events": [{"data": "{% bad %}", "id": "{{", "event": "{{ 1 + }}"}]}})
    assert len(await door.stub_ids()) == 4
