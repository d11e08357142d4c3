"""What is exposed to Prometheus: every metric with its labels, and its samples from a snapshot.

The labels are bounded by what an operator makes: projects, environments and the contract's own words. Never a key, a
path or a mock.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family

from understudy_server.telemetry.histogram import Counts
from understudy_server.telemetry.snapshot import Snapshot

_MICROSECONDS: Final = 1e-6
_NONE: Final = "unknown"

Labels = tuple[str, ...]
Sample = tuple[Labels, float | Counts]


class Metric(NamedTuple):
    """A metric: ``labels`` are the names, ``samples`` gives a value or a histogram for the values of the labels.

    ``unit`` is what one of the values of a histogram is, in seconds.
    """

    kind: str
    name: str
    about: str
    labels: Labels
    samples: Callable[[Snapshot], Iterable[Sample]]
    unit: float = 1.0


def _requests(snapshot: Snapshot) -> Iterator[Sample]:
    for (environment_id, outcome), count in snapshot.tallied.requests.items():
        place = snapshot.environments.get(environment_id)
        if place:
            yield (place.project, place.environment, outcome or _NONE), count


def _answers(snapshot: Snapshot) -> Iterator[Sample]:
    for outcome, counts in snapshot.tallied.answer.items():
        yield (outcome or _NONE,), counts


def _calls(snapshot: Snapshot) -> Iterator[Sample]:
    yield from snapshot.called.calls.items()


def _losses(snapshot: Snapshot) -> Iterator[Sample]:
    for loss in snapshot.facts.journal.losses:
        yield (loss.reason,), loss.count


def _checks(snapshot: Snapshot) -> Iterator[Sample]:
    facts = snapshot.facts
    problems = {"store": facts.store_problem, "journal": facts.journal_problem, "presence": facts.presence_problem}
    for name, problem in problems.items():
        yield (name,), not problem


def _held(field: str) -> Callable[[Snapshot], Iterator[Sample]]:
    def samples(snapshot: Snapshot) -> Iterator[Sample]:
        # Nothing is said of what cannot be read now: none would be a lie.
        if snapshot.held is not None:
            yield (), getattr(snapshot.held, field)

    return samples


def _one(value: Callable[[Snapshot], float | Counts]) -> Callable[[Snapshot], Iterator[Sample]]:
    return lambda snapshot: iter([((), value(snapshot))])


METRICS: Final[tuple[Metric, ...]] = (
    Metric(
        "counter",
        "understudy_requests",
        "Requests through the proxy, by what became of them.",
        ("project", "environment", "outcome"),
        _requests,
    ),
    Metric(
        "histogram",
        "understudy_request_duration_seconds",
        "Time from a request's arrival to its whole answer, delays included.",
        ("outcome",),
        _answers,
        _MICROSECONDS,
    ),
    Metric(
        "histogram",
        "understudy_match_duration_seconds",
        "Time it took to decide what answers a request.",
        (),
        _one(lambda snapshot: snapshot.tallied.match),
        _MICROSECONDS,
    ),
    Metric(
        "histogram",
        "understudy_upstream_duration_seconds",
        "Time from asking an upstream to the first byte of its answer, connecting included.",
        (),
        _one(lambda snapshot: snapshot.tallied.upstream),
        _MICROSECONDS,
    ),
    Metric(
        "gauge",
        "understudy_client_connections",
        "Open connections of clients to the proxy.",
        (),
        _one(lambda snapshot: snapshot.connections.clients),
    ),
    Metric(
        "gauge",
        "understudy_upstream_connections",
        "Open connections of the proxy to upstreams, unused ones among them.",
        (),
        _one(lambda snapshot: snapshot.connections.upstreams),
    ),
    Metric(
        "counter",
        "understudy_api_calls",
        "Calls of the API over all doors, by method (`other` for what is `UNIMPLEMENTED`) and gRPC code.",
        ("method", "code"),
        _calls,
    ),
    Metric(
        "histogram",
        "understudy_api_call_duration_seconds",
        "Time a call of the API took; of a stream, as long as it lasted.",
        (),
        _one(lambda snapshot: snapshot.called.times),
    ),
    Metric(
        "counter",
        "understudy_journal_recorded",
        "Exchanges taken into the journal since the start.",
        (),
        _one(lambda snapshot: snapshot.facts.journal.recorded),
    ),
    Metric(
        "gauge",
        "understudy_journal_waiting",
        "Exchanges that wait to be written.",
        (),
        _one(lambda snapshot: snapshot.facts.journal.waiting),
    ),
    Metric(
        "counter",
        "understudy_journal_lost",
        "Exchanges that are not on record any more, or never were, by reason.",
        ("reason",),
        _losses,
    ),
    Metric(
        "gauge",
        "understudy_journal_size_bytes",
        "What the journal takes.",
        (),
        _one(lambda snapshot: snapshot.facts.journal.size_bytes),
    ),
    Metric(
        "gauge",
        "understudy_store_size_bytes",
        "What declared state takes on disk.",
        (),
        _one(lambda snapshot: snapshot.facts.store.size_bytes),
    ),
    Metric(
        "gauge",
        "understudy_store_version",
        "Version of declared state: it counts the changes.",
        (),
        _one(lambda snapshot: snapshot.facts.store.version),
    ),
    Metric(
        "gauge",
        "understudy_view_version_lag",
        "Versions that the proxy has not taken in yet; the next request takes them in before it is judged.",
        (),
        _one(lambda snapshot: max(0, snapshot.facts.store.version - snapshot.view_version)),
    ),
    Metric("gauge", "understudy_projects", "Projects.", (), _held("projects")),
    Metric("gauge", "understudy_environments", "Environments.", (), _held("environments")),
    Metric("gauge", "understudy_mocks", "Mocks, drafts among them.", (), _held("mocks")),
    Metric("gauge", "understudy_scenarios", "Scenarios.", (), _held("scenarios")),
    Metric("gauge", "understudy_sessions", "Sessions that have not expired.", (), _held("sessions")),
    Metric(
        "gauge",
        "understudy_check_ok",
        "1 while a part of the server is well, 0 while `understudy status` has a problem with it.",
        ("check",),
        _checks,
    ),
    Metric(
        "gauge",
        "understudy_ready",
        "1 while `/health/ready` says 200.",
        (),
        _one(lambda snapshot: snapshot.is_ready),
    ),
    Metric(
        "histogram",
        "understudy_event_loop_lag_seconds",
        "How late a timer of the event loop came, looked at ten times a second.",
        (),
        _one(lambda snapshot: snapshot.loop_lag),
    ),
    Metric(
        "info",
        "understudy_build",
        "The server's version.",
        ("version",),
        lambda snapshot: iter([((snapshot.facts.version,), 1)]),
    ),
)
"""Every metric of our own, in the order in which they are exposed. Those of the process come beside them."""


def families(snapshot: Snapshot) -> Iterator[Family]:
    """All of it, as the library writes it."""
    for metric in METRICS:
        yield _family(metric, snapshot)


def _family(metric: Metric, snapshot: Snapshot) -> Family:
    samples = metric.samples(snapshot)
    if metric.kind == "histogram":
        return _histogram(metric, samples)
    if metric.kind == "info":
        info = InfoMetricFamily(metric.name, metric.about)
        for labels, _ in samples:
            info.add_metric((), dict(zip(metric.labels, labels, strict=True)))
        return info
    make = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    family = make(metric.name, metric.about, labels=metric.labels)
    for labels, value in samples:
        if isinstance(value, Counts):
            raise TypeError(f"{metric.name} is no histogram")
        family.add_metric(labels, value)
    return family


def _histogram(metric: Metric, samples: Iterable[Sample]) -> Family:
    family = HistogramMetricFamily(metric.name, metric.about, labels=metric.labels)
    for labels, counts in samples:
        if not isinstance(counts, Counts):
            raise TypeError(f"{metric.name} is a histogram")
        family.add_metric(labels, list(_buckets(counts, metric.unit)), counts.sum * metric.unit)
    return family


def _buckets(counts: Counts, unit: float) -> Iterator[tuple[str, float]]:
    for bound, below in zip(counts.bounds, counts.below, strict=True):
        yield f"{bound * unit:.9g}", below
    yield "+Inf", counts.total
