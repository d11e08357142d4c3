"""The server behind the dialect: calls of its RPCs, all about one environment."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Any, TypeVar

from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from understudy import status
from understudy.status import Problem

from understudy_gateway import answers
from understudy_gateway.backend import Backend

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
        return _checked(await self.backend.unary(_name(method), {}, lambda: (self._placed(request), None)), answer)

    async def call_as_it_is(self, method: str, request: Message, answer: type[_Answer]) -> _Answer:
        """Call ``Service.Rpc`` with a request that says what it is about. Raises Refused."""
        return _checked(await self.backend.unary(_name(method), {}, lambda: (request, None)), answer)

    async def stream(self, method: str, request: Message, answer: type[_Answer]) -> AsyncGenerator[_Answer, None]:
        """Call a streaming ``Service.Rpc``; to close it ends the call. Raises Refused, perhaps after some messages."""
        items = self.backend.stream(_name(method), {}, lambda: (self._placed(request), None))
        try:
            async for each in items:
                yield _checked(each, answer)
        finally:
            close = getattr(items, "aclose", None)
            if close is not None:
                await close()

    def _placed(self, request: Any) -> Message:
        request.project, request.environment = self.project, self.environment
        message: Message = request
        return message


def _name(method: str) -> str:
    return "/understudy.v1." + method.replace(".", "/")


def _checked(answered: Message | Status, answer: type[_Answer]) -> _Answer:
    if isinstance(answered, answer):
        return answered
    if isinstance(answered, Status):
        raise Refused(answers.presentable(answered))
    raise TypeError(f"{answer.DESCRIPTOR.full_name} was awaited")
