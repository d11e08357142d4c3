"""Rows of the door for clients of Assertive's mock API: a stub's answer against nginx, and beside many further stubs.

The server is ``understudy serve`` as a user starts it, with the journal in memory and metrics on. Its stubs are made as
such clients make them, and the requests know nothing of sessions.
"""

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from benchmarks import nginx
from benchmarks.load import Load, Loaded, compared
from benchmarks.method import SERVER_CORE, Length, Rejected, Rounds
from benchmarks.proxy_rows import Stage, measured, traced
from benchmarks.row import Row, at_least
from benchmarks.telling import full_load, rate, throughput
from benchmarks.whole import ANY_PORT, serving_anew

MANY, FEW = 1_000, 1
PATH, BODY = "/hello", b"hello"
_RATIO_MIN, _FLAT_MIN = 0.45, 0.95
_HEADERS = {"Accept": "text/plain", "User-Agent": "bench/1"}
_STUBS = "/__mock__/stubs"
_NAME = "Assertive's API, a stub with a text, journal in memory"
_NOT_HERE = "Assertive's own server is not beside it, since it is not on PyPI"


def assertive(length: Length) -> list[Row]:
    """A stub's answer against nginx's, then with many further stubs against one further."""
    with static_stage() as stage:
        rounds = measured(stage, length)
        unlike = measured(traced(stage), length)
    flat = _flat(length)
    return [
        Row(f"{_NAME}, no two requests alike / nginx's", unlike.ratio(rate), at_least(_RATIO_MIN), full_load(unlike)),
        Row(
            f"{_NAME} / nginx `return 200`",
            rounds.ratio(rate),
            at_least(_RATIO_MIN),
            f"{full_load(rounds)}; {_NOT_HERE}",
        ),
        Row(f"{_NAME}, {MANY} further stubs / {FEW}", flat.ratio(rate), at_least(_FLAT_MIN), throughput(flat)),
    ]


@contextmanager
def static_stage() -> Iterator[Stage]:
    """One stub answers; nginx returns the same body."""
    with answering_stub(0) as ours, nginx.answering(BODY, SERVER_CORE, "text/plain") as limit:
        yield Stage(ours, replace(ours, pid=limit.pid, address=limit.address))


def _flat(length: Length) -> Rounds[Load]:
    with answering_stub(MANY) as many, answering_stub(FEW) as few:
        return compared(many, few, length)


@contextmanager
def answering_stub(further: int) -> Iterator[Loaded]:
    """A server with the stub that is asked for, and so many more, each for a path of its own."""
    address = f"127.0.0.1:{nginx.free_port()}"
    with serving_anew(assertive=address, journal="memory", metrics=ANY_PORT) as server:
        make_stubs(address, [PATH, *(f"/further/{number}" for number in range(further))])
        yield Loaded(server.pid, address, PATH, _HEADERS, body=BODY)


def make_stubs(address: str, paths: list[str]) -> None:
    """One for each path, over the control API. Raises Rejected when it does not take one."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=30)
    for path in paths:
        connection.request("POST", _STUBS, json.dumps(_stub(path)), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != http.HTTPStatus.OK:
            raise Rejected(f"a stub for {path} was answered with {answer.status} {said[:200]!r}")
    connection.close()


def _stub(path: str) -> dict[str, object]:
    response = {"status_code": 200, "headers": {}, "body": BODY.decode()}
    return {"request": {"path": path, "method": "GET"}, "action": {"response": response}}
