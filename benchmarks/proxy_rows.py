"""Rows of the proxy at full load: a mock's answer, and passing through, each against nginx doing the same."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from benchmarks import nginx
from benchmarks.load import Load, Loaded, load
from benchmarks.method import LOAD_CORE, SERVER_CORE, Length, Rounds, alternate
from benchmarks.processes import Started, started
from benchmarks.row import Row, at_least, at_most
from benchmarks.scenery import (
    HEADERS,
    MOCKED_BODY,
    PROXIED_MOCKED_PATH,
    PROXIED_REAL_PATH,
    PROXIED_TEMPLATED_PATH,
    UPSTREAM_BODY,
)
from benchmarks.telling import latencies, p99, rate, throughput


@dataclass(frozen=True)
class Stage:
    """Our server and the nginx that does the same, both running, asked the same."""

    server: Started
    ours: Loaded
    nginx: Loaded


@contextmanager
def static_stage(kind: str, path: str = PROXIED_MOCKED_PATH) -> Iterator[Stage]:
    """A mock answers; nginx returns the same body."""
    with started(kind) as server, nginx.answering(MOCKED_BODY, SERVER_CORE) as limit:
        ours = Loaded(server.pid, server.address, path, HEADERS, body=MOCKED_BODY)
        yield Stage(server, ours, replace(ours, pid=limit.pid, address=limit.address))


@contextmanager
def forward_stage() -> Iterator[Stage]:
    """No mock answers; both pass to one nginx, which shares the load's core."""
    with (
        nginx.answering(UPSTREAM_BODY, LOAD_CORE) as upstream,
        started("proxy-memory", f"http://{upstream.address}") as server,
        nginx.passing_to(upstream.address, SERVER_CORE) as limit,
    ):
        ours = Loaded(server.pid, server.address, PROXIED_REAL_PATH, HEADERS, body=UPSTREAM_BODY)
        yield Stage(server, ours, replace(ours, pid=limit.pid, address=limit.address))


STAGES: dict[str, Callable[[], AbstractContextManager[Stage]]] = {
    "static": partial(static_stage, "proxy-memory"),
    "static-durable": partial(static_stage, "proxy-durable"),
    "template": partial(static_stage, "proxy-memory", PROXIED_TEMPLATED_PATH),
    "forward": forward_stage,
}


def static(length: Length) -> list[Row]:
    """A mock's answer with the journal in memory: to one request over and over, and to requests that never repeat."""
    with STAGES["static"]() as stage:
        rounds = _measured(stage, length)
        traced = _measured(_traced(stage), length)
    name = "static mock, journal in memory"
    return [
        Row(f"{name}, no two requests alike / nginx's", traced.ratio(rate), None, throughput(traced)),
        Row(f"{name} / nginx `return 200`", rounds.ratio(rate), at_least(0.50), throughput(rounds)),
        Row(f"{name}: p99 / nginx's", rounds.ratio(p99), at_most(2.50, must=False), latencies(rounds)),
    ]


def static_durable(length: Length) -> list[Row]:
    """A mock's answer with the journal on disk."""
    with STAGES["static-durable"]() as stage:
        rounds = _measured(stage, length)
    detail = f"{throughput(rounds)}; {stage.server.last_words} exchanges dropped"
    name = "static mock, journal on disk / nginx `return 200`"
    return [Row(name, rounds.ratio(rate), at_least(0.38), detail)]


def template(length: Length) -> list[Row]:
    """An answer with three values of the request in it, made for each, with the journal in memory."""
    with STAGES["template"]() as stage:
        rounds = _measured(stage, length)
        traced = _measured(_traced(stage), length)
    name = "template with three values, journal in memory"
    return [
        Row(f"{name}, no two requests alike / nginx's", traced.ratio(rate), None, throughput(traced)),
        Row(f"{name} / nginx `return 200`", rounds.ratio(rate), at_least(0.40), throughput(rounds)),
    ]


def forward(length: Length) -> list[Row]:
    """Passing through with the journal in memory."""
    with STAGES["forward"]() as stage:
        rounds = _measured(stage, length)
        traced = _measured(_traced(stage), length)
    name = "forward, journal in memory"
    return [
        Row(f"{name}, no two requests alike / nginx's", traced.ratio(rate), None, throughput(traced)),
        Row(f"{name} / nginx `proxy_pass`", rounds.ratio(rate), at_least(0.40), throughput(rounds)),
        Row(f"{name}: p99 / nginx's", rounds.ratio(p99), None, latencies(rounds)),
    ]


def _traced(stage: Stage) -> Stage:
    return replace(stage, ours=replace(stage.ours, traced=True), nginx=replace(stage.nginx, traced=True))


def _measured(stage: Stage, length: Length) -> Rounds[Load]:
    return alternate(
        lambda: load(stage.ours, length.seconds), lambda: load(stage.nginx, length.seconds), length, steady=rate
    )
