"""The calls that come nearest to what was expected, where there were too few."""

from collections.abc import Sequence
from heapq import heappush, heappushpop
from time import perf_counter
from typing import Final, NamedTuple

from understudy.v1.verification_service_pb2 import CallMismatch, NearCall

from understudy_server.app.ports import Journal
from understudy_server.app.record_reading import exchanges
from understudy_server.core.matching.mismatch import MISMATCHES_MAX, Mismatch, cut
from understudy_server.core.record import Stream
from understudy_server.core.steps import Steps
from understudy_server.core.verification import Judgement, Verdict
from understudy_server.core.verification_judging import Fit, Recorded, distance_of, fit

NEAR_CALLS_MAX: Final = 5
_EXCHANGES_MAX: Final = 500
"""So many of the last calls are compared, at most; and for all expectations together no longer than this."""

_SECONDS_MAX: Final = 0.2
_STEPS_MAX: Final = 2_000_000


class Near(NamedTuple):
    """A call that does not fit. They are ordered by how far away they are, of equals the last one first."""

    closeness: tuple[float, int]
    """The distance, negative, and the number: the least of them is the one that is farthest."""

    log_id: str
    request: str
    mismatches: tuple[Mismatch, ...]

    def message(self) -> NearCall:
        """The same, as the contract shows it."""
        return NearCall(
            log_id=self.log_id,
            request=self.request,
            distance=-self.closeness[0],
            mismatches=[
                CallMismatch(field=each.field, expected=each.expected, actual=each.actual, code=each.code)
                for each in self.mismatches[:MISMATCHES_MAX]
            ],
        )


async def nearest_of(
    journal: Journal, stream: Stream | None, judgement: Judgement, up_to: int
) -> Sequence[Sequence[Near]]:
    """For each expectation the nearest calls, the nearest first: none where there were enough."""
    wanting = [
        at
        for at, each in enumerate(judgement.expectations)
        if judgement.tallies[at].count < each.bounds.at_least and judgement.verdict(at) is not Verdict.PASSED
    ]
    found: list[list[Near]] = [[] for _ in judgement.expectations]
    if stream is None or not wanting:
        return found
    ends, budget = perf_counter() + _SECONDS_MAX, Steps(_STEPS_MAX)
    async for exchange in exchanges(journal, stream, max(judgement.after, up_to - _EXCHANGES_MAX), up_to):
        recorded = Recorded(exchange)
        for at in wanting:
            matcher = judgement.expectations[at].matcher
            if fit(matcher, recorded, budget) is not Fit.NO:
                continue
            judged = distance_of(matcher, recorded)
            target = f"{exchange.path}?{exchange.query}" if exchange.query else exchange.path
            near = Near(
                (-judged.distance, exchange.number), exchange.id, cut(f"{exchange.method} {target}"), judged.mismatches
            )
            if len(found[at]) < NEAR_CALLS_MAX:
                heappush(found[at], near)
            else:
                heappushpop(found[at], near)
        if perf_counter() > ends:
            break
    return [sorted(each, reverse=True) for each in found]
