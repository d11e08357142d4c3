"""Reading understudy.yaml in a process of its own: real ones."""

import asyncio
import errno
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from understudy_server.cli import reading as module
from understudy_server.cli.reading import NotRead, reading
from understudy_server.cli.reading_child import Found, read_whole

TESTS = Path(__file__).parents[2]
GOOD = """\
projects:
  shop:
    environments:
      staging:
        mocks:
          ovr_pay: {matcher: POST /pay, action: {respond: {status: 402}}}
"""
MOCK = "projects['shop'].environments['staging'].mocks['ovr_pay']"

needs_leases = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who has a file open for writing")

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "understudy.yaml"
        path.write_text(text)
        return path

    return write


async def refused(path: Path, seconds_max: float = module.SECONDS_MAX) -> NotRead:
    with pytest.raises(NotRead) as refusal:
        async with reading(path, seconds_max):
            pass
    return refusal.value


async def test_a_manifest_is_read(write: Write) -> None:
    path = write("server: {plan: team}\n" + GOOD)
    async with reading(path) as found:
        assert found.manifest.source == "understudy.yaml"
        assert list(found.manifest.projects["shop"].environments["staging"].mocks) == ["ovr_pay"]
        assert found.declares
        assert found.server == {"plan": "team"}
        assert found.looked_at == {path}


async def test_the_same_files_have_the_same_digest_and_others_another(write: Write) -> None:
    digests = []
    for text in (GOOD, GOOD, GOOD.replace("402", "409")):
        async with reading(write(text)) as found:
            digests.append(found.digest)
    assert digests[0] == digests[1] != digests[2]


async def test_the_place_of_a_field_is_known_while_the_block_lasts(write: Write) -> None:
    path = write(GOOD)
    async with reading(path) as found:
        assert await found.place_of(f"{MOCK}.action.respond.status") == (
            f"{path}:6:68",
            "projects.shop.environments.staging.mocks.ovr_pay.action.respond.status",
        )
    assert await found.place_of(MOCK) == (str(path), MOCK)


async def test_a_file_with_settings_alone_declares_nothing(write: Write) -> None:
    async with reading(write("server: {plan: team}")) as found:
        assert not found.declares


async def test_a_pipe_in_the_place_of_the_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "understudy.yaml")
    assert "it is a pipe" in (await refused(tmp_path / "understudy.yaml")).problems[0]


async def test_every_problem_is_told_with_its_place(write: Write) -> None:
    path = write(GOOD.replace("402", "900").replace("mocks:", "upstream: nowhere\n        mocks:"))
    places = [problem.removeprefix(f"{path}:").split(" ")[0] for problem in (await refused(path)).problems]
    assert places == ["5:19:", "7:68:"]


async def test_a_missing_file_is_a_problem_of_its_own(tmp_path: Path) -> None:
    refusal = await refused(tmp_path / "none.yaml")
    assert "none.yaml" in refusal.problems[0]
    assert refusal.looked_at == {tmp_path / "none.yaml"}


async def test_what_is_included_and_where_a_pattern_looks_is_followed(write: Write, tmp_path: Path) -> None:
    (tmp_path / "more" / "deep").mkdir(parents=True)
    (tmp_path / "more" / "a.yaml").write_text("projects: {}")
    async with reading(write("include: [more/*.yaml]\nprojects: {}")) as found:
        assert found.looked_at == {tmp_path / "understudy.yaml", tmp_path / "more" / "a.yaml", tmp_path / "more"}


async def test_a_file_that_is_missed_is_followed(write: Write, tmp_path: Path) -> None:
    refusal = await refused(write("include: [more/a.yaml]\nprojects: {}"))
    assert tmp_path / "more" / "a.yaml" in refusal.looked_at


async def test_no_process_is_left(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def note(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(popen(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", note)
    async with reading(write(GOOD)):
        assert started[0].poll() is None
    task = asyncio.create_task(refused(write(GOOD)))
    # Its first step starts the process.
    await asyncio.sleep(0)
    assert len(started) == 2
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert None not in [each.returncode for each in started]


@pytest.fixture
def bad_reader(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a process in the place of the reader."""

    def behave(how: str) -> None:
        monkeypatch.setattr(module, "CHILD", "support.bad_reader")
        monkeypatch.setenv("PYTHONPATH", str(TESTS))
        monkeypatch.setenv("BAD_READER", how)

    return behave


async def test_a_reader_that_does_not_answer_is_ended(write: Write, bad_reader: Callable[[str], None]) -> None:
    bad_reader("silent")
    refusal = await refused(write(GOOD), seconds_max=0.01)
    assert "was not read within 0.01 seconds" in refusal.problems[0]
    assert refusal.may_pass


async def test_a_reader_that_dies_is_told_and_may_not_die_the_next_time(
    write: Write, bad_reader: Callable[[str], None]
) -> None:
    bad_reader("dying")
    refusal = await refused(write(GOOD))
    assert "the process that reads it ended with -9" in refusal.problems[0]
    assert refusal.may_pass


async def test_a_reader_that_cannot_be_started_is_told_and_may_be_the_next_time(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(subprocess, "Popen", fail)
    path = write(GOOD)
    refusal = await refused(path)
    assert refusal.problems == (f"{path}: no process could be started to read it: Cannot allocate memory",)
    assert refusal.may_pass
    assert refusal.looked_at == {path}


async def test_a_file_that_takes_too_much_computing_is_a_problem_of_the_file(
    write: Write, bad_reader: Callable[[str], None]
) -> None:
    bad_reader("thinking")
    refusal = await refused(write(GOOD))
    assert "takes more than 60 seconds of computing; make several smaller manifests of it" in refusal.problems[0]
    assert not refusal.may_pass


async def test_an_answer_that_would_be_too_large_is_not_taken(write: Write, bad_reader: Callable[[str], None]) -> None:
    bad_reader("telling")
    assert "what it declares has 1099511627776 bytes" in (await refused(write(GOOD))).problems[0]


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="tells what a process takes already")
async def test_a_file_that_needs_too_much_memory_is_a_problem_and_no_crash(
    write: Write, bad_reader: Callable[[str], None]
) -> None:
    bad_reader("hungry")
    refusal = await refused(write("projects: {a: [" + "1, " * 500_000 + "]}"))
    assert "MiB of memory; make several smaller manifests of it" in refusal.problems[0]
    assert not refusal.may_pass


@needs_leases
def test_a_file_that_another_process_has_open_for_writing_is_not_read(write: Write) -> None:
    path = write(GOOD)
    with path.open("a"):
        found = read_whole(path, {}, writer_seconds_max=0.01)
    assert found.is_busy
    assert found.problems == [
        f"{path}: another process has it open for writing; it is read only once that process has closed it"
    ]


@needs_leases
def test_a_file_beside_that_is_being_written_is_waited_for_too(write: Write, tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("projects: {}")
    with (tmp_path / "more.yaml").open("a"):
        assert read_whole(write("include: more.yaml\nprojects: {}"), {}, writer_seconds_max=0.01).is_busy


@needs_leases
def test_a_file_is_read_whole_once_the_writer_is_done(write: Write) -> None:
    path, found = write(""), list[Found]()
    with path.open("w") as writer:
        writer.write(GOOD[:60])
        writer.flush()
        reader = threading.Thread(target=lambda: found.append(read_whole(path, {}, writer_seconds_max=60)))
        reader.start()
        writer.write(GOOD[60:])
    reader.join()
    assert found[0].read
    assert "shop" in found[0].read.message.projects
