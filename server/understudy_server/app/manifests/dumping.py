"""Writing what is kept as a manifest."""

from dataclasses import dataclass

from understudy.v1.manifest_service_pb2 import (
    DumpManifestRequest,
    DumpManifestResponse,
    Manifest,
    ManifestEnvironment,
    ManifestProject,
    Organisation,
)

from understudy_server.app.call import Call
from understudy_server.app.manifests import declaring
from understudy_server.app.manifests.kept import kept_flags
from understudy_server.app.manifests.releasing import no_such_source
from understudy_server.app.ports import EnvironmentRecord, ProjectRecord, Transaction
from understudy_server.core.errors import Fault, Forbidden, NotFound

DEFAULT_SOURCE = "understudy.yaml"
_EVERY = 1_000_000


@dataclass(frozen=True, slots=True)
class _Choice:
    """What to write: of one project (id, or empty), of one environment, of one source."""

    project_id: str
    environment_id: str
    source: str

    def has(self, managed_by: str) -> bool:
        """Tell whether a thing is written as the manifest's own."""
        return self.source in ("", managed_by)


async def dump_manifest(tx: Transaction, call: Call, request: DumpManifestRequest) -> DumpManifestResponse:
    """Write what is kept, as far as the caller's key reaches. Raises NotFound and Forbidden (scope_mismatch).

    A key for one project does not learn which sources there are: one that is unknown declares nothing there.
    """
    choice = _Choice(await _project_id(tx, call, request.project), call.caller.environment_id, request.source)
    if choice.source and not call.caller.project_id and await tx.manifest_source(choice.source) is None:
        raise no_such_source(choice.source)
    manifest = Manifest(source=choice.source or DEFAULT_SOURCE)
    organisation = await tx.organisation()
    if not choice.project_id and choice.has(organisation.managed_by):
        plan = organisation.plan
        manifest.organisation.CopyFrom(Organisation(name=organisation.name, plan=plan))  # type: ignore[arg-type]
    for record in await tx.projects("", _EVERY):
        if choice.project_id in ("", record.id):
            await _write_project(tx, record, choice, manifest)
    return DumpManifestResponse(manifest=manifest)


async def _project_id(tx: Transaction, call: Call, slug: str) -> str:
    """The id of the only project to write, empty for all. A key learns nothing about projects that it is not for."""
    own = call.caller.project_id
    project = await tx.project(slug) if slug else None
    if slug and own and (project is None or project.id != own):
        raise Forbidden("scope_mismatch", "the key is for another project", Fault("project", "scope", given=slug))
    if slug and project is None:
        raise NotFound(f"there is no project {slug!r}", Fault("project", given=slug))
    return project.id if project else own


async def _write_project(tx: Transaction, record: ProjectRecord, choice: _Choice, manifest: Manifest) -> None:
    kept = record.message
    is_own = choice.has(kept.managed_by)
    written = declaring.manifest_project(kept) if is_own else ManifestProject(existing=True)
    for environment in await tx.environments(record.id, "", _EVERY):
        if choice.environment_id in ("", environment.id):
            await _write_environment(tx, environment, choice, written)
    if not choice.environment_id:
        await _write_flags(tx, record, choice, written)
    if is_own or written.environments or written.flags:
        manifest.projects[kept.slug].CopyFrom(written)


async def _write_flags(tx: Transaction, record: ProjectRecord, choice: _Choice, project: ManifestProject) -> None:
    for key, flag in (await kept_flags(tx, record.id)).items():
        if choice.has(flag.managed_by):
            project.flags[key].CopyFrom(declaring.manifest_flag(flag))


async def _write_environment(
    tx: Transaction, record: EnvironmentRecord, choice: _Choice, project: ManifestProject
) -> None:
    kept = record.message
    is_own = choice.has(kept.managed_by)
    written = declaring.manifest_environment(kept) if is_own else ManifestEnvironment(existing=True)
    contents = await tx.contents(record.id)
    for scenario in contents.scenarios:
        if choice.has(scenario.managed_by):
            written.scenarios[scenario.id].CopyFrom(declaring.manifest_scenario(scenario))
    for mock in contents.mocks:
        # A mock whose scenario was adopted by another source has no place in a manifest of this one.
        if choice.has(mock.managed_by) and (not mock.scenario or mock.scenario in written.scenarios):
            home = written.scenarios[mock.scenario].local_mocks if mock.scenario else written.mocks
            home[mock.id].CopyFrom(declaring.manifest_mock(mock))
    if is_own or written.mocks or written.scenarios:
        project.environments[kept.slug].CopyFrom(written)
