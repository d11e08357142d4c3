"""Changes in the form in which they are taken in.

Sorting out what changed takes longer than taking it in, and needs nothing of the view: so it can be done beforehand and
in another thread, and what is left for the event loop is to put dictionaries into dictionaries.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from understudy.v1.mock_service_pb2 import MOCK_STATE_PUBLISHED
from understudy.v1.mock_service_pb2 import Mock as MockMessage

from understudy_server.core.giving_way import giving_way
from understudy_server.core.matching.index import Index
from understudy_server.live.mock import LiveMock
from understudy_server.live.source import Changes


@dataclass(frozen=True, slots=True)
class MockChanges:
    """The mocks of one environment that changed: those of the library by id, those of scenarios by scenario and id.

    ``ids`` names all that changed, and ``gone`` those that are not in the library now. Not changed once it is made.
    """

    ids: Set[str] = frozenset()
    library: Mapping[str, LiveMock] = field(default_factory=dict)
    local: Mapping[str, Mapping[str, LiveMock]] = field(default_factory=dict)
    gone: Sequence[str] = ()

    @classmethod
    def of(cls, messages: Mapping[str, MockMessage | None]) -> "MockChanges":
        """Sort mocks as they are now, by id. ``None`` and a draft are the same: it no longer applies."""
        library: dict[str, LiveMock] = {}
        local: dict[str, dict[str, LiveMock]] = {}
        for mock_id, message in giving_way(messages.items()):
            if message is None or message.state != MOCK_STATE_PUBLISHED:
                continue
            home = local.setdefault(message.scenario, {}) if message.scenario else library
            home[mock_id] = LiveMock(message)
        return cls(messages.keys(), library, local, [mock_id for mock_id in messages if mock_id not in library])


NO_MOCKS = MockChanges()


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """An index of an environment as it is after a change: of a scenario, or with no id of what is on everywhere."""

    scenario_id: str
    index: Index


@dataclass(frozen=True, slots=True)
class Prepared:
    """What changed since a version. ``mocks`` and ``indexes`` are by environment.

    It may be taken in at any version from ``since`` on, for everything is as it is at the version of ``changes``. But
    the indexes were built on what was there at ``since``, and are good there alone.
    """

    since: int
    changes: Changes
    mocks: Mapping[str, MockChanges]
    indexes: Mapping[str, Sequence[Rebuilt]] = field(default_factory=dict)


def sorted_mocks(changes: Changes) -> dict[str, MockChanges]:
    """The mocks that changed, by environment."""
    found: dict[str, dict[str, MockMessage | None]] = {}
    for (environment_id, mock_id), message in giving_way(changes.mocks.items()):
        found.setdefault(environment_id, {})[mock_id] = message
    return {environment_id: MockChanges.of(messages) for environment_id, messages in found.items()}
