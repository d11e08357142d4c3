"""What a reader of a store knows when it takes in nothing but what changed: plain dictionaries, no indexes."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.scenario_service_pb2 import Scenario
from understudy_server.core.responding.files import FileContent
from understudy_server.live.source import Changes, EnvironmentRow, SessionRow, Source

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass
class Mirror:
    version: int = 0
    environments: dict[str, EnvironmentRow] = field(default_factory=dict)
    mocks: dict[tuple[str, str], Mock] = field(default_factory=dict)
    scenarios: dict[tuple[str, str], Scenario] = field(default_factory=dict)
    sessions: dict[str, SessionRow] = field(default_factory=dict)
    session_mocks: dict[tuple[str, str], Mock] = field(default_factory=dict)
    files: dict[tuple[str, str], FileContent] = field(default_factory=dict)

    async def catch_up(self, source: Source) -> Changes:
        changes = await source.load_since(self.version)
        if changes.complete:
            for known in (
                self.environments, self.mocks, self.scenarios, self.sessions, self.session_mocks, self.files,
            ):  # fmt: skip
                known.clear()
        _take_in(self.environments, changes.environments)
        _take_in(self.mocks, changes.mocks)
        _take_in(self.scenarios, changes.scenarios)
        _take_in(self.sessions, changes.sessions)
        _take_in(self.session_mocks, changes.session_mocks)
        _take_in(self.files, changes.files)
        # What a session owns goes with it, and files with their environment, without a word.
        self.session_mocks = {name: each for name, each in self.session_mocks.items() if name[0] in self.sessions}
        self.files = {name: each for name, each in self.files.items() if name[0] in self.environments}
        self.version = changes.version
        return changes


async def full(source: Source) -> Mirror:
    """Everything a store holds now."""
    mirror = Mirror()
    changes = await mirror.catch_up(source)
    assert changes.complete
    return mirror


def _take_in(known: dict[K, V], changed: Mapping[K, V | None]) -> None:
    for name, value in changed.items():
        if value is None:
            known.pop(name, None)
        else:
            known[name] = value
