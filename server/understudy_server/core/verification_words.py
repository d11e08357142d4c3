"""Verdicts in sentences, for people: what was expected, what there was, and what to do."""

from collections.abc import Mapping

from understudy_server.core.loss_advice import ADVICE
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.matching.mismatch import Mismatch, cut
from understudy_server.core.record import Lost
from understudy_server.core.verification import Bounds, Expected, Judgement, Tally, Verdict


def words_of(matcher: Matcher, path: str) -> str:
    """Which calls a matcher fits: ``POST /api/pay with query.page equals "2"``; empty for all. ``path``: as written."""
    said = " ".join(filter(None, [matcher.method, path]))
    parts = [f"{part.field.removeprefix('.')} {part.criterion.words()}" for part in matcher.parts]
    return cut(" with ".join(filter(None, [said, " and ".join(parts)])))


def expectation(expected: Expected) -> str:
    """What is expected: ``exactly 1 call of POST /api/pay``."""
    return _number(expected.bounds) + (f" of {expected.calls}" if expected.calls else "")


def name_of(expected: Expected) -> str:
    """What an expectation is called, at most 200 characters."""
    return expected.name or cut(expectation(expected))


def outcome(expected: Expected, tally: Tally, verdict: Verdict, judgement: Judgement, nearest: str = "") -> str:
    """What came of one expectation. ``nearest`` says what comes nearest to it, where there were too few."""
    said = f"expected {expectation(expected)}, and {_there_were(tally.count)}"
    if verdict is Verdict.INCONCLUSIVE:
        return f"it cannot be told whether it is as expected: {said}; {_unknown(tally.undecided, judgement)}"
    if verdict is Verdict.FAILED and nearest:
        return f"{said}; {nearest}"
    return said


def nearest(request: str, mismatches: tuple[Mismatch, ...]) -> str:
    """What comes nearest, and the first thing that does not hold of it."""
    if not mismatches:
        return f"the nearest is {request}"
    first = mismatches[0]
    found = f"it has {first.actual}" if first.actual else "it has nothing"
    return f"the nearest is {request}: {first.field.removeprefix('matcher.')} {first.expected}, and there {found}"


def whole(judgement: Judgement, verdicts: list[Verdict], order: Verdict | None, others: Verdict | None) -> str:
    """What came of all expectations together."""
    failed = [at for at, each in enumerate(verdicts) if each is Verdict.FAILED]
    open_ones = [at for at, each in enumerate(verdicts) if each is Verdict.INCONCLUSIVE]
    said: list[str] = []
    if failed:
        named = ", ".join([name_of(judgement.expectations[at]) for at in failed[:3]])
        more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
        said.append(f"{len(failed)} of {_counted(len(verdicts), 'expectation')} failed: {named}{more}")
    if order is Verdict.FAILED:
        said.append(f"the calls are not in the order expected: {_order_broken(judgement)}")
    if others is Verdict.FAILED:
        verb = "fits" if judgement.others == 1 else "fit"
        said.append(f"{_counted(judgement.others, 'call')} {verb} none of the expectations")
    if not said:
        if open_ones or Verdict.INCONCLUSIVE in (order, others):
            undecided = max([*[each.undecided for each in judgement.tallies], judgement.undecided_others])
            said.append(f"it cannot be told: {_unknown(undecided, judgement)}")
        else:
            held = len(verdicts)
            said.append(f"{_counted(held, 'expectation')} {'holds' if held == 1 else 'hold'}")
    return f"{'; '.join(said)}, judged over {_counted(judgement.judged, 'exchange')}"


def _number(bounds: Bounds) -> str:
    least, most = bounds.at_least, bounds.at_most
    if most == 0:
        return "no call"
    if most is None:
        return f"at least {_counted(least, 'call')}" if least else "any number of calls"
    if least == most:
        return f"exactly {_counted(most, 'call')}"
    return f"{least} to {_counted(most, 'call')}" if least else f"at most {_counted(most, 'call')}"


def _there_were(count: int) -> str:
    if not count:
        return "there was none"
    return "there was 1" if count == 1 else f"there were {count}"


def _unknown(undecided: int, judgement: Judgement) -> str:
    said = []
    if undecided:
        said.append(
            f"{_counted(undecided, 'call')} could not be judged, since a body was not kept whole, a value is masked, "
            "or it would take too long: ask for something else of them, or let the environment keep more"
        )
    if judgement.lost:
        advice = "".join([f": {ADVICE[each]}" for each in _numbered(judgement.losses)[:1]])
        verb = "is" if judgement.lost == 1 else "are"
        said.append(f"{_counted(judgement.lost, 'exchange')} {verb} not on record{advice}")
    if judgement.doubtful:
        said.append("exchanges may have been lost when the server was killed: run the test again")
    return "; ".join(said)


def _numbered(losses: Mapping[Lost, int]) -> list[Lost]:
    """Why exchanges were lost that had numbers, the most frequent first."""
    return sorted([each for each, count in losses.items() if count], key=lambda each: -losses[each])


def _order_broken(judgement: Judgement) -> str:
    at = judgement.awaited()
    if at is None:
        return ""
    calls = judgement.expectations[at].name or judgement.expectations[at].calls or "any call"
    return f"no call of {calls} comes in its place"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
