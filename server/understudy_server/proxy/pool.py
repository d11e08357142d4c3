"""The connections to upstreams: the one used last is used first, so that the others grow old and are closed.

For each upstream there is a bound; who comes when it is reached waits in line. A connection that becomes free goes to
the first in line. Before an address is connected to, the allow list is asked, with what the name resolved to just now.
"""

import asyncio
import logging
import socket
import ssl
from collections import deque
from collections.abc import Callable
from typing import Protocol

from understudy_server.proxy.forwarding import Origin
from understudy_server.proxy.memo import Memo
from understudy_server.proxy.messages import Refused
from understudy_server.proxy.response_parser import Answer
from understudy_server.proxy.settings import ProxySettings
from understudy_server.proxy.upstream import UpstreamConnection
from understudy_server.proxy.watch import NEVER, Watch

_log = logging.getLogger(__name__)

_UNREACHABLE = Refused(502, "upstream_unreachable", "The upstream cannot be reached.")
_UNTRUSTED = Refused(502, "upstream_untrusted", "The upstream's certificate does not hold, or it does not speak TLS.")
FORBIDDEN = Refused(502, "upstream_forbidden", "The upstream's address is not one that this proxy may connect to.")
_SLOW = Refused(504, "upstream_timeout", "The upstream did not accept a connection in time.")
_BUSY = Refused(504, "upstream_busy", "No connection to the upstream became free in time.")


class Applicant(Protocol):
    """Whoever wants a connection."""

    def connected(self, connection: UpstreamConnection) -> None:
        """Here it is."""

    def unconnected(self, refused: Refused) -> None:
        """There will be none."""


class Pool:
    """All connections to all upstreams. One event loop owns it."""

    def __init__(self, settings: ProxySettings, watch: Watch) -> None:
        self._settings = settings
        self._watch = watch
        self._branches: dict[Origin, _Branch] = {}
        self._default_tls: ssl.SSLContext | None = None
        self.memo = Memo[Answer]()

    def lease(self, origin: Origin, applicant: Applicant, *, fresh: bool = False) -> Callable[[], None]:
        """Get the applicant a connection, perhaps within this call; ``fresh``: one that was not used before.

        Calling what is returned takes the application back, unless it was answered.
        """
        branch = self._branches.get(origin)
        if branch is None:
            branch = self._branches[origin] = _Branch(origin, self._settings, self._watch, self)
        return branch.lease(applicant, fresh=fresh)

    def tls_context(self) -> ssl.SSLContext:
        """How certificates of upstreams are checked. Made when first needed: reading the system's store takes time."""
        if self._settings.upstream_tls:
            return self._settings.upstream_tls
        if self._default_tls is None:
            self._default_tls = ssl.create_default_context()
        return self._default_tls

    def forget(self, origin: Origin) -> None:
        """A branch has nothing left."""
        self._branches.pop(origin, None)

    async def close(self) -> None:
        """Cut every connection, and return when all are gone."""
        branches = list(self._branches.values())
        await asyncio.gather(*[branch.close() for branch in branches])

    @property
    def open_connections(self) -> int:
        """How many connections there are, those being made among them."""
        return sum(branch.open for branch in self._branches.values())


class _Application:
    """A place in the line, or a connection being made."""

    __slots__ = ("_branch", "applicant", "deadline", "fresh", "task")

    def __init__(self, branch: "_Branch", applicant: Applicant, deadline: float, *, fresh: bool) -> None:
        self._branch = branch
        self.applicant: Applicant | None = applicant
        self.fresh = fresh
        self.deadline = deadline
        self.task: asyncio.Task[None] | None = None

    def withdraw(self) -> None:
        """The applicant wants nothing any more."""
        self.applicant = None
        self._branch.withdrawn(self)

    def overdue(self) -> None:
        """Too long in the line."""
        applicant = self.applicant
        self.withdraw()
        if applicant:
            applicant.unconnected(_BUSY)


def _nothing() -> None:
    """There is nothing to take back: the application was answered at once."""


class _Branch:
    """The connections to one upstream."""

    def __init__(self, origin: Origin, settings: ProxySettings, watch: Watch, pool: Pool) -> None:
        self._origin = origin
        self._settings = settings
        self._watch = watch
        self._pool = pool
        self._idle: list[UpstreamConnection] = []
        self._line: deque[_Application] = deque()
        self._connections: set[UpstreamConnection] = set()
        self._connecting: set[asyncio.Task[None]] = set()
        self._empty: asyncio.Event | None = None

    @property
    def open(self) -> int:
        return len(self._connections) + len(self._connecting)

    def lease(self, applicant: Applicant, *, fresh: bool) -> Callable[[], None]:
        while self._idle and not fresh:
            connection = self._idle.pop()
            if connection.is_fresh():
                applicant.connected(connection)
                return _nothing
            connection.transport.abort()
        application = _Application(self, applicant, self._watch.now + self._settings.connect_seconds, fresh=fresh)
        if self.open < self._settings.upstream_connections_max:
            self._connect(application)
        else:
            self._line.append(application)
            self._watch.add(application)
            if self._idle:
                # Only who wants a connection that was not used comes here then: an old one makes room.
                self._idle.pop(0).transport.abort()
        return application.withdraw

    def withdrawn(self, application: _Application) -> None:
        self._watch.discard(application)
        if application.task:
            application.task.cancel()
        elif application in self._line:
            self._line.remove(application)

    def take_back(self, connection: UpstreamConnection) -> None:
        if self._line and not self._line[0].fresh:
            self._hand_over(self._line.popleft(), connection)
        elif self._line or len(self._idle) >= self._settings.upstream_idle_connections_max:
            # Whoever is first in line wants one that was not used, for which there is room when this one is gone.
            connection.transport.close()
        else:
            self._idle.append(connection)

    def _hand_over(self, application: _Application, connection: UpstreamConnection) -> None:
        self._watch.discard(application)
        applicant, application.applicant = application.applicant, None
        if applicant:
            applicant.connected(connection)

    def gone(self, connection: UpstreamConnection) -> None:
        self._connections.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._room()

    def _room(self) -> None:
        """One connection less: the first in line may have a new one."""
        while self._line and self.open < self._settings.upstream_connections_max:
            application = self._line.popleft()
            self._watch.discard(application)
            if application.applicant:
                self._connect(application)
        if not self.open and not self._line:
            self._pool.forget(self._origin)
            if self._empty:
                self._empty.set()

    def _connect(self, application: _Application) -> None:
        application.deadline = NEVER
        task = application.task = asyncio.get_running_loop().create_task(self._make(application))
        self._connecting.add(task)
        task.add_done_callback(self._made)

    def _made(self, task: asyncio.Task[None]) -> None:
        self._connecting.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("A connection to an upstream could not be handed over", exc_info=error)
        self._room()

    async def _make(self, application: _Application) -> None:
        made: UpstreamConnection | Refused
        try:
            async with asyncio.timeout(self._settings.connect_seconds):
                made = await self._open()
        except TimeoutError:
            made = _SLOW
        except ssl.SSLError:
            made = _UNTRUSTED
        except (OSError, UnicodeError):
            # No such host, refused, reset. UnicodeError: no name at all.
            made = _UNREACHABLE
        # Whoever waits must hear of it, whatever it is.
        except Exception:  # noqa: BLE001
            _log.exception("A connection to an upstream failed in an unknown way")
            made = _UNREACHABLE
        applicant, application.applicant = application.applicant, None
        if isinstance(made, Refused):
            if applicant:
                applicant.unconnected(made)
        elif applicant:
            applicant.connected(made)
        else:
            self.take_back(made)

    async def _open(self) -> UpstreamConnection | Refused:
        """Try the addresses of the name in order. Raises OSError of the last one when none answers."""
        host, failure, admitted = self._origin.host, OSError("no address"), False
        for address, family in await _addresses(host, self._origin.port):
            if not self._settings.upstream_allow.admits(host, address):
                continue
            admitted = True
            try:
                return await self._open_address(address, family)
            except ssl.SSLError:
                raise
            except OSError as error:
                failure = error
        if not admitted:
            return FORBIDDEN
        raise failure

    async def _open_address(self, address: str, family: int) -> UpstreamConnection:
        tls = self._pool.tls_context() if self._origin.tls else None
        connection = UpstreamConnection(self, self._settings, self._watch, self._pool.memo)
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: connection,
                address,
                self._origin.port,
                family=family,
                ssl=tls,
                server_hostname=self._origin.host if tls else None,
            )
        except BaseException:
            # Where nobody wants it any more, uvloop closes what is made already, and tells the connection nothing.
            connection.unmade()
            raise
        if connection.transport.is_closing():
            raise ConnectionResetError
        self._connections.add(connection)
        return connection

    async def close(self) -> None:
        self._empty = asyncio.Event()
        for application in [*self._line]:
            application.withdraw()
        for task in [*self._connecting]:
            task.cancel()
        for connection in [*self._connections]:
            connection.transport.abort()
        if self.open:
            await self._empty.wait()


async def _addresses(host: str, port: int) -> list[tuple[str, int]]:
    """What a name resolves to, with the family, in the resolver's order. Raises OSError."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return [(host, family)]
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(str(address[0]), family) for family, _, _, _, address in found]
