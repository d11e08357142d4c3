"""A line to a server that is played: what it answers is a list, and it notes what it was asked."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from understudy_server.cli.failures import CommandFailed

Stream = Sequence[Any]
"""The answers of one stream; a failure at its end is what it breaks off with, and without one it ends by itself."""


class PlayedLine:
    """Answers calls and streams in the order in which they are given; Ctrl-C comes when there is nothing more."""

    def __init__(self, *, calls: Sequence[Any] = (), streams: Sequence[Stream | CommandFailed] = ()) -> None:
        self._calls = list(calls)
        self._streams = list(streams)
        self.asked: list[Any] = []
        self.streamed: list[Any] = []
        self.hung_up = 0
        self.open_streams = 0

    async def __aenter__(self) -> "PlayedLine":
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    def to_a_running_server(self) -> "PlayedLine":
        return self

    async def hang_up(self) -> None:
        self.hung_up += 1

    async def call(self, request: Any, _answer: object, _timeout: object) -> Any:
        self.asked.append(request)
        return _given(self._calls)

    async def stream(self, request: Any, _answer: object, _timeout: object) -> AsyncGenerator[Any]:
        kept = type(request)()
        kept.CopyFrom(request)
        self.streamed.append(kept)
        self.open_streams += 1
        try:
            for each in _given(self._streams):
                if isinstance(each, CommandFailed):
                    raise each
                yield each
        finally:
            self.open_streams -= 1


def _given(answers: list[Any]) -> Any:
    if not answers:
        raise asyncio.CancelledError
    answer = answers.pop(0)
    if isinstance(answer, CommandFailed):
        raise answer
    return answer
