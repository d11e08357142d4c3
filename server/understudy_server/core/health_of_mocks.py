"""Findings about mocks that are on for a session and have answered nothing."""

from collections.abc import Iterator

from understudy_server.core.explanation import Considered
from understudy_server.core.health_finding import Finding
from understudy_server.core.health_of_requests import Unanswered, missed, misses_at
from understudy_server.core.health_tally import Asked, Tally
from understudy_server.core.matching.mismatch import cut


def never_used(known: Unanswered, tally: Tally, most: int) -> Iterator[Finding]:
    """Mocks of the session alone that answered none of its requests, of which there are some; at most so many."""
    if not tally.in_session or not known.exists or tally.hides_requests:
        return
    unused = [mock_id for mock_id in known.mocks if mock_id not in known.used]
    for mock_id in unused[:most]:
        only = tally.in_session == 1
        none = "not answered its one request" if only else f"answered none of its last {tally.in_session} requests"
        beginning = f"{mock_id} is on for the session, and has {none}"
        nearest = _nearest(known, mock_id)
        if nearest is None:
            end = "Other mocks go before it, or nothing that it is for was sent: `understudy explain LOG_ID` tells."
            yield Finding("mock_never_used", f"{beginning}. {end}", mock_ids=(mock_id,))
        else:
            asked, considered = nearest
            end = f"The nearest that no mock answered, {cut(f'{asked.method} {asked.path}')}, {misses_at(considered)}."
            mismatches = considered.mismatches
            yield Finding("mock_never_used", f"{beginning}. {end}", mock_ids=(mock_id,), mismatches=mismatches)


def _nearest(known: Unanswered, mock_id: str) -> tuple[Asked, Considered] | None:
    """The request that came nearest to a mock, of those that none answered."""
    found = [(asked, missed(explanation, mock_id)) for asked, explanation in known.explained.items()]
    near = [(asked, considered) for asked, considered in found if considered is not None]
    return min(near, key=lambda each: each[1].distance, default=None)
