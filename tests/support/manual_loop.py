"""An event loop without a world: it runs what is due when it is told to, and its clock moves by hand.

It has what the proxy needs and no more: callbacks, timers, tasks, and connections that are objects of the test.
"""

import asyncio
import heapq
import socket
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, NoReturn, TypeVarTuple

_Ts = TypeVarTuple("_Ts")

STEPS_MAX = 5_000
"""More callbacks in one go are a hang."""


class Hang(Exception):
    """Something keeps going on for ever."""


class Wire(asyncio.Transport):
    """One end of a connection. ``sent`` is what the protocol wrote; `deliver` gives it bytes unless it holds back.

    With ``narrow`` the other end takes nothing until `widen`, but for what it is said to `take`: every write is met by
    ``pause_writing``.
    """

    __slots__ = (
        "_held",
        "_loop",
        "_protocol",
        "_queued",
        "_unsent",
        "closing",
        "ended",
        "lost",
        "narrow",
        "paused",
        "sent",
    )

    def __init__(self, loop: "ManualLoop", protocol: asyncio.Protocol, *, narrow: bool = False) -> None:
        self._loop = loop
        self._protocol = protocol
        self._queued: deque[bytes] = deque()
        self.sent: list[bytes] = []
        self._unsent = 0
        self.closing = self.lost = self.paused = self.ended = self._held = False
        self.narrow = narrow
        protocol.connection_made(self)

    def deliver(self, data: bytes) -> None:
        """The other end has sent this."""
        if self.closing:
            return
        if self.paused or self._queued:
            self._queued.append(data)
        else:
            self._protocol.data_received(data)

    def end(self) -> None:
        """The other end has ended its side."""
        if not (self.closing or self.paused) and not self._protocol.eof_received():
            self.close()

    def lose(self, error: Exception | None = None) -> None:
        """The connection is gone."""
        if not self.lost:
            self.lost = self.closing = True
            # Transports let go of whoever they told last, too.
            protocol, self._protocol = self._protocol, asyncio.Protocol()
            protocol.connection_lost(error)

    def take(self, size_bytes: int) -> None:
        """The other end has taken so much, and there is more."""
        assert size_bytes < self._unsent
        self._unsent -= size_bytes

    def widen(self) -> None:
        """The other end has taken all that was written, and takes the next write, too, unless it stays ``narrow``."""
        self._unsent = 0
        if self._held and not self.lost:
            self._held = False
            self._protocol.resume_writing()
            if self.closing:
                self._loop.call_soon(self.lose)

    def write(self, data: Any) -> None:
        if self.closing:
            return
        self.sent.append(data)
        if self.narrow:
            self._unsent += len(data)
            if not self._held:
                self._held = True
                self._protocol.pause_writing()

    def close(self) -> None:
        if not self.closing:
            self.closing = True
            if not self._held:
                self._loop.call_soon(self.lose)

    def abort(self) -> None:
        self.closing = True
        self._loop.call_soon(self.lose)

    def get_write_buffer_size(self) -> int:
        return self._unsent

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False
        if self._queued:
            self._loop.call_soon(self._catch_up)

    def _catch_up(self) -> None:
        while self._queued and not (self.paused or self.closing):
            self._protocol.data_received(self._queued.popleft())

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._loop.quiet_socket if name == "socket" else default


class ManualLoop(asyncio.BaseEventLoop):
    """``faults`` are exceptions that nobody caught. ``factory`` makes a protocol for a client of the last server made.

    ``outgoing`` are the wires of connections made from inside. The next are refused while ``refusing`` is set, and
    narrow while ``narrow`` is.
    """

    def __init__(self) -> None:
        super().__init__()
        self._now = 1_000.0
        self._due: deque[asyncio.Handle] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._count = 0
        self.quiet_socket, self._far_end = socket.socketpair()
        self.faults: list[object] = []
        self.factory: Callable[[], asyncio.Protocol]
        self.outgoing: list[Wire] = []
        self.refusing = self.narrow = False

    def close(self) -> None:
        super().close()
        self.quiet_socket.close()
        self._far_end.close()

    @property
    def is_busy(self) -> bool:
        """Whether anything is due now."""
        return bool(self._due)

    def settle(self) -> None:
        """Run all that is due now. Raises Hang."""
        ready = self._due
        for _ in range(STEPS_MAX):
            if not ready:
                return
            handle = ready.popleft()
            if not handle.cancelled():
                handle._run()
        raise Hang(f"more than {STEPS_MAX} callbacks without an end")

    def advance(self, seconds: float) -> None:
        """Let time go by, and run what becomes due in its order. Raises Hang."""
        end = self._now + seconds
        for _ in range(STEPS_MAX):
            self.settle()
            if not self._timers or self._timers[0][0] > end:
                self._now = end
                return
            when, _, handle = heapq.heappop(self._timers)
            self._now = max(self._now, when)
            self._due.append(handle)
        raise Hang(f"more than {STEPS_MAX} timers in {seconds} s")

    def finish(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine to its end, which must not need any time."""
        task = self.create_task(work)
        self.settle()
        return task.result()

    @property
    def timers(self) -> int:
        """How many timers run."""
        return sum(not handle.cancelled() for _, _, handle in self._timers)

    def time(self) -> float:
        return self._now

    def call_soon(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._due.append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._count += 1
        heapq.heappush(self._timers, (when, self._count, handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """A cancelled timer is dropped when its time comes."""

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def get_debug(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.faults.append(context)

    async def create_server(self, protocol_factory: Any, *_: Any, **__: Any) -> Any:
        self.factory = protocol_factory
        return _Server()

    async def create_connection(self, protocol_factory: Any, *_: Any, **__: Any) -> Any:
        if self.refusing:
            raise ConnectionRefusedError
        wire = Wire(self, protocol_factory(), narrow=self.narrow)
        self.outgoing.append(wire)
        return wire, wire._protocol

    async def getaddrinfo(self, host: Any, port: Any, **_: Any) -> NoReturn:
        raise OSError(f"there are no names here, such as {host}:{port}")


class _Server:
    """Listens to nobody."""

    def __init__(self) -> None:
        self.sockets = [self]

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", 1

    def close(self) -> None:
        """There is nothing to close."""

    async def wait_closed(self) -> None:
        """There is nothing to wait for."""
