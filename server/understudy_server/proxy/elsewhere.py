"""In which other sessions a mock would answer a request: of parallel tests, one may have sent the key of another."""

import asyncio
from collections.abc import Sequence
from itertools import chain
from typing import Final

from understudy_server.core.carriers import FoundKey
from understudy_server.core.explanation import Elsewhere
from understudy_server.core.giving_way import begin_giving_way, giving_way
from understudy_server.core.matching.mock import Mock
from understudy_server.core.matching.request import Body
from understudy_server.core.state import State
from understudy_server.core.usage_mismatch import usage_mismatch
from understudy_server.proxy.judging import Judge, Survey
from understudy_server.proxy.messages import ClientRequest, Refused

SESSIONS_LOOKED_AT: Final = 50
SESSIONS_TOLD: Final = 5


async def sessions_elsewhere(
    judge: Judge, survey: Survey, request: ClientRequest, body: Body, state: State, now_ms: int
) -> Sequence[Elsewhere]:
    """Sessions in which a mock would answer a request that none answers in its own, at most 5.

    ``survey`` is that of the request itself. Of the environment's sessions with mocks of their own, or a scenario, the
    50 are looked at that were made last. Nothing is claimed.
    """
    rows = survey.live.sessions_with_mocks(now_ms, SESSIONS_LOOKED_AT + 1)
    others = [row for row in rows if row.key != survey.intake.session_key]
    surveys = []
    for row in others[:SESSIONS_LOOKED_AT]:
        found = judge.survey(request, body, now_ms, FoundKey(row.key, ()))
        if isinstance(found, Refused):
            # The environment has gone meanwhile.
            return ()
        surveys.append(found)
        # What is on for a session may have to be put together first, which takes about as long as a request does.
        await asyncio.sleep(0)
    return await asyncio.to_thread(_answering, surveys, state, now_ms) if surveys else ()


def _answering(surveys: Sequence[Survey], state: State, now_ms: int) -> Sequence[Elsewhere]:
    begin_giving_way()
    found: list[Elsewhere] = []
    # Sessions of one scenario have the same mocks: each of those is put to the request once.
    known: dict[str, bool] = {}
    for survey in surveys:
        mock = _first(survey, known, state, now_ms)
        if mock is not None:
            found.append(Elsewhere(survey.intake.session_key, mock.id))
            if len(found) == SESSIONS_TOLD:
                break
    return found


def _first(survey: Survey, known: dict[str, bool], state: State, now_ms: int) -> Mock | None:
    """A mock that would answer in that session, and is on there and not for everybody."""
    if survey.intake.own is not None:
        return None
    for candidate in giving_way(chain(survey.layers.session, survey.layers.scenario)):
        mock = candidate.mock
        if survey.fits is not None and not survey.fits(mock):
            continue
        if _matches(mock, survey, known) and _applies(mock, survey, state, now_ms):
            return mock
    return None


def _matches(mock: Mock, survey: Survey, known: dict[str, bool]) -> bool:
    if mock.matcher.looks_at_state:
        return mock.matcher.matches(survey.intake)
    if mock.state_name not in known:
        known[mock.state_name] = mock.matcher.matches(survey.intake)
    return known[mock.state_name]


def _applies(mock: Mock, survey: Survey, state: State, now_ms: int) -> bool:
    intake = survey.intake
    return usage_mismatch(mock, intake.environment.id, intake.session_state, state, now_ms) is None
