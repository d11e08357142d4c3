"""Secrets are planted in all that an exchange has, and found in nothing that the server keeps, tells or says.

They are where the contract promises that they are masked: in the headers of credentials and those that the environment
names, in its query parameters (in the query, and in headers that hold a URL), and at its paths of JSON bodies. Mocks
and the service give them back, some answers fail over them, and some clients go in the middle.
"""

import base64
import contextlib
import gzip
import json
import socket
import sqlite3
import subprocess
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Final

import grpc as grpcio
import pytest
import zstandard
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from support.proofs import new_seed, report, scaled
from support.server import COMMAND, MadePlace, Server, running_server
from support.threaded_service import Quiet, threaded_service
from understudy.v1 import log_service_pb2 as logs
from understudy.v1.actions_pb2 import FAULT_KIND_CUT, Action
from understudy.v1.log_service_pb2_grpc import LogServiceStub
from understudy.v1.project_service_pb2 import UpdateEnvironmentRequest
from understudy.v1.project_service_pb2_grpc import ProjectServiceStub
from understudy.v1.session_service_pb2 import PutSessionRequest
from understudy.v1.session_service_pb2_grpc import SessionServiceStub

EXCHANGES = scaled(1_000)
KEY = "ci-42"
MARK: Final = "zqPlanted"
"""All secrets begin with it."""

_ESCAPED = "".join(f"\\u{ord(letter):04x}" for letter in MARK)
_GIVEN_BACK = '{"password": "{{ request.json.password }}", "card": {"number": "{{ request.headers["x-token"] }}"}}'
_MOCKS: dict[str, Action] = {
    "/made": Action(respond={"template": _GIVEN_BACK, "headers": [
        {"name": "content-type", "value": "application/json"},
        {"name": "x-token", "value": "{{ request.headers['x-token'] }}"},
        {"name": "set-cookie", "value": "sid={{ request.headers['x-token'] }}"},
        {"name": "location", "value": "/next?token={{ request.headers['x-token'] }}"},
    ], "header_templates": True}),
    "/failing": Action(respond={"template": "{{ request.headers['x-token']|int }}"}),
    "/static": Action(respond={"json": '{"ok": true}'}),
    "/late": Action(respond={"json": '{"ok": true}'}, delay={"fixed_ms": 5}),
}  # fmt: skip


@dataclass(frozen=True)
class Planted:
    """A request, and the bytes beside ``MARK`` that may be found nowhere."""

    data: bytes
    needles: tuple[bytes, ...]
    leaves: bool
    """The client goes when it has sent this."""


_SECRETS = st.text("abcdefghijkmnopqrstuvwxyz0123456789", min_size=8, max_size=24).map(lambda text: MARK + text)
_HEADERS = (
    "Authorization: Bearer {}",
    "aUTHORIZATION: Basic {basic}",
    "Proxy-Authorization: Digest {}",
    "Cookie: theme=dark; sid={}",
    "COOKIE: {}",
    "X-Api-Key:{}",
    "X-API-KEY: {}",
    "x-session-SECRET: a {} b",
    "Referer: https://a.example/p?x=1&token={}#token={}",
    "referer: /p?to%6ben={}",
    "Content-Location: ?pass+word={}",
)
_QUERY = ("token={}", "to%6ben={}", "%74oken={}", "pass+word={}", "pass%20word={}", "a=1", "token")
_CONTENT_TYPES = ("application/json", "application/json; charset=utf-8", "application/problem+json", "TEXT/json")
_CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda body: body,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
}


def _filled(template: str, secret: str) -> str:
    return template.replace("{basic}", _basic(secret)).replace("{}", secret)


def _basic(secret: str) -> str:
    return base64.b64encode(f"user:{secret}".encode()).decode()


@st.composite
def _bodies(draw: st.DrawFn, secret: str) -> bytes:
    """A JSON body with the secret at all the paths that are masked: pretty, escaped, broken off, or long."""
    value = draw(st.sampled_from([secret, {"plain": secret}, [secret, 1], {secret: True}]))
    whole = {
        "note": draw(st.text(max_size=8)),
        "password": secret,
        "card": {"number": value, "name": "Ada"},
        "items": [{"sku": 1, "secret": value}, {"secret": secret}],
        "deep": [{"er": {"password": value}}],
        "long": "x" * draw(st.sampled_from([0, 0, 0, 5_000, 300_000])),
    }
    text = json.dumps(whole, indent=draw(st.sampled_from([None, 2])), ensure_ascii=draw(st.booleans()))
    if draw(st.booleans()):
        text = text.replace(MARK, _ESCAPED)
    if draw(st.integers(0, 4)) == 0:
        text = text[: -draw(st.integers(1, 20))]
    return text.encode()


@st.composite
def _planted(draw: st.DrawFn, prefix: str) -> Planted:
    secret = draw(_SECRETS)
    path = draw(st.sampled_from([*_MOCKS, "/cut", "/real", "/real", "/real/reset"]))
    parameters = draw(st.lists(st.sampled_from(_QUERY), max_size=3))
    query = "&".join(_filled(each, secret) for each in parameters)
    lines = [_filled(each, secret) for each in draw(st.lists(st.sampled_from(_HEADERS), max_size=4, unique=True))]
    coding = draw(st.sampled_from(sorted(_CODINGS)))
    body = _CODINGS[coding](draw(_bodies(secret)))
    lines += [
        "Host: proxy",
        f"X-TOKEN: {secret}",
        f"X-FlowMock-Session: {KEY}",
        f"Content-Type: {draw(st.sampled_from(_CONTENT_TYPES))}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    if coding:
        lines.append(f"Content-Encoding: {coding}")
    method = draw(st.sampled_from(["POST", "PUT"]))
    head = f"{method} {prefix}{path}{'?' if query else ''}{query} HTTP/1.1\r\n" + "\r\n".join([*lines, "", ""])
    leaves = draw(st.integers(0, 5)) == 0
    sent = body[: draw(st.integers(0, len(body)))] if leaves else body
    # A body that is kept as it came would be found by a piece of it.
    packed = (body[12:28],) if coding else ()
    return Planted(head.encode() + sent, (_basic(secret).encode(), *packed), leaves)


class _Service(Quiet, BaseHTTPRequestHandler):
    """Gives back what it was sent, in all the places where an answer has secrets, or breaks off."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        if len(self.rfile.read(length)) < length:
            self.close_connection = True
            return
        secret = self.headers.get("x-token", "")
        body = json.dumps({"password": secret, "items": [{"secret": [secret]}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Set-Cookie", f"sid={secret}; HttpOnly")
        self.send_header("X-Token", secret)
        self.send_header("Location", f"https://b.example/?a=1&token={secret}#token={secret}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if "/reset" in self.path:
            body = body[:-5]
            self.close_connection = True
        self.wfile.write(body)

    def do_PUT(self) -> None:
        self.do_POST()


def _make_place(server: Server, upstream: str, *, masked: bool) -> MadePlace:
    place = server.make_place("staging", upstream=upstream)
    change = UpdateEnvironmentRequest(project=place.project, environment="staging")
    redaction = change.changes.redaction
    redaction.headers.extend(["x-token", "X-Session-Secret"])
    redaction.query.extend(["token", "pass word"])
    redaction.json_paths.extend(["$..password", "$.card.number", "$.items[*].secret"])
    if masked:
        ProjectServiceStub(server.owner).UpdateEnvironment(change)
    cut = Action(respond=_MOCKS["/made"].respond, fault={"kind": FAULT_KIND_CUT})
    session = PutSessionRequest(project=place.project, environment="staging", session_key=KEY)
    for number, (path, action) in enumerate([*_MOCKS.items(), ("/cut", cut)]):
        place.make_mock(f"ovr_{number}", matcher={"path": path}, action=action)
        session.overrides.append(f"ovr_{number}")
    SessionServiceStub(server.owner).PutSession(session)
    return place


def _send(address: str, planted: Planted) -> None:
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=30) as client:
        client.sendall(planted.data)
        if not planted.leaves:
            with contextlib.suppress(ConnectionResetError):
                while client.recv(65536):
                    pass


def _told(place: MadePlace) -> Iterator[tuple[str, bytes]]:
    """All that the doors tell of the exchanges, as bytes, and from where."""
    stub = LogServiceStub(place.server.owner)
    tail = logs.TailLogsRequest(from_start=True, until_now=True, with_details=True)
    tail.project, tail.environment, tail.session_key = place.project, "staging", KEY
    for each in stub.TailLogs(tail):
        yield "TailLogs", str(each).encode() + each.SerializeToString()
    asked = logs.ListLogsRequest(project=place.project, environment="staging", session_key=KEY, limit=100)
    while True:
        page = stub.ListLogs(asked)
        for row in page.logs:
            yield "ListLogs", str(row).encode() + row.SerializeToString()
            found = stub.GetLog(logs.GetLogRequest(log_id=row.id))
            yield "GetLog", str(found).encode() + found.SerializeToString()
            for side in (logs.SIDE_REQUEST, logs.SIDE_RESPONSE):
                # There may be none.
                with contextlib.suppress(grpcio.RpcError):
                    body = stub.GetLogBody(logs.GetLogBodyRequest(log_id=row.id, side=side))
                    yield "GetLogBody", str(body).encode() + body.SerializeToString()
        asked.before = page.next_cursor
        if not asked.before:
            return


def _exported(place: MadePlace) -> Iterator[tuple[str, bytes]]:
    """The files of the archive of the session, and the metrics."""
    archive = place.server.data.parent / "session.zip"
    flags = ("--project", place.project, "--environment", "staging", "--data", str(place.server.data))
    subprocess.run((*COMMAND, "session", "export", KEY, "-o", str(archive), *flags), check=True, capture_output=True)
    with zipfile.ZipFile(archive) as files:
        for name in files.namelist():
            yield name, files.read(name)
    with urllib.request.urlopen(f"http://{place.server.metrics}/metrics", timeout=30) as answer:
        yield "metrics", answer.read()


def _kept(server: Server) -> Iterator[tuple[str, bytes]]:
    """All that the server has on disk, its output among it; what the journal keeps compressed also as it was before."""
    for path in [*sorted(server.data.rglob("*")), server.output]:
        if path.is_file():
            yield path.name, path.read_bytes()
    with contextlib.closing(sqlite3.connect(server.data / "journal.db")) as journal:
        for (content,) in journal.execute("SELECT content FROM segment"):
            packed = content.startswith(zstandard.FRAME_HEADER)
            yield "content in journal.db", zstandard.ZstdDecompressor().decompress(content) if packed else content


@dataclass
class Search:
    """What was sent, and where what was planted in it is found."""

    sent: list[Planted] = field(default_factory=list)
    needles: set[bytes] = field(default_factory=lambda: {MARK.encode(), _ESCAPED.encode()})
    found: list[tuple[str, bytes]] = field(default_factory=list)
    rows: int = 0
    bytes_looked_at: int = 0

    def look(self, texts: Iterable[tuple[str, bytes]]) -> None:
        """Look for all of it in texts, of which each has the name of where it is from."""
        for name, text in texts:
            self.rows += name == "ListLogs"
            self.bytes_looked_at += len(text)
            for needle in self.needles:
                at = text.find(needle)
                if at >= 0:
                    self.found.append((name, text[max(0, at - 40) : at + 60]))


def _search(exchanges: int, number: int, *, masked: bool = True) -> Search:
    """Plant secrets in so many exchanges, and look for them wherever the server keeps or tells anything."""
    search = Search()
    with threaded_service(_Service) as upstream, running_server("--api-rate", "1000000/60", "--metrics", "0") as server:
        place = _make_place(server, upstream, masked=masked)

        @seed(number)
        @settings(
            max_examples=exchanges,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(_planted(f"/{place.project}/staging"))
        def plant(planted: Planted) -> None:
            search.needles.update(planted.needles)
            search.sent.append(planted)
            _send(server.proxy, planted)

        plant()
        search.look(_told(place))
        search.look(_exported(place))
        search.look(_kept(server))
        server.process.terminate()
        server.process.wait(60)
        search.look((f"{name}, after the end", text) for name, text in _kept(server))
    return search


@pytest.mark.timeout(1800)
def test_no_secret_of_an_exchange_is_kept_or_told() -> None:
    number = new_seed()
    search = _search(EXCHANGES, number)
    report(
        "secrets",
        exchanges=len(search.sent),
        rows=search.rows,
        megabytes_looked_at=search.bytes_looked_at // 1_000_000,
        found=len(search.found),
        seed=number,
    )
    assert search.found == [], {name for name, _ in search.found}
    assert len(search.sent) >= EXCHANGES
    # Of those that left at once some were never read.
    assert sum(not each.leaves for each in search.sent) <= search.rows <= len(search.sent)


def test_the_search_finds_what_is_not_masked() -> None:
    search = _search(5, new_seed(), masked=False)
    places = {name for name, _ in search.found}
    assert {"TailLogs", "GetLog", "exchanges.har", "exchanges.jsonl", "content in journal.db"} <= places
