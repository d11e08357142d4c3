"""What becomes of a request: decided here from values, carried out elsewhere."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from understudy_server.core import cors
from understudy_server.core.carriers import CARRIERS_DISAGREE, find_key
from understudy_server.core.delays import Dice, session_delay_ms
from understudy_server.core.exchange import RawHeaders
from understudy_server.core.headers import text_of
from understudy_server.core.matching.mock import Mock
from understudy_server.core.matching.request import Body, Request
from understudy_server.core.precedence import Layers, winner
from understudy_server.core.session_key import normalise
from understudy_server.live.source import EnvironmentRow, SessionRow
from understudy_server.live.view import LiveView
from understudy_server.proxy.addressing import address
from understudy_server.proxy.messages import ClientRequest, Refused, body_too_large

_NO_ENVIRONMENT = Refused(
    404, "not_found", "There is no such project and environment here: /<project>/<environment>/..."
)
_NO_KEY = Refused(
    400,
    "session_required",
    "This environment takes no request without a session key. Send it in the session header, or as it is set up there.",
)
_DISAGREEMENT = Refused(400, "carriers_disagree", "This request carries two different session keys.")


@dataclass(frozen=True, slots=True)
class Own:
    """An answer of the proxy in the environment's name: to a preflight, or a refusal by its strictness or limits."""

    status: int
    headers: RawHeaders
    refused: Refused | None = None


class Intake(Request):
    """A request that has found its environment, and what becomes of it: the same for a request that comes again.

    What is rare stands in the class. ``path`` and ``query`` (empty without one) are of ``rest``, the target behind the
    proxy's own part.
    """

    custom_host: str = ""
    """The environment's own host name, if it was found by that."""

    session_key: str = ""
    """Normalised; empty when the request carried none."""

    session_id: str = ""
    """Empty when no session has the key."""

    session: SessionRow | None = None
    findings: tuple[str, ...] = ()
    mock: Mock | None = None
    """The mock that answers; without one, and without ``own``, the upstream does."""

    delay_ms: int = 0
    """How long the answer is held back."""

    own: Own | None = None
    """What the proxy itself answers."""

    upstream_head: bytes = b""
    """The head as it is written for the upstream, left here for a request that comes again by whoever writes it."""

    def __init__(self, request: ClientRequest, environment: EnvironmentRow, rest: str, body: Body) -> None:
        # All that the base class sets, without the call: this is done for every request.
        self.method = request.method
        if "?" in rest:
            self.path, _, self.query = rest.partition("?")
        else:
            self.path, self.query = rest, ""
        self.body = body
        self._segments = self._parameters = self._json = None
        self.request = request
        self.environment = environment
        self.rest = rest


class Decided(NamedTuple):
    """A decision that holds for the same request again while the view stands at ``version``, until ``until_ms``.

    Then a session expires. It is never one by chance.
    """

    version: int
    until_ms: float
    intake: Intake


class Judge:
    """Decides by what the view holds now: the caller has brought it up to date. ``bound`` as for `address`."""

    __slots__ = ("_bound", "_dice", "_session_header", "view")

    def __init__(self, view: LiveView, dice: Dice, session_header: bytes, bound: tuple[str, str] | None = None) -> None:
        self.view = view
        self._dice = dice
        self._session_header = session_header
        self._bound = bound

    def decide(self, request: ClientRequest, body: Body, now_ms: int) -> Intake | Refused:
        """Find environment and session, then the mock that wins. Without such an environment: a refusal (404).

        Raises BodyWanted when ``body`` is ``None`` (not here yet) and it takes the body to tell.
        """
        addressed = address(self.view, request, self._bound)
        if addressed is None:
            return _NO_ENVIRONMENT
        live, rest, custom_host = addressed
        row = live.row
        intake = Intake(request, row, rest, body)
        if custom_host:
            intake.custom_host = custom_host
        values = request.session_values
        if row.carriers or len(values) > 1:
            intake.session_key, intake.findings = find_key(values, row.carriers, request.headers, intake.query)
        elif values:
            intake.session_key = _read_key(values[0])
        session = live.session(intake.session_key, now_ms) if intake.session_key else None
        layers = live.layers(session)
        if request.has_body and (refused := _limit_body(request, row)):
            intake.own = Own(refused.status, (), refused)
        elif request.origin and cors.is_preflight(request.method, request.headers):
            self._decide_preflight(intake, layers)
        elif row.strict and (refused := _strictly(intake)):
            intake.own = Own(refused.status, (), refused)
        else:
            intake.mock = winner(layers, intake)
        if intake.own is None:
            intake.delay_ms = self._delay_ms(session, intake.mock)
        if session is not None:
            intake.session_id = session.id
            intake.session = session
        if request.repeats:
            self._remember(intake)
        return intake

    def _delay_ms(self, session: SessionRow | None, mock: Mock | None) -> int:
        own_ms = 0 if mock is None else mock.delay_ms
        if session is None or not (session.global_delay_ms or session.global_delay_max_ms):
            return own_ms
        return own_ms + session_delay_ms(session.global_delay_ms, session.global_delay_max_ms, self._dice)

    def _remember(self, intake: Intake) -> None:
        """Leave the decision with a request that will come again, if it holds whenever it does."""
        session = intake.session
        if intake.own is not None:
            return
        if session is not None and session.global_delay_max_ms > session.global_delay_ms:
            return
        until_ms = math.inf if session is None or session.expires_at_ms is None else session.expires_at_ms
        intake.request.decided = Decided(self.view.version, until_ms, intake)

    def _decide_preflight(self, intake: Intake, layers: Layers) -> None:
        """A browser asks whether it may send another request: a mock for OPTIONS answers, or else the proxy says yes.

        A mock for any method is not asked: it is for the request that follows, which a browser would then not send.
        """
        for mock in layers.matching(intake):
            if mock.matcher.method == "OPTIONS":
                intake.mock = mock
                return
        if intake.environment.answers_preflights:
            intake.own = Own(204, cors.preflight_headers(intake.request.headers, self._session_header))


@lru_cache(maxsize=4096)
def _read_key(raw: bytes) -> str:
    return normalise(text_of(raw))


def _limit_body(request: ClientRequest, row: EnvironmentRow) -> Refused | None:
    """Refuse a body that is known to be too long. Else say how long it may be, for whoever sees the rest of it."""
    bytes_max = row.request_body_bytes_max
    if bytes_max is None:
        return None
    request.body_bytes_max, request.body_bytes = bytes_max, len(request.body)
    return body_too_large(bytes_max) if max(request.body_bytes, request.length or 0) > bytes_max else None


def _strictly(intake: Intake) -> Refused | None:
    if not intake.session_key:
        return _NO_KEY
    return _DISAGREEMENT if CARRIERS_DISAGREE in intake.findings else None
