"""Flags compiled for evaluation: each when it is first asked for, good for as long as it stays as it is.

Who asks has read, in the same unit of work, which version of the flags counts; so what is compiled is never older than
that, whoever wrote it. From one version to the next only what changed is compiled anew. Used on the event loop alone.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from functools import partial
from typing import Final

from understudy_server.app.beside import beside
from understudy_server.app.flag_origins import Environment, Origin, Snapshot
from understudy_server.app.flag_place import FlagPlace
from understudy_server.app.not_yet import NotYet
from understudy_server.app.ports import Transaction
from understudy_server.core.flags.compiled import CompiledFlag
from understudy_server.core.giving_way import let_go

PLACES_MAX: Final = 256
"""So many environments and snapshots are kept; the one that was asked for longest ago goes first."""

FLAGS_MAX: Final = 30_000
"""So many flags are kept in all places together, but all of the place that was asked for last. One takes 9 KB."""

CHANGED_MAX: Final = 1_000
"""Where so many changed, what is compiled of a place is let go, and all of it is compiled anew as it is asked for."""

_LET_GO_AT_ONCE = 100


class _Crowded(NotYet):
    """Compiled flags that nobody asks for are to be let go of, which for thousands takes tens of milliseconds."""

    def __init__(self, gone: list[CompiledFlag]) -> None:
        super().__init__()
        self._gone = gone

    async def work(self) -> None:
        await beside(partial(let_go, self._gone))


class FlagCache:
    """Compiled flags, by environment and by snapshot.

    ``filling`` is for whoever asks for all flags of a place and has to ask again: one at a time, so that no two take
    each other's room.
    """

    def __init__(self) -> None:
        self.filling = asyncio.Lock()
        self._kept: OrderedDict[Hashable, FlagPlace] = OrderedDict()

    async def some(
        self, tx: Transaction, project_id: str, environment_id: str, keys: Sequence[str]
    ) -> Mapping[str, CompiledFlag]:
        """Those of some flags that there are, and maybe others, by key, as an environment has them.

        To be used at once. Raises NotYet.
        """
        return await self._some(tx, await self._current(tx, project_id, environment_id), keys)

    async def all(self, tx: Transaction, project_id: str, environment_id: str) -> Mapping[str, CompiledFlag]:
        """All flags, in the order of their keys, as an environment has them. Raises NotYet."""
        return await self._all(tx, await self._current(tx, project_id, environment_id))

    async def pinned(self, tx: Transaction, snapshot_id: int, keys: Sequence[str] | None) -> Mapping[str, CompiledFlag]:
        """The same of a snapshot, of some keys or all (``None``). Raises NotYet."""
        place = self._kept.get(snapshot_id) or self._begin(snapshot_id, Snapshot(snapshot_id), 0)
        self._kept.move_to_end(snapshot_id)
        return await self._all(tx, place) if keys is None else await self._some(tx, place, keys)

    async def _some(self, tx: Transaction, place: FlagPlace, keys: Sequence[str]) -> Mapping[str, CompiledFlag]:
        flags, absent = place.flags, place.absent
        for key in keys:
            if key not in flags and key not in absent:
                if await place.look_up(tx, keys):
                    self._make_room()
                break
        return flags

    async def _all(self, tx: Transaction, place: FlagPlace) -> Mapping[str, CompiledFlag]:
        self._make_room()
        return await place.all(tx)

    async def _current(self, tx: Transaction, project_id: str, environment_id: str) -> FlagPlace:
        """What is compiled of an environment, as it is now."""
        version = await tx.recall(("flags_version", project_id), lambda: tx.flags_version(project_id))
        place = self._kept.get(environment_id)
        if place is None:
            place = self._begin(environment_id, Environment(project_id, environment_id), version)
        elif place.version != version:
            changed = await tx.flags_changed(project_id, environment_id, place.version, "", CHANGED_MAX)
            if changed is None or len(changed) == CHANGED_MAX:
                place = self._begin(environment_id, Environment(project_id, environment_id), version)
            else:
                place.renew(version, changed)
        self._kept.move_to_end(environment_id)
        return place

    def _begin(self, name: Hashable, origin: Origin, version: int) -> FlagPlace:
        """Keep a place anew. Raises NotYet."""
        before = self._kept.pop(name, None)
        place = self._kept[name] = FlagPlace(origin, version)
        self._make_room(before)
        return place

    def _make_room(self, *gone: FlagPlace | None) -> None:
        """Let go of what there is no room for, and of places that are gone. Raises NotYet where that is much."""
        kept, left = self._kept, [each for each in gone if each]
        flags = sum([len(each.flags) for each in kept.values()])
        while len(kept) > PLACES_MAX or (flags > FLAGS_MAX and len(kept) > 1):
            _, place = kept.popitem(last=False)
            flags -= len(place.flags)
            left.append(place)
        if sum([len(each.flags) for each in left]) > _LET_GO_AT_ONCE:
            raise _Crowded([flag for each in left for flag in each.given_up()])
