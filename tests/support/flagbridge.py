"""One who asks FlagBridge's door with keys of every scope."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from support.server import Server

ENVIRONMENTS = ("production", "staging", "development")


@dataclass
class FlagBridge:
    """Asks with a key of the scope named; `""` for none. ``keys`` are those of the project, by scope."""

    http: httpx.Client
    server: Server
    project: str
    make_key: Callable[..., str]
    keys: dict[str, str] = field(default_factory=dict)

    def key(self, scope: str) -> str:
        if scope not in self.keys:
            self.keys[scope] = self.make_key(scope, self.project, "production")
        return self.keys[scope]

    def ask(
        self, scope: str, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        lines = dict(headers or {})
        if scope:
            lines["authorization"] = f"Bearer {self.key(scope)}"
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        return self.http.request(method, f"/v1{path}", content=content, headers=lines)

    def done(self, scope: str, method: str, path: str, body: Any = None) -> Any:
        """The JSON of an answer that is no refusal."""
        answer = self.ask(scope, method, path, body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def session(self, **fields: Any) -> dict[str, Any]:
        made: dict[str, Any] = self.done("test", "POST", "/testing/sessions", {"projectId": self.project, **fields})
        return made

    def override(self, session: Mapping[str, Any], key: str, value: Any) -> None:
        self.done("test", "PUT", f"/testing/sessions/{session['id']}/overrides/{key}", {"value": value})

    def flag(self, key: str, **fields: Any) -> Any:
        return self.done("mgmt", "POST", f"/projects/{self.project}/flags", {"key": key, "name": key, **fields})

    def evaluate(self, key: str, token: str | None = None, scope: str = "eval", **context: Any) -> dict[str, Any]:
        headers = {} if token is None else {"X-FlagBridge-Session": token}
        answer = self.ask(scope, "POST", "/evaluate", {"flagKey": key, "context": context}, headers)
        assert answer.status_code == httpx.codes.OK, answer.text
        found: dict[str, Any] = answer.json()
        return found
