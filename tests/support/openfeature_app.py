"""An app under test as its developers write it: it calls a service through the proxy, and evaluates flags.

It knows one thing of tests: it hands on the header that carries the session's key.
"""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import urlsplit

from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from support.threaded_service import Quiet, threaded_service

SESSION = "x-flowmock-session"
_WAITS_SECONDS = 30


class _Carried(threading.local):
    """The session's key in the request that this thread answers."""

    key = ""


class FlagClient:
    """OpenFeature's client over OFREP. ``session`` is the key to hand on, by thread."""

    def __init__(self, url: str, key: str, domain: str) -> None:
        self._headers = {"authorization": f"Bearer {key}"}
        self._carried = _Carried()
        self._provider = OFREPProvider(url, headers_factory=self._all_headers, timeout=_WAITS_SECONDS)
        api.set_provider(self._provider, domain)
        self._client = api.get_client(domain)

    def of(self, session: str) -> OpenFeatureClient:
        """The client, in this thread from now on on behalf of a session."""
        self._carried.key = session
        return self._client

    def close(self) -> None:
        """Let go of the connections, which the provider keeps open."""
        self._provider.session.close()
        api.clear_providers()

    def _all_headers(self) -> dict[str, str]:
        return {**self._headers, SESSION: self._carried.key} if self._carried.key else self._headers


@contextlib.contextmanager
def flag_client(url: str, key: str, domain: str = "tests") -> Iterator[FlagClient]:
    made = FlagClient(url, key, domain)
    try:
        yield made
    finally:
        made.close()


@contextlib.contextmanager
def running_app(flags: FlagClient, proxied: str) -> Iterator[str]:
    """Run the app; gives its URL. ``POST /checkout`` tells what it was told: by the service, and of flags."""

    class App(Quiet, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", "0")))
            session = self.headers.get(SESSION, "")
            body = json.dumps(_checkout(flags.of(session), proxied, session)).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with threaded_service(App) as url:
        yield url


def _checkout(flags: OpenFeatureClient, proxied: str, session: str) -> dict[str, Any]:
    user = EvaluationContext("user-123")
    flow = flags.get_boolean_value("checkout", default_value=False, evaluation_context=user)
    color = flags.get_string_value("color", default_value="none", evaluation_context=user)
    return {"flow": flow, "color": color, "paid": _pay(proxied, session)}


def _pay(proxied: str, session: str) -> list[Any]:
    """Status and answer of the payment service, asked through the proxy."""
    where = urlsplit(proxied)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=_WAITS_SECONDS)
    try:
        connection.request("POST", f"{where.path}/api/pay", "{}", {SESSION: session} if session else {})
        answer = connection.getresponse()
        return [answer.status, json.loads(answer.read())]
    finally:
        connection.close()
