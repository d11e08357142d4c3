"""Where the time of the proxy goes: ``python -m benchmarks.profile static``, or another of ``STAGES``.

Samples the server from outside under full load and prints the functions with the most time of their own. Compiled
functions are among them, since much of the proxy's time is spent in the loop and the parser.
"""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.growth_rows import STAGES as GROWTH_STAGES
from benchmarks.load import load
from benchmarks.method import LOAD_CORE
from benchmarks.proxy_rows import STAGES as PROXY_STAGES

STAGES = PROXY_STAGES | GROWTH_STAGES
_SECONDS, _SAMPLES_PER_SECOND, _LINES = 3, 400, 30


def main() -> None:
    if sys.argv[1:] not in [[name] for name in STAGES]:
        sys.exit(f"usage: python -m benchmarks.profile {'|'.join(STAGES)}")
    os.sched_setaffinity(0, {LOAD_CORE})
    with STAGES[sys.argv[1]]() as stage, ThreadPoolExecutor(1) as pool:
        load(stage.ours, 1)
        # The load goes on a little longer than the sampling, which takes a moment to start.
        loading = pool.submit(load, stage.ours, _SECONDS + 2)
        stacks = _stacks(stage.ours.pid)
        under_load = loading.result()
    print(f"{under_load.cpu_us:.1f} us of CPU per request while it was watched\n")
    print(_table(stacks))


def _stacks(pid: int) -> Counter[tuple[str, ...]]:
    """How often each stack was seen, outermost function first."""
    with tempfile.TemporaryDirectory(prefix="understudy-bench-") as folder:
        output = Path(folder) / "stacks"
        command = ["py-spy", "record", "--pid", str(pid), "--native", "--function", "--threads", "--format", "raw"]
        command += ["--duration", str(_SECONDS), "--rate", str(_SAMPLES_PER_SECOND), "--output", str(output)]
        program = Path(sys.executable).with_name(command[0])
        subprocess.run([str(program), *command[1:]], check=True, capture_output=True)
        lines = [line.rpartition(" ") for line in output.read_text(encoding="utf-8").splitlines()]
    seen = [(stack.split(";"), int(count)) for stack, _, count in lines]
    found = Counter[tuple[str, ...]]()
    for stack, count in seen:
        if not _idle(stack):
            # Two stacks may differ in nameless frames alone.
            found[tuple(frame for frame in stack if not _nameless(frame))] += count
    return found


def _nameless(frame: str) -> bool:
    """An address in a library without names. Its time counts for the function that called it."""
    return frame.startswith("0x")


def _idle(stack: Sequence[str]) -> bool:
    """A thread beside the main one that waits for work. A main thread that waits does so for the interpreter's lock."""
    return "MainThread" not in stack[0] and any("_lock_timed" in frame or "pthread_cond" in frame for frame in stack)


def _table(stacks: Counter[tuple[str, ...]]) -> str:
    own, whole = Counter[str](), Counter[str]()
    for stack, count in stacks.items():
        own[stack[-1]] += count
        whole.update(dict.fromkeys(stack, count))
    seen = sum(stacks.values())
    lines = [f"{'own':>6} {'whole':>6}  function ({seen} samples)"]
    lines += [f"{count / seen:6.1%} {whole[name] / seen:6.1%}  {name}" for name, count in own.most_common(_LINES)]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
