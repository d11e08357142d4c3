"""How a client's connection ends. What it does until then stands in `connection`.

There are many ways to an end: the last answer is written, to a client that still sends or to one that does not; the
client has ended its side, in the middle of its request or behind it; it takes nothing of what is written to it; it is
gone. In each what is in hand is put on record, and nobody is kept waiting, or left with half an answer that looks
whole.
"""

import asyncio
import logging
from collections import deque
from typing import Final

from understudy_server.proxy.messages import BodyPart, ClientRequest
from understudy_server.proxy.outlet import Outlet
from understudy_server.proxy.request_parser import Event, RequestParser
from understudy_server.proxy.turn import Tunnel, Turn
from understudy_server.proxy.watch import NEVER

_log = logging.getLogger(__name__)

_NO_REQUEST: Final = ClientRequest()


class Ending(asyncio.Protocol):
    """A client's connection, as far as its end is concerned."""

    __slots__ = (
        "_closing",
        "_ended",
        "_events",
        "_last",
        "_outlet",
        "_parser",
        "_reading",
        "_request",
        "_transport",
        "_tunnel",
        "_turn",
        "_unread",
        "deadline",
        "writable",
    )

    def __init__(self, outlet: Outlet, events: deque[Event], parser: RequestParser) -> None:
        self._outlet = outlet
        self._events = events
        self._parser = parser
        self._request = _NO_REQUEST
        """The request in hand, or the last one."""
        self._turn: Turn | None = None
        self._tunnel: Tunnel | None = None
        self._unread = b""
        """What was read and is not parsed yet, because too much waits already."""
        self._reading = True
        self.writable = True
        self._last = False
        """True when the request in hand is the last that is answered."""
        self._closing = False
        """True when the last answer is written; what still comes is dropped."""
        self._ended = False
        """True when the client has ended its side."""
        self.deadline = NEVER
        self._transport: asyncio.Transport

    # What happens to it.

    def _lose(self) -> None:
        """It is gone, in whatever way."""
        self._outlet.lost = True
        self._drop_the_rest()
        self._let_go()
        # Neither the request nor the parser waits for the garbage collector, which comes seldom.
        self._request = _NO_REQUEST
        self._parser.close()

    def _await_reader(self) -> None:
        """The client reads slower than it is written to."""
        self.writable = False
        self.deadline = self._outlet.await_reader(last=self._closing)

    def _has_read(self) -> None:
        """It has caught up."""
        self.writable = True
        if self._closing:
            # It has not taken all yet, and nothing else sets the deadline any more.
            self.deadline = self._outlet.await_reader(last=True)

    def _awaits_reader(self) -> bool:
        """After a deadline: whether it was that of a client that has to take something, or to go."""
        if not self._closing and self.writable:
            return False
        self.deadline = self._outlet.look_at_reader(last=self._closing)
        return True

    # Ends.

    def abort(self) -> None:
        """End now, whatever runs."""
        self._transport.abort()

    def _end(self) -> None:
        """The last answer is written: close, but let a client that is still sending read it first."""
        if self._closing:
            return
        self._outlet.flush()
        still_sending = not self._request.complete or bool(self._unread or self._parser.rest)
        self._drop_the_rest()
        if still_sending and not self._ended:
            self._linger()
        else:
            self._close()

    def _refuse(self, payload: bytes) -> None:
        """Write a last answer to what is no request that can be answered."""
        self._outlet.pending.append(payload)
        self._outlet.flush()
        self._drop_the_rest()
        self._let_go()
        self._linger()

    def _close(self) -> None:
        """End once all is written."""
        self._drop_the_rest()
        self.deadline = self._outlet.close()

    def _drop_the_rest(self) -> None:
        self._closing = True
        self._events.clear()
        self._unread = b""

    def _linger(self) -> None:
        """End our side, and drop what still comes: closing with unread bytes would reset the answer away."""
        if self._transport.is_closing():
            return
        if not self._outlet.end_side():
            return
        if not self._reading:
            self._reading = True
            self._transport.resume_reading()
        self.deadline = self._outlet.await_reader(last=True)

    # The client has ended its side.

    def _broke_off(self) -> bool:
        """True when the client has ended its side before the request in hand was whole: nobody waits for its answer."""
        if self._turn is None or self._tunnel is not None or self._request.complete or self._unread:
            return False
        return not any(isinstance(event, BodyPart) and event.last for event in self._events)

    def _has_answered_all(self) -> bool:
        """After the client has ended its side: end ours when there is nothing more to tell it."""
        if self._broke_off():
            self._give_up()
        elif self._turn is not None or self._events or self._unread:
            return False
        self._close()
        return True

    def _give_up(self) -> None:
        """The client is gone in the middle of its request."""
        self._closing = True
        self._let_go()

    def _let_go(self) -> None:
        """Nothing can be answered any more to the request in hand, if there is one."""
        turn, self._turn, self._tunnel = self._turn, None, None
        if turn is not None:
            try:
                turn.gone()
            # It must not stop what else is done about the end of a connection.
            except Exception:  # noqa: BLE001
                _log.exception("A request that was not answered could not be recorded")
