import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from benchmarks.memory import growth_mb, private_mb, resident_mb

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what a process holds is read from /proc")

# Says that it has begun; makes so many bytes of what it reads a line for, lets them go, and says so.
CHILD = """
import sys
print(flush=True)
for line in sys.stdin:
    kept = bytes(b"." * int(line))
    kept = None
    print(flush=True)
"""


@pytest.fixture
def child() -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-c", CHILD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        yield process
        process.kill()


async def hold(child: "subprocess.Popen[str]", size: int) -> None:
    assert child.stdin
    assert child.stdout
    child.stdin.write(f"{size}\n")
    child.stdin.flush()
    await asyncio.to_thread(child.stdout.readline)


async def test_what_was_held_only_for_a_while_is_growth(child: "subprocess.Popen[str]") -> None:
    grown = await growth_mb(child.pid, hold(child, 40_000_000))
    assert 39 < grown < 60
    assert await growth_mb(child.pid, hold(child, 1_000)) < 8


def test_what_is_private_is_a_part_of_what_is_resident() -> None:
    assert 1 < private_mb(os.getpid()) < resident_mb(os.getpid())
