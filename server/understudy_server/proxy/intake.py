"""A request that has found its environment, and what was decided about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from understudy_server.core.draws import Draw
from understudy_server.core.exchange import RawHeaders
from understudy_server.core.matching.mock import LAYER_NAMES, Layer, Mock
from understudy_server.core.matching.paths import split, split_decoded
from understudy_server.core.matching.request import Body, Request
from understudy_server.core.profiles import Profile
from understudy_server.core.responding.plan import Plan
from understudy_server.core.state import Owner, Scope, State
from understudy_server.live.source import EnvironmentRow, SessionRow
from understudy_server.proxy.addressing import host_name, split_absolute
from understudy_server.proxy.heads import Heads
from understudy_server.proxy.messages import ClientRequest, Refused

_KEPT: Final = frozenset(
    {
        "_path_parameters",
        "custom_host",
        "environment",
        "findings",
        "heads",
        "layer",
        "mock",
        "rest",
        "scope",
        "session",
        "session_id",
        "session_key",
        "state",
    }
)
"""What was read of a request, and decided about it, without its answer."""

_new: Final = object.__new__


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

    layer: str = LAYER_NAMES[Layer.SESSION]
    """Where the mock is on, as it is called on record; says nothing without one."""

    trace: Any = None
    """The `tracing.Trace` of a request that goes on to an upstream, when requests are traced."""

    plan: Plan | None = None
    """What the mock's answer comes to, when that is more than a fixed response."""

    delay_ms: int = 0
    """How long the answer is held back."""

    own: Own | None = None
    """What the proxy itself answers."""

    draws: tuple[Draw, ...] = ()
    occurrence: int = 0
    """Which use of the mock it is, by which its draws go, or its uses are counted; 0 when nobody asked."""

    state: State
    """Where criteria and answers look for what is kept."""

    _path_parameters: Mapping[str, str] | None = None
    heads: Heads | None = None
    """Writes the heads for the upstream, where there are more requests alike."""

    _kept: dict[str, Any] | None = None
    """What is the same in all of those."""

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

    def again(self, request: ClientRequest) -> "Intake":
        """The same request come again, or one alike: what was read and decided stays, its answer is to be planned."""
        kept = self._kept
        if kept is None:
            kept = self._kept = {name: value for name, value in vars(self).items() if name in _KEPT}
        # Past the constructor: this is done for many requests.
        made = _new(Intake)
        made.__dict__ = kept.copy()
        made.request, made.method, made.path, made.query = request, self.method, self.path, self.query
        made._parameters, made._segments, made._json, made.body = self._parameters, self._segments, None, request.body
        return made

    def path_parameters(self, mock: Mock) -> Mapping[str, str]:
        """The parameters of the path as the mock that answers has it, decoded, by name."""
        if self._path_parameters is None:
            pattern = mock.matcher.path
            named = pattern is not None and pattern.names
            self._path_parameters = pattern.parameters_of(self.segments()) if pattern and named else {}
            if self.environment.profile is Profile.ASSERTIVE:
                self._path_parameters = {name: str(value) for name, value in self._path_parameters.items()}
        return self._path_parameters

    def segments(self) -> tuple[str, ...]:
        found = self._segments
        if found is None:
            if self.environment.profile is Profile.ASSERTIVE:
                found = split_decoded(self.decoded_path())
            else:
                found = split(self.path)
            self._segments = found
        return found

    @property
    def host(self) -> str:
        """The name that the request is for, in lower case and without a port."""
        request = self.request
        named = "" if request.target.startswith("/") else split_absolute(request.target)[0]
        name = host_name(named or request.host.decode("latin-1"))
        if self.environment.profile is Profile.ASSERTIVE and name.startswith("["):
            return name[1:].partition("]")[0]
        return name

    @property
    def headers(self) -> RawHeaders:
        """The header lines, as they were sent."""
        return self.request.headers

    @property
    def session_state(self) -> str:
        """What the session's state is found by, as `state.Owner` has it: requests without a session share one."""
        return "" if self.session is None else self.session.state_id

    def state_value(self, scope: Scope, key: str, chain: str = "") -> Any:
        """What is kept under a key, or ``state.ABSENT``. ``chain`` is that of the mock whose criterion asks."""
        names = {Scope.SESSION: self.session_state, Scope.CHAIN: chain}
        return self.state.value(Owner(self.environment.id, scope, names.get(scope, "")), key)
