"""The live view: what the store holds, compiled for the proxy and as new as the read barrier asks.

The barrier is what makes "acknowledged means visible" true: a request is judged only after a version check that started
when its bytes were already here. At most one check is in flight and one is queued; whoever comes while one is in flight
may not share it, because it may have read the version before a write that was acknowledged before the request was sent.
So all of those wait for the queued one together. A store that knows its version without asking makes the barrier free.
"""

import asyncio
from collections.abc import Mapping
from typing import TypeVar

from understudy_server.core.precedence import Layers
from understudy_server.live.environment import LiveEnvironment
from understudy_server.live.source import Changes, EnvironmentRow, SessionRow, Source

_Row = TypeVar("_Row")


class LiveView:
    """Looks up environments, sessions and the mocks that are on. One event loop owns it."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._version = 0
        self._environments: dict[str, LiveEnvironment] = {}
        self._by_slugs: dict[tuple[str, str], str] = {}
        self._sessions: dict[str, SessionRow] = {}
        self._turn = asyncio.Lock()
        self._queued: asyncio.Task[None] | None = None

    def is_current(self) -> bool:
        """Tell, without waiting, whether the view surely holds all that was acknowledged until now."""
        return self._source.version_nowait() == self._version

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
            version = self._source.version_nowait()
            if version is None:
                version = await self._source.version()
            if version != self._version:
                self._take_in(await self._source.load_since(self._version))

    def environment(self, project_slug: str, environment_slug: str) -> EnvironmentRow | None:
        """The environment with these slugs."""
        environment_id = self._by_slugs.get((project_slug, environment_slug))
        return self._environments[environment_id].row if environment_id else None

    def session(self, environment_id: str, key: str, now_ms: int) -> SessionRow | None:
        """The session of a normalised key in an environment, unless it has expired by ``now_ms`` (since 1970)."""
        environment = self._environments.get(environment_id)
        return environment.session(key, now_ms) if environment else None

    def layers(self, environment_id: str, session: SessionRow | None) -> Layers:
        """What is on in an environment that `environment` has just named, for a session or for none."""
        return self._environments[environment_id].layers(session)

    def _take_in(self, changes: Changes) -> None:
        if changes.complete:
            self._environments, self._by_slugs, self._sessions = {}, {}, {}
        # What is gone goes first, so that a slug or a key can pass from an old row to a new one within one change.
        for session_id in _gone(changes.sessions):
            self._remove_session(session_id)
        for environment_id in _gone(changes.environments):
            self._remove_environment(environment_id)
        for environment_row in _present(changes.environments):
            self._set_environment(environment_row)
        for (environment_id, mock_id), mock in changes.mocks.items():
            if environment_id in self._environments:
                self._environments[environment_id].set_mock(mock_id, mock)
        for (environment_id, scenario_id), scenario in changes.scenarios.items():
            if environment_id in self._environments:
                self._environments[environment_id].set_scenario(scenario_id, scenario)
        for session_row in _present(changes.sessions):
            self._set_session(session_row)
        self._version = changes.version

    def _set_environment(self, row: EnvironmentRow) -> None:
        known = self._environments.get(row.id)
        if known:
            self._forget_slugs(known.row)
            known.set_row(row)
        else:
            self._environments[row.id] = LiveEnvironment(row)
        self._by_slugs[row.project_slug, row.slug] = row.id

    def _remove_environment(self, environment_id: str) -> None:
        known = self._environments.pop(environment_id, None)
        if known:
            self._forget_slugs(known.row)

    def _forget_slugs(self, row: EnvironmentRow) -> None:
        if self._by_slugs.get((row.project_slug, row.slug)) == row.id:
            del self._by_slugs[row.project_slug, row.slug]

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


def _gone(rows: Mapping[str, _Row | None]) -> list[str]:
    return [row_id for row_id, row in rows.items() if row is None]


def _present(rows: Mapping[str, _Row | None]) -> list[_Row]:
    return [row for row in rows.values() if row is not None]
