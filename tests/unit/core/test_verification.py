"""Verdicts over a record of which parts may be missing, against a model that looks at every way it may have been."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.calls_on_record import recorded_call, take_in
from understudy_server.core.exchange import Captured, Exchange
from understudy_server.core.matching.criteria import Equals
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.matching.parts import QueryPart
from understudy_server.core.redaction import MARKER
from understudy_server.core.verification import IDS_MAX, Bounds, Expected, Judgement, Verdict, all_of

# Of each expectation, whether a call fits it: "y", "n" or "?". A lost exchange is None.
Row = tuple[str, ...] | None
_VALUE: Final = {"y": "1", "n": "0", "?": MARKER.decode()}


def expected(at: int, bounds: Bounds) -> Expected:
    """The calls that say 1 in the parameter of that number."""
    return Expected(Matcher(others=(QueryPart(Equals("1"), f"p{at}"),)), bounds)


def call(number: int, row: Sequence[str]) -> Exchange:
    query = "&".join([f"p{at}={_VALUE[fit]}" for at, fit in enumerate(row)])
    return recorded_call(number, f"/pay?{query}")


def judged(rows: Sequence[Row], bounds: Sequence[Bounds]) -> Judgement:
    judgement = Judgement([expected(at, each) for at, each in enumerate(bounds)])
    for number, row in enumerate(rows, 1):
        if row is not None:
            take_in(judgement, call(number, row))
    judgement.reach(len(rows))
    return judgement


def possibilities(rows: Sequence[Row], width: int) -> Iterator[list[tuple[bool, ...]]]:
    """Every way the calls may have been."""
    ways = []
    for row in rows:
        fits = row if row is not None else ("?",) * width
        ways.append(list(product(*[{"y": (True,), "n": (False,), "?": (True, False)}[each] for each in fits])))
    return (list(way) for way in product(*ways))


def in_all(outcomes: Iterator[bool]) -> Verdict:
    seen = set(outcomes)
    return {frozenset((True,)): Verdict.PASSED, frozenset((False,)): Verdict.FAILED}.get(
        frozenset(seen), Verdict.INCONCLUSIVE
    )


def holds(calls: Sequence[tuple[bool, ...]], at: int, bounds: Bounds) -> bool:
    count = sum(each[at] for each in calls)
    return bounds.at_least <= count and (bounds.at_most is None or count <= bounds.at_most)


def is_ordered(calls: Sequence[tuple[bool, ...]], order: Sequence[int]) -> bool:
    """Tries every place for the first of them, and the rest behind it."""
    if not order:
        return True
    return any(each[order[0]] and is_ordered(calls[place + 1 :], order[1:]) for place, each in enumerate(calls))


_WIDTHS = st.integers(1, 2)
_BOUNDS = st.builds(
    lambda least, more: Bounds(least, None if more is None else least + more),
    st.integers(0, 3),
    st.none() | st.integers(0, 2),
)
_CASES = _WIDTHS.flatmap(
    lambda width: st.tuples(
        st.lists(st.none() | st.tuples(*[st.sampled_from("yn?")] * width), max_size=4),
        st.lists(_BOUNDS, min_size=width, max_size=width),
    )
)


@given(_CASES)
def test_a_verdict_is_told_exactly_where_it_is_the_same_in_every_way_it_may_have_been(
    case: tuple[list[Row], list[Bounds]],
) -> None:
    rows, bounds = case
    judgement, width = judged(rows, bounds), len(bounds)
    for at, each in enumerate(bounds):
        assert judgement.verdict(at) is in_all(holds(calls, at, each) for calls in possibilities(rows, width))
    order = [at for at, each in enumerate(bounds) if each.at_most != 0]
    assert judgement.order() is in_all(is_ordered(calls, order) for calls in possibilities(rows, width))
    assert judgement.no_others() is in_all(all(map(any, calls)) for calls in possibilities(rows, width))


@given(_CASES)
def test_when_any_number_may_be_lost_nothing_is_told_that_more_calls_could_change(
    case: tuple[list[Row], list[Bounds]],
) -> None:
    rows, bounds = case
    judgement = judged(rows, bounds)
    judgement.doubtful = True
    more = judged([*rows, *[None] * 8], bounds)
    assert [judgement.verdict(at) for at in range(len(bounds))] == [more.verdict(at) for at in range(len(bounds))]
    assert (judgement.order(), judgement.no_others()) == (more.order(), more.no_others())
    assert not judgement.complete


@given(_CASES)
def test_what_can_still_pass_is_what_some_further_calls_make_pass(case: tuple[list[Row], list[Bounds]]) -> None:
    rows, bounds = case
    judgement, width = judged(rows, bounds), len(bounds)
    for at in range(width):
        further = [judged([*rows, *[("y",) * width] * more], bounds).verdict(at) for more in range(8)]
        assert judgement.can_still_pass(at) is (Verdict.PASSED in further)


@pytest.mark.parametrize(
    ("bounds", "kept", "lost", "verdict"),
    [
        (Bounds(1), 1, 5, Verdict.PASSED),
        (Bounds(2), 1, 0, Verdict.FAILED),
        (Bounds(3), 1, 1, Verdict.FAILED),
        (Bounds(2), 1, 1, Verdict.INCONCLUSIVE),
        (Bounds(0, 0), 0, 1, Verdict.INCONCLUSIVE),
        (Bounds(0, 0), 1, 1, Verdict.FAILED),
        (Bounds(0, 2), 1, 1, Verdict.PASSED),
        (Bounds(2, 2), 2, 1, Verdict.INCONCLUSIVE),
    ],
)
def test_what_is_lost_may_hide_calls_and_never_makes_them_fewer(
    bounds: Bounds, kept: int, lost: int, verdict: Verdict
) -> None:
    assert judged([("y",)] * kept + [None] * lost, [bounds]).verdict(0) is verdict


def test_one_that_calls_must_never_fit_has_no_place_in_an_order() -> None:
    judgement = judged([("y", "n", "n"), ("n", "n", "y")], [Bounds(1), Bounds(0, 0), Bounds(1)])
    assert judgement.order() is Verdict.PASSED


def test_a_call_stands_for_one_place_in_an_order_however_many_it_fits() -> None:
    assert judged([("y", "y")], [Bounds(1), Bounds(1)]).order() is Verdict.FAILED
    assert judged([("y", "y"), ("y", "y")], [Bounds(1), Bounds(1)]).order() is Verdict.PASSED


def test_what_breaks_an_order_is_the_first_that_no_call_fits_in_its_place() -> None:
    assert judged([("n", "y"), ("y", "n")], [Bounds(1), Bounds(1)]).awaited() == 1
    assert judged([("y", "n"), ("n", "y")], [Bounds(1), Bounds(1)]).awaited() is None


def test_exchanges_up_to_a_number_do_not_count_and_are_not_missed() -> None:
    judgement = Judgement([expected(0, Bounds(1))], after=5)
    take_in(judgement, call(7, "y"))
    assert (judgement.tallies[0].count, judgement.lost, judgement.number) == (1, 1, 7)


def test_a_question_about_what_is_yet_to_come_misses_nothing() -> None:
    judgement = Judgement([expected(0, Bounds(0, 0))], after=5)
    judgement.reach(3)
    assert (judgement.complete, judgement.number, judgement.verdict(0)) == (True, 5, Verdict.PASSED)


def test_the_last_calls_are_named_oldest_first_and_the_first_of_the_others() -> None:
    rows: list[Row] = [*[("y",)] * 30, *[("n",)] * 30]
    judgement = judged(rows, [Bounds(1)])
    assert list(judgement.tallies[0].last_ids) == [f"log_{number:08}" for number in range(11, 31)]
    assert judgement.other_ids == [f"log_{number:08}" for number in range(31, 51)]
    assert (len(judgement.other_ids), judgement.others) == (IDS_MAX, 30)


def test_a_matcher_that_takes_more_work_than_a_question_may_leaves_the_rest_undecided(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("understudy_server.core.verification.QUESTION_STEPS_MAX", 0)
    judgement = judged([("y",)], [Bounds(0, 0)])
    assert (judgement.tallies[0].undecided, judgement.verdict(0)) == (1, Verdict.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("parts", "verdict"),
    [
        ([], Verdict.PASSED),
        ([Verdict.PASSED, Verdict.PASSED], Verdict.PASSED),
        ([Verdict.PASSED, Verdict.INCONCLUSIVE], Verdict.INCONCLUSIVE),
        ([Verdict.INCONCLUSIVE, Verdict.FAILED], Verdict.FAILED),
    ],
)
def test_a_whole_has_failed_if_any_part_has(parts: list[Verdict], verdict: Verdict) -> None:
    assert all_of(parts) is verdict


def test_a_body_that_was_not_kept_whole_is_no_reason_to_doubt_what_fails_without_it() -> None:
    cut = Captured(b'{"a"', 1_000, "application/json")
    matcher = Matcher(body=Equals("x"), others=(QueryPart(Equals("1"), "p"),))
    judgement = Judgement([Expected(matcher, Bounds(0, 0))])
    take_in(judgement, recorded_call(1, "/pay?p=2", body=cut))
    assert judgement.verdict(0) is Verdict.PASSED
    take_in(judgement, recorded_call(2, "/pay?p=1", body=cut))
    assert judgement.verdict(0) is Verdict.INCONCLUSIVE
