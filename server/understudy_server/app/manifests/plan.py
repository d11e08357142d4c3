"""What applying a manifest will do: plain values, decided before anything is done."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from understudy.v1.flags_pb2 import Flag, FlagState
from understudy.v1.manifest_service_pb2 import ChangeKind, FieldChange, ManifestChange, ResourceKind
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.scenario_service_pb2 import Scenario

from understudy_server.app.ports import EnvironmentRecord, OrganisationRecord, ProjectRecord
from understudy_server.core.errors import Refusal
from understudy_server.core.giving_way import give_way, let_go

_ORDER = (
    ResourceKind.RESOURCE_KIND_ORGANISATION,
    ResourceKind.RESOURCE_KIND_PROJECT,
    ResourceKind.RESOURCE_KIND_FLAG,
    ResourceKind.RESOURCE_KIND_ENVIRONMENT,
    ResourceKind.RESOURCE_KIND_MOCK,
    ResourceKind.RESOURCE_KIND_SCENARIO,
)

Differences = Callable[[], Iterable[FieldChange]]
"""Puts into words what differs between a thing as it was and as it is to be."""


@dataclass(slots=True)
class Change:
    """What becomes of one thing, in the words of ``ManifestChange``.

    ``fields`` is asked only when the change is told: a manifest may change thousands of mocks, of which few are told,
    and to find words for all of them would take longer than to decide about them.
    """

    kind: ChangeKind
    resource: ResourceKind
    project: str = ""
    environment: str = ""
    id: str = ""
    fields: Differences = tuple
    renamed_to: str = ""
    sessions: int = 0
    keys: int = 0

    def told(self) -> ManifestChange:
        """The change as a message."""
        return ManifestChange(
            kind=self.kind,
            resource=self.resource,
            project=self.project,
            environment=self.environment,
            id=self.id,
            fields=self.fields(),
            renamed_to=self.renamed_to,
            sessions=self.sessions,
            keys=self.keys,
        )


@dataclass(frozen=True, slots=True)
class Loss:
    """A change by which sessions may lose something, in an environment."""

    change: Change
    environment_id: str


@dataclass(frozen=True, slots=True)
class ProjectRemoval:
    """A project that goes, the change that tells it, and the slugs of its environments that were made elsewhere.

    ``foreign_flags`` is how many of its flags were.
    """

    record: ProjectRecord
    change: Change
    strangers: Sequence[str]
    foreign_flags: int = 0


@dataclass(frozen=True, slots=True)
class FlagPlan:
    """A flag as it is to be, ``None`` when it stays so, and those of its states that change, by environment id."""

    project_id: str
    key: str
    flag: Flag | None
    states: Mapping[str, FlagState]


@dataclass(frozen=True, slots=True)
class EnvironmentRemoval:
    """An environment that goes, the change that tells it, and how much in it the source does not declare.

    ``path`` is where a refusal is told.
    """

    record: EnvironmentRecord
    change: Change
    foreign: int
    path: str


@dataclass(slots=True)
class ContentsPlan:
    """What is done to the mocks and scenarios of an environment, in the order of the fields.

    ``path`` is that of the environment in the manifest.
    """

    environment_id: str
    path: str
    removed_mocks: list[str] = field(default_factory=list)
    removed_scenarios: list[str] = field(default_factory=list)
    switched_off: list[str] = field(default_factory=list)
    library: list[Mock] = field(default_factory=list)
    scenarios: list[Scenario] = field(default_factory=list)
    local: list[Mock] = field(default_factory=list)


@dataclass(slots=True)
class Plan:
    """All that is done, in the order of the fields, and what forbids it: with a refusal, nothing is done.

    ``changes`` tell it to the caller.
    """

    changes: list[Change] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    organisation: OrganisationRecord | None = None
    contents: list[ContentsPlan] = field(default_factory=list)
    removed_environments: list[EnvironmentRemoval] = field(default_factory=list)
    removed_projects: list[ProjectRemoval] = field(default_factory=list)
    projects: list[ProjectRecord] = field(default_factory=list)
    environments: list[EnvironmentRecord] = field(default_factory=list)
    removed_flags: list[tuple[str, str]] = field(default_factory=list)
    """By project id and key."""
    flags: list[FlagPlan] = field(default_factory=list)

    def let_go(self) -> None:
        """Forget what was to be done in environments and is done; the changes are still told."""
        for each in self.contents:
            let_go(each.library, each.scenarios, each.local)

    def sorted_changes(self) -> list[Change]:
        """The changes in the order of their places: what holds others first, mocks and scenarios by their ids.

        What is removed and made anew under one id is removed first, as it was noted. It is the plan's own list.
        """
        self.changes.sort(key=_place)
        return self.changes


def _place(change: Change) -> str:
    give_way()
    # One text, in which nothing can stand that sorts before what separates its parts: comparing thousands of tuples
    # would take a millisecond in one go.
    return f"{change.project}\0{change.environment}\0{_ORDER.index(change.resource)}\0{change.id}"
