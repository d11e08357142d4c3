"""Verdicts in sentences."""

import pytest
from support.calls_on_record import recorded_call, take_in
from understudy.v1.matching_pb2 import Criterion, RequestMatcher
from understudy_server.core import verification_words as words
from understudy_server.core.exchange import Captured
from understudy_server.core.matching.mismatch import Mismatch
from understudy_server.core.record import Lost
from understudy_server.core.verification import Bounds, Expected, Judgement, Verdict
from understudy_server.definitions.matchers import compile_matcher

PAY = RequestMatcher(method="POST", path="/api/pay")


def expected(bounds: Bounds, message: RequestMatcher = PAY, name: str = "") -> Expected:
    matcher = compile_matcher(message, "matcher")
    return Expected(matcher, bounds, words.words_of(matcher, message.path), name)


def judged(each: Expected, *targets: str, lost: int = 0) -> Judgement:
    judgement = Judgement([each])
    for number, target in enumerate(targets, 1):
        take_in(judgement, recorded_call(number, target))
    judgement.reach(len(targets) + lost)
    return judgement


def said(judgement: Judgement, nearest: str = "") -> str:
    (each,), (tally,) = judgement.expectations, judgement.tallies
    return words.outcome(each, tally, judgement.verdict(0), judgement, nearest)


def whole(judgement: Judgement) -> str:
    verdicts = [judgement.verdict(at) for at in range(len(judgement.expectations))]
    return words.whole(judgement, verdicts, None, None)


@pytest.mark.parametrize(
    ("bounds", "text"),
    [
        (Bounds(1), "at least 1 call of POST /api/pay"),
        (Bounds(0), "any number of calls of POST /api/pay"),
        (Bounds(0, 0), "no call of POST /api/pay"),
        (Bounds(1, 1), "exactly 1 call of POST /api/pay"),
        (Bounds(2, 2), "exactly 2 calls of POST /api/pay"),
        (Bounds(2, 4), "2 to 4 calls of POST /api/pay"),
        (Bounds(0, 1), "at most 1 call of POST /api/pay"),
    ],
)
def test_what_is_expected_is_said_as_one_would(bounds: Bounds, text: str) -> None:
    assert words.expectation(expected(bounds)) == text


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (RequestMatcher(), "at least 1 call"),
        (RequestMatcher(path="/a/:id"), "at least 1 call of /a/:id"),
        (
            RequestMatcher(method="GET", query={"page": Criterion(equals="2")}, body=Criterion(present=True)),
            'at least 1 call of GET with query.page equals "2" and body is there',
        ),
    ],
)
def test_calls_are_named_by_what_is_looked_at(message: RequestMatcher, text: str) -> None:
    assert words.expectation(expected(Bounds(1), message)) == text


def test_a_name_of_its_own_stands_in_place_of_what_is_expected() -> None:
    assert words.name_of(expected(Bounds(1), name="pays once")) == "pays once"
    assert words.name_of(expected(Bounds(1, 1))) == "exactly 1 call of POST /api/pay"


def test_what_has_passed_is_said_with_what_there_was() -> None:
    judgement = judged(expected(Bounds(1, 1)), "/api/pay")
    assert said(judgement) == "expected exactly 1 call of POST /api/pay, and there was 1"
    assert whole(judgement) == "1 expectation holds, judged over 1 exchange"


def test_what_has_failed_names_the_nearest() -> None:
    judgement = judged(expected(Bounds(2)), "/api/pay", "/api/buy")
    mismatch = Mismatch("matcher.path", "is /api/pay", "/api/buy", "differs", 0.5)
    near = words.nearest("POST /api/buy", (mismatch,))
    assert said(judgement, near) == (
        "expected at least 2 calls of POST /api/pay, and there was 1; "
        "the nearest is POST /api/buy: path is /api/pay, and there it has /api/buy"
    )
    assert whole(judgement) == ("1 of 1 expectation failed: at least 2 calls of POST /api/pay, judged over 2 exchanges")


def test_what_cannot_be_told_says_what_is_missing_and_what_to_do() -> None:
    judgement = judged(expected(Bounds(0, 0)), lost=3)
    judgement.losses = {Lost.UNCLEAN_STOP: 0, Lost.SESSION_QUOTA: 3}
    assert said(judgement) == (
        "it cannot be told whether it is as expected: expected no call of POST /api/pay, and there was none; "
        "3 exchanges are not on record: let the environment keep more of a session "
        "(sessionLogEntriesMax, sessionLogBytesMax)"
    )
    assert whole(judgement).startswith("it cannot be told: 3 exchanges are not on record")


def test_what_could_not_be_judged_is_said_to_be_so() -> None:
    judgement = Judgement([expected(Bounds(0, 0), RequestMatcher(body=Criterion(equals="x")))])
    take_in(judgement, recorded_call(1, body=Captured(b"x", 10)))
    assert "1 call could not be judged, since a body was not kept whole" in said(judgement)


def test_a_killed_server_is_named() -> None:
    judgement = judged(expected(Bounds(0, 0)))
    judgement.doubtful = True
    assert said(judgement).endswith("exchanges may have been lost when the server was killed: run the test again")


def test_an_order_that_is_broken_names_what_is_missing_in_its_place() -> None:
    judgement = Judgement([expected(Bounds(1)), expected(Bounds(1), RequestMatcher(path="/api/buy"))])
    for number, target in enumerate(["/api/buy", "/api/pay"], 1):
        take_in(judgement, recorded_call(number, target))
    text = words.whole(judgement, [Verdict.PASSED, Verdict.PASSED], judgement.order(), None)
    assert text == (
        "the calls are not in the order expected: no call of /api/buy comes in its place, judged over 2 exchanges"
    )


def test_calls_that_nothing_expects_are_counted() -> None:
    judgement = judged(expected(Bounds(1)), "/api/pay", "/x")
    text = words.whole(judgement, [Verdict.PASSED], None, judgement.no_others())
    assert text == "1 call fits none of the expectations, judged over 2 exchanges"


@pytest.mark.parametrize("lost", Lost)
def test_there_is_advice_for_every_way_to_lose_exchanges(lost: Lost) -> None:
    judgement = judged(expected(Bounds(0, 0)), lost=1)
    judgement.losses = {lost: 1}
    assert "1 exchange is not on record: " in said(judgement)
