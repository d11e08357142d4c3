"""Requests that are played to a proxy one after the other, with mocks of which each looks at something else of them."""

from typing import NamedTuple

from support.live_source import environment, mock
from support.manual_loop import Wire
from support.proxying import NOON_MS
from support.virtual_proxy import VirtualProxy
from understudy.v1.mock_service_pb2 import Mock
from understudy_server.core.carriers import Carrier, CarrierKind
from understudy_server.core.exchange import Exchange
from understudy_server.core.json_masking import JsonMask
from understudy_server.core.json_paths import parse
from understudy_server.core.redaction import Redaction

START_MS = NOON_MS + 1_000_000
"""When the proxies of these tests begin."""

_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: a=1\r\n\r\nok"
_REDACTION = Redaction(frozenset({b"x-tenant"}), frozenset({"token"}), JsonMask((parse("$.token"),)))
ROWS = [
    environment(upstream="http://192.0.2.1/base"),
    environment(upstream="http://192.0.2.1", redaction=_REDACTION, forwards_session_header=False),
    environment(upstream="http://192.0.2.1", carriers=(Carrier(CarrierKind.COOKIE, "qa"),), captured_bytes_max=5),
    environment(upstream="http://192.0.2.1", strict=True, carriers=(Carrier(CarrierKind.HEADER, "x-tenant"),)),
    environment(upstream="", adds_cors_headers=False, answers_preflights=False),
    environment(upstream="http://192.0.2.1", request_body_bytes_max=9),
]


class Played(NamedTuple):
    """What the client and the upstream got, and what went on record, but for its id."""

    answer: bytes
    asked: bytes
    exchange: Exchange | None


def _made(name: str, template: str, **fields: str) -> Mock:
    made = mock(f"ovr_{name}", path=f"/{name}")
    made.action.respond.template = template
    for header, value in fields.items():
        made.action.respond.headers.add(name=header, value=value)
    return made


def all_mocks() -> dict[str, Mock]:
    judged = mock("ovr_judged", path="/judged", json='{"by": "tenant"}')
    judged.matcher.headers["x-tenant"].equals = "blue"
    by_cookie = mock("ovr_cookie", path="/judged", json='{"by": "cookie"}')
    by_cookie.matcher.cookies["sid"].equals = "1"
    by_all = mock("ovr_all", path="/all", json='{"by": "all"}')
    by_all.matcher.all_headers.json_subset = '{"traceparent": "1"}'
    with_cookie = mock("ovr_fixed", path="/fixed", json='{"token": "s3cr3t"}')
    with_cookie.action.respond.headers.add(name="Set-Cookie", value="a=1")
    by_body = mock("ovr_body", path="/body", json='{"by": "body"}')
    by_body.matcher.body.json_subset = '{"a": 1}'
    all_of_them = [
        with_cookie,
        by_body,
        judged,
        by_cookie,
        by_all,
        mock("ovr_late", path="/late", json="1", delay_ms=20),
        mock("ovr_old", path="/dated", json="1"),
        _made("parsed", "{{ request.json.a }} {{ request.body }}"),
        _made("echo", "{{ request.headers.traceparent }} {{ request.query.a }}"),
        _made("cookies", "{{ request.cookies.sid }}"),
        _made("whole", "{{ request.headers | tojson }}"),
        _made("target", "{{ request.target }} {{ request.host }} {{ request.method }}"),
        _made("header", "x"),
    ]
    last = all_of_them[-1].action.respond
    last.header_templates = True
    last.headers.add(name="x-echo", value="{{ request.headers['x-tenant'] | default('') }}")
    all_of_them[6].action.respond.headers.add(name="Date", value="today")
    return {each.id: each for each in all_of_them}


PATHS = (
    "/fixed",
    "/judged",
    "/all",
    "/late",
    "/dated",
    "/echo",
    "/cookies",
    "/whole",
    "/target",
    "/header",
    "/body",
    "/parsed",
    "/real",
)


def request(method: str, target: str, *lines: str, body: bytes = b"") -> bytes:
    length = [f"Content-Length: {len(body)}"] if body else []
    head = [f"{method} /checkout/staging{target} HTTP/1.1", "Host: proxy", *length, *lines, "", ""]
    return "\r\n".join(head).encode("latin-1") + body


def play(proxy: VirtualProxy, client: Wire, data: bytes) -> Played:
    sent, recorded = len(client.sent), len(proxy.exchanges)
    told = [len(each.sent) for each in proxy.upstreams]
    proxy.say(client, data)
    asked = [b"".join(each.sent[at:]) for each, at in zip(proxy.upstreams, [*told, 0], strict=False)]
    for wire, request in zip(proxy.upstreams, asked, strict=True):
        if request:
            proxy.say(wire, _OK if not request.startswith(b"HEAD") else _OK[:-2])
    proxy.pass_ms(100)
    exchange = None
    for each in proxy.exchanges[recorded:]:
        assert exchange is None
        exchange = each._replace(id="", request_headers=tuple(each.request_headers))
    return Played(b"".join(client.sent[sent:]), b"".join(asked), exchange)
