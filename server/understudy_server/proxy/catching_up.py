"""The first state of a turn when the view is behind the store: nothing is judged by old state."""

from typing import TYPE_CHECKING

from understudy_server.core.errors import StorageFailure
from understudy_server.core.matching.request import Body
from understudy_server.proxy.messages import ClientRequest, Refused
from understudy_server.proxy.turn import Client, Turn

if TYPE_CHECKING:
    from understudy_server.proxy.service import Service


class CatchingUp(Turn):
    """Waits for the read barrier, then has the request judged."""

    __slots__ = ("_begun", "_body", "_client", "_request", "_service", "_task")

    def __init__(self, service: "Service", client: Client, request: ClientRequest, body: Body, begun: int) -> None:
        self._service = service
        self._client = client
        self._request = request
        self._body = body
        self._begun = begun

    def start(self) -> None:
        self._task = self._service.loop.create_task(self._catch_up())

    async def _catch_up(self) -> None:
        service, request = self._service, self._request
        outcome: bytes | Turn
        try:
            await service.view.catch_up()
            outcome = service.judge(request, self._body, self._client, self._begun, service.ticks())
        except StorageFailure:
            # Fail closed: an answer by old state would break the promise that what was acknowledged is in force.
            outcome = service.refuse_unavailable(request, self._begun)
        except Exception:  # noqa: BLE001 - logged by the connection
            self._client.fault()
            return
        self._client.proceed(outcome)

    def spoiled(self, refused: Refused) -> None:
        self._task.cancel()
        self._client.proceed(self._service.refuse_unjudged(self._request, refused, self._begun))

    def drop(self) -> None:
        self._task.cancel()

    def gone(self) -> None:
        self._task.cancel()
        self._service.record_unjudged(self._request, self._begun)
