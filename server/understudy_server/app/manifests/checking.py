"""What a manifest may not say about itself, whatever is kept: pure, so that a file can be checked without a server.

The limits of single fields are not looked at here: they are options of the contract.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from understudy.v1.flags_pb2 import FLAG_KIND_BOOLEAN, Flag, FlagState
from understudy.v1.manifest_service_pb2 import Manifest, ManifestEnvironment, ManifestFlag, ManifestMock
from understudy.v1.mock_service_pb2 import MOCK_STATE_DRAFT

from understudy_server.app.flag_states import check_rules
from understudy_server.app.flags import check_flag
from understudy_server.app.manifests import declaring
from understudy_server.app.manifests.places import environment_path, flag_path, project_path
from understudy_server.app.mocks import check_definition
from understudy_server.app.proxy_settings import check_settings
from understudy_server.core.errors import Fault, InvalidInput
from understudy_server.core.giving_way import giving_way, sorted_giving_way

SLUG_CHARACTERS_MAX = 64
"""The limits of map keys have no length; those of the slugs themselves do (Project.slug, Environment.slug)."""

CONTENTS = frozenset(("mocks", "scenarios", "existing"))
"""The fields of an environment that are no settings."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A scenario names a mock that its environment does not declare: ``path`` is the place."""

    path: str
    mock_id: str


def faults(manifest: Manifest) -> Iterator[InvalidInput]:
    """All contradictions within a manifest, in the order of their places.

    ``Fault.field`` is a path below the manifest. A scenario's mock that its environment does not declare is one of
    them, unless the environment is made elsewhere: then only the server knows.
    """
    return _faults(manifest, unknown_mocks=True)


def contradictions(manifest: Manifest) -> Iterator[InvalidInput]:
    """The same, without mocks that may have been made through the API: whoever knows what is kept asks for these."""
    return _faults(manifest, unknown_mocks=False)


def _faults(manifest: Manifest, *, unknown_mocks: bool) -> Iterator[InvalidInput]:
    hosts: dict[str, str] = {}
    for slug in sorted(manifest.projects):
        project, path = manifest.projects[slug], project_path(slug)
        yield from _slug_faults(slug, path)
        if project.existing and project.name:
            yield _refused(f"{path}.name", "existing", "is given, and the project is made elsewhere", project.name)
        for key in sorted(project.flags):
            yield from _flag_faults(key, project.flags[key], flag_path(slug, key))
        for name in sorted(project.environments):
            environment, place = project.environments[name], environment_path(slug, name)
            yield from _slug_faults(name, place)
            yield from _settings_faults(environment, place)
            yield from _host_faults(environment, place, hosts)
            yield from _mock_faults(environment, place)
            yield from _scenario_faults(environment, place)
            yield from _reference_faults(environment, place)
            if unknown_mocks and not environment.existing:
                yield from (_unknown(each) for each in undeclared_mocks(environment, place))


def undeclared_mocks(environment: ManifestEnvironment, path: str) -> Iterator[Reference]:
    """The mocks that scenarios name and the environment does not declare."""
    local = _homes(environment)
    for scenario_id in sorted(environment.scenarios):
        for number, mock_id in enumerate(environment.scenarios[scenario_id].mocks):
            if mock_id not in environment.mocks and mock_id not in local:
                yield Reference(f"{path}.scenarios[{scenario_id!r}].mocks[{number}]", mock_id)


def declared_mocks(environment: ManifestEnvironment) -> Iterator[tuple[str, str, ManifestMock]]:
    """(id, scenario that it belongs to or empty, mock) of all that an environment declares, the library first."""
    for mock_id in sorted_giving_way(environment.mocks):
        yield mock_id, "", environment.mocks[mock_id]
    for scenario_id in sorted(environment.scenarios):
        local = environment.scenarios[scenario_id].local_mocks
        for mock_id in sorted(local):
            yield mock_id, scenario_id, local[mock_id]


def mock_path(path: str, mock_id: str, home: str) -> str:
    """The place of a mock in the environment at a path."""
    return f"{path}.scenarios[{home!r}].local_mocks[{mock_id!r}]" if home else f"{path}.mocks[{mock_id!r}]"


def _slug_faults(slug: str, path: str) -> Iterator[InvalidInput]:
    if len(slug) > SLUG_CHARACTERS_MAX:
        complaint = f"has {len(slug)} characters, more than {SLUG_CHARACTERS_MAX}"
        yield _refused(path, "max_length", complaint, slug, str(SLUG_CHARACTERS_MAX))


def _flag_faults(key: str, declared: ManifestFlag, path: str) -> Iterator[InvalidInput]:
    made = declaring.flag(Flag(key=key, kind=declared.kind or FLAG_KIND_BOOLEAN), declared)
    try:
        check_flag(made, path)
    except InvalidInput as fault:
        yield fault
    for slug in sorted(declared.states):
        place = f"{path}.states[{slug!r}]"
        yield from _slug_faults(slug, place)
        try:
            check_rules(declaring.flag_state(FlagState(), declared.states[slug]), place)
        except InvalidInput as fault:
            yield fault


def _settings_faults(environment: ManifestEnvironment, path: str) -> Iterator[InvalidInput]:
    if environment.existing:
        for field, _ in environment.ListFields():
            if field.name not in CONTENTS:
                yield _refused(f"{path}.{field.name}", "existing", "is given, and the environment is made elsewhere")
        return
    try:
        check_settings(environment, path)
    except InvalidInput as fault:
        yield fault


def _host_faults(environment: ManifestEnvironment, path: str, seen: dict[str, str]) -> Iterator[InvalidInput]:
    for number, host in enumerate(environment.hosts):
        # Twice in one environment is told with its settings.
        if seen.setdefault(host, path) != path:
            yield _refused(f"{path}.hosts[{number}]", "unique", f"is a host of {seen[host]} too", host)


def _mock_faults(environment: ManifestEnvironment, path: str) -> Iterator[InvalidInput]:
    homes: dict[str, str] = {}
    for mock_id, home, mock in giving_way(declared_mocks(environment)):
        if homes.setdefault(mock_id, home) != home:
            first = mock_path(path, mock_id, homes[mock_id])
            yield _refused(mock_path(path, mock_id, home), "unique", f"has the id of {first}", mock_id)
        try:
            check_definition(mock, mock_path(path, mock_id, home), profile=environment.profile)
        except InvalidInput as fault:
            yield fault


def _scenario_faults(environment: ManifestEnvironment, path: str) -> Iterator[InvalidInput]:
    seen: dict[str, str] = {}
    for scenario_id in sorted(environment.scenarios):
        url_id = environment.scenarios[scenario_id].url_id
        if url_id and seen.setdefault(url_id, scenario_id) != scenario_id:
            place = f"{path}.scenarios[{scenario_id!r}].url_id"
            yield _refused(place, "unique", f"is that of scenario {seen[url_id]!r} too", url_id)


def _reference_faults(environment: ManifestEnvironment, path: str) -> Iterator[InvalidInput]:
    """Scenarios that name mocks which are declared and cannot be named."""
    homes = _homes(environment)
    for scenario_id in sorted(environment.scenarios):
        for number, mock_id in enumerate(environment.scenarios[scenario_id].mocks):
            place = f"{path}.scenarios[{scenario_id!r}].mocks[{number}]"
            if mock_id in environment.mocks:
                if environment.mocks[mock_id].state == MOCK_STATE_DRAFT:
                    yield _refused(place, "reference", f"names mock {mock_id!r}, which is a draft", mock_id)
            elif mock_id in homes:
                complaint = f"names mock {mock_id!r}, which belongs to scenario {homes[mock_id]!r} alone"
                yield _refused(place, "reference", complaint, mock_id)


def _homes(environment: ManifestEnvironment) -> Mapping[str, str]:
    """The scenario of each local mock."""
    return {
        mock_id: scenario_id
        for scenario_id, scenario in environment.scenarios.items()
        for mock_id in scenario.local_mocks
    }


def _unknown(reference: Reference) -> InvalidInput:
    complaint = f"names mock {reference.mock_id[:100]!r}, which is not declared here"
    return _refused(reference.path, "reference", complaint, reference.mock_id)


def _refused(path: str, rule: str, complaint: str, given: str = "", limit: str = "") -> InvalidInput:
    return InvalidInput(f"{path} {complaint}", Fault(path, rule, limit, given[:100]))
