"""The state of a turn in which it takes long to tell what answers."""

import asyncio
from typing import TYPE_CHECKING

from understudy_server.core.matching.request import Body
from understudy_server.proxy.intake import Intake
from understudy_server.proxy.judging import Unfinished
from understudy_server.proxy.messages import ClientRequest, Refused
from understudy_server.proxy.turn import Client, Turn, guarded

if TYPE_CHECKING:
    from understudy_server.proxy.service import Service


class Considering(Turn):
    """Does a part of the work in each turn of the event loop, with whatever others have to do in between.

    ``unfinished`` is what was found until now; ``judged`` as of a `Timing`. Once the parts are done, the request is
    judged again: by the state of then, and if that takes long again it goes on from what was found meanwhile.
    """

    __slots__ = ("_begun", "_body", "_handle", "_judged", "_request", "_service", "_unfinished", "client")

    def __init__(
        self,
        service: "Service",
        client: Client,
        request: ClientRequest,
        body: Body,
        unfinished: Intake,
        begun: int,
        judged: int,
    ) -> None:
        self._service = service
        self.client = client
        self._request = request
        self._body = body
        self._unfinished = unfinished
        self._begun = begun
        self._judged = judged
        self._handle: asyncio.Handle | None = None

    def start(self) -> None:
        self._handle = self._service.loop.call_soon(self._go_on)

    @guarded
    def _go_on(self) -> None:
        # It knows this turn, and the two would hold each other, and the body, for a while.
        self._handle = None
        if not self._unfinished.go_on():
            self.start()
            return
        self._request.unfinished = Unfinished(self._unfinished, self._service.ticks() - self._judged)
        self.client.proceed(self._service.begin_again(self._request, self._body, self.client, self._begun))

    def spoiled(self, refused: Refused) -> None:
        self.drop()
        self.client.proceed(self._service.refuse_unjudged(self._request, refused, self._begun))

    def drop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def gone(self) -> None:
        self.drop()
        self._service.record_unjudged(self._request, self._begun)
