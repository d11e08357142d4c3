"""The door for clients of the Assertive mock API: what ``serve --assertive`` adds to a server.

Their mock traffic is the proxy's own. Its control routes are handed over to a listener behind, on loopback, which takes
only what the proxy has handed over: whoever else finds its port cannot prove it.
"""

import secrets
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from understudy_gateway.dialects.assertive import loading, preload
from understudy_gateway.dialects.assertive.control import is_control
from understudy_gateway.dialects.assertive.door import build_door
from understudy_gateway.dialects.assertive.doorkeeper import RECEIVED_NAMES
from understudy_gateway.dialects.assertive.preload import Preloaded, PreloadError
from understudy_gateway.dialects.assertive.server import Refused
from understudy_gateway.wire import App, Receive, Scope, Send

from understudy_server.cli.addresses import LOOPBACK, Address
from understudy_server.cli.bound import ASSERTIVE_PLACE
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.http_limits import HttpLimits
from understudy_server.cli.http_listener import HttpListener
from understudy_server.cli.owners import Owners
from understudy_server.cli.settings import Settings
from understudy_server.proxy.handover import Handover
from understudy_server.rpc.dispatcher import Dispatcher

_PROOF: Final = b"x-understudy-handed-over"
_PROOF_BYTES_MAX: Final = 1024
_LINES_ADDED: Final = 4
"""The proxy writes a few lines of its own: the proof, a host, how the body is framed."""


@dataclass(frozen=True, slots=True)
class _Proven:
    """Answers only what the proxy has handed over."""

    app: App
    proof: bytes = field(repr=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        given = [value for name, value in scope["headers"] if name == _PROOF]
        proof, _, names = given[0].partition(b" ") if len(given) == 1 else (b"", b"", b"")
        if secrets.compare_digest(proof, self.proof):
            # The client knows nothing of it, so it is none of its headers, whatever scopes are called.
            headers = [header for header in scope["headers"] if header[0] != _PROOF]
            received = frozenset(names.split(b","))
            await self.app({**scope, "headers": headers, RECEIVED_NAMES: received}, receive, send)
            return
        await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})


def read_stubs(path: Path) -> list[Preloaded]:
    """Read the file of stubs. Raises CommandFailed."""
    try:
        return preload.read(path.read_bytes())
    except OSError as error:
        raise CommandFailed(ExitCode.REFUSED, f"cannot read {path}: {error.strerror}") from error
    except PreloadError as error:
        raise _refused(path, error) from error


async def open_door(
    stopping: AsyncExitStack, dispatcher: Dispatcher, settings: Settings, stubs: list[Preloaded]
) -> Handover:
    """Empty the environment, make the stubs of the file, and start the listener behind.

    Stubs that cannot be made are found before anything is removed. Raises CommandFailed.
    """
    backend = Owners(dispatcher)
    project, environment = ASSERTIVE_PLACE
    try:
        await loading.ready_environment(backend, project, environment, stubs)
    except PreloadError as error:
        raise _refused(settings.init_stubs, error) from error
    except Refused as error:
        what = f"cannot make {'/'.join(ASSERTIVE_PLACE)} ready for --assertive: {error}"
        raise CommandFailed(ExitCode.REFUSED, what) from error
    proof = secrets.token_hex(32).encode()
    door = build_door(backend, project=project, environment=environment, body_bytes_max=settings.rest_body_bytes_max)
    app, address = _Proven(door, proof), Address(LOOPBACK, 0)
    listener = await HttpListener.start(app, address, settings.stop_grace_seconds, _limits(settings))
    stopping.push_async_callback(listener.stop)
    return Handover(takes=is_control, upstream=f"http://{listener.address}", proof=(_PROOF, proof))


def _limits(settings: Settings) -> HttpLimits:
    """Room for whatever the proxy lets through, and for the names of its headers once more beside the proof."""
    head_bytes_max = settings.proxy_target_bytes_max + 2 * settings.proxy_head_bytes_max + _PROOF_BYTES_MAX
    return HttpLimits(head_bytes_max, settings.proxy_headers_max + _LINES_ADDED, settings.rest_request_seconds)


def _refused(path: Path | None, error: PreloadError) -> CommandFailed:
    where = f"--init-stubs {path}: " if path else ""
    return CommandFailed(ExitCode.REFUSED, f"{where}{error}")
