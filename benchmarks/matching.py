"""What judging a request costs: ``python -m benchmarks.matching`` prints microseconds for each of it.

Judged is what the proxy judges between a parsed head and the first byte of an answer: that the view is current, the
environment, the session, what is on for it, the request as matchers see it, the winner, and the bytes of its answer.
All sessions share a scenario with so many mocks, half of their paths literal; each has an override of its own, and one
mock is on for the whole environment: a hit is found in the second layer, a miss in none of three.
"""

import asyncio
import time
from collections.abc import Iterator

from understudy.v1.mock_service_pb2 import MOCK_STATE_PUBLISHED, Mock
from understudy.v1.scenario_service_pb2 import Scenario
from understudy_server.cli import collector
from understudy_server.core.matching.request import Request
from understudy_server.core.precedence import winner
from understudy_server.live.source import Changes, EnvironmentRow, Follower, SessionRow
from understudy_server.live.view import LiveView

MOCKS, SESSIONS = (10, 1_000, 10_000), (1, 10_000)
ROUNDS, REQUESTS, FEW = 51, 1_000, 25
_NOW_MS = 1_000
_ENVIRONMENT = "env_1"

Asked = tuple[str, str]
"""Session key and path."""


class Snapshot:
    """A store that holds one version and never changes."""

    known_version = 1

    def __init__(self, mocks: int, sessions: int) -> None:
        listed = [_mock(f"ovr_{number}", _pattern(number)) for number in range(mocks)]
        apart = [_mock("ovr_everywhere", "/everywhere"), _mock("ovr_own", "/own")]
        self._changes = Changes(
            version=1,
            complete=True,
            environments={
                _ENVIRONMENT: EnvironmentRow(_ENVIRONMENT, "prj_1", "checkout", "staging", "", ("ovr_everywhere",))
            },
            mocks={(_ENVIRONMENT, mock.id): mock for mock in (*listed, *apart)},
            scenarios={(_ENVIRONMENT, "scn_1"): Scenario(id="scn_1", mocks=[mock.id for mock in listed])},
            sessions={f"ses_{number}": _session(number) for number in range(sessions)},
        )

    async def version(self) -> int:
        return self.known_version

    async def load_since(self, version: int) -> Changes:
        assert version == 0
        return self._changes

    def follow(self, follower: Follower) -> None:
        """Nothing ever changes."""


def _pattern(number: int) -> str:
    return f"/api/v1/orders-{number}/:id/items" if number % 2 else f"/api/v1/orders-{number}/items"


def _mock(mock_id: str, path: str) -> Mock:
    mock = Mock(id=mock_id, name=mock_id, state=MOCK_STATE_PUBLISHED)
    mock.matcher.method = "GET"
    mock.matcher.path = path
    mock.action.respond.json = '{"status":"approved"}'
    return mock


def _session(number: int) -> SessionRow:
    return SessionRow(f"ses_{number}", _ENVIRONMENT, f"ci-{number}", "scn_1", ("ovr_own",), 0, 0, None, 1)


def judge(view: LiveView, key: str, path: str) -> bool:
    """Judge a request as the proxy does; tells whether a mock answers."""
    if not view.is_current():
        return False
    live = view.live("checkout", "staging")
    if live is None:
        return False
    found = winner(live.layers(live.session(key, _NOW_MS)), Request("GET", path, "", b""))
    return found is not None and bool(found.mock.response.prepared)


def asked(kind: str, mocks: int, sessions: int) -> Iterator[Asked]:
    """Requests over all sessions and mocks, no two alike while there are enough."""
    for number in range(REQUESTS):
        even = number * 2 % mocks
        path = {
            "literal": f"/api/v1/orders-{even}/items",
            "parameter": f"/api/v1/orders-{even + 1}/{number}/items",
            "miss": f"/api/v1/orders/{number}/items",
        }[kind]
        yield f"ci-{number * 7 % sessions}", path


def us_per_request(view: LiveView, requests: list[Asked]) -> float:
    """The time of one, from the least of many rounds for each few of them.

    A disturbance only ever slows, and so few requests are over before most disturbances come.
    """
    least = []
    for start in range(0, len(requests), FEW):
        few = requests[start : start + FEW]
        least.append(min(_nanoseconds(view, few) for _ in range(ROUNDS)))
    return sum(least) / len(requests) / 1000


def _nanoseconds(view: LiveView, requests: list[Asked]) -> int:
    start = time.perf_counter_ns()
    for key, path in requests:
        judge(view, key, path)
    return time.perf_counter_ns() - start


async def main() -> None:
    print("| mocks | sessions | kind | us |\n| ---: | ---: | --- | ---: |")
    for mocks in MOCKS:
        for sessions in SESSIONS:
            view = LiveView(Snapshot(mocks, sessions))
            await view.catch_up()
            collector.calm()
            for kind in ("literal", "parameter", "miss"):
                requests = list(asked(kind, mocks, sessions))
                assert {judge(view, *each) for each in requests} == {kind != "miss"}
                print(f"| {mocks} | {sessions} | {kind} | {us_per_request(view, requests):.2f} |")


if __name__ == "__main__":
    asyncio.run(main())
