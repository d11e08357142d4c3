"""One connection to an upstream: sends requests, hands on the answers as they come, is used again if it is fit to."""

import asyncio
import select
from typing import Protocol, cast

from understudy_server.proxy.memo import Memo
from understudy_server.proxy.messages import AnswerHead, Refused
from understudy_server.proxy.response_parser import Answer, ResponseParser
from understudy_server.proxy.settings import ProxySettings
from understudy_server.proxy.unsent import unsent_bytes
from understudy_server.proxy.watch import NEVER, Watch

_SHORT_BYTES = 16 * 1024
"""A request so short, with its head, has left by the time anybody looks."""


class Sender(Protocol):
    """Whoever sends on the connection. Nothing is told any more after the end, which is told in one way or another."""

    def broken(self, refused: Refused, *, stale: bool) -> None:
        """There is no answer, or no more of it. ``stale``: a used connection ended before any byte of the answer."""

    def upstream_full(self) -> None:
        """The upstream reads slower than it is sent to: send no more."""

    def upstream_ready(self) -> None:
        """The upstream has caught up."""


class User(Sender, Protocol):
    """Whoever sent a request."""

    def answered(self, head: AnswerHead, data: bytes, *, last: bool) -> None:
        """The head of the answer is here, with the beginning of its body. 101: with the bytes after the switch."""

    def more(self, data: bytes, *, last: bool) -> None:
        """More of the body is here."""


class FarEnd(Sender, Protocol):
    """Whoever has the connection after a switch of protocols."""

    def tunnelled(self, data: bytes) -> None:
        """Bytes of the upstream, as they are."""

    def tunnel_ended(self) -> None:
        """The upstream has ended its side, or is gone."""


class Owner(Protocol):
    """Whoever keeps the connection while nobody uses it."""

    def take_back(self, connection: "UpstreamConnection") -> None:
        """It can be used again."""

    def gone(self, connection: "UpstreamConnection") -> None:
        """It is gone."""


class UpstreamConnection(asyncio.Protocol):
    """A connection that one ``User`` at a time has for one request."""

    __slots__ = (
        "_first_byte_seconds",
        "_head_told",
        "_is_long",
        "_owner",
        "_parser",
        "_paused",
        "_poll",
        "_read_in_turn",
        "_sending",
        "_settings",
        "_tunnel",
        "_unsent",
        "_user",
        "_watch",
        "deadline",
        "transport",
        "used",
        "writable",
    )

    def __init__(self, owner: Owner, settings: ProxySettings, watch: Watch, memo: Memo[Answer] | None = None) -> None:
        self._owner = owner
        self._settings = settings
        self._watch = watch
        self._read_in_turn = -1
        self._parser = ResponseParser(settings, memo)
        self._poll = select.poll()
        self._user: User | None = None
        self._head_told = False
        self._sending = self._is_long = False
        self._paused = False
        self._tunnel: FarEnd | None = None
        self._first_byte_seconds = settings.first_byte_seconds
        self._unsent = 0
        """How much was not sent yet when that was last looked at, while it was too much."""
        self.used = False
        """True once it has served a request."""
        self.writable = True
        """False while the upstream reads slower than it is sent to."""
        self.deadline = NEVER
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN | select.POLLHUP)
        self._watch.add(self)

    def unmade(self) -> None:
        """Nobody gets it: it was not made, or given up while it was."""
        self._watch.discard(self)

    def is_fresh(self) -> bool:
        """Tell whether nothing has come since the last answer: neither an end nor stray bytes, not even unread ones.

        Unread ones would be taken for the next answer. There is no need to ask the system in the very turn of the loop
        in which the answer was read, and under load most connections are used again in that one.
        """
        if self.transport.is_closing():
            return False
        return self._watch.turn() == self._read_in_turn or not self._poll.poll(0)

    def begin(self, user: User, method: str, *, upgrade: bool, first_byte_ms: int | None = None) -> None:
        """Expect the answer to a request that ``user`` sends from now on, its head perhaps sooner than is usual."""
        self._first_byte_seconds = self._settings.first_byte_seconds
        if first_byte_ms is not None:
            self._first_byte_seconds = min(first_byte_ms / 1000, self._first_byte_seconds)
        self._user = user
        self._head_told = False
        self._sending = True
        self._is_long = False
        self._unsent = 0
        self._parser.begin(method, upgrade=upgrade)
        self.deadline = NEVER

    def send(self, data: bytes, *, last: bool) -> None:
        """Send bytes of the request."""
        self.transport.write(data)
        if last:
            self._sending = False
            if self._is_long or len(data) > _SHORT_BYTES:
                # The wait for an answer begins when the upstream has read this, which may take a while.
                self._unsent = unsent_bytes(self.transport)
                self._is_long = True
        else:
            self._is_long = True
        self._wait()

    def _wait(self) -> None:
        """Set the deadline by what is waited for now."""
        settings = self._settings
        if self._paused:
            self.deadline = NEVER
        elif self._tunnel is not None:
            self.deadline = self._watch.now + settings.tunnel_idle_seconds
        elif self._head_told:
            self.deadline = self._watch.now + settings.upstream_idle_seconds
        elif self._sending and self.writable:
            # It is the client's turn.
            self.deadline = NEVER
        else:
            self.deadline = self._watch.now + self._first_byte_seconds

    def hand_to(self, tunnel: FarEnd) -> None:
        """After a switch of protocols: bytes go to this end from now on."""
        self._user, self._tunnel = None, tunnel
        self._wait()

    def end_sending(self) -> bool:
        """After a switch of protocols: the client has ended its side. False when that cannot be told by itself."""
        if not self.transport.can_write_eof():
            return False
        try:
            self.transport.write_eof()
        except OSError:
            # Reset, which could not be noticed while nothing was read.
            self.transport.abort()
        return True

    def release(self) -> None:
        """The user wants no more of it: what is under way is cut."""
        self._user = self._tunnel = None
        self.transport.abort()

    def pause(self) -> None:
        """Read no more until `resume`: what is read cannot be passed on."""
        if not self._paused and not self.transport.is_closing():
            self._paused = True
            self.transport.pause_reading()
        self._wait()

    def resume(self) -> None:
        """Read on."""
        if self._paused and not self.transport.is_closing():
            self._paused = False
            self.transport.resume_reading()
        self._wait()

    def data_received(self, data: bytes) -> None:
        user = self._user
        if user is None:
            self._unasked(data)
            return
        self._parser.feed(data)
        self._tell(user)

    def _unasked(self, data: bytes) -> None:
        if self._tunnel is None:
            # Nobody has asked for anything: whatever this is, it must not be taken for the next answer.
            self.transport.abort()
            return
        self._wait()
        self._tunnel.tunnelled(data)

    def _tell(self, user: User) -> None:
        parser = self._parser
        head, complete = parser.head, parser.complete
        if head is None:
            if parser.fault:
                self._fail(user, parser.fault)
            return
        self.deadline = self._watch.now + self._settings.upstream_idle_seconds
        data = parser.take()
        # Noted before the connection is let go of: its next user has an answer of its own to be told.
        head_told, self._head_told = self._head_told, True
        if complete:
            if head.status == 101:
                user.answered(head, parser.rest, last=True)
                return
            # Free before the user hears of it: the user's next request may want it.
            self._let_go()
        if not head_told:
            user.answered(head, data, last=complete)
        elif data or complete:
            user.more(data, last=complete)
        if not complete and parser.fault:
            self._fail(user, parser.fault)

    def _let_go(self) -> None:
        self._user = None
        unsent = self._is_long and self.transport.get_write_buffer_size()
        if self._sending or not self._parser.reusable or self._paused or unsent:
            # An answer that came before the request was whole leaves the upstream in the middle of reading.
            self.transport.abort()
            return
        self.used = True
        self._read_in_turn = self._watch.turn()
        self.deadline = self._watch.now + self._settings.upstream_keep_seconds
        self._owner.take_back(self)

    def _fail(self, user: User, reason: str) -> None:
        self._user = None
        self.transport.abort()
        user.broken(
            Refused(502, "upstream_invalid", f"The upstream's answer cannot be relayed: {reason}."), stale=False
        )

    def eof_received(self) -> bool:
        user, tunnel = self._user, self._tunnel
        if tunnel is not None:
            tunnel.tunnel_ended()
        elif user is not None:
            self._end(user)
        return False

    def _end(self, user: User) -> None:
        parser = self._parser
        before = parser.head is None
        parser.end()
        if parser.complete:
            self._let_go()
            user.more(parser.take(), last=True)
            return
        stale = before and self.used and not parser.anything
        self._user = None
        user.broken(
            Refused(502, "upstream_invalid", f"The upstream's answer cannot be relayed: {parser.fault}."), stale=stale
        )

    def connection_lost(self, exc: Exception | None) -> None:
        user, tunnel = self._user, self._tunnel
        self._user = self._tunnel = None
        self._watch.discard(self)
        self._owner.gone(self)
        if tunnel is not None:
            tunnel.tunnel_ended()
        elif user is not None:
            stale = self.used and not self._parser.anything
            message = "The connection to the upstream was lost." if exc else "The upstream has closed the connection."
            user.broken(Refused(502, "upstream_unreachable", message), stale=stale)

    def pause_writing(self) -> None:
        self.writable = False
        self._unsent = unsent_bytes(self.transport)
        self._wait()
        sender = self._sender()
        if sender is not None:
            sender.upstream_full()

    def resume_writing(self) -> None:
        self.writable = True
        self._unsent = 0
        self._wait()
        sender = self._sender()
        if sender is not None:
            sender.upstream_ready()

    def _sender(self) -> Sender | None:
        return self._user if self._tunnel is None else self._tunnel

    def overdue(self) -> None:
        unsent = unsent_bytes(self.transport)
        if unsent < self._unsent:
            # It still reads what it was sent, so it cannot be late with an answer.
            self._unsent = unsent
            self._wait()
            return
        sender = self._sender()
        self._user = self._tunnel = None
        self.transport.abort()
        if sender is not None:
            sender.broken(Refused(504, "upstream_timeout", "The upstream did not answer in time."), stale=False)
