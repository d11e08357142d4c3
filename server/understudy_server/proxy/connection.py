"""One client connection: reads, keeps the order, writes. What is answered is decided elsewhere.

Requests are answered one after the other, in the order in which they came. One that cannot be answered at once has a
turn, and the next ones wait in a bounded queue; when that is full, or the turn cannot take the body that is coming,
nothing more is read. Answers made from one piece of what was read leave in one write.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Final, ParamSpec, cast

from understudy_server.proxy.connections import Connections
from understudy_server.proxy.ending import Ending
from understudy_server.proxy.messages import BodyPart, ClientRequest, Refused, body_too_large
from understudy_server.proxy.outlet import Outlet
from understudy_server.proxy.request_parser import Event, RequestParser
from understudy_server.proxy.service import FAULT, Service
from understudy_server.proxy.turn import Tunnel, Turn, awaits_invitation
from understudy_server.proxy.watch import NEVER, Watch
from understudy_server.proxy.writing import CONTINUE, outlives

_log = logging.getLogger(__name__)
_P = ParamSpec("_P")

_SLICE_BYTES: Final = 64 * 1024
"""What is parsed at a time: so many requests can be in memory beyond the bound of the queue, and no more."""

_LONG_BYTES: Final = 4096
_TOGETHER_MAX: Final = 64
"""A longer answer is written at once, and so are so many short ones: that a client asks faster than it reads must be
noticed before the next answer is made."""

_TOO_MANY = Refused(503, "too_many_connections", "Too many connections are open here. Close some, or try again later.")
_TOO_SLOW = Refused(408, "request_timeout", "The request did not come in time.")


class Connection(Ending):
    """Serves one client. Fills ``Client``, the connection as a turn sees it.

    The parser puts what it has read into ``_events``, and from there it is taken one at a time (`_work`). Answers are
    put into ``_out``, which is the outlet's: all leave together when what was read is worked off (`_settle`).
    """

    __slots__ = ("_connections", "_in_head", "_invited", "_out", "_service", "_settings", "_watch", "_working")

    def __init__(self, service: Service, connections: Connections, watch: Watch) -> None:
        events = deque[Event]()
        settings = service.settings
        parser = RequestParser(settings, events.append, service.meanings, service.memo, service.firsts)
        super().__init__(Outlet(settings, watch), events, parser)
        self._connections = connections
        self._watch = watch
        self._service = service
        self._settings = settings
        self._out = self._outlet.pending
        self._working = False
        self._in_head = False
        self._invited = False

    # What the event loop tells.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = self._outlet.transport = cast("asyncio.Transport", transport)
        if self._connections.closed:
            self._transport.abort()
            return
        crowded = len(self._connections.all) >= self._settings.connections_max
        self._connections.enter(self)
        self._watch.add(self)
        self.deadline = self._watch.now + self._settings.head_seconds
        if crowded:
            self._refuse(self._service.refuse_stream(_TOO_MANY))

    def data_received(self, data: bytes) -> None:
        if self._closing:
            # A client that was refused may still be sending; it is read and dropped until it stops or its time is over.
            return
        if self._tunnel is not None:
            self._tell(self._tunnel.from_client, data)
            return
        if self._unread:
            self._unread += data
        elif len(data) <= _SLICE_BYTES:
            self._parse(data)
        else:
            self._take(data)
        self._settle()

    def eof_received(self) -> bool:
        """The client has ended its side. Return True as long as there is something to write to it."""
        if self._ended:
            return not self._closing
        self._ended = True
        turn = self._turn
        if self._closing or (turn is None and not self._events):
            return False
        if self._broke_off():
            self._give_up()
            return False
        if turn is not None:
            self._tell(turn.half_closed)
            self._settle()
        # Over TLS there is no half of a connection: the transport ends both whatever it is told.
        return not self._closing and self._transport.get_extra_info("sslcontext") is None

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - why it went makes no difference
        self._watch.discard(self)
        self._connections.leave(self)
        self._lose()

    def pause_writing(self) -> None:
        """The client reads slower than it is written to."""
        self._await_reader()
        if self._turn is not None:
            self._tell(self._turn.full)

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._has_read()
        if self._turn is not None:
            self._tell(self._turn.ready)
        self.pump()

    def overdue(self) -> None:
        """A deadline has passed: of an idle connection, a slow client, or one that does not go."""
        self.deadline = NEVER
        if self._awaits_reader():
            return
        if self._turn is not None:
            self._tell(self._turn.spoiled, _TOO_SLOW)
            self._settle()
        elif self._parser.in_request:
            self._refuse(self._service.refuse_stream(_TOO_SLOW))
        else:
            self._close()

    def _tell(self, step: Callable[_P, None], *arguments: _P.args, **options: _P.kwargs) -> None:
        """Let the turn take a step."""
        try:
            step(*arguments, **options)
        except Exception:  # noqa: BLE001 - logged in there
            self.fault()

    # What the listener asks.

    def finish(self) -> None:
        """Let the request in hand be the last; end at once when there is none, and with a tunnel, which has no end."""
        self._last = True
        if self._turn is None or self._tunnel is not None:
            self._close()
        else:
            self._tell(self._turn.stopping)

    # What a turn asks: this is the ``Client`` of `turn`.

    def proceed(self, turn: Turn | bytes) -> None:
        if self._outlet.lost:
            return
        if isinstance(turn, bytes):
            self._turn = None
            self._answer(turn)
        else:
            self._start(turn)
        self.pump()

    def invite(self) -> None:
        if not self._invited and awaits_invitation(self._request):
            self._invited = True
            self._out.append(CONTINUE)
            self._outlet.flush()

    def write(self, data: bytes) -> None:
        self._out.append(data)
        if not self._working:
            self._outlet.flush()

    def conclude(self, data: bytes, *, keep_alive: bool) -> None:
        self._out.append(data)
        self.finish_answer(keep_alive=keep_alive)

    def finish_answer(self, *, keep_alive: bool) -> None:
        self._turn = self._tunnel = None
        if not keep_alive or self._last:
            self._end()
        self.pump()

    def fault(self) -> None:
        _log.exception("A request could not be answered")
        turn, self._turn, self._tunnel = self._turn, None, None
        if turn is not None:
            turn.drop()
        if turn is not None and turn.begun:
            self.cut(hard=True)
        elif not self._closing:
            self._refuse(self._service.refuse_stream(FAULT))

    def cut(self, *, hard: bool) -> None:
        self._turn = self._tunnel = None
        self._outlet.flush()
        if hard:
            self._closing = True
            self._outlet.reset()
        else:
            self._close()

    def tunnel(self, turn: Tunnel) -> None:
        self._outlet.flush()
        self._turn, self._tunnel = turn, turn
        if self.writable:
            self.deadline = NEVER
        else:
            turn.full()
        rest = self._parser.rest + self._unread
        self._unread = b""
        if rest:
            turn.from_client(rest)
        if self._ended:
            turn.half_closed()
        self._regulate()

    def pump(self) -> None:
        """Go on with what waits. Does nothing when that is being done already, further up."""
        if self._working:
            return
        if self._events:
            self._work()
        # Behind the last request nothing is parsed any more, so what is unread stays so.
        while self._unread and not (self._closing or self._parser.over or self._blocked()):
            data, self._unread = self._unread, b""
            self._take(data)
        self._settle()

    # The work.

    def _take(self, data: bytes) -> None:
        """Parse what was read, in slices, as long as it can be worked on."""
        for at in range(0, len(data), _SLICE_BYTES):
            if self._blocked():
                self._unread = data[at:]
                return
            self._parse(data[at : at + _SLICE_BYTES])

    def _parse(self, data: bytes) -> None:
        parser = self._parser
        if parser.over:
            # Behind a request that offers to go on with another protocol, this may be that protocol.
            self._unread += data
            return
        try:
            parser.feed(data)
        except Exception:  # noqa: BLE001 - logged in there
            self.fault()
        else:
            self._work()

    def _work(self) -> None:
        events, out = self._events, self._out
        begin = self._service.begin
        self._working = True
        try:
            while events and not self._closing:
                turn = self._turn
                if turn is not None:
                    if self._hand_on(turn, events):
                        continue
                    break
                if not self.writable:
                    break
                event = events.popleft()
                if event.__class__ is not ClientRequest:
                    self._begin_other(event)
                    continue
                self._request = event
                outcome = begin(event, self)
                if isinstance(outcome, bytes):
                    out.append(outcome)
                    if self._last or not (event.keep_alive and event.complete):
                        self._end()
                    elif len(outcome) > _LONG_BYTES or len(out) > _TOGETHER_MAX:
                        self._outlet.flush()
                else:
                    self._invited = False
                    self._start(outcome)
        except Exception:  # noqa: BLE001 - logged in there
            self.fault()
        finally:
            self._working = False

    def _begin_other(self, event: Event) -> None:
        """What comes where a request should begin: a refusal, or the rest of a body that nobody wants any more."""
        if isinstance(event, Refused):
            self._refuse(self._service.refuse_stream(event))

    def _start(self, turn: Turn) -> None:
        self._turn = turn
        turn.start()
        if self._ended and self._turn is turn:
            turn.half_closed()

    def _hand_on(self, turn: Turn, events: deque[Event]) -> bool:
        """Hand what belongs to the request in hand to its turn. False when it cannot be done now, or nothing does."""
        event = events[0]
        if isinstance(event, BodyPart):
            if not turn.takes_body:
                return False
            events.popleft()
            request = self._request
            request.body_bytes += len(event.data)
            if request.body_bytes > request.body_bytes_max:
                # What follows is not read any more, as if the parser had refused it.
                turn.spoiled(body_too_large(request.body_bytes_max))
                return True
            if event.last:
                request.complete = True
            turn.body(event)
            return True
        if isinstance(event, Refused) and not self._request.complete:
            events.popleft()
            turn.spoiled(event)
            return True
        return False

    def _answer(self, payload: bytes) -> None:
        self._out.append(payload)
        if self._last or not outlives(self._request):
            self._end()

    def _settle(self) -> None:
        """After all that can be done now: write, read on or not, and set the deadline."""
        if self._out:
            self._outlet.flush()
        if self._events or self._unread or not (self._reading and self.writable) or self._closing or self._ended:
            self._settle_in_full()
        elif self._turn is None and not self._parser.in_request:
            # The usual case: all is answered, and the client may take its time for the next request.
            self._in_head = False
            self.deadline = self._watch.now + self._settings.idle_seconds
        elif self._turn is not None and self._request.complete and self._tunnel is None and not self._parser.over:
            # The other one: the request is whole, and the client waits.
            self._in_head = False
            self.deadline = NEVER
        else:
            self._settle_in_full()

    def _settle_in_full(self) -> None:
        if self._outlet.lost or self._closing:
            return
        self._regulate()
        if self._ended and self._has_answered_all():
            return
        if not self.writable:
            return
        settings, now = self._settings, self._watch.now
        if self._turn is not None:
            self.deadline = now + settings.body_seconds if self._reading and not self._request.complete else NEVER
            self._in_head = False
        elif not self._parser.in_request:
            self.deadline = now + settings.idle_seconds
            self._in_head = False
        elif not self._in_head:
            self.deadline = now + settings.head_seconds
            self._in_head = True

    def _blocked(self) -> bool:
        """True when what would be read next cannot be worked on and need not be held."""
        turn = self._turn
        if turn is not None:
            if self._tunnel is not None:
                return not turn.takes_body
            if not self._request.complete:
                return not turn.takes_body
            if self._parser.over:
                return len(self._unread) > _SLICE_BYTES
        return len(self._events) > self._settings.pipelined_max

    def _regulate(self) -> None:
        reading = not (self._unread or self._blocked())
        # Behind the end of what it sends there is nothing to read, and some loops would tell of that end once more.
        if reading == self._reading or self._ended or self._transport.is_closing():
            return
        self._reading = reading
        if reading:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()
