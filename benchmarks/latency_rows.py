"""Rows of one connection: how much later an answer comes than nginx's, when nothing else is under way."""

from dataclasses import replace
from operator import attrgetter

from benchmarks.load import Loaded, compared
from benchmarks.method import Length
from benchmarks.proxy_rows import STAGES
from benchmarks.row import Row, at_most
from benchmarks.telling import latencies

_RATIO_MAX, _RATIO_AIM = 1.15, 1.05
# One connection gives thousands of answers a second: more time would not make its median any surer.
_SECONDS_MAX = 2
_KINDS = {"static": "static mock, journal in memory", "forward": "forward, journal in memory"}
_p50 = attrgetter("p50_us")


def one_connection(length: Length) -> list[Row]:
    """The median wait for an answer over a single connection, ours and nginx's."""
    return [_row(stage, name, length) for stage, name in _KINDS.items()]


def _row(kind: str, name: str, length: Length) -> Row:
    seconds = min(length.seconds, _SECONDS_MAX)
    with STAGES[kind]() as stage:
        ours, reference = _single(stage.ours), _single(stage.reference)
        rounds = compared(ours, reference, replace(length, seconds=seconds), steady=_p50)
    detail = f"{latencies(rounds)}; {rounds.disturbed} rounds disturbed"
    target = at_most(_RATIO_MAX, aim=_RATIO_AIM)
    return Row(f"{name}, one connection: p50 / nginx's", rounds.ratio(_p50), target, detail)


def _single(loaded: Loaded) -> Loaded:
    return replace(loaded, connections=1)
