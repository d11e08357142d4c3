"""What the use cases need of the world. The stores and the journal fill these interfaces.

A use case is a coroutine that reads and writes through a ``Transaction``. On SQLite its awaits never suspend: it runs
in one go inside the writer's thread or, when it only reads, on the event loop. On a store across a network they do.
Records hold messages of the contract; a record adds only identity, which the contract does not show. What is about
flags has a file of its own (``flag_ports.py``).
"""

from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from understudy.v1.file_service_pb2 import File
from understudy.v1.key_service_pb2 import Key
from understudy.v1.manifest_service_pb2 import Organisation
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.project_service_pb2 import Environment, Project
from understudy.v1.scenario_service_pb2 import Scenario
from understudy.v1.server_service_pb2 import Counts, ManifestStatus
from understudy.v1.session_service_pb2 import Session

from understudy_server.app.flag_ports import FlagTransaction
from understudy_server.core.exchange import Exchange
from understudy_server.core.explanation import Explanation, Subject
from understudy_server.core.record import Standing, Stream

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key as the contract shows it, the hash of its text, and what it is bound to (ids, empty for all)."""

    message: Key
    fingerprint: bytes
    project_id: str
    environment_id: str


@dataclass(frozen=True, slots=True)
class OrganisationRecord:
    """The organisation. ``plan`` is a number of ``core.plans.Plan``; ``managed_by`` is as in the messages of others."""

    name: str
    plan: int
    managed_by: str = ""


@dataclass(frozen=True, slots=True)
class ProjectRecord:
    """A project and its id, which never changes and is never shown."""

    id: str
    message: Project


@dataclass(frozen=True, slots=True)
class EnvironmentRecord:
    """An environment. ``message.project`` is filled in by the store."""

    id: str
    project_id: str
    message: Environment


@dataclass(frozen=True, slots=True)
class Contents:
    """All mocks and all scenarios of an environment, in the order of their ids. The lists are the reader's own."""

    mocks: list[Mock] = field(default_factory=list)
    scenarios: list[Scenario] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SessionUse:
    """How many sessions of an environment have not expired, and how many of them use what, by id.

    What none uses is left out. A mock counts where it was switched on by itself.
    """

    sessions: int = 0
    of_mocks: Mapping[str, int] = field(default_factory=dict)
    of_scenarios: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """A source of manifests: when one was last applied and with which key (empty: the owner), how much it declares.

    ``digest`` is that of the manifest (``app.manifests.digests``).
    """

    name: str
    applied_at_ms: int
    applied_by: str
    resources: int = 0
    digest: str = ""


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A session's incarnation. The message has its key, label, scenario, overrides, delays, expiry and revision.

    ``generation`` counts, from 1, how often the session began anew: what it kept before is no more.
    """

    id: str
    environment_id: str
    updated_at_ms: int
    message: Session
    generation: int = 1

    @property
    def state_id(self) -> str:
        """What its state is found by: the name of an owner (`core.state.Owner`)."""
        return f"{self.id}.{self.generation}"


@dataclass(frozen=True, slots=True)
class FileRecord:
    """A file of an environment and what it holds."""

    message: File
    content: bytes


@dataclass(frozen=True, slots=True)
class FileUse:
    """How many files there are, and their bytes together."""

    files: int = 0
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class KeyQuery:
    """Which keys to list.

    ``search``: part of the name, any case; ``active``: whether they work at ``now_ms``, ``None`` for either; ``role``:
    0 for any; ``scopes``: one of which they have, 0 for that of a key that has none, ``None`` for any.
    """

    search: str = ""
    active: bool | None = None
    role: int = 0
    scopes: frozenset[int] | None = None
    now_ms: int = 0


@dataclass(frozen=True, slots=True)
class MockQuery:
    """Which mocks to list.

    ``search``: part of the id or name, any case; ``state``: 0 for any; ``drafts_of``: a key id whose drafts to show,
    ``None`` for everybody's; ``active``: whether they are on for the whole environment, ``None`` for either;
    ``scenario``: the one that they belong to alone, empty for any; ``library_only``: only those that belong to none;
    ``tags``: all of which they have.
    """

    search: str = ""
    state: int = 0
    drafts_of: str | None = None
    active: bool | None = None
    scenario: str = ""
    library_only: bool = False
    tags: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class SessionQuery:
    """Which sessions to list.

    ``search``: part of the key or label, any case; ``scenario``: the one that they are in, and ``override``: a mock
    that was switched on for them by itself, empty for any; ``alive_at_ms``: only those that have not expired by then,
    ``None`` for those too.
    """

    search: str = ""
    scenario: str = ""
    override: str = ""
    alive_at_ms: int | None = None


class Transaction(FlagTransaction, Protocol):
    """One unit of work: all of it or nothing. Reads see one snapshot with the unit's own writes.

    Lists are ordered by the name they page on and start after ``after`` (empty: at the start).
    """

    async def recall(self, question: Hashable, answer: Callable[[], Awaitable[T]]) -> T:
        """Work out an answer that depends on nothing but the question and what is declared, sessions not among it.

        A store may remember it for as long as nothing of that changes: it is shared, and nobody changes it.
        """

    async def plan(self) -> int:
        """The organisation's plan, a number of ``core.plans.Plan``."""

    async def set_plan(self, plan: int) -> None: ...

    async def organisation(self) -> OrganisationRecord: ...

    async def put_organisation(self, record: OrganisationRecord) -> None: ...

    async def manifest_source(self, name: str) -> SourceRecord | None: ...

    async def put_manifest_source(self, record: SourceRecord) -> None:
        """Note when a source was applied. That alone is no change of declared state."""

    async def release_source(self, name: str) -> int:
        """Let a source go: what it declares stays, managed by nobody. Returns how many things that are.

        Their revisions stay too, since nothing else about them changes.
        """

    async def places_of(self, source: str) -> Sequence[tuple[str, str]]:
        """Where a source declares anything: (project id, environment id), the latter empty for a project itself."""

    async def manager_within(self, project_id: str, environment_id: str = "") -> str:
        """A source that declares something in a project, or in one environment of it; empty when there is none.

        The project or the environment itself counts.
        """

    async def key_by_fingerprint(self, fingerprint: bytes) -> KeyRecord | None: ...

    async def key(self, key_id: str) -> KeyRecord | None: ...

    async def keys(
        self, before: str, limit: int, project_id: str, environment_id: str, query: KeyQuery | None = None
    ) -> Sequence[KeyRecord]:
        """Keys, newest first, older than the id ``before`` (empty: all), bound to project and environment if given.

        Without a query: all of them.
        """

    async def active_keys(self, now_ms: int) -> int:
        """How many keys are neither revoked nor expired."""

    async def put_key(self, record: KeyRecord) -> None: ...

    async def project(self, slug: str) -> ProjectRecord | None: ...

    async def project_by_id(self, project_id: str) -> ProjectRecord | None: ...

    async def project_of_session(self, session_id: str) -> ProjectRecord | None:
        """The project that a session of projects belongs to, expired or not."""

    async def projects(self, after: str, limit: int, search: str = "") -> Sequence[ProjectRecord]:
        """Projects whose slug or name contains ``search``."""

    async def put_project(self, record: ProjectRecord) -> None: ...

    async def remove_project(self, project_id: str) -> None:
        """Remove a project, which has no environment any more, and its keys' reach: they are revoked by the caller."""

    async def environment(self, project_id: str, slug: str) -> EnvironmentRecord | None: ...

    async def environment_by_id(self, environment_id: str) -> EnvironmentRecord | None: ...

    async def environment_by_host(self, host: str) -> EnvironmentRecord | None:
        """The environment, of any project, that the proxy serves at a host name (lower case)."""

    async def environments(
        self, project_id: str, after: str, limit: int, search: str = ""
    ) -> Sequence[EnvironmentRecord]:
        """Environments of a project whose slug or name contains ``search``."""

    async def environment_slugs(self, project_ids: Collection[str]) -> Mapping[str, Sequence[str]]:
        """The slugs of the environments of some projects, by id of the project, in their order."""

    async def environment_ids(self) -> Collection[str]:
        """The ids of all environments, of all projects."""

    async def put_environment(self, record: EnvironmentRecord) -> None:
        """Make or replace an environment. A host that another one has fails: the caller looks first."""

    async def put_environments(self, records: Sequence[EnvironmentRecord]) -> None:
        """Make or replace environments together, so that hosts may pass from one to another."""

    async def remove_environment(self, environment_id: str) -> None:
        """Remove an environment and all that is in it."""

    async def is_empty(self, environment_id: str, now_ms: int) -> bool:
        """True when an environment has no mock, scenario, file or living session, and no flag is set to something."""

    async def contents(self, environment_id: str) -> Contents:
        """All that an environment holds beside sessions."""

    async def session_use(self, environment_id: str, now_ms: int) -> SessionUse: ...

    async def mock(self, environment_id: str, mock_id: str) -> Mock | None:
        """A mock; ``active`` says whether it is on for the whole environment."""

    async def mocks(self, environment_id: str, query: MockQuery, after: str, limit: int) -> Sequence[Mock]: ...

    async def put_mock(self, environment_id: str, mock: Mock) -> None:
        """Make or replace a mock; ``active`` is not looked at."""

    async def put_mocks(self, environment_id: str, mocks: Sequence[Mock]) -> None: ...

    async def remove_mock(self, environment_id: str, mock_id: str) -> None:
        """Remove a mock, its activations and its place in scenarios."""

    async def remove_mocks(self, environment_id: str, mock_ids: Sequence[str]) -> None:
        """Remove mocks together. Each session and scenario that used any of them counts one change."""

    async def switch_off(self, environment_id: str, mock_id: str) -> None:
        """Remove every activation of a mock, and its place in scenarios of which it is not a part alone."""

    async def switch_off_mocks(self, environment_id: str, mock_ids: Sequence[str]) -> None: ...

    async def set_active(self, environment_id: str, mock_id: str, *, active: bool) -> None:
        """Switch a mock on or off for the whole environment."""

    async def scenario(self, environment_id: str, scenario_id: str) -> Scenario | None: ...

    async def scenario_by_url_id(self, environment_id: str, url_id: str) -> Scenario | None: ...

    async def scenarios(
        self, environment_id: str, search: str, before: tuple[int, str] | None, limit: int, mock: str = ""
    ) -> Sequence[Scenario]:
        """Scenarios whose name contains ``search``, newest first, older than (milliseconds, id).

        ``mock``: only those that list the mock of this id, or to which it belongs alone.
        """

    async def put_scenario(self, environment_id: str, scenario: Scenario) -> None: ...

    async def put_scenarios(self, environment_id: str, scenarios: Sequence[Scenario]) -> None:
        """Make or replace scenarios together, so that a ``url_id`` may pass from one to another."""

    async def remove_scenario(self, environment_id: str, scenario_id: str) -> None:
        """Remove a scenario and the mocks that belong to it alone; sessions that use it have none from then on."""

    async def remove_scenarios(self, environment_id: str, scenario_ids: Sequence[str]) -> None: ...

    async def mock_versions(self, environment_id: str, mock_id: str) -> Sequence[Mock]:
        """What a mock was at its revisions, the newest first; also of one that was removed, for a while."""

    async def scenario_versions(self, environment_id: str, scenario_id: str) -> Sequence[Scenario]:
        """The same of a scenario, without the mocks that were its alone."""

    async def session(self, environment_id: str, session_key: str) -> SessionRecord | None:
        """The session that a key names, expired or not."""

    async def header_names(self, environment_id: str) -> Collection[str]:
        """The keys of the sessions that requests find by a header of that name, in lower case, expired or not."""

    async def sessions(
        self, environment_id: str, query: SessionQuery, after: str, limit: int
    ) -> Sequence[SessionRecord]: ...

    async def session_ids(self) -> Collection[str]:
        """The ids of all sessions, of all environments."""

    async def state_ids(self) -> Collection[str]:
        """What the states of all sessions, of all environments, are found by."""

    async def put_session(self, record: SessionRecord) -> None: ...

    async def remove_session(self, session_id: str) -> None: ...

    async def freeze_session(self, project_id: str, record: SessionRecord) -> None:
        """Keep all flags as they are now in the session's environment, for it, in place of what it has kept.

        A unit that changes flags does so before.
        """

    async def unfreeze_session(self, record: SessionRecord) -> None:
        """Let go of what a session has kept. That goes with the session, too."""

    async def session_mock(self, session_id: str, mock_id: str) -> Mock | None:
        """A mock that a session owns. Its ``session`` is left empty."""

    async def session_mocks(self, session_id: str) -> Sequence[Mock]:
        """The mocks that a session owns, in the order of their ids."""

    async def session_mock_count(self, session_id: str) -> int: ...

    async def put_session_mock(self, record: SessionRecord, mock: Mock) -> None: ...

    async def remove_session_mocks(self, record: SessionRecord, mock_ids: Sequence[str]) -> None:
        """Remove mocks that a session owns, of those that it has."""

    async def file(self, environment_id: str, name: str) -> FileRecord | None: ...

    async def files(self, environment_id: str, search: str = "") -> Sequence[File]:
        """The files of an environment, in the order of their names."""

    async def file_names(self, environment_id: str) -> Collection[str]: ...

    async def put_file(self, environment_id: str, record: FileRecord) -> None: ...

    async def remove_file(self, environment_id: str, name: str) -> None: ...

    async def file_use(self, environment_id: str, but: str) -> FileUse:
        """What the files of an environment come to without the one of a name."""

    async def file_users(self, environment_id: str, name: str, now_ms: int) -> Sequence[Mock]:
        """The mocks that answer with a file; those of sessions not expired too, with the key in ``session``."""

    async def ending(self, now_ms: int, updated_before_ms: int) -> Sequence[tuple[str, bool]]:
        """Ids of the sessions, of all environments, that have expired (True), and of those without a time to live that
        were not changed since (False).
        """

    async def counts(self, now_ms: int, project_id: str, environment_id: str) -> Counts:
        """How much there is: in a project and an environment if given, of keys those that are bound to them."""

    async def organisation_status(self) -> Organisation:
        """Whose it is, and the plan."""

    async def manifest_statuses(self) -> Sequence[ManifestStatus]:
        """The sources of manifests and how much each declares, in the order of their names."""


Work = Callable[[Transaction], Awaitable[T]]


class Store(Protocol):
    """Where declared state is kept. Both calls raise StorageFailure, and what the work raises."""

    async def read(self, work: Work[T]) -> T:
        """Run work that only reads, on one snapshot that holds every write acknowledged before.

        The work may be run more than once, and what it is given may be shared: it changes none of it.
        """

    async def write(self, work: Work[T], *, brief: bool = False) -> T:
        """Run work whole or not at all. On return it is durable, and visible to every read that starts later.

        ``brief`` work is some statements long. It may be run more than once, of which the last time counts.
        """

    def recalled(self, question: Hashable) -> Any:
        """The answer to what was recalled once (`Transaction.recall`), as long as it holds; ``None`` when not known."""

    def bell(self) -> AbstractContextManager["Bell"]:
        """What rings after each write, whatever it changed, for as long as it is entered."""

    def flag_bell(self) -> AbstractContextManager["Bell"]:
        """What rings after each write that changed flags, of any project, or what they are set to."""


class Presence(Protocol):
    """When the sessions were last seen, at the proxy or by an evaluation, and what was odd about their exchanges."""

    def touch(self, session_id: str, now_ms: int) -> None:
        """Note that a session was seen. Never fails and never waits."""

    def last_seen(self, session_id: str) -> int | None:
        """Milliseconds since 1970, or ``None`` before the first request."""

    def findings(self, session_id: str) -> Sequence[str]:
        """The codes of the findings of its exchanges so far, each once, in the order of their names."""

    def session_ids(self) -> Sequence[str]:
        """The sessions that anything is known of, those that are gone by now among them."""

    def forget(self, session_ids: Sequence[str]) -> None: ...


class Bell(Protocol):
    """Rings with each thing that somebody waits for: an exchange that is recorded under a key, a write of the store."""

    async def wait(self) -> None:
        """Return as soon as it rang since the bell was made or the last wait began; at once if it did."""


class Journal(Protocol):
    """The exchanges. Every question sees every exchange recorded before it was asked. All raise StorageFailure."""

    def record(self, exchange: Exchange) -> object:
        """Append an exchange. Never fails and never waits."""

    async def page(
        self, environment_id: str, session_key: str, *, before: str, since: str, limit: int
    ) -> Sequence[Exchange]:
        """Exchanges of a key, newest first, older than ``before`` if given; with ``since`` newer ones, oldest first."""

    async def exchange(self, exchange_id: str) -> Exchange | None: ...

    async def knows(self, environment_id: str, session_key: str) -> bool:
        """True when there is any exchange with that key."""

    async def latest_stream(self, environment_id: str, session_key: str) -> Stream | None:
        """The incarnation of a session that recorded last under a key; ``None`` when none did."""

    async def streams(self, environment_id: str, session_key: str | None) -> Sequence[Stream]:
        """Those of an environment with anything on record; with a key, only those of the sessions that had it."""

    async def read(self, stream: Stream, after: int, limit: int) -> Sequence[Exchange]:
        """Exchanges of a stream with numbers behind ``after``, oldest first."""

    async def standing(self, stream: Stream) -> Standing:
        """How much of a stream there is."""

    def bell(self, environment_id: str, session_key: str) -> AbstractContextManager[Bell]:
        """What rings when something is recorded under a key, for as long as it is entered.

        That is in any incarnation of the session and in none; with an empty key, whatever belongs to no session.
        """

    async def purge(self, stream: Stream) -> None:
        """Remove all exchanges and verifications of a stream. It goes on with the next number if it is still used."""

    async def keep_verification(self, stream: Stream, verification: bytes) -> None:
        """Put a verification on record (a serialised ``Verification``).

        Of a stream the last 1000 are kept, and no more than 3 MiB of them, but the last one whatever its size.
        """

    async def verifications(self, stream: Stream) -> Sequence[bytes]:
        """The verifications of a stream, oldest first."""


class Explainer(Protocol):
    """Whoever knows how requests are decided. Nothing is answered, counted or changed by asking."""

    async def explain(
        self, subject: Subject, now_ms: int, considered_max: int, drafts: Sequence[Mock] = ()
    ) -> Explanation:
        """Tell why a request would be answered as it would be, and of at most so many mocks (one at least).

        ``drafts`` are mocks that nobody can switch on, to say which of them match.

        Raises NotFound when there is no such environment any more, StorageFailure when it cannot be told.
        """
