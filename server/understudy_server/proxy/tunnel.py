"""The state of a turn after a switch of protocols, such as to WebSocket: bytes go both ways as they are.

The exchange is on record with its answer, 101; what goes through the tunnel is not.
"""

from understudy_server.proxy.messages import Refused
from understudy_server.proxy.turn import Client, Tunnel, guarded
from understudy_server.proxy.upstream import UpstreamConnection


class RawTunnel(Tunnel):
    """Joins a client with an upstream until both have ended, or either is gone."""

    __slots__ = ("_connection", "client")

    begun = True

    def __init__(self, client: Client, connection: UpstreamConnection) -> None:
        self.client = client
        self._connection: UpstreamConnection | None = connection
        connection.hand_to(self)

    @property
    def takes_body(self) -> bool:
        return self._connection is not None and self._connection.writable

    def from_client(self, data: bytes) -> None:
        if self._connection:
            self._connection.send(data, last=True)

    @guarded
    def tunnelled(self, data: bytes) -> None:
        """Bytes of the upstream."""
        self.client.write(data)

    def half_closed(self) -> None:
        """The client has ended its side: the upstream is told so, and may go on."""
        if self._connection and not self._connection.end_sending():
            # Over TLS there is no half of a connection.
            self.tunnel_ended()

    @guarded
    def tunnel_ended(self) -> None:
        """The upstream has ended its side: it has said all, and what the client says on top of it has no listener."""
        connection, self._connection = self._connection, None
        if connection:
            connection.release()
            self.client.finish_answer(keep_alive=False)

    @guarded
    def broken(self, refused: Refused, *, stale: bool) -> None:  # noqa: ARG002 - there is nobody to tell why
        """The tunnel was silent for too long."""
        self._connection = None
        self.client.cut(hard=False)

    def drop(self) -> None:
        self.gone()

    def gone(self) -> None:
        if self._connection:
            self._connection.release()
            self._connection = None

    def spoiled(self, refused: Refused) -> None:  # noqa: ARG002 - there is nobody to tell why
        self.gone()
        self.client.cut(hard=False)

    def full(self) -> None:
        if self._connection:
            self._connection.pause()

    def ready(self) -> None:
        if self._connection:
            self._connection.resume()

    def upstream_full(self) -> None:
        """The upstream reads slower than the client sends."""
        self.client.pump()

    def upstream_ready(self) -> None:
        """The upstream has caught up."""
        self.client.pump()
