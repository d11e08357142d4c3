"""The end of sessions that nobody ends: those past their time to live, and those long unused.

What was noted about sessions that are gone, however they went, goes too.
"""

from understudy_server.app.ports import Presence, Store, Transaction

_BATCH = 500


async def sweep(store: Store, presence: Presence, now_ms: int, idle_ms: int) -> int:
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
    await _forget_gone(store, presence)
    return removed


async def _forget_gone(store: Store, presence: Presence) -> None:
    # In this order: whoever was seen was there, so who is not there afterwards is gone.
    seen = presence.session_ids()
    present = await store.read(lambda tx: tx.session_ids())
    presence.forget([each for each in seen if each not in present])
