"""What is odd about a session: each thing for itself, and the most urgent first."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from support.records import exchange
from understudy_server.core.exchange import Exchange
from understudy_server.core.explanation import Considered, Elsewhere, Explanation, Outcome, Reason
from understudy_server.core.health import FINDINGS_MAX, Facts, findings
from understudy_server.core.health_finding import Finding
from understudy_server.core.health_tally import Group, Tally, asked_of
from understudy_server.core.matching.mismatch import Mismatch
from understudy_server.core.matching.mock import Layer
from understudy_server.core.record import ExchangeOutcome, Lost, Standing

SESSION = "ses_1"
PATH = Mismatch("matcher.path", "is /api/pay", "/api/pays", "differs", 0.17)
BODY = Mismatch("matcher.body.contains", 'contains "1"', "{}", "differs", 1.0)


def came(number: int = 1, outcome: ExchangeOutcome = ExchangeOutcome.FORWARDED, **changes: Any) -> Exchange:
    """A request `POST /api/pays` to the session, which no mock answered."""
    changes = {"method": "POST", "path": "/api/pays", "mock_id": "", "status": 200, **changes}
    return exchange(number)._replace(outcome=outcome, **changes)


def mocked(number: int = 1, mock_id: str = "ovr_pay", **changes: Any) -> Exchange:
    return came(number, ExchangeOutcome.MOCKED, mock_id=mock_id, **changes)


def tally_of(exchanges: Iterable[Exchange], session_id: str = SESSION) -> Tally:
    tally = Tally(session_id)
    for each in sorted(exchanges, key=lambda each: each.id, reverse=True):
        tally.add(each)
    return tally


def near(*mismatches: Mismatch, mock_id: str = "ovr_pay", distance: float = 0.1) -> Considered:
    return Considered(mock_id, mock_id, Layer.SESSION, distance, mismatches)


def explained(*considered: Considered, **changes: Any) -> Explanation:
    found = Explanation(Outcome.UPSTREAM, "", "", "ci-42", True, (), (), considered, len(considered), ())
    return found._replace(**changes)


def told(
    *exchanges: Exchange,
    explanation: Explanation | None = None,
    session_id: str = SESSION,
    exists: bool = True,
    **facts: Any,
) -> Sequence[Finding]:
    """What is odd. The explanation is that of every request that no mock answered."""
    tally = tally_of(exchanges, session_id)
    all_explained = dict.fromkeys(tally.odd, explanation) if explanation else {}
    return findings(Facts("ci-42", exists=exists, **facts), tally, {k: v for k, v in all_explained.items() if v})


def codes(found: Sequence[Finding]) -> list[str]:
    return [each.code for each in found]


# Nothing


def test_a_session_without_requests_is_healthy() -> None:
    assert told(mocks=("ovr_pay",)) == ()


def test_a_session_whose_mocks_have_answered_is_healthy() -> None:
    assert told(mocked(), mocks=("ovr_pay",)) == ()


def test_a_request_that_no_mock_was_meant_for_is_not_odd_when_the_service_has_answered() -> None:
    far = near(Mismatch("matcher.path", "is /api/pay", "/other/thing", "differs", 1.0), distance=0.7)
    assert told(mocked(), came(2), explanation=explained(far)) == ()
    assert told(came(), explanation=explained()) == ()


# The key


def test_a_key_that_nothing_carried_and_no_session_has_is_told_so() -> None:
    (found,) = told(session_id="", exists=False)
    assert (found.code, found.count, found.log_ids) == ("no_session", 0, ())
    assert found.message.startswith("There is no session 'ci-42', and no request carried this key.")
    assert "`understudy session put ci-42`" in found.message


def test_a_session_whose_key_differs_in_case_alone_is_named() -> None:
    (found,) = told(session_id="", exists=False, alike="CI-42")
    assert found.message.endswith("There is a session 'CI-42': case counts.")


def test_requests_without_any_key_are_a_hint_where_none_carried_this_one() -> None:
    unkeyed = Group()
    for number in (9, 8, 7):
        unkeyed.add(came(number, session_id="", session_key=""))
    first, second = told(session_id="", exists=False, unkeyed=unkeyed)
    assert codes((first, second)) == ["no_session", "no_session_key"]
    assert (second.count, second.log_ids) == (3, ("log_00000007", "log_00000008", "log_00000009"))
    assert codes(told(unkeyed=unkeyed)) == ["no_session_key"]
    assert told(mocked(), unkeyed=unkeyed) == ()


def test_requests_whose_key_has_no_session_are_counted() -> None:
    rows = [came(number, session_id="") for number in range(1, 8)]
    (found,) = told(*rows, session_id="", exists=False, explanation=explained())
    assert (found.code, found.count) == ("no_session", 7)
    assert found.log_ids == tuple(f"log_{number:08}" for number in (3, 4, 5, 6, 7))
    assert found.message.startswith("7 requests carried the key 'ci-42', and there is no such session")


def test_requests_that_came_before_the_session_are_told_apart_from_its_own() -> None:
    (found,) = told(came(1, session_id=""), mocked(2))
    assert (found.code, found.count, found.log_ids) == ("no_session", 1, ("log_00000001",))
    assert "when there was no such session" in found.message


def test_a_session_that_has_ended_is_told_so() -> None:
    (found,) = told(mocked(), exists=False, mocks=("ovr_other",))
    assert (found.code, found.count) == ("no_session", 0)
    assert found.message.startswith("The session 'ci-42' has ended")
    assert "Since then" not in found.message
    (found,) = told(mocked(), came(2, session_id=""), exists=False)
    assert (found.count, "Since then 1 request carried its key." in found.message) == (1, True)


def test_requests_of_another_incarnation_are_not_looked_at() -> None:
    assert told(came(session_id="ses_0"), explanation=explained(), mocks=("ovr_pay",)) == ()


def test_a_key_is_quoted_for_the_shell() -> None:
    (found,) = findings(Facts("it's me", exists=False), Tally(), {})
    assert "`understudy session put 'it'\"'\"'s me'`" in found.message


def test_of_no_key_at_all_nothing_is_said_about_the_key() -> None:
    assert findings(Facts("", exists=False), tally_of([mocked(session_id="")], ""), {}) == ()


# What no mock answered


def test_of_an_unmatched_request_the_nearest_mock_is_told() -> None:
    rows = [came(number, ExchangeOutcome.UNMATCHED, status=502) for number in (1, 2)]
    (found,) = told(*rows, explanation=explained(near(PATH, BODY)))
    assert (found.code, found.count, found.mock_ids) == ("unmatched", 2, ("ovr_pay",))
    assert found.log_ids == ("log_00000001", "log_00000002")
    assert found.mismatches == (PATH, BODY)
    assert found.message == (
        "POST /api/pays (2 times) had no mock, and there is no upstream (502): the nearest mock, ovr_pay, misses at "
        "matcher.path (expected: is /api/pay; found: '/api/pays'). Change the mock or the request."
    )


def test_an_unmatched_request_is_odd_even_where_no_mock_is_on() -> None:
    (found,) = told(came(1, ExchangeOutcome.UNMATCHED), explanation=explained())
    assert (found.code, found.mock_ids) == ("unmatched", ())
    assert found.message.endswith("no mock is on for it. Switch one on, or choose a scenario that has one.")


def test_a_body_that_was_not_kept_is_said_not_to_be() -> None:
    explanation = explained(near(BODY), reasons=(Reason.BODY_NOT_KEPT,))
    (found,) = told(came(1, ExchangeOutcome.UNMATCHED), explanation=explanation)
    assert found.message.endswith("Its body was not kept whole, so that no criterion on it is said to hold.")


def test_a_value_that_was_masked_is_said_to_have_been() -> None:
    masked = Mismatch("matcher.body.card", 'equals "4"', "[redacted]", "differs", 1.0)
    (found,) = told(came(1, ExchangeOutcome.UNMATCHED), explanation=explained(near(masked)))
    assert found.message.endswith(
        "Values of it were masked before it was recorded: criteria see a mark in their place."
    )


def test_of_requests_without_a_key_the_session_that_has_the_mock_is_named() -> None:
    tally = tally_of([came(session_id="", session_key="")], "")
    explanation = explained(elsewhere=(Elsewhere("ci-41", "ovr_cart"),))
    (found,) = findings(Facts("", exists=False), tally, dict.fromkeys(tally.odd, explanation))
    assert found.code == "would_match_in_session"
    assert "Otherwise switch it on for everybody (`understudy mock activate ovr_cart`)." in found.message


def test_unmatched_requests_that_nobody_looked_into_are_told_together() -> None:
    rows = [came(number, ExchangeOutcome.UNMATCHED, path=f"/{number}") for number in range(1, 8)]
    (found,) = told(*rows)
    assert (found.code, found.count, len(found.log_ids)) == ("unmatched", 7, 5)
    assert found.log_ids[-1] == "log_00000007"


@pytest.mark.parametrize(
    ("mismatches", "is_odd"),
    [
        ((PATH,), True),
        ((BODY,), True),
        ((Mismatch("matcher.path", "is /v1/cart", "/v2/cart", "differs", 0.33),), True),
        ((Mismatch("matcher.path", "is /api/pay", "/api/cart", "differs", 0.5),), False),
        ((Mismatch("matcher.method", "is POST", "GET", "differs", 1.0),), False),
    ],
)
def test_a_request_passed_on_is_odd_where_it_misses_an_unused_mock_by_little(
    mismatches: tuple[Mismatch, ...], is_odd: bool
) -> None:
    found = told(came(), explanation=explained(near(*mismatches)))
    assert codes(found) == (["unmatched"] if is_odd else [])


def test_a_request_that_misses_a_mock_which_has_answered_others_was_told_from_them() -> None:
    assert told(came(1), mocked(2), explanation=explained(near(BODY))) == ()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("spent", "mock_used_up"),
        ("expired", "mock_expired"),
        ("not_yet", "mock_not_active"),
        ("machine_state", "mock_not_active"),
    ],
)
def test_a_mock_that_matches_and_may_not_answer_is_told_why(code: str, expected: str) -> None:
    closed = Mismatch("lifetime.uses_max", "at most 1 use by the session", "1", code, 1.0)
    (found,) = told(came(1), mocked(2), explanation=explained(near(closed)))
    assert (found.code, found.mock_ids, found.mismatches) == (expected, ("ovr_pay",), (closed,))
    assert "ovr_pay matches" in found.message
    assert "(expected: at most 1 use by the session; found: 1)" in found.message


def test_a_draft_that_matches_is_to_be_published() -> None:
    (found,) = told(came(), explanation=explained(drafts=("ovr_draft", "ovr_two"), not_on=("ovr_cart",)))
    assert (found.code, found.mock_ids) == ("mock_draft", ("ovr_draft", "ovr_two"))
    assert "ovr_draft (as 1 other mock would) would match, and is a draft." in found.message
    assert "`understudy mock publish ovr_draft`" in found.message


def test_a_session_in_which_a_mock_would_answer_is_named() -> None:
    elsewhere = (Elsewhere("ci-41", "ovr_cart"), Elsewhere("ci-40", "ovr_other"))
    (found,) = told(came(), explanation=explained(elsewhere=elsewhere, not_on=("ovr_cart",)))
    assert (found.code, found.mock_ids) == ("would_match_in_session", ("ovr_cart",))
    assert "in session 'ci-41' it would have been answered by ovr_cart" in found.message
    assert "`understudy override on ci-42 ovr_cart`" in found.message


def test_a_mock_that_matches_and_is_not_on_is_named() -> None:
    (found,) = told(came(), explanation=explained(not_on=("ovr_a", "ovr_b", "ovr_c")))
    assert (found.code, found.mock_ids) == ("mock_not_active", ("ovr_a", "ovr_b", "ovr_c"))
    assert "ovr_a (as 2 other mocks would) would match, and is not on." in found.message


def test_without_a_session_no_mock_is_said_not_to_be_on() -> None:
    rows = came(session_id="")
    assert codes(told(rows, session_id="", exists=False, explanation=explained(not_on=("ovr_a",)))) == ["no_session"]


def test_a_mock_that_would_answer_by_now_came_too_late() -> None:
    answering = Considered("ovr_pay", "", Layer.SESSION, 0, ())
    (found,) = told(came(), explanation=explained(answering, outcome=Outcome.MOCK))
    assert (found.code, found.mock_ids) == ("mock_not_active", ("ovr_pay",))
    assert "would answer it now, and did not then" in found.message


def test_of_a_session_that_has_ended_it_is_not_guessed_what_was_on() -> None:
    unmatched = came(1, ExchangeOutcome.UNMATCHED)
    first, second = told(unmatched, exists=False, explanation=explained(near(PATH), not_on=("ovr_a",)))
    assert codes((first, second)) == ["no_session", "unmatched"]
    assert (second.mock_ids, "is not known any more" in second.message) == ((), True)


# What became of others


def test_what_the_service_did_not_answer_is_told_by_request() -> None:
    rows = [came(number, ExchangeOutcome.UPSTREAM_FAILED, status=502) for number in (1, 2)]
    other = came(3, ExchangeOutcome.UPSTREAM_FAILED, status=504, path="/b", mock_id="ovr_forward")
    first, second = told(*rows, other)
    assert (first.code, first.count, first.mock_ids) == ("upstream_failed", 2, ())
    assert first.message.startswith("POST /api/pays (2 times) was passed on, and the real service did not answer")
    assert (second.mock_ids, "was passed on by ovr_forward" in second.message) == (("ovr_forward",), True)


def test_a_mock_that_could_not_answer_is_named() -> None:
    (found,) = told(came(1, ExchangeOutcome.MOCK_FAILED, mock_id="ovr_pay"), mocks=("ovr_pay",))
    assert (found.code, found.count, found.mock_ids) == ("mock_failed", 1, ("ovr_pay",))


def test_a_request_that_the_proxy_refused_is_told_with_its_status() -> None:
    (found,) = told(came(1, ExchangeOutcome.REFUSED, status=413))
    assert (found.code, found.count) == ("refused", 1)
    assert found.message.startswith("POST /api/pays was refused by the proxy with 413")


def test_what_there_is_too_much_of_is_told_together() -> None:
    rows = [came(number, ExchangeOutcome.UPSTREAM_FAILED, path=f"/{number}") for number in range(FINDINGS_MAX + 3)]
    found = told(*rows)
    assert len(found) == FINDINGS_MAX + 1
    assert (found[-1].code, found[-1].count) == ("upstream_failed", 3)
    assert found[-1].message.startswith("3 requests more were passed on")


@pytest.mark.parametrize(
    "code",
    [
        "session_header_repeated",
        "carriers_disagree",
        "upstream_retried",
        "upstream_broke_off",
        "request_broke_off",
        "client_half_closed",
        "client_gone",
        "storage_unavailable",
        "body_not_held",
        "fault_injected",
        "of_a_later_release",
    ],
)
def test_every_finding_of_an_exchange_is_told(code: str) -> None:
    (found,) = told(mocked(findings=(code,)), mocked(2))
    assert (found.code, found.count, found.log_ids) == (code, 1, ("log_00000001",))
    assert found.message.startswith("1 request ")


# Mocks


def test_a_mock_that_answered_nothing_is_told_with_the_request_that_came_nearest() -> None:
    far = Mismatch("matcher.method", "is PUT", "POST", "differs", 1.0)
    tally = tally_of([came(1), came(2, path="/b"), mocked(3, "ovr_other")])
    explanations = {
        asked_of(came(1)): explained(near(far, distance=0.3)),
        asked_of(came(2, path="/b")): explained(near(far, distance=0.9)),
    }
    kept = {asked: each for asked, each in explanations.items() if asked}
    (found,) = findings(Facts("ci-42", exists=True, mocks=("ovr_pay", "ovr_other")), tally, kept)
    assert (found.code, found.count, found.mock_ids) == ("mock_never_used", 0, ("ovr_pay",))
    assert found.mismatches == (far,)
    assert found.message == (
        "ovr_pay is on for the session, and has answered none of its last 3 requests. The nearest that no mock "
        "answered, POST /api/pays, misses at matcher.method (expected: is PUT; found: 'POST')."
    )


def test_a_mock_that_answered_nothing_because_others_did_is_told_without_a_request() -> None:
    (found,) = told(mocked(1, "ovr_other"), mocks=("ovr_pay",))
    assert (found.code, found.mismatches) == ("mock_never_used", ())
    assert "has not answered its one request. Other mocks go before it" in found.message


# The record


def test_a_record_that_is_not_whole_is_told_with_what_was_lost() -> None:
    standing = Standing(30, 10, {Lost.SESSION_QUOTA: 20, Lost.UNCLEAN_STOP: 0, Lost.DISK: 0}, 5)
    (found,) = told(standing=standing, complete=False)
    assert (found.code, found.count) == ("journal_incomplete", 20)
    assert "(session_quota: 20, unclean_stop)" in found.message
    assert (
        "To keep all of it: let the environment keep more of a session (sessionLogEntriesMax, sessionLogBytesMax); "
        in found.message
    )


@pytest.mark.parametrize("reason", Lost)
def test_for_every_loss_it_is_said_what_to_do(reason: Lost) -> None:
    (found,) = told(standing=Standing(30, 29, {reason: 1}), complete=False)
    assert "To keep all of it: " in found.message


def test_what_was_removed_is_not_there_either() -> None:
    (found,) = told(standing=Standing(30, 29), complete=False)
    assert "(some of it was removed)" in found.message


# In order


def test_what_needs_attention_first_goes_first() -> None:
    rows = [
        came(1, session_id=""),
        came(2, ExchangeOutcome.MOCK_FAILED, mock_id="ovr_failing"),
        came(3, ExchangeOutcome.UNMATCHED),
        came(4, ExchangeOutcome.UPSTREAM_FAILED),
        came(5, ExchangeOutcome.REFUSED),
        came(6),
        mocked(7, "ovr_other", findings=("client_gone", "carriers_disagree")),
    ]
    found = told(*rows, explanation=explained(near(PATH)), mocks=("ovr_pay",), complete=False)
    assert codes(found) == [
        "no_session",
        "carriers_disagree",
        "mock_failed",
        "unmatched",
        "upstream_failed",
        "refused",
        "unmatched",
        "journal_incomplete",
        "mock_never_used",
        "client_gone",
    ]


def test_of_requests_that_no_mock_answered_the_most_telling_go_first() -> None:
    tally = tally_of([came(1), came(2, path="/b"), came(3, path="/b"), came(4, path="/c")])
    spent = Mismatch("lifetime.uses_max", "at most 1 use", "1", "spent", 1.0)
    explanations = {
        "/api/pays": explained(not_on=("ovr_a",)),
        "/b": explained(not_on=("ovr_b",)),
        "/c": explained(near(spent)),
    }
    kept = {asked: explanations[asked.path] for asked in tally.odd}
    found = findings(Facts("ci-42", exists=True), tally, kept)
    assert [(each.code, each.mock_ids[0]) for each in found] == [
        ("mock_used_up", "ovr_pay"),
        ("mock_not_active", "ovr_b"),
        ("mock_not_active", "ovr_a"),
    ]


def test_all_that_came_is_counted_by_what_became_of_it() -> None:
    tally = tally_of([came(1), came(2, session_id=""), mocked(3), came(4, session_id="ses_0")])
    assert tally.outcomes == {ExchangeOutcome.FORWARDED: 2, ExchangeOutcome.MOCKED: 1}
    assert (tally.in_session, tally.carried.count, tally.used) == (2, 3, {"ovr_pay"})
