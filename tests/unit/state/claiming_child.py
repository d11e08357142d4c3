"""A process that shares a file of state: it says ``ready``, waits for a line, and claims as often as it is told.

``use N``: use N was claimed. ``step N``: step N of a machine. ``sum N``: a counter came to N. ``only N``: the one use.
"""

import sys
from pathlib import Path

from support.state_suite import SESSION, use
from understudy_server.core.state import MACHINE_START, Claim
from understudy_server.state.shared import SharedState


def _take_next(state: SharedState, number: int) -> int:
    """Take the step that is due, which is ``number`` or a later one."""
    while True:
        required = f"s{number}" if number else MACHINE_START
        if state.claim(Claim("ovr_step", SESSION, 0, "order", SESSION, required, f"s{number + 1}")):
            return number
        present = state.machine(SESSION, "order")
        number = 0 if present == MACHINE_START else int(present[1:])


def main(path: Path, times: int) -> None:
    state = SharedState(path)
    print("ready", flush=True)
    sys.stdin.readline()
    number = 0
    for _ in range(times):
        print("use", state.claim(use("ovr_use")))
        number = _take_next(state, number)
        print("step", number)
        print("sum", state.increment(SESSION, "n", 1))
        if only := state.claim(use("ovr_only", uses_max=1)):
            print("only", only)
    state.close()


main(Path(sys.argv[1]), int(sys.argv[2]))
