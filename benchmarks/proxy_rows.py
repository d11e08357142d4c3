"""Rows of the proxy at full load: a mock's answer, and passing through, each against nginx doing the same."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from understudy.v1.project_service_pb2 import Redaction

from benchmarks import nginx
from benchmarks.load import Load, Loaded, compared
from benchmarks.method import LOAD_CORE, SERVER_CORE, Length, Rounds, Spread
from benchmarks.mocked import dropped_by, serving_mocks
from benchmarks.row import Row, at_least, at_most
from benchmarks.scenery import (
    HEADERS,
    MANY_HEADERS,
    MASKED,
    MOCKED_BODY,
    PROXIED_MOCKED_PATH,
    PROXIED_REAL_PATH,
    PROXIED_SECRET_PATH,
    PROXIED_TEMPLATED_PATH,
    SECRET_HEADERS,
    UPSTREAM_BODY,
)
from benchmarks.telling import full_load, latencies, p99, rate, writing
from benchmarks.whole import Whole


@dataclass(frozen=True)
class Stage:
    """Our server and what it is compared with, such as an nginx that does the same; both are running."""

    ours: Loaded
    reference: Loaded


@contextmanager
def static_stage(
    path: str = PROXIED_MOCKED_PATH,
    headers: Mapping[str, str] = HEADERS,
    journal: str = "memory",
    redaction: Redaction | None = None,
) -> Iterator[Stage]:
    """A mock answers; nginx returns the same body."""
    with serving_mocks(journal, redaction=redaction) as server, beside_nginx(server, path, headers) as stage:
        yield stage


@contextmanager
def beside_nginx(
    server: Whole, path: str = PROXIED_MOCKED_PATH, headers: Mapping[str, str] = HEADERS
) -> Iterator[Stage]:
    """A server whose mock answers, and an nginx that returns the same body."""
    with nginx.answering(MOCKED_BODY, SERVER_CORE) as limit:
        ours = Loaded(server.pid, server.proxy, path, headers, body=MOCKED_BODY)
        yield Stage(ours, replace(ours, pid=limit.pid, address=limit.address))


@contextmanager
def forward_stage() -> Iterator[Stage]:
    """No mock answers; both pass to one nginx, which shares the load's core."""
    with (
        nginx.answering(UPSTREAM_BODY, LOAD_CORE) as upstream,
        serving_mocks(upstream=f"http://{upstream.address}") as server,
        nginx.passing_to(upstream.address, SERVER_CORE) as limit,
    ):
        ours = Loaded(server.pid, server.proxy, PROXIED_REAL_PATH, HEADERS, body=UPSTREAM_BODY)
        yield Stage(ours, replace(ours, pid=limit.pid, address=limit.address))


STAGES: dict[str, Callable[[], AbstractContextManager[Stage]]] = {
    "static": static_stage,
    "static-headers": partial(static_stage, headers=MANY_HEADERS),
    "static-durable": partial(static_stage, journal="disk"),
    "static-masked": partial(static_stage, PROXIED_SECRET_PATH, SECRET_HEADERS, redaction=MASKED),
    "template": partial(static_stage, PROXIED_TEMPLATED_PATH),
    "forward": forward_stage,
}


def static(length: Length) -> list[Row]:
    """A mock's answer with the journal in memory: to one request over and over, and to requests that never repeat."""
    with STAGES["static"]() as stage:
        rounds = measured(stage, length)
        unlike = measured(traced(stage), length)
    name = "static mock, journal in memory"
    return [
        _unlike_row(name, unlike, 0.50),
        Row(f"{name} / nginx `return 200`", rounds.ratio(rate), at_least(0.50, aim=0.70), full_load(rounds)),
        Row(f"{name}: p99 / nginx's", rounds.ratio_of_medians(p99), at_most(2.50, aim=1.80), latencies(rounds)),
    ]


def static_headers(length: Length) -> list[Row]:
    """A mock's answer to a request with the headers that a browser behind a login sends."""
    with STAGES["static-headers"]() as stage:
        rounds = measured(stage, length)
        unlike = measured(traced(stage), length)
    # Every client sends Host.
    name = f"static mock, {len(MANY_HEADERS) + 1} request headers, journal in memory"
    return [
        _unlike_row(name, unlike, 0.40),
        Row(f"{name} / nginx `return 200`", rounds.ratio(rate), at_least(0.40, aim=0.55), full_load(rounds)),
    ]


def static_durable(length: Length) -> list[Row]:
    """A mock's answer with the journal on disk."""
    with serving_mocks("disk") as server, beside_nginx(server) as stage:
        rounds = measured(stage, length)
        unlike = measured(traced(stage), length)
        dropped = Spread.of([float(dropped_by(server))])
    name = "static mock, journal on disk"
    detail = f"{full_load(rounds)}; {writing(rounds)}"
    return [
        _unlike_row(name, unlike, 0.38),
        Row(f"{name} / nginx `return 200`", rounds.ratio(rate), at_least(0.38, aim=0.55), detail),
        Row(f"{name}: exchanges dropped", dropped, at_most(0.0), "in all rounds of the closed loop together"),
    ]


def static_masked(length: Length) -> list[Row]:
    """A mock's answer where a header, a parameter of the query and a value of its body are masked on record."""
    with STAGES["static-masked"]() as stage:
        unlike = measured(traced(stage), length)
        rounds = measured(stage, length)
    name = "static mock, journal in memory, masked in header, query and body"
    return [
        Row(f"{name}, no two requests alike / nginx's", unlike.ratio(rate), None, full_load(unlike)),
        Row(f"{name} / nginx `return 200`", rounds.ratio(rate), None, full_load(rounds)),
    ]


def template(length: Length) -> list[Row]:
    """An answer with three values of the request in it, made for each, with the journal in memory."""
    with STAGES["template"]() as stage:
        rounds = measured(stage, length)
        unlike = measured(traced(stage), length)
    name = "template with three values, journal in memory"
    return [
        _unlike_row(name, unlike, 0.40),
        Row(f"{name} / nginx `return 200`", rounds.ratio(rate), at_least(0.40, aim=0.55), full_load(rounds)),
    ]


def forward(length: Length) -> list[Row]:
    """Passing through with the journal in memory."""
    with STAGES["forward"]() as stage:
        rounds = measured(stage, length)
        unlike = measured(traced(stage), length)
    name = "forward, journal in memory"
    return [
        _unlike_row(name, unlike, 0.40),
        Row(f"{name} / nginx `proxy_pass`", rounds.ratio(rate), at_least(0.40, aim=0.55), full_load(rounds)),
        Row(f"{name}: p99 / nginx's", rounds.ratio_of_medians(p99), None, latencies(rounds)),
    ]


def _unlike_row(name: str, rounds: Rounds[Load], bound: float) -> Row:
    """Requests as traced applications send them, judged by what holds for one that is sent again and again."""
    return Row(f"{name}, no two requests alike / nginx's", rounds.ratio(rate), at_least(bound), full_load(rounds))


def traced(stage: Stage) -> Stage:
    """The same with requests that never repeat."""
    return replace(stage, ours=replace(stage.ours, traced=True), reference=replace(stage.reference, traced=True))


def measured(stage: Stage, length: Length) -> Rounds[Load]:
    """Ours against the reference, at full load."""
    return compared(stage.ours, stage.reference, length)
