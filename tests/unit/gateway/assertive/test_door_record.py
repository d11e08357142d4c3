"""What was called, over the door: listed, and asserted."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from support.assertive_door import Door
from understudy.v1 import session_service_pb2 as sessions
from understudy.v1.log_service_pb2 import DeleteLogsRequest, DeleteLogsResponse
from understudy_gateway.dialects.assertive import asserting, counts, times
from understudy_gateway.dialects.assertive.record import LATEST
from understudy_server.core.exchange import Captured, Exchange
from understudy_server.core.record import ExchangeOutcome, Lost, Stream

MINE = {"path": "/mine"}


@pytest.fixture
def numbers_read(door: Door, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of all calls that are read of the journal, as they are read."""
    journal = door.desk.world.journal
    read = journal.read
    numbers: list[int] = []

    async def noting(stream: Stream, after: int, limit: int) -> Sequence[Exchange]:
        found = await read(stream, after, limit)
        numbers.extend(each.number for each in found)
        return found

    monkeypatch.setattr(journal, "read", noting)
    return numbers


async def called_so_often(door: Door, count: int, scope: str = "") -> bool:
    answer = await door.post("/__mock__/assert", {**MINE, "times": count}, scope)
    return bool(answer["result"])


async def test_a_call_is_listed_with_its_parts(door: Door) -> None:
    await door.make_scope("team-a")
    headers = ((b"Host", b"Shop.example.com:8910"), (b"Team-A", b"1"))
    await door.record("/users/a%20b?a=1", "team-a", "ovr_x", headers=headers, body=b'{"a": 1}')
    assert await door.get("/__mock__/requests", "team-a") == {
        "requests": [
            {
                "method": "POST",
                "path": "/users/a b",
                "query": {"a": "1"},
                "headers": {"host": "Shop.example.com:8910", "team-a": "1"},
                "body": '{"a": 1}',
                "host": "shop.example.com",
                "scope": "team-a",
                "matched_stub_id": "x",
            }
        ]
    }


async def test_an_evaluation_of_flags_in_a_scope_is_no_call(door: Door) -> None:
    await door.make_scope("team-a")
    await door.record("/mine", "team-a")
    journal = door.desk.world.journal
    (call,) = journal.exchanges
    evaluated = call._replace(method="EVALUATE", path="/flags/a", outcome=ExchangeOutcome.EVALUATED)
    for number in range(2, 2 + LATEST):
        journal.record(evaluated._replace(id=f"log_{number:08}"))
    assert await door.called("team-a") == ["/mine"]
    page = (await door.http.get("/__admin__/scopes/team-a")).text
    assert ("/mine" in page, "/flags/a" in page) == (True, False)


async def test_nothing_was_called(door: Door) -> None:
    assert await door.get("/__mock__/requests") == {"requests": []}
    assert await door.post("/__mock__/assert", {}) == {"result": False}
    assert await door.post("/__mock__/assert", {"times": 0}) == {"result": True}


async def test_in_a_scope_its_own_calls_come_first_and_without_one_only_those_of_none(door: Door) -> None:
    for name in ("team-a", "team-b"):
        await door.make_scope(name)
    for target, scope in (("/1", ""), ("/2", "team-a"), ("/3", "team-b"), ("/4", ""), ("/5", "team-a")):
        await door.record(target, scope)
    assert await door.called("team-a") == ["/2", "/5", "/1", "/4"]
    assert await door.called() == ["/1", "/4"]


async def test_calls_of_other_sessions_are_not_seen(door: Door) -> None:
    await door.desk.put(sessions.PutSessionRequest(session_key="ci-42"))
    await door.record("/theirs", "ci-42")
    assert await door.called() == []
    assert await door.post("/__mock__/assert", {"path": "/theirs"}) == {"result": False}


async def test_bodies_that_are_no_text_do_not_break_the_list(door: Door) -> None:
    await door.record(body=b"\xff\xfea")
    assert [each["body"] for each in (await door.get("/__mock__/requests"))["requests"]] == ["\ufffd\ufffda"]


async def test_a_long_list_is_whole(door: Door) -> None:
    for number in range(300):
        await door.record(f"/{number}", body=b"x" * 1_000)
    assert await door.called() == [f"/{number}" for number in range(300)]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"path": "/a"}, True),
        ({"path": "/a", "method": "POST"}, True),
        ({"path": "/a", "method": "GET"}, False),
        ({"path": "/{id}"}, False),
        ({"path": {"$regex": {"pattern": "/[ab]$"}}}, True),
        ({"headers": {"x-a": "1"}}, True),
        ({"headers": {"X-A": "1"}}, False),
        ({"query": {"q": "1"}}, True),
        ({"query": {"q": 1}}, False),
        ({"body": {"$json": {"inner_criteria": {"n": {"$gt": {"value": 1}}}}}}, True),
        ({"host": "shop"}, True),
        ({"path": "/a b/é"}, True),
        ({"path": "/a%20b/%C3%A9"}, False),
        ({"times": 3}, True),
        ({"times": 1}, False),
        ({"times": "3"}, False),
        ({"path": "/a", "times": {"$eq": {"value": 1}}}, True),
        ({"path": "/c", "times": {"$lt": {"value": 1}}}, True),
        ({}, True),
    ],
)
async def test_an_assertion_counts_the_calls_that_fit(door: Door, asked: dict[str, Any], expected: bool) -> None:
    headers = ((b"host", b"Shop:8910"), (b"X-A", b"1"))
    await door.record("/a?q=1", headers=headers, body=b'{"n": 2}')
    for target in ("/b", "/a%20b/%C3%A9"):
        await door.record(target)
    assert await door.post("/__mock__/assert", asked) == {"result": expected}


async def test_in_a_scope_its_own_calls_and_those_of_none_are_counted_together(door: Door) -> None:
    for name in ("team-a", "team-b"):
        await door.make_scope(name)
    for scope in ("", "", "team-a", "team-b", "team-b", "team-b"):
        await door.record("/mine", scope)
    assert await door.post("/__mock__/assert", {**MINE, "times": 3}, "team-a") == {"result": True}
    assert await door.post("/__mock__/assert", {**MINE, "times": 2}) == {"result": True}
    assert await door.post("/__mock__/assert", {**MINE, "times": 5}, "team-b") == {"result": True}


async def test_what_is_not_on_record_any_more_is_not_guessed(door: Door) -> None:
    for _ in range(3):
        await door.record("/mine")
    stream = await door.stream()
    door.desk.world.journal.lose(stream, 1, reason=Lost.SESSION_QUOTA)
    # There are two, and may have been three.
    assert await door.post("/__mock__/assert", MINE) == {"result": True}
    assert await door.post("/__mock__/assert", {**MINE, "times": 0}) == {"result": False}
    answer = await door.post("/__mock__/assert", {**MINE, "times": 2}, status=500)
    assert answer == {"detail": "It cannot be told: calls, or the whole of their bodies, are not on record any more."}


async def test_a_body_that_was_not_kept_whole_decides_nothing_unless_it_makes_no_difference(door: Door) -> None:
    await door.record("/mine", body=Captured(b"beginn", 1_000_000, "text/plain"))
    await door.post("/__mock__/assert", {"body": "beginning"}, status=500)
    assert await door.post("/__mock__/assert", {"body": "beginning", "path": "/other"}) == {"result": False}
    await door.record("/mine", body=b"beginning")
    assert await door.post("/__mock__/assert", {"body": "beginning"}) == {"result": True}


async def test_it_takes_no_longer_with_a_thousand_scopes(door: Door) -> None:
    """What a call costs follows from its own headers: nobody's list is looked through."""
    await door.make_scope("team-a")
    await door.make_stub("team-a")
    before = len(door.backend.called)
    await door.get("/__mock__/stubs", "team-a")
    few = len(door.backend.called) - before
    for number in range(50):
        await door.make_scope(f"other-{number}")
    before = len(door.backend.called)
    await door.get("/__mock__/stubs", "team-a")
    assert len(door.backend.called) - before == few


async def test_what_was_judged_once_is_not_judged_again(door: Door, numbers_read: list[int]) -> None:
    for name in ("team-a", "team-b"):
        await door.make_scope(name)
    for _ in range(30):
        await door.record("/mine")
    assert await called_so_often(door, 30)
    assert len(numbers_read) == 30
    numbers_read.clear()
    for target in ("/mine", "/other"):
        await door.record(target)
    await door.record("/mine", "team-a")
    assert await called_so_often(door, 32, "team-a")
    assert await called_so_often(door, 31, "team-b")
    assert await called_so_often(door, 31)
    assert sorted(numbers_read) == [1, 31, 32]


async def test_what_was_removed_on_purpose_is_not_counted_any_more(door: Door) -> None:
    for _ in range(3):
        await door.record("/mine")
    assert await called_so_often(door, 3)
    await door.desk.call("LogService.DeleteLogs", DeleteLogsRequest(session_key=" "), DeleteLogsResponse)
    assert await called_so_often(door, 0)
    # As many as there were.
    for _ in range(3):
        await door.record("/mine")
    await door.record("/other")
    assert await called_so_often(door, 3)


async def test_what_was_lost_since_it_was_counted_is_not_guessed(door: Door) -> None:
    for _ in range(3):
        await door.record("/mine")
    assert await called_so_often(door, 3)
    door.desk.world.journal.lose(await door.stream(), 1)
    await door.record("/mine")
    await door.post("/__mock__/assert", {**MINE, "times": 3}, status=500)
    assert await door.post("/__mock__/assert", {**MINE, "times": {"$gte": {"value": 3}}}) == {"result": True}


async def test_bodies_that_could_not_be_judged_stay_so(door: Door) -> None:
    await door.record("/mine", body=Captured(b"beginn", 1_000_000, "text/plain"))
    for _ in range(2):
        await door.post("/__mock__/assert", {"body": "beginning", "times": 0}, status=500)
    assert await door.post("/__mock__/assert", {"body": "beginning", "times": 2}) == {"result": False}


async def test_a_scope_that_is_made_anew_is_counted_anew(door: Door) -> None:
    await door.make_scope("team-a")
    for _ in range(2):
        await door.record("/mine", "team-a")
    assert await called_so_often(door, 2, "team-a")
    await door.delete("/__mock__/scopes/team-a")
    await door.make_scope("team-a")
    for _ in range(3):
        await door.record("/mine", "team-a")
    assert await called_so_often(door, 3, "team-a")


async def test_so_many_counts_are_kept_and_no_more(
    door: Door, monkeypatch: pytest.MonkeyPatch, numbers_read: list[int]
) -> None:
    monkeypatch.setattr(counts, "_KEPT_MAX", 2)
    await door.record("/mine")
    for path in ("/1", "/2", "/1", "/3"):
        await door.post("/__mock__/assert", {"path": path})
    numbers_read.clear()
    for path in ("/1", "/3"):
        await door.post("/__mock__/assert", {"path": path})
    assert numbers_read == []
    await door.post("/__mock__/assert", {"path": "/2"})
    assert numbers_read == [1]


@pytest.mark.parametrize("has_called", [False, True])
async def test_a_scope_that_is_deleted_meanwhile_has_no_calls(door: Door, has_called: bool) -> None:
    await door.make_scope("team-a")
    await door.record("/mine")
    if has_called:
        await door.record("/mine", "team-a")
        assert await called_so_often(door, 2, "team-a")

    async def delete_scope() -> None:
        await door.delete("/__mock__/scopes/team-a")

    door.backend.before["CountCalls"] = delete_scope
    assert await called_so_often(door, 1, "team-a")


@pytest.mark.parametrize(("length", "is_beside"), [(10, False), (100_000, True)])
async def test_a_long_assertion_is_worked_out_beside_the_event_loop(
    door: Door, monkeypatch: pytest.MonkeyPatch, length: int, is_beside: bool
) -> None:
    here, threads = threading.get_ident(), list[int]()

    def noting(function: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: Any) -> Any:
            threads.append(threading.get_ident())
            return function(*arguments)

        return noted

    monkeypatch.setattr(asserting, "translate", noting(asserting.translate))
    monkeypatch.setattr(times, "verdict", noting(times.verdict))
    items = [{"$eq": {"value": "a" * length}}]
    assert await door.post("/__mock__/assert", {"body": {"$or": {"items": items}}}, status=422 if is_beside else 200)
    assert await door.post("/__mock__/assert", {"headers": {"a" * 10: "b"}, "x": "a" * length}) == {"result": False}
    assert {thread != here for thread in threads} == {is_beside}
    assert len(threads) == (3 if is_beside else 4)


async def test_a_list_is_given_up_when_nobody_listens_any_more(door: Door, numbers_read: list[int]) -> None:
    for number in range(400):
        await door.record(f"/{number}", body=b"x" * 10_000)
    hung_up, sent = asyncio.Event(), list[Any]()

    async def receive() -> Any:
        await hung_up.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            # No more is taken, as by a client that reads nothing and then goes.
            hung_up.set()
            await asyncio.Event().wait()

    scope = {"type": "http", "method": "GET", "path": "/__mock__/requests", "query_string": b"", "headers": []}
    tasks = len(asyncio.all_tasks())
    await door.app(scope, receive, send)
    assert [each["type"] for each in sent] == ["http.response.start", "http.response.body"]
    assert len(numbers_read) < 50
    assert (len(asyncio.all_tasks()), door.desk.world.journal.bells) == (tasks, [])
