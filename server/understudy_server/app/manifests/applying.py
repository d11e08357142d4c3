"""Applying a manifest: whole or not at all.

Everything is decided first (``planning.py``), and then carried out in an order in which nothing clashes on the way:
what goes before what comes, mocks of the library before the scenarios that list them, and these before their own
mocks.
"""

from collections.abc import Iterable
from dataclasses import replace

from understudy.v1.manifest_service_pb2 import ApplyManifestRequest, ApplyManifestResponse

from understudy_server.app.call import Call
from understudy_server.app.environments import remove_environment, revoke_bound_keys
from understudy_server.app.manifests.checking import contradictions
from understudy_server.app.manifests.digests import digest_of
from understudy_server.app.manifests.files import missing_files
from understudy_server.app.manifests.kept import load
from understudy_server.app.manifests.losses import count_losses
from understudy_server.app.manifests.plan import Plan
from understudy_server.app.manifests.planning import make_plan
from understudy_server.app.manifests.telling import tell
from understudy_server.app.manifests.terms import Terms
from understudy_server.app.ports import SourceRecord, Transaction
from understudy_server.app.projects import check_is_wide
from understudy_server.core.errors import Refusal

REFUSALS_MAX = 100
"""How many problems of a manifest are told at once; of the rest, how many there are."""


async def apply_manifest(tx: Transaction, call: Call, request: ApplyManifestRequest) -> ApplyManifestResponse:
    """Make what is declared, and tell what changed.

    Raises Forbidden (scope_mismatch), InvalidInput, NotFound and Conflict (already_exists, not_empty, other_projects,
    managed_by_file). The first problem in the order of places is raised, and holds the others.
    """
    check_is_wide(call)
    manifest, key_id = request.manifest, call.caller.key_id
    _raise_all(contradictions(manifest))
    digest = "" if request.validate_only else digest_of(manifest)
    terms = Terms(manifest.source, key_id, call.now_ms, call.world.new_id, request.adopt, request.force)
    kept = await load(tx, manifest)
    plan = make_plan(manifest, kept, terms)
    plan.refusals += await missing_files(tx, plan)
    kept.let_go()
    await count_losses(tx, plan, terms)
    _raise_all(plan.refusals)
    if not request.validate_only:
        await _carry_out(tx, call, plan)
        await tx.put_manifest_source(SourceRecord(manifest.source, call.now_ms, key_id, digest=digest))
    plan.let_go()
    answer = ApplyManifestResponse(digest=digest)
    tell(answer, plan.sorted_changes(), request.changes_max)
    return answer


async def _carry_out(tx: Transaction, call: Call, plan: Plan) -> None:
    await _remove(tx, call, plan)
    if plan.organisation:
        await tx.put_organisation(plan.organisation)
    for project in plan.projects:
        await tx.put_project(project)
    await tx.put_environments(plan.environments)
    for flag in plan.flags:
        if flag.flag:
            await tx.put_flag(flag.project_id, flag.flag)
        for environment_id, state in flag.states.items():
            await tx.put_flag_state(flag.project_id, environment_id, flag.key, state)
    for each in plan.contents:
        if each.library:
            await tx.put_mocks(each.environment_id, each.library)
        if each.scenarios:
            await tx.put_scenarios(each.environment_id, each.scenarios)
        if each.local:
            await tx.put_mocks(each.environment_id, each.local)
        if new := [mock.id for mock in (*each.library, *each.local) if mock.revision == 1]:
            # Others of the same ids may have been there before, and been used.
            call.world.state.forget_uses(each.environment_id, new)


async def _remove(tx: Transaction, call: Call, plan: Plan) -> None:
    for each in plan.contents:
        if each.removed_mocks:
            await tx.remove_mocks(each.environment_id, each.removed_mocks)
        if each.removed_scenarios:
            await tx.remove_scenarios(each.environment_id, each.removed_scenarios)
        if each.switched_off:
            await tx.switch_off_mocks(each.environment_id, each.switched_off)
    for project_id, key in plan.removed_flags:
        await tx.remove_flag(project_id, key)
    for removal in plan.removed_environments:
        await remove_environment(tx, call, removal.record)
    for project in plan.removed_projects:
        await revoke_bound_keys(tx, call, project_id=project.record.id)
        await tx.remove_project(project.record.id)


def _raise_all(refusals: Iterable[Refusal]) -> None:
    """Raise the first of some refusals, if there is any, with the others in it, all in terms of the request."""
    found = list(refusals)
    if not found:
        return
    told = found[:REFUSALS_MAX]
    for each in told:
        each.fault = replace(each.fault, field=f"manifest.{each.fault.field}")
    first, *more = told
    first.more, first.untold = more, len(found) - len(told)
    raise first
