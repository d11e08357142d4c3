"""Whether calls happened as they were expected to, judged by a record of which parts may be missing.

What is not known is never guessed. Each call that cannot be judged, and each exchange that was lost, may or may not be
one that was asked for: an expectation has passed when it holds either way, it has failed when it holds in no way, and
else the verdict is inconclusive. So lost exchanges can hide that there were too many calls, but not that there were
enough.
"""

from collections import deque
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from understudy_server.core.exchange import Exchange
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.record import Lost
from understudy_server.core.steps import Steps
from understudy_server.core.verification_judging import QUESTION_STEPS_MAX, Fit, Recorded, fit_in_parts

IDS_MAX: Final = 20


class Verdict(StrEnum):
    """Whether it is as expected. The values are those of the contract."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Bounds:
    """So many calls, both included; ``at_most`` is ``None`` without a limit, and else not below ``at_least``."""

    at_least: int = 1
    at_most: int | None = None

    def verdict(self, lower: int, upper: int | None) -> Verdict:
        """Judge a number of calls of which only this is known: it lies between these, ``None`` being any number."""
        if upper is not None and upper < self.at_least:
            return Verdict.FAILED
        if self.at_most is not None and lower > self.at_most:
            return Verdict.FAILED
        if lower < self.at_least or (self.at_most is not None and (upper is None or upper > self.at_most)):
            return Verdict.INCONCLUSIVE
        return Verdict.PASSED

    def can_still_pass(self, lower: int, upper: int | None) -> bool:
        """Whether calls that are still to come can make it pass, where by now their number lies between these."""
        if self.at_most is None:
            return True
        return upper is not None and upper + max(0, self.at_least - lower) <= self.at_most


@dataclass(frozen=True, slots=True)
class Expected:
    """Which calls are expected, and how many. ``calls`` says in words which; ``name`` may be empty."""

    matcher: Matcher
    bounds: Bounds = field(default_factory=Bounds)
    calls: str = ""
    name: str = ""


@dataclass(slots=True)
class Tally:
    """What was counted for one expectation. ``last_ids`` are those of the last calls that it fits, oldest first."""

    count: int = 0
    undecided: int = 0
    last_ids: deque[str] = field(default_factory=lambda: deque(maxlen=IDS_MAX))

    def note(self, found: Fit, exchange_id: str) -> None:
        if found is Fit.YES:
            self.count += 1
            self.last_ids.append(exchange_id)
        elif found is Fit.UNDECIDED:
            self.undecided += 1


def all_of(verdicts: Sequence[Verdict]) -> Verdict:
    """The verdict over parts that must all have passed."""
    if Verdict.FAILED in verdicts:
        return Verdict.FAILED
    return Verdict.INCONCLUSIVE if Verdict.INCONCLUSIVE in verdicts else Verdict.PASSED


class Judgement:
    """Takes in the exchanges of one stream behind a number, oldest first, and says at any time what they come to.

    ``number`` is that of the last exchange that was taken in or is known to be lost. ``doubtful`` is to be set when
    exchanges may have been lost that never had a number, and ``losses`` to what was lost of the stream, and why.
    ``budget`` are the steps that are left for all tests of the question.
    """

    def __init__(self, expectations: Sequence[Expected], after: int = 0) -> None:
        self.expectations = expectations
        self.tallies = [Tally() for _ in expectations]
        self.after = after
        self.number = after
        self.lost = 0
        self.judged = 0
        self.doubtful = False
        self.losses: Mapping[Lost, int] = {}
        # Which expectation is waited for next, so far as it is certain, and as far as it can be. One that calls must
        # never fit has no place in an order.
        self._order = [at for at, each in enumerate(expectations) if each.bounds.at_most != 0]
        self._surely = 0
        self._possibly = 0
        self.others = 0
        self.undecided_others = 0
        self.other_ids: list[str] = []
        self.budget = Steps(QUESTION_STEPS_MAX)

    def take_in_parts(self, exchange: Exchange) -> Generator[None, None, None]:
        """Take in the next exchange. Numbers that were left out since the last one are lost.

        It is done when nothing more comes. Something comes after each expectation, so that others can be let go first:
        on a long body each takes its time.
        """
        if not exchange.is_call:
            self.reach(exchange.number - 1)
            self.number = max(self.number, exchange.number)
            return
        recorded = Recorded(exchange)
        found = []
        for each in self.expectations:
            found.append((yield from fit_in_parts(each.matcher, recorded, self.budget)))
            yield
        self.reach(exchange.number - 1)
        self.number = max(self.number, exchange.number)
        self.judged += 1
        for tally, one in zip(self.tallies, found, strict=True):
            tally.note(one, exchange.id)
        self._note_order(found)
        self._note_others(found, exchange.id)

    def begin_behind(self, number: int) -> None:
        """What has a number up to this one was removed because somebody asked for it, and is nothing that was lost."""
        self.number = max(self.number, number)

    def reach(self, number: int) -> None:
        """There is nothing on record any more up to this number: what was not taken in is lost."""
        missing = number - self.number
        if missing > 0:
            self.number = number
            self.lost += missing
            self._possibly = min(len(self._order), self._possibly + missing)

    @property
    def complete(self) -> bool:
        """Whether every exchange up to `number` was taken in."""
        return not self.lost and not self.doubtful

    def upper(self, at: int) -> int | None:
        """How many calls one expectation may fit; ``None``: any number."""
        tally = self.tallies[at]
        return None if self.doubtful else tally.count + tally.undecided + self.lost

    def verdict(self, at: int) -> Verdict:
        """The verdict over one expectation."""
        return self.expectations[at].bounds.verdict(self.tallies[at].count, self.upper(at))

    def can_still_pass(self, at: int) -> bool:
        """Whether calls that are still to come can make one expectation pass."""
        return self.expectations[at].bounds.can_still_pass(self.tallies[at].count, self.upper(at))

    def order(self) -> Verdict:
        """Whether calls fit the expectations one after the other, with or without others between them."""
        if self._surely == len(self._order):
            return Verdict.PASSED
        if self._possibly < len(self._order) and not self.doubtful:
            return Verdict.FAILED
        return Verdict.INCONCLUSIVE

    def awaited(self) -> int | None:
        """Which expectation no call certainly fits in its place in the order; ``None`` when there is none such."""
        return self._order[self._surely] if self._surely < len(self._order) else None

    def no_others(self) -> Verdict:
        """Whether each call fits one of the expectations."""
        if self.others:
            return Verdict.FAILED
        return Verdict.PASSED if self.complete and not self.undecided_others else Verdict.INCONCLUSIVE

    def _note_order(self, found: Sequence[Fit]) -> None:
        order = self._order
        if self._surely < len(order) and found[order[self._surely]] is Fit.YES:
            self._surely += 1
        if self._possibly < len(order) and found[order[self._possibly]] is not Fit.NO:
            self._possibly += 1

    def _note_others(self, found: Sequence[Fit], exchange_id: str) -> None:
        if Fit.YES in found:
            return
        if Fit.UNDECIDED in found:
            self.undecided_others += 1
            return
        self.others += 1
        if len(self.other_ids) < IDS_MAX:
            self.other_ids.append(exchange_id)
