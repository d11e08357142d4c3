"""Rows of other products: the same request and the same answer, ours with its journal on, each with what it has on.

Each peer has the servers' core to itself in turn with ours, and is warmed up first: much of what they run is compiled
while it runs. Theirs move by themselves, with their collectors and compilers, so a disturbed round shows in ours here.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

from benchmarks import nginx
from benchmarks.load import Load, Loaded, check_generator, load
from benchmarks.method import LOAD_CORE, Length, Rejected, Rounds, alternate
from benchmarks.peers.catalogue import FORWARDER, PEERS
from benchmarks.peers.installing import NotInstallable, installed
from benchmarks.peers.peer import Peer, running, said_by
from benchmarks.peers.pins import pins
from benchmarks.processes import started
from benchmarks.row import Row, at_least
from benchmarks.scenery import HEADERS, MOCKED_BODY, PROXIED_MOCKED_PATH, PROXIED_REAL_PATH, UPSTREAM_BODY
from benchmarks.telling import latencies, rate, throughput

_FASTEST_MIN, _FASTEST_AIM = 3.0, 5.0
_STATIC, _FORWARD = "static mock, journal in memory", "forward, journal in memory"
# At least the first, and on to the second while a run is still that much faster than the best before it.
_WARM_SECONDS_MIN, _WARM_SECONDS_MAX, _STILL_FASTER = 15, 60, 1.05
# Ours has more than enough to do in each round. Where it could not, others had its core or the load's.
_OURS_BUSY_MIN = 0.8
# They may be slow in their first seconds, which wrk would call a failure.
_ANSWER_SECONDS_MAX = 30


@dataclass(frozen=True)
class WarmUp:
    """How long it took until it got no faster, if it came to that."""

    seconds: int
    settled: bool

    def __str__(self) -> str:
        return f"warmed up for {self.seconds} s" + ("" if self.settled else ", in which it did not settle")


def peers(length: Length) -> list[Row]:
    """Ours beside each peer that can be installed, and beside the fastest of them; last, both as forwarders."""
    with started("proxy-memory") as server:
        ours = Loaded(server.pid, server.address, PROXIED_MOCKED_PATH, HEADERS, body=MOCKED_BODY)
        rows = [beside(peer, _STATIC, ours, length) for peer in PEERS]
    with (
        nginx.answering(UPSTREAM_BODY, LOAD_CORE) as upstream,
        started("proxy-memory", f"http://{upstream.address}") as server,
    ):
        ours = Loaded(server.pid, server.address, PROXIED_REAL_PATH, HEADERS, body=UPSTREAM_BODY)
        forwarding = beside(FORWARDER, _FORWARD, ours, length, upstream.address)
    return [beside_fastest(rows), *rows, forwarding]


def beside_fastest(rows: list[Row]) -> Row:
    """That of the peer which ours is the least faster than, of those that could be measured. Raises Rejected when none
    could.
    """
    ratios = {row.value.median: row for row in rows if row.value is not None}
    if not ratios:
        raise Rejected(f"no peer could be measured: {'; '.join(f'{row.name}: {row.detail}' for row in rows)}")
    closest = ratios[min(ratios)]
    ours, _, peer = closest.name.partition(" / ")
    target = at_least(_FASTEST_MIN, aim=_FASTEST_AIM)
    detail = f"{peer}: see its own row"
    if missing := [row.name.partition(" / ")[2] for row in rows if row.value is None]:
        detail += f"; not measured: {'; '.join(missing)}"
    return replace(closest, name=f"{ours} / the fastest peer's", target=target, detail=detail)


def warm_up(run: Callable[[], float], length: Length) -> WarmUp:
    """Whole runs, each with its rate, for as long as they get faster. A shortened measurement has a single one."""
    least, most = (_WARM_SECONDS_MIN, _WARM_SECONDS_MAX) if length.is_whole else (0, length.seconds)
    best, seconds = 0.0, 0
    while True:
        reached = run()
        seconds += length.seconds
        if seconds >= least and reached <= best * _STILL_FASTER:
            return WarmUp(seconds, settled=True)
        if seconds >= most:
            return WarmUp(seconds, settled=False)
        best = max(best, reached)


def beside(peer: Peer, what: str, ours: Loaded, length: Length, upstream: str = "") -> Row:
    pin = pins()[peer.package]
    name = f"{what} / {peer.name}, {pin.version}"
    try:
        home = installed(pin, peer.needs)
    except NotInstallable as error:
        return Row(name, None, None, f"not installable here: {error}")
    print(f"  {peer.name} ...", file=sys.stderr, flush=True)
    try:
        with running(peer, home, upstream) as theirs:
            asked = replace(ours, pid=theirs.pid, address=theirs.address, body=theirs.body)
            warm, rounds = _measured(replace(asked, timeout_seconds=_ANSWER_SECONDS_MAX), ours, length)
    except Rejected as error:
        print(f"bench: {peer.name} does not count: {error}", file=sys.stderr, flush=True)
        return Row(name, None, None, str(error), counts=False)
    runs_with = "".join(f"; {program} {said_by(program)}" for program in peer.needs)
    detail = f"{throughput(rounds)}; {latencies(rounds)}; {peer.runs_as}{runs_with}; {warm}"
    row = Row(name, rounds.ratio(rate), None, detail)
    print(f"  {row.name}: {rounds.ratio(rate).median:.1f}", file=sys.stderr, flush=True)
    return row


def _measured(theirs: Loaded, ours: Loaded, length: Length) -> tuple[WarmUp, Rounds[Load]]:
    warm = warm_up(lambda: load(theirs, length.seconds).rate, length)
    busy_min = _OURS_BUSY_MIN if length.is_whole else 0
    found = alternate(
        lambda: load(theirs, length.seconds),
        lambda: load(ours, length.seconds),
        length,
        steady=rate,
        quiet_enough=lambda our: our.busy >= busy_min,
    )
    rounds = Rounds([(our, their) for their, our in found.pairs], found.disturbed)
    check_generator(rounds)
    return warm, rounds
