"""The proxy as it serves, without sockets: real connections, judge, journal and presence, on wires that are played.

Time goes on by itself, a little at every look at a clock, so that a run is the same each time.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import cast

from support.live_source import ENVIRONMENT_ID, FakeSource, environment, session
from support.manual_loop import ManualLoop, Wire
from support.proxying import NOON_MS
from understudy.v1.mock_service_pb2 import Mock
from understudy_server.core.ids import IdMaker
from understudy_server.core.redaction import Redaction
from understudy_server.journal.memory import MemoryJournal
from understudy_server.journal.rules import MEMORY_QUOTA, FixedRules
from understudy_server.live.view import LiveView
from understudy_server.proxy.listener import ProxyListener
from understudy_server.proxy.recording import Recorder
from understudy_server.state.memory import MemoryState
from understudy_server.store.sqlite.presence import SqlitePresence
from understudy_server.store.sqlite.timers import Timer
from understudy_server.store.sqlite.writer import Writer
from understudy_server.telemetry.tally import Tally

KEY = "ci-42"
_UPSTREAM = "http://127.0.0.1:1"

# Few, so that the journal is full before anything is counted, and makes room for whatever comes as it does for good.
_KEPT_MAX = 1_024
_LOOKS_IN_A_MS = 128
_NS_BETWEEN_LOOKS = 3_000
# So many requests are read before the loop goes on, as from a crowd of clients.
_TURN = 16


@dataclass(frozen=True)
class Scene:
    """What is asked, and of whom. ``request`` is given numbers from 0 on; all answers end with this ``body``.

    ``upstream`` is what the real service answers, where no mock does. ``mocks``, by their ids, are on for each session
    of ``keys``.
    """

    request: Callable[[int], bytes]
    body: bytes
    mocks: Mapping[str, Mock] = field(default_factory=dict)
    upstream: bytes = b""
    redaction: Redaction | None = None
    has_metrics: bool = False
    keys: Sequence[str] = (KEY,)


class Stage:
    """One client's connection to a proxy that plays a scene. ``serve`` is what is measured."""

    def __init__(self, scene: Scene, loop: ManualLoop, factory: Callable[[], asyncio.Protocol]) -> None:
        self._scene = scene
        self._loop = loop
        self._client = Wire(loop, factory())
        self._asked = 0

    def requests(self, number: int) -> list[bytes]:
        """The next requests to `serve`."""
        begin, self._asked = self._asked, self._asked + number
        return [self._scene.request(each) for each in range(begin, begin + number)]

    def serve(self, requests: Sequence[bytes]) -> None:
        """Have requests come one after the other, each after the answer to the one before."""
        client, loop, upstream = self._client, self._loop, self._scene.upstream
        for at, request in enumerate(requests):
            client.deliver(request)
            if upstream:
                self._answer(upstream)
            if not at % _TURN:
                loop.settle()

    def _answer(self, answer: bytes) -> None:
        """The upstream answers whatever it was asked."""
        if not self._loop.outgoing:
            # The first request waits for a connection.
            self._loop.settle()
        for wire in self._loop.outgoing:
            if wire.sent:
                wire.sent.clear()
                wire.deliver(answer)

    def check(self, expected: int) -> None:
        """Look whether so many requests were answered since this was last asked, and each of them rightly."""
        answers = self._client.sent.copy()
        self._client.sent.clear()
        wrong = [
            each for each in answers if not (each.startswith(b"HTTP/1.1 200 ") and each.endswith(self._scene.body))
        ]
        assert not wrong, f"{len(wrong)} of {len(answers)} answers are wrong, such as {wrong[0]!r}"
        assert len(answers) == expected, f"{expected} requests had {len(answers)} answers"


@contextmanager
def staged(scene: Scene) -> Iterator[Stage]:
    """Play a scene, with its journal full and all that is remembered in place."""
    loop = ManualLoop()
    running, silent = asyncio._get_running_loop(), logging.root.manager.disable
    asyncio._set_running_loop(loop)
    # That the journal is full, and says so, is meant.
    logging.disable(logging.WARNING)
    try:
        stage = Stage(scene, loop, _factory(scene, loop))
        for _ in range(0, _KEPT_MAX * 2, _KEPT_MAX // 4):
            stage.serve(stage.requests(_KEPT_MAX // 4))
            stage.check(_KEPT_MAX // 4)
        yield stage
    finally:
        logging.disable(silent)
        asyncio._set_running_loop(running)
        loop.close()


def _factory(scene: Scene, loop: ManualLoop) -> Callable[[], asyncio.Protocol]:
    """What makes the proxy's side of a connection."""
    view = LiveView(_source(scene))
    loop.finish(view.catch_up())
    looks, ticks = count(NOON_MS * _LOOKS_IN_A_MS), count(0, _NS_BETWEEN_LOOKS)

    def clock() -> int:
        return next(looks) // _LOOKS_IN_A_MS

    journal: Recorder = MemoryJournal(rules=FixedRules(replace(MEMORY_QUOTA, session_entries=_KEPT_MAX)), clock=clock)
    listener = ProxyListener(
        view,
        Tally().beside(journal) if scene.has_metrics else journal,
        # It writes nothing while no timer fires.
        SqlitePresence(cast("Writer", None), {}, {}, _never),
        clock=clock,
        state=MemoryState(),
        new_id=IdMaker(clock, bytes),
        ticks=ticks.__next__,
    )
    loop.finish(listener.listen("nowhere", 0))
    return loop.factory


def _source(scene: Scene) -> FakeSource:
    source = FakeSource()
    source.commit(
        environments={
            ENVIRONMENT_ID: environment(upstream=_UPSTREAM if scene.upstream else "", redaction=scene.redaction)
        },
        mocks=dict(scene.mocks),
        sessions={f"ses_{key}": session(key, overrides=tuple(scene.mocks)) for key in scene.keys},
    )
    return source


class _Unfired:
    def cancel(self) -> None:
        """It never fires anyhow."""


def _never(_seconds: float, _callback: Callable[[], None]) -> Timer:
    return _Unfired()
