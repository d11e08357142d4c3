"""Which environment a request is for, and what of its target is behind the proxy's own part.

A listener is open or bound. An open one finds the environment by the host name, if that is an environment's own, and
else by the path, `/<project>/<environment>/<rest>`. A bound one serves a single environment. Only the rest is matched,
forwarded and logged.
"""

from understudy_server.live.environment import LiveEnvironment
from understudy_server.live.view import LiveView
from understudy_server.proxy.messages import ClientRequest

Addressed = tuple[LiveEnvironment, str, str]
"""The environment; the target behind the proxy's own part, with its query; the host name, if it was found by that."""


def address(view: LiveView, request: ClientRequest, bound: tuple[str, str] | None) -> Addressed | None:
    """Find the environment of a request; ``None`` when there is none. ``bound`` are the slugs of a bound listener's."""
    target = request.target
    if bound is None and not view.by_host:
        # The usual way, without a detour: the second slash after the first one ends the proxy's part.
        end = target.find("/", target.find("/", 1) + 1)
        live = view.by_path.get(target[:end]) if end > 0 else None
        if live is not None:
            return live, target[end:], ""
    return _address_in_full(view, request, bound)


def _address_in_full(view: LiveView, request: ClientRequest, bound: tuple[str, str] | None) -> Addressed | None:
    target, host = request.target, ""
    if not target.startswith("/"):
        # In absolute form the target says for whom it is, and Host counts no more. Source: RFC 9112, section 3.2.2.
        host, target = split_absolute(target)
    if bound is not None:
        live = view.live(*bound)
        return (live, target, "") if live else None
    if view.by_host:
        name = host_name(host or request.host.decode("latin-1"))
        live = view.live_for_host(name)
        if live:
            return live, target, name
    return _address_by_path(view, target)


def _address_by_path(view: LiveView, target: str) -> Addressed | None:
    path, mark, query = target.partition("?")
    root, *parts = path.split("/", 3)
    if root or len(parts) < 2:
        return None
    live = view.live(parts[0], parts[1])
    return (live, "/" + "".join(parts[2:]) + mark + query, "") if live else None


def split_absolute(target: str) -> tuple[str, str]:
    """The authority and the rest of a target in absolute form; of any other, nothing and the target itself."""
    scheme, mark, rest = target.partition("://")
    if not mark or scheme.lower() not in ("http", "https"):
        return "", target
    end = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    authority, path = rest[:end].rpartition("@")[2], rest[end:]
    return authority, path if path.startswith("/") else "/" + path


def host_name(authority: str) -> str:
    """The name of an authority, in lower case, without a port and without the dot of a rooted name."""
    name, colon, port = authority.lower().rpartition(":")
    if not colon or not port.isdigit():
        name = authority.lower()
    return name.removesuffix(".")
