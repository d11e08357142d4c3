import sys
from pathlib import Path

import pytest
from support.shell import Shell
from understudy_server.cli import asking


class Terminal:
    """A stream that says it is one."""

    def __init__(self) -> None:
        self.written = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.written += text
        return len(text)

    def flush(self) -> None:
        pass


def test_work_is_shown_on_a_terminal_and_cleared_away(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal)
    with asking.working("reading a large file"):
        pass
    assert "reading a large file" in terminal.written
    assert terminal.written.endswith("\x1b[2K")


def test_work_is_not_shown_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with asking.working("reading a large file"):
        pass
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("stream", ["stdin", "stderr"])
def test_a_question_needs_somebody_who_sees_it_and_can_answer(monkeypatch: pytest.MonkeyPatch, stream: str) -> None:
    for each in ("stdin", "stderr"):
        monkeypatch.setattr(sys, each, Terminal())
    assert asking.on_terminal()
    with Path("/dev/null").open() as nobody:
        monkeypatch.setattr(sys, stream, nobody)
        assert not asking.on_terminal()


@pytest.mark.parametrize(("typed", "agreed"), [("y\n", True), ("n\n", False), ("\n", False), ("", False)])
def test_only_a_yes_is_one(shell: Shell, monkeypatch: pytest.MonkeyPatch, typed: str, agreed: object) -> None:
    monkeypatch.setattr(asking, "on_terminal", lambda: True)
    result = shell.run("environment", "delete", "staging", "--force", typed=typed)
    assert (result.exit_code == 0) is agreed
