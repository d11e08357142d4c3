import pytest
from understudy_server.cli.optional_values import ASSERTIVE, spelled_out


@pytest.mark.parametrize(
    ("line", "read"),
    [
        (["serve", "--assertive"], ["serve", f"--assertive={ASSERTIVE}"]),
        (["serve", "--assertive", "--rest", ":0"], ["serve", f"--assertive={ASSERTIVE}", "--rest", ":0"]),
    ],
)
def test_an_option_without_its_value_has_the_one_that_everybody_would_give(line: list[str], read: list[str]) -> None:
    assert spelled_out(line) == read


@pytest.mark.parametrize(
    "line",
    [
        [],
        ["serve"],
        ["serve", "--assertive", "9000"],
        ["serve", "--assertive=9000", "--rest", ":0"],
        ["serve", "--rest"],
        ["mock", "create", "--assertive"],
    ],
)
def test_other_lines_stay_as_they_are(line: list[str]) -> None:
    assert spelled_out(line) == line
