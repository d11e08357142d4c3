"""The rows of a key as they come."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from support.asking import Asker
from support.desk import Desk
from understudy.v1 import log_service_pb2 as pb
from understudy.v1.explain_service_pb2 import LAYER_SCENARIO
from understudy.v1.matching_pb2 import Criterion, RequestMatcher, StateCriterion
from understudy.v1.session_service_pb2 import DELETE_MODE_DELETE
from understudy_server.core.exchange import MASKED, Captured, Exchange
from understudy_server.core.record import ExchangeOutcome, Phases, Stream


@pytest.fixture
def ask(desk: Desk) -> Asker:
    return Asker(desk)


async def test_rows_come_as_they_are_recorded(ask: Asker) -> None:
    stream = await ask.begin()
    ask.record(stream, "/before")
    async with ask.tailing() as tail:
        assert await tail.is_quiet()
        for number in (2, 3):
            made = ask.record(stream)
            row = (await tail.next()).log
            assert (row.id, row.number, row.lost_before) == (made.id, number, 0)
        assert await tail.is_quiet()


async def test_from_the_start_all_that_is_kept_comes_first(ask: Asker) -> None:
    stream = await ask.begin()
    for _ in range(250):
        ask.record(stream)
    async with ask.tailing(from_start=True) as tail:
        assert [(await tail.next()).log.number for _ in range(250)] == list(range(1, 251))
        ask.record(stream)
        assert (await tail.next()).log.number == 251


async def test_a_tail_that_was_cut_is_taken_up_behind_the_last_row(ask: Asker) -> None:
    stream = await ask.begin()
    made = [ask.record(stream) for _ in range(4)]
    async with ask.tailing(since=made[1].id) as tail:
        assert [(await tail.next()).log.id for _ in range(2)] == [each.id for each in made[2:]]


async def test_a_tail_that_was_cut_is_taken_up_although_its_last_row_is_lost(ask: Asker) -> None:
    stream = await ask.begin()
    made = [ask.record(stream) for _ in range(5)]
    ask.desk.world.journal.lose(stream, 2, 3)
    async with ask.tailing(since=made[1].id) as tail:
        assert [(await tail.next()).log.id for _ in range(2)] == [each.id for each in made[3:]]


async def test_a_tail_until_now_ends_with_what_was_there(ask: Asker) -> None:
    stream = await ask.begin()
    for _ in range(3):
        ask.record(stream)
    async with ask.tailing(from_start=True, until_now=True) as tail:
        assert (await tail.next()).log.number == 1
        ask.record(stream)
        assert [each.log.number for each in await tail.rest()] == [2, 3]
    async with ask.tailing(until_now=True) as tail:
        assert await tail.rest() == []


async def test_of_a_matcher_the_last_calls_are_meant(ask: Asker) -> None:
    stream = await ask.begin()
    first, second = ask.record(stream), ask.record(stream)
    for number in range(3, 9):
        evaluated = second._replace(id=f"log_{number:08}", outcome=ExchangeOutcome.EVALUATED)
        ask.desk.world.journal.record(evaluated)
    async with ask.tailing(last=2, until_now=True, matcher=RequestMatcher()) as tail:
        assert [each.log.id for each in await tail.rest()] == [first.id, second.id]
    async with ask.tailing(last=2, until_now=True) as tail:
        assert [each.log.number for each in await tail.rest()] == [7, 8]


async def test_a_tail_until_now_of_no_session_ends_at_once(ask: Asker) -> None:
    async with ask.tailing(until_now=True, from_start=True) as tail:
        assert await tail.rest() == []


@pytest.mark.parametrize("key", ["ci-42", " "])
@pytest.mark.parametrize(
    ("last", "expected"), [(1, [5, 6]), (3, [3, 4, 5, 6]), (5, [1, 2, 3, 4, 5, 6]), (9, [1, 2, 3, 4, 5, 6])]
)
async def test_a_tail_begins_with_the_last_rows(ask: Asker, key: str, last: int, expected: list[int]) -> None:
    stream = await ask.begin()
    if key == " ":
        stream = Stream(stream.environment_id)
    for _ in range(5):
        ask.record(stream)
    async with ask.tailing(session_key=key, last=last) as tail:
        rows = [(await tail.next()).log for _ in expected[:-1]]
        ask.record(stream)
        rows.append((await tail.next()).log)
    assert [(each.number, each.lost_before) for each in rows] == [(number, 0) for number in expected]


async def test_the_last_rows_of_a_key_are_those_of_its_sessions_together(ask: Asker) -> None:
    ask.record(await ask.begin())
    await ask.desk.end(DELETE_MODE_DELETE)
    stream = await ask.begin()
    for _ in range(2):
        ask.record(stream)
    async with ask.tailing(last=3, until_now=True) as tail:
        assert [each.log.number for each in await tail.rest()] == [1, 1, 2]


async def test_rows_that_were_lost_are_told_with_the_next_that_comes(ask: Asker) -> None:
    stream = await ask.begin()
    for _ in range(6):
        ask.record(stream)
    ask.desk.world.journal.lose(stream, 1, 2, 4)
    async with ask.tailing(from_start=True, until_now=True) as tail:
        rows = [(each.log.number, each.log.lost_before) for each in await tail.rest()]
    assert rows == [(3, 2), (5, 1), (6, 0)]


async def test_rows_that_were_lost_at_the_end_are_told_when_more_come(ask: Asker) -> None:
    stream = await ask.begin()
    async with ask.tailing() as tail:
        assert await tail.is_quiet()
        ask.record(stream)
        ask.desk.world.journal.lose(stream, 1)
        assert await tail.is_quiet()
        ask.record(stream)
        row = (await tail.next()).log
    assert (row.number, row.lost_before) == (2, 1)


async def test_only_rows_that_a_matcher_fits_come_and_the_losses_are_not_forgotten(ask: Asker) -> None:
    stream = await ask.begin()
    for target in ("/pay", "/lost", "/buy", "/pay"):
        ask.record(stream, target)
    ask.record(stream, "/pay", body=Captured(b"cut", 1_000))
    ask.desk.world.journal.lose(stream, 2)
    matcher = RequestMatcher(path="/pay")
    async with ask.tailing(from_start=True, until_now=True, matcher=matcher) as tail:
        rows = [(each.log.number, each.log.lost_before) for each in await tail.rest()]
    assert rows == [(1, 0), (4, 1), (5, 0)]
    matcher.body.equals = "cut"
    async with ask.tailing(from_start=True, until_now=True, matcher=matcher) as tail:
        assert await tail.rest() == []


async def test_a_session_that_does_not_exist_yet_is_waited_for(ask: Asker) -> None:
    async with ask.tailing() as tail:
        assert await tail.is_quiet()
        stream = await ask.begin()
        ask.record(stream)
        assert (await tail.next()).log.number == 1


async def test_a_session_that_is_made_anew_is_followed(ask: Asker) -> None:
    before = await ask.begin()
    async with ask.tailing() as tail:
        assert await tail.is_quiet()
        ask.record(before, "/last")
        await ask.desk.end(DELETE_MODE_DELETE)
        now = await ask.begin()
        ask.record(now, "/first")
        rows = [(await tail.next()).log for _ in range(2)]
    assert [(row.path, row.number) for row in rows] == [("/last", 1), ("/first", 1)]


async def test_when_a_session_is_deleted_the_rows_of_the_one_before_it_do_not_come_again(ask: Asker) -> None:
    ask.record(await ask.begin())
    await ask.desk.end(DELETE_MODE_DELETE)
    await ask.begin()
    async with ask.tailing() as tail:
        assert await tail.is_quiet()
        await ask.desk.end(DELETE_MODE_DELETE)
        assert await tail.is_quiet()
        ask.record(await ask.begin(), "/next")
        assert (await tail.next()).log.path == "/next"


async def test_an_answer_that_ends_after_its_session_is_shown_once_and_nothing_counts_as_lost(ask: Asker) -> None:
    before = await ask.begin()
    for _ in range(3):
        ask.record(before)
    await ask.desk.end(DELETE_MODE_DELETE)
    now = await ask.begin()
    async with ask.tailing() as tail:
        assert await tail.is_quiet()
        ask.record(now, "/first")
        ask.record(before, "/late")
        ask.record(now, "/second")
        rows = [(await tail.next()).log for _ in range(3)]
    assert [(row.path, row.number, row.lost_before) for row in rows] == [
        ("/first", 1, 0),
        ("/late", 4, 0),
        ("/second", 2, 0),
    ]
    assert [row.session_id for row in rows] == [now.session_id, before.session_id, now.session_id]


async def test_requests_that_found_no_session_come_before_it_is_made_and_after_it_is_gone(ask: Asker) -> None:
    none = Stream(await ask.environment_id())
    async with ask.tailing() as tail:
        assert await tail.is_quiet()
        ask.record(none, "/before", session_key="ci-42")
        assert (await tail.next()).log.path == "/before"
        ask.record(await ask.begin(), "/within")
        assert (await tail.next()).log.path == "/within"
        await ask.desk.end(DELETE_MODE_DELETE)
        ask.record(none, "/after", session_key="ci-42")
        row = (await tail.next()).log
        assert (row.path, row.session_id) == ("/after", "")
        ask.record(none, session_key="ci-43")
        ask.record(none, session_key="")
        assert await tail.is_quiet()


async def test_what_others_did_without_a_session_does_not_count_as_lost(ask: Asker) -> None:
    none = Stream(await ask.environment_id())
    ask.record(none, session_key="ci-43")
    async with ask.tailing(from_start=True) as tail:
        for key in ("ci-42", "ci-43", "ci-42"):
            ask.record(none, session_key=key)
        rows = [(await tail.next()).log for _ in range(2)]
    assert [(row.number, row.lost_before) for row in rows] == [(2, 0), (4, 0)]


async def test_a_tail_shows_what_the_list_shows(ask: Asker) -> None:
    none = Stream(await ask.environment_id())
    ask.record(none, session_key="ci-42")
    for _ in range(2):
        ask.record(await ask.begin())
        ask.record(none, session_key="ci-43")
        await ask.desk.end(DELETE_MODE_DELETE)
    ask.record(none, session_key="ci-42")
    listed = await ask.desk.call("LogService.ListLogs", pb.ListLogsRequest(session_key="ci-42"), pb.ListLogsResponse)
    async with ask.tailing(from_start=True, until_now=True) as tail:
        assert [each.log for each in await tail.rest()] == list(reversed(listed.logs))


async def test_a_tail_can_be_taken_up_behind_each_row_whatever_became_of_the_session(ask: Asker) -> None:
    none = Stream(await ask.environment_id())
    made = [ask.record(none, session_key="ci-42")]
    for _ in range(3):
        stream = await ask.begin()
        made += [ask.record(stream), ask.record(stream)]
        await ask.desk.end(DELETE_MODE_DELETE)
        made.append(ask.record(none, session_key="ci-42"))
    ids = [each.id for each in made]
    for at, last in enumerate(ids):
        async with ask.tailing(since=last, until_now=True) as tail:
            rows = [each.log for each in await tail.rest()]
        assert ([row.id for row in rows], {row.lost_before for row in rows} - {0}) == (ids[at + 1 :], set())


async def test_what_was_lost_in_one_session_is_told_in_that_one(ask: Asker) -> None:
    before = await ask.begin()
    last = [ask.record(before) for _ in range(3)][-1]
    await ask.desk.end(DELETE_MODE_DELETE)
    now = await ask.begin()
    for _ in range(5):
        ask.record(now)
    ask.record(before, "/late")
    ask.desk.world.journal.lose(now, 1, 2, 4)
    ask.desk.world.journal.lose(before, 3)
    async with ask.tailing(since=last.id, until_now=True) as tail:
        rows = [(each.log.session_id, each.log.number, each.log.lost_before) for each in await tail.rest()]
    assert rows == [(now.session_id, 3, 2), (now.session_id, 5, 1), (before.session_id, 4, 1)]


async def test_a_key_of_very_many_sessions_is_followed_without_remembering_all(ask: Asker) -> None:
    first = await ask.begin()
    async with ask.tailing(from_start=True) as tail:
        ask.record(first)
        assert (await tail.next()).log.number == 1
        for _ in range(20):
            await ask.desk.end(DELETE_MODE_DELETE)
            ask.record(await ask.begin())
            assert (await tail.next()).log.number == 1
        ask.record(first, "/late")
        row = (await tail.next()).log
    assert (row.path, row.number, row.lost_before) == ("/late", 2, 0)


async def test_who_reads_slowly_has_the_last_rows_of_a_session_before_those_of_the_next(ask: Asker) -> None:
    before = await ask.begin()
    for _ in range(2):
        ask.record(before)
    async with ask.tailing(from_start=True) as tail:
        rows = [(await tail.next()).log]
        ask.record(before, "/last")
        await ask.desk.end(DELETE_MODE_DELETE)
        ask.record(await ask.begin(), "/first")
        rows += [(await tail.next()).log for _ in range(3)]
    assert [(row.path, row.number) for row in rows] == [("/pay", 1), ("/pay", 2), ("/last", 3), ("/first", 1)]


async def test_what_belongs_to_no_session_can_be_followed(ask: Asker) -> None:
    ask.session_key = " "
    async with ask.tailing() as tail:
        assert await tail.is_quiet()
        ask.record(Stream(await ask.environment_id()), session_key="unknown")
        assert (await tail.next()).log.number == 1


async def test_what_belongs_to_no_session_is_taken_up_behind_its_last_row(ask: Asker) -> None:
    none = Stream(await ask.environment_id())
    made = [ask.record(none, session_key=key) for key in ("a", "b", "", "b")]
    ask.session_key = " "
    async with ask.tailing(since=made[1].id, until_now=True) as tail:
        assert [each.log.id for each in await tail.rest()] == [each.id for each in made[2:]]
    ask.desk.world.journal.lose(none, 2)
    async with ask.tailing(since=made[1].id, until_now=True) as tail:
        assert [(each.log.number, each.log.lost_before) for each in await tail.rest()] == [(3, 1), (4, 0)]


async def test_a_row_tells_what_became_of_the_request(ask: Asker) -> None:
    stream = await ask.begin()
    made = ask.record(stream)
    ask.desk.world.journal.exchanges[0] = made._replace(
        outcome=ExchangeOutcome.MOCKED,
        mock_id="ovr_a",
        layer="scenario",
        session_revision=7,
        phases=Phases(1, 2, 3, 4, 5, 15),
    )
    async with ask.tailing(from_start=True) as tail:
        row = (await tail.next()).log
    assert (row.outcome, row.layer, row.session_revision) == (pb.EXCHANGE_OUTCOME_MOCKED, LAYER_SCENARIO, 7)
    assert row.phases == pb.Phases(queue_us=1, match_us=2, delay_us=3, connect_us=4, first_byte_us=5, total_us=15)
    assert not row.HasField("details")


@pytest.mark.parametrize("outcome", ExchangeOutcome)
async def test_every_outcome_has_a_name_in_the_contract(ask: Asker, outcome: ExchangeOutcome) -> None:
    stream = await ask.begin()
    ask.desk.world.journal.exchanges.append(ask.record(stream)._replace(outcome=outcome, number=2, id="log_x"))
    ask.desk.world.journal.last_numbers[stream] = 2
    async with ask.tailing(from_start=True, until_now=True) as tail:
        row = (await tail.rest())[1].log
    name = pb.ExchangeOutcome.Name(row.outcome).removeprefix("EXCHANGE_OUTCOME_").lower()
    assert name == (outcome.value or "unspecified")


async def test_headers_and_bodies_come_if_they_are_asked_for(ask: Asker) -> None:
    stream = await ask.begin()
    body = Captured(b'{"a":"[redacted]"}', 40, "application/json", MASKED)
    ask.record(stream, headers=((b"X-A", "é".encode()), (b"X-A", b"\xff")), body=body)
    async with ask.tailing(from_start=True, with_details=True) as tail:
        details = (await tail.next()).log.details
    assert [(each.name, each.value) for each in details.request_headers] == [("X-A", "é"), ("X-A", "ÿ")]
    assert not details.HasField("response_body")
    kept = details.request_body
    assert (kept.content, kept.size_bytes, kept.content_type) == (body.content, 40, "application/json")
    assert (kept.truncated, kept.masked, kept.sha256) == (False, True, "")


async def test_a_body_that_is_withheld_is_told_by_its_hash(ask: Asker) -> None:
    stream = await ask.begin()
    ask.record(stream, body=Captured(b"", 9, "application/json", "0" * 64))
    async with ask.tailing(from_start=True, with_details=True) as tail:
        kept = (await tail.next()).log.details.request_body
    assert (kept.content, kept.size_bytes, kept.masked, kept.sha256) == (b"", 9, False, "0" * 64)


async def test_no_more_than_a_page_is_read_ahead_of_a_slow_reader(ask: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, journal = await ask.begin(), ask.desk.world.journal
    for _ in range(300):
        ask.record(stream)
    page, given = journal.page, []

    async def noted(*place: str, **bounds: Any) -> Sequence[Exchange]:
        found = await page(*place, **bounds)
        given.extend([each.number for each in found])
        return found

    monkeypatch.setattr(journal, "page", noted)
    async with ask.tailing(since="log_") as tail:
        await tail.next()
        await asyncio.sleep(0)
        assert given == [300, *range(1, 11)]


async def test_who_goes_away_leaves_nothing_behind(ask: Asker) -> None:
    await ask.begin()
    tasks = len(asyncio.all_tasks())
    async with ask.tailing() as tail:
        assert await tail.is_quiet()
        assert len(ask.desk.world.journal.bells) == 1
    assert (ask.desk.world.journal.bells, len(asyncio.all_tasks())) == ([], tasks)


async def test_the_stop_of_the_server_ends_a_tail(ask: Asker) -> None:
    await ask.begin()
    async with ask.tailing() as tail:
        assert await tail.is_quiet()
        ask.desk.world.dispatcher.end_waits()
        assert (await tail.refused()).reason == "storage_unavailable"


@pytest.mark.parametrize(
    ("fields", "field", "rule"),
    [
        ({"since": "log_1", "from_start": True}, "since", "exclusive"),
        ({"since": "log_1", "last": 1}, "since", "exclusive"),
        ({"last": 1, "from_start": True}, "from_start", "exclusive"),
        ({"last": 1001}, "last", "max"),
        ({"since": "x" * 1025}, "since", "max_length"),
        ({"matcher": RequestMatcher(state=[StateCriterion(key="k")])}, "matcher.state", "unsupported"),
        ({"matcher": RequestMatcher(body=Criterion(pattern="("))}, "matcher.body.pattern", "regex"),
    ],
)
async def test_what_cannot_be_followed_is_refused_with_its_place(
    ask: Asker, fields: dict[str, object], field: str, rule: str
) -> None:
    async with ask.tailing(**fields) as tail:
        problem = await tail.refused()
    assert (problem.reason, problem.field, problem.rule) == ("invalid_field", field, rule)
