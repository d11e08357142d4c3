import os
from collections.abc import Callable, Iterator

import pytest

from benchmarks import method
from benchmarks.method import Length, Rejected, alone, alternate, in_turns


def clockwork(name: str, values: list[float], log: list[str]) -> Callable[[], float]:
    given: Iterator[float] = iter(values)

    def measure() -> float:
        log.append(name)
        return next(given)

    return measure


def test_sides_take_turns_after_a_round_that_does_not_count() -> None:
    log: list[str] = []
    ours = clockwork("ours", [99, 1, 2, 3, 4, 5], log)
    reference = clockwork("reference", [99, 10, 10, 10, 10, 10], log)

    rounds = alternate(ours, reference, Length(5, 1), steady=float)

    assert log == ["ours", "reference"] * 6
    assert rounds.subject(float).median == 3
    assert rounds.ratio(float).greatest == 0.5


def test_rounds_in_which_the_reference_moved_are_left_out_and_made_up_for() -> None:
    ours = clockwork("ours", [0, 50, 50, 1, 50, 50, 50], [])
    reference = clockwork("reference", [0, 100, 100, 84, 114, 100, 86], [])

    rounds = alternate(ours, reference, Length(5, 1), steady=float)

    assert rounds.disturbed == 1
    assert len(rounds.pairs) == 5
    assert rounds.subject(float).least == 50


def test_a_machine_that_is_never_quiet_gives_no_numbers() -> None:
    restless = clockwork("reference", [float(3**number) for number in range(40)], [])

    with pytest.raises(Rejected, match="steady in only"):
        alternate(lambda: 1.0, restless, Length(5, 1), steady=float)


@pytest.mark.parametrize(
    ("rounds", "seconds", "whole"), [("", "", True), ("1", "", False), ("", "1", False), ("9", "5", True)]
)
def test_a_shortened_measurement_is_not_whole(
    rounds: str, seconds: str, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("ROUNDS", rounds), ("ROUND_SECONDS", seconds)):
        if value:
            monkeypatch.setenv(name, value)
        else:
            monkeypatch.delenv(name, raising=False)

    assert Length.wanted().is_whole is whole


def test_what_stands_alone_counts_in_rounds_in_which_a_fixed_loop_was_steady(monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []
    loop = clockwork("loop", [9.0, 1.0, 1.0, 1.3, 1.0, 1.1, 1.0], log)
    monkeypatch.setattr(method, "_fixed_work_seconds", loop)

    samples, disturbed = alone(clockwork("subject", [0, 1, 2, 3, 4, 5, 6], log), Length(5, 1))

    assert (list(samples), disturbed) == ([1, 2, 4, 5, 6], 1)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes have no cores of their own here")
def test_the_fixed_loop_leaves_the_process_on_its_cores() -> None:
    before = os.sched_getaffinity(0)
    samples, _ = alone(lambda: 1.0, Length(1, 1))

    assert list(samples) == [1.0]
    assert os.sched_getaffinity(0) == before


def test_only_what_others_take_disturbs_a_round_in_turns() -> None:
    log: list[str] = []
    ours = clockwork("ours", [0, 10, 10, 10, 10, 10, 10, 10], log)
    # The second is as any other, whatever it did; the fourth is not.
    theirs = clockwork("theirs", [9, 1, 5, 1, 100, 1, 1, 1], log)
    others = clockwork("others", [0.9, 0.0, 0.1, 0.0, 0.3, 0.0, 0.0], log)

    rounds = in_turns(ours, theirs, Length(5, 1), others)

    assert log == ["ours", "theirs", *["others", "ours", "theirs"] * 6, "others"]
    assert sorted(their for _, their in rounds.pairs) == [1, 1, 1, 1, 5]
    assert (rounds.disturbed, rounds.others) == (1, 0.1)


def test_on_a_machine_that_is_never_quiet_the_calmest_rounds_in_turns_count() -> None:
    taken = [0.2, 0.4, 0.3, 0.5, 0.9, 0.05]
    others = clockwork("others", [0, *taken], [])
    theirs = clockwork("theirs", [0, *range(1, 7)], [])

    rounds = in_turns(lambda: 1, theirs, Length(5, 1), others)

    assert sorted(their for _, their in rounds.pairs) == [1, 2, 3, 4, 6]
    assert (rounds.disturbed, rounds.others) == (5, 0.5)


def test_rounds_in_turns_in_which_others_had_too_much_give_no_numbers() -> None:
    with pytest.raises(Rejected, match="others had 110% of a core even in the 5 calmest of 6 rounds"):
        in_turns(lambda: 1, lambda: 1, Length(5, 1), lambda: 1.1)


def test_rounds_in_turns_in_which_the_subject_was_idle_are_left_out_and_made_up_for() -> None:
    ours = clockwork("ours", [0, 6, 6, 2, 6, 6, 6], [])
    rounds = in_turns(ours, lambda: 1.0, Length(5, 1), lambda: 0.0, was_busy=lambda mine: mine > 3)

    assert (rounds.disturbed, len(rounds.pairs)) == (1, 5)
    assert rounds.subject(float).least == 6


def test_the_ratio_of_medians_is_not_that_of_single_rounds() -> None:
    ours = clockwork("ours", [0, 10, 20, 30, 40, 50], [])
    reference = clockwork("reference", [0, 9, 10, 9, 10, 11], [])

    ratio = alternate(ours, reference, Length(5, 1), steady=float).ratio_of_medians(float)

    assert (ratio.least, ratio.median, ratio.greatest) == (10 / 9, 3, 50 / 11)
