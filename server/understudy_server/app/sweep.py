"""The end of sessions that nobody ends: those past their time to live, and those long unused.

What was noted about sessions that are gone, however they went, goes too, and what requests have left behind for
sessions and environments that are gone or have begun anew.
"""

import asyncio
from collections.abc import Collection, Sequence

from understudy_server.app.ports import Presence, Store, Transaction
from understudy_server.core.state import Scope, State

_BATCH = 500


async def sweep(store: Store, presence: Presence, state: State, now_ms: int, idle_ms: int) -> int:
    """Remove sessions that have expired or were neither changed nor seen for ``idle_ms`` (0: never). Returns how many.

    Work is done in batches, so that a large sweep never holds the writer for long; each batch looks again, so that a
    session set anew in the meantime stays.
    """
    horizon = now_ms - idle_ms if idle_ms else 0

    async def doomed(tx: Transaction) -> list[str]:
        ending = await tx.ending(now_ms, horizon)
        return [each for each, expired in ending if expired or (presence.last_seen(each) or 0) < horizon]

    async def remove_batch(tx: Transaction) -> list[str]:
        batch = (await doomed(tx))[:_BATCH]
        for session_id in batch:
            await tx.remove_session(session_id)
        return batch

    removed = 0
    # Looking first costs no write: most of the time there is nothing to do.
    while await store.read(doomed) and (batch := await store.write(remove_batch)):
        removed += len(batch)
    removed += await _sweep_project_sessions(store, now_ms)
    await _forget_gone(store, presence, state)
    return removed


async def _sweep_project_sessions(store: Store, now_ms: int) -> int:
    """Remove the sessions of projects that have expired, in batches. Returns how many."""

    async def ended(tx: Transaction) -> Sequence[tuple[str, str]]:
        return await tx.ended_project_sessions(now_ms, _BATCH)

    async def remove_batch(tx: Transaction) -> int:
        batch = await ended(tx)
        for project_id, session_id in batch:
            await tx.remove_project_session(project_id, session_id)
        return len(batch)

    removed = 0
    while await store.read(ended):
        removed += await store.write(remove_batch)
    return removed


async def _forget_gone(store: Store, presence: Presence, state: State) -> None:
    # In this order: whoever was seen, or left anything behind, was there, so who is not there afterwards is gone.
    seen, owners = presence.session_ids(), state.owners()
    if not seen and not owners:
        return

    async def present(tx: Transaction) -> tuple[Collection[str], Collection[str], Collection[str]]:
        return await tx.session_ids(), await tx.state_ids(), await tx.environment_ids()

    # As a write, although it is none: there may be a hundred thousand, and the event loop does not wait for a writer.
    sessions, states, environments = await store.write(present)
    presence.forget([each for each in seen if each not in sessions])
    for number, owner in enumerate(owners, 1):
        # Requests without a session share a state that has no name: it goes with the environment.
        is_one_session = owner.scope is Scope.SESSION and bool(owner.name)
        if owner.environment_id not in environments or (is_one_session and owner.name not in states):
            state.reset(owner)
        if not number % _BATCH:
            # Requests come first.
            await asyncio.sleep(0)
