"""Where a listener stands: ``HOST:PORT``, ``:PORT`` or ``PORT``."""

import re
from dataclasses import dataclass

LOOPBACK = "127.0.0.1"
_FORM = re.compile(r"(?:(?P<host>\[[0-9A-Fa-f:.%]+\]|[^:\[\]\s]*):)?(?P<port>[0-9]{1,5})")
_PORT_MAX = 65_535


@dataclass(frozen=True, slots=True)
class Address:
    """A host (a name, IPv4 or IPv6 without brackets) and a port; port 0 asks for any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def shown(address: object, scheme: str, *, is_secure: bool) -> str:
    """How an address is told to users: plain as ``HOST:PORT``, over TLS with the scheme in front."""
    return f"{scheme}://{address}" if is_secure else str(address)


def http_url(address: str) -> str:
    """The URL of an HTTP listener, of an address as it is told to users."""
    return address if "://" in address else f"http://{address}"


def read_address(text: str) -> Address:
    """Read an address; without a host it is on loopback. Raises ValueError with the forms there are."""
    found = _FORM.fullmatch(text.strip())
    if found is None or int(found["port"]) > _PORT_MAX:
        raise ValueError(
            f"{text!r} is not an address: give HOST:PORT, :PORT or PORT (0 to {_PORT_MAX}, 0 = any free one)"
        )
    return Address((found["host"] or LOOPBACK).strip("[]"), int(found["port"]))
