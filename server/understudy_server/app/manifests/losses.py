"""What sessions and keys lose by a plan, and what is not removed for that reason, unless it is forced."""

from collections import Counter
from collections.abc import Iterable, Sequence

from understudy.v1.manifest_service_pb2 import RESOURCE_KIND_ENVIRONMENT, RESOURCE_KIND_MOCK

from understudy_server.app.manifests.plan import Change, EnvironmentRemoval, Plan, ProjectRemoval
from understudy_server.app.manifests.terms import Terms
from understudy_server.app.ports import KeyQuery, SessionUse, Transaction
from understudy_server.core.errors import Conflict, Fault, Refusal

_EVERY = 1_000_000


async def count_losses(tx: Transaction, plan: Plan, terms: Terms) -> None:
    """Tell in the changes how many sessions lose something and how many keys go, and refuse to remove what is in use.

    Refusals are added to the plan.
    """
    concerned = {loss.environment_id for loss in plan.losses}
    uses = {each: await tx.session_use(each, terms.now_ms) for each in sorted(concerned)}
    for loss in plan.losses:
        loss.change.sessions = _sessions(loss.change, uses[loss.environment_id])
    await _count_keys(tx, plan, terms)
    if not terms.force:
        plan.refusals += [refusal for each in plan.removed_projects for refusal in _project_in_use(each)]
        plan.refusals += [refusal for each in plan.removed_environments for refusal in _environment_in_use(each)]


def _sessions(change: Change, use: SessionUse) -> int:
    if change.resource == RESOURCE_KIND_ENVIRONMENT:
        return use.sessions
    of_kind = use.of_mocks if change.resource == RESOURCE_KIND_MOCK else use.of_scenarios
    return of_kind.get(change.id, 0)


async def _count_keys(tx: Transaction, plan: Plan, terms: Terms) -> None:
    if not (plan.removed_projects or plan.removed_environments):
        return
    working = await tx.keys("", _EVERY, "", "", KeyQuery(active=True, now_ms=terms.now_ms))
    bound = Counter((key.project_id, key.environment_id) for key in working)
    for project in plan.removed_projects:
        project.change.keys = bound[project.record.id, ""]
    for environment in plan.removed_environments:
        environment.change.keys = bound[environment.record.project_id, environment.record.id]


def _project_in_use(removal: ProjectRemoval) -> Iterable[Refusal]:
    slug, strangers = removal.record.message.slug, removal.strangers
    elsewhere = [f"environments that were made elsewhere ({', '.join(strangers[:3])})"] if strangers else []
    flags = [f"flags that were made elsewhere ({removal.foreign_flags})"] if removal.foreign_flags else []
    holds = [*elsewhere, *flags, *_keys(removal.change)]
    if holds:
        yield _not_empty(f"project {slug!r}", holds, Fault("projects", "not_empty", given=slug))


def _environment_in_use(removal: EnvironmentRemoval) -> Iterable[Refusal]:
    environment, sessions = removal.record.message, removal.change.sessions
    place = f"{environment.project}/{environment.slug}"
    holds = [
        *([_counted(sessions, "session")] if sessions else []),
        *([f"mocks or scenarios made elsewhere ({removal.foreign})"] if removal.foreign else []),
        *_keys(removal.change),
    ]
    if holds:
        yield _not_empty(f"environment {place}", holds, Fault(removal.path, "not_empty", given=place[:100]))


def _keys(change: Change) -> Sequence[str]:
    """Keys in words, if there are any."""
    return [f"{_counted(change.keys, 'key')} that {'works' if change.keys == 1 else 'work'}"] if change.keys else []


def _not_empty(what: str, holds: Sequence[str], fault: Fault) -> Conflict:
    *others, last = holds
    listed = f"{', '.join(others)} and {last}" if others else last
    message = f"{what} is not declared any more and has {listed}: remove them first, or force it"
    return Conflict("not_empty", message, fault)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
