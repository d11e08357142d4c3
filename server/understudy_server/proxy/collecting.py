"""The state of a turn in which it takes the body to tell which mock answers."""

from typing import TYPE_CHECKING

from understudy_server.core.matching.request import OVERLONG
from understudy_server.proxy.held_bodies import BODY_NOT_HELD, NO_ROOM
from understudy_server.proxy.messages import BodyPart, ClientRequest, Refused
from understudy_server.proxy.turn import Client, Turn

if TYPE_CHECKING:
    from understudy_server.proxy.service import Service


class Collecting(Turn):
    """Gathers the body until it is whole, or longer than any criterion looks at; then the request is judged again.

    Where there is no room for it, it is refused: what answers is not known, and nobody else is to answer in its place.
    """

    __slots__ = ("_begun", "_client", "_held_bytes", "_pieces", "_request", "_service", "_size_bytes")

    takes_body = True

    def __init__(self, service: "Service", client: Client, request: ClientRequest, begun: int) -> None:
        self._service = service
        self._client = client
        self._request = request
        self._begun = begun
        self._pieces = [request.body]
        self._size_bytes = len(request.body)
        self._held_bytes = 0

    def start(self) -> None:
        if self._hold(self._size_bytes):
            self._client.invite()
        else:
            self._refuse(NO_ROOM, BODY_NOT_HELD)

    def body(self, part: BodyPart) -> None:
        self._pieces.append(part.data)
        self._size_bytes += len(part.data)
        is_overlong = self._size_bytes > self._service.settings.match_body_bytes_max
        if part.last or is_overlong:
            request = self._request
            self._gather()
            # Whatever answers now begins with what is here of the body; the rest follows in parts.
            body = OVERLONG if is_overlong else request.body
            # By the state of now: it may have taken a while.
            self._client.proceed(self._service.begin_again(request, body, self._client, self._begun))
        elif not self._hold(len(part.data)):
            self._refuse(NO_ROOM, BODY_NOT_HELD)

    def spoiled(self, refused: Refused) -> None:
        self._refuse(refused)

    def drop(self) -> None:
        self._gather()

    def gone(self) -> None:
        self._gather()
        self._service.record_unjudged(self._request, self._begun)

    def _hold(self, size_bytes: int) -> bool:
        if not self._service.held_bodies.take(size_bytes):
            return False
        self._held_bytes += size_bytes
        return True

    def _refuse(self, refused: Refused, *findings: str) -> None:
        self._gather()
        answer = self._service.refuse_unjudged(self._request, refused, self._begun, findings)
        # Its connection has the request in hand until the client has read the answer, which may take a while.
        self._request.body = b""
        self._client.proceed(answer)

    def _gather(self) -> None:
        """Put together what came. From here on nothing is waited for."""
        self._request.body = b"".join(self._pieces)
        self._service.held_bodies.give_back(self._held_bytes)
        self._held_bytes = 0
