"""A relay before an address that only counts: how many connections a client opens, whatever client it is."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

_READ_BYTES = 1 << 16


@dataclass
class CountingRelay:
    """``accepted`` counts connections that sent something: browsers open some in advance and never use them."""

    address: str
    accepted: int = 0


@contextlib.contextmanager
def counting_relay(address: str) -> Iterator[CountingRelay]:
    """Stand before ``host:port``."""
    host, _, port = address.rpartition(":")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        relay = CountingRelay(f"127.0.0.1:{listener.getsockname()[1]}")
        open_sockets: list[socket.socket] = []
        thread = threading.Thread(target=_accept, args=(listener, (host, int(port)), relay, open_sockets), daemon=True)
        thread.start()
        try:
            yield relay
        finally:
            _cut(listener, *open_sockets)
            thread.join()


def _accept(
    listener: socket.socket, target: tuple[str, int], relay: CountingRelay, open_sockets: list[socket.socket]
) -> None:
    pumps = []
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            server = socket.create_connection(target)
            open_sockets += [client, server]
            pumps.append(threading.Thread(target=_count_and_pump, args=(client, server, relay), daemon=True))
            pumps.append(threading.Thread(target=_pump, args=(server, client), daemon=True))
            for each in pumps[-2:]:
                each.start()
    for each in pumps:
        each.join()
    for connection in open_sockets:
        connection.close()


def _count_and_pump(client: socket.socket, server: socket.socket, relay: CountingRelay) -> None:
    with contextlib.suppress(OSError):
        if data := client.recv(_READ_BYTES):
            relay.accepted += 1
            server.sendall(data)
    _pump(client, server)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_READ_BYTES):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def _cut(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
