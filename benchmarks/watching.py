"""Watching a row that missed its target: its load is made again, and a profile is taken of the process that bears it.

What is measured meanwhile counts for nothing: looking at a process slows it down.
"""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.cpu import Used, children, cpu_seconds, used, used_by_first_thread
from benchmarks.method import Length
from benchmarks.profiles import Profile, profile_of
from benchmarks.row import Measure, Row
from benchmarks.sampling import Stack, Unseen, look, looking, weighed

WATCHED_SECONDS = 5
_OURS = ("understudy_server/", "understudy_gateway/")


def watched(measure: Measure, rows: Sequence[Row], length: Length) -> list[Row]:
    """The same rows; those that missed a target which is a matter of time, each with a profile of its own work.

    The rows are measured again for it, each kind of load in them once. One whose load does not run in rounds of its own
    is watched as a whole, with what prepares it.
    """
    wanted = {row.name for row in rows if row.missed and not row.is_of_bytes}
    if not wanted:
        return list(rows)
    seconds = min(length.seconds, WATCHED_SECONDS)
    try:
        again = measure(Length(1, seconds, watch=profile))
        seen = {row.name: row.profile for row in again if row.profile is not None}
        if missing := wanted - seen.keys():
            seen |= dict.fromkeys(missing, _whole(measure, Length(1, seconds)))
    except Exception as error:  # noqa: BLE001 - whatever it was, what is measured is not lost for a profile
        seen = dict.fromkeys(wanted, Profile(f"The load could not be made again to look at it: {error}."))
    return [row.with_profile(seen[row.name]) if row.name in wanted else row for row in rows]


def profile(work: Callable[[], object]) -> Profile:
    """Of the process that works while this is done again and again: the busiest server of ours, or this process."""
    pid = _busiest(work)
    who = "This process" if pid == os.getpid() else "The server"
    # How much of it is the system's is told by a time in which nobody looks, since looking is the system's work.
    began, before, main = time.monotonic(), used(pid), used_by_first_thread(pid)
    work()
    whole, seconds = used(pid) - before, time.monotonic() - began
    said = f"{who} {_shares(whole, used_by_first_thread(pid) - main, seconds)}."
    try:
        stacks = look(pid, WATCHED_SECONDS, work)
    except Unseen as error:
        return Profile(f"{said} No functions could be seen: {error}.")
    return profile_of(weighed(stacks, whole.system_share), f"{said} {stacks.total()} looks at it:")


def _whole(measure: Measure, length: Length) -> Profile:
    """Of all that our code does while a row is measured: in servers, in commands, and in this process."""
    try:
        with looking(os.getpid(), family=True) as looks:
            measure(length)
            stacks = looks.stacks()
    except Unseen as error:
        return Profile(f"No functions could be seen: {error}.")
    ours = {stack: count for stack, count in stacks.items() if _is_ours(stack)}
    looked = sum(ours.values())
    said = f"{looked} looks at all processes of ours, from what prepares the row to its end:"
    return profile_of({stack: count / looked for stack, count in ours.items()}, said)


def _is_ours(stack: Stack) -> bool:
    return stack.of_child or any(frame.path.startswith(_OURS) for frame in stack.frames)


def _busiest(work: Callable[[], object]) -> int:
    """The process that does most of this: of the servers in Python that this one has started; without any, itself."""
    servers = [pid for pid in children(os.getpid()) if _runs_python(pid)]
    before = {pid: cpu_seconds(pid) for pid in servers}
    work()
    return max(servers, key=lambda pid: cpu_seconds(pid) - before[pid], default=os.getpid())


def _runs_python(pid: int) -> bool:
    return (Path("/proc") / str(pid) / "exe").resolve().name.startswith("python")


def _shares(whole: Used, main: Used, seconds: float) -> str:
    in_main = min(1.0, main.both / whole.both) if whole.both else 0.0
    return (
        f"was busy for {whole.both / seconds:.0%} of a core, {whole.system_share:.0%} of that in the system, "
        f"{in_main:.0%} in its main thread"
    )
