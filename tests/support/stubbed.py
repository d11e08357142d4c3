"""An environment of Assertive's profile, with stubs in the product's own words, behind a proxy without sockets."""

from collections.abc import Mapping, Sequence
from typing import Any

from support.live_source import ENVIRONMENT_ID, FakeSource, environment, session
from support.manual_loop import Wire
from support.virtual_proxy import VirtualProxy
from understudy.v1.mock_service_pb2 import MOCK_STATE_PUBLISHED, Mock
from understudy_gateway.dialects.assertive.stubs import translate
from understudy_server.core.profiles import Profile

Stub = Mapping[str, Any]

PREFIX = "/checkout/staging"
"""Behind it stands what is asked for: the tests' proxy serves any environment."""


def stub(request: Mapping[str, Any], body: Any = "", **payload: Any) -> Stub:
    """A stub that answers with a body; ``payload`` are other parts of it, such as ``action`` in place of that."""
    return {"request": request, "action": respond(body), **payload}


def respond(body: Any, status_code: int = 200, headers: Mapping[str, str] | None = None) -> Stub:
    return {"response": {"status_code": status_code, "headers": dict(headers or {}), "body": body}}


def template(source: str) -> Stub:
    return {"response": {"status_code": 200, "headers": {}, "template_body": source}}


def sse(*events: Stub, default_delay_ms: int = 0) -> Stub:
    return {"sse": {"events": list(events), "default_delay_ms": default_delay_ms}}


def proxy_to(url: str, timeout: int = 5, headers: Mapping[str, str] | None = None) -> Stub:
    return {"proxy": {"url": url, "headers": dict(headers or {}), "timeout": timeout}}


def drop(probability: float = 1.0) -> Stub:
    """Chaos that drops the connection."""
    return {"faults": {"connection_drop": {"probability": probability}}}


def message_of(stub_id: str, given: Stub, created_ms: int = 1) -> Mock:
    """The mock that a stub is."""
    made = translate(given)
    message = Mock(id=stub_id, name=stub_id, state=MOCK_STATE_PUBLISHED, matcher=made.matcher, action=made.action)
    lifetime = made.lifetime()
    if lifetime is not None:
        message.lifetime.CopyFrom(lifetime)
    message.created_at.FromMilliseconds(created_ms)
    return message


def stubbed(*stubs: Stub, scopes: Mapping[str, Sequence[Stub]] | None = None, **row: Any) -> FakeSource:
    """The global stubs, named ``stub_0`` and so on, and those of scopes (``NAME_0``); ``row`` are settings."""
    scoped = scopes or {}
    messages = {f"stub_{number}": message_of(f"stub_{number}", each, number + 1) for number, each in enumerate(stubs)}
    own = {
        (f"ses_{name}", f"{name}_{number}"): message_of(f"{name}_{number}", each, number + 1)
        for name, each_stubs in scoped.items()
        for number, each in enumerate(each_stubs)
    }
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(profile=Profile.ASSERTIVE, active_mocks=tuple(messages), **row)},
        mocks=dict(messages),
        sessions={f"ses_{name}": session(name, by_header_name=True) for name in scoped},
        session_mocks=dict(own),
    )
    return source


def request(
    method: str, target: str, *lines: str, body: bytes = b"", host: str = "mocks.example:8910", version: str = "1.1"
) -> bytes:
    """A request; the connection goes on after it."""
    framed = [*lines, f"Content-Length: {len(body)}"] if body else [*lines]
    head = [f"{method} {PREFIX}{target} HTTP/{version}", f"Host: {host}", *framed, "", ""]
    return "\r\n".join(head).encode("latin-1") + body


def get(target: str, *lines: str, **parts: Any) -> bytes:
    return request("GET", target, *lines, **parts)


def answered(proxy: VirtualProxy, data: bytes) -> bytes:
    """What a client gets that sends this, up to now."""
    return b"".join(proxy.send(data).sent)


def without_date(answer: bytes) -> bytes:
    lines = answer.split(b"\r\n")
    return b"\r\n".join([line for line in lines if not line.startswith(b"date: ")])


def head_and_body(answer: bytes) -> tuple[list[bytes], bytes]:
    """The first line and the header lines without the date, in order, and what follows."""
    head, _, body = without_date(answer).partition(b"\r\n\r\n")
    return head.split(b"\r\n"), body


def said(wire: Wire) -> bytes:
    """All that a client was sent until now."""
    return b"".join(wire.sent)
