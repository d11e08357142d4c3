"""Rows of other products: the same request and the same answer, ours with its journal on, each with what it has on.

Each peer has the servers' core to itself in turn with ours: whoever is not asked stands still, since a runtime goes on
compiling and collecting after its last request. It is warmed up first: much of what they run is compiled while it runs.
They scatter by themselves, with their collectors and compilers: there are more and shorter rounds than elsewhere, the
spread shows what they are like, and only the machine, or ours without its core, can disturb a round. What goes wrong
with one of them is told in its own row.

All of it takes at most eight minutes: eleven peers, each at most 40 s with its warm-up and the rounds that are
repeated, and a start.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from operator import attrgetter

from benchmarks import nginx
from benchmarks.cpu import Neighbours
from benchmarks.load import Load, Loaded, check_generator, load
from benchmarks.method import LOAD_CORE, Length, Rejected, Rounds, Spread, in_turns
from benchmarks.mocked import serving_mocks
from benchmarks.peers.catalogue import FORWARDER, PEERS
from benchmarks.peers.installing import NotInstallable, installed
from benchmarks.peers.peer import Peer, running, said_by
from benchmarks.peers.pins import pins
from benchmarks.profiles import Profile
from benchmarks.resting import resting
from benchmarks.row import Row, at_least, one_line
from benchmarks.scenery import HEADERS, MOCKED_BODY, PROXIED_MOCKED_PATH, PROXIED_REAL_PATH, UPSTREAM_BODY
from benchmarks.telling import latencies, rate, throughput

_FASTEST_MIN, _FASTEST_AIM = 3.0, 5.0
_STATIC, _FORWARD = "static mock, journal in memory", "forward, journal in memory"
_THE_FASTEST = "the fastest peer's"
# What each peer is measured by where a whole row is: a third more of them when the machine is not quiet.
_ROUNDS, _ROUND_SECONDS = 9, 1
# At least the first, and on to the second while a run is still that much faster than the best before it.
_WARM_RUN_SECONDS, _WARM_SECONDS_MIN, _WARM_SECONDS_MAX, _STILL_FASTER = 2, 6, 14, 1.05
# Ours keeps its core busy under full load. Where it did not, it did not have it.
_BUSY_MIN = 0.9
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
    with serving_mocks() as server:
        ours = Loaded(server.pid, server.proxy, PROXIED_MOCKED_PATH, HEADERS, body=MOCKED_BODY)
        if length.watch:
            # Ours alone: what it does is the same beside each of them.
            return [_watched(length.watch(lambda: load(ours, length.seconds)))]
        rows = [beside(peer, _STATIC, ours, length) for peer in PEERS]
    return [beside_fastest(rows), *rows, _forwarding(length)]


def _watched(profile: Profile) -> Row:
    return Row(f"{_STATIC} / {_THE_FASTEST}", Spread.of([0.0], profile), None, "")


def _forwarding(length: Length) -> Row:
    with (
        nginx.answering(UPSTREAM_BODY, LOAD_CORE) as upstream,
        serving_mocks(upstream=f"http://{upstream.address}") as server,
    ):
        ours = Loaded(server.pid, server.proxy, PROXIED_REAL_PATH, HEADERS, body=UPSTREAM_BODY)
        return beside(FORWARDER, _FORWARD, ours, length, upstream.address)


def beside_fastest(rows: list[Row]) -> Row:
    """That of the peer which ours is the least faster than, of those that could be measured."""
    target = at_least(_FASTEST_MIN, aim=_FASTEST_AIM)
    found = {row.value.median: row for row in rows if row.value is not None}
    if not found:
        return Row(
            f"{_STATIC} / {_THE_FASTEST}", None, target, "no peer could be measured: see their rows", counts=False
        )
    closest = found[min(found)]
    ours, _, peer = closest.name.partition(" / ")
    detail = f"{peer}: {closest.detail}"
    if missing := [row.name.partition(" / ")[2] for row in rows if row.value is None]:
        detail += f"; not measured, whether they are faster or not: {'; '.join(missing)}"
    return replace(closest, name=f"{ours} / {_THE_FASTEST}", target=target, detail=detail)


def warm_up(run: Callable[[], float], length: Length) -> WarmUp:
    """Whole runs, each with its rate, for as long as they get faster. A shortened measurement has a single one."""
    whole = length.is_whole
    least, most = (_WARM_SECONDS_MIN, _WARM_SECONDS_MAX) if whole else (0, length.seconds)
    best, seconds = 0.0, 0
    while True:
        reached = run()
        seconds += _WARM_RUN_SECONDS if whole else length.seconds
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
    except (Rejected, OSError, ValueError) as error:
        # An installation that is not as it should be shows in the latter two.
        print(f"bench: {peer.name} does not count: {error}", file=sys.stderr, flush=True)
        return Row(name, None, None, one_line(str(error)), counts=False)
    runs_with = "".join(f"; {program} {said_by(program)}" for program in peer.needs)
    others = f"others had at most {rounds.others or 0:.0%} of a core"
    by_cpu = f"by CPU time {1 / rounds.ratio_of_medians(attrgetter('cpu_us')).median:.1f}"
    detail = f"{throughput(rounds)}; {by_cpu}; {others}; {latencies(rounds)}; {peer.runs_as}{runs_with}; {warm}"
    row = Row(name, rounds.ratio(rate), None, detail)
    print(f"  {row.name}: {rounds.ratio(rate).median:.1f}", file=sys.stderr, flush=True)
    return row


def _load_while_rests(loaded: Loaded, other: int, seconds: int) -> Load:
    with resting(other):
        return load(loaded, seconds)


def _measured(theirs: Loaded, ours: Loaded, length: Length) -> tuple[WarmUp, Rounds[Load]]:
    whole = length.is_whole
    warm = warm_up(lambda: load(theirs, _WARM_RUN_SECONDS if whole else length.seconds).rate, length)
    short = Length(_ROUNDS, _ROUND_SECONDS) if whole else length
    rounds = in_turns(
        partial(_load_while_rests, ours, theirs.pid, short.seconds),
        partial(_load_while_rests, theirs, ours.pid, short.seconds),
        short,
        Neighbours().share,
        was_busy=lambda mine: mine.busy >= _BUSY_MIN,
    )
    check_generator(rounds)
    return warm, rounds
