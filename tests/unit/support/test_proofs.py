import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import proofs

_ROOT = Path(__file__).parents[3]


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    page = tmp_path / "PROOFS.md"
    monkeypatch.setattr(proofs, "PAGE", page)
    monkeypatch.setattr(proofs, "PROVE", True)
    monkeypatch.setattr(proofs, "COMMIT", "4f0623b")
    monkeypatch.setattr(proofs, "_waiting", {})
    return page


def test_a_report_is_a_section_with_a_table(page: Path) -> None:
    proofs.report("kill", kills=200, seed=7)

    lines = page.read_text().splitlines()
    assert "## kill" in lines
    assert "| proof | held | kills | seed | date | commit |" in lines
    assert lines[-1].startswith("| kill | not ended | 200 | 7 | 20")
    assert lines[-1].endswith(" | 4f0623b |")


def test_a_second_report_replaces_its_own_section_only(page: Path) -> None:
    proofs.report("disk", rounds=3)
    proofs.report("kill", kills=4)
    proofs.report("kill", kills=200)

    text = page.read_text()
    assert text.count("# Proofs") == 1
    assert text.count("## kill") == 1
    assert "| disk | not ended | 3 |" in text
    assert "| kill | not ended | 200 |" in text
    assert "| 4 |" not in text


@pytest.mark.parametrize(("held", "said"), [(True, "yes"), (False, "NO")])
def test_a_proof_is_judged_when_its_test_has_ended(held: bool, said: str, page: Path) -> None:
    proofs.report("kill", kills=200)
    assert proofs.undecided() == {"kill"}
    proofs.judge("kill", held=held)

    assert f"| kill | {said} | 200 |" in page.read_text()
    assert proofs.undecided() == frozenset()


def test_sections_from_before_verdicts_stay_as_they_were(page: Path) -> None:
    old = "## disk\n\n| proof | rounds | date |\n| --- | --- | --- |\n| disk | 3 | 2026-11-26 |\n"
    page.write_text(f"# Proofs\n\nAs it was.\n\n{old}")

    proofs.report("kill", kills=200)

    assert old in page.read_text()


_PROOFS = """
from pathlib import Path
import pytest
from support import proofs
from support.proofs import report

proofs.PAGE = Path({page!r})


@pytest.fixture(scope="module")
def together():
    yield
    report("of all", tests=3)


@pytest.fixture
def untidy():
    yield
    assert not "tidied up"


def test_holds(together):
    report("holds", lost=0)


def test_hold(together):
    report("hold", lost=0)


def test_hold_not(together):
    report("hold not", lost=1)
    assert not "lost"


def test_ends_badly(together, untidy):
    report("ends badly", lost=0)
"""


def test_each_row_says_whether_the_test_that_wrote_it_passed(tmp_path: Path) -> None:
    page, file = tmp_path / "PROOFS.md", tmp_path / "test_some.py"
    file.write_text(_PROOFS.format(page=str(page)))
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir", str(tmp_path), str(file)]
    command += ["-p", "support.proof_verdicts", "-p", "no:cacheprovider"]
    path = os.pathsep.join([str(_ROOT / "tests"), str(_ROOT)])

    subprocess.run(command, env={**os.environ, "PYTHONPATH": path, "UNDERSTUDY_PROVE": "1"}, check=False)

    rows = [line.split(" | ")[:2] for line in page.read_text().splitlines() if line.startswith("| ")]
    verdicts = {name.removeprefix("| "): held for name, held in rows if name != "| proof" and held != "---"}
    assert verdicts == {"holds": "yes", "hold": "yes", "hold not": "NO", "ends badly": "NO", "of all": "NO"}


def test_short_runs_leave_the_page_alone(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "PROVE", False)

    proofs.report("kill", kills=4)

    assert not page.exists()


@pytest.mark.parametrize(("whole", "short"), [(200, 4), (10_000, 200), (3, 1)])
def test_a_short_run_is_a_fiftieth_but_never_nothing(monkeypatch: pytest.MonkeyPatch, whole: int, short: int) -> None:
    monkeypatch.setattr(proofs, "PROVE", False)

    assert proofs.scaled(whole) == short


def test_a_given_seed_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_SEED", "42")

    assert proofs.new_seed() == 42
