"""Where the time of the proxy goes: ``python -m benchmarks.profile static``, or another of ``STAGES``.

Looks at the server from outside under full load and prints the functions with the most time of their own, compiled
ones among them. `make bench` takes shorter profiles by itself, of rows that miss their target.
"""

import os
import sys
from collections import defaultdict
from collections.abc import Mapping

from benchmarks import assertive_rows
from benchmarks.cpu import used
from benchmarks.growth_rows import STAGES as GROWTH_STAGES
from benchmarks.load import load
from benchmarks.method import LOAD_CORE
from benchmarks.proxy_rows import STAGES as PROXY_STAGES
from benchmarks.sampling import Stack, Unseen, look, weighed

STAGES = PROXY_STAGES | GROWTH_STAGES | {"assertive": assertive_rows.static_stage}
_SECONDS, _LINES = 4, 30


def main() -> None:
    if sys.argv[1:] not in [[name] for name in STAGES]:
        sys.exit(f"usage: python -m benchmarks.profile {'|'.join(STAGES)}")
    os.sched_setaffinity(0, {LOAD_CORE})
    with STAGES[sys.argv[1]]() as stage:
        load(stage.ours, 1)
        before = used(stage.ours.pid)
        print(f"{load(stage.ours, _SECONDS).cpu_us:.1f} us of CPU per request")
        system = (used(stage.ours.pid) - before).system_share
        try:
            stacks = look(stage.ours.pid, _SECONDS, lambda: load(stage.ours, _SECONDS))
        except Unseen as error:
            sys.exit(f"profile: {error}")
    print(f"{system:.0%} of it in the system; {stacks.total()} looks:\n")
    print(_table(weighed(stacks, system)))


def _table(shares: Mapping[Stack, float]) -> str:
    own, whole = defaultdict[str, float](float), defaultdict[str, float](float)
    for stack, share in shares.items():
        names = [str(frame) for frame in stack.frames]
        own[names[-1]] += share
        for name in set(names):
            whole[name] += share
    most = sorted(own, key=lambda name: own[name], reverse=True)[:_LINES]
    return "\n".join([f"{'own':>6} {'whole':>6}  function", *(f"{own[n]:6.1%} {whole[n]:6.1%}  {n}" for n in most)])


if __name__ == "__main__":
    main()
