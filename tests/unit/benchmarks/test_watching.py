"""Which rows are watched, and what becomes of those that cannot be."""

from collections.abc import Callable, Sequence

import pytest

from benchmarks import watching
from benchmarks.method import Length, Rejected, Spread, alternate
from benchmarks.profiles import Profile
from benchmarks.row import Row, at_least, at_most
from benchmarks.watching import watched

WHOLE = Length()
SEEN, AROUND = Profile("seen at work"), Profile("seen as a whole")


@pytest.fixture(autouse=True)
def _looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "profile", lambda work: (work(), SEEN)[1])
    monkeypatch.setattr(watching, "_whole", lambda measure, length: AROUND)


def row(name: str, ratio: float = 0.5, profile: Profile | None = None, unit: str = "") -> Row:
    return Row(name, Spread.of([ratio], profile), at_least(0.9), "as it is", unit)


def measuring(*rows: Row) -> Callable[[Length], Sequence[Row]]:
    """Measures these, each with a profile when it is watched, and no round of which counts otherwise."""

    def measure(length: Length) -> Sequence[Row]:
        assert length.watch
        return [each.with_profile(length.watch(lambda: None)) for each in rows]

    return measure


def never(_length: Length) -> Sequence[Row]:
    raise AssertionError


def test_rows_that_hold_are_not_measured_again() -> None:
    rows = [row("a", 0.95), Row("b", Spread.of([1]), None, ""), Row("c", None, None, "", counts=False)]

    assert watched(never, rows, WHOLE) == rows


def test_a_row_that_missed_has_a_profile_of_the_same_work_and_its_own_numbers() -> None:
    rows = watched(measuring(row("a", 7.0), row("b", 7.0)), [row("a"), row("b", 0.95)], WHOLE)

    assert [(each.figure, each.profile) for each in rows] == [("0.50", SEEN), ("0.95", None)]


def test_a_row_without_rounds_of_its_own_is_watched_as_a_whole() -> None:
    [found] = watched(lambda _: [row("a")], [row("a")], WHOLE)

    assert found.profile == AROUND


def test_memory_has_no_profile_of_time() -> None:
    rows = [Row("a", Spread.of([9.0]), at_most(8.0), "", " MB")]

    assert watched(never, rows, WHOLE) == rows


@pytest.mark.parametrize("error", [Rejected("not quiet"), RuntimeError("no nginx")])
def test_what_is_measured_is_not_lost_when_it_cannot_be_watched(error: Exception) -> None:
    def measure(_length: Length) -> Sequence[Row]:
        raise error

    [found] = watched(measure, [row("a")], WHOLE)

    assert found.figure == "0.50"
    assert found.profile is not None
    assert str(error) in found.profile.said


def test_what_is_watched_in_rounds_is_the_subject() -> None:
    log = list[str]()
    length = Length(rounds=1, seconds=1, watch=watching.profile)

    def side(name: str) -> Callable[[], float]:
        def measure() -> float:
            log.append(name)
            return 1.0

        return measure

    rounds = alternate(side("ours"), side("theirs"), length, steady=float)

    assert log == ["ours", "theirs", "ours", "theirs", "ours"]
    assert rounds.ratio(float).profile == rounds.subject(float).profile == SEEN
