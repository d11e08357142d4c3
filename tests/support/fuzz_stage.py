"""Plays one input against a whole proxy without sockets, and judges what came of it.

The proxy is the real one, from its listener to its pool; only the event loop and the transports are the test's. What is
checked after each input: nothing raised or logged, no step bound reached, every byte that was written is part of a
valid answer, each exchange on record was answered in its order, and nothing of the connection is left.
"""

import asyncio
import hashlib
import logging
import random
import re
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from support.fuzz_answers import Found, read_answers
from support.fuzz_inputs import CORPUS, Inputs
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.manual_loop import ManualLoop, Wire
from understudy.v1.mock_service_pb2 import Mock
from understudy_server.core.carriers import Carrier, CarrierKind
from understudy_server.core.exchange import Exchange
from understudy_server.core.json_masking import JsonMask
from understudy_server.core.json_paths import parse
from understudy_server.core.redaction import Redaction
from understudy_server.live.source import EnvironmentRow
from understudy_server.live.view import LiveView
from understudy_server.proxy.listener import ProxyListener
from understudy_server.proxy.settings import ProxySettings
from understudy_server.state.memory import MemoryState

_SETTINGS = ProxySettings(
    target_bytes_max=512,
    head_bytes_max=1024,
    headers_max=12,
    request_body_bytes_max=600,
    captured_bytes_max=256,
    pipelined_max=2,
    tick_seconds=20,
)
_CARRIERS = tuple(Carrier(kind, "k") for kind in CarrierKind)
_REDACTION = Redaction(frozenset({b"k"}), frozenset({"a", "k"}), JsonMask((parse("$..a"), parse("$[0]"))))
_LONG_SECONDS = 1_000
"""Longer than any deadline."""

_KEY = b"x-flowmock-session: ci-42\r\n"
_ASKED = [
    b"GET /checkout/staging/other HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /checkout/tunnel/other HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
    b"HEAD /checkout/staging/other HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /checkout/staging/other HTTP/1.0\r\n\r\n",
    b"GET /checkout/staging/other HTTP/1.1\r\nHost: a\r\n" + _KEY + b"\r\n",
    b"PUT /checkout/staging/other HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    b"POST /checkout/staging/other HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"POST /checkout/staging/other HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhello",
]
# The last one is not whole, so nothing may follow it.
_GOOD = [b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n"]

_ERROR = re.compile(rb'"error":"([^"]{0,80})')


Outcome = tuple[tuple[int, ...], bytes | None, bool]
"""The last statuses, the first message of a refusal, and whether the last answer is whole: the kind of an outcome."""


class Stage:
    """A proxy that is fuzzed. Use as a context: it takes the place of the running event loop."""

    def __init__(self) -> None:
        self._loop = ManualLoop()
        self._recorded: list[Exchange] = []
        self._logged = _Logged()

    def __enter__(self) -> Self:
        logging.getLogger().addHandler(self._logged)
        asyncio.events._set_running_loop(self._loop)
        view = LiveView(_source())
        self._loop.finish(view.catch_up())
        self._listener = ProxyListener(
            view,
            self,
            self,
            clock=lambda: 0,
            ticks=lambda: round(self._loop.time() * 1_000_000_000),
            state=MemoryState(),
            new_id=str,
            settings=_SETTINGS,
        )
        self._loop.finish(self._listener.listen("nowhere", 0))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.events._set_running_loop(None)
        logging.getLogger().removeHandler(self._logged)
        self._loop.close()

    def record(self, exchange: Exchange) -> None:
        self._recorded.append(exchange)

    def touch(self, session_id: str, now_ms: int) -> None:
        """Nobody asks when a session was seen."""

    def note(self, session_id: str, findings: Sequence[str]) -> None:
        """Nobody asks what was odd about it either."""

    def play_requests(self, pieces: Sequence[bytes], dice: random.Random) -> Outcome:
        """A client sends this; upstreams answer, or misbehave. Returns the kind of outcome. Raises Found."""
        client = self._client((), narrow=dice.random() < 0.1)
        behaves = dice.random() < 0.7
        loop = self._loop
        for piece in pieces:
            client.deliver(piece)
            if loop.is_busy:
                loop.settle()
            if loop.outgoing and len(pieces) < 8:
                self._upstreams_act(dice, behaves=behaves)
        return self._end(client, dice, behaves=behaves)

    def play_answers(self, pieces: Sequence[bytes], dice: random.Random) -> Outcome:
        """An upstream answers this to a good request or two. Returns the kind of outcome. Raises Found."""
        asked = [dice.choice(_ASKED)] if dice.random() < 0.7 else [dice.choice(_ASKED[:-1]), dice.choice(_ASKED)]
        client = self._client(asked, narrow=dice.random() < 0.1)
        for request in asked:
            client.deliver(request)
            self._loop.settle()
        for piece in pieces:
            upstream = self._loop.outgoing[-1] if self._loop.outgoing else None
            if upstream is None or upstream.lost:
                break
            upstream.deliver(piece)
            self._loop.settle()
        draw = dice.random()
        for upstream in self._loop.outgoing:
            if draw < 0.4:
                upstream.end()
            elif draw < 0.5:
                upstream.lose(ConnectionResetError())
        return self._end(client, dice, behaves=False)

    def _client(self, asked: Sequence[bytes], *, narrow: bool) -> Wire:
        self._heads = [each.startswith(b"HEAD") for each in asked]
        self._recorded.clear()
        return Wire(self._loop, self._loop.factory(), narrow=narrow)

    def _upstreams_act(self, dice: random.Random, *, behaves: bool) -> None:
        for upstream in self._loop.outgoing:
            if not upstream.sent or upstream.lost:
                continue
            upstream.sent.clear()
            draw = 0.0 if behaves else dice.random()
            if draw < 0.5:
                upstream.deliver(dice.choice(_GOOD))
            elif draw < 0.6:
                upstream.deliver(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel")
            elif draw < 0.7:
                upstream.end()
            elif draw < 0.8:
                upstream.lose(ConnectionResetError())
        self._loop.settle()

    def _end(self, client: Wire, dice: random.Random, *, behaves: bool) -> Outcome:
        loop = self._loop
        for _ in range(4):
            client.widen()
            if loop.is_busy:
                loop.settle()
            if loop.outgoing:
                self._upstreams_act(dice, behaves=behaves)
        draw = dice.random()
        if draw < 0.3:
            client.end()
            loop.settle()
            self._upstreams_act(dice, behaves=behaves)
        elif draw < 0.4:
            loop.advance(_LONG_SECONDS)
        cut = not client.closing
        client.lose(ConnectionResetError() if draw > 0.9 else None)
        loop.settle()
        return self._judge(client, gone=cut, thorough=draw > 0.97)

    def _judge(self, client: Wire, *, gone: bool, thorough: bool) -> Outcome:
        loop, sent = self._loop, b"".join(client.sent)
        if self._logged.records or loop.faults:
            raise Found(f"logged or unhandled: {self._logged.taken()} {loop.faults}")
        statuses, whole = read_answers(sent, heads=self._heads)
        on_record = [each.status for each in self._recorded if each.status != 499]
        if not _answered(on_record if whole else on_record[:-1], statuses):
            raise Found(f"on record are {on_record}, answered was {statuses}: {sent!r}")
        if not whole and not gone and not any(each.findings for each in self._recorded):
            raise Found(f"an answer broke off, and nobody knows why: {sent!r}")
        if self._listener.open_connections:
            raise Found("a connection is left")
        loop.outgoing[:] = [wire for wire in loop.outgoing if not wire.lost]
        if thorough or len(loop.outgoing) > 8:
            self._check_nothing_is_left()
        message = _ERROR.search(sent)
        return tuple(statuses[-3:]), message[1] if message else None, whole

    def _check_nothing_is_left(self) -> None:
        self._loop.advance(_LONG_SECONDS)
        if self._listener.upstream_connections or self._loop.timers:
            raise Found(f"{self._listener.upstream_connections} to upstreams and {self._loop.timers} timers are left")
        self._loop.outgoing.clear()


class _Logged(logging.Handler):
    """Keeps what is logged as a warning or worse."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []
        self.setFormatter(logging.Formatter())

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def taken(self) -> str:
        text = "\n".join([self.format(record) for record in self.records])
        self.records.clear()
        return text


def _answered(on_record: list[int], statuses: list[int]) -> bool:
    """Tell whether each exchange was answered, in order; refusals that are on no record may stand between."""
    answers = iter(statuses)
    return all(status in answers for status in on_record)


def _source() -> FakeSource:
    source = FakeSource()
    source.commit(
        environments={
            ENVIRONMENT_ID: environment(upstream="http://127.0.0.1:1", active_mocks=("ovr_all",)),
            "env_2": EnvironmentRow(
                "env_2",
                "prj_1",
                "checkout",
                "tunnel",
                "http://127.0.0.1:2",
                (),
                tunnels_upgrades=True,
                redaction=_REDACTION,
                request_body_bytes_max=20,
                captured_bytes_max=16,
                first_byte_ms=10_000,
            ),
            "env_3": EnvironmentRow(
                "env_3", "prj_1", "checkout", "strict", "http://127.0.0.1:3", (), ("host.test",), _CARRIERS, strict=True
            ),
        },
        mocks={
            "ovr_all": mock("ovr_all", path="/quick", json='"all"'),
            "ovr_quick": mock("ovr_quick", path="/quick", json='"quick"'),
            "ovr_slow": mock("ovr_slow", path="/slow", json='"slow"', delay_ms=50),
            "ovr_body": _for_a_body(),
        },
        sessions={"ses_ci-42": session(overrides=("ovr_quick", "ovr_slow", "ovr_body"))},
    )
    return source


def _for_a_body() -> Mock:
    """A mock that takes the whole body to tell whether it answers."""
    made = mock("ovr_body", path="/body", json='"body"')
    made.matcher.body.json_subset = '{"a":1}'
    return made


def fuzz(seed: int, count: int, *, answers: bool) -> dict[Outcome, bytes]:
    """Play ``count`` inputs. Returns one input for each kind of outcome. Raises Found."""
    dice = random.Random(seed)
    inputs = Inputs(dice, answers=answers)
    met: dict[Outcome, bytes] = {}
    with Stage() as stage:
        play = stage.play_answers if answers else stage.play_requests
        for number in range(count):
            data = inputs.stream()
            pieces = inputs.pieces(data)
            try:
                outcome = play(pieces, dice)
            except Exception as error:
                raise Found(_told(data, pieces, error, answers=answers, seed=seed, number=number)) from error
            if outcome not in met:
                met[outcome] = data
                inputs.keep(data)
    return met


def _told(data: bytes, pieces: Sequence[bytes], error: Exception, *, answers: bool, seed: int, number: int) -> str:
    """Keep an input that showed a fault with the others, and say all that it takes to repeat it."""
    side = "answer" if answers else "request"
    path = CORPUS / f"{side}-found-{hashlib.sha256(data).hexdigest()[:8]}.bin"
    path.write_bytes(data)
    return f"{side} number {number} of seed {seed}, kept as {path.name}, in pieces {list(pieces)!r}: {error!r}"
