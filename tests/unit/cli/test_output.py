import re
from collections.abc import Callable, Sequence

import pytest
from understudy_server.cli.output import print_lines, print_table

_CONTROL = re.compile(r"\x1b\[[0-9;]*m")
Printed = Callable[..., list[str]]

COLUMNS = ("ID", "PATH", "NOTE")
ROWS = [("log_" + "1" * 26, "/api/" + "segment/" * 12, "done"), ("log_2", "/", "")]


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Printed:
    def prints(width: int, rows: Sequence[tuple[str, ...]] = ROWS, *, terminal: bool = True) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("TTY_COMPATIBLE", "1" if terminal else "0")
        print_table(COLUMNS, rows, empty="Nothing.")
        return [_CONTROL.sub("", line).rstrip() for line in capsys.readouterr().out.splitlines()]

    return prints


def test_no_rows_say_what_is_empty(printed: Printed) -> None:
    assert printed(80, []) == ["Nothing."]


def test_a_wide_terminal_shows_a_table(printed: Printed) -> None:
    lines = printed(200)
    assert [line.split() for line in lines] == [list(COLUMNS), list(ROWS[0]), ["log_2", "/", "-"]]


@pytest.mark.parametrize("width", [60, 80, 100])
def test_a_long_cell_is_folded_beside_a_first_column_that_stays_whole(printed: Printed, width: int) -> None:
    lines = printed(width)
    assert max(map(len, lines)) <= width
    assert lines[1].startswith(ROWS[0][0] + "  /api/")
    assert "".join(lines).count("segment/") >= 1
    assert "".join(line[32:].split()[0] for line in lines[1:-1] if line[32:].split()) == ROWS[0][1]


def test_a_narrow_terminal_shows_records(printed: Printed) -> None:
    assert printed(40) == [ROWS[0][0], f"  path  {ROWS[0][1]}", "  note  done", "log_2", "  path  /"]


def test_what_is_piped_is_one_line_a_row_however_long(printed: Printed) -> None:
    assert len(printed(40, terminal=False)) == 3


def test_control_characters_are_spelled_out(printed: Printed, capsys: pytest.CaptureFixture[str]) -> None:
    assert "\\x1b[31m" in printed(80, [("a", "\x1b[31mred", "")])[1]
    print_lines([("a\x1b[31mb\nc", "")])
    assert capsys.readouterr().out == "a\\x1b[31mb\\nc\n"
