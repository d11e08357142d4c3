"""What the gateway hands its calls to: the dispatcher of this process, or a channel to a server elsewhere."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Protocol

from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

Decode = Callable[[], tuple[Message, Status | None]]
"""Reads the request. The message holds what could be read; the status, if any, refuses the rest.

Called inside the chain of checks, after authentication, so that a parse error is raised at its place in the order:
the place named by the readable part is checked first.
"""


class Backend(Protocol):
    """Answers with the response message, or with the status of an error. Never raises for a failed call."""

    async def unary(self, method: str, metadata: Mapping[str, str], decode: Decode) -> Message | Status:
        """Call ``method`` (``/understudy.v1.SessionService/GetSession``). Metadata keys are lower case."""

    def stream(self, method: str, metadata: Mapping[str, str], decode: Decode) -> AsyncIterator[Message | Status]:
        """Call a server-streaming method. A status, if it comes, is the last item."""
