"""The state of a turn in which a mock waits before it has the request passed on, as those of Assertive do."""

from copy import copy
from typing import TYPE_CHECKING

from understudy_server.core.responding.plan import Forward, Plan
from understudy_server.proxy.delay import Delay
from understudy_server.proxy.forwarded import Forwarded
from understudy_server.proxy.intake import Intake
from understudy_server.proxy.messages import Refused
from understudy_server.proxy.timing import Phase, Timing
from understudy_server.proxy.turn import Client, Turn, guarded

if TYPE_CHECKING:
    from understudy_server.proxy.service import Service


class Deferred(Turn):
    """Passes the request on when its time has come. What follows of the body waits with the client until then."""

    __slots__ = ("_forward", "_intake", "_plan", "_service", "_timer", "_timing", "client")

    def __init__(
        self, service: "Service", client: Client, intake: Intake, timing: Timing, plan: Plan, forward: Forward
    ) -> None:
        self._service = service
        self.client = client
        self._intake = intake
        self._timing = timing
        self._plan = plan
        self._forward = forward
        self._timer: Delay | None = None

    def start(self) -> None:
        self._timing.enter(Phase.DELAY)
        self._timer = Delay(self._service.loop, self._service.ticks, self._intake.delay_ms, self._go_on)

    @guarded
    def _go_on(self) -> None:
        self._stop()
        self._timing.enter(Phase.OTHER)
        # The answer is not delayed once more.
        intake = copy(self._intake)
        intake.delay_ms = 0
        self.client.proceed(Forwarded(self._service, self.client, intake, self._timing, self._plan, self._forward))

    def _stop(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def half_closed(self) -> None:
        """Nobody is kept waiting on purpose who may have gone."""
        self._go_on()

    def drop(self) -> None:
        self._stop()

    def spoiled(self, refused: Refused) -> None:
        self._stop()
        body = self._service.clerk.body_of(self._intake)
        self.client.proceed(self._service.refuse_on_record(self._intake, self._timing, refused, body))

    def gone(self) -> None:
        self._stop()
        intake = self._intake
        body = self._service.clerk.body_of(intake)
        self._service.record_gone(intake, self._timing, body, intake.mock.id if intake.mock else "")
