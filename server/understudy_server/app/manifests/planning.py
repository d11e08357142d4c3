"""Deciding what applying a manifest does, from what it says and what is kept: nothing is read or written here.

Whatever may refuse it is found here too, so that a manifest that is only looked at is refused as one that is applied.
"""

from collections.abc import Iterable
from functools import partial

from understudy.v1.manifest_service_pb2 import (
    CHANGE_KIND_ADOPT,
    CHANGE_KIND_CREATE,
    CHANGE_KIND_DELETE,
    CHANGE_KIND_UPDATE,
    RESOURCE_KIND_ENVIRONMENT,
    RESOURCE_KIND_FLAG,
    RESOURCE_KIND_ORGANISATION,
    RESOURCE_KIND_PROJECT,
    ChangeKind,
    Manifest,
    ManifestEnvironment,
    ManifestProject,
    Organisation,
    ResourceKind,
)
from understudy.v1.project_service_pb2 import PROFILE_FLOWMOCK, Environment, Profile, Project

from understudy_server.app.manifests import declaring
from understudy_server.app.manifests.contents import Spot, plan_contents, plan_removed_contents
from understudy_server.app.manifests.differing import differ, field_changes, handed_over
from understudy_server.app.manifests.flags import Ground, plan_flags
from understudy_server.app.manifests.kept import Kept, KeptEnvironment, KeptProject
from understudy_server.app.manifests.places import environment_path, project_path
from understudy_server.app.manifests.plan import (
    Change,
    Differences,
    EnvironmentRemoval,
    Loss,
    Plan,
    ProjectRemoval,
)
from understudy_server.app.manifests.terms import Terms
from understudy_server.app.ports import Contents, EnvironmentRecord, OrganisationRecord, ProjectRecord
from understudy_server.app.revisions import copied
from understudy_server.app.times import stamp
from understudy_server.core.errors import Conflict, Fault, InvalidInput, NotFound, Refusal

_AS_EXISTING = "declare it as existing"


def make_plan(manifest: Manifest, kept: Kept, terms: Terms) -> Plan:
    """Decide about a manifest that does not contradict itself."""
    return _Planner(manifest, kept, terms).plan()


class _Planner:
    def __init__(self, manifest: Manifest, kept: Kept, terms: Terms) -> None:
        self._manifest = manifest
        self._kept = kept
        self._terms = terms
        self._plan = Plan()

    def plan(self) -> Plan:
        self._guard_other_projects()
        self._organisation()
        for slug in sorted(self._manifest.projects):
            self._project(slug, self._manifest.projects[slug], self._kept.projects.get(slug))
        for slug, project in self._kept.projects.items():
            if slug not in self._manifest.projects:
                self._left_project(project)
        self._check_hosts()
        return self._plan

    def _guard_other_projects(self) -> None:
        """Two manifests that took the same name by chance are no two versions of one."""
        before = self._kept.declared_in
        if before and not self._terms.force and before.isdisjoint(self._manifest.projects):
            named = ", ".join(sorted(before)[:3])
            message = (
                f"{self._terms.source!r} has declared only other projects until now ({named}), which would go: "
                "give this manifest another source, or force it"
            )
            self._refuse(Conflict("other_projects", message, Fault("projects", "other_projects", given=named[:100])))

    def _organisation(self) -> None:
        kept, source = self._kept.organisation, self._terms.source
        if not self._manifest.HasField("organisation"):
            if kept.managed_by == source:
                self._plan.organisation = OrganisationRecord(kept.name, kept.plan)
                self._tell(CHANGE_KIND_UPDATE, RESOURCE_KIND_ORGANISATION, fields=partial(handed_over, source))
            return
        # There always is one, so that whoever declares it first makes it its own.
        kind = CHANGE_KIND_ADOPT
        if kept.managed_by:
            claimed = self._claimed(kept.managed_by, "organisation", "the organisation")
            if claimed is None:
                return
            kind = claimed
        declared = self._manifest.organisation
        before = Organisation(name=kept.name, plan=kept.plan)  # type: ignore[arg-type]  # they are the same numbers
        after = Organisation(name=declared.name, plan=declared.plan or before.plan)
        said = ("name", "plan")
        if differ(before, after, said) or kind == CHANGE_KIND_ADOPT:
            self._plan.organisation = OrganisationRecord(after.name, after.plan, source)
            self._tell(kind, RESOURCE_KIND_ORGANISATION, fields=partial(field_changes, before, after, said))

    def _project(self, slug: str, declared: ManifestProject, kept: KeptProject | None) -> None:
        path = project_path(slug)
        if declared.existing and kept is None:
            self._refuse(NotFound(f"there is no project {slug!r}", Fault(path, "existing", given=slug)))
            return
        record = self._existing_project(kept) if declared.existing and kept else self._own_project(slug, declared, kept)
        for name in sorted(declared.environments):
            environment = kept.environments.get(name) if kept else None
            self._environment(record, name, declared.environments[name], environment)
        if kept:
            left = (each for name, each in kept.environments.items() if name not in declared.environments)
            self._left_environments(record.message.slug, left, f"{path}.environments")
        plan_flags(self._plan, self._terms, self._ground(record, kept), declared.flags)

    def _ground(self, record: ProjectRecord, kept: KeptProject | None) -> Ground:
        """Where flags of a project can be set: in its environments as they will be."""
        gone = {each.record.id for each in self._plan.removed_environments}
        environments = {slug: each.record.id for slug, each in kept.environments.items()} if kept else {}
        environments |= {each.message.slug: each.id for each in self._plan.environments if each.project_id == record.id}
        left = {slug: each for slug, each in environments.items() if each not in gone}
        return Ground(record.id, record.message.slug, left, kept.flags if kept else {})

    def _existing_project(self, kept: KeptProject) -> ProjectRecord:
        record = kept.record
        if record.message.managed_by == self._terms.source:
            project, fields = self._terms.let_go(record.message)
            self._plan.projects.append(ProjectRecord(record.id, project))
            self._tell(CHANGE_KIND_UPDATE, RESOURCE_KIND_PROJECT, record.message.slug, fields=fields)
        return record

    def _own_project(self, slug: str, declared: ManifestProject, kept: KeptProject | None) -> ProjectRecord:
        desired = declaring.project(copied(kept.record.message) if kept else Project(slug=slug), declared)
        if kept is None:
            now = stamp(self._terms.now_ms)
            desired.revision, desired.managed_by = 1, self._terms.source
            desired.created_at.CopyFrom(now)
            desired.updated_at.CopyFrom(now)
            record = ProjectRecord(self._terms.new_id("prj_"), desired)
            self._plan.projects.append(record)
            self._tell(CHANGE_KIND_CREATE, RESOURCE_KIND_PROJECT, slug)
            return record
        record = kept.record
        kind = self._claimed(record.message.managed_by, project_path(slug), f"project {slug!r}", _AS_EXISTING)
        changed = self._terms.changed(record.message, desired, ("name",), kind) if kind else None
        if kind and changed:
            self._plan.projects.append(ProjectRecord(record.id, changed[0]))
            self._tell(kind, RESOURCE_KIND_PROJECT, slug, fields=changed[1])
        return record

    def _environment(
        self, project: ProjectRecord, slug: str, declared: ManifestEnvironment, kept: KeptEnvironment | None
    ) -> None:
        project_slug = project.message.slug
        path = environment_path(project_slug, slug)
        if declared.existing and kept is None:
            message = f"there is no environment {slug!r} in project {project_slug!r}"
            self._refuse(NotFound(message, Fault(path, "existing", given=slug)))
            return
        if declared.existing and kept:
            record = self._existing_environment(kept)
        else:
            record = self._own_environment(project, slug, declared, kept)
        contents = kept.contents if kept else Contents()
        plan_contents(self._plan, self._terms, Spot(project_slug, slug, record.id, path), declared, contents)

    def _existing_environment(self, kept: KeptEnvironment) -> EnvironmentRecord:
        record = kept.record
        if record.message.managed_by == self._terms.source:
            environment, fields = self._terms.let_go(record.message)
            self._plan.environments.append(EnvironmentRecord(record.id, record.project_id, environment))
            self._tell(
                CHANGE_KIND_UPDATE, RESOURCE_KIND_ENVIRONMENT, environment.project, environment.slug, fields=fields
            )
        return record

    def _own_environment(
        self, project: ProjectRecord, slug: str, declared: ManifestEnvironment, kept: KeptEnvironment | None
    ) -> EnvironmentRecord:
        base = copied(kept.record.message) if kept else Environment(slug=slug)
        desired, project_slug = declaring.environment(base, declared), project.message.slug
        profile = declaring.profile(declared)
        if kept is None:
            now = stamp(self._terms.now_ms)
            desired.profile = profile
            desired.project, desired.revision, desired.managed_by = project_slug, 1, self._terms.source
            desired.created_at.CopyFrom(now)
            desired.updated_at.CopyFrom(now)
            record = EnvironmentRecord(self._terms.new_id("env_"), project.id, desired)
            self._plan.environments.append(record)
            self._tell(CHANGE_KIND_CREATE, RESOURCE_KIND_ENVIRONMENT, project_slug, slug)
            return record
        record, path = kept.record, environment_path(project_slug, slug)
        if profile != (record.message.profile or PROFILE_FLOWMOCK):
            given, fixed = _profile_name(profile), _profile_name(record.message.profile)
            fault = Fault(f"{path}.profile", "fixed", fixed, given)
            self._refuse(InvalidInput(f"the environment was made with the profile {fixed}, which never changes", fault))
        kind = self._claimed(record.message.managed_by, path, f"environment {slug!r}", _AS_EXISTING)
        changed = self._terms.changed(record.message, desired, declaring.SETTINGS, kind) if kind else None
        if kind and changed:
            self._plan.environments.append(EnvironmentRecord(record.id, record.project_id, changed[0]))
            self._tell(kind, RESOURCE_KIND_ENVIRONMENT, project_slug, slug, fields=changed[1])
        return record

    def _left_project(self, kept: KeptProject) -> None:
        """A project that the manifest does not name, and in which its source has declared something."""
        record = kept.record
        slug = record.message.slug
        if record.message.managed_by != self._terms.source:
            self._left_environments(slug, kept.environments.values(), "projects")
            plan_flags(self._plan, self._terms, self._ground(record, kept), {})
            return
        strangers = [
            name for name, each in kept.environments.items() if each.record.message.managed_by != self._terms.source
        ]
        for environment in kept.environments.values():
            self._remove_environment(environment, "projects")
        for key in kept.flags:
            self._plan.changes.append(Change(CHANGE_KIND_DELETE, RESOURCE_KIND_FLAG, slug, id=key))
        foreign_flags = sum(each.managed_by != self._terms.source for each in kept.flags.values())
        change = self._tell(CHANGE_KIND_DELETE, RESOURCE_KIND_PROJECT, slug)
        self._plan.removed_projects.append(ProjectRemoval(record, change, strangers, foreign_flags))

    def _left_environments(self, project: str, left: Iterable[KeptEnvironment], path: str) -> None:
        """Environments that the manifest does not name: they go, or what the source has declared in them does."""
        for each in left:
            environment = each.record.message
            if environment.managed_by == self._terms.source:
                self._remove_environment(each, path)
            elif self._terms.source in _managers(each.contents):
                spot = Spot(project, environment.slug, each.record.id, path)
                plan_contents(self._plan, self._terms, spot, ManifestEnvironment(), each.contents)

    def _remove_environment(self, kept: KeptEnvironment, path: str) -> None:
        record, contents = kept.record, kept.contents
        slugs = record.message.project, record.message.slug
        foreign = sum(each != self._terms.source for each in _managers(contents))
        change = self._tell(CHANGE_KIND_DELETE, RESOURCE_KIND_ENVIRONMENT, *slugs)
        self._plan.removed_environments.append(EnvironmentRemoval(record, change, foreign, path))
        self._plan.losses.append(Loss(change, record.id))
        plan_removed_contents(self._plan, Spot(*slugs, record.id, path), contents)

    def _check_hosts(self) -> None:
        """A host is free when whoever has it goes, or is changed to have it no more."""
        freed = {each.record.id for each in self._plan.removed_environments}
        freed.update(each.id for each in self._plan.environments if each.message.managed_by == self._terms.source)
        for slug in sorted(self._manifest.projects):
            environments = self._manifest.projects[slug].environments
            for name in sorted(environments):
                for number, host in enumerate(environments[name].hosts):
                    if self._kept.hosts.get(host, "") not in ("", *freed):
                        fault = Fault(f"{environment_path(slug, name)}.hosts[{number}]", "unique", given=host)
                        message = f"another environment, made elsewhere, has the host {host!r} already"
                        self._refuse(Conflict("already_exists", message, fault))

    def _claimed(self, managed_by: str, path: str, what: str, *way_out: str) -> ChangeKind | None:
        """How a thing becomes the source's own; ``None`` when it does not, which is noted."""
        try:
            return self._terms.claim(managed_by, path, what, *way_out)
        except Conflict as refusal:
            self._refuse(refusal)
            return None

    def _refuse(self, refusal: Refusal) -> None:
        self._plan.refusals.append(refusal)

    def _tell(
        self,
        kind: ChangeKind,
        resource: ResourceKind,
        project: str = "",
        environment: str = "",
        *,
        fields: Differences = tuple,
    ) -> Change:
        change = Change(kind, resource, project, environment, fields=fields)
        self._plan.changes.append(change)
        return change


def _profile_name(profile: Profile) -> str:
    return Profile.Name(profile or PROFILE_FLOWMOCK).removeprefix("PROFILE_").lower()


def _managers(contents: Contents) -> list[str]:
    """Whose each mock and scenario is."""
    return [*(mock.managed_by for mock in contents.mocks), *(each.managed_by for each in contents.scenarios)]
