"""The service behind the sample environment: a shop's checkout that always goes well.

It answers below a path of its own, which marks the upstream of an environment as the sample's: a start may then move it
to the port of the day, and never touches one that somebody set. It is a part of most first starts, and so it is an
application without a framework, which would take longer to import than the rest of the proxy.
"""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from understudy_gateway.answers import Answer
from understudy_gateway.wire import Receive, Scope, Send, send_answer

from understudy_server.cli.sample_names import PREFIX

_CART = {"items": [{"sku": "tea-green-100g", "quantity": 2, "price": 590}], "total": 1180, "currency": "EUR"}
_USER = re.compile(r"/api/users/([^/]+)")
_FIXED: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("GET", "/api/cart"): _CART,
    ("POST", "/api/pay"): {"status": "approved", "receipt": "r-1001"},
    ("GET", "/health"): {"status": "ok"},
}


async def sample_upstream(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer one request (ASGI)."""
    method, path = scope["method"], scope["path"]
    # What is not below that path is nobody's.
    inside = path.removeprefix(PREFIX) if path.startswith(PREFIX) else ""
    asked = ("GET" if method == "HEAD" else method, inside)
    user = _USER.fullmatch(inside) if asked[0] == "GET" else None
    found = {"id": user[1], "name": "Alice Example", "plan": "standard"} if user else _FIXED.get(asked)
    status = HTTPStatus.OK if found else HTTPStatus.NOT_FOUND
    value = found or {"error": f"the sample service has no {method} {path.removeprefix(PREFIX)}"}
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    await send_answer(send, Answer(status, [(b"content-type", b"application/json")], body), head=method == "HEAD")
