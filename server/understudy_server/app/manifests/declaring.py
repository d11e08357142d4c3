"""From what a manifest says to what is to be kept, and back: names and other defaults are filled in or left out."""

from understudy.v1.flags_pb2 import FLAG_KIND_BOOLEAN, Flag, FlagState
from understudy.v1.manifest_service_pb2 import (
    ManifestEnvironment,
    ManifestFlag,
    ManifestFlagState,
    ManifestMock,
    ManifestProject,
    ManifestScenario,
)
from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT, MOCK_STATE_PUBLISHED, Mock
from understudy.v1.project_service_pb2 import PROFILE_FLOWMOCK, Environment, EnvironmentChanges, Profile, Project
from understudy.v1.scenario_service_pb2 import Scenario

from understudy_server.app.manifests.differing import prune
from understudy_server.app.masks import set_fields
from understudy_server.app.mock_fields import BESIDE_NAME

SETTINGS = tuple(field.name for field in EnvironmentChanges.DESCRIPTOR.fields)
"""What an environment is told, in the order of the contract: name, upstream, hosts and so on."""

MOCK_FIELDS = ("name", *BESIDE_NAME, "state")
"""What a manifest says of a mock."""

FLAG_FIELDS = ("description", "default_value", "variants", "tags")
"""What a manifest says of a flag beside its name, its kind and its states."""

STATE_FIELDS = ("value", "rollout_percentage", "rules")
"""What a manifest says of the state of a flag beside whether it is on."""

_NULL = "null"

SCENARIO_FIELDS = ("name", "url_id", "mocks", "tags")
"""What a manifest says of a scenario, but for the mocks that are its alone."""


def project(made: Project, declared: ManifestProject) -> Project:
    """Let a project, new or a copy of what is kept, say what is declared of it, and return it.

    What only the server says of it, its slug too, is left as it is; so it is below.
    """
    made.name = declared.name or made.slug
    return made


def environment(made: Environment, declared: ManifestEnvironment) -> Environment:
    """Let an environment say what is declared of it. Its profile is none of that: it never changes."""
    set_fields(made, declared, SETTINGS)
    made.name = made.name or made.slug
    return made


def profile(declared: ManifestEnvironment) -> Profile:
    """The profile of a new environment."""
    return declared.profile or PROFILE_FLOWMOCK


def mock(made: Mock, declared: ManifestMock) -> Mock:
    """Let a mock say what is declared of it. Whose it is alone, if it is a scenario's, is left as it is."""
    set_fields(made, declared, BESIDE_NAME)
    made.name = declared.name or made.id
    made.state = declared.state or MOCK_STATE_PUBLISHED
    if made.tags:
        made.tags[:] = dict.fromkeys(made.tags)
    return made


def scenario(made: Scenario, declared: ManifestScenario, url_id: str) -> Scenario:
    """Let a scenario say what is declared of it, under a name for URLs."""
    made.name, made.url_id = declared.name or made.id, url_id
    made.mocks[:] = dict.fromkeys(declared.mocks)
    made.tags[:] = dict.fromkeys(declared.tags)
    return made


def flag(made: Flag, declared: ManifestFlag) -> Flag:
    """Let a flag say what is declared of it in all environments. Its kind is none of that: it never changes."""
    set_fields(made, declared, FLAG_FIELDS)
    made.name = declared.name or made.key
    made.tags[:] = dict.fromkeys(declared.tags)
    if made.default_value == _NULL:
        made.ClearField("default_value")
    return made


def flag_state(made: FlagState, declared: ManifestFlagState) -> FlagState:
    """Let the state of a flag say what is declared of it."""
    made.enabled = declared.enabled
    set_fields(made, declared, STATE_FIELDS)
    if made.value == _NULL:
        made.ClearField("value")
    for number, rule in enumerate(made.rules, 1):
        # By its place, so that the same manifest says the same again.
        rule.id = rule.id or f"rule_{number}"
    return made


def manifest_flag(kept: Flag) -> ManifestFlag:
    """A flag as a manifest says it, with those of its states that say anything."""
    made = ManifestFlag(name=_given(kept.name, kept.key))
    set_fields(made, kept, FLAG_FIELDS)
    if kept.kind != FLAG_KIND_BOOLEAN:
        made.kind = kept.kind
    for state in kept.states:
        said = ManifestFlagState(enabled=state.enabled)
        set_fields(said, state, STATE_FIELDS)
        if said != ManifestFlagState():
            made.states[state.environment].CopyFrom(said)
    return made


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
