"""A store in memory, as far as the live view needs one."""

import asyncio
from collections.abc import Callable, Sequence

from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT, MOCK_STATE_PUBLISHED, Mock
from understudy.v1.scenario_service_pb2 import Scenario
from understudy_server.core.carriers import Carrier
from understudy_server.core.errors import StorageFailure
from understudy_server.core.profiles import Profile
from understudy_server.core.redaction import Redaction
from understudy_server.core.responding.files import FileContent
from understudy_server.live.environment import LiveEnvironment
from understudy_server.live.source import Changes, EnvironmentRow, Follower, SessionRow

ENVIRONMENT_ID = "env_1"


class FakeSource:
    """Keeps every change with the version it made. ``alone``: the version is known without asking.

    ``gate`` holds back each version check until it is opened; ``checks`` and ``loads`` count.
    """

    def __init__(self, *, alone: bool = True) -> None:
        self.alone = alone
        self.broken = False
        self.gate: asyncio.Event | None = None
        self.checks = 0
        self.loads: list[int] = []
        self.followers: list[Follower] = []
        self._history: list[Changes] = []
        self._restored: Changes | None = None

    @property
    def current(self) -> int:
        return len(self._history)

    @property
    def known_version(self) -> int | None:
        return self.current if self.alone else None

    async def version(self) -> int:
        self.checks += 1
        seen = self.current
        if self.gate:
            await self.gate.wait()
        if self.broken:
            raise StorageFailure("the disk is gone")
        return seen

    async def load_since(self, version: int) -> Changes:
        if self.broken:
            raise StorageFailure("the disk is gone")
        self.loads.append(version)
        if self._restored:
            return self._restored
        return _merged([Changes(self.current), *self._history[version:]])

    def follow(self, follower: Follower) -> None:
        self.followers.append(follower)

    def restore(self, environments: dict[str, EnvironmentRow | None]) -> None:
        """Put a store with another history in place of this one."""
        self._history = [Changes(1)] * (self.current + 1)
        self._restored = Changes(self.current, complete=True, environments=environments)

    def commit(
        self,
        *,
        ahead: bool = False,
        environments: dict[str, EnvironmentRow | None] | None = None,
        mocks: dict[str, Mock | None] | None = None,
        scenarios: dict[str, Scenario | None] | None = None,
        sessions: dict[str, SessionRow | None] | None = None,
        session_mocks: dict[tuple[str, str], Mock | None] | None = None,
        files: dict[str, FileContent | None] | None = None,
    ) -> None:
        """Make one version. Mocks, scenarios and files are those of the one environment that the tests use.

        ``ahead``: whoever follows is shown it before.
        """
        made = self._changes(environments, mocks, scenarios, sessions, session_mocks, files)
        if ahead:
            self._show(made)()
        else:
            self._history.append(made)

    def show(
        self,
        *,
        environments: dict[str, EnvironmentRow | None] | None = None,
        mocks: dict[str, Mock | None] | None = None,
        scenarios: dict[str, Scenario | None] | None = None,
        sessions: dict[str, SessionRow | None] | None = None,
        session_mocks: dict[tuple[str, str], Mock | None] | None = None,
        files: dict[str, FileContent | None] | None = None,
    ) -> Callable[[], None]:
        """Show whoever follows a version that is not made yet. Returns what makes and publishes it."""
        return self._show(self._changes(environments, mocks, scenarios, sessions, session_mocks, files))

    def _show(self, made: Changes) -> Callable[[], None]:
        published = [
            follower.look_ahead(follower.version, _merged([*self._history[follower.version :], made]))
            for follower in self.followers
            if follower.version
        ]

        def publish() -> None:
            for each in published:
                each()
            self._history.append(made)

        return publish

    def _changes(
        self,
        environments: dict[str, EnvironmentRow | None] | None,
        mocks: dict[str, Mock | None] | None,
        scenarios: dict[str, Scenario | None] | None,
        sessions: dict[str, SessionRow | None] | None,
        session_mocks: dict[tuple[str, str], Mock | None] | None,
        files: dict[str, FileContent | None] | None,
    ) -> Changes:
        return Changes(
            self.current + 1,
            environments=environments or {},
            mocks={(ENVIRONMENT_ID, name): mock for name, mock in (mocks or {}).items()},
            scenarios={(ENVIRONMENT_ID, name): scenario for name, scenario in (scenarios or {}).items()},
            sessions=sessions or {},
            session_mocks=session_mocks or {},
            files={(ENVIRONMENT_ID, name): content for name, content in (files or {}).items()},
        )


def _merged(history: Sequence[Changes]) -> Changes:
    """All of some changes, each thing as it is after the last of them."""
    merged = Changes(history[-1].version)
    for changes in history:
        merged.environments.update(changes.environments)
        merged.mocks.update(changes.mocks)
        merged.scenarios.update(changes.scenarios)
        merged.sessions.update(changes.sessions)
        merged.session_mocks.update(changes.session_mocks)
        merged.files.update(changes.files)
    return merged


def row_of(live: LiveEnvironment | None) -> EnvironmentRow | None:
    """The settings of an environment that a view knows, or ``None``."""
    return live.row if live else None


def environment(
    *,
    environment_id: str = ENVIRONMENT_ID,
    upstream: str = "",
    active_mocks: tuple[str, ...] = (),
    slug: str = "staging",
    hosts: tuple[str, ...] = (),
    carriers: tuple[Carrier, ...] = (),
    strict: bool = False,
    answers_preflights: bool = True,
    adds_cors_headers: bool = True,
    tunnels_upgrades: bool = False,
    forwards_session_header: bool = True,
    redaction: Redaction | None = None,
    request_body_bytes_max: int | None = None,
    captured_bytes_max: int | None = None,
    first_byte_ms: int | None = None,
    session_log_entries_max: int | None = None,
    session_log_bytes_max: int | None = None,
    log_entries_max: int | None = None,
    log_bytes_max: int | None = None,
    log_retention_ms: int | None = None,
    profile: Profile = Profile.FLOWMOCK,
) -> EnvironmentRow:
    return EnvironmentRow(
        id=environment_id,
        project_id="prj_1",
        project_slug="checkout",
        slug=slug,
        upstream=upstream,
        active_mocks=active_mocks,
        hosts=hosts,
        carriers=carriers,
        strict=strict,
        answers_preflights=answers_preflights,
        adds_cors_headers=adds_cors_headers,
        tunnels_upgrades=tunnels_upgrades,
        forwards_session_header=forwards_session_header,
        redaction=redaction,
        request_body_bytes_max=request_body_bytes_max,
        captured_bytes_max=captured_bytes_max,
        first_byte_ms=first_byte_ms,
        session_log_entries_max=session_log_entries_max,
        session_log_bytes_max=session_log_bytes_max,
        log_entries_max=log_entries_max,
        log_bytes_max=log_bytes_max,
        log_retention_ms=log_retention_ms,
        profile=profile,
    )


def session(
    key: str = "ci-42",
    *,
    scenario: str = "",
    overrides: tuple[str, ...] = (),
    session_id: str = "",
    delay_ms: int = 0,
    delay_max_ms: int = 0,
    expires_at_ms: int | None = None,
    seed: int | None = None,
    revision: int = 1,
    by_header_name: bool = False,
) -> SessionRow:
    return SessionRow(
        id=session_id or f"ses_{key}",
        environment_id=ENVIRONMENT_ID,
        key=key,
        scenario_id=scenario,
        overrides=overrides,
        global_delay_ms=delay_ms,
        global_delay_max_ms=delay_max_ms,
        expires_at_ms=expires_at_ms,
        revision=revision,
        seed=seed,
        state_id=f"{session_id or f'ses_{key}'}.1",
        by_header_name=by_header_name,
    )


def mock(
    mock_id: str,
    *,
    path: str = "",
    method: str = "",
    json: str = "",
    status: int = 0,
    draft: bool = False,
    scenario: str = "",
    delay_ms: int = 0,
    priority: int = 0,
    created_ms: int = 0,
) -> Mock:
    message = Mock(id=mock_id, name=mock_id, scenario=scenario)
    message.state = MOCK_STATE_DRAFT if draft else MOCK_STATE_PUBLISHED
    message.matcher.path = path
    message.matcher.method = method
    message.action.respond.status = status
    if json:
        message.action.respond.json = json
    if delay_ms:
        message.action.delay.fixed_ms = delay_ms
    message.priority = priority
    if created_ms:
        message.created_at.FromMilliseconds(created_ms)
    return message
