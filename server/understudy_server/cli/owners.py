"""The dispatcher as a backend of the doors that make calls of the server's own."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from understudy_gateway.backend import Decode

from understudy_server.rpc.dispatcher import Dispatcher


@dataclass(frozen=True, slots=True)
class Owners:
    """The dispatcher, for calls of the server's own: they need no key."""

    dispatcher: Dispatcher

    async def unary(self, method: str, metadata: Mapping[str, str], decode: Decode) -> Message | Status:
        """Call a method with one answer."""
        return await self.dispatcher.unary(method, metadata, decode, owner=True)

    def stream(self, method: str, metadata: Mapping[str, str], decode: Decode) -> AsyncIterator[Message | Status]:
        """Call a method with many answers."""
        return self.dispatcher.stream(method, metadata, decode, owner=True)
