"""The state of a turn in which a mock's answer stands, and waits for the end of the request or of a delay."""

from typing import TYPE_CHECKING

from understudy_server.core.headers import content_of
from understudy_server.proxy.delay import Delay
from understudy_server.proxy.held_bodies import BODY_NOT_HELD
from understudy_server.proxy.intake import Intake
from understudy_server.proxy.messages import BodyPart, Refused
from understudy_server.proxy.timing import Phase, Timing
from understudy_server.proxy.turn import Client, Turn, guarded

if TYPE_CHECKING:
    from understudy_server.proxy.service import Service

CLIENT_HALF_CLOSED = "client_half_closed"
"""The finding that the client had ended its side before it was answered: it may have gone without reading."""


class Held(Turn):
    """Answers by a mock once the request is whole, so that all of it is on record, and its time has come."""

    __slots__ = ("_capture", "_findings", "_intake", "_service", "_timer", "_timing", "client")

    takes_body = True

    def __init__(self, service: "Service", client: Client, intake: Intake, timing: Timing) -> None:
        self._service = service
        self.client = client
        self._intake = intake
        self._timing = timing
        request = intake.request
        self._capture = service.clerk.begin_capture(
            content_of(request.headers), intake.environment, request.body, service.held_bodies
        )
        self._findings: tuple[str, ...] = ()
        self._timer: Delay | None = None

    def start(self) -> None:
        self.client.invite()
        if self._intake.request.complete:
            self._wait()

    def body(self, part: BodyPart) -> None:
        self._capture.add(part.data)
        if part.last:
            self._wait()

    def _wait(self) -> None:
        if self._intake.delay_ms and not self._findings:
            self._timing.enter(Phase.DELAY)
            self._timer = Delay(self._service.loop, self._service.ticks, self._intake.delay_ms, self._answer)
        else:
            self._answer()

    @guarded
    def _answer(self) -> None:
        self._timer = None
        body = self._capture.captured()
        self._timing.enter(Phase.OTHER)
        self.client.proceed(self._service.answer(self.client, self._intake, self._timing, body, self._found()))

    def _found(self) -> tuple[str, ...]:
        """What was odd about the request."""
        return (*self._findings, BODY_NOT_HELD) if self._capture.lacks_room else self._findings

    def _stop(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def drop(self) -> None:
        self._stop()
        self._capture.let_go()

    def spoiled(self, refused: Refused) -> None:
        self._stop()
        intake = self._intake
        body = self._capture.captured()
        self.client.proceed(self._service.refuse_on_record(intake, self._timing, refused, body, self._found()))

    def half_closed(self) -> None:
        """Nobody is kept waiting on purpose who may have gone."""
        self._findings = (CLIENT_HALF_CLOSED,)
        if self._timer:
            self._stop()
            self._answer()

    def gone(self) -> None:
        self._stop()
        intake = self._intake
        body = self._capture.captured()
        self._service.record_gone(intake, self._timing, body, intake.mock.id if intake.mock else "", self._found())
