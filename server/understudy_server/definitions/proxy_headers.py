"""The headers that the proxy alone writes: those of the connection and of the framing."""

from collections.abc import Iterable
from typing import Final

from understudy.v1.actions_pb2 import Action, Header, Respond

from understudy_server.definitions.unusable import Unusable

PROXY_HEADERS: Final = frozenset(
    (
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)


def check_headers(action: Action, path: str) -> None:
    """Look at the headers of an action, which stands at ``path``. Raises Unusable for one that is the proxy's."""
    match action.WhichOneof("kind"):
        case "respond":
            _check_respond(action.respond, f"{path}.respond")
        case "sequence":
            for number, step in enumerate(action.sequence.steps):
                _check_respond(step.respond, f"{path}.sequence.steps[{number}].respond")
        case "events":
            _check(action.events.headers, f"{path}.events.headers")
        case "forward":
            _check(action.forward.set_headers, f"{path}.forward.set_headers")


def _check_respond(respond: Respond, path: str) -> None:
    _check(respond.headers, f"{path}.headers")


def _check(headers: Iterable[Header], path: str) -> None:
    for number, header in enumerate(headers):
        if header.name.lower() in PROXY_HEADERS:
            message = f"the proxy itself writes the header {header.name!r}"
            raise Unusable(f"{path}[{number}].name", "proxy_header", message, header.name)
