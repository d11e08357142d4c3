"""The rules of the journal as the live view has them: limits of environments, and the sessions that go on."""

from collections.abc import Callable

from understudy_server.core.record import Quota
from understudy_server.live.source import EnvironmentRow
from understudy_server.live.view import LiveView


class ViewRules:
    """Fills ``journal.rules.Rules``. Until there is a view everything has the server's quota, and no session has ended.

    It is asked in the thread of the journal's writer, and looks things up only. A session that has just begun may not
    be in the view yet: but then no request has found it, and nothing of it is on record.
    """

    def __init__(self, server: Quota, clock: Callable[[], int]) -> None:
        self._server = server
        self._clock = clock
        self._view: LiveView | None = None
        self._quotas: dict[str, tuple[EnvironmentRow, Quota]] = {}

    def follow(self, view: LiveView) -> None:
        """Look at a view from now on."""
        self._view = view

    def quota(self, environment_id: str, /) -> Quota:
        """What is kept in an environment: the lesser of its own limits and the server's."""
        live = self._view.by_id.get(environment_id) if self._view else None
        if live is None:
            return self._server
        row, quota = self._quotas.get(environment_id, (None, self._server))
        if row is not live.row:
            row, quota = live.row, _lesser(live.row, self._server)
            if len(self._quotas) > 2 * len(self._view.by_id if self._view else ()):
                # Of environments that are gone.
                self._quotas = {}
            self._quotas[environment_id] = row, quota
        return quota

    def is_live(self, environment_id: str, session_id: str, /) -> bool:
        """True while a session has not ended; without a session, while there is the environment."""
        if self._view is None or not self._view.version:
            return True
        live = self._view.by_id.get(environment_id)
        return live is not None and (not session_id or live.has_session(session_id, self._clock()))


def _lesser(row: EnvironmentRow, server: Quota) -> Quota:
    return Quota(
        _least(row.session_log_entries_max, server.session_entries),
        _least(row.session_log_bytes_max, server.session_bytes),
        _least(row.log_entries_max, server.entries),
        _least(row.log_bytes_max, server.bytes),
        _least(row.log_retention_ms, server.retention_ms),
    )


def _least(own: int | None, server: int) -> int:
    return server if own is None else min(own, server)
