"""Requests at a mock's own address that are for the control plane: they go there, and nothing of them is kept.

Some products have both at one address. Which requests those are is said by whoever starts the listener; here they are
forwarded, as any request that no mock answers, to a gateway that knows by a proof that they came this way. They are no
traffic of the app under test: they find no environment, go on no record, and no metric counts them.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from understudy_server.core.exchange import Captured
from understudy_server.core.record import ExchangeOutcome
from understudy_server.live.source import EnvironmentRow
from understudy_server.proxy.addressing import split_absolute
from understudy_server.proxy.forwarding import HeaderChanges, request_head
from understudy_server.proxy.intake import Intake
from understudy_server.proxy.messages import ClientRequest, Header, Refused
from understudy_server.proxy.pool import Pool
from understudy_server.proxy.relay import Relay
from understudy_server.proxy.service import Service
from understudy_server.proxy.settings import ProxySettings
from understudy_server.proxy.timing import Timing
from understudy_server.proxy.turn import Client, Turn
from understudy_server.proxy.watch import Watch

_USUAL: Final = ProxySettings()
_FIRST_BYTE_SECONDS: Final = 120
"""How long the control plane may take to begin its answer: what it is asked for may have to wait for the disk."""

# It takes the place of the environment that such a request does not belong to.
_CONTROL_PLANE: Final = EnvironmentRow("", "", "", "", "", (), captured_bytes_max=0)


@dataclass(frozen=True, slots=True)
class Handover:
    """Which requests of a listener go to the control plane, and how it knows them.

    ``takes(method, target)`` is asked with the target as it was received, in origin form, with its query. It is a
    function of these alone, quick, and never raises. ``upstream`` is the base URL of the gateway, whatever may be
    connected to otherwise. ``proof`` is a header line that is added; none of that name that a client sent gets through.
    Behind its value, after a space, stand the names of all headers that were received, in lower case and with commas
    between them: not all of these go on, and the gateway may have to know them.
    """

    takes: Callable[[str, str], bool]
    upstream: str
    proof: Header


def pool_to_gateway(settings: ProxySettings, watch: Watch) -> Pool:
    """Connections for what is handed over, apart from those to upstreams: no mock gets hold of one of these.

    ``settings`` count as far as they are about clients: what was set for upstreams is not meant for the control plane.
    """
    own = {each.name: getattr(_USUAL, each.name) for each in fields(ProxySettings) if each.name.startswith("upstream_")}
    return Pool(
        replace(settings, **own, connect_seconds=_USUAL.connect_seconds, first_byte_seconds=_FIRST_BYTE_SECONDS), watch
    )


class HandingOver(Service):
    """Answers the requests of a listener some of whose requests are for the control plane."""

    __slots__ = ("_begin", "_takes", "gateway", "handover")

    def __init__(self, handover: Handover, gateway: Pool, *known: Any, **named: Any) -> None:
        super().__init__(*known, **named)
        self.handover = handover
        self.gateway = gateway
        """Connections to it."""
        self._takes = handover.takes
        # Looked up once: most requests are begun so.
        self._begin = super().begin

    def begin(self, request: ClientRequest, client: Client) -> bytes | Turn:
        alike = request.alike
        # What was judged once is for mocks, and so are all requests alike: they have one method and one target.
        if alike is None or not alike.is_judged:
            target = request.target
            if not target.startswith("/"):
                target = split_absolute(target)[1]
            if self._takes(request.method, target):
                return HandedOver(self, client, request, target)
        return self._begin(request, client)


class HandedOver(Relay):
    """Passes one request to the gateway, and its answer back. Nothing is recorded, whatever becomes of it."""

    def __init__(self, service: HandingOver, client: Client, request: ClientRequest, target: str) -> None:
        self._gateway = service.gateway
        self._handover = service.handover
        self._service = service
        self.client = client
        self._intake = Intake(request, _CONTROL_PLANE, target, None)
        begun = service.ticks()
        self._timing = Timing(service.ticks, service.clock(), begun, begun)

    def _base_url(self) -> str:
        return self._handover.upstream

    def _pool(self) -> Pool:
        return self._gateway

    def _request_head(self, *, upgrade: bool) -> bytes:
        request, (name, proof) = self._intake.request, self._handover.proof
        received = b",".join(dict.fromkeys([each.lower() for each, _ in request.headers]))
        changes = HeaderChanges(((name, b"%b %b" % (proof, received)),), authority=request.host)
        return request_head(request, self._intake.rest, self._upstream, upgrade=upgrade, changes=changes)

    def _keep(self, data: bytes, *, last: bool) -> None:
        """Nothing of the answer is kept."""

    def _record(self, outcome: ExchangeOutcome, answer_body: Captured | None) -> None:
        """Nor is anything else."""

    def _refuse(self, refused: Refused, outcome: ExchangeOutcome) -> None:  # noqa: ARG002 - it goes on no record
        self._stop()
        self.client.proceed(self._service.refuse(self._intake.request, refused))

    def gone(self) -> None:
        self._stop()
