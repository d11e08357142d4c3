"""What is kept where a manifest acts, read before anything is decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from understudy.v1.flags_pb2 import Flag
from understudy.v1.manifest_service_pb2 import Manifest

from understudy_server.app.flag_ports import FlagQuery
from understudy_server.app.ports import Contents, EnvironmentRecord, OrganisationRecord, ProjectRecord, Transaction
from understudy_server.core.giving_way import let_go

_EVERY = 1_000_000


@dataclass(frozen=True, slots=True)
class KeptEnvironment:
    """An environment. ``contents`` are empty where the manifest does not act: then they do not matter."""

    record: EnvironmentRecord
    contents: Contents


@dataclass(frozen=True, slots=True)
class KeptProject:
    """A project with all of its environments, by slug, and all of its flags with their states, by key."""

    record: ProjectRecord
    environments: Mapping[str, KeptEnvironment]
    flags: Mapping[str, Flag] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """All that matters to a manifest.

    ``projects`` are those that it names and those where its source declares anything, by slug; ``declared_in`` are the
    slugs of the latter. ``hosts``: for each host that it declares and another environment has, the id of that one.
    """

    organisation: OrganisationRecord
    projects: Mapping[str, KeptProject] = field(default_factory=dict)
    declared_in: frozenset[str] = frozenset()
    hosts: Mapping[str, str] = field(default_factory=dict)

    def let_go(self) -> None:
        """Forget the contents of environments, when everything is decided."""
        for project in self.projects.values():
            for environment in project.environments.values():
                let_go(environment.contents.mocks, environment.contents.scenarios)


async def load(tx: Transaction, manifest: Manifest) -> Kept:
    """Read what is kept: a few statements for each project and environment that the manifest or its source names."""
    places = await tx.places_of(manifest.source)
    before = {project_id: await tx.project_by_id(project_id) for project_id, _ in places}
    records = {record.message.slug: record for record in before.values() if record is not None}
    declared_in = frozenset(records)
    for slug in manifest.projects:
        record = records.get(slug) or await tx.project(slug)
        if record:
            records[slug] = record
    touched = {environment_id for _, environment_id in places}
    projects = {slug: await _project(tx, manifest, record, touched) for slug, record in sorted(records.items())}
    return Kept(await tx.organisation(), projects, declared_in, await _hosts(tx, manifest, projects))


async def _project(tx: Transaction, manifest: Manifest, record: ProjectRecord, touched: set[str]) -> KeptProject:
    slug = record.message.slug
    named = manifest.projects[slug].environments if slug in manifest.projects else {}
    # A project that goes takes all of its environments with it.
    goes = slug not in manifest.projects and record.message.managed_by == manifest.source
    environments = {}
    for each in await tx.environments(record.id, "", _EVERY):
        matters = goes or each.id in touched or each.message.slug in named
        contents = await tx.contents(each.id) if matters else Contents()
        environments[each.message.slug] = KeptEnvironment(each, contents)
    return KeptProject(record, environments, await kept_flags(tx, record.id))


async def kept_flags(tx: Transaction, project_id: str) -> dict[str, Flag]:
    """All flags of a project with their states, by key."""
    flags = {each.key: each for each in await tx.flags(project_id, FlagQuery(), "", _EVERY)}
    if flags:
        for key, states in (await tx.flag_states(project_id, flags)).items():
            flags[key].states.extend(states)
    return flags


async def _hosts(tx: Transaction, manifest: Manifest, projects: Mapping[str, KeptProject]) -> dict[str, str]:
    taken = {}
    for slug, project in manifest.projects.items():
        for name, environment in project.environments.items():
            kept = projects[slug].environments.get(name) if slug in projects else None
            own: Sequence[str] = kept.record.message.hosts if kept else ()
            for host in environment.hosts:
                other = await tx.environment_by_host(host) if host not in own else None
                if other:
                    taken[host] = other.id
    return taken
