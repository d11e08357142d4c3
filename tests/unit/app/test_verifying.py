"""Counting and verifying calls: which session is meant, what is missing, what is told, what is kept."""

from collections.abc import Sequence
from typing import Any

import pytest
from support.asking import COUNT, LIST, VERIFY, Asker
from support.desk import Desk
from understudy.v1 import verification_service_pb2 as pb
from understudy.v1.matching_pb2 import Criterion, RequestMatcher, StateCriterion
from understudy.v1.session_service_pb2 import DELETE_MODE_DELETE, PutSessionRequest
from understudy_server.app.nearest import CALLS_MAX
from understudy_server.app.times import milliseconds
from understudy_server.core.errors import StorageFailure
from understudy_server.core.exchange import Captured, Exchange
from understudy_server.core.record import ExchangeOutcome, Lost, Stream

PAY = RequestMatcher(method="POST", path="/pay")
PASSED, FAILED, INCONCLUSIVE = pb.VERDICT_PASSED, pb.VERDICT_FAILED, pb.VERDICT_INCONCLUSIVE


@pytest.fixture
def ask(desk: Desk) -> Asker:
    return Asker(desk)


def pays(**bounds: int) -> pb.Expectation:
    return pb.Expectation(matcher=PAY, **bounds)  # type: ignore[arg-type]


async def test_calls_are_counted_by_what_fits_them(ask: Asker) -> None:
    stream = await ask.begin()
    for target in ("/pay", "/buy", "/pay?retry=1"):
        ask.record(stream, target)
    found = await ask.count(matcher=PAY)
    assert (found.count, found.undecided) == (2, 0)
    assert (found.completeness.session_id, found.completeness.up_to) == (stream.session_id, 3)
    assert (found.completeness.complete, found.completeness.kept, list(found.completeness.losses)) == (True, 3, [])


async def test_without_a_matcher_all_calls_count(ask: Asker) -> None:
    stream = await ask.begin()
    ask.record(stream)
    ask.record(stream, "/buy", method="GET")
    assert (await ask.count()).count == 2


async def test_only_calls_behind_a_number_count_if_that_is_asked_for(ask: Asker) -> None:
    stream = await ask.begin()
    for _ in range(3):
        ask.record(stream)
    found = await ask.count(after=2)
    assert (found.count, found.completeness.up_to, found.completeness.complete) == (1, 3, True)
    assert (await ask.count(after=9)).count == 0


async def test_more_calls_than_a_page_are_all_judged(ask: Asker) -> None:
    stream = await ask.begin()
    for number in range(250):
        ask.record(stream, "/pay" if number % 2 else "/buy")
    assert (await ask.count(matcher=PAY)).count == 125


async def test_a_call_that_cannot_be_judged_is_told_as_such(ask: Asker) -> None:
    stream = await ask.begin()
    ask.record(stream, body=Captured(b"beg", 1_000))
    found = await ask.count(matcher=RequestMatcher(body=Criterion(equals="x")))
    assert (found.count, found.undecided) == (0, 1)


async def test_sessions_of_others_are_not_counted(ask: Asker) -> None:
    ours, theirs = await ask.begin(), await ask.begin("ci-43")
    ask.record(ours)
    ask.record(theirs)
    ask.record(theirs)
    assert (await ask.count()).count == 1


async def test_what_was_lost_is_told_with_the_reason(ask: Asker) -> None:
    stream = await ask.begin()
    for _ in range(5):
        ask.record(stream)
    ask.desk.world.journal.lose(stream, 1, 2)
    found = (await ask.count()).completeness
    assert (found.up_to, found.complete, found.kept) == (5, False, 3)
    assert [(each.reason, each.count) for each in found.losses] == [("session_quota", 2)]


async def test_what_was_lost_before_what_is_asked_about_does_not_matter(ask: Asker) -> None:
    stream = await ask.begin()
    for _ in range(5):
        ask.record(stream)
    ask.desk.world.journal.lose(stream, 1, 2)
    assert (await ask.count(after=2)).completeness.complete


async def test_the_last_one_may_be_lost_too(ask: Asker) -> None:
    stream = await ask.begin()
    ask.record(stream)
    ask.desk.world.journal.lose(stream, 1, reason=Lost.OVERLOAD)
    found = (await ask.count()).completeness
    assert (found.up_to, found.complete, found.kept) == (1, False, 0)


async def test_after_a_kill_nothing_is_certain_but_what_is_on_record(ask: Asker) -> None:
    stream = await ask.begin()
    for _ in range(3):
        ask.record(stream)
    ask.desk.world.journal.doubtful[stream] = 2
    assert (await ask.verify(pays(at_least=3))).verdict == PASSED
    assert (await ask.verify(pays(exactly=3))).verdict == INCONCLUSIVE
    assert (await ask.verify(pays(exactly=1), after=2)).verdict == INCONCLUSIVE
    ask.record(stream)
    assert (await ask.verify(pays(exactly=1), after=3)).verdict == PASSED


async def test_the_session_of_now_is_meant_and_not_the_one_before_it(ask: Asker) -> None:
    before = await ask.begin()
    ask.record(before)
    await ask.desk.end(DELETE_MODE_DELETE)
    now = await ask.begin()
    assert now != before
    assert (await ask.count()).count == 0


async def test_a_session_that_is_gone_can_be_asked_about(ask: Asker) -> None:
    before = await ask.begin()
    ask.record(before)
    await ask.desk.end(DELETE_MODE_DELETE)
    # What comes later under its key belongs to no session.
    ask.record(Stream(before.environment_id), session_key="ci-42")
    found = await ask.count()
    assert (found.count, found.completeness.session_id) == (1, before.session_id)


async def test_a_session_whose_time_is_over_can_be_asked_about(ask: Asker) -> None:
    await ask.desk.put(PutSessionRequest(ttl_seconds=1))
    ask.record(await ask.stream())
    ask.desk.world.clock.advance(2)
    assert (await ask.count()).count == 1


async def test_white_space_asks_about_what_belongs_to_no_session(ask: Asker) -> None:
    stream = await ask.begin()
    ask.record(stream)
    ask.record(Stream(stream.environment_id), session_key="unknown")
    ask.record(Stream(stream.environment_id), session_key="")
    ask.session_key = " "
    found = await ask.count()
    assert (found.count, found.completeness.session_id, found.completeness.complete) == (2, "", True)


@pytest.mark.parametrize(
    ("rpc", "request_of"),
    [
        (COUNT, lambda key: pb.CountCallsRequest(session_key=key)),
        (VERIFY, lambda key: pb.VerifyCallsRequest(session_key=key, expectations=[pays(at_most=0)])),
        (LIST, lambda key: pb.ListVerificationsRequest(session_key=key)),
    ],
)
async def test_a_key_that_is_spelt_wrongly_passes_no_test(ask: Asker, rpc: str, request_of: Any) -> None:
    await ask.begin()
    assert await ask.desk.code(rpc, request_of("ci-24")) == "not_found"


async def test_that_a_key_was_carried_without_a_session_is_told(ask: Asker) -> None:
    stream = Stream(await ask.environment_id())
    ask.record(stream, session_key="ci-42")
    problem = await ask.desk.refused(COUNT, pb.CountCallsRequest(session_key="ci-42"))
    assert (problem.reason, "belongs to no session" in problem.message) == ("not_found", True)


async def test_expectations_are_judged_one_by_one_and_together(ask: Asker) -> None:
    stream = await ask.begin()
    first = ask.record(stream)
    ask.record(stream, "/buy")
    buys = pb.Expectation(matcher=RequestMatcher(path="/buy"), at_least=2, name="buys twice")
    found = await ask.verify(pays(exactly=1), buys)
    assert (found.verdict, [each.verdict for each in found.outcomes]) == (FAILED, [PASSED, FAILED])
    assert [each.name for each in found.outcomes] == ["exactly 1 call of POST /pay", "buys twice"]
    assert [each.count for each in found.outcomes] == [1, 1]
    assert list(found.outcomes[0].log_ids) == [first.id]
    assert found.message == "1 of 2 expectations failed: buys twice, judged over 2 exchanges"
    assert not found.HasField("order")
    assert not found.HasField("others")


@pytest.mark.parametrize(
    ("bounds", "count", "verdict"),
    [
        ({}, 0, FAILED),
        ({}, 1, PASSED),
        ({"at_least": 0}, 0, PASSED),
        ({"at_most": 1}, 0, PASSED),
        ({"at_most": 1}, 2, FAILED),
        ({"at_most": 0}, 0, PASSED),
        ({"exactly": 0}, 1, FAILED),
        ({"exactly": 2}, 2, PASSED),
        ({"at_least": 2, "at_most": 3}, 1, FAILED),
        ({"at_least": 2, "at_most": 3}, 3, PASSED),
    ],
)
async def test_bounds_are_met_or_not(ask: Asker, bounds: dict[str, int], count: int, verdict: int) -> None:
    stream = await ask.begin()
    for _ in range(count):
        ask.record(stream)
    assert (await ask.verify(pays(**bounds))).verdict == verdict


async def test_an_order_is_judged_only_if_it_is_asked_for(ask: Asker) -> None:
    stream = await ask.begin()
    for target in ("/buy", "/pay"):
        ask.record(stream, target)
    steps = [pb.Expectation(matcher=RequestMatcher(path=path)) for path in ("/pay", "/buy")]
    assert (await ask.verify(*steps)).verdict == PASSED
    found = await ask.verify(*steps, in_order=True)
    assert (found.verdict, found.order) == (FAILED, FAILED)
    assert (await ask.verify(*reversed(steps), in_order=True)).order == PASSED


async def test_others_are_named_only_if_there_are_to_be_none(ask: Asker) -> None:
    stream = await ask.begin()
    ask.record(stream)
    other = ask.record(stream, "/buy")
    assert list((await ask.verify(pays())).other_log_ids) == []
    found = await ask.verify(pays(), no_others=True)
    assert (found.verdict, found.others, list(found.other_log_ids)) == (FAILED, FAILED, [other.id])


async def test_over_a_record_with_gaps_a_verdict_is_inconclusive_where_they_matter(ask: Asker) -> None:
    stream = await ask.begin()
    for _ in range(3):
        ask.record(stream)
    ask.desk.world.journal.lose(stream, 1)
    found = await ask.verify(pays(at_least=2), pays(exactly=2), in_order=True, no_others=True)
    assert [each.verdict for each in found.outcomes] == [PASSED, INCONCLUSIVE]
    assert (found.verdict, found.order, found.others) == (INCONCLUSIVE, PASSED, INCONCLUSIVE)
    assert not found.completeness.complete


async def test_too_few_calls_are_told_with_those_that_come_nearest(ask: Asker) -> None:
    stream = await ask.begin()
    for page in range(1, 9):
        ask.record(stream, f"/pay?page={page}")
    ask.record(stream, "/other", method="GET")
    wanted = RequestMatcher(method="POST", path="/pay", query={"page": Criterion(equals="42")})
    found = (await ask.verify(pb.Expectation(matcher=wanted))).outcomes[0]
    assert len(found.near_calls) == 5
    assert all(each.request.startswith("POST /pay?page=") for each in found.near_calls)
    distances = [each.distance for each in found.near_calls]
    assert (distances, all(0 < each <= 1 for each in distances)) == (sorted(distances), True)
    (mismatch,) = found.near_calls[0].mismatches
    assert (mismatch.field, mismatch.expected, mismatch.code) == ("matcher.query.page.equals", 'equals "42"', "differs")
    assert "the nearest is POST /pay?page=" in found.message


async def test_of_calls_that_are_as_near_the_last_one_goes_first(ask: Asker) -> None:
    stream = await ask.begin()
    made = [ask.record(stream, "/buy") for _ in range(7)]
    found = (await ask.verify(pays())).outcomes[0]
    assert [each.log_id for each in found.near_calls] == [each.id for each in reversed(made[2:])]


async def test_evaluations_take_no_place_of_calls_that_are_near(ask: Asker) -> None:
    stream = await ask.begin()
    near = ask.record(stream, "/buy")
    for _ in range(CALLS_MAX + 1):
        ask.desk.world.journal.record(near._replace(id="log_evaluated", outcome=ExchangeOutcome.EVALUATED))
    found = (await ask.verify(pays())).outcomes[0]
    assert [each.log_id for each in found.near_calls] == [near.id]


async def test_of_the_calls_no_more_than_the_last_ones_are_compared(ask: Asker) -> None:
    stream = await ask.begin()
    ask.record(stream, "/pays")
    for _ in range(CALLS_MAX):
        ask.record(stream, "/quite/another/one")
    found = (await ask.verify(pays())).outcomes[0]
    assert {each.request for each in found.near_calls} == {"POST /quite/another/one"}


async def test_calls_that_made_room_are_not_looked_for(ask: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, journal = await ask.begin(), ask.desk.world.journal
    for _ in range(100):
        ask.record(stream, "/buy")
    journal.lose(stream, *range(1, 96))
    read, begins = journal.read, list[int]()

    async def noted(of: Stream, after: int, limit: int) -> Sequence[Exchange]:
        begins.append(after)
        return await read(of, after, limit)

    monkeypatch.setattr(journal, "read", noted)
    found = (await ask.verify(pays())).outcomes[0]
    assert len(found.near_calls) == 5
    assert max(begins) == 95
    assert len(begins) < 5


async def test_where_there_were_enough_nothing_is_near(ask: Asker) -> None:
    stream = await ask.begin()
    ask.record(stream)
    ask.record(stream, "/buy")
    found = await ask.verify(pays(at_most=0), pays(at_least=1))
    assert [len(each.near_calls) for each in found.outcomes] == [0, 0]


@pytest.mark.parametrize(
    ("expectations", "field", "rule"),
    [
        ([], "expectations", "min_items"),
        ([pb.Expectation()] * 101, "expectations", "max_items"),
        ([pays(), pays(at_least=2, at_most=1)], "expectations[1].at_most", "min"),
        ([pays(exactly=1, at_least=1)], "expectations[0].exactly", "exclusive"),
        ([pays(exactly=1, at_most=1)], "expectations[0].exactly", "exclusive"),
        ([pays(at_least=1_000_001)], "expectations[0].at_least", "max"),
        ([pb.Expectation(name="x" * 201)], "expectations[0].name", "max_length"),
        (
            [
                pb.Expectation(
                    matcher=RequestMatcher(state=[StateCriterion(key="k", criterion=Criterion(present=True))])
                )
            ],
            "expectations[0].matcher.state",
            "unsupported",
        ),
        (
            [pb.Expectation(matcher=RequestMatcher(body=Criterion(pattern="(")))],
            "expectations[0].matcher.body.pattern",
            "regex",
        ),
        ([pb.Expectation(matcher=RequestMatcher(method="get"))], "expectations[0].matcher.method", "pattern"),
    ],
)
async def test_what_cannot_be_expected_is_refused_with_its_place(
    ask: Asker, expectations: Sequence[pb.Expectation], field: str, rule: str
) -> None:
    await ask.begin()
    request = pb.VerifyCallsRequest(session_key="ci-42", expectations=expectations)
    problem = await ask.desk.refused(VERIFY, request)
    assert (problem.reason, problem.field, problem.rule) == ("invalid_field", field, rule)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.CountCallsRequest(), "session_key"),
        (pb.CountCallsRequest(session_key="k", after=-1), "after"),
        (pb.CountCallsRequest(session_key="k", matcher=RequestMatcher(body=Criterion())), "matcher.body"),
        (
            pb.CountCallsRequest(session_key="k", matcher=RequestMatcher(state=[StateCriterion(key="k")])),
            "matcher.state",
        ),
    ],
)
async def test_what_cannot_be_counted_is_refused_with_its_place(
    ask: Asker, request_: pb.CountCallsRequest, field: str
) -> None:
    problem = await ask.desk.refused(COUNT, request_)
    assert (problem.reason, problem.field) == ("invalid_field", field)


async def test_a_verification_is_put_on_record(ask: Asker) -> None:
    stream = await ask.begin()
    ask.record(stream)
    answered = [await ask.verify(pays()), await ask.verify(pays(at_most=0))]
    found = await ask.verifications()
    assert [each.verdict for each in found] == [PASSED, FAILED]
    assert [each.message for each in found] == [each.message for each in answered]
    assert [list(each.outcomes) for each in found] == [list(each.outcomes) for each in answered]
    assert found[0].completeness == answered[0].completeness
    assert milliseconds(found[0].asked_at) >= ask.desk.world.clock.now_ms


async def test_what_was_found_of_order_and_others_is_put_on_record_if_it_was_asked_for(ask: Asker) -> None:
    ask.record(await ask.begin(), "/buy")
    await ask.verify(pays(at_least=0))
    answered = await ask.verify(pays(at_least=0), in_order=True, no_others=True)
    plain, full = await ask.verifications()
    assert (plain.HasField("order"), plain.HasField("others")) == (False, False)
    assert (full.order, full.others) == (answered.order, answered.others) == (FAILED, FAILED)


async def test_a_verification_of_much_is_kept_with_less(ask: Asker) -> None:
    stream = await ask.begin()
    for _ in range(30):
        ask.record(stream, "/buy")
    answered = await ask.verify(*[pays(at_least=at + 1) for at in range(20)])
    (found,) = await ask.verifications()
    assert all(each.near_calls for each in answered.outcomes)
    assert not any(each.near_calls for each in found.outcomes)
    assert [each.message for each in found.outcomes] == [each.message for each in answered.outcomes]


async def test_counting_is_not_put_on_record(ask: Asker) -> None:
    await ask.begin()
    await ask.count()
    assert list(await ask.verifications()) == []


async def test_a_verification_that_cannot_be_kept_is_answered_and_the_log_says_so(
    ask: Asker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stream = await ask.begin()
    ask.record(stream)

    async def refuse(_stream: Stream, _verification: bytes) -> None:
        raise StorageFailure("the disk is full")

    monkeypatch.setattr(ask.desk.world.journal, "keep_verification", refuse)
    assert (await ask.verify(pays())).verdict == PASSED
    assert "not put on record: the disk is full" in caplog.text


async def test_a_journal_that_cannot_be_read_gives_no_verdict(ask: Asker) -> None:
    await ask.begin()
    ask.desk.world.journal.failing = StorageFailure("the disk is gone")
    request = pb.VerifyCallsRequest(session_key="ci-42", expectations=[pays(at_most=0)])
    assert await ask.desk.code(VERIFY, request) == "storage_unavailable"


async def test_a_key_is_normalised_before_it_is_looked_for(ask: Asker) -> None:
    ask.record(await ask.begin())
    ask.session_key = " ci-\r\n42 "
    assert (await ask.count()).count == 1
