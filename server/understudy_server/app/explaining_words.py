"""An explanation in a sentence or two, for people."""

from collections.abc import Mapping
from typing import Final

from understudy_server.core.explanation import ONLY_MATCH, Considered, Explanation, Outcome
from understudy_server.core.matching.mock import Layer

_WHERE: Final[Mapping[Layer, str]] = {
    Layer.SESSION: "for the session",
    Layer.SCENARIO: "by the session's scenario",
    Layer.ENVIRONMENT: "for the whole environment",
}

# What completes "… answers: ". The rules are the parts of the orders of precedence (`core.profiles`).
_WHY: Final[Mapping[str, str]] = {
    "priority": "its priority is greater than that of {other}",
    "path": "its path is more specific than that of {other}",
    "body": "it asks for more of the body than {other}",
    "query": "it asks for more of the query than {other}",
    "method": "it asks for a method, and {other} for any",
    "criteria": "it has more criteria than {other}",
    "parts": "it looks at more parts of the request than {other}",
    "weight": "the parts of the request that it looks at weigh more than those of {other}",
    "latest": "it was switched on later than {other}",
    "oldest": "it is older than {other}",
    "newest": "it is newer than {other}",
    "id": "its id comes before that of {other}, and nothing else tells them apart",
}


def summary(found: Explanation) -> str:
    """Tell what becomes of a request, and why."""
    match found.outcome:
        case Outcome.MOCK:
            return _why_it_wins(found)
        case Outcome.REFUSED:
            return f"The proxy refuses the request: {found.refusal}"
        case Outcome.PREFLIGHT:
            return "The proxy answers by itself: a browser asks whether it may send the request that follows."
        case Outcome.UPSTREAM:
            return f"No mock answers: {_why_none(found)} The request is passed on to the upstream."
        case Outcome.NO_UPSTREAM:
            status = found.unanswered_status
            return f"No mock answers: {_why_none(found)} There is no upstream, so the proxy answers with {status}."


def _why_it_wins(found: Explanation) -> str:
    winner, *others = [each for each in found.considered if each.matches]
    if others:
        return f"{winner.mock_id} answers: {_why_first(found.rule, winner, others[0])}."
    if found.rule != ONLY_MATCH:
        # Only the winner was asked for.
        return f"{winner.mock_id} answers: it is the first of those that match."
    alone = "no other mock is on" if found.total == 1 else f"of the {found.total} mocks that are on, no other one does"
    return f"{winner.mock_id} answers: it matches, and {alone}."


def _why_first(rule: str, winner: Considered, other: Considered) -> str:
    if rule == "layer":
        only = "only " if other.layer is Layer.ENVIRONMENT else ""
        return f"it is on {_WHERE[winner.layer]}, and {other.mock_id} {only}{_WHERE[other.layer]}"
    return _WHY[rule].format(other=other.mock_id)


def _why_none(found: Explanation) -> str:
    if not found.total:
        return "none is on."
    nearest = found.considered[0]
    count = "the one that is on" if found.total == 1 else f"the nearest of the {found.total} that are on"
    first = nearest.mismatches[0]
    actual = f"{first.actual!r}" if first.actual else "nothing"
    return f"{nearest.mock_id}, {count}, misses at {first.field} (expected: {first.expected}; found: {actual})."
