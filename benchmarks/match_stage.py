"""Environments to match requests in, held in memory: what matching costs, and nothing else."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from understudy.v1.mock_service_pb2 import MOCK_STATE_PUBLISHED, Mock
from understudy.v1.scenario_service_pb2 import Scenario
from understudy_server.cli import collector
from understudy_server.core.matching.request import Request
from understudy_server.core.precedence import Layers, winner
from understudy_server.live.environment import LiveEnvironment
from understudy_server.live.source import Changes, EnvironmentRow, Follower, SessionRow
from understudy_server.live.view import LiveView

NOW_MS = 1_000
ENVIRONMENT = "env_1"
OWN_PATH = "/api/v1/cart"
_QUERY = "page=2&sort=up"

_FEW, _TRIES, _TRIES_OF_ALL = 25, 21, 5


@dataclass(frozen=True)
class Asked:
    """A request of a session. ``criteria``: whether a mock is for its path, so that the criteria of one must run."""

    key: str
    path: str
    criteria: bool = True

    def request(self) -> Request:
        return Request("GET", self.path, _QUERY, b"")


@dataclass
class Source:
    """A store that shows what changes before it is published, as the real one does."""

    everything: Changes
    followers: list[Follower] = field(default_factory=list)
    version_now: int = 1

    @property
    def known_version(self) -> int:
        return self.version_now

    async def version(self) -> int:
        return self.version_now

    async def load_since(self, version: int) -> Changes:
        assert version == 0
        return self.everything

    def follow(self, follower: Follower) -> None:
        self.followers.append(follower)

    def look_ahead(self, changes: Changes) -> Callable[[], None]:
        """What the writer's thread does with a change; returns what publishes it."""
        published = [each.look_ahead(each.version, changes) for each in self.followers]

        def publish() -> None:
            self.version_now = changes.version
            for each in published:
                each()

        return publish


@dataclass(frozen=True)
class Stage:
    """A view that holds an environment."""

    source: Source
    view: LiveView

    @property
    def live(self) -> LiveEnvironment:
        live = self.view.live("checkout", "staging")
        assert live is not None
        return live

    def judge(self, asked: Asked) -> bool:
        """Find environment, session and winner, and tell whether there is one."""
        live = self.live
        return winner(live.layers(live.session(asked.key, NOW_MS)), asked.request()) is not None


async def staged(mocks: int, sessions: int, *, own: bool = False, spare: int = 0) -> Stage:
    """An environment in which so many mocks are on for all, half of their paths literal, each with a criterion.

    ``own``: each session owns a mock besides, all on the same path. ``spare``: a scenario of so many mocks is there,
    and no session is in it.
    """
    listed = [_mock(f"ovr_{number}", pattern(number)) for number in range(mocks)]
    others = [_mock(f"ovr_spare_{number}", pattern(number)) for number in range(spare)]
    ids = tuple(mock.id for mock in listed)
    changes = Changes(
        version=1,
        complete=True,
        environments={ENVIRONMENT: EnvironmentRow(ENVIRONMENT, "prj_1", "checkout", "staging", "", ids)},
        mocks={(ENVIRONMENT, mock.id): mock for mock in (*listed, *others)},
        scenarios={(ENVIRONMENT, "scn_spare"): Scenario(id="scn_spare", mocks=[mock.id for mock in others])},
        sessions={f"ses_{number}": session(number) for number in range(sessions)},
        session_mocks={(f"ses_{number}", "ovr_own"): _mock("ovr_own", OWN_PATH) for number in range(sessions) if own},
    )
    source = Source(changes)
    stage = Stage(source, LiveView(source))
    await stage.view.catch_up()
    return stage


def pattern(number: int) -> str:
    return f"/api/v1/orders-{number}/:id/items" if number % 2 else f"/api/v1/orders-{number}/items"


def session(number: int, scenario: str = "") -> SessionRow:
    return SessionRow(f"ses_{number}", ENVIRONMENT, f"ci-{number}", scenario, (), 0, 0, None, 1)


def _mock(mock_id: str, path: str) -> Mock:
    mock = Mock(id=mock_id, name=mock_id, state=MOCK_STATE_PUBLISHED)
    mock.matcher.method = "GET"
    mock.matcher.path = path
    mock.matcher.query["page"].equals = "2"
    mock.action.respond.json = '{"status":"approved"}'
    return mock


def hits(count: int, mocks: int, sessions: int = 1) -> list[Asked]:
    """Requests over all sessions and mocks, one after the other for a literal path and one with a parameter."""
    paths = [pattern(number % mocks).replace(":id", str(number)) for number in range(count)]
    return [Asked(f"ci-{number * 7 % sessions}", path) for number, path in enumerate(paths)]


def misses(count: int, sessions: int = 1) -> list[Asked]:
    """Requests for paths that begin as those of mocks do."""
    return [
        Asked(f"ci-{number % sessions}", f"/api/v1/orders/{number}/items", criteria=False) for number in range(count)
    ]


def to_own(count: int, sessions: int) -> list[Asked]:
    """Requests over all sessions, for the mock that each owns."""
    return [Asked(f"ci-{number * 7 % sessions}", OWN_PATH) for number in range(count)]


def us_of(stage: Stage, asked: Sequence[Asked]) -> float:
    """What it takes to judge one of these requests."""
    return _us_each(asked, lambda few: [stage.judge(each) for each in few])


def us_of_winner(stage: Stage, asked: Sequence[Asked]) -> float:
    """What it takes to make one of these requests, and to find its winner."""
    layers = _layers(stage)
    return _us_each(asked, lambda few: [winner(layers, each.request()) for each in few])


def us_of_criteria(stage: Stage, asked: Sequence[Asked]) -> float:
    """What it takes to make one of these requests, and to test the criteria of its winner, if it has one."""
    tests = _criteria(_layers(stage), asked)

    def run(few: Sequence[Asked]) -> None:
        for each in few:
            request = each.request()
            if each.criteria:
                tests[each.path](request)

    return _us_each(asked, run)


def us_of_all(stage: Stage, asked: Sequence[Asked]) -> float:
    """What it takes to judge one of these requests when all of them are judged in turn."""

    def judge_all() -> int:
        return _nanoseconds(asked, lambda all_of_them: [stage.judge(each) for each in all_of_them])

    return min(judge_all() for _ in range(_TRIES_OF_ALL)) / len(asked) / 1000


def _layers(stage: Stage) -> Layers:
    """What is on for the first session."""
    return stage.live.layers(stage.live.session("ci-0", NOW_MS))


def _criteria(layers: Layers, asked: Sequence[Asked]) -> dict[str, Callable[[Request], bool]]:
    found = {each.path: winner(layers, each.request()) for each in asked}
    assert all((found[each.path] is not None) == each.criteria for each in asked)
    return {path: each.mock.matcher.content_matches for path, each in found.items() if each is not None}


def _us_each(asked: Sequence[Asked], run: Callable[[Sequence[Asked]], object]) -> float:
    """The time of one, from the least of some tries for each few of them.

    A disturbance only ever slows, and so few requests are over before most disturbances come.
    """
    least = []
    for start in range(0, len(asked), _FEW):
        few = asked[start : start + _FEW]
        least.append(min(_nanoseconds(few, run) for _ in range(_TRIES)))
    return sum(least) / len(asked) / 1000


def _nanoseconds(few: Sequence[Asked], run: Callable[[Sequence[Asked]], object]) -> int:
    start = time.perf_counter_ns()
    run(few)
    return time.perf_counter_ns() - start


async def ms_of_activation(mocks: int) -> float:
    """The time that an event loop spends on putting a session into a scenario that nobody is in.

    From when the write is published until the first request of the session has its winner: what the writer's thread
    did before is not counted.
    """
    stage = await staged(10, 2, spare=mocks)
    assert not stage.judge(Asked("ci-1", pattern(mocks - 2)))
    change = Changes(version=2, sessions={"ses_1": session(1, "scn_spare")})
    publish = await asyncio.to_thread(stage.source.look_ahead, change)
    collector.calm()
    began = time.perf_counter()
    publish()
    await stage.view.catch_up()
    hit = stage.judge(Asked("ci-1", pattern(mocks - 2)))
    took = time.perf_counter() - began
    assert hit
    return took * 1000
