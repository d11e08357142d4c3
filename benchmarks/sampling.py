"""Looking at a process from outside, some hundred times, with py-spy: which functions it was in.

Compiled functions are among them, since much of the proxy's time is spent in the loop and the parser. The process is
stopped for a moment each time. py-spy has the load's core, so that more looks would take from the load.
"""

import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LOOKS_PER_SECOND = 150
_STOP_SECONDS = 30
_PYTHON: Final = re.compile(r"(?P<function>.*) \((?P<path>[^()]*\.py|<frozen [^()]*>):\d+\)")
_NAMELESS: Final = re.compile(r"0x[0-9a-f]+(?: \((?P<library>.*)\))?")
_BUILD: Final = re.compile(r"\.cpython-[^.]*|\.abi3")
_PROCESS: Final = re.compile(r'process \d+:"')
_MAIN = "MainThread"
_WAITS = ("_lock_timed", "pthread_cond", "sem_clockwait", "sem_wait", "sem_timedwait")
# What libc's functions of these names do is done by the system.
_CALLS = {
    "write",
    "writev",
    "pwrite",
    "pwrite64",
    "read",
    "readv",
    "pread",
    "pread64",
    "sendfile",
    "fsync",
    "fdatasync",
}
_CALLS |= {"send", "sendto", "sendmsg", "recv", "recvfrom", "recvmsg", "accept", "accept4", "connect", "close", "open"}
_CALLS |= {"epoll_wait", "epoll_pwait", "epoll_ctl", "poll", "ppoll", "select", "mmap", "munmap", "madvise", "futex"}
_CALLS |= {"open64", "openat", "stat", "fstat", "unlink", "ftruncate", "fcntl", "ioctl", "syscall", "sched_yield"}


class Unseen(Exception):
    """The process cannot be looked at here, and why."""


@dataclass(frozen=True)
class Frame:
    """A function, and the path of its file where that is Python's: from the package on."""

    function: str
    path: str = ""

    @property
    def is_python(self) -> bool:
        return bool(self.path)

    def __str__(self) -> str:
        return f"{self.function} ({self.path})" if self.path else self.function


@dataclass(frozen=True)
class Stack:
    """The functions that a thread was in, outermost first, at least one. ``of_child``: of a process it has started."""

    frames: tuple[Frame, ...]
    is_main: bool = True
    of_child: bool = False

    @property
    def is_idle(self) -> bool:
        """True for a thread beside the main one that waits for work.

        A main thread that waits does so for the interpreter's lock, or for the system, which py-spy leaves out itself.
        """
        return not self.is_main and any(wait in frame.function for frame in self.frames for wait in _WAITS)

    @property
    def is_in_system(self) -> bool:
        """True for a thread that the system does something for."""
        function, _, library = self.frames[-1].function.partition(" (")
        return function in _CALLS and library.startswith("libc.")


class Looking:
    """A py-spy at work. ``stacks`` ends it."""

    def __init__(self, process: "subprocess.Popen[bytes]", output: Path, said: Path) -> None:
        self._process, self._output, self._said = process, output, said

    @property
    def is_over(self) -> bool:
        return self._process.poll() is not None

    def stacks(self) -> Counter[Stack]:
        """How often each was seen, without those that were idle. Raises Unseen."""
        # As Ctrl-C does: it writes down what it has.
        if not self.is_over:
            self._process.send_signal(signal.SIGINT)
        self._process.wait(_STOP_SECONDS)
        if not self._output.exists():
            raise Unseen(_reason(self._said.read_text(encoding="utf-8", errors="replace")))
        found = read(self._output.read_text(encoding="utf-8", errors="replace"))
        if not found:
            raise Unseen("py-spy has seen it do nothing")
        return found


@contextmanager
def looking(pid: int, seconds: int | None = None, *, family: bool = False) -> Iterator[Looking]:
    """Look at a process for so long, or to the end; with ``family`` at all that it starts, too. Raises Unseen."""
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as folder:
        output, said = Path(folder) / "stacks", Path(folder) / "said"
        command = [str(Path(sys.executable).with_name("py-spy")), "record", "--pid", str(pid), "--native", "--function"]
        command += ["--threads", "--format", "raw", "--rate", str(LOOKS_PER_SECOND), "--output", str(output)]
        command += ["--duration", str(seconds or "unlimited"), *["--subprocesses"] * family]
        # To a file: were a pipe full, py-spy would wait, and with it the process that it has stopped.
        with said.open("wb") as file:
            try:
                started = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=file)
            except OSError as error:
                raise Unseen(f"py-spy cannot be started: {error.strerror}") from error
        with started as process:
            try:
                yield Looking(process, output, said)
            finally:
                process.kill()


def look(pid: int, seconds: int, meanwhile: Callable[[], object]) -> Counter[Stack]:
    """Look at a process for so long, while something is done again and again. Raises Unseen.

    What is done may take many times as long while it is looked at, so that it is done only as often as there is time.
    """
    with looking(pid, seconds) as looks:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not looks.is_over:
            meanwhile()
        return looks.stacks()


def weighed(stacks: Counter[Stack], system: float) -> dict[Stack, float]:
    """The share that each stack has, when the system's share of the time (0 to 1) is known from elsewhere.

    A process is not stopped just anywhere, but more often than not in a call to the system: wherever it was seen
    outside of one counts for more, so that both shares are right.
    """
    inside = sum(count for stack, count in stacks.items() if stack.is_in_system)
    outside = stacks.total() - inside
    if not inside or not outside:
        return {stack: count / stacks.total() for stack, count in stacks.items()}
    weights = {True: system / inside, False: (1 - system) / outside}
    return {stack: count * weights[stack.is_in_system] for stack, count in stacks.items()}


def read(text: str) -> Counter[Stack]:
    """From py-spy's raw format: a line for each stack, frames between semicolons, and how often it was seen."""
    found = Counter[Stack]()
    for line in text.splitlines():
        frames, _, count = line.rpartition(" ")
        stack = _stack(frames) if count.isdecimal() else None
        if stack is not None and not stack.is_idle:
            found[stack] += int(count)
    return found


def _stack(line: str) -> Stack | None:
    """``None`` for a line that is not one, such as a part of a command with a line feed in it."""
    processes, thread, frames = line.rpartition("thread (")
    name, *functions = frames.split(";")
    read = tuple(_frame(each) for each in functions)
    if not thread or not read:
        return None
    return Stack(read, _MAIN in name, len(_PROCESS.findall(processes)) > 1)


def _frame(text: str) -> Frame:
    if found := _PYTHON.fullmatch(text):
        return Frame(found["function"], found["path"])
    if nameless := _NAMELESS.fullmatch(text):
        library = (nameless["library"] or "").rpartition("/")[2]
        return Frame(f"code of {_BUILD.sub('', library) or 'no library'}")
    return Frame(text)


def _reason(said: str) -> str:
    lines = [line.strip().removeprefix("Error: ") for line in said.splitlines() if line.strip()]
    return f"py-spy says: {lines[0]}" if lines else "py-spy did not say why"
