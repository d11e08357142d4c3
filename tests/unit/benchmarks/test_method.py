from collections.abc import Callable, Iterator

import pytest

from benchmarks.method import Length, Rejected, alternate


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
