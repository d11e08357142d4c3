"""Records for the tests of what keeps them: short to make, one id for one thing, no chance in them."""

from collections.abc import Iterable, Sequence

from understudy.options.v1.options_pb2 import ROLE_CI, Role
from understudy.v1.key_service_pb2 import Key, KeyScope
from understudy.v1.matching_pb2 import RequestMatcher
from understudy.v1.mock_service_pb2 import MOCK_STATE_PUBLISHED, Mock, MockState
from understudy.v1.project_service_pb2 import Environment, Project
from understudy.v1.scenario_service_pb2 import Scenario
from understudy.v1.session_service_pb2 import Session
from understudy_server.app.ports import EnvironmentRecord, KeyRecord, ProjectRecord, SessionRecord
from understudy_server.app.times import stamp
from understudy_server.core.exchange import Captured, Exchange

PROJECT = "prj_checkout"
ENVIRONMENT = "env_staging"


def project(project_id: str = PROJECT, slug: str = "checkout", *, name: str = "") -> ProjectRecord:
    return ProjectRecord(project_id, Project(slug=slug, name=name or slug.title(), revision=1))


def environment(
    environment_id: str = ENVIRONMENT,
    slug: str = "staging",
    *,
    name: str = "",
    upstream: str = "http://127.0.0.1:9",
    hosts: Sequence[str] = (),
    of: str = PROJECT,
) -> EnvironmentRecord:
    message = Environment(slug=slug, name=name or slug.title(), upstream=upstream, hosts=hosts, revision=1)
    return EnvironmentRecord(environment_id, of, message)


def mock(
    mock_id: str,
    *,
    name: str = "",
    scenario: str = "",
    state: MockState = MOCK_STATE_PUBLISHED,
    created_by: str = "key_1",
    path: str = "/pay",
) -> Mock:
    matcher = RequestMatcher(method="POST", path=path)
    return Mock(id=mock_id, name=name, scenario=scenario, matcher=matcher, state=state, created_by=created_by)


def scenario(scenario_id: str, mocks: Sequence[str] = (), *, name: str = "", created_at_ms: int = 1_000) -> Scenario:
    return Scenario(
        id=scenario_id, name=name or scenario_id, url_id=scenario_id, mocks=mocks, created_at=stamp(created_at_ms)
    )


def session(
    session_id: str,
    key: str,
    *,
    overrides: Sequence[str] = (),
    scenario_id: str | None = None,
    delay_ms: int = 0,
    expires_at_ms: int | None = None,
    updated_at_ms: int = 1_000,
    label: str | None = None,
    of: str = ENVIRONMENT,
) -> SessionRecord:
    message = Session(session_key=key, label=label, overrides=overrides, global_delay_ms=delay_ms, revision=1)
    if scenario_id is not None:
        message.scenario = scenario_id
    if expires_at_ms is not None:
        message.expires_at.CopyFrom(stamp(expires_at_ms))
    return SessionRecord(session_id, of, updated_at_ms, message)


def key(
    key_id: str,
    *,
    name: str = "",
    role: Role = ROLE_CI,
    scope: KeyScope | None = None,
    project_id: str = "",
    environment_id: str = "",
    expires_at_ms: int | None = None,
    revoked_at_ms: int | None = None,
) -> KeyRecord:
    message = Key(id=key_id, name=name or key_id, role=role, scope=scope, active=True)
    if expires_at_ms is not None:
        message.expires_at.CopyFrom(stamp(expires_at_ms))
    if revoked_at_ms is not None:
        message.revoked_at.CopyFrom(stamp(revoked_at_ms))
    return KeyRecord(message, f"fingerprint of {key_id}".encode(), project_id, environment_id)


def exchange(number: int, session_key: str = "ci-42", *, body: bytes = b"{}", of: str = ENVIRONMENT) -> Exchange:
    """The exchange of that number: ids sort by it."""
    return Exchange(
        id=f"log_{number:08}",
        project_id=PROJECT,
        environment_id=of,
        session_key=session_key,
        session_id="ses_1",
        method="POST",
        path="/pay",
        query="a=1&a=2",
        status=402,
        started_at_ms=1_700_000_000_000 + number,
        duration_ms=3,
        mock_id="ovr_declined",
        request_headers=((b"Accept", b"*/*"), (b"Accept", b"text/plain"), (b"X-Name", "Zoë".encode())),
        response_headers=(),
        request_body=Captured(body, len(body) + 10, "application/json"),
        response_body=None,
    )


def with_lines(number: int, lines: int, length: int) -> Exchange:
    """The exchange of that number with so many header lines, whose values are so long: it shares none of them."""
    values = [f"{number * lines + line:0{length}}".encode() for line in range(lines)]
    headers = [(f"x-{line}".encode(), value) for line, value in enumerate(values)]
    return exchange(number)._replace(request_headers=headers)


def numbered(exchanges: Iterable[Exchange], first: int = 1) -> list[Exchange]:
    """The same as a journal gives them back: with their numbers."""
    return [each._replace(number=number) for number, each in enumerate(exchanges, first)]
