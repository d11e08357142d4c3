"""A file that somebody writes is not taken for a whole one."""

import subprocess
import sys
from pathlib import Path

import pytest
from understudy_server.manifest.being_written import is_being_written

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has a file open for writing")


@linux
def test_a_file_that_is_open_for_writing_is_being_written(tmp_path: Path) -> None:
    path = tmp_path / "u.yaml"
    with path.open("w") as file:
        file.write("projects:")
        assert is_being_written(path)
    assert not is_being_written(path)


@linux
def test_another_process_counts(tmp_path: Path) -> None:
    path = tmp_path / "u.yaml"
    path.touch()
    code = "import sys; file = open(sys.argv[1], 'a'); print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        assert is_being_written(path)
        writer.communicate()
    assert not is_being_written(path)


def test_a_file_that_is_only_read_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "u.yaml"
    path.write_text("projects: {}")
    with path.open():
        assert not is_being_written(path)


def test_asking_does_not_keep_a_writer_waiting(tmp_path: Path) -> None:
    path = tmp_path / "u.yaml"
    path.touch()
    is_being_written(path)
    path.write_text("projects: {}")
    assert path.read_text() == "projects: {}"


@pytest.mark.parametrize("name", ["none", "."])
def test_what_is_no_file_is_not_being_written(name: str, tmp_path: Path) -> None:
    assert not is_being_written(tmp_path / name)
