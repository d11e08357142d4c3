"""The live view: what the store holds, compiled for the proxy and as new as the read barrier asks.

The barrier is what makes "acknowledged means visible" true: a request is judged only after a version check that started
when its bytes were already here. At most one check is in flight and one is queued; whoever comes while one is in flight
may not share it, because it may have read the version before a write that was acknowledged before the request was sent.
So all of those wait for the queued one together. A store that knows its version without asking makes the barrier free.

A store that can lets the view look at a change before it is published (`ahead.py`), so that taking it in is short.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

from understudy_server.core.giving_way import begin_giving_way
from understudy_server.live.ahead import prepare
from understudy_server.live.contents import Contents
from understudy_server.live.environment import LiveEnvironment
from understudy_server.live.prepared import Prepared, sorted_mocks
from understudy_server.live.source import Changes, Source

# About a fifth of a millisecond.
_FREED_AT_ONCE = 200

# What takes longer than some milliseconds to sort out is sorted out beside the event loop.
_ASIDE_MIN = 200


class LiveView:
    """Looks up environments, and in them sessions and the mocks that are on. One event loop owns it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.version = 0
        """The version of the store that all of this is."""
        self._contents = Contents()
        self.by_path: dict[str, LiveEnvironment] = self._contents.by_path
        """Environments by `/<project>/<environment>`. To be read only, as what follows, and as new as the view is."""
        self.by_host: dict[str, LiveEnvironment] = self._contents.by_host
        """Environments by the host names they are served at, lower case without port."""
        self.by_id: dict[str, LiveEnvironment] = self._contents.environments
        """Environments by their ids. May be looked up in another thread."""
        self._turn = asyncio.Lock()
        self._queued: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        # The newest that was looked at beforehand and published: put here by the writer's thread, taken by the loop.
        self._ready: deque[Prepared] = deque(maxlen=1)
        self._replaced: list[object] = []
        self._freeing: asyncio.Handle | None = None
        source.follow(self)

    def is_current(self) -> bool:
        """Tell, without waiting, whether the view surely holds all that was acknowledged until now."""
        return self._source.known_version == self.version

    async def catch_up(self) -> None:
        """Return when the view holds all that was acknowledged before this call; does not suspend when it does already.

        Raises StorageFailure when the store cannot be read; the view stays as it was.
        """
        if self.is_current():
            return
        if self._queued is None:
            self._queued = asyncio.create_task(self._check())
        # One that gives up waiting must not take the check from the others.
        await asyncio.shield(self._queued)

    async def _check(self) -> None:
        async with self._turn:
            # From here on nobody may join: the version may be read before they came.
            self._queued = None
            version = self._source.known_version
            if version is None:
                version = await self._source.version()
            self._loop = asyncio.get_running_loop()
            self._take_ready()
            if version != self.version:
                since = self.version
                self._take_in(await self._sorted_out(since, await self._source.load_since(since)))

    async def _sorted_out(self, since: int, changes: Changes) -> Prepared:
        """Changes that nobody looked at before, ready to be taken in: nothing else is taken in meanwhile."""
        if len(changes.mocks) + len(changes.session_mocks) + len(changes.sessions) >= _ASIDE_MIN:
            return await asyncio.to_thread(_aside, since, changes, self._contents)
        if changes.complete:
            return prepare(since, changes, self._contents)
        contents = self._contents
        mocks = sorted_mocks(changes, contents.home_of, contents.files_of, contents.profile_of)
        return Prepared(since, changes, mocks)

    def look_ahead(self, since: int, changes: Changes) -> Callable[[], None]:
        """Get ready to take in changes; returns what publishes them. See `source.Follower`.

        Only a view that somebody has asked is worth it (its version is not 0): the others never take anything in.
        """
        ready = prepare(since, changes, self._contents)

        def publish() -> None:
            self._ready.append(ready)
            # A loop that was closed has nobody waiting for it.
            with contextlib.suppress(RuntimeError):
                if self._loop:
                    self._loop.call_soon_threadsafe(self._take_early)

        return publish

    def _take_early(self) -> None:
        """Take in what is ready, so that no request has to, and the next that is looked at builds on it."""
        # While a check is under way, it may have loaded already; then the next one takes what is ready.
        if not self._turn.locked():
            self._take_ready()

    def _take_ready(self) -> None:
        ready = self._ready.pop() if self._ready else None
        if ready and ready.since <= self.version < ready.changes.version:
            self._take_in(ready)

    def live(self, project_slug: str, environment_slug: str) -> LiveEnvironment | None:
        """The environment with these slugs, and all that is looked up in it: as new as the view was left."""
        return self.by_path.get(f"/{project_slug}/{environment_slug}")

    def live_for_host(self, host: str) -> LiveEnvironment | None:
        """The environment that is served at a host name, lower case without port; otherwise as `live`."""
        return self.by_host.get(host)

    def _take_in(self, prepared: Prepared) -> None:
        changes = prepared.changes
        if prepared.contents is not None:
            # What was is freed whole, and so seldom that it may take its time.
            self._contents = prepared.contents
            self.by_path, self.by_host = self._contents.by_path, self._contents.by_host
            self.by_id = self._contents.environments
        else:
            indexes = prepared.indexes if prepared.since == self.version else {}
            self._replaced += self._contents.take_in(changes, prepared.mocks, indexes)
        self.version = changes.version
        if self._freeing is None:
            self._free()

    def _free(self) -> None:
        """Let go of replaced mocks, few at a time and the rest when others have had their turn."""
        del self._replaced[-_FREED_AT_ONCE:]
        self._freeing = asyncio.get_running_loop().call_soon(self._free) if self._replaced else None


def _aside(since: int, changes: Changes, contents: Contents) -> Prepared:
    begin_giving_way()
    return prepare(since, changes, contents)
