"""How the server is: what the process knows of itself, and what the store holds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from understudy.v1.manifest_service_pb2 import Organisation
from understudy.v1.server_service_pb2 import Check, Counts, GetStatusRequest, GetStatusResponse, ManifestStatus, Status

from understudy_server.app.call import Call
from understudy_server.app.host import HostFacts, Watched
from understudy_server.app.ports import Transaction
from understudy_server.app.superseding import why_not_in_force
from understudy_server.app.times import stamp
from understudy_server.core.errors import StorageFailure


@dataclass(frozen=True, slots=True)
class _Held:
    """What the store holds. ``problem``: why it could not be read; then the rest is empty."""

    organisation: Organisation
    counts: Counts
    manifests: Sequence[ManifestStatus]
    problem: str = ""
    superseded: str = ""
    """Why what the process applied of its file is not in force any more."""


async def get_status(call: Call, request: GetStatusRequest) -> GetStatusResponse:  # noqa: ARG001 - it asks for all
    """Read the status. A store that cannot be read is part of the answer."""
    facts = call.world.host()

    async def read(tx: Transaction) -> _Held:
        return await _held(tx, call, facts.watched)

    try:
        held = await call.world.store.read(read)
    except StorageFailure as failure:
        held = _Held(Organisation(), Counts(), (), failure.message)
    if facts.watched and not facts.watched.problem:
        facts = replace(facts, watched=replace(facts.watched, problem=held.superseded))
    if call.caller.project_id:
        # What files say, and which there are, may be about other projects.
        facts = replace(facts, watched=_withheld(facts.watched))
    checks = sorted(_checks(facts, held), key=lambda check: check.name)
    status = Status(
        version=facts.version,
        healthy=all(check.ok for check in checks),
        checks=checks,
        listeners=facts.listeners,
        organisation=held.organisation,
        counts=held.counts,
        store=facts.store,
        journal=facts.journal,
        manifests=_with_watched(held.manifests, facts.watched),
    )
    if facts.started_at_ms:
        status.started_at.CopyFrom(stamp(facts.started_at_ms))
    return GetStatusResponse(status=status)


async def _held(tx: Transaction, call: Call, watched: Watched | None) -> _Held:
    """What the caller may know of: a key for one project or environment counts only what is there."""
    caller = call.caller
    counts = await tx.counts(call.now_ms, caller.project_id, caller.environment_id)
    manifests = () if caller.project_id else await tx.manifest_statuses()
    superseded = why_not_in_force(watched, await tx.manifest_source(watched.source)) if watched else ""
    return _Held(await tx.organisation_status(), counts, manifests, superseded=superseded)


def _withheld(watched: Watched | None) -> Watched | None:
    if watched is None or not watched.problem:
        return None
    return Watched("", "the server's file is not in force as it is now; a key for the whole organisation sees why")


def _checks(facts: HostFacts, held: _Held) -> Iterator[Check]:
    def check(name: str, problem: str) -> Check:
        return Check(name=name, ok=not problem, problem=problem)

    written = f"the last change could not be written ({facts.store_problem})" if facts.store_problem else ""
    yield check("store", held.problem or written)
    yield check("journal", facts.journal_problem)
    unwritten = "last-seen times, and the state that mocks keep, cannot be written now"
    yield check("presence", f"{unwritten} ({facts.presence_problem})" if facts.presence_problem else "")
    watched = facts.watched
    yield check("manifests", watched.problem if watched else "")


def _with_watched(manifests: Sequence[ManifestStatus], watched: Watched | None) -> Sequence[ManifestStatus]:
    """The sources, in the order of their names; one that is watched is told apart, also before it was ever applied."""
    by_source = {each.source: each for each in manifests}
    if watched and watched.source:
        status = ManifestStatus()
        status.CopyFrom(by_source.get(watched.source, ManifestStatus(source=watched.source)))
        status.watched, status.problem = True, watched.problem
        by_source[watched.source] = status
    return [by_source[source] for source in sorted(by_source)]
