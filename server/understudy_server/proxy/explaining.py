"""Tells why a request would be answered as it would be: found by what decides about requests, and nothing is claimed.

Every mock that is on is put to the request, and not only those that an index leaves: that is done beside the event
loop, in a thread that gives way to it.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import nsmallest
from typing import Final, NamedTuple

from understudy.v1.mock_service_pb2 import Mock as MockMessage

from understudy_server.core.errors import NotFound
from understudy_server.core.exchange import RawHeaders
from understudy_server.core.explanation import ONLY_MATCH, Considered, Explanation, Outcome, Reason, Subject
from understudy_server.core.giving_way import begin_giving_way, giving_way
from understudy_server.core.headers import first, values
from understudy_server.core.matching.mismatch import MISMATCHES_MAX, Code, Mismatch
from understudy_server.core.matching.mock import Candidate, Mock
from understudy_server.core.matching.request import OVERLONG, Body
from understudy_server.core.precedence import order_of
from understudy_server.core.profiles import rule
from understudy_server.core.state import State
from understudy_server.core.usage_mismatch import usage_mismatch
from understudy_server.live.mock import LiveMock
from understudy_server.live.view import LiveView
from understudy_server.proxy.assertive import NO_MATCH, has_no_match
from understudy_server.proxy.elsewhere import sessions_elsewhere
from understudy_server.proxy.judging import Judge, Survey
from understudy_server.proxy.messages import ClientRequest, Refused
from understudy_server.proxy.settings import ProxySettings

NOT_ON_MAX: Final = 20

_UNANSWERED: Final = (Outcome.UPSTREAM, Outcome.NO_UPSTREAM)

# How much it counts that a mock is spent, or waits for another time or state, beside all that it looks for.
_USAGE_COUNTS: Final = 0.1


class _Judged(NamedTuple):
    candidate: Candidate
    distance: float
    mismatches: tuple[Mismatch, ...]


class ViewExplainer:
    """Explains by the view, which it brings up to date, and by the state of now. It changes neither."""

    def __init__(self, view: LiveView, state: State, settings: ProxySettings) -> None:
        self._view = view
        self._state = state
        self._settings = settings

    async def explain(
        self, subject: Subject, now_ms: int, considered_max: int, drafts: Sequence[MockMessage] = ()
    ) -> Explanation:
        """Explain a request. Raises NotFound without such an environment, StorageFailure when it cannot be read."""
        await self._view.catch_up()
        request = _request_of(subject, self._settings.session_header.lower().encode())
        judge = Judge(self._view, self._state, self._settings, (subject.project, subject.environment))
        body: Body = OVERLONG if subject.body is None else subject.body
        survey = judge.survey(request, body, now_ms, subject.known_key)
        if isinstance(survey, Refused):
            raise NotFound(f"there is no environment {subject.environment!r} in project {subject.project!r}")
        published = survey.live.published()
        found = await asyncio.to_thread(self._explain_aside, subject, survey, published, drafts, now_ms, considered_max)
        if found.outcome not in _UNANSWERED:
            return found
        elsewhere = await sessions_elsewhere(judge, survey, request, body, self._state, now_ms)
        return found._replace(elsewhere=elsewhere)

    def _explain_aside(
        self,
        subject: Subject,
        survey: Survey,
        published: Sequence[LiveMock],
        drafts: Sequence[MockMessage],
        now_ms: int,
        considered_max: int,
    ) -> Explanation:
        begin_giving_way()
        intake, candidates = survey.intake, _distinct(survey)
        matching: list[_Judged] = []

        def missing() -> Iterator[_Judged]:
            for each in giving_way(candidates):
                judged = self._judge(each, subject, survey, now_ms)
                if judged.mismatches:
                    yield judged
                else:
                    matching.append(judged)

        # One by one, so that no more is kept of them than is told: much of it would be much for the collector.
        nearest = nsmallest(considered_max, missing(), key=_nearness)
        matching = _in_order(matching, survey)
        outcome = _outcome(survey, any_matches=bool(matching))
        return Explanation(
            outcome=outcome,
            rule=_rule(survey, matching) if outcome is Outcome.MOCK else "",
            refusal=intake.own.refused.message if intake.own and intake.own.refused else "",
            session_key=intake.session_key,
            session_exists=intake.session is not None,
            findings=intake.findings,
            reasons=_reasons(subject, survey),
            considered=[_considered(each) for each in (*matching, *nearest)[:considered_max]],
            total=len(candidates),
            not_on=_not_on(survey, published, {each.mock.state_name for each in candidates}),
            drafts=_not_on(survey, map(_draft_of(survey), drafts), set()),
            unanswered_status=NO_MATCH.status if has_no_match(intake) else 502,
        )

    def _judge(self, candidate: Candidate, subject: Subject, survey: Survey, now_ms: int) -> _Judged:
        mock, intake = candidate.mock, survey.intake
        distance, mismatches = mock.matcher.judge(intake)
        if subject.body is None:
            mismatches = tuple([_not_kept(each) for each in mismatches])
        if survey.fits is not None and not survey.fits(mock):
            preflight = Mismatch("matcher.method", "is OPTIONS, for this is a preflight", intake.method, "differs", 1.0)
            return _Judged(candidate, max(distance, 1.0), (preflight, *mismatches)[:MISMATCHES_MAX])
        closed = usage_mismatch(mock, intake.environment.id, intake.session_state, self._state, now_ms)
        if closed is not None:
            distance = distance * (1 - _USAGE_COUNTS) + _USAGE_COUNTS
            mismatches = (*mismatches[: MISMATCHES_MAX - 1], closed)
        return _Judged(candidate, distance, mismatches)


def _request_of(subject: Subject, session_header: bytes) -> ClientRequest:
    """The request as the proxy would have read it."""
    request = ClientRequest()
    headers: RawHeaders = subject.headers
    request.method, request.target, request.headers = subject.method, subject.target, list(headers)
    request.host = first(headers, b"host") or b""
    request.origin = first(headers, b"origin") or b""
    request.session_values = tuple(values(headers, session_header))
    request.body = subject.body or b""
    request.has_body = subject.body_bytes > 0
    request.length = subject.body_bytes
    return request


def _distinct(survey: Survey) -> Sequence[Candidate]:
    """All that is on, each mock once: where it is the strongest."""
    found: dict[str, Candidate] = {}
    for candidate in survey.layers:
        found.setdefault(candidate.mock.state_name, candidate)
    return list(found.values())


def _nearness(judged: _Judged) -> tuple[float, int, str]:
    return judged.distance, judged.candidate.layer, judged.candidate.mock.id


def _in_order(matching: Sequence[_Judged], survey: Survey) -> list[_Judged]:
    """The same, in the order of precedence."""
    by_name = {each.candidate.mock.state_name: each for each in matching}
    ordered = order_of(survey.layers, [each.candidate for each in by_name.values()])
    return [by_name[candidate.mock.state_name] for candidate in ordered]


def _outcome(survey: Survey, *, any_matches: bool) -> Outcome:
    environment = survey.intake.environment
    if survey.intake.own is not None:
        return Outcome.REFUSED
    if any_matches:
        return Outcome.MOCK
    if survey.fits is not None and environment.answers_preflights:
        return Outcome.PREFLIGHT
    return Outcome.UPSTREAM if environment.upstream else Outcome.NO_UPSTREAM


def _rule(survey: Survey, matching: Sequence[_Judged]) -> str:
    if len(matching) == 1:
        return ONLY_MATCH
    return rule(survey.layers.profile, matching[0].candidate, matching[1].candidate)


def _draft_of(survey: Survey) -> Callable[[MockMessage], LiveMock]:
    """Makes of a draft what it would be in the environment."""
    profile = survey.intake.environment.profile
    return lambda message: LiveMock(message, profile=profile)


def _reasons(subject: Subject, survey: Survey) -> list[Reason]:
    intake, reasons = survey.intake, []
    if not intake.session_key:
        reasons.append(Reason.NO_SESSION_KEY)
    elif intake.session is None:
        reasons.append(Reason.UNKNOWN_SESSION)
    if subject.body is None:
        reasons.append(Reason.BODY_NOT_KEPT)
    elif not isinstance(intake.body, bytes):
        reasons.append(Reason.BODY_TOO_LARGE)
    return reasons


def _not_kept(mismatch: Mismatch) -> Mismatch:
    """The body is only too large to be matched because it is not here."""
    is_body = mismatch.code == Code.BODY_TOO_LARGE.value
    return mismatch._replace(code=Reason.BODY_NOT_KEPT.value) if is_body else mismatch


def _considered(judged: _Judged) -> Considered:
    mock = judged.candidate.mock
    return Considered(mock.id, mock.name, judged.candidate.layer, judged.distance, judged.mismatches)


def _not_on(survey: Survey, published: Iterable[LiveMock], on: set[str]) -> list[str]:
    """Mocks that match and are not on, by their ids, at most 20."""
    found: list[str] = []
    for each in giving_way(published):
        mock: Mock | None = each.peeked(survey.intake)
        if mock is not None and mock.state_name not in on and mock.matcher.matches(survey.intake):
            found.append(mock.id)
            if len(found) == NOT_ON_MAX:
                break
    return sorted(found)
