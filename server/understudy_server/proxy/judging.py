"""What becomes of a request: decided here from values, carried out elsewhere."""

from dataclasses import dataclass

from understudy_server.core.delays import Dice, session_delay_ms
from understudy_server.core.matching.request import Request
from understudy_server.core.precedence import winner
from understudy_server.core.responding.plan import AnswerPlan, plan
from understudy_server.core.session_key import normalise
from understudy_server.live.source import EnvironmentRow
from understudy_server.live.view import LiveView
from understudy_server.proxy import target as targets
from understudy_server.proxy.messages import ClientRequest, Refused, first, text_of
from understudy_server.proxy.target import Target


@dataclass(frozen=True, slots=True)
class Intake:
    """A request that has found its environment. Without a key ``session_key`` is empty, without a session its id is."""

    request: ClientRequest
    target: Target
    environment: EnvironmentRow
    session_key: str
    session_id: str
    started_at_ms: int


@dataclass(frozen=True, slots=True)
class Mocked:
    """A mock answers."""

    intake: Intake
    mock_id: str
    plan: AnswerPlan


@dataclass(frozen=True, slots=True)
class PassedThrough:
    """The upstream answers; its answer is then held back for ``delay_ms``."""

    intake: Intake
    delay_ms: int


Decision = Mocked | PassedThrough | Refused


@dataclass(frozen=True, slots=True)
class Judge:
    """Decides by what the view holds now: the caller has brought it up to date."""

    view: LiveView
    dice: Dice
    session_header: bytes

    def decide(self, request: ClientRequest, now_ms: int) -> Decision:
        """Find environment and session, then the mock that wins. An unknown environment is refused (404)."""
        target = targets.parse(request.target)
        environment = self.view.environment(target.project, target.environment) if target else None
        if target is None or environment is None:
            return Refused(
                404, "not_found", "There is no such project and environment here: /<project>/<environment>/..."
            )
        key = normalise(text_of(first(request.headers, self.session_header) or b""))
        session = self.view.session(environment.id, key, now_ms) if key else None
        intake = Intake(request, target, environment, key, session.id if session else "", now_ms)
        delay_ms = session_delay_ms(session.global_delay_ms, session.global_delay_max_ms, self.dice) if session else 0
        matched = Request(request.method, target.path, target.query or "", request.body)
        mock = winner(self.view.layers(environment.id, session), matched)
        if mock is None:
            return PassedThrough(intake, delay_ms)
        return Mocked(intake, mock.id, plan(mock.response, request.method, delay_ms + mock.delay_ms))
