"""Rows of growth: what a request costs at the socket when there are ten thousand sessions, or mocks, and few.

Both sides have requests that wrk makes at the same cost; only how many of them differ is not the same.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from benchmarks.load import TURN, Load, Loaded, compared
from benchmarks.method import Length, Rounds
from benchmarks.mocked import put_sessions, serving_mocks
from benchmarks.proxy_rows import Stage
from benchmarks.row import Row, at_least
from benchmarks.scenery import (
    ENVIRONMENT,
    HEADERS,
    MOCKED_BODY,
    PROJECT,
    PROXIED_MOCKED_PATH,
    TURN_BODY,
    TURN_KEY,
    TURN_PATH,
)
from benchmarks.telling import rate, throughput
from benchmarks.turn_mocks import turn_batches

MANY, FEW_MOCKS = 10_000, 10
_FLAT_MIN, _FLAT_AIM = 0.90, 0.97
# A server that holds many is its own warm-up: filling it runs everything thousands of times.
_SECONDS_MAX = 2


@contextmanager
def sessions_stage() -> Iterator[Stage]:
    """Many sessions, all asked in turn, and one session."""
    with serving_mocks() as many, serving_mocks() as one:
        for server, sessions in ((many, MANY), (one, 1)):
            put_sessions(server, ((TURN_KEY.replace(TURN, f"{number:05}"), 0) for number in range(sessions)))
        headers = HEADERS | {"x-flowmock-session": TURN_KEY}
        asked = Loaded(many.pid, many.proxy, PROXIED_MOCKED_PATH, headers, body=MOCKED_BODY, turns=MANY)
        yield Stage(asked, replace(asked, pid=one.pid, address=one.proxy, turns=1))


@contextmanager
def mocks_stage() -> Iterator[Stage]:
    """Many mocks that are on, all asked for in turn, and few."""
    with serving_mocks() as many, serving_mocks() as few:
        many.call_all("MockService/BatchMocks", turn_batches(MANY))
        few.call_all("MockService/BatchMocks", turn_batches(FEW_MOCKS))
        path = f"/{PROJECT}/{ENVIRONMENT}{TURN_PATH}"
        asked = Loaded(many.pid, many.proxy, path, HEADERS, body=TURN_BODY, turns=MANY)
        yield Stage(asked, replace(asked, pid=few.pid, address=few.proxy, turns=FEW_MOCKS))


STAGES: dict[str, Callable[[], AbstractContextManager[Stage]]] = {"sessions": sessions_stage, "mocks": mocks_stage}


def sessions(length: Length) -> list[Row]:
    """Requests of many sessions in turn, against requests of one."""
    return _rows("sessions", f"{MANY} sessions / 1 session", length)


def mocks(length: Length) -> list[Row]:
    """Requests for many mocks in turn, against requests for few."""
    return _rows("mocks", f"{MANY} mocks that are on / {FEW_MOCKS} mocks", length)


def _rows(kind: str, name: str, length: Length) -> list[Row]:
    with STAGES[kind]() as stage:
        many, few = stage.ours, stage.reference
        unlike = _measured(replace(many, traced=True), replace(few, traced=True), length)
        held = _measured(replace(many, turns=few.turns), few, length)
        again = _measured(many, few, length)
    target = at_least(_FLAT_MIN, aim=_FLAT_AIM)
    forgotten = "what was read and decided of the newest requests is remembered, and so many are not the newest"
    return [
        Row(f"{name}, all in turn, no two requests alike", unlike.ratio(rate), target, throughput(unlike)),
        Row(f"{name}, only {few.turns} of them asked", held.ratio(rate), target, throughput(held)),
        Row(
            f"{name}, all in turn, each request again and again",
            again.ratio(rate),
            None,
            f"{throughput(again)}; {forgotten}",
        ),
    ]


def _measured(many: Loaded, few: Loaded, length: Length) -> Rounds[Load]:
    return compared(many, few, replace(length, seconds=min(length.seconds, _SECONDS_MAX)))
