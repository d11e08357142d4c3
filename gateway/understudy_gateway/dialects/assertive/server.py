"""The server behind the dialect: calls of its RPCs, all about one environment."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, TypeVar

from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from understudy import status
from understudy.status import Problem

from understudy_gateway.backend import Backend
from understudy_gateway.dialects import calling

_Answer = TypeVar("_Answer", bound=Message)


class Refused(Exception):
    """The server refuses a call. ``problem`` says why; it has a stable code, or is of the way to the server."""

    def __init__(self, refusal: Status) -> None:
        self.problem: Problem = status.read(refusal)
        super().__init__(self.problem.summary)

    @property
    def reason(self) -> str:
        """The stable code; empty when the server could not be reached."""
        return self.problem.reason


@dataclass(frozen=True, slots=True)
class Server:
    """Calls a backend that trusts its caller, about one environment."""

    backend: Backend
    project: str
    environment: str

    async def call(self, method: str, request: Message, answer: type[_Answer]) -> _Answer:
        """Call ``Service.Rpc``. The place is put into the request. Raises Refused."""
        return await self.call_as_it_is(method, self._placed(request), answer)

    async def call_as_it_is(self, method: str, request: Message, answer: type[_Answer]) -> _Answer:
        """Call ``Service.Rpc`` with a request that says what it is about. Raises Refused."""
        return await calling.call(self.backend, {}, method, request, answer, Refused)

    def stream(self, method: str, request: Message, answer: type[_Answer]) -> AsyncGenerator[_Answer, None]:
        """Call a streaming ``Service.Rpc``; to close it ends the call. Raises Refused, perhaps after some messages."""
        return calling.stream(self.backend, {}, method, self._placed(request), answer, Refused)

    def _placed(self, request: Any) -> Message:
        request.project, request.environment = self.project, self.environment
        message: Message = request
        return message
