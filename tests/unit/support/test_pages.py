"""The reader of the documentation gets stuck where a person would."""

import os
from pathlib import Path

import pytest
from support.page_blocks import Block, Command, Step, read_commands, read_page
from support.page_outputs import difference
from support.page_ports import Ports
from support.page_run import PageFailed, run_page
from support.page_shell import Shell


def _run(tmp_path: Path, text: str) -> None:
    page, folder = tmp_path / "page.md", tmp_path / "folder"
    page.write_text(text)
    folder.mkdir()
    run_page(page, folder, {})


def test_blocks_have_language_name_and_notes(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A\n\n<!-- test: stays, port 8080 -->\n```sh title=a.sh append\nls\n```\n<!-- test: run ls -->\n")
    block, step = read_page(page)
    assert block == Block("sh", "ls\n", 4, "a.sh", appends=True, notes={"stays": "port 8080"})
    assert step == Step("run", "ls", 7)


def test_a_note_that_is_misspelt_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- test: norun: because -->\n```sh\nls\n```\n")
    with pytest.raises(ValueError, match="no such note"):
        read_page(page)


def test_commands_have_the_lines_below_them() -> None:
    text = "$ one \\\n> two\na\nb\n$ three\n"
    assert read_commands(text) == [Command("one \\\ntwo", ("a", "b")), Command("three", ())]


def test_a_command_that_fails_stops_the_reader(tmp_path: Path) -> None:
    with pytest.raises(PageFailed, match=r"page.md:3: `false\ntrue` ended with 1"):
        _run(tmp_path, "# A\n\n```sh\nfalse\ntrue\n```\n")


def test_output_that_is_not_as_shown_stops_the_reader(tmp_path: Path) -> None:
    with pytest.raises(PageFailed, match="the page shows"):
        _run(tmp_path, "```console\n$ echo one\ntwo\n```\n")


def test_a_failing_command_is_fine_where_the_page_asks_for_its_exit_code(tmp_path: Path) -> None:
    _run(tmp_path, "```console\n$ echo out; false\nout\n$ echo $?\n1\n```\n")


def test_a_failing_command_stops_the_reader_of_a_transcript(tmp_path: Path) -> None:
    with pytest.raises(PageFailed, match="ended with 1"):
        _run(tmp_path, "```console\n$ false\n```\n")


def test_variables_and_folder_stay_from_block_to_block(tmp_path: Path) -> None:
    _run(
        tmp_path,
        "```sh\nWORD=kept; mkdir deep; cd deep\n```\n```console\n$ echo $WORD $(basename $PWD)\nkept deep\n```\n",
    )


def test_python_that_fails_stops_the_reader(tmp_path: Path) -> None:
    with pytest.raises(PageFailed, match="ZeroDivisionError"):
        _run(tmp_path, "```python\n1 / 0\n```\n")


def test_a_block_in_an_unknown_language_stops_the_reader(tmp_path: Path) -> None:
    with pytest.raises(PageFailed, match="cobol"):
        _run(tmp_path, "```cobol\n```\n")


def test_what_belongs_at_the_end_of_a_file_is_put_there(tmp_path: Path) -> None:
    text = (
        "```text title=a.txt\none\n```\n```text title=a.txt append\ntwo\n```\n```console\n$ cat a.txt\none\ntwo\n```\n"
    )
    _run(tmp_path, text)


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        (["a", "b"], "a\nb\n"),
        (["..."], "a\nb\n"),
        (["a", "..."], "a\nb\nc\n"),
        (["...", "c"], "a\nb\nc\n"),
        (["a", "...", "c"], "a\nc\n"),
        (["it took ... to run"], "it took long to run"),
        (["at 2026-06-23T12:00:00.000Z in 5 ms"], "at 2027-01-02T03:04:05.678Z in 71 ms"),
        (["log_01J0ZK3V8Q4C9W7M2N5R6T8XYB  x"], "log_01J0ZK3V8Q4C9W7M2N5R6T8XYZ      x"),
        ([], ""),
    ],
)
def test_outputs_that_are_the_same(shown: list[str], printed: str) -> None:
    assert difference(shown, printed) == ""


@pytest.mark.parametrize(
    ("shown", "printed"), [(["a"], "b"), (["a"], "a\nb"), (["a", "b"], "a"), ([], "a"), (["a", "...", "d"], "a\nb")]
)
def test_outputs_that_differ(shown: list[str], printed: str) -> None:
    assert difference(shown, printed)


def test_ports_of_the_page_become_free_ones_and_back() -> None:
    ports = Ports()
    text = "http://127.0.0.1:8080/checkout and 50051, but not 18080 or 80801"
    used = ports.to_free(text)
    assert f"127.0.0.1:{ports.free(8080)}/checkout and {ports.free(50051)}, but not 18080 or 80801" in used
    assert ports.to_usual(used) == text


def test_what_a_shell_started_ends_with_it(tmp_path: Path) -> None:
    held = tmp_path / "held"
    os.mkfifo(held)
    with Shell(tmp_path, {"PATH": "/usr/bin:/bin"}, tmp_path) as shell:
        shell.start("exec 9>held; sleep 600")
        reader = held.open()  # both wait for each other here
    with reader:
        assert reader.read() == ""  # comes to its end when nobody holds the other one any more
