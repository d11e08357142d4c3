"""Which environment a request of curl's is for, and what of its path is behind the proxy's own part.

It is where the request would go: to a listener of the proxy, which may be for one environment alone, or by a host name
that is an environment's own. A request to anywhere else is taken as the app would send it through the proxy, to the
place that is named on the command line.
"""

import ipaddress
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from understudy_server.cli.command import Desk
from understudy_server.cli.curl_line import Sent
from understudy_server.cli.failures import CommandFailed, ExitCode

if TYPE_CHECKING:
    from understudy.v1.project_service_pb2 import Environment
    from understudy.v1.server_service_pb2 import Listener

_PAGE_SIZE = 1000
_PORTS = {"http": "80", "https": "443"}


async def place_of(desk: Desk, sent: Sent) -> tuple[Desk, str]:
    """The desk at the place of a request, and the target that is matched there. Raises CommandFailed."""
    listeners = await listeners_of(desk)
    listener = next((each for each in listeners if _is_for(each.address, sent.authority)), None)
    if listener is not None and listener.place:
        return _at(desk, listener.place), sent.target
    owner = await _owner_of_host(desk, _host_name(sent.header("host") or sent.authority))
    if owner is not None:
        return desk.at(project=owner.project, environment=owner.slug), sent.target
    place, rest = _split(sent.target)
    if listener is not None:
        if not place:
            advice = "Write PROJECT/ENVIRONMENT behind the address, as the app does: /checkout/staging/api/pay."
            raise CommandFailed(ExitCode.USAGE, "the proxy finds no environment by this URL", advice)
        return _at(desk, place), rest
    if place == f"{desk.project}/{desk.environment}":
        return desk, rest
    return desk, sent.target


def _at(desk: Desk, place: str) -> Desk:
    project, _, environment = place.partition("/")
    return desk.at(project=project, environment=environment)


def _split(target: str) -> tuple[str, str]:
    """The place that the beginning of a path names, empty for none, and the rest."""
    path, mark, query = target.partition("?")
    _, *parts = path.split("/", 3)
    if len(parts) < 2 or not all(parts[:2]):
        return "", target
    return "/".join(parts[:2]), "/" + "".join(parts[2:]) + mark + query


async def listeners_of(desk: Desk) -> Sequence["Listener"]:
    """Where the proxy listens; nothing where no server runs, and for a key that may not ask."""
    from understudy.v1.server_service_pb2 import GetStatusRequest, GetStatusResponse

    try:
        status = (await desk.call(GetStatusRequest(), GetStatusResponse)).status
    except CommandFailed as failure:
        if failure.exit_code is ExitCode.NOT_AUTHORISED and failure.reason != "unauthorized":
            return ()
        raise
    return [each for each in status.listeners if each.kind == "proxy"]


def _is_for(address: str, authority: str) -> bool:
    """Whether a listener at an address takes what is sent to an authority, as far as names can tell."""
    scheme, mark, plain = address.partition("://")
    host, _, port = (plain if mark else scheme).rpartition(":")
    name, colon, given_port = authority.rpartition(":")
    if not colon or not given_port.isdigit():
        name, given_port = authority, _PORTS["https" if mark else "http"]
    if port != given_port:
        return False
    return _plain(host) == _plain(name) or (is_here(host) and is_here(name)) or _is_anywhere(host)


def _plain(host: str) -> str:
    return host.strip("[]").lower().removesuffix(".")


def is_here(host: str) -> bool:
    """Whether a host, as an address names it, is this machine by its very name."""
    name = _plain(host)
    address = _address(name)
    return name == "localhost" or name.endswith(".localhost") or (address is not None and address.is_loopback)


def _is_anywhere(host: str) -> bool:
    address = _address(_plain(host))
    return address is not None and address.is_unspecified


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _host_name(authority: str) -> str:
    name, colon, port = authority.rpartition(":")
    return _plain(name if colon and port.isdigit() else authority)


async def _owner_of_host(desk: Desk, name: str) -> "Environment | None":
    """The environment whose own a host name is. Nobody's when the key may not look."""
    if is_here(name) or _address(name) is not None:
        return None
    try:
        async for environment in _environments(desk):
            if name in environment.hosts:
                return environment
    except CommandFailed as failure:
        if failure.exit_code not in (ExitCode.NOT_AUTHORISED, ExitCode.NOT_FOUND):
            raise
    return None


async def _environments(desk: Desk) -> AsyncIterator["Environment"]:
    from understudy.v1 import project_service_pb2 as pb

    for project in await _projects(desk):
        request = pb.ListEnvironmentsRequest(project=project, page_size=_PAGE_SIZE)
        while True:
            page = await desk.call(request, pb.ListEnvironmentsResponse)
            for environment in page.environments:
                yield environment
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token


async def _projects(desk: Desk) -> Sequence[str]:
    from understudy.v1 import project_service_pb2 as pb

    if desk.project:
        return [desk.project]
    found: list[str] = []
    request = pb.ListProjectsRequest(page_size=_PAGE_SIZE)
    while True:
        page = await desk.call(request, pb.ListProjectsResponse)
        found += [project.slug for project in page.projects]
        if not page.next_page_token:
            return found
        request.page_token = page.next_page_token
