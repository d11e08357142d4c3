"""The calls that come nearest to what was expected, where there were too few."""

from collections.abc import Generator, Sequence
from heapq import heappush, heappushpop
from time import perf_counter
from typing import Final, NamedTuple

from understudy.v1.verification_service_pb2 import NearCall

from understudy_server.app.call_mismatches import call_mismatches
from understudy_server.app.ports import Journal
from understudy_server.app.record_reading import exchanges_back
from understudy_server.app.slices import Slices
from understudy_server.core.exchange import Exchange
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.matching.mismatch import Mismatch, cut
from understudy_server.core.record import Stream
from understudy_server.core.steps import Steps
from understudy_server.core.verification import Judgement, Verdict
from understudy_server.core.verification_judging import Fit, Recorded, distance_in_parts, fit_in_parts

NEAR_CALLS_MAX: Final = 5
CALLS_MAX: Final = 500
"""So many of the last calls are compared, at most."""

_SECONDS_MAX: Final = 0.2
"""So long it may take, for all expectations together, and so many of the steps that the question has left."""

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
            mismatches=call_mismatches(self.mismatches),
        )


async def nearest_of(
    journal: Journal, stream: Stream | None, judgement: Judgement, up_to: int
) -> Sequence[Sequence[Near]]:
    """For each expectation that had too few calls those that come nearest, the nearest first; none for others.

    Of the last calls up to a number, as many as there is time for.
    """
    wanting = [
        at
        for at, each in enumerate(judgement.expectations)
        if judgement.tallies[at].count < each.bounds.at_least and judgement.verdict(at) is not Verdict.PASSED
    ]
    found: list[list[Near]] = [[] for _ in judgement.expectations]
    if stream is None or not wanting:
        return found
    ends, slices = perf_counter() + _SECONDS_MAX, Slices()
    budget = Steps(min(_STEPS_MAX, judgement.budget.left))
    left = min(CALLS_MAX, judgement.judged)
    async for exchange in exchanges_back(journal, stream, judgement.after, up_to, slices):
        if not exchange.is_call:
            if perf_counter() > ends:
                break
            continue
        left -= 1
        recorded = Recorded(exchange)
        for at in wanting:
            near = await slices.result_of(_near(judgement.expectations[at].matcher, exchange, recorded, budget))
            if near is not None and len(found[at]) < NEAR_CALLS_MAX:
                heappush(found[at], near)
            elif near is not None:
                heappushpop(found[at], near)
            await slices.pause()
            if perf_counter() > ends:
                return [sorted(each, reverse=True) for each in found]
        if not left:
            break
    return [sorted(each, reverse=True) for each in found]


def _near(
    matcher: Matcher, exchange: Exchange, recorded: Recorded, budget: Steps
) -> Generator[None, None, Near | None]:
    """How near a call comes to a matcher; ``None`` where it fits, or cannot be judged."""
    if (yield from fit_in_parts(matcher, recorded, budget)) is not Fit.NO:
        return None
    yield
    judged = yield from distance_in_parts(matcher, recorded)
    request = cut(f"{exchange.method} {exchange.target}")
    return Near((-judged.distance, exchange.number), exchange.id, request, judged.mismatches)
