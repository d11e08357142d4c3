"""From what a manifest says to what is to be kept, and back: names and other defaults are filled in or left out."""

from understudy.v1.manifest_service_pb2 import (
    ManifestEnvironment,
    ManifestMock,
    ManifestProject,
    ManifestScenario,
)
from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT, MOCK_STATE_PUBLISHED, Mock
from understudy.v1.project_service_pb2 import PROFILE_FLOWMOCK, Environment, EnvironmentChanges, Project
from understudy.v1.scenario_service_pb2 import Scenario

from understudy_server.app.manifests.differing import prune
from understudy_server.app.masks import set_fields
from understudy_server.app.mock_fields import BESIDE_NAME

SETTINGS = tuple(field.name for field in EnvironmentChanges.DESCRIPTOR.fields)
"""What an environment is told, in the order of the contract: name, upstream, hosts and so on."""

MOCK_FIELDS = ("name", *BESIDE_NAME, "state")
"""What a manifest says of a mock."""

SCENARIO_FIELDS = ("name", "url_id", "mocks", "tags")
"""What a manifest says of a scenario, but for the mocks that are its alone."""


def project(slug: str, declared: ManifestProject) -> Project:
    """What a project is to be. What only the server says is not filled in, here and below."""
    return Project(slug=slug, name=declared.name or slug)


def environment(slug: str, declared: ManifestEnvironment) -> Environment:
    """What an environment is to be."""
    made = Environment(slug=slug)
    set_fields(made, declared, SETTINGS)
    made.name = made.name or slug
    made.profile = declared.profile or PROFILE_FLOWMOCK
    return made


def mock(mock_id: str, home: str, declared: ManifestMock) -> Mock:
    """What a mock is to be; ``home`` is the scenario that it belongs to alone, or empty."""
    made = Mock(id=mock_id, name=declared.name or mock_id, scenario=home, state=declared.state or MOCK_STATE_PUBLISHED)
    set_fields(made, declared, BESIDE_NAME)
    made.tags[:] = dict.fromkeys(made.tags)
    return made


def scenario(scenario_id: str, declared: ManifestScenario, url_id: str) -> Scenario:
    """What a scenario is to be, under a name for URLs."""
    name = declared.name or scenario_id
    return Scenario(
        id=scenario_id, name=name, url_id=url_id, mocks=dict.fromkeys(declared.mocks), tags=dict.fromkeys(declared.tags)
    )


def manifest_project(kept: Project) -> ManifestProject:
    """A project as a manifest says it, without environments."""
    return ManifestProject(name=_given(kept.name, kept.slug))


def manifest_environment(kept: Environment) -> ManifestEnvironment:
    """The settings of an environment as a manifest says them."""
    made = ManifestEnvironment()
    set_fields(made, kept, SETTINGS)
    made.name = _given(kept.name, kept.slug)
    if kept.profile != PROFILE_FLOWMOCK:
        made.profile = kept.profile
    prune(made)
    return made


def manifest_mock(kept: Mock) -> ManifestMock:
    """A mock as a manifest says it."""
    made = ManifestMock(name=_given(kept.name, kept.id))
    if kept.state == MOCK_STATE_DRAFT:
        made.state = MOCK_STATE_DRAFT
    set_fields(made, kept, BESIDE_NAME)
    prune(made)
    return made


def manifest_scenario(kept: Scenario) -> ManifestScenario:
    """A scenario as a manifest says it, without its local mocks."""
    return ManifestScenario(name=_given(kept.name, kept.id), url_id=kept.url_id, mocks=kept.mocks, tags=kept.tags)


def _given(name: str, default: str) -> str:
    return "" if name == default else name
