"""What the guard looks at: the kinds of requests that a server is busy with for good."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from guard.stage import KEY, Scene
from support.live_source import mock
from understudy.v1.mock_service_pb2 import Mock
from understudy_server.core.redaction import Redaction

_BODY = b'{"id":"ord_1001","status":"approved","currency":"EUR","total":1180,"items":[{"sku":"A-1","count":2}],'
_BODY += b'"customer":{"id":"cus_770142","name":"Ada"},"receipt":"r-1001","source":"the_mock"}'
_BODY_END = b'"source":"the_mock"}'
_TEMPLATE = _BODY.decode().replace("1001", "{{ request.path_params.id }}")
_TEMPLATE = _TEMPLATE.replace("EUR", "{{ request.query.currency }}")

_ORDER, _MADE, _REAL = "/api/orders/1001", "/api/made/1001?currency=EUR", "/api/real"
_UPSTREAM = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)

_MANY_LINES = (
    b"Accept-Language: en\r\nAccept-Encoding: gzip, br\r\nCookie: sid=4711; theme=dark\r\nCache-Control: no-cache\r\n"
    b"Authorization: Bearer abcdef\r\nReferer: http://shop.example.com/cart?token=4711&page=2\r\nX-Tenant: blue\r\n"
)
_REDACTION = Redaction(header_names=frozenset({b"x-tenant"}), query_names=frozenset({"token"}))


def _head(target: str, lines: bytes) -> bytes:
    head = f"GET /checkout/staging{target} HTTP/1.1\r\nHost: 127.0.0.1:8400\r\nx-flowmock-session: {KEY}\r\n".encode()
    return head + b"Accept: application/json\r\nUser-Agent: bench/1\r\n" + lines


def _alike(target: str) -> Callable[[int], bytes]:
    """A request that comes again, byte for byte."""
    whole = _head(target, b"\r\n")
    return lambda _number: whole


def _unlike(target: str) -> Callable[[int], bytes]:
    """A request that comes again but for its trace, as those of traced applications do."""
    head = _head(target, b"traceparent: 00-")
    return lambda number: b"%s%032x-00f067aa0ba902b7-01\r\n\r\n" % (head, number)


def _in_turn(target: str, keys: Sequence[str]) -> Callable[[int], bytes]:
    """A request that comes again but for its trace, and of one session after the other."""
    unlike = _unlike(target)
    return lambda number: unlike(number).replace(KEY.encode(), keys[number % len(keys)].encode())


def _other(target: str, lines: bytes = b"") -> Callable[[int], bytes]:
    """A request for another thing each time: ``%d`` in the target is its number."""
    head = _head(target, lines + b"\r\n")
    return lambda number: head % (1_000 + number)


def _posted(number: int) -> bytes:
    """A request with a body of its own, which its mock looks at."""
    body = b'{"amount":12,"currency":"EUR","number":%06d}' % (100_000 + number)
    head = b"POST /checkout/staging/api/pay HTTP/1.1\r\nHost: 127.0.0.1:8400\r\nx-flowmock-session: ci-42\r\n"
    return b"%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (head, len(body), body)


def _mocks() -> dict[str, Mock]:
    """All that the session has on, in every scene."""
    order = mock("ovr_order", method="GET", path=_ORDER, json=_BODY.decode())
    made = mock("ovr_made", method="GET", path="/api/made/:id")
    made.action.respond.template = _TEMPLATE
    made.action.respond.headers.add(name="content-type", value="application/json")
    paid = mock("ovr_paid", method="POST", path="/api/pay", json=_BODY.decode())
    paid.matcher.body.json_subset = '{"amount": 12}'
    return {each.id: each for each in (order, made, paid)}


_KEYS: Final = [f"ci-{number}" for number in range(100, 228)]

SCENES: Final[Mapping[str, Scene]] = {
    "static": Scene(_alike(_ORDER), _BODY, _mocks()),
    "static-metrics": Scene(_alike(_ORDER), _BODY, _mocks(), has_metrics=True),
    "static-unlike": Scene(_unlike(_ORDER), _BODY, _mocks()),
    "sessions-unlike": Scene(_in_turn(_ORDER, _KEYS), _BODY, _mocks(), keys=_KEYS),
    "static-other": Scene(_other(f"{_ORDER}?page=%d"), _BODY, _mocks()),
    "redacted-other": Scene(_other(f"{_ORDER}?token=%d", _MANY_LINES), _BODY, _mocks(), redaction=_REDACTION),
    "body-other": Scene(_posted, _BODY, _mocks()),
    "template-unlike": Scene(_unlike(_MADE), _BODY, _mocks()),
    "template-other": Scene(_other("/api/made/%d?currency=EUR"), _BODY_END, _mocks()),
    "forward-unlike": Scene(_unlike(_REAL), _BODY, _mocks(), upstream=_UPSTREAM),
    "forward-other": Scene(_other(f"{_REAL}/%d"), _BODY, _mocks(), upstream=_UPSTREAM),
}
"""Scenes by name, all with the journal in memory. Those that are ``unlike`` differ in their trace, and of sessions in
their keys; ``other`` ones ask for something else each, so that what is known of one does not help with the next."""

TIMED: Final = (
    "static",
    "static-metrics",
    "static-unlike",
    "sessions-unlike",
    "body-other",
    "template-other",
    "forward-other",
)
"""Those whose time is looked at, too: the kinds of work that compiled code does for a request are each in one."""
