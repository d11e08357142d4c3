"""What is kept of the runs before, and that the page says of each row which of them it is of."""

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.method import Length, Rejected, Spread
from benchmarks.page import PAGE, page
from benchmarks.profiles import Profile, Spot
from benchmarks.results import Measured, Run, load, save
from benchmarks.row import Row, at_least
from benchmarks.run import ROWS, measured, record

OLD = Run("2026-11-01 09:00", "aaaaaaa", "a machine, 2 cores", "Python 3.11.7", 7, 3)
NEW = replace(OLD, at="2026-11-02 10:00", commit="bbbbbbb, changed", server="`understudy serve`")
PROFILE = Profile("The server was busy:", (("proxy", 0.75),), (Spot(0.5, "flush (proxy/outlet.py)", "proxy", ""),))


def row(name: str, ratio: float | None = 0.95, profile: Profile | None = None) -> Row:
    return Row(name, None if ratio is None else Spread.of([ratio], profile), at_least(0.9, aim=0.97), "as it is")


def section(text: str, name: str) -> str:
    return text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    known = {
        "static": Measured(OLD, (row("a", 0.5, PROFILE), row("b", None), Row("c", Spread(1, 2, 3), None, "", " s")))
    }
    save(known, tmp_path / "results.json")

    found = load(["forward", "static"], tmp_path / "results.json")

    assert found == known
    assert found["static"].rows[0].profile == PROFILE


def test_nothing_is_known_before_the_first_run(tmp_path: Path) -> None:
    assert load(["static"], tmp_path / "results.json") == {}


def test_a_row_that_is_measured_again_leaves_the_others_to_their_runs(tmp_path: Path) -> None:
    file, to = tmp_path / "results.json", tmp_path / "RESULTS.md"
    record({"static": Measured(OLD, (row("a"),)), "forward": Measured(OLD, (row("b"),))}, file, to)
    record({"forward": Measured(NEW, (row("c"),))}, file, to)

    text = to.read_text(encoding="utf-8")

    assert "| 1 | 2026-11-02 10:00 | bbbbbbb, changed | 7 of 3 s | forward | `understudy serve` |" in text
    assert (
        "| 2 | 2026-11-01 09:00 | aaaaaaa | 7 of 3 s | static | its rooms, joined by hand: journal on, metrics off |"
        in text
    )
    assert [line[:9] for line in text.splitlines() if "as it is" in line] == ["| a | 2 |", "| c | 1 |"]


def test_a_row_that_is_no_more_is_forgotten(tmp_path: Path) -> None:
    file, to = tmp_path / "results.json", tmp_path / "RESULTS.md"
    save({"of-before": Measured(OLD, (row("gone"),))}, file)
    record({"static": Measured(NEW, (row("a"),))}, file, to)

    assert "gone" not in to.read_text(encoding="utf-8") + file.read_text(encoding="utf-8")


def test_a_missed_target_is_named_with_its_profile() -> None:
    missed = section(page({"static": Measured(OLD, (row("good"), row("a mock", 0.5, PROFILE)))}), "Missed targets")

    assert missed.startswith("\n1 of 2.")
    assert "### a mock\n\n0.50, and >= 0.90 it must be (run 1).\nThe server was busy: proxy 75%.\n\n| share |" in missed
    assert "| 50.0% | flush (proxy/outlet.py) | proxy |  |" in missed
    assert "good" not in missed


def test_a_missed_target_without_a_profile_says_why() -> None:
    unseen = page({"static": Measured(OLD, (row("a mock", 0.5, Profile("No functions could be seen: not allowed.")),))})
    unwatched = page({"static": Measured(OLD, (row("a mock", 0.5),))})

    assert "No functions could be seen: not allowed." in section(unseen, "Missed targets")
    assert "`make bench ROW=static` takes one" in section(unwatched, "Missed targets")


def test_that_all_targets_hold_is_said() -> None:
    text = page({"static": Measured(OLD, (row("a mock"), Row("no target", Spread.of([1]), None, "")))})

    assert section(text, "Missed targets").strip().startswith("None of 1.")


def test_an_aim_that_is_not_reached_is_named_in_a_line() -> None:
    text = page({"static": Measured(OLD, (row("near"), row("far", 0.5), row("there", 0.97)))})
    aims = section(text, "Targets that hold, but not their aims")

    assert aims.strip() == "- near: 0.95, where 0.97 is the aim"


def test_what_could_not_be_measured_is_named_with_the_reason() -> None:
    text = page({"static": Measured(OLD, (Row("a mock", None, None, "no quiet machine", counts=False),))})

    assert section(text, "Not measured").strip() == "- a mock (run 1): no quiet machine"


@pytest.mark.parametrize(
    ("error", "reason"),
    [(Rejected("not quiet"), "not quiet"), (RuntimeError("nginx\nis | away"), "RuntimeError: nginx is / away")],
)
def test_a_row_that_goes_wrong_ends_no_other(error: Exception, reason: str) -> None:
    def measure(_length: Length) -> list[Row]:
        raise error

    [found] = measured("static", measure, Length())

    assert (found.name, found.detail, found.failed) == ("make bench ROW=static", reason, True)


def test_the_page_in_the_tree_is_made_of_the_results_in_the_tree() -> None:
    assert page(load(ROWS)) == PAGE.read_text(encoding="utf-8")


def test_a_run_says_when_and_of_what_it_is() -> None:
    now = Run.now(Length(5, 2))

    assert (now.rounds, now.seconds) == (5, 2)
    assert all((now.at, now.commit, now.machine, now.versions))
