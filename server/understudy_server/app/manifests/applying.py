"""Applying a manifest: whole or not at all.

Everything is decided first (``planning.py``), and then carried out in an order in which nothing clashes on the way:
what goes before what comes, mocks of the library before the scenarios that list them, and these before their own
mocks.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from understudy.v1.manifest_service_pb2 import (
    RESOURCE_KIND_ENVIRONMENT,
    RESOURCE_KIND_MOCK,
    ApplyManifestRequest,
    ApplyManifestResponse,
    ManifestChange,
)

from understudy_server.app.call import Call
from understudy_server.app.environments import remove_environment, revoke_bound_keys
from understudy_server.app.manifests.checking import contradictions
from understudy_server.app.manifests.kept import load
from understudy_server.app.manifests.plan import Plan, Removal
from understudy_server.app.manifests.planning import make_plan
from understudy_server.app.manifests.terms import Terms
from understudy_server.app.ports import SessionUse, SourceRecord, Transaction
from understudy_server.app.projects import check_is_wide
from understudy_server.core.errors import Conflict, Fault, Refusal
from understudy_server.core.giving_way import giving_way


async def apply_manifest(tx: Transaction, call: Call, request: ApplyManifestRequest) -> ApplyManifestResponse:
    """Make what is declared, and tell what changed.

    Raises Forbidden (scope_mismatch), InvalidInput, NotFound and Conflict (already_exists, not_empty, other_projects,
    managed_by_file). The first problem in the order of places is told, and how many more there are.
    """
    check_is_wide(call)
    manifest, key_id = request.manifest, call.caller.key_id
    _raise_first(contradictions(manifest))
    terms = Terms(manifest.source, key_id, call.now_ms, call.world.new_id, request.adopt, request.force)
    plan = make_plan(manifest, await load(tx, manifest), terms)
    await _count_losses(tx, plan, terms)
    _raise_first(plan.refusals)
    if not request.validate_only:
        await _carry_out(tx, call, plan)
        await tx.put_manifest_source(SourceRecord(manifest.source, call.now_ms, key_id))
    return ApplyManifestResponse(changes=giving_way(plan.sorted_changes()))


async def _count_losses(tx: Transaction, plan: Plan, terms: Terms) -> None:
    """Fill in how many sessions lose something, and refuse to remove environments that are in use."""
    concerned = {loss.environment_id for loss in plan.losses}
    uses = {each: await tx.session_use(each, terms.now_ms) for each in sorted(concerned)}
    for loss in plan.losses:
        loss.change.sessions = _sessions(loss.change, uses[loss.environment_id])
    if not terms.force:
        plan.refusals += _in_use(plan.removed_environments, uses)


def _sessions(change: ManifestChange, use: SessionUse) -> int:
    if change.resource == RESOURCE_KIND_ENVIRONMENT:
        return use.sessions
    of_kind = use.of_mocks if change.resource == RESOURCE_KIND_MOCK else use.of_scenarios
    return of_kind.get(change.id, 0)


def _in_use(removals: Iterable[Removal], uses: dict[str, SessionUse]) -> Sequence[Refusal]:
    refusals = []
    for removal in removals:
        sessions, environment = uses[removal.record.id].sessions, removal.record.message
        holds = [
            *([_counted(sessions, "session")] if sessions else []),
            *([f"mocks or scenarios made elsewhere ({removal.foreign})"] if removal.foreign else []),
        ]
        if not holds:
            continue
        place = f"{environment.project}/{environment.slug}"
        message = f"environment {place} is not declared any more and has {' and '.join(holds)}"
        message += ": remove them first, or force it"
        refusals.append(Conflict("not_empty", message, Fault(removal.path, "not_empty", given=place[:100])))
    return refusals


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


async def _carry_out(tx: Transaction, call: Call, plan: Plan) -> None:
    await _remove(tx, call, plan)
    if plan.organisation:
        await tx.put_organisation(plan.organisation)
    for project in plan.projects:
        await tx.put_project(project)
    await tx.put_environments(plan.environments)
    for each in plan.contents:
        if each.library:
            await tx.put_mocks(each.environment_id, each.library)
        if each.scenarios:
            await tx.put_scenarios(each.environment_id, each.scenarios)
        if each.local:
            await tx.put_mocks(each.environment_id, each.local)


async def _remove(tx: Transaction, call: Call, plan: Plan) -> None:
    for each in plan.contents:
        if each.removed_mocks:
            await tx.remove_mocks(each.environment_id, each.removed_mocks)
        if each.removed_scenarios:
            await tx.remove_scenarios(each.environment_id, each.removed_scenarios)
        if each.switched_off:
            await tx.switch_off_mocks(each.environment_id, each.switched_off)
    for removal in plan.removed_environments:
        await remove_environment(tx, call, removal.record)
    for project in plan.removed_projects:
        await revoke_bound_keys(tx, call, project_id=project.id)
        await tx.remove_project(project.id)


def _raise_first(refusals: Iterable[Refusal]) -> None:
    """Raise the first of some refusals, in terms of the request, which says how many more there are."""
    found = list(refusals)
    if not found:
        return
    first, more = found[0], len(found) - 1
    first.fault = replace(first.fault, field=f"manifest.{first.fault.field}")
    if more:
        first.message += f" (and {_counted(more, 'more problem')})"
    raise first
