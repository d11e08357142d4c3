"""Findings about requests that no mock answered: which one nearly did, and why it did not."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Final, NamedTuple

from understudy_server.core.explanation import Considered, Explanation, Outcome, Reason
from understudy_server.core.health_finding import MOCK_IDS_MAX, Finding
from understudy_server.core.health_tally import Asked, Group
from understudy_server.core.health_words import named
from understudy_server.core.matching.mismatch import Mismatch
from understudy_server.core.redaction import MARKER
from understudy_server.core.state import Refusal
from understudy_server.core.usage import Closed

# What a mock's lifetime and machine say: all else of it holds, where nothing else is said.
_USAGE: Final = frozenset({*[each.value for each in Closed], *[each.value for each in Refusal]})

_MASK: Final = MARKER.decode()

# So much of a path may differ, in segments, that it was probably meant: `card` for `cart`, or `v2` for `v1`.
_PATH_DIFFERS_MAX: Final = 0.7

# The most telling first.
_CODES: Final = (
    "mock_used_up",
    "mock_expired",
    "mock_draft",
    "unmatched",
    "would_match_in_session",
    "mock_not_active",
)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """What is known to tell of requests that no mock answered.

    ``ended``: there was a session, and what was on for it is not known any more. ``mocks`` are those of the session
    alone, ``used`` those that have answered any of its requests. ``explained`` are requests as they would be answered
    now.
    """

    key: str
    exists: bool
    ended: bool
    mocks: Sequence[str]
    used: Collection[str]
    explained: Mapping[Asked, Explanation]


class _Cause(NamedTuple):
    code: str
    message: str
    mock_ids: Sequence[str] = ()
    mismatches: Sequence[Mismatch] = ()


def of_unmatched(known: Unanswered, groups: Mapping[Asked, Group], most: int) -> Sequence[Finding]:
    """Of requests that had 502, since there is no upstream either: each is odd."""
    rest = Group()
    found: list[Finding] = []
    for asked, group in groups.items():
        explanation = known.explained.get(asked)
        if explanation is None or len(found) == most:
            rest.add_all(group)
            continue
        cause = _cause(known, explanation) or (_GONE if known.ended else _nearest(explanation) or _NONE_ON)
        found.append(_finding(asked, group, "had no mock, and there is no upstream (502)", cause))
    found = _in_order(found)
    if rest.count:
        message = (
            f"{named(None, rest)} had no mock, and there is no upstream (502). `understudy explain LOG_ID` tells why."
        )
        found.append(Finding("unmatched", message, rest.count, rest.log_ids))
    return found


def of_passed_on(known: Unanswered, groups: Mapping[Asked, Group], most: int) -> Sequence[Finding]:
    """Of requests that the real service answered: odd are those that a mock seems to have been meant for.

    It is not that a request merely came near a mock that has answered others: then it was probably told from them.
    """
    found = []
    for asked, group in groups.items():
        explanation = known.explained.get(asked)
        if explanation is None:
            continue
        cause = _cause(known, explanation)
        if cause is None and _seems_meant(known, explanation):
            cause = _nearest(explanation)
        if cause is not None:
            found.append(_finding(asked, group, "was passed on", cause))
    return _in_order(found)[:most]


def missed(explanation: Explanation, mock_id: str) -> Considered | None:
    """What is said of a mock that is on and does not match."""
    return next((each for each in explanation.considered if each.mock_id == mock_id and not each.matches), None)


def misses_at(considered: Considered) -> str:
    """The first thing that does not hold of a mock."""
    first = considered.mismatches[0]
    actual = f"{first.actual!r}" if first.actual else "nothing"
    return f"misses at {first.field} (expected: {first.expected}; found: {actual})"


def _finding(asked: Asked, group: Group, became: str, cause: _Cause) -> Finding:
    message = f"{named(asked, group)} {became}: {cause.message}"
    return Finding(cause.code, message, group.count, group.log_ids, cause.mock_ids[:MOCK_IDS_MAX], cause.mismatches)


def _in_order(found: Sequence[Finding]) -> list[Finding]:
    return sorted(found, key=lambda each: (_CODES.index(each.code), -each.count))


def _cause(known: Unanswered, explanation: Explanation) -> _Cause | None:
    """A mock that matches, and why it did not answer; ``None`` when none matches anywhere."""
    return next((cause for cause in _causes(known, explanation) if cause is not None), None)


def _causes(known: Unanswered, explanation: Explanation) -> Iterator[_Cause | None]:
    if not known.ended:
        yield _out_of_use(explanation)
        yield _answers_now(explanation)
    if explanation.drafts:
        publish = f"`understudy mock publish {explanation.drafts[0]}`"
        message = (
            f"{_listed(explanation.drafts)} would match, and is a draft. {publish} publishes it; then switch it on."
        )
        yield _Cause("mock_draft", message, explanation.drafts)
    if explanation.elsewhere:
        session_key, mock_id = explanation.elsewhere[0]
        message = (
            f"in session {session_key!r} it would have been answered by {mock_id}. Does the app send the key of "
            f"another test? Otherwise {_switch_on(known.key, mock_id)}."
        )
        yield _Cause("would_match_in_session", message, (mock_id,))
    # Without a session nothing can be on for it: that is told already.
    if explanation.not_on and known.exists:
        first = explanation.not_on[0]
        message = (
            f"{_listed(explanation.not_on)} would match, and is not on. To have it, {_switch_on(known.key, first)}."
        )
        yield _Cause("mock_not_active", message, explanation.not_on)


def _switch_on(key: str, mock_id: str) -> str:
    if not key:
        return f"switch it on for everybody (`understudy mock activate {mock_id}`)"
    return f"switch it on here (`understudy override on {quote(key)} {mock_id}`), or choose a scenario that has it"


def _listed(mock_ids: Sequence[str]) -> str:
    others = len(mock_ids) - 1
    more = f" (as {others} other mock{'' if others == 1 else 's'} would)" if others else ""
    return f"{mock_ids[0]}{more}"


def _out_of_use(explanation: Explanation) -> _Cause | None:
    """A mock of which all holds but its lifetime or its machine."""
    for each in explanation.considered:
        if len(each.mismatches) == 1 and each.mismatches[0].code in _USAGE:
            return _told_of_usage(each, each.mismatches[0])
    return None


def _told_of_usage(considered: Considered, mismatch: Mismatch) -> _Cause:
    mock_id, found = considered.mock_id, f"(expected: {mismatch.expected}; found: {mismatch.actual or 'nothing'})"
    match mismatch.code:
        case Refusal.SPENT.value:
            code, message = (
                "mock_used_up",
                f"{mock_id} matches, and is used up {found}. Allow more uses, or reset its state.",
            )
        case Closed.EXPIRED.value:
            code, message = "mock_expired", f"{mock_id} matches, and its time is over {found}. Set its lifetime anew."
        case Closed.NOT_YET.value:
            code, message = (
                "mock_not_active",
                f"{mock_id} matches, and its time has not come {found}. Change its lifetime.",
            )
        case _:
            code = "mock_not_active"
            message = (
                f"{mock_id} matches, and waits for another state {found}. Set the machine, or send what leads there."
            )
    return _Cause(code, message, (mock_id,), (mismatch,))


def _answers_now(explanation: Explanation) -> _Cause | None:
    answering = explanation.answering
    if answering is None:
        return None
    message = (
        f"{answering.mock_id} would answer it now, and did not then: it was switched on or changed since, or is not "
        "used up any more. Have all set up before the app sends anything."
    )
    return _Cause("mock_not_active", message, (answering.mock_id,))


def _nearest(explanation: Explanation) -> _Cause | None:
    if explanation.outcome is Outcome.REFUSED or not explanation.considered:
        return None
    nearest = explanation.considered[0]
    if nearest.matches:
        return None
    message = f"the nearest mock, {nearest.mock_id}, {misses_at(nearest)}. Change the mock or the request."
    if Reason.BODY_NOT_KEPT in explanation.reasons:
        message += " Its body was not kept whole, so that no criterion on it is said to hold."
    if any(_MASK in each.actual for each in nearest.mismatches):
        message += " Values of it were masked before it was recorded: criteria see a mark in their place."
    return _Cause("unmatched", message, (nearest.mock_id,), nearest.mismatches)


_NONE_ON: Final = _Cause("unmatched", "no mock is on for it. Switch one on, or choose a scenario that has one.")

_GONE: Final = _Cause(
    "unmatched", "why is not known any more, since the session has ended. Ask for its health before it is deleted."
)


def _seems_meant(known: Unanswered, explanation: Explanation) -> bool:
    """Whether the nearest mock has answered nothing yet, and is near: neither of another method nor of another path."""
    if known.ended or not explanation.considered or explanation.considered[0].matches:
        return False
    nearest = explanation.considered[0]
    return nearest.mock_id not in known.used and all(map(_is_small, nearest.mismatches))


def _is_small(mismatch: Mismatch) -> bool:
    if mismatch.field.startswith("matcher.method"):
        return False
    if mismatch.field.startswith("matcher.path"):
        return mismatch.distance * mismatch.actual.count("/") <= _PATH_DIFFERS_MAX
    return True
