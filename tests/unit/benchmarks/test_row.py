import pytest

from benchmarks.method import Spread
from benchmarks.row import Row, Target, at_least, at_most


@pytest.mark.parametrize(
    ("value", "target", "verdict", "missed"),
    [
        (0.45, at_least(0.45), "yes", False),
        (0.44, at_least(0.45), "NO", True),
        (5.0, at_most(5.0), "yes", False),
        (5.1, at_most(5.0), "NO", True),
        (0.1, at_least(0.38, must=False), "NO (informative)", False),
        (0.4, at_least(0.38, must=False), "yes (informative)", False),
        (0.1, None, "informative", False),
    ],
)
def test_only_a_target_that_must_hold_can_be_missed(
    value: float, target: Target | None, verdict: str, missed: bool
) -> None:
    row = Row("a mock", Spread(0.0, value, 9.0), target, "")

    assert (row.verdict, row.missed) == (verdict, missed)


@pytest.mark.parametrize(
    ("value", "target", "aimed"),
    [
        (0.70, at_least(0.50, aim=0.70), "0.70: yes"),
        (0.69, at_least(0.50, aim=0.70), "0.70: no"),
        (1.8, at_most(2.5, aim=1.8), "1.80: yes"),
        (1.9, at_most(2.5, aim=1.8), "1.80: no"),
        (1.9, at_most(2.5), ""),
    ],
)
def test_an_aim_is_told_and_decides_nothing(value: float, target: Target, aimed: str) -> None:
    row = Row("a mock", Spread(0.0, value, 9.0), target, "")

    assert (target.aimed(value), row.verdict, row.missed) == (aimed, "yes", False)


@pytest.mark.parametrize(
    ("value", "target", "figure"),
    [
        (0.598, at_least(0.60), "0.598"),
        (0.5999996, at_least(0.60), "0.600000"),
        (0.602, at_least(0.60), "0.60"),
        (3.004, at_most(3.0), "3.004"),
        (3.08, at_most(3.0), "3.08"),
        (0.698, at_least(0.50, aim=0.70), "0.698"),
        (0.598, None, "0.60"),
    ],
)
def test_a_figure_has_the_digits_that_show_on_which_side_of_its_target_it_is(
    value: float, target: Target | None, figure: str
) -> None:
    assert Row("a mock", Spread.of([value]), target, "").figure == figure
