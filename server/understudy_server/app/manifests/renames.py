"""Which of the things that go look renamed: what is made says the same under another id."""

from collections.abc import Hashable, Iterable, Mapping, Sequence

from understudy.v1.actions_pb2 import Action
from understudy.v1.matching_pb2 import RequestMatcher
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.scenario_service_pb2 import Scenario


def renamed_mocks(removed: Iterable[Mock], made: Iterable[Mock]) -> dict[str, str]:
    """The new id of each mock that looks renamed, by the old one."""
    return _matched(
        [(mock.id, (mock.scenario, _says(mock))) for mock in removed],
        [(mock.id, (mock.scenario, _says(mock))) for mock in made],
    )


def renamed_scenarios(
    removed: Iterable[tuple[Scenario, Sequence[Mock]]],
    made: Iterable[tuple[Scenario, Sequence[Mock]]],
    mocks: Mapping[str, str],
) -> dict[str, str]:
    """The new id of each scenario that looks renamed. Each is given with its local mocks; ``mocks`` were renamed.

    Its name for URLs and the ids of its local mocks may differ.
    """
    return _matched(
        [(scenario.id, _scenario_says(scenario, local, mocks)) for scenario, local in removed],
        [(scenario.id, _scenario_says(scenario, local, {})) for scenario, local in made],
    )


def _matched(old: Iterable[tuple[str, Hashable]], new: Iterable[tuple[str, Hashable]]) -> dict[str, str]:
    """Pair ids that stand for the same, each once, in their order. What only changes its place is not renamed."""
    waiting: dict[Hashable, list[str]] = {}
    for name, says in new:
        waiting.setdefault(says, []).append(name)
    found = {}
    for name, says in old:
        others = waiting.get(says)
        if others and name not in others:
            found[name] = others.pop(0)
    return found


def _scenario_says(scenario: Scenario, local: Sequence[Mock], renamed: Mapping[str, str]) -> Hashable:
    name = "" if scenario.name == scenario.id else scenario.name
    listed = tuple(renamed.get(each, each) for each in scenario.mocks)
    return name, listed, tuple(sorted(_says(mock) for mock in local))


def _says(mock: Mock) -> tuple[str, int, bytes, bytes]:
    """All that a mock says but its id and the name that it takes from it."""
    name = "" if mock.name == mock.id else mock.name
    return name, mock.state, _bytes(mock.matcher), _bytes(mock.action)


def _bytes(part: RequestMatcher | Action) -> bytes:
    # Maps have no order of their own.
    return part.SerializeToString(deterministic=True)
