"""The live view: what the store holds, compiled for the proxy and as new as the read barrier asks.

The barrier is what makes "acknowledged means visible" true: a request is judged only after a version check that started
when its bytes were already here. At most one check is in flight and one is queued; whoever comes while one is in flight
may not share it, because it may have read the version before a write that was acknowledged before the request was sent.
So all of those wait for the queued one together. A store that knows its version without asking makes the barrier free.
"""

import asyncio
from collections.abc import Mapping
from typing import TypeVar

from understudy.v1.mock_service_pb2 import Mock

from understudy_server.live.environment import LiveEnvironment
from understudy_server.live.source import Changes, EnvironmentRow, SessionRow, Source

_Row = TypeVar("_Row")


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
            if version != self.version:
                self._take_in(await self._source.load_since(self.version))

    def live(self, project_slug: str, environment_slug: str) -> LiveEnvironment | None:
        """The environment with these slugs, and all that is looked up in it: as new as the view was left."""
        return self.by_path.get(f"/{project_slug}/{environment_slug}")

    def live_for_host(self, host: str) -> LiveEnvironment | None:
        """The environment that is served at a host name, lower case without port; otherwise as `live`."""
        return self.by_host.get(host)

    def _take_in(self, changes: Changes) -> None:
        if changes.complete:
            self._environments, self.by_path, self.by_host, self._sessions = {}, {}, {}, {}
        # What is gone goes first, so that slugs, hosts and keys can pass from an old row to a new one in one change.
        for session_id in _gone(changes.sessions):
            self._remove_session(session_id)
        for environment_id in _gone(changes.environments):
            self._remove_environment(environment_id)
        for environment_row in _present(changes.environments):
            self._set_environment(environment_row)
        for environment_id, mocks in _by_environment(changes.mocks).items():
            if environment_id in self._environments:
                self._environments[environment_id].set_mocks(mocks)
        for (environment_id, scenario_id), scenario in changes.scenarios.items():
            if environment_id in self._environments:
                self._environments[environment_id].set_scenario(scenario_id, scenario)
        for session_row in _present(changes.sessions):
            self._set_session(session_row)
        self.version = changes.version

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


def _by_environment(mocks: Mapping[tuple[str, str], Mock | None]) -> dict[str, dict[str, Mock | None]]:
    found: dict[str, dict[str, Mock | None]] = {}
    for (environment_id, mock_id), mock in mocks.items():
        found.setdefault(environment_id, {})[mock_id] = mock
    return found


def _gone(rows: Mapping[str, _Row | None]) -> list[str]:
    return [row_id for row_id, row in rows.items() if row is None]


def _present(rows: Mapping[str, _Row | None]) -> list[_Row]:
    return [row for row in rows.values() if row is not None]
