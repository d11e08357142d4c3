"""A server whose Assertive door is open, and those who use it: in a scope, or in none."""

import contextlib
import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx
from assertive_mock_api_client import MockApiClient
from support.plain_app import PlainAnswer, PlainApp
from support.plain_http import NO_TLS
from support.server import Server, running_server

NO_MATCH = (404, "NO_STUB_MATCH_FOUND")
_SECONDS_MAX = 30
_numbers = itertools.count(1)

Payload = dict[str, Any]


def text(body: str = "here", status: int = 200, headers: Mapping[str, Any] | None = None) -> Payload:
    """An action that answers with text."""
    return {"response": {"status_code": status, "headers": headers or {}, "body": body}}


def template(body: str, headers: Mapping[str, Any] | None = None) -> Payload:
    """An action that answers with what a template makes."""
    return {"response": {"status_code": 200, "headers": headers or {}, "template_body": body}}


def events(*data: str | Payload, **parts: Any) -> Payload:
    """An action that streams events; a text is one with nothing but data."""
    return {"sse": {"events": [{"data": each} if isinstance(each, str) else each for each in data], **parts}}


def proxied(url: str, **parts: Any) -> Payload:
    """An action that forwards."""
    return {"proxy": {"url": url, **parts}}


@dataclass(frozen=True)
class AssertiveUser:
    """One who makes stubs and calls. All goes out with the header of the scope, if there is one."""

    http: httpx.Client
    address: str
    scope: str = ""

    @property
    def headers(self) -> dict[str, str]:
        return {self.scope: "1"} if self.scope else {}

    @property
    def unscoped(self) -> "AssertiveUser":
        """The same one, out of the scope."""
        return replace(self, scope="")

    def ask(self, method: str, path: str, **parts: Any) -> httpx.Response:
        """Send a request: a call, or one of the control plane."""
        headers = self.headers | parts.pop("headers", {})
        return self.http.request(method, path, headers=headers, **parts)

    def said(self, method: str, path: str, **parts: Any) -> tuple[int, str]:
        """Status and text of an answer."""
        answer = self.ask(method, path, **parts)
        return answer.status_code, answer.text

    def write(self, method: str, target: str, *lines: str, body: bytes = b"", host: str = "mock") -> PlainAnswer:
        """Send a request whose target and header lines are written as they are."""
        scope = [f"{self.scope}: 1"] if self.scope else []
        return PlainApp(self.address).ask(method, target, *scope, *lines, body=body, host=host)

    def post_stub(self, payload: Any) -> httpx.Response:
        return self.ask("POST", "/__mock__/stubs", json=payload)

    def stub(self, request: Mapping[str, Any], action: Mapping[str, Any] | None = None, **parts: Any) -> str:
        """Make a stub, which answers ``here`` unless told otherwise; its id."""
        answer = self.post_stub({"request": request, "action": action or text(), **parts})
        assert answer.status_code == 200, answer.text
        stub_id: str = answer.json()["stub_id"]
        return stub_id

    def refused(self, payload: Any, path: str = "/__mock__/stubs") -> list[dict[str, Any]]:
        """Send what cannot be; what is said to be wrong with it."""
        answer = self.ask("POST", path, json=payload)
        assert answer.status_code == 422, answer.text
        details: list[dict[str, Any]] = answer.json()["detail"]
        return details

    def delete_stub(self, stub_id: str) -> int:
        return self.ask("DELETE", f"/__mock__/stubs/{stub_id}").status_code

    def stubs(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._read("/__mock__/stubs")["stubs"]
        return found

    def view(self, stub_id: str) -> dict[str, Any]:
        """The one stub of an id."""
        (found,) = [each for each in self.stubs() if each["stub_id"] == stub_id]
        return found

    def requests(self, path: str) -> list[dict[str, Any]]:
        """What is on record for a path."""
        found: list[dict[str, Any]] = self._read("/__mock__/requests")["requests"]
        return [each for each in found if each["path"] == path]

    def asserts(self, **parts: Any) -> bool:
        answer = self.ask("POST", "/__mock__/assert", json=parts)
        assert answer.status_code == 200, answer.text
        result: bool = answer.json()["result"]
        return result

    def called(self, path: str, times: int) -> bool:
        """Tell whether a path was called so often."""
        return self.asserts(path=path, times={"$eq": {"value": times}})

    def scopes(self) -> list[str]:
        found: list[str] = self._read("/__mock__/scopes")["scopes"]
        return found

    @contextlib.contextmanager
    def in_new_scope(self, name: str = "") -> Iterator["AssertiveUser"]:
        """One who acts in a scope of a name of its own, which ends with the block."""
        name = name or f"scope-{next(_numbers)}"
        made = self.ask("POST", "/__mock__/scopes", json={"name": name})
        assert made.status_code == 201, made.text
        try:
            yield replace(self, scope=name)
        finally:
            # The test may have deleted it.
            assert self.ask("DELETE", f"/__mock__/scopes/{name}").status_code in (200, 404)

    def _read(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.text)


@dataclass(frozen=True)
class AssertiveServer:
    """A running server, and the address of its Assertive door."""

    server: Server
    user: AssertiveUser

    @property
    def address(self) -> str:
        return self.user.address

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def client(self) -> MockApiClient:
        """The product's own client."""
        return MockApiClient(base_url=self.url)


@contextlib.contextmanager
def running_assertive(*flags: str) -> Iterator[AssertiveServer]:
    """Start a server with an Assertive door on a free port, and stop it in the end."""
    with running_server("--assertive", "127.0.0.1:0", *flags) as server, using(server.assertive) as user:
        yield AssertiveServer(server, user)


@contextlib.contextmanager
def using(address: str) -> Iterator[AssertiveUser]:
    """One who uses what listens at an address, in no scope."""
    with httpx.Client(base_url=f"http://{address}", verify=NO_TLS, trust_env=False, timeout=_SECONDS_MAX) as http:
        yield AssertiveUser(http, address)
