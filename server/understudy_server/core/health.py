"""What is odd about a session, of all that is known of it: the most urgent first. Values alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from understudy_server.core.carriers import CARRIERS_DISAGREE, SESSION_HEADER_REPEATED
from understudy_server.core.explanation import Explanation
from understudy_server.core.health_finding import Finding
from understudy_server.core.health_of_mocks import never_used
from understudy_server.core.health_of_requests import Unanswered, of_passed_on, of_unmatched
from understudy_server.core.health_tally import Asked, Group, Tally
from understudy_server.core.health_words import (
    incomplete,
    mock_failed,
    no_session,
    no_session_key,
    noted,
    only_flags,
    refused,
    upstream_failed,
)
from understudy_server.core.record import ExchangeOutcome, Standing

FINDINGS_MAX: Final = 20
"""Of one kind, at most: the rest is told of together."""

# What is about the key comes before all that follows from it.
_ABOUT_THE_KEY: Final = (CARRIERS_DISAGREE, SESSION_HEADER_REPEATED)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a session beside its exchanges. ``key`` is empty for what carried none.

    ``exists``: there is one now; ``of_project``: it is one of the project. ``alike`` is a session's key that differs in
    case alone, empty without one. ``mocks`` are those that it owns or that were switched on for it, by id. ``unkeyed``
    are exchanges of the last minutes that carried no key at all. ``standing`` is that of its record, which is
    ``complete`` or not.
    """

    key: str
    exists: bool
    of_project: bool = False
    alike: str = ""
    mocks: Sequence[str] = ()
    unkeyed: Group = field(default_factory=Group)
    standing: Standing = field(default_factory=Standing)
    complete: bool = True


def findings(facts: Facts, tally: Tally, explained: Mapping[Asked, Explanation]) -> Sequence[Finding]:
    """Tell what is odd. ``explained``: requests that no mock answered, judged anew, as many as there was time for."""
    ended = bool(tally.session_id) and not facts.exists
    unanswered = Unanswered(facts.key, facts.exists, ended, facts.mocks, tally.used, explained)
    return (
        *_about_the_key(facts, tally),
        *[noted(code, tally.noted[code]) for code in _ABOUT_THE_KEY if code in tally.noted],
        *_told(tally, ExchangeOutcome.MOCK_FAILED),
        *of_unmatched(unanswered, _of(tally, ExchangeOutcome.UNMATCHED), FINDINGS_MAX),
        *_told(tally, ExchangeOutcome.UPSTREAM_FAILED),
        *_told(tally, ExchangeOutcome.REFUSED),
        *of_passed_on(unanswered, _of(tally, ExchangeOutcome.FORWARDED), FINDINGS_MAX),
        *([] if facts.complete else [incomplete(facts.standing)]),
        *never_used(unanswered, tally, FINDINGS_MAX),
        *[noted(code, group) for code, group in sorted(tally.noted.items()) if code not in _ABOUT_THE_KEY],
    )


def _about_the_key(facts: Facts, tally: Tally) -> Iterator[Finding]:
    if not facts.key:
        return
    if not facts.exists or tally.homeless.count:
        if facts.of_project:
            yield only_flags(facts.key, tally)
        else:
            yield no_session(facts.key, tally, exists=facts.exists, alike=facts.alike)
    if not tally.carried.count and facts.unkeyed.count:
        yield no_session_key(facts.key, facts.unkeyed)


def _of(tally: Tally, outcome: ExchangeOutcome) -> dict[Asked, Group]:
    """What came to that, the most frequent first."""
    found = [(asked, group) for asked, group in tally.odd.items() if asked.outcome is outcome]
    return dict(sorted(found, key=lambda each: -each[1].count))


_TELLS: Final = {
    ExchangeOutcome.MOCK_FAILED: mock_failed,
    ExchangeOutcome.UPSTREAM_FAILED: upstream_failed,
    ExchangeOutcome.REFUSED: refused,
}


def _told(tally: Tally, outcome: ExchangeOutcome) -> Iterator[Finding]:
    """What is told of in its own words, each kind of request for itself, and those beyond the 20th together."""
    tell, rest = _TELLS[outcome], Group()
    for at, (asked, group) in enumerate(_of(tally, outcome).items()):
        if at < FINDINGS_MAX:
            yield tell(asked, group)
        else:
            rest.add_all(group)
    if rest.count:
        yield tell(None, rest)
