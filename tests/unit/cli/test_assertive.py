"""What stands before the door of Assertive: only what the proxy has handed over gets in, as the client sent it."""

from typing import Any

import pytest
from understudy_gateway.dialects.assertive.doorkeeper import RECEIVED_NAMES
from understudy_gateway.wire import Receive, Scope, Send
from understudy_server.cli.assertive import _Proven

PROOF = b"x-understudy-handed-over"


async def ask(*headers: tuple[bytes, bytes]) -> tuple[Scope | None, list[Any]]:
    """Send a request: what the application gets of it, and what is answered."""
    got: list[Scope] = []
    sent: list[Any] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        got.append(scope)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await _Proven(app, b"secret")({"type": "http", "headers": list(headers)}, receive, send)
    return (got[0] if got else None), sent


async def test_what_was_handed_over_gets_in_without_the_line_that_proves_it() -> None:
    scope, sent = await ask((b"host", b"here"), (PROOF, b"secret host,te,team-a"), (b"a", b"b"))
    assert scope is not None
    assert scope["headers"] == [(b"host", b"here"), (b"a", b"b")]
    assert scope[RECEIVED_NAMES] == {b"host", b"te", b"team-a"}
    assert sent == []


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [(PROOF, b"")],
        [(PROOF, b"guessed host")],
        [(PROOF, b"secretly host")],
        [(PROOF, b"secret host"), (PROOF, b"secret host")],
    ],
)
async def test_all_else_is_answered_as_if_nobody_was_there(lines: list[tuple[bytes, bytes]]) -> None:
    scope, sent = await ask((b"host", b"here"), *lines)
    assert scope is None
    assert sent[0]["status"] == 404
