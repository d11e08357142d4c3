"""The admin pages with made-up data behind them, and a ``/__mock__`` that plays along or refuses."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from understudy_gateway.dialects.assertive_admin import page, panels
from understudy_gateway.dialects.assertive_admin.assets import PAGE_HEADERS, assets

PATIENCE_SECONDS = 30

_HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Call:
    """A call that a page made."""

    method: str
    path: str
    headers: dict[str, str]
    body: str

    def json(self) -> Any:
        return json.loads(self.body)


def stub_view(stub_id: str, scope: str | None = None, **parts: Any) -> dict[str, Any]:
    """A StubView of a stub that answers 200 with text; ``parts`` replace what it has."""
    request = dict.fromkeys(("method", "path", "body", "headers", "host", "query"))
    response = {"status_code": 200, "headers": {}, "body": "text", "template_body": None}
    action = {"response": response, "proxy": None, "sse": None}
    view = {"stub_id": stub_id, "request": request, "action": action, "scope": scope, "chaos": None}
    request.update(parts.pop("request", {}))
    return view | parts


def request_view(path: str, method: str = "GET", **parts: Any) -> dict[str, Any]:
    """A RequestView of a call that no stub matched; ``parts`` replace what it has."""
    view: dict[str, Any] = {
        "method": method,
        "path": path,
        "query": {},
        "headers": {"host": "api.example.com", "accept": "*/*"},
        "body": "",
        "host": "api.example.com",
        "scope": None,
        "matched_stub_id": None,
    }
    return view | parts


@dataclass
class Stage:
    """What the pages show, and what they asked for. ``refusals`` are answers to come, by method and path, once each."""

    url: str = ""
    stubs: list[dict[str, Any]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    refusals: dict[tuple[str, str], tuple[int, str, str]] = field(default_factory=dict)
    silent: bool = False
    """Whether connections are closed without an answer."""
    held: dict[str, threading.Event] = field(default_factory=dict)
    """Paths whose answers, made already, leave only when the event is set."""
    changed: threading.Condition = field(default_factory=threading.Condition)

    def of(self, method: str, path: str) -> list[Call]:
        """The calls of a method and a path until now."""
        return [each for each in list(self.calls) if (each.method, each.path) == (method, path)]

    def wait_for(self, method: str, path: str, count: int = 1) -> list[Call]:
        """Wait until there were so many calls. Raises AssertionError when they do not come."""
        with self.changed:
            came = self.changed.wait_for(lambda: len(self.of(method, path)) >= count, PATIENCE_SECONDS)
        assert came, f"{method} {path} was called {len(self.of(method, path))} times"
        return self.of(method, path)

    def refuse(self, method: str, path: str, status: int, body: Any) -> None:
        """Answer the next such call with an error: an object as JSON, text as a fragment."""
        kind, text = (_HTML, body) if isinstance(body, str) else ("application/json", json.dumps(body))
        self.refusals[method, path] = (status, kind, text)


@contextmanager
def admin_stage() -> Iterator[Stage]:
    """The pages on a free port, until the end of the block."""
    stage = Stage()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(stage))
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    stage.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield stage
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


Reply = tuple[int, str, str]


def _handler(stage: Stage) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._play()

        def do_POST(self) -> None:
            self._play()

        def do_DELETE(self) -> None:
            self._play()

        def _play(self) -> None:
            path = urlsplit(self.path).path
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            call = Call(self.command, path, headers, body)
            with stage.changed:
                stage.calls.append(call)
                stage.changed.notify_all()
            if stage.silent:
                self.close_connection = True
                return
            refused = (self.command, path) in stage.refusals
            status, kind, text = stage.refusals.pop((self.command, path)) if refused else _answer(stage, call)
            if path in stage.held:
                assert stage.held[path].wait(PATIENCE_SECONDS)
            self.send_response(status)
            sent = text.encode()
            for name, value in ({"content-type": kind, "content-length": str(len(sent))} | dict(PAGE_HEADERS)).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    return Handler


def _answer(stage: Stage, call: Call) -> Reply:
    asset = assets().get(call.path)
    if asset:
        return 200, asset.media_type, asset.body.decode()
    *_, kind, name = ["", *call.path.split("/")]
    for (method, prefix), play in _ROUTES.items():
        if call.method == method and call.path in (prefix, f"{prefix}/{name}"):
            return play(stage, unquote(name) if call.path != prefix else "", call)
    return 404, _HTML, page.not_found(f"There is no {kind} here.")


def _dashboard(stage: Stage, _name: str, _call: Call) -> Reply:
    return 200, _HTML, page.dashboard(_global(stage.stubs), _global(stage.requests), stage.scopes)


def _form(stage: Stage, _name: str, _call: Call) -> Reply:
    return 200, _HTML, page.new_stub_form(stage.scopes)


def _stub(stage: Stage, name: str, _call: Call) -> Reply:
    found = [each for each in stage.stubs if each["stub_id"] == name]
    return (200, _HTML, page.stub_detail(found[0])) if found else (404, _HTML, page.not_found(f"No stub '{name}'."))


def _scope(stage: Stage, name: str, _call: Call) -> Reply:
    if name not in stage.scopes:
        return 404, _HTML, page.not_found(f"Scope '{name}' was not found")
    stubs = [each for each in stage.stubs if each["scope"] in (name, None)]
    return 200, _HTML, page.scope_detail(name, stubs, stage.requests)


def _partial(stage: Stage, name: str, _call: Call) -> Reply:
    fragments: dict[str, Callable[[], str]] = {
        "stubs": lambda: panels.stubs_panel(_global(stage.stubs)),
        "requests": lambda: panels.requests_panel(_global(stage.requests)),
        "scopes": lambda: panels.scopes_panel(stage.scopes),
    }
    return 200, _HTML, fragments[name]()


def _delete_stub(stage: Stage, name: str, call: Call) -> Reply:
    seen = [each for each in stage.stubs if each["scope"] is None or each["scope"] in call.headers]
    found = [each for each in seen if each["stub_id"] == name]
    for each in found:
        stage.stubs.remove(each)
    if call.path.startswith("/__mock__"):
        return (200 if found else 404), "application/json", json.dumps({"detail": f"Stub '{name}' was not found"})
    error = "" if found else f"Stub '{name}' was not found"
    return (200 if found else 404), _HTML, panels.stubs_panel(_global(stage.stubs), error)


def _delete_scope(stage: Stage, name: str, _call: Call) -> Reply:
    error = "" if name in stage.scopes else f"Scope '{name}' was not found"
    stage.scopes = [each for each in stage.scopes if each != name]
    return (404 if error else 200), _HTML, panels.scopes_panel(stage.scopes, error)


def _make_stub(stage: Stage, _name: str, call: Call) -> Reply:
    scope = next((each for each in stage.scopes if each in call.headers), None)
    stage.stubs.append(stub_view(f"made-{len(stage.stubs)}", scope, request=call.json()["request"]))
    return 200, "application/json", json.dumps({"success": True, "stub_id": stage.stubs[-1]["stub_id"]})


def _make_scope(stage: Stage, _name: str, call: Call) -> Reply:
    name = call.json()["name"]
    if name.lower() in stage.scopes:
        return 409, "application/json", json.dumps({"detail": f"Scope '{name}' already exists"})
    stage.scopes.append(name.lower())
    return 201, "application/json", json.dumps({"success": True, "name": name.lower()})


_ROUTES: dict[tuple[str, str], Callable[[Stage, str, Call], Reply]] = {
    ("GET", "/__admin__"): _dashboard,
    ("GET", "/__admin__/stubs/new"): _form,
    ("GET", "/__admin__/stubs"): _stub,
    ("GET", "/__admin__/scopes"): _scope,
    ("GET", "/__admin__/partials"): _partial,
    ("DELETE", "/__admin__/actions/stubs"): _delete_stub,
    ("DELETE", "/__admin__/actions/scopes"): _delete_scope,
    ("DELETE", "/__mock__/stubs"): _delete_stub,
    ("POST", "/__mock__/stubs"): _make_stub,
    ("POST", "/__mock__/scopes"): _make_scope,
}


def _global(views: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [each for each in views if each["scope"] is None]
