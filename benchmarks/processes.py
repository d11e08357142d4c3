"""The servers under measurement, each as its own process on the servers' core."""

import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.method import SERVER_CORE, Rejected


@dataclass
class Started:
    """A server that accepts. ``last_words`` is what it said when it had ended."""

    pid: int
    address: str
    key: str
    last_words: str = ""


@contextmanager
def started(kind: str, *arguments: str) -> Iterator[Started]:
    """A server of ``benchmarks.serving`` on a folder of its own. Raises Rejected when it does not start."""
    with (
        tempfile.TemporaryDirectory(prefix="understudy-bench-") as folder,
        _running(kind, folder, *arguments) as server,
    ):
        yield server


@contextmanager
def _running(*arguments: str) -> Iterator[Started]:
    command = ["taskset", "-c", str(SERVER_CORE), sys.executable, "-m", "benchmarks.serving", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    server = Started(process.pid, "", "")
    try:
        server.address, _, server.key = process.stdout.readline().strip().partition(" ")
        if not server.address:
            raise Rejected(f"the server did not start: {' '.join(arguments)}")
        yield server
    finally:
        process.terminate()
        server.last_words = process.stdout.read().strip()
        process.stdout.close()
        process.wait()


def allow_descriptors() -> None:
    """Allow this process as many open connections as the system does: some rows need more than the usual 1024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
