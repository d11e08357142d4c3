"""What the live view needs of a store: the version, and what changed since one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.scenario_service_pb2 import Scenario

from understudy_server.core.carriers import Carrier
from understudy_server.core.profiles import Profile
from understudy_server.core.redaction import Redaction
from understudy_server.core.responding.files import FileContent


@dataclass(frozen=True, slots=True)
class EnvironmentRow:
    """An environment as the proxy needs it.

    ``active_mocks`` are the environment-wide activations, oldest first; ``hosts`` are lower case without port;
    ``carriers`` are tried in their order, after the session header. ``redaction`` is ``None`` when nothing more is
    masked than always is; a limit is ``None`` when the server's holds, and counts where it is below that. Those of the
    record are as `core.record.Quota` has them.
    """

    id: str
    project_id: str
    project_slug: str
    slug: str
    upstream: str
    active_mocks: tuple[str, ...]
    hosts: tuple[str, ...] = ()
    carriers: tuple[Carrier, ...] = ()
    strict: bool = False
    answers_preflights: bool = True
    adds_cors_headers: bool = True
    tunnels_upgrades: bool = False
    forwards_session_header: bool = True
    redaction: Redaction | None = None
    request_body_bytes_max: int | None = None
    captured_bytes_max: int | None = None
    first_byte_ms: int | None = None
    session_log_entries_max: int | None = None
    session_log_bytes_max: int | None = None
    log_entries_max: int | None = None
    log_bytes_max: int | None = None
    log_retention_ms: int | None = None
    profile: Profile = Profile.FLOWMOCK

    def __post_init__(self) -> None:
        if self.profile is Profile.ASSERTIVE:
            # To Assertive a preflight is a request like any other, and an answer is what a mock has it be.
            object.__setattr__(self, "answers_preflights", False)
            object.__setattr__(self, "adds_cors_headers", False)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as the proxy needs it. ``overrides`` are in the order of activation; times are ms since 1970 (UTC).

    ``seed`` is what its draws follow from, ``None`` when it was given none; ``state_id`` is what its state is found by:
    the name of an owner (`core.state.Owner`). ``by_header_name``: requests find it by a header of that name, and not by
    its key.
    """

    id: str
    environment_id: str
    key: str
    scenario_id: str
    overrides: tuple[str, ...]
    global_delay_ms: int
    global_delay_max_ms: int
    expires_at_ms: int | None
    revision: int
    seed: int | None = None
    state_id: str = ""
    by_header_name: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """All that changed between two versions, read in one snapshot. ``None`` stands for what is gone.

    Mocks and scenarios are named by (environment id, id), because their ids are unique within an environment only.
    ``session_mocks`` are those that sessions own, by (session id, mock id); those of a session that is gone need not be
    named. Of several that are new, the older come first. ``files`` are named by (environment id, name). ``complete``
    says that this is everything there is: what it does not name is gone.
    """

    version: int
    complete: bool = False
    environments: dict[str, EnvironmentRow | None] = field(default_factory=dict)
    mocks: dict[tuple[str, str], Mock | None] = field(default_factory=dict)
    scenarios: dict[tuple[str, str], Scenario | None] = field(default_factory=dict)
    sessions: dict[str, SessionRow | None] = field(default_factory=dict)
    session_mocks: dict[tuple[str, str], Mock | None] = field(default_factory=dict)
    files: dict[tuple[str, str], FileContent | None] = field(default_factory=dict)


class Source(Protocol):
    """The store, as the live view sees it."""

    @property
    def known_version(self) -> int | None:
        """The current version when it is known without asking (a process alone with its store), else ``None``.

        Every request looks at it: a plain attribute is best.
        """

    async def version(self) -> int:
        """The current version, by a check that starts after this call did. Raises StorageFailure."""

    async def load_since(self, version: int) -> Changes:
        """All that changed after ``version`` (0: everything there is), in one snapshot. Raises StorageFailure."""

    def follow(self, follower: "Follower") -> None:
        """Let somebody look at changes before they are published. Where the store cannot do that, nothing happens."""


class Follower(Protocol):
    """Who takes in what changed, and would rather work out before it counts what a change comes to."""

    @property
    def version(self) -> int:
        """The version that is taken in, 0 for none yet. Read in any thread."""

    def look_ahead(self, since: int, changes: Changes) -> Callable[[], None]:
        """Get ready to take in what changed since a version; returns what to call when it is published.

        Called in the thread of the store's writer, before the version that it leads to is anyone's; it may never be, if
        the write fails. What is called to publish it must not fail and not take long.
        """
