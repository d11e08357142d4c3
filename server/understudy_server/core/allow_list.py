"""Which upstream addresses may be connected to, judged at connect: after the name was resolved, by the address itself.

An upstream is where an editor says it is, and so the proxy could be made to fetch what only its machine can reach. Some
ranges are *guarded*: link-local (where clouds keep the credentials of a machine) and the clouds' other metadata
addresses, multicast, unspecified and broadcast. A guarded address is admitted only by an entry that is an address or a
range inside the guarded one. A name never admits it, since whoever owns the name decides where it resolves, and neither
does a wider range, since nobody who writes ``0.0.0.0/0`` thinks of them.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

ALLOWED = "an address (10.1.2.3), a range (10.0.0.0/8), a host name (api.example.com) or *.example.com"

_EVERYTHING: tuple[Network, ...] = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))
_GUARDED: tuple[Network, ...] = (
    IPv4Network("0.0.0.0/8"),
    IPv4Network("169.254.0.0/16"),
    IPv4Network("224.0.0.0/4"),
    IPv4Network("255.255.255.255/32"),
    IPv6Network("::/128"),
    IPv6Network("fe80::/10"),
    IPv6Network("ff00::/8"),
    # Metadata services outside the link-local ranges: Alibaba Cloud, AWS, Google Cloud.
    IPv4Network("100.100.100.200/32"),
    IPv6Network("fd00:ec2::254/128"),
    IPv6Network("fd20:ce::254/128"),
)
# IPv6 addresses that stand for an IPv4 one, in their last 32 bits: mapped (RFC 4291), and translated (RFC 6052).
_IPV4_IN_IPV6 = (IPv6Network("::ffff:0:0/96"), IPv6Network("64:ff9b::/96"))

_NAME_CHARACTERS_MAX = 253
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
# The last label of a name that some resolvers read as an address: 127.1, 0x7f000001.
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")


@dataclass(frozen=True, slots=True)
class AllowList:
    """What is admitted: addresses in ``networks``, hosts in ``names``, hosts that end in one of ``suffixes``."""

    networks: tuple[Network, ...] = _EVERYTHING
    names: frozenset[str] = frozenset()
    suffixes: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "AllowList":
        """Read entries with commas between them. Blank text stands for everything but the guarded ranges.

        ``*.example.com`` is every host below ``example.com``, at any depth, and not that name itself. Raises ValueError
        with a sentence that names the entry and what is allowed.
        """
        if not text.strip():
            return cls()
        networks: list[Network] = []
        names: list[str] = []
        suffixes: list[str] = []
        for entry in (each.strip() for each in text.split(",")):
            network = _network(entry)
            if network is not None:
                networks.append(network)
            elif entry.startswith("*."):
                suffixes.append("." + _name(entry, entry[2:]))
            else:
                names.append(_name(entry, entry))
        return cls(tuple(networks), frozenset(names), tuple(suffixes))

    def admits(self, host: str, address: str) -> bool:
        """Whether to connect to ``address`` (numeric), which is where ``host`` (as the upstream names it) resolved to.

        A text that is no address is not admitted.
        """
        judged = _judged(address)
        if judged is None:
            return False
        ranges = [network for network in self.networks if judged in network]
        guarded = next((network for network in _GUARDED if judged in network), None)
        if guarded is not None:
            return any(_lies_inside(network, guarded) for network in ranges)
        return bool(ranges) or self._names(host)

    def _names(self, host: str) -> bool:
        name = _ascii(host)
        return name in self.names or name.endswith(self.suffixes)


def _judged(address: str) -> Address | None:
    try:
        read = ip_address(address)
    except ValueError:
        return None
    if isinstance(read, IPv6Address) and any(read in network for network in _IPV4_IN_IPV6):
        return IPv4Address(int(read) & 0xFFFF_FFFF)
    return read


def _lies_inside(network: Network, outer: Network) -> bool:
    return network.prefixlen >= outer.prefixlen and network.network_address in outer


def _network(entry: str) -> Network | None:
    """Read an address or a range; ``None`` when the entry is meant to be a name."""
    try:
        network = ip_network(entry)
    except ValueError as error:
        if "/" in entry or ":" in entry:
            raise ValueError(f"{entry!r} is no address or range ({error}): allowed is {ALLOWED}") from None
        return None
    if isinstance(network, IPv6Network) and any(_lies_inside(network, each) for each in _IPV4_IN_IPV6):
        # It would never match: such addresses are judged as the IPv4 address that they stand for.
        raise ValueError(f"{entry!r} stands for IPv4 addresses: write it as them; allowed is {ALLOWED}")
    return network


def _name(entry: str, text: str) -> str:
    name = _ascii(text)
    well_formed = len(name) <= _NAME_CHARACTERS_MAX and _NAME.fullmatch(name)
    if not well_formed or _NUMBER.fullmatch(name.rpartition(".")[2]):
        raise ValueError(f"{entry!r} is no address, range or host name: allowed is {ALLOWED}")
    return name


def _ascii(host: str) -> str:
    """A host name in lower case, as it is asked for in DNS, without a dot at its end; empty when it cannot be one."""
    name = host.lower().removesuffix(".")
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return ""
