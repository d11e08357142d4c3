"""A disk that is full or read-only: refused in plain words, nothing half-done, and well again without a restart.

Three real ways to be refused: a limit on file sizes lowered under a running process, a file system without room, and
one mounted read-only. The last two need a mount, which is made in a namespace of the child's own; where that is not
allowed they are skipped, and the unit tests of the store raise the same faults inside SQLite. No file system is made
read-only under a process that writes to it: the kernel refuses that, so there the unit tests stand alone.
"""

import json
import os
import random
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support.proofs import new_seed, report, scaled

ROUNDS = scaled(100)
# Each leaves something on the disk.
ROUNDS_OF_A_SMALL_DISK = 3
PUTS_MAX = 500
_DISK_REFUSES = "the store cannot be written now (the disk refuses to read or write); nothing was changed"
CHILD = Path(__file__).with_name("obeying_child.py")
TESTS = Path(__file__).parents[1]


@dataclass
class Child:
    """A process that owns a data directory, and what it acknowledged and refused."""

    process: subprocess.Popen[str]
    acknowledged: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)
    reasons: set[str] = field(default_factory=set)

    def tell(self, command: str) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        print(command, file=self.process.stdin, flush=True)
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def put(self) -> bool:
        """Put the next pair; False when it was refused."""
        number = len(self.acknowledged) + len(self.refused)
        answer = self.tell(f"put {number}")
        if "refused" in answer:
            self.reasons.add(answer["refused"])
            self.refused.append(number)
            return False
        self.acknowledged.append(number)
        return True

    def put_until_refused(self) -> None:
        for _ in range(PUTS_MAX):
            if not self.put():
                return
        pytest.fail("nothing was refused")

    def check(self) -> None:
        """What there is, is what was acknowledged; the versions in memory and in the file agree."""
        seen = self.tell("see")["answer"]
        assert seen["mocks"] == seen["sessions"] == self.acknowledged
        # One unit of work furnished the store, whose version was 1.
        assert seen["version"] == seen["loaded"] == len(self.acknowledged) + 2


@contextmanager
def _child(folder: Path, *prefix: str) -> Iterator[Child]:
    command = [*prefix, sys.executable, str(CHILD), str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        try:
            yield Child(process)
        finally:
            # SIGKILL, and gone before anybody opens its directory.
            process.kill()
            process.wait()


@pytest.mark.timeout(3_600)
def test_files_that_may_not_grow_are_survived(tmp_path: Path) -> None:
    seed = new_seed()
    dice, acknowledged, refused = random.Random(seed), 0, 0
    for number in range(ROUNDS):
        child = _grow_against_a_limit(tmp_path / f"data-{number}", dice)
        acknowledged += len(child.acknowledged)
        refused += len(child.refused)
        assert child.reasons == {_DISK_REFUSES}
    report("files that may not grow", rounds=ROUNDS, acknowledged=acknowledged, refused=refused, seed=seed)


def _grow_against_a_limit(folder: Path, dice: random.Random) -> Child:
    """Refuse and allow a process to write, twice, then kill it and look at what it left."""
    with _child(folder) as child:
        child.tell("open")
        for _ in range(2):
            for _ in range(dice.randrange(5)):
                assert child.put()
            with _files_bounded(child.process.pid, _largest(folder) + dice.randrange(300_000)):
                child.put_until_refused()
                child.check()
                child.put_until_refused()
            assert child.put(), "the next write after the limit was lifted"
            child.check()
    with _child(folder) as again:
        again.tell("open")
        again.acknowledged = child.acknowledged
        again.check()
    return child


def test_exchanges_wait_while_files_may_not_grow(tmp_path: Path) -> None:
    with _child(tmp_path) as child:
        child.tell("open")
        with _files_bounded(child.process.pid, 65_536):
            refused = [child.tell(f"record {number}") for number in (1, 2)]

        found = [child.tell(f"find {number}") for number in (1, 2)]

    assert ["refused" in each for each in refused] == [True, True]
    assert found == [{"answer": True}, {"answer": True}]


def test_a_disk_without_room_is_survived(small_disk: Child, disk_folder: Path) -> None:
    small_disk.tell("open")
    assert small_disk.put()
    ballast = disk_folder / "ballast"
    for _ in range(ROUNDS_OF_A_SMALL_DISK):
        assert small_disk.tell(f"run dd if=/dev/zero of={ballast} bs=4k")["answer"] != 0
        small_disk.put_until_refused()
        small_disk.check()
        small_disk.put_until_refused()
        assert small_disk.tell(f"run rm {ballast}")["answer"] == 0
        assert small_disk.put(), "the next write after there was room again"
        small_disk.check()
    small_disk.tell("close")
    small_disk.tell("open")
    small_disk.check()

    assert small_disk.reasons == {"the store cannot be written now (the disk is full); nothing was changed"}


def test_a_directory_on_a_full_disk_is_refused_and_opens_later(small_disk: Child, disk_folder: Path) -> None:
    small_disk.tell(f"run dd if=/dev/zero of={disk_folder}/ballast bs=4k")
    refused = small_disk.tell("open")
    small_disk.tell(f"run rm {disk_folder}/ballast")

    assert "unusable" in refused
    assert small_disk.tell("open") == {"answer": "open"}
    assert small_disk.put()
    small_disk.check()


def test_a_read_only_directory_is_refused_and_opens_later(small_disk: Child, disk_folder: Path) -> None:
    small_disk.tell("open")
    assert small_disk.put()
    small_disk.tell("close")
    assert small_disk.tell(f"run mount -o remount,ro {disk_folder}")["answer"] == 0

    refused = small_disk.tell("open")
    small_disk.tell(f"run mount -o remount,rw {disk_folder}")

    assert "Read-only file system" in refused["unusable"]
    assert small_disk.tell("open") == {"answer": "open"}
    small_disk.check()
    assert small_disk.put()


@pytest.fixture
def disk_folder(tmp_path: Path) -> Path:
    """Where the small disk is mounted, for the child alone."""
    folder = tmp_path / "disk"
    folder.mkdir()
    return folder


@pytest.fixture
def small_disk(disk_folder: Path) -> Iterator[Child]:
    """A child whose data directory is on a disk of 16 MiB."""
    namespace = ("unshare", "--mount", "--map-root-user")
    mount = f"mount -t tmpfs -o size=16m tmpfs {disk_folder}"
    trial = [*namespace, "sh", "-c", mount]
    if not shutil.which("unshare") or subprocess.run(trial, capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount a disk here")
    with _child(disk_folder / "data", *namespace, "sh", "-c", f'{mount} && exec "$@"', "sh") as child:
        yield child


@contextmanager
def _files_bounded(process_id: int, size_bytes: int) -> Iterator[None]:
    before = resource.prlimit(process_id, resource.RLIMIT_FSIZE)
    resource.prlimit(process_id, resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.prlimit(process_id, resource.RLIMIT_FSIZE, before)


def _largest(folder: Path) -> int:
    return max(path.stat().st_size for path in folder.iterdir())
