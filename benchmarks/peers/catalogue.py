"""The peers, each set up as its own documentation does it for the one answer, and left as it is in everything else.

What a peer logs or keeps of each request by default it does here, too; those for which that is much stand here without
it as well. All listen to this machine alone but mockserver, which cannot.
"""

import json
from collections.abc import Sequence

from benchmarks.nginx import free_port
from benchmarks.peers.peer import Peer, Place
from benchmarks.scenery import KEY, MOCKED_BODY, PROXIED_MOCKED_PATH, PROXIED_REAL_PATH, UPSTREAM_BODY

_SESSION = "x-flowmock-session"
_JSON = "application/json"
_BODY = MOCKED_BODY.decode()


def _program(place: Place, name: str) -> list[str]:
    """A command of an npm package, without the shell and the npm around it."""
    return ["node", str((place.home / "node_modules" / ".bin" / name).resolve())]


def _wiremock(place: Place) -> list[str]:
    request = {"method": "GET", "urlPath": PROXIED_MOCKED_PATH, "headers": {_SESSION: {"equalTo": KEY}}}
    response = {"status": 200, "body": _BODY, "headers": {"Content-Type": _JSON}}
    place.write("mappings/order.json", {"request": request, "response": response})
    [jar] = (place.home / "node_modules" / "wiremock").rglob("wiremock-standalone-*.jar")
    options = ["--port", str(place.port), "--bind-address", "127.0.0.1", "--root-dir", str(place.folder)]
    return ["java", f"-Duser.home={place.folder}", "-jar", str(jar), *options]


def _wiremock_without_journal(place: Place) -> list[str]:
    return [*_wiremock(place), "--no-request-journal"]


def _mountebank(place: Place) -> list[str]:
    wanted = {"method": "GET", "path": PROXIED_MOCKED_PATH, "headers": {_SESSION: KEY}}
    # It closes each connection unless it is told otherwise.
    kept = {"Connection": "keep-alive"}
    answer = {"is": {"statusCode": 200, "headers": {"Content-Type": _JSON, **kept}, "body": _BODY}}
    imposter = {
        "port": place.port,
        "protocol": "http",
        "host": "127.0.0.1",
        "defaultResponse": {"statusCode": 404, "headers": kept},
        "stubs": [{"predicates": [{"equals": wanted}], "responses": [answer]}],
    }
    file = place.write("imposters.json", {"imposters": [imposter]})
    return [*_program(place, "mb"), "start", "--configfile", file, "--port", str(free_port()), "--host", "127.0.0.1"]


def _mountebank_without_log(place: Place) -> list[str]:
    return [*_mountebank(place), "--nologfile", "--loglevel", "error"]


def _mockoon(place: Place) -> list[str]:
    rule = {"target": "header", "modifier": _SESSION, "value": KEY, "operator": "equals", "invert": False}
    right = {"statusCode": 200, "body": _BODY, "headers": [{"key": "Content-Type", "value": _JSON}], "rules": [rule]}
    other = {"statusCode": 404, "body": "{}", "default": True}
    numbered = [{"uuid": _uuid(3 + number), **each} for number, each in enumerate((right, other))]
    route = {"uuid": _uuid(2), "type": "http", "method": "get", "endpoint": PROXIED_MOCKED_PATH.lstrip("/")}
    environment = {
        "uuid": _uuid(1),
        "lastMigration": 33,
        "name": "Orders",
        "port": place.port,
        "hostname": "127.0.0.1",
        "routes": [{**route, "responses": numbered}],
        "rootChildren": [{"type": "route", "uuid": _uuid(2)}],
    }
    file = place.write("orders.json", environment)
    return [*_program(place, "mockoon-cli"), "start", "--repair", "--data", file]


def _uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


def _prism(place: Place) -> list[str]:
    session = {
        "name": _SESSION,
        "in": "header",
        "required": True,
        "schema": {"type": "string", "enum": [KEY]},
    }
    answer = {"description": "The order.", "content": {_JSON: {"example": _order()}}}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Orders", "version": "1"},
        "paths": {PROXIED_MOCKED_PATH: {"get": {"parameters": [session], "responses": {"200": answer}}}},
    }
    file = place.write("openapi.json", document)
    return [*_program(place, "prism"), "mock", "--host", "127.0.0.1", "--port", str(place.port), file]


def _order() -> object:
    return json.loads(MOCKED_BODY)


def _json_server(place: Place) -> list[str]:
    data = place.write("db.json", {"orders": [_order()]})
    routes = place.write("routes.json", {PROXIED_MOCKED_PATH: "/orders/ord_1001"})
    options = ["--host", "127.0.0.1", "--port", str(place.port), "--routes", routes]
    return [*_program(place, "json-server"), *options, data]


def _mockserver(place: Place) -> list[str]:
    answer = f"HTTP/1.1 200 OK\nContent-Type: {_JSON}\n\n{_BODY}"
    place.write(f"mocks{PROXIED_MOCKED_PATH}/GET_X-Flowmock-Session={KEY}.mock", answer)
    program = _program(place, "mockserver")
    return ["env", f"MOCK_HEADERS={_SESSION}", *program, "--port", str(place.port), "--mocks", "mocks"]


def _mockserver_without_log(place: Place) -> list[str]:
    return [*_mockserver(place), "--quiet"]


_ADDON = f"""
from mitmproxy import http

BODY = {MOCKED_BODY!r}


def request(flow):
    asked = flow.request
    if asked.path == {PROXIED_MOCKED_PATH!r} and asked.headers.get({_SESSION!r}) == {KEY!r}:
        flow.response = http.Response.make(200, BODY, {{"Content-Type": {_JSON!r}}})
    else:
        flow.response = http.Response.make(404)
"""


def _mitmproxy(place: Place) -> list[str]:
    # Nobody listens there: with an answer of the addon there is nothing to connect for.
    addon = place.write("answers.py", _ADDON)
    return [*_mitmdump(place, "127.0.0.1:1"), "--set", "connection_strategy=lazy", "--scripts", addon]


def _mitmproxy_passing_on(place: Place) -> list[str]:
    return _mitmdump(place, place.upstream)


def _mitmdump(place: Place, upstream: str) -> list[str]:
    options = ["--mode", f"reverse:http://{upstream}", "--listen-host", "127.0.0.1", "--listen-port", str(place.port)]
    return [str(place.home / "bin" / "mitmdump"), *options]


PEERS: Sequence[Peer] = (
    Peer("WireMock", "wiremock", _wiremock, "its journal of all requests on, as by default", needs=["java"]),
    Peer("WireMock without its journal", "wiremock", _wiremock_without_journal, "no journal", needs=["java"]),
    Peer("mountebank", "mountebank", _mountebank, "its log of requests on, as by default"),
    Peer("mountebank without its log", "mountebank", _mountebank_without_log, "no log"),
    Peer("Mockoon CLI", "@mockoon/cli", _mockoon, "its log of requests on, as by default"),
    Peer("Prism", "@stoplight/prism-cli", _prism, "its log of requests on, as by default; the header is validated"),
    Peer(
        "json-server",
        "json-server",
        _json_server,
        "its log of requests on, as by default; it does not look at headers",
        checks_session=False,
    ),
    Peer("mockserver", "mockserver", _mockserver, "its log of requests on, as by default; a file for each answer"),
    Peer("mockserver without its log", "mockserver", _mockserver_without_log, "no log; a file for each answer"),
    Peer("mitmproxy", "mitmproxy", _mitmproxy, "an addon answers; its log of requests on, as by default", needs=[]),
)

# Passes everything to an upstream.
FORWARDER = Peer(
    "mitmproxy in reverse mode",
    "mitmproxy",
    _mitmproxy_passing_on,
    "its log of requests on, as by default",
    needs=[],
    checks_session=False,
    path=PROXIED_REAL_PATH,
    body=UPSTREAM_BODY,
)
