"""The process that reads ``understudy.yaml`` for a server, so that a large or harmful file costs the server nothing.

Its answer is one line of JSON and, when the file could be read, the bytes of the manifest. Then it stays and says where
in the files a field stands, for as long as its input is open: places are many and are seldom asked for.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from understudy.v1.manifest_service_pb2 import Manifest

from understudy_server.cli.checking import problems_of
from understudy_server.cli.config_file import BadConfig, Config, read_config
from understudy_server.cli.writers import WRITER_SECONDS_MAX, being_written, wait_for_writers
from understudy_server.manifest.problems import Unreadable
from understudy_server.manifest.reading import Read, read_manifest

MEMORY_BYTES_MAX = 2 * 1024 * 1024 * 1024
"""As much as the largest files that are allowed may need, several times over."""
CPU_SECONDS_MAX = 60
"""After so much computing the process is ended by SIGXCPU, which tells whoever waits for it why."""
# Before it is ended by SIGKILL, which tells nothing.
_CPU_SECONDS_MORE = 5
# The server goes first wherever both want to run.
_NICE = 5


@dataclass(frozen=True, slots=True)
class Found:
    """What came of reading: a manifest, or problems. ``looked_at`` are all files and folders that it depends on."""

    looked_at: frozenset[Path]
    read: Read[Manifest] | None = None
    problems: list[str] = field(default_factory=list)
    config: Config = field(default_factory=Config)
    is_busy: bool = False

    def headline(self, size: int) -> dict[str, Any]:
        """The line of JSON; ``size`` bytes of the manifest follow."""
        return {
            "size": size,
            "problems": self.problems,
            "busy": self.is_busy,
            "lookedAt": sorted(map(str, self.looked_at)),
            "digest": self.read.digest if self.read else "",
            "declares": self.config.declares,
            "server": self.config.texts(),
        }


def read_whole(path: Path, environ: Mapping[str, str], writer_seconds_max: float = WRITER_SECONDS_MAX) -> Found:
    """Read the files when no process has any of them open for writing: one half-written is never taken for whole."""
    deadline = time.monotonic() + writer_seconds_max
    wait_for_writers([path], deadline)
    while True:
        found = _read(path, environ)
        # Asked afterwards too: a writer that came while we read has it open still, or has changed it by now, which the
        # reader notices.
        writing = wait_for_writers(found.looked_at, deadline)
        if writing is None:
            return found
        if time.monotonic() >= deadline:
            return Found(found.looked_at, problems=[being_written(writing)], is_busy=True)


def _read(path: Path, environ: Mapping[str, str]) -> Found:
    looked_at = {path.absolute()}
    try:
        config = read_config(path)
        read = read_manifest(path, environ)
        looked_at.update(read.files)
        problems = problems_of(read)
    except BadConfig as error:
        return Found(frozenset(looked_at), problems=[str(error)])
    except Unreadable as error:
        return Found(frozenset(looked_at.union(error.files)), problems=[str(each) for each in error.problems])
    except MemoryError:
        mebibytes = MEMORY_BYTES_MAX // 1024 // 1024
        problem = f"{path}: reading it takes more than {mebibytes} MiB of memory; make several smaller manifests of it"
        return Found(frozenset(looked_at), problems=[problem])
    if problems:
        return Found(frozenset(looked_at), problems=[str(each) for each in problems])
    return Found(frozenset(looked_at), read, config=config)


def _confine() -> None:
    """Give this process limits that it cannot go beyond, and let it give way to the server."""
    # Where a system does not know a limit, the time that the server waits is one still.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX + _CPU_SECONDS_MORE))
    with suppress(ValueError, OSError):
        # Nobody reads a dump of its memory, which may be large.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):
        os.nice(_NICE)


def _answer_places(read: Read[Manifest], ask: Callable[[], str], answer: Callable[[str], None]) -> None:
    while line := ask():
        path = json.loads(line)
        mark = read.marks.find(path)
        answer(json.dumps({"place": f"{mark.file}:{mark.line}:{mark.column}", "name": read.marks.name(path)}))


def main() -> None:
    """Read the file that the only argument names."""
    _confine()
    found = read_whole(Path(sys.argv[1]), os.environ)
    content = found.read.message.SerializeToString() if found.read else b""
    output = sys.stdout.buffer
    output.write(json.dumps(found.headline(len(content))).encode() + b"\n" + content)
    output.flush()
    if found.read:
        _answer_places(found.read, sys.stdin.readline, lambda line: print(line, flush=True))  # noqa: T201 - to the server


if __name__ == "__main__":
    main()
