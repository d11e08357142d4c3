"""Gives every request over REST an id: the one that the client chose, or a new one, told in the answer."""

from collections.abc import Awaitable, MutableMapping
from typing import Any, Final

from understudy import request_ids

from understudy_gateway.wire import Scope, Send

_HEADER: Final = request_ids.HEADER.encode()


def under_an_id(scope: Scope, send: Send) -> Send:
    """Choose the id of this request; what is sent by the function returned has it among its headers.

    It is `request_ids.CURRENT` from here on, in this task and those that it starts.
    """
    for name, value in scope["headers"]:
        if name == _HEADER:
            request_id = request_ids.chosen(value.decode("latin-1"))
            break
    else:
        request_id = request_ids.make()
    request_ids.CURRENT.set(request_id)
    line = (_HEADER, request_id.encode())

    def send_with_id(event: MutableMapping[str, Any]) -> Awaitable[None]:
        if event["type"] == "http.response.start":
            event = {**event, "headers": [*event.get("headers", ()), line]}
        return send(event)

    return send_with_id
