"""Editing what the server keeps: an editor played by a script, on a terminal that is none."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.shell import Shell
from understudy_server.cli import asking

Play = Callable[..., Path]

# Each time it is opened it plays its next line: what is replaced by what. It keeps what it was given to edit.
_EDITOR = """
import pathlib, sys
steps, file = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
step, *later = steps.read_text().splitlines()
steps.write_text("\\n".join(later))
given = file.read_text()
steps.with_name("given").write_text(given)
before, after = step.split("=>")
assert before in given, given
file.write_text(given.replace(before, after.replace("~", "\\n")))
"""


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Names an editor that plays steps (``old=>new``); returns the file with what it was given last."""
    monkeypatch.setattr(asking, "on_terminal", lambda: True)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def plays(*steps: str, variable: str = "VISUAL") -> Path:
        script, lines = tmp_path / "editor.py", tmp_path / "steps"
        script.write_text(_EDITOR)
        lines.write_text("\n".join(steps))
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv(variable, f"{sys.executable} {script} {lines}")
        return tmp_path / "given"

    return plays


def kept(tmp_path: Path) -> list[Path]:
    """The files that were left to the user."""
    return sorted(tmp_path.glob("understudy-*/*"))


@pytest.mark.parametrize("variable", ["VISUAL", "EDITOR"])
def test_what_was_typed_is_in_force(shell: Shell, play: Play, tmp_path: Path, variable: str) -> None:
    given = play("status: 402=>status: 409", variable=variable)
    assert shell.json("mock", "edit", "ovr_payDeclined")["action"]["respond"]["status"] == 409
    assert given.read_text().startswith("# mock ovr_payDeclined: save and close to set it")
    assert kept(tmp_path) == []


def test_without_a_change_nothing_is_sent(shell: Shell, play: Play, tmp_path: Path) -> None:
    play("status: 402=>status: 402")
    result = shell.run("mock", "edit", "ovr_payDeclined")
    assert (result.exit_code, "nothing changed" in result.stderr) == (0, True)
    assert shell.json("mock", "get", "ovr_payDeclined")["revision"] == 2
    assert kept(tmp_path) == []


def test_a_mistake_can_be_edited_again(shell: Shell, play: Play, tmp_path: Path) -> None:
    play("status: 402=>status: 999", "status: 999=>status: 409")
    result = shell.run("mock", "edit", "ovr_payDeclined", typed="y\n")
    assert result.exit_code == 0, result.stderr
    assert re.search(r"mock-ovr_payDeclined\.yaml:\d+:\d+: invalid_field: .* is 999", result.stderr)
    assert shell.json("mock", "get", "ovr_payDeclined")["action"]["respond"]["status"] == 409
    assert kept(tmp_path) == []


def test_what_cannot_be_read_names_its_line_and_can_be_edited_again(shell: Shell, play: Play) -> None:
    play("status: 402=>staus: 409", "staus: 409=>status: 409")
    result = shell.run("mock", "edit", "ovr_payDeclined", typed="y\n")
    assert result.exit_code == 0, result.stderr
    assert re.search(r"mock-ovr_payDeclined\.yaml:\d+:\d+: action\.respond\.staus: .*status", result.stderr)


def test_who_gives_up_keeps_what_was_typed(shell: Shell, play: Play, tmp_path: Path) -> None:
    play("status: 402=>status: 999")
    result = shell.run("mock", "edit", "ovr_payDeclined", typed="n\n")
    (file,) = kept(tmp_path)
    assert result.exit_code == 1
    assert f"understudy mock edit ovr_payDeclined --from {file}" in result.stderr
    assert "status: 999" in file.read_text()


def test_a_change_meanwhile_is_not_overwritten(
    shell: Shell, play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play("status: 402=>status: 409")
    from understudy_server.cli import editing

    opened = editing._open

    def meanwhile(editor: list[str], path: Path) -> None:
        # Somebody else is as quick as the one who types. That they get in at all shows that we let go of the data.
        import threading

        other = threading.Thread(target=lambda: shell.ok("mock", "edit", "ovr_payDeclined", "--name", "Theirs"))
        other.start()
        other.join()
        opened(editor, path)

    monkeypatch.setattr(editing, "_open", meanwhile)
    result = shell.run("mock", "edit", "ovr_payDeclined")
    (file,) = kept(tmp_path)
    assert (result.exit_code, "revision_mismatch" in result.stderr) == (1, True)
    assert str(file) in result.stderr
    found = shell.json("mock", "get", "ovr_payDeclined")
    assert (found["name"], found["action"]["respond"]["status"]) == ("Theirs", 402)


def test_an_editor_that_fails_changes_nothing_and_names_the_file(
    shell: Shell, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    play()
    monkeypatch.setenv("VISUAL", "false")
    result = shell.run("mock", "edit", "ovr_payDeclined")
    assert (result.exit_code, "the editor ended with 1" in result.stderr) == (2, True)


def test_an_editor_that_is_not_there_is_named(
    shell: Shell, play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    play()
    monkeypatch.setenv("VISUAL", "/nonexistent/editor")
    result = shell.run("mock", "edit", "ovr_payDeclined")
    assert (result.exit_code, "cannot start /nonexistent/editor" in result.stderr) == (2, True)
    assert kept(tmp_path) == []


def test_a_scenario_is_edited_with_its_own_mocks(shell: Shell, play: Play) -> None:
    given = play("status: 402=>status: 409")
    shell.ok("scenario", "edit", "scn_declined")
    assert "understudy mock delete ID" in given.read_text()
    assert shell.json("mock", "get", "ovr_declinedPay")["action"]["respond"]["status"] == 409


def test_an_environment_is_edited(shell: Shell, play: Play) -> None:
    play("name: Staging=>name: Staging~strict: true")
    assert shell.json("environment", "edit", "staging")["strict"] is True


def test_a_project_is_edited(shell: Shell, play: Play) -> None:
    play("name: Checkout=>name: Till")
    assert shell.json("project", "edit", "checkout")["name"] == "Till"
