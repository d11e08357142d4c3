"""One client connection: reads, keeps the order, writes. What is answered is decided elsewhere.

Requests are answered one after the other, in the order in which they came. While one is in hand the next ones wait in a
bounded queue; when that is full, nothing more is read.

A client that ends its side may still be reading (half-close), and cannot be told from one that has gone; so its
requests are finished, but nothing is delayed on purpose any more. When the connection is lost, the request in hand is
cancelled.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Coroutine
from typing import Any, cast

from understudy_server.proxy.messages import ClientRequest, ContinueWanted, Refused
from understudy_server.proxy.request_parser import Event, RequestParser
from understudy_server.proxy.service import Answer, Service
from understudy_server.proxy.settings import ProxySettings
from understudy_server.proxy.writing import CONTINUE

_logger = logging.getLogger(__name__)


class Connection(asyncio.Protocol):
    """Serves one client. ``connections`` holds all that are open; this one enters and leaves by itself."""

    def __init__(self, service: Service, settings: ProxySettings, connections: "set[Connection]") -> None:
        self._service = service
        self._settings = settings
        self._connections = connections
        self._parser = RequestParser(settings)
        self._waiting: deque[Event] = deque()
        self._task: asyncio.Task[Answer] | None = None
        self._loop = asyncio.get_running_loop()
        self._haste: asyncio.Future[None] = self._loop.create_future()
        self._linger: asyncio.TimerHandle | None = None
        self._reading = True
        self._writable = True
        self._ending = False
        """True when no further request is answered: the last answer is written or on its way."""
        self._gone = False
        self.lost: asyncio.Future[None] = self._loop.create_future()
        """Done when the connection is gone and nothing of it runs any more."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Take in what the client sent."""
        if self._ending:
            # A client that was refused may still be sending; it is read and dropped until it stops or its time is over.
            return
        try:
            self._waiting.extend(self._parser.feed(data))
        except Exception:
            _logger.exception("What a client sent could not be parsed")
            self._refuse(self._service.fault())
        self._work()

    def eof_received(self) -> bool:
        """The client has ended its side. Return True as long as there is something to write to it."""
        if not self._haste.done():
            self._haste.set_result(None)
        return self._task is not None or bool(self._waiting)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why it went makes no difference
        """The connection is gone: stop what runs for it."""
        self._gone = self._ending = True
        self._waiting.clear()
        self._connections.discard(self)
        if self._linger:
            self._linger.cancel()
        if self._task:
            self._task.cancel()
        else:
            self.lost.set_result(None)

    def pause_writing(self) -> None:
        """The client reads slower than it asks: answer nothing more until it has caught up."""
        self._writable = False

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._writable = True
        self._work()

    def finish(self) -> None:
        """Let the request in hand be the last; end at once when there is none."""
        self._waiting.clear()
        self._ending = True
        if self._task is None:
            self._transport.close()

    def abort(self) -> None:
        """End now, whatever runs."""
        self._transport.abort()

    def _work(self) -> None:
        while self._waiting and self._writable and self._task is None and not self._ending:
            match self._waiting.popleft():
                case ClientRequest() as request:
                    self._serve(request)
                case Refused() as refused:
                    self._refuse(self._service.refuse_stream(refused))
                case ContinueWanted() if not self._waiting:
                    self._transport.write(CONTINUE)
        self._regulate()
        if self._haste.done() and self._task is None and not self._waiting:
            self._transport.close()

    def _regulate(self) -> None:
        reading = len(self._waiting) <= self._settings.pipelined_max
        if reading == self._reading or self._transport.is_closing():
            return
        self._reading = reading
        if reading:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    def _serve(self, request: ClientRequest) -> None:
        try:
            answer = self._service.respond(request, self._haste)
        except Exception:
            _logger.exception("A request could not be answered")
            self._refuse(self._service.fault())
            return
        if isinstance(answer, Answer):
            self._write(answer)
        else:
            self._start(answer)

    def _start(self, work: Coroutine[Any, Any, Answer]) -> None:
        self._task = self._loop.create_task(work)
        self._task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[Answer]) -> None:
        self._task = None
        if task.cancelled():
            self._transport.abort()
        elif error := task.exception():
            _logger.error("A request could not be answered", exc_info=error)
            self._refuse(self._service.fault())
        elif not self._transport.is_closing():
            self._write(task.result())
        if self._gone:
            self.lost.set_result(None)
        else:
            self._work()

    def _write(self, answer: Answer) -> None:
        self._transport.write(answer.payload)
        if self._ending or not answer.keep_alive:
            self._ending = True
            self._transport.close()

    def _refuse(self, payload: bytes) -> None:
        """Write a last answer, and close so that the client can read it: with unread bytes a close would be a reset."""
        self._ending = True
        self._waiting.clear()
        if self._transport.is_closing():
            return
        self._transport.write(payload)
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self._linger = self._loop.call_later(self._settings.linger_seconds, self._transport.abort)
