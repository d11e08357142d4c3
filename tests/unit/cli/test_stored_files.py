"""``understudy file``, as typed."""

from pathlib import Path

import pytest
from support.shell import Shell


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "source"
    file.write_bytes(b"\0\xffabc")
    return file


def test_put_sends_a_file_with_the_type_of_its_name(shell: Shell, source: Path) -> None:
    made = shell.json("file", "put", "reports/may.pdf", str(source))
    assert (made["name"], made["contentType"], made["sizeBytes"]) == ("reports/may.pdf", "application/pdf", 5)
    assert shell.json("file", "put", "b", str(source))["contentType"] == "application/octet-stream"
    assert shell.json("file", "put", "b.html", str(source), "--type", "text/x-mine")["contentType"] == "text/x-mine"


def test_get_writes_the_same_bytes(shell: Shell, source: Path, tmp_path: Path) -> None:
    shell.ok("file", "put", "a.bin", str(source))
    assert shell.run("file", "get", "a.bin").stdout_bytes == source.read_bytes()
    shell.ok("file", "get", "a.bin", "--out", str(tmp_path / "copy"))
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()


def test_put_reads_the_standard_input(shell: Shell) -> None:
    shell.ok("file", "put", "a.txt", "-", typed="Grüße")
    assert shell.run("file", "get", "a.txt").stdout_bytes == "Grüße".encode()


def test_list_is_a_table_and_can_be_searched(shell: Shell, source: Path) -> None:
    assert shell.ok("file", "list").startswith("No files. ")
    shell.ok("file", "put", "a.txt", str(source))
    assert "text/plain" in shell.ok("file", "list")
    assert [each["name"] for each in shell.json("file", "list", "--search", "A.T")["files"]] == ["a.txt"]
    assert shell.ok("file", "list", "--search", "none") == "No such files.\n"


def test_a_file_that_is_in_use_stays(shell: Shell, source: Path) -> None:
    shell.ok("file", "put", "a.txt", str(source))
    form = "matcher: GET /a\naction: {respond: {file: a.txt}}\n"
    shell.ok("mock", "create", "--id", "ovr_file", "--from", "-", typed=form)
    result = shell.run("file", "delete", "a.txt")
    assert (result.exit_code, "file_in_use" in result.stderr, "'ovr_file'" in result.stderr) == (1, True, True)
    shell.ok("mock", "delete", "ovr_file")
    assert shell.ok("file", "delete", "a.txt") == "file a.txt is removed\n"
    assert shell.run("file", "get", "a.txt").exit_code == 3


def test_what_cannot_be_read_or_written_is_a_mistake_of_use(shell: Shell, source: Path, tmp_path: Path) -> None:
    assert shell.run("file", "put", "a", str(tmp_path / "none")).exit_code == 2
    shell.ok("file", "put", "a", str(source))
    assert shell.run("file", "get", "a", "--out", str(tmp_path / "no" / "where")).exit_code == 2


def test_a_name_that_is_refused_is_called_as_typed(shell: Shell, source: Path) -> None:
    result = shell.run("file", "put", "../a", str(source))
    assert (result.exit_code, "NAME" in result.stderr) == (1, True)
