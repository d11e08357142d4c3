"""The state of a turn in which an answer is spoiled on purpose, and the connection ends."""

from understudy_server.core.headers import content_of
from understudy_server.core.record import ExchangeOutcome
from understudy_server.proxy.faults import FAULT_INJECTED, Spoilt
from understudy_server.proxy.recording import Pending
from understudy_server.proxy.turn import Client, Turn


class Spoiled(Turn):
    """Sends what is left of an answer, all at once. What the client sent behind its request is not answered."""

    __slots__ = ("_client", "_pending", "_spoilt")

    def __init__(self, client: Client, pending: Pending, spoilt: Spoilt) -> None:
        self._client = client
        self._pending = pending
        self._spoilt = spoilt

    def start(self) -> None:
        spoilt, pending = self._spoilt, self._pending
        kept = pending.clerk.capture(spoilt.body, content_of(spoilt.stored), pending.intake.environment)
        pending.record(ExchangeOutcome.FAULT_INJECTED, spoilt.status, spoilt.stored, kept, FAULT_INJECTED)
        end(self._client, spoilt)


def end(client: Client, spoilt: Spoilt) -> None:
    """Send what is left, and end the connection."""
    if spoilt.hard:
        if spoilt.data:
            client.write(spoilt.data)
        client.cut(hard=True)
    elif spoilt.data:
        client.conclude(spoilt.data, keep_alive=False)
    else:
        client.finish_answer(keep_alive=False)
