"""The side of a connection that is written to: what is said is gathered, a client that takes nothing is noticed, and
there are three ways to end it.
"""

import asyncio
import socket
import struct

from understudy_server.proxy.settings import ProxySettings
from understudy_server.proxy.unsent import unsent_bytes
from understudy_server.proxy.watch import NEVER, Watch


class Outlet:
    """Writes to one client. ``pending`` is what was said and did not leave yet; ``lost``: nobody is there any more.

    What waits for the client gives the deadline of that, in the time of `Watch.now`.
    """

    __slots__ = ("_settings", "_taken_at", "_unsent", "_watch", "lost", "pending", "transport")

    def __init__(self, settings: ProxySettings, watch: Watch) -> None:
        self._settings = settings
        self._watch = watch
        self._unsent = 0
        """How much the client had not taken yet when that was last looked at, while it was too much or the last."""
        self._taken_at = 0.0
        """When it was last seen to have taken some, in the time of the watch."""
        self.pending: list[bytes] = []
        self.lost = False
        self.transport: asyncio.Transport

    def flush(self) -> None:
        """Let leave what is pending, in one write."""
        pending = self.pending
        if not pending:
            return
        data = pending[0] if len(pending) == 1 else b"".join(pending)
        pending.clear()
        if not self.lost:
            self.transport.write(data)

    def await_reader(self, *, last: bool) -> float:
        """Begin to wait for a client that has to take what is written to it, and when that is the last, then to go."""
        self._unsent = unsent_bytes(self.transport)
        self._taken_at = self._watch.now
        return self._taken_at + (self._settings.linger_seconds if last else self._settings.write_seconds)

    def look_at_reader(self, *, last: bool) -> float:
        """Cut a client that has taken nothing for too long. One that has taken all, and is to go, has less time."""
        settings, now, unsent = self._settings, self._watch.now, unsent_bytes(self.transport)
        if unsent != self._unsent:
            self._unsent, self._taken_at = unsent, now
        rest = self._taken_at + (settings.write_seconds if unsent else settings.linger_seconds) - now
        if rest <= 0:
            self.transport.abort()
            return NEVER
        return now + (min(rest, settings.linger_seconds) if last else rest)

    def close(self) -> float:
        """End once all is written, which may take a client as long as any other part of an answer."""
        deadline = self.await_reader(last=True)
        self.transport.close()
        return deadline

    def end_side(self) -> bool:
        """End our side alone, where there is such a thing. False when the client is gone."""
        if self.transport.can_write_eof():
            try:
                self.transport.write_eof()
            except OSError:
                # Reset, which could not be noticed while nothing was read.
                self.transport.abort()
                return False
        return True

    def reset(self) -> None:
        """Cut it so that the other side gets a reset: an abort alone looks like a regular end."""
        sock = self.transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
