"""What an environment may tell the proxy: the rules that the limits of single fields do not show."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from understudy.v1.manifest_service_pb2 import ManifestEnvironment
from understudy.v1.project_service_pb2 import Carrier, Environment, EnvironmentChanges

from understudy_server.app.ports import Transaction
from understudy_server.core import json_paths
from understudy_server.core.errors import Conflict, Fault, InvalidInput

# Clients read a name whose last label is a number as an IPv4 address (WHATWG URL, "ends in a number").
_ADDRESS = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")


def check_settings(given: Environment | EnvironmentChanges | ManifestEnvironment, path: str) -> None:
    """Refuse settings that have the form they must have and yet mean nothing.

    ``path`` is that of the message in the request. Raises InvalidInput.
    """
    _check_upstream(given.upstream, f"{path}.upstream")
    _check_hosts(given.hosts, f"{path}.hosts")
    _check_carriers(given.carriers, f"{path}.carriers")
    _check_json_paths(given.redaction.json_paths, f"{path}.redaction.json_paths")


async def check_hosts_are_free(tx: Transaction, hosts: Sequence[str], path: str, own_id: str = "") -> None:
    """Raise Conflict (already_exists) when another environment than ``own_id`` has one of the hosts.

    Whose it is is not told: the caller's key may not see that environment.
    """
    for number, host in enumerate(hosts):
        other = await tx.environment_by_host(host)
        if other is not None and other.id != own_id:
            fault = Fault(f"{path}[{number}]", "unique", given=host)
            raise Conflict("already_exists", f"another environment has the host {host!r} already", fault)


def _check_upstream(url: str, path: str) -> None:
    """Refuse what has the form of a base URL and yet names no place: a port beyond 65535, a broken IPv6 address."""
    try:
        usable = urlsplit(url).port != 0
    except ValueError:
        usable = False
    if not usable:
        raise InvalidInput(f"{path} has no valid address or port", Fault(path, "address", given=url[:100]))


def _check_hosts(hosts: Sequence[str], path: str) -> None:
    seen: set[str] = set()
    for number, host in enumerate(hosts):
        place = f"{path}[{number}]"
        if _ADDRESS.fullmatch(host):
            raise InvalidInput(f"{place} is an address and not a name", Fault(place, "host_name", given=host))
        if host in seen:
            raise InvalidInput(f"{place} is in the list already", Fault(place, "unique", given=host))
        seen.add(host)


def _check_carriers(carriers: Sequence[Carrier], path: str) -> None:
    for number, carrier in enumerate(carriers):
        if carrier.WhichOneof("source") is None:
            place = f"{path}[{number}]"
            raise InvalidInput(f"{place} names no place in a request", Fault(place, "required"))


def _check_json_paths(texts: Sequence[str], path: str) -> None:
    for number, text in enumerate(texts):
        try:
            json_paths.parse(text)
        except json_paths.BadPath as bad:
            place = f"{path}[{number}]"
            message = f"{place} is not a JSONPath that can be followed: {bad}"
            raise InvalidInput(message, Fault(place, "json_path", given=text[:100])) from bad
