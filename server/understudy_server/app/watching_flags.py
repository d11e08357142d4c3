"""Which flags change in an environment, told as it happens.

Nobody who watches keeps anything of them: the store knows what changed since a version.
"""

from collections.abc import AsyncIterator, Sequence
from functools import partial

from understudy.v1.evaluation_service_pb2 import WatchFlagsRequest, WatchFlagsResponse

from understudy_server.app.call import Call, Place
from understudy_server.app.ports import Transaction
from understudy_server.app.slices import Slices
from understudy_server.core.errors import StorageFailure

_PAGE = 1_000


async def watch_flags(call: Call, _request: WatchFlagsRequest) -> AsyncIterator[WatchFlagsResponse]:
    """Say that it watches, and then each flag that changed. Raises StorageFailure, also for who is too far behind."""
    place, store = call.place, call.world.store
    environment = place.environment
    # Before anything is looked at: what changes from then on rings.
    with store.flag_bell() as changed:
        version = await store.read(lambda tx: _version(tx, place.project_id))
        yield WatchFlagsResponse(environment=environment)
        while True:
            await call.world.waits.until([changed.wait()], None)
            since, version = version, await store.read(lambda tx: _version(tx, place.project_id))
            if version != since:
                async for key in _changed(call, since):
                    yield WatchFlagsResponse(flag_key=key, environment=environment)


async def _changed(call: Call, since: int) -> AsyncIterator[str]:
    """The keys of the flags that changed after a version. Raises StorageFailure when they are not known any more."""
    after, is_last, slices = "", False, Slices()
    await slices.turn()
    while not is_last:
        page = await call.world.store.read(partial(_page, call.place, since, after))
        for after in page:
            yield after
            await slices.pause()
        is_last = len(page) < _PAGE


async def _page(place: Place, since: int, after: str, tx: Transaction) -> Sequence[str]:
    async def look_up() -> Sequence[str] | None:
        return await tx.flags_changed(place.project_id, place.environment_id, since, after, _PAGE)

    # All who watch ask this at the same time.
    found = await tx.recall(("flags_changed", place.environment_id, since, after), look_up)
    if found is None:
        raise StorageFailure("so many changes came in between that those of flags are not known any more: watch anew")
    return found


async def _version(tx: Transaction, project_id: str) -> int:
    return await tx.recall(("flags_version", project_id), lambda: tx.flags_version(project_id))
