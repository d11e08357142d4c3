"""What becomes of a request: decided here from values, carried out elsewhere."""

import math
from collections.abc import Callable
from typing import Final, NamedTuple, cast

from understudy_server.core import cors
from understudy_server.core.carriers import FoundKey, find_key, headers_read
from understudy_server.core.matching.mock import LAYER_NAMES, Layer, Mock
from understudy_server.core.matching.request import OVERLONG, Body
from understudy_server.core.matching.work import TurnOver
from understudy_server.core.precedence import Layers, claimed, winner
from understudy_server.core.profiles import Profile
from understudy_server.core.state import State
from understudy_server.live.environment import LiveEnvironment
from understudy_server.live.seats import Seat
from understudy_server.live.view import LiveView
from understudy_server.proxy.addressing import Addressed, address
from understudy_server.proxy.alike import Alike
from understudy_server.proxy.assertive import refused_unseen, unread
from understudy_server.proxy.heads import Heads
from understudy_server.proxy.intake import Intake, Own
from understudy_server.proxy.messages import ClientRequest, Refused, body_too_large
from understudy_server.proxy.named_sessions import find_named
from understudy_server.proxy.planning import Planner
from understudy_server.proxy.settings import ProxySettings
from understudy_server.proxy.strictness import refused_for_its_key

_NO_ENVIRONMENT = Refused(
    404, "not_found", "There is no such project and environment here: /<project>/<environment>/..."
)


_SESSION: Final = Layer.SESSION
"""What `Intake.layer` says of itself: most mocks that answer are on for the session."""


class Decided(NamedTuple):
    """A decision that holds for all requests alike while the view stands at ``version``, until ``until_ms``.

    Then a session expires. Which mock answers never was by chance, nor did time or state have a part in it. So it is
    with the answer where it is ``settled``; else it has to be planned anew, for a copy of the intake.
    """

    version: int
    until_ms: float
    intake: Intake
    settled: bool


class Unfinished(NamedTuple):
    """What was found of a request in the turns before, and how many nanoseconds were spent on that."""

    intake: Intake
    spent: int


class Survey(NamedTuple):
    """A request that has found its environment, and what there is to decide on.

    With ``intake.own`` nothing is left to decide. ``fits`` narrows the choice; ``None``: all that is on may answer.
    """

    intake: Intake
    live: LiveEnvironment
    layers: Layers
    fits: Callable[[Mock], bool] | None


class Judge:
    """Decides by what the view holds now: the caller has brought it up to date. ``bound`` as for `address`."""

    __slots__ = ("_bound", "_match_body_bytes_max", "_prepare", "_session_header", "_state", "view")

    def __init__(
        self, view: LiveView, state: State, settings: ProxySettings, bound: tuple[str, str] | None = None
    ) -> None:
        self.view = view
        self._state = state
        self._prepare = Planner(state).prepare
        self._session_header = settings.session_header.lower().encode()
        self._match_body_bytes_max = settings.match_body_bytes_max
        self._bound = bound

    def unread(self, refused: Refused) -> Refused:
        """What is said of bytes that were not read as a request."""
        return unread(refused, self.view.live(*self._bound) if self._bound else None)

    def seat(self, alike: Alike, request: ClientRequest, now_ms: int) -> Seat | None:
        """What the session key of a request alike comes to, which carries one of its own: with the same layers of the
        view they are decided alike. ``None``: not here.
        """
        if alike.version != self.view.version:
            addressed = address(self.view, request, self._bound)
            alike.version, alike.live = self.view.version, None if addressed is None else addressed[0]
        if alike.live is None:
            return None
        seat = alike.live.seat(request.session_values[0], now_ms)
        return seat if seat.shares else None

    def decide(
        self,
        request: ClientRequest,
        body: Body,
        now_ms: int,
        alike: Alike | None = None,
        seat: Seat | None = None,
    ) -> Intake | Refused:
        """Find environment and session, then the mock that wins, which is claimed, and have its answer planned.

        What is decided about all that are ``alike`` is left there. They differ in their session keys, too, where there
        is a ``seat`` (see `seat`). Without such an environment: a refusal (404). The profile of one may have it that a
        request is none of its own: a refusal, too. Raises BodyWanted when ``body`` is ``None`` (not here yet) and it
        takes the body to tell, or to answer: then nothing has been claimed. Nor has it when TurnOver is raised, with
        what was found until now: for a request with a body that takes long. Raises StorageFailure when it takes state,
        and that cannot be reached.
        """
        addressed = address(self.view, request, self._bound)
        if addressed is None:
            return _NO_ENVIRONMENT
        live = addressed[0]
        if live.row.profile is Profile.ASSERTIVE:
            refused = refused_unseen(request, live, now_ms)
            if refused is not None:
                return refused
        intake = self._take_in(request, body, addressed, now_ms)
        if request.has_body:
            _go_in_turns(intake)
        try:
            lasts = self._choose(intake, live, now_ms)
        except TurnOver as over:
            over.unfinished = intake
            raise
        if request.has_body:
            # From here on it is done in one go. What criteria alone need of a body knows its request: it goes at once.
            intake.in_turns, intake.body_value = False, None
        if intake.own is None:
            if alike is None:
                self._prepare(intake, now_ms)
                return intake
            if request.alike is not None:
                request.alike.is_judged = True
            lasts = lasts and _holds_for_all(intake)
            if intake.findings and live.by_header_name:
                # What it disagrees with may be a session that expires.
                lasts = False
            settled = self._prepare(intake, now_ms) and not _is_looked_at(intake)
            lasts = lasts and alike.is_met
            alike.leave(self._decided(intake, seat, settled=settled) if lasts else None)
        return intake

    def _choose(self, intake: Intake, live: LiveEnvironment, now_ms: int) -> bool:
        """Find the mock that answers, or the proxy's own answer. False: next time it may be another one."""
        request = intake.request
        if request.has_body and (refused := self._limit_body(intake)):
            intake.own = Own(refused.status, (), refused)
        elif request.origin and _is_preflight(intake):
            return self._decide_preflight(intake, live, now_ms)
        elif refused := self._refused(intake):
            intake.own = Own(refused.status, (), refused)
        else:
            layers = live.layers(intake.session)
            if not layers.is_plain:
                return self._claim(intake, layers, now_ms)
            found = winner(layers, intake)
            if found is not None:
                intake.mock = found.mock
                if found.layer is not _SESSION:
                    intake.layer = LAYER_NAMES[found.layer]
        return True

    def decide_again(self, decided: Decided, request: ClientRequest, now_ms: int, seat: Seat | None = None) -> Intake:
        """As `decide`, for a request that comes again, or one alike, while the decision about it holds.

        Raises StorageFailure as that does.
        """
        known = decided.intake
        if decided.settled and known.request is request:
            return known
        intake = known.again(request)
        if seat is not None:
            intake.session, whose = seat.session, seat.whose
            intake.session_key, intake.session_id = whose.session_key, whose.session_id
        if decided.settled:
            intake.plan, intake.delay_ms = known.plan, known.delay_ms
        else:
            self._prepare(intake, now_ms)
        return intake

    def place(self, request: ClientRequest, now_ms: int) -> Intake | Refused:
        """Find environment and session alone, of a request that will not be answered by any mock."""
        addressed = address(self.view, request, self._bound)
        return _NO_ENVIRONMENT if addressed is None else self._take_in(request, OVERLONG, addressed, now_ms)

    def survey(
        self, request: ClientRequest, body: Body, now_ms: int, known_key: FoundKey | None = None
    ) -> Survey | Refused:
        """Find what `decide` would choose from, for whoever explains: nothing is chosen, claimed, or counted.

        ``known_key`` is the session key where it is not to be looked for. Without such an environment: a refusal (404).
        """
        addressed = address(self.view, request, self._bound)
        if addressed is None:
            return _NO_ENVIRONMENT
        live = addressed[0]
        intake = self._take_in(request, body, addressed, now_ms)
        if known_key is not None:
            intake.session_key, intake.findings = known_key
            session = intake.session = live.session_of(known_key.key, now_ms) if known_key.key else None
            intake.session_id = "" if session is None else session.id
        fits = None
        if live.row.profile is Profile.ASSERTIVE and (unseen := refused_unseen(request, live, now_ms)):
            intake.own = Own(unseen.status, (), unseen)
        elif request.has_body and (refused := self._limit_body(intake)):
            intake.own = Own(refused.status, (), refused)
        elif request.origin and _is_preflight(intake):
            fits = _is_for_options
        elif refused := self._refused(intake):
            intake.own = Own(refused.status, (), refused)
        return Survey(intake, live, live.layers(intake.session), fits)

    def _take_in(self, request: ClientRequest, body: Body, addressed: Addressed, now_ms: int) -> Intake:
        live, rest, custom_host = addressed
        row = live.row
        intake = Intake(request, row, rest, body)
        intake.state = self._state
        if custom_host:
            intake.custom_host = custom_host
        values = request.session_values
        if row.carriers or len(values) > 1:
            intake.session_key, intake.findings = find_key(values, row.carriers, request.headers, intake.query)
            session = live.session(intake.session_key, now_ms) if intake.session_key else None
        elif values:
            seat = live.seat(values[0], now_ms)
            intake.session_key, session = seat.whose.session_key, seat.session
        else:
            session = None
        if session is not None:
            intake.session_id = session.id
            intake.session = session
        if live.by_header_name:
            find_named(intake, live, now_ms)
        return intake

    def _refused(self, intake: Intake) -> Refused | None:
        if intake.environment.strict or intake.findings:
            return refused_for_its_key(intake, self._session_header.decode())
        return None

    def _limit_body(self, intake: Intake) -> Refused | None:
        """Refuse a body that is known to be too long for the environment, and keep one too long to match from mocks.

        Else say how long it may be, for whoever sees the rest of it.
        """
        request, bytes_max = intake.request, intake.environment.request_body_bytes_max
        bytes_known = max(len(request.body), request.length or 0)
        if bytes_known > self._match_body_bytes_max:
            intake.body = OVERLONG
        if bytes_max is None:
            return None
        request.body_bytes_max, request.body_bytes = bytes_max, len(request.body)
        return body_too_large(bytes_max) if bytes_known > bytes_max else None

    def _decide_preflight(self, intake: Intake, live: LiveEnvironment, now_ms: int) -> bool:
        """A browser asks whether it may send another request: a mock for OPTIONS answers, or else the proxy says yes.

        A mock for any method is not asked: it is for the request that follows, which a browser would then not send.
        """
        lasts = self._claim(intake, live.layers(intake.session), now_ms, preflights_only=True)
        if intake.mock is None and intake.environment.answers_preflights:
            intake.own = Own(204, cors.preflight_headers(intake.request.headers, self._session_header))
        return lasts

    def _claim(self, intake: Intake, layers: Layers, now_ms: int, *, preflights_only: bool = False) -> bool:
        """Find the mock that answers and has room for one more use. False: next time it may be another one."""

        def claim(mock: Mock) -> int | None:
            # One that asks for nothing cannot be lost.
            usage = mock.usage
            if usage is None:
                return 0
            return self._state.claim(usage.claim(intake.environment.id, intake.session_state, mock.state_name))

        found = claimed(layers, intake, claim, now_ms, _is_for_options if preflights_only else None)
        intake.mock, intake.occurrence, intake.layer = found.mock, found.occurrence, LAYER_NAMES[found.layer]
        return found.lasts

    def _decided(self, intake: Intake, seat: Seat | None, *, settled: bool) -> Decided:
        # How long a seat is good for it says itself.
        session = intake.session if seat is None else None
        if intake.mock is None and b"content-length" not in intake.request.differs:
            intake.heads = Heads()
        until_ms = math.inf if session is None or session.expires_at_ms is None else session.expires_at_ms
        return Decided(self.view.version, until_ms, intake, settled)


def _holds_for_all(intake: Intake) -> bool:
    """Whether a decision holds for all requests alike: it follows from nothing in which they may differ."""
    request, environment = intake.request, intake.environment
    differs = request.differs
    if _is_looked_at(intake) or (request.has_body and environment.request_body_bytes_max is not None):
        return False
    if not differs:
        return True
    if request.origin and request.method == "OPTIONS":
        # What is a preflight says a header.
        return False
    return not environment.carriers or headers_read(environment.carriers).isdisjoint(differs)


def _is_looked_at(intake: Intake) -> bool:
    """Whether anybody has looked at what may differ in requests alike, until now."""
    request = intake.request
    return (request.has_body and intake.asks_body) or bool(request.differs and intake.looked_at(request.differs))


def _go_in_turns(intake: Intake) -> None:
    """Have it judged in turns of the event loop, after those that it has had."""
    request = intake.request
    before, request.unfinished = cast("Unfinished | None", request.unfinished), None
    if before is not None:
        intake.take_over(before.intake)
    intake.in_turns = True


def _is_preflight(intake: Intake) -> bool:
    # To Assertive it is a request like any other.
    if intake.environment.profile is Profile.ASSERTIVE:
        return False
    return cors.is_preflight(intake.request.method, intake.request.headers)


def _is_for_options(mock: Mock) -> bool:
    return mock.matcher.method == "OPTIONS"
