"""Mocks that a page shows, in one running server: each is on for whoever asks for it, in a session of its own."""

import contextlib
import http.client
import itertools
import shlex
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from support.server import Server, running_server
from understudy.v1.manifest_service_pb2 import ApplyManifestRequest, Manifest, ManifestMock
from understudy.v1.manifest_service_pb2_grpc import ManifestServiceStub
from understudy.v1.session_service_pb2 import PutSessionRequest
from understudy.v1.session_service_pb2_grpc import SessionServiceStub
from understudy.v1.state_service_pb2 import SetStateValueRequest
from understudy.v1.state_service_pb2_grpc import StateServiceStub
from understudy_server.cli.curl_line import read_curl
from understudy_server.manifest.reading import read_value

PROJECT, ENVIRONMENT = "shown", "staging"
_SECONDS_MAX = 30


def read_mock(text: str) -> ManifestMock:
    """A mock as it stands in a file."""
    return read_value(text, "the page", ManifestMock, {}).message


@dataclass(frozen=True)
class Answer:
    """What came back. ``body`` is cut where the connection was, and ``whole`` says whether it was not."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool = True


@dataclass
class Shown:
    """The mocks of a page, and where they are asked."""

    server: Server
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def apply(self, mocks: Mapping[str, ManifestMock]) -> None:
        """Have these mocks by their ids, all published and none of them on, and no others."""
        manifest = Manifest(source="page")
        environment = manifest.projects[PROJECT].environments[ENVIRONMENT]
        for mock_id, mock in mocks.items():
            environment.mocks[mock_id].CopyFrom(mock)
        ManifestServiceStub(self.server.owner).ApplyManifest(ApplyManifestRequest(manifest=manifest))

    def session(self, mock_id: str, state: Mapping[str, str] | None = None, seed: int = 0) -> str:
        """Make a session for which a mock is on, and which keeps these values; gives its key."""
        key = f"row-{next(self._numbers)}"
        put = PutSessionRequest(
            session_key=key, project=PROJECT, environment=ENVIRONMENT, overrides=[mock_id], seed=seed
        )
        SessionServiceStub(self.server.owner).PutSession(put)
        for name, value in (state or {}).items():
            StateServiceStub(self.server.owner).SetStateValue(
                SetStateValueRequest(session_key=key, project=PROJECT, environment=ENVIRONMENT, key=name, value=value)
            )
        return key

    def ask(self, line: str, key: str) -> Answer:
        """Send what curl would send for what stands behind its URL: ``/api/pay?page=2 -X POST``."""
        sent = read_curl(_words(line), lambda _: b"")
        connection = http.client.HTTPConnection(self.server.proxy, timeout=_SECONDS_MAX)
        with contextlib.closing(connection):
            connection.putrequest(sent.method, _prefixed(sent.target), skip_host=True, skip_accept_encoding=True)
            for name, value in (*sent.headers, ("x-flowmock-session", key)):
                connection.putheader(name, value)
            connection.endheaders(sent.body or None)
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            try:
                return Answer(answer.status, headers, answer.read())
            except http.client.IncompleteRead as cut:
                return Answer(answer.status, headers, cut.partial, whole=False)

    def post(self, body: bytes, key: str) -> Answer:
        """Send these bytes as a body, or none."""
        connection = http.client.HTTPConnection(self.server.proxy, timeout=_SECONDS_MAX)
        with contextlib.closing(connection):
            connection.request("POST", _prefixed("/"), body or None, {"x-flowmock-session": key})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())

    def ask_raw(self, path: str, key: str) -> bytes:
        """Send a GET and take all that comes until the connection is closed. Raises ConnectionResetError."""
        host, _, port = self.server.proxy.rpartition(":")
        head = f"GET {_prefixed(path)} HTTP/1.1\r\nhost: shop\r\nx-flowmock-session: {key}\r\nconnection: close\r\n\r\n"
        with socket.create_connection((host, int(port)), _SECONDS_MAX) as connection:
            connection.sendall(head.encode())
            pieces = []
            while piece := connection.recv(65_536):
                pieces.append(piece)
        return b"".join(pieces)


@contextlib.contextmanager
def shown_mocks(mocks: Mapping[str, ManifestMock]) -> Iterator[Shown]:
    """Start a server that has applied these mocks."""
    with running_server("--api-rate", "1000000/60") as server:
        shown = Shown(server)
        shown.apply(mocks)
        yield shown


def _words(line: str) -> list[str]:
    path, *options = shlex.split(line)
    return [f"http://shop.example.com{path}", *options]


def _prefixed(target: str) -> str:
    return f"/{PROJECT}/{ENVIRONMENT}{target}"
