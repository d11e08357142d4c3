"""All that the view holds at one version: environments, and the names they are found by."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from understudy_server.core.profiles import Profile
from understudy_server.core.responding.files import FileContent, Files
from understudy_server.live.environment import LiveEnvironment
from understudy_server.live.prepared import MockChanges, Rebuilt
from understudy_server.live.source import Changes, EnvironmentRow, SessionRow

_Row = TypeVar("_Row")


class Contents:
    """Takes in changes. Whoever looks at it does so between two of them.

    ``by_path``: environments by `/<project>/<environment>`; ``by_host``: by the host names they are served at, lower
    case without port.
    """

    def __init__(self) -> None:
        self.environments: dict[str, LiveEnvironment] = {}
        self.by_path: dict[str, LiveEnvironment] = {}
        self.by_host: dict[str, LiveEnvironment] = {}
        self._sessions: dict[str, SessionRow] = {}
        self._files: dict[str, dict[str, FileContent]] = {}

    def home_of(self, session_id: str) -> str | None:
        """The environment of a session, if it is known. May be asked in another thread."""
        row = self._sessions.get(session_id)
        return row.environment_id if row else None

    def files_of(self, environment_id: str) -> Files:
        """The files of an environment, as they are when it is asked. May be asked in another thread."""
        return self._files.setdefault(environment_id, {}).get

    def profile_of(self, environment_id: str) -> Profile:
        """The profile of an environment, which it has for good. May be asked in another thread."""
        live = self.environments.get(environment_id)
        return live.row.profile if live else Profile.FLOWMOCK

    def take_in(
        self, changes: Changes, mocks: Mapping[str, MockChanges], rebuilt: Mapping[str, Sequence[Rebuilt]]
    ) -> list[object]:
        """Take in what changed. Returns what it replaces: to free many takes longer than all the rest.

        ``mocks`` and ``rebuilt`` are by environment: the mocks that changed, and what was built for it beforehand.
        """
        # What is gone goes first, so that slugs, hosts and keys can pass from an old row to a new one in one change.
        touched = set[str]()
        for session_id in _gone(changes.sessions):
            touched.add(self._remove_session(session_id))
        for environment_id in _gone(changes.environments):
            self._remove_environment(environment_id)
        for environment_row in _present(changes.environments):
            self._set_environment(environment_row)
        for (environment_id, name), content in changes.files.items():
            self._set_file(environment_id, name, content)
        for (environment_id, scenario_id), scenario in changes.scenarios.items():
            if environment_id in self.environments:
                self.environments[environment_id].set_scenario(scenario_id, scenario)
        for session_row in _present(changes.sessions):
            self._set_session(session_row)
            touched.add(session_row.environment_id)
        for environment_id, changed in mocks.items():
            if environment_id in self.environments:
                self.environments[environment_id].set_mocks(changed)
        touched |= changes.environments.keys() | {home for home, _ in changes.scenarios} | mocks.keys()
        replaced: list[object] = []
        for environment_id in touched & self.environments.keys():
            replaced += self.environments[environment_id].settle(rebuilt.get(environment_id, ()))
        return replaced

    def _set_environment(self, row: EnvironmentRow) -> None:
        live = self.environments.get(row.id)
        if live:
            self._forget_names(live)
            live.set_row(row)
        else:
            live = self.environments[row.id] = LiveEnvironment(row)
        self.by_path[_path(row)] = live
        self.by_host.update(dict.fromkeys(row.hosts, live))

    def _remove_environment(self, environment_id: str) -> None:
        self._files.pop(environment_id, None)
        live = self.environments.pop(environment_id, None)
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

    def _set_file(self, environment_id: str, name: str, content: FileContent | None) -> None:
        files = self._files.setdefault(environment_id, {})
        if content is None:
            files.pop(name, None)
        else:
            files[name] = content

    def _set_session(self, row: SessionRow) -> None:
        environment = self.environments.get(row.environment_id)
        if environment:
            self._sessions[row.id] = row
            environment.set_session(row)

    def _remove_session(self, session_id: str) -> str:
        """Let go of a session. Returns the environment that it was in, empty when there was none."""
        row = self._sessions.pop(session_id, None)
        environment = self.environments.get(row.environment_id) if row else None
        if row is None or environment is None:
            return ""
        environment.remove_session(row)
        return row.environment_id


def _path(row: EnvironmentRow) -> str:
    return f"/{row.project_slug}/{row.slug}"


def _gone(rows: Mapping[str, _Row | None]) -> list[str]:
    return [row_id for row_id, row in rows.items() if row is None]


def _present(rows: Mapping[str, _Row | None]) -> list[_Row]:
    return [row for row in rows.values() if row is not None]
