from pathlib import Path

import pytest
from support import proofs


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    page = tmp_path / "PROOFS.md"
    monkeypatch.setattr(proofs, "PAGE", page)
    monkeypatch.setattr(proofs, "PROVE", True)
    return page


def test_a_report_is_a_section_with_a_table(page: Path) -> None:
    proofs.report("kill", kills=200, seed=7)

    lines = page.read_text().splitlines()
    assert "## kill" in lines
    assert "| proof | kills | seed | date |" in lines
    assert lines[-1].startswith("| kill | 200 | 7 | 20")


def test_a_second_report_replaces_its_own_section_only(page: Path) -> None:
    proofs.report("disk", rounds=3)
    proofs.report("kill", kills=4)
    proofs.report("kill", kills=200)

    text = page.read_text()
    assert text.count("# Proofs") == 1
    assert text.count("## kill") == 1
    assert "| disk | 3 |" in text
    assert "| kill | 200 |" in text
    assert "| kill | 4 |" not in text


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
