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
from collections.abc import Callable, Mapping
from typing import TypeVar

from understudy_server.live.ahead import prepare
from understudy_server.live.environment import LiveEnvironment
from understudy_server.live.mock import LiveMock
from understudy_server.live.prepared import Prepared, sorted_mocks
from understudy_server.live.source import Changes, EnvironmentRow, SessionRow, Source

_Row = TypeVar("_Row")

# About a fifth of a millisecond.
_FREED_AT_ONCE = 200


class LiveView:
    """Looks up environments, and in them sessions and the mocks that are on. One event loop owns it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.version = 0
        """The version of the store that all of this is."""
        self._environments: dict[str, LiveEnvironment] = {}
        self.by_path: dict[str, LiveEnvironment] = {}
        """Environments by `/<project>/<environment>`. To be read only, as what follows, and as new as the view is."""
        self.by_host: dict[str, LiveEnvironment] = {}
        """Environments by the host names they are served at, lower case without port."""
        self._sessions: dict[str, SessionRow] = {}
        self._turn = asyncio.Lock()
        self._queued: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        # The newest that was looked at beforehand and published: put here by the writer's thread, taken by the loop.
        self._ready: deque[Prepared] = deque(maxlen=1)
        self._replaced: list[LiveMock | None] = []
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
                changes = await self._source.load_since(since)
                self._take_in(Prepared(since, changes, sorted_mocks(changes)))

    def look_ahead(self, since: int, changes: Changes) -> Callable[[], None]:
        """Get ready to take in changes; returns what publishes them. See `source.Follower`.

        Only a view that somebody has asked is worth it (its version is not 0): the others never take anything in.
        """
        ready = prepare(since, changes, self._environments.copy())

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
        indexes = prepared.indexes if prepared.since == self.version else {}
        if changes.complete:
            self._environments, self.by_path, self.by_host, self._sessions = {}, {}, {}, {}
        # What is gone goes first, so that slugs, hosts and keys can pass from an old row to a new one in one change.
        for session_id in _gone(changes.sessions):
            self._remove_session(session_id)
        for environment_id in _gone(changes.environments):
            self._remove_environment(environment_id)
        for environment_row in _present(changes.environments):
            self._set_environment(environment_row)
        for environment_id, mocks in prepared.mocks.items():
            if environment_id in self._environments:
                self._replaced += self._environments[environment_id].set_mocks(mocks)
        for (environment_id, scenario_id), scenario in changes.scenarios.items():
            if environment_id in self._environments:
                self._environments[environment_id].set_scenario(scenario_id, scenario)
        for session_row in _present(changes.sessions):
            self._set_session(session_row)
        for environment_id, rebuilt in indexes.items():
            self._environments[environment_id].use(rebuilt)
        self.version = changes.version
        if self._freeing is None:
            self._free()

    def _free(self) -> None:
        """Let go of replaced mocks, few at a time and the rest when others have had their turn."""
        del self._replaced[-_FREED_AT_ONCE:]
        self._freeing = asyncio.get_running_loop().call_soon(self._free) if self._replaced else None

    def _set_environment(self, row: EnvironmentRow) -> None:
        live = self._environments.get(row.id)
        if live:
            self._forget_names(live)
            live.set_row(row)
        else:
            live = self._environments[row.id] = LiveEnvironment(row)
        self.by_path[_path(row)] = live
        self.by_host.update(dict.fromkeys(row.hosts, live))

    def _remove_environment(self, environment_id: str) -> None:
        live = self._environments.pop(environment_id, None)
        if live:
            self._forget_names(live)

    def _forget_names(self, live: LiveEnvironment) -> None:
        """Let go of slugs and hosts, but for those that another environment of the same change has by now."""
        row = live.row
        if self.by_path.get(_path(row)) is live:
            del self.by_path[_path(row)]
        for host in row.hosts:
            if self.by_host.get(host) is live:
                del self.by_host[host]

    def _set_session(self, row: SessionRow) -> None:
        environment = self._environments.get(row.environment_id)
        if environment:
            self._sessions[row.id] = row
            environment.set_session(row)

    def _remove_session(self, session_id: str) -> None:
        row = self._sessions.pop(session_id, None)
        environment = self._environments.get(row.environment_id) if row else None
        if row and environment:
            environment.remove_session(row)


def _path(row: EnvironmentRow) -> str:
    return f"/{row.project_slug}/{row.slug}"


def _gone(rows: Mapping[str, _Row | None]) -> list[str]:
    return [row_id for row_id, row in rows.items() if row is None]


def _present(rows: Mapping[str, _Row | None]) -> list[_Row]:
    return [row for row in rows.values() if row is not None]
