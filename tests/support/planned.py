"""Mocks whose answers are plans that the test makes, so that what carries them out is tested by itself."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from understudy.v1.mock_service_pb2 import Mock as MockMessage
from understudy_server.core.draws import Draws
from understudy_server.core.headers import content_of
from understudy_server.core.matching.matcher import Matcher
from understudy_server.core.matching.mock import Mock
from understudy_server.core.matching.paths import PathPattern
from understudy_server.core.responding.plan import Event, Events, Forward, Plan, Scene
from understudy_server.core.responding.prepared import Prepared, prepare
from understudy_server.core.usage import Usage

KEY = "x-flowmock-session: ci-42"
LONG_BODY = bytes(range(65, 91)) * 4


@dataclass
class Planned:
    """Fills ``Answerer``: always the same plan. ``scenes`` are those it was asked for."""

    given: Plan
    counts: bool = False
    wants_body: bool = False
    repeats: bool = False
    scenes: list[Scene] = field(default_factory=list)

    def plan(self, scene: Scene, draws: Draws) -> Plan:
        self.scenes.append(scene)
        return self.given


def respond(
    body: bytes = LONG_BODY,
    *,
    status: int = 200,
    headers: tuple[tuple[str, str], ...] = (("content-type", "text/plain"),),
    **fields: object,
) -> Plan:
    """A plan to respond; ``fields`` are the plan's."""
    return Plan(prepare(status, headers, body), **fields)  # type: ignore[arg-type]


def events(*given: tuple[bytes, int], rounds: int = 1, round_delay_ms: int = 0, heartbeat_ms: int = 0) -> Events:
    """A stream of events, each with the milliseconds before it."""
    whole = prepare(200, (("content-type", "text/event-stream"), ("cache-control", "no-cache")), b"")
    lines = whole.head.replace(b"content-length: 0\r\n", b"")
    raw = tuple([header for header in whole.raw_headers if header[0] != b"content-length"])
    head = Prepared(200, lines, b"", raw, raw, content_of(raw), has_date=False, sets_cors=False)
    return Events(
        head, tuple([Event(data, delay_ms) for data, delay_ms in given]), rounds, round_delay_ms, heartbeat_ms
    )


def forward(base: str, target: str = "/there", **fields: object) -> Forward:
    return Forward(base, target, **fields)  # type: ignore[arg-type]


@contextmanager
def planned_mocks(answers: Mapping[str, Planned | Plan], usage: Usage | None = None) -> Iterator[None]:
    """Have the mocks on these paths answer so; ``usage`` is theirs."""

    def compile_planned(message: MockMessage, *_: object, **__: object) -> Mock:
        path = message.matcher.path
        answer = answers[path]
        return Mock(
            message.id,
            Matcher(method=message.matcher.method, path=PathPattern.parse(path)),
            answer=answer if isinstance(answer, Planned) else Planned(answer),
            usage=usage,
            chain=message.chain,
        )

    with patch("understudy_server.live.mock.compile_mock", compile_planned):
        yield


def source_of(*paths: str, upstream: str = "", delay_ms: int = 0, delay_max_ms: int = 0, **row: object) -> FakeSource:
    """A session for which there is a mock on each path; ``row`` are settings of the environment."""
    source = FakeSource()
    names = {f"ovr_{number}": path for number, path in enumerate(paths)}
    source.commit(
        environments={ENVIRONMENT_ID: environment(upstream=upstream, **row)},  # type: ignore[arg-type]
        mocks={name: mock(name, path=path) for name, path in names.items()},
        sessions={"ses_ci-42": session(overrides=tuple(names), delay_ms=delay_ms, delay_max_ms=delay_max_ms)},
    )
    return source
