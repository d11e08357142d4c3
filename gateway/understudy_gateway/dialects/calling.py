"""Calls of the server's RPCs, as the dialects make them."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from functools import cache
from typing import NoReturn, TypeVar

from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from understudy_gateway import answers
from understudy_gateway.backend import Backend

_Answer = TypeVar("_Answer", bound=Message)
Refuse = Callable[[Status], Exception]
"""What a dialect raises for a call that the server refuses. The status is presentable."""


async def call(
    backend: Backend, metadata: Mapping[str, str], method: str, request: Message, answer: type[_Answer], refuse: Refuse
) -> _Answer:
    """Call ``Service.Rpc``. Raises what ``refuse`` makes."""
    answered = await backend.unary(_path_of(method), metadata, lambda: (request, None))
    return answered if isinstance(answered, answer) else _failed(answered, answer, refuse)


def items(
    backend: Backend, metadata: Mapping[str, str], method: str, request: Message
) -> AsyncIterator[Message | Status]:
    """Call a streaming ``Service.Rpc``. A status, if it comes, is the last item."""
    return backend.stream(_path_of(method), metadata, lambda: (request, None))


async def stream(
    backend: Backend, metadata: Mapping[str, str], method: str, request: Message, answer: type[_Answer], refuse: Refuse
) -> AsyncGenerator[_Answer, None]:
    """Call a streaming ``Service.Rpc``; to close it ends the call. Raises what ``refuse`` makes, perhaps late."""
    found = items(backend, metadata, method, request)
    try:
        async for each in found:
            yield each if isinstance(each, answer) else _failed(each, answer, refuse)
    finally:
        close = getattr(found, "aclose", None)
        if close is not None:
            await close()


# As many as there are RPCs.
@cache
def _path_of(method: str) -> str:
    return "/understudy.v1." + method.replace(".", "/")


def _failed(answered: Message | Status, answer: type[Message], refuse: Refuse) -> NoReturn:
    if isinstance(answered, Status):
        raise refuse(answers.presentable(answered))
    raise TypeError(f"{answer.DESCRIPTOR.full_name} was awaited")
