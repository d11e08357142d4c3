"""A gRPC server elsewhere, as a user names it: ``HOST:PORT``, or ``grpcs://HOST:PORT`` for one that speaks TLS."""

from dataclasses import dataclass
from pathlib import Path

import grpc

from understudy_server.cli.addresses import Address, read_address
from understudy_server.cli.target import SECURE
from understudy_server.cli.tls import read_authorities


@dataclass(frozen=True, slots=True)
class Peer:
    """Where a server is, and how it is spoken to: plainly when ``credentials`` is ``None``."""

    address: Address
    credentials: grpc.ChannelCredentials | None = None

    def __str__(self) -> str:
        return str(self.address) if self.credentials is None else f"{SECURE}{self.address}"


def read_peer(text: str, authorities: str = "") -> Peer:
    """Read what names a server. ``authorities`` names a PEM file with those that may vouch for it.

    Without one, the well-known public authorities may. Raises ValueError.
    """
    if not text.startswith(SECURE):
        if "://" in text:
            raise ValueError(f"{text!r} is not a gRPC server: give HOST:PORT, or {SECURE}HOST:PORT for TLS")
        return Peer(read_address(text))
    address = read_address(text.removeprefix(SECURE))
    roots = read_authorities(Path(authorities)) if authorities else None
    return Peer(address, grpc.ssl_channel_credentials(root_certificates=roots))
