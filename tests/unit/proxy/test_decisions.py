"""What was decided about requests alike is let go of: of an old view, and the oldest over the bound."""

from dataclasses import dataclass
from typing import Any

from understudy_server.proxy.alike import Alike
from understudy_server.proxy.decisions import PART_BYTES, Decisions


@dataclass(frozen=True)
class _Decided:
    version: int


def _decide(decisions: Decisions, alike: Alike, version: int, bytes_: int = 100) -> None:
    decided: Any = _Decided(version)
    alike.leave(decided)
    decisions.keep(alike, version, bytes_)


def _whole(version: int = 1) -> Alike:
    """As it is once it was asked for what a key comes to."""
    whole = Alike(has_parts=True)
    live: Any = object()
    whole.version, whole.live = version, live
    return whole


def test_decisions_of_an_old_view_go_a_few_at_a_time_as_new_ones_come() -> None:
    decisions, old, new = Decisions(), [Alike() for _ in range(20)], [Alike() for _ in range(6)]
    for each in old:
        _decide(decisions, each, 1)

    left = []
    for each in new:
        _decide(decisions, each, 2)
        left.append(sum(alike.decided is not None for alike in old))

    assert left == [16, 12, 8, 4, 0, 0]
    assert all(each.decided for each in new)
    assert (len(decisions), decisions.bytes) == (6, 600)


def test_oldest_goes_when_all_take_more_than_they_may() -> None:
    decisions, alikes = Decisions(bytes_max=1_000), [Alike() for _ in range(12)]
    for each in alikes:
        _decide(decisions, each, 1)
    assert [each.decided is not None for each in alikes] == [False] * 2 + [True] * 10
    _decide(decisions, Alike(), 1, bytes_=950)
    assert not any(each.decided for each in alikes)
    assert decisions.bytes == 950


def test_what_was_decided_anew_outlives_the_old_decision() -> None:
    decisions, alike = Decisions(), Alike()
    _decide(decisions, alike, 1)
    _decide(decisions, alike, 2)
    assert alike.decided is not None
    assert alike.decided.version == 2
    assert len(decisions) == 1


def test_answer_that_stands_goes_as_a_decision_does() -> None:
    decisions, alike = Decisions(), Alike()
    standing: Any = _Decided(1)
    alike.stand(standing)
    decisions.keep(alike, 1, 100)
    _decide(decisions, Alike(), 2)
    assert alike.standing is None


def test_part_is_the_same_until_the_view_moves_on_and_its_whole_lets_go_of_it() -> None:
    decisions, whole, layers, others = Decisions(), _whole(), object(), object()
    part, other = decisions.part(whole, layers), decisions.part(whole, others)
    assert decisions.part(whole, layers) is part
    assert decisions.part(whole, others) is other
    _decide(decisions, part, 1)

    _decide(decisions, Alike(), 2)

    assert part.decided is None
    assert (whole.part, whole.part_of, whole.live) == (None, None, None)
    assert decisions.part(whole, layers) is not part


def test_part_that_nothing_was_decided_about_takes_room_too() -> None:
    decisions, whole = Decisions(bytes_max=10 * PART_BYTES), _whole()
    for number in range(100):
        decisions.part(whole, str(number))
    assert len(decisions) == 10
    assert decisions.bytes == 10 * PART_BYTES


def test_whole_keeps_the_part_that_was_asked_for_last_when_another_goes() -> None:
    decisions, whole = Decisions(bytes_max=2 * PART_BYTES), _whole()
    decisions.part(whole, "one")
    decisions.part(whole, "two")
    three = decisions.part(whole, "three")
    assert (whole.part, whole.part_of, whole.version) == (three, "three", 1)
