"""How a request that goes on to an upstream tells it of the trace that it is a part of, when requests are traced."""

from collections.abc import Sequence
from copy import copy
from typing import Any, Protocol

from understudy_server.core.exchange import RawHeaders
from understudy_server.proxy.intake import Intake
from understudy_server.proxy.messages import Header
from understudy_server.proxy.recording import Clerk


class Trace(Protocol):
    """The trace of one request."""

    @property
    def headers(self) -> Sequence[Header]:
        """What the upstream is told."""

    @property
    def replaced(self) -> frozenset[bytes]:
        """The names, in lower case, under which the client may have said something of its trace: it goes no further."""


class Traces(Protocol):
    """Whoever traces requests."""

    def begin(self, headers: RawHeaders) -> Trace:
        """A request with these headers goes on to an upstream."""

    def record_next(self, begun: object) -> None:
        """The exchange that is recorded next is of this trace; ``None``: of a request that did not go on."""


class TracedClerk(Clerk):
    """Tells of which trace an exchange is."""

    __slots__ = ("_traces",)

    def __init__(self, traces: Traces, *known: Any) -> None:
        super().__init__(*known)
        self._traces = traces

    def append(self, intake: Intake, *known: Any, **named: Any) -> None:
        self._traces.record_next(intake.trace)
        super().append(intake, *known, **named)

    def append_again(self, *known: Any) -> None:
        self._traces.record_next(None)
        super().append_again(*known)


def traced(intake: Intake, traces: Traces) -> Intake:
    """The intake of one request, which shares it with no other, with its trace."""
    own = copy(intake)
    own.trace = traces.begin(intake.request.headers)
    return own
