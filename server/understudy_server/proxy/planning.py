"""What a decision comes to: the answer's plan, how long it is held back, and what is drawn for it."""

from typing import Final

from understudy_server.core.delays import session_delay_ms
from understudy_server.core.draws import Draw, Draws, seed_text
from understudy_server.core.matching.mock import Mock
from understudy_server.core.responding.answerer import Answerer
from understudy_server.core.responding.plan import Plan, Scene
from understudy_server.core.responding.prepared import Prepared
from understudy_server.core.state import Claim, Owner, Scope, State
from understudy_server.live.source import SessionRow
from understudy_server.proxy.intake import Intake

_UPSTREAM: Final = ""
"""Takes the place of a mock's id in draws, and in the count of uses, for requests that the service answers."""

# What is drawn has a stream of chance of its own where it is no part of the plan: so neither moves the other.
_DELAY_STREAM: Final = "session_delay\0"

# Some thousands of requests are remembered.
_KEPT_BYTES_MAX: Final = 8 * 1024

_DRAWS_MAX: Final = 1_000
_DRAWN_CHARACTERS_MAX: Final = 256


class Planner:
    """Prepares the answers to requests of which the mock stands, or that the service answers."""

    __slots__ = ("_state",)

    def __init__(self, state: State) -> None:
        self._state = state

    def prepare(self, intake: Intake, now_ms: int) -> bool:
        """Have the answer planned and say how long it is held back. False: next time that may be another one."""
        mock, session = intake.mock, intake.session
        lasts = True
        if mock is not None:
            if mock.answer is not None:
                plan = self._plan(intake, mock, mock.answer, now_ms)
                lasts = mock.answer.repeats and _is_small(plan)
            else:
                intake.delay_ms = mock.delay_ms
        if session is not None and (session.global_delay_ms or session.global_delay_max_ms):
            if session.global_delay_max_ms > session.global_delay_ms:
                self._draw_session_delay(intake, session)
                return False
            intake.delay_ms += session.global_delay_ms
        return lasts

    def _plan(self, intake: Intake, mock: Mock, answer: Answerer, now_ms: int) -> Plan:
        claimed_as, session, seed = intake.occurrence, intake.session, self._seed(intake)
        if answer.counts:
            intake.occurrence = self._use_by_session(intake, mock)
        # By position (the order is that of `Scene`), which takes half the time.
        scene = Scene(
            intake,
            intake.path_parameters(mock),
            intake.environment.id,
            "" if session is None else session.key,
            "" if session is None else session.state_id,
            mock.chain,
            mock.state_name,
            claimed_as,
            seed,
            now_ms,
            self._state,
        )
        # By its id alone: that of the session that may own it is another one in every run.
        plan = intake.plan = answer.plan(scene, Draws(seed, mock.id, intake.occurrence))
        intake.delay_ms = plan.delay_ms
        if plan.draws:
            intake.draws = _for_record(plan.draws)
        return plan

    def _draw_session_delay(self, intake: Intake, session: SessionRow) -> None:
        mock = intake.mock
        if mock is None or mock.answer is None or not mock.answer.counts:
            # Else that was counted for the plan.
            intake.occurrence = self._use_by_session(intake, mock)
        name = mock.id if mock else _UPSTREAM
        draws = Draws(self._seed(intake), _DELAY_STREAM + name, intake.occurrence)
        drawn = session_delay_ms(session.global_delay_ms, session.global_delay_max_ms, draws.random)
        draws.note("session_delay_ms", drawn)
        intake.delay_ms += drawn
        intake.draws += tuple(draws.noted)

    def _use_by_session(self, intake: Intake, mock: Mock | None) -> int:
        """Which use of the mock, or of the service, this is for the session: counted now, unless the claim did so."""
        usage = mock.usage if mock else None
        if usage is not None and usage.is_claimed and usage.uses_per is Scope.SESSION:
            return intake.occurrence
        owner = Owner(intake.environment.id, Scope.SESSION, intake.session_state)
        return self._state.claim(Claim(mock.state_name if mock else _UPSTREAM, owner)) or 0

    def _seed(self, intake: Intake) -> str:
        session = intake.session
        if session is None:
            return seed_text(None, "", intake.environment.id)
        return seed_text(session.seed, session.key, intake.environment.id)


def _is_small(plan: Plan) -> bool:
    """Whether an answer is small enough to be kept, in case that its request comes again."""
    return isinstance(plan.answer, Prepared) and len(plan.answer.body) <= _KEPT_BYTES_MAX


def _for_record(draws: tuple[Draw, ...]) -> tuple[Draw, ...]:
    """What is kept of draws: bounded, and text that messages can hold."""
    return tuple(
        [
            Draw(name, value[:_DRAWN_CHARACTERS_MAX].encode("utf-8", "replace").decode())
            for name, value in draws[:_DRAWS_MAX]
        ]
    )
