"""No request holds the event loop for long: hostile mocks, each asked with hostile requests; nor does a question about
a long record of hostile requests, nor flags by the thousand.

A turn of the loop is measured in the processor's time of its thread. That still grows when others crowd the caches, so
a request that took too long is asked again, and its best time counts: what is slow by itself is slow each time.
"""

import asyncio
import gc
import random
from collections.abc import Callable, Mapping
from contextlib import closing
from statistics import quantiles
from typing import Any

import grpc
import pytest
from google.protobuf.json_format import ParseDict
from support import hostile_questions
from support.hostile import BODIES, REFUSED, mocks
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, session
from support.proofs import PROVE, new_seed, report, scaled
from support.server import running_server
from support.turns import TimedLoop
from support.turns_of_flags import QUESTIONS, WATCHERS, RoundsTimed, flag_stage
from support.turns_of_questions import SESSION_KEY, QuestionStage
from support.virtual_proxy import VirtualProxy
from understudy.v1.file_service_pb2 import PutFileRequest
from understudy.v1.file_service_pb2_grpc import FileServiceStub
from understudy.v1.mock_service_pb2 import MOCK_STATE_PUBLISHED, CreateMockRequest, Mock
from understudy.v1.mock_service_pb2_grpc import MockServiceStub
from understudy.v1.verification_service_pb2 import (
    VERDICT_UNSPECIFIED,
    CountCallsRequest,
    CountCallsResponse,
    VerifyCallsRequest,
    VerifyCallsResponse,
)

# What is promised of each request, and of all but one in a hundred, for a machine that does nothing else; between other
# tests it is looser.
SECONDS_MAX, USUAL_SECONDS_MAX = (0.020, 0.005) if PROVE else (0.060, 0.020)
ATTEMPTS_MAX = 10
ALL = "all criteria"
# What one event of a socket brings, at most.
_ARRIVES_BYTES = 256 * 1024
_FILES = ("../secret", "/etc/passwd", "a/../../b", "a//b", ".ssh/id", "a\0.txt", "a\\..\\b", "a/.", "")

# Calls on record, and over how many of the last of them each criterion is asked about by itself.
CALLS, LAST_CALLS, AT_ONCE = (2_000, 240, 8) if PROVE else (80, 80, 2)
_GOES_MAX = 3

# As many as a project may have, and for one of them as many rules as it may have, with far too many conditions.
FLAGS, LONG_RULES = (10_000, 200) if PROVE else (300, 10)

MOCKS = mocks()
PAIRS = [(mock, body) for mock in (*MOCKS, ALL) for body in BODIES]


@pytest.mark.timeout(1_800)
def test_no_request_holds_the_event_loop_for_long() -> None:
    seed = new_seed()
    asked = random.Random(seed).sample(PAIRS, scaled(len(PAIRS)))
    took: dict[tuple[str, str], float] = {}
    statuses: set[bytes] = set()
    loop = TimedLoop()
    with VirtualProxy(_source(), loop=loop) as proxy:
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            for pair in asked:
                took[pair], status = _ask(proxy, loop, *pair)
                statuses.add(status)
        finally:
            gc.enable()
        assert loop.faults == []
    slow = {pair: round(1000 * seconds, 1) for pair, seconds in took.items() if seconds > SECONDS_MAX}
    # Inclusive: of few requests the other method gives more than any of them took.
    percentiles = quantiles(took.values(), n=100, method="inclusive")
    report(
        "held event loop",
        requests=len(took),
        longest_ms=round(1000 * max(took.values()), 1),
        median_ms=round(1000 * percentiles[49], 1),
        percentile_99_ms=round(1000 * percentiles[98], 1),
        too_long=len(slow),
        seed=seed,
    )
    assert slow == {}
    assert percentiles[98] <= USUAL_SECONDS_MAX
    # Nobody was turned away before the mocks were asked: they answered, or failed to, or none of them matched.
    assert statuses <= {b"200", b"500", b"502"}
    assert statuses >= ({b"200", b"500", b"502"} if PROVE else {b"502"})


@pytest.mark.timeout(1_800)
def test_no_question_about_calls_holds_the_event_loop_for_long() -> None:
    seed = new_seed()
    singles, crowds = hostile_questions.criteria(), hostile_questions.crowds()
    # In a short run one of each kind, and all at the same time.
    names = random.Random(seed).sample(sorted(singles), scaled(len(singles)))
    crowded = random.Random(seed).sample(sorted(crowds), len(crowds) if PROVE else 1)
    waits: list[float] = []
    slow: dict[str, float] = {}
    with QuestionStage(hostile_questions.record(CALLS, ENVIRONMENT_ID)) as stage:
        asked = {name: [singles[name]] for name in names} | {name: [crowds[name]] for name in crowded}
        asked["at the same time"] = [crowds["all criteria"]] * AT_ONCE
        for name, requests in asked.items():
            waited = _waits(stage, requests, after=CALLS - LAST_CALLS if name in singles else 0)
            waits += waited
            if max(waited) > SECONDS_MAX:
                slow[name] = round(1000 * max(waited), 1)
    percentiles = quantiles(waits, n=100)
    report(
        "event loop held by questions",
        calls_on_record=CALLS,
        questions=sum(map(len, asked.values())),
        small_requests=len(waits),
        longest_ms=round(1000 * max(waits), 1),
        median_ms=round(1000 * percentiles[49], 2),
        percentile_99_ms=round(1000 * percentiles[98], 1),
        too_long=len(slow),
        seed=seed,
    )
    assert slow == {}
    assert percentiles[98] <= USUAL_SECONDS_MAX


def test_the_measure_of_questions_sees_what_holds_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    def never_over() -> float:
        return 0.0

    monkeypatch.setattr("understudy_server.app.slices.perf_counter", never_over)
    with QuestionStage(hostile_questions.record(LAST_CALLS, ENVIRONMENT_ID)) as stage:
        waited = _waits(stage, [hostile_questions.crowds()["all criteria"]], goes_max=1)
    assert max(waited) > SECONDS_MAX


@pytest.mark.timeout(1_800)
def test_no_evaluation_of_flags_holds_the_event_loop_for_long() -> None:
    longest: dict[str, float] = {}

    async def ask() -> None:
        async with flag_stage(FLAGS, LONG_RULES) as stage:
            for name, question in QUESTIONS.items():
                for _ in range(_GOES_MAX):
                    took = await stage.longest_round(question)
                    longest[name] = min(took, longest.get(name, took))
                    if longest[name] <= SECONDS_MAX:
                        break

    with asyncio.Runner(loop_factory=RoundsTimed) as runner:
        runner.run(ask())
        rounds = _loop_of(runner).rounds
    slow = {name: round(1000 * seconds, 1) for name, seconds in longest.items() if seconds > SECONDS_MAX}
    worst = max(longest, key=lambda name: longest[name])
    report(
        "event loop held by flags",
        flags=FLAGS,
        watchers=WATCHERS,
        questions=len(longest),
        rounds=rounds,
        longest_ms=round(1000 * longest[worst], 1),
        longest_of=worst,
        too_long=len(slow),
    )
    assert slow == {}


def test_the_measure_of_flags_sees_what_holds_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("understudy_server.app.flag_place._AT_ONCE_FLAGS", 10_000)
    monkeypatch.setattr("understudy_server.app.flag_place._AT_ONCE_BYTES", 10_000_000)

    async def ask() -> float:
        async with flag_stage(1_000, 1) as stage:
            return await stage.longest_round(QUESTIONS["all"])

    with asyncio.Runner(loop_factory=RoundsTimed) as runner:
        assert runner.run(ask()) > SECONDS_MAX


def test_the_measure_sees_who_holds_the_loop() -> None:
    loop = TimedLoop()
    with closing(loop):
        loop.call_soon(sum, range(3_000_000))
        loop.settle()
        assert loop.longest_seconds > SECONDS_MAX / 2
        loop.longest_seconds = 0
        loop.call_soon(sum, range(3))
        loop.settle()
        assert loop.longest_seconds < SECONDS_MAX / 2


def test_what_could_never_be_used_is_refused_with_its_place() -> None:
    with running_server() as server:
        place = server.make_place("staging")
        stub = MockServiceStub(server.owner)
        refusals = {}
        for name, definition in REFUSED.items():
            mock = ParseDict(definition, Mock(id="ovr_refused"))
            request = CreateMockRequest(project=place.project, environment="staging", mock=mock)
            refusals[name] = _refusal(stub.CreateMock, request)
        assert {
            name: code for name, (code, _) in refusals.items() if code is not grpc.StatusCode.INVALID_ARGUMENT
        } == {}
        assert {name: text for name, (_, text) in refusals.items() if "mock." not in text} == {}


def test_a_name_that_leads_out_of_a_folder_is_no_name_of_a_file() -> None:
    with running_server() as server:
        place = server.make_place("staging")
        stub = FileServiceStub(server.owner)
        for name in _FILES:
            request = PutFileRequest(project=place.project, environment="staging", name=name)
            request.content.data = b"x"
            assert _refusal(stub.PutFile, request)[0] is grpc.StatusCode.INVALID_ARGUMENT, name


def _source() -> FakeSource:
    ids = {name: f"ovr_{number}" for number, name in enumerate(MOCKS)}
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={
            ids[name]: ParseDict(definition, Mock(id=ids[name], name=name, state=MOCK_STATE_PUBLISHED))
            for name, definition in MOCKS.items()
        },
        sessions={key: session(key, overrides=overrides) for key, overrides in _sessions(ids).items()},
    )
    return source


def _sessions(ids: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The mocks that are on for a session, by its key: each has a session of its own, and all criteria share one."""
    own = {mock_id: (mock_id,) for mock_id in ids.values()}
    return own | {_key(ALL): tuple(mock_id for name, mock_id in ids.items() if name.startswith("criterion"))}


def _key(mock: str) -> str:
    return "all" if mock == ALL else f"ovr_{list(MOCKS).index(mock)}"


def _ask(proxy: VirtualProxy, loop: TimedLoop, mock: str, body: str) -> tuple[float, bytes]:
    """Ask until it is as quick as is usual, but not for ever: the longest turn of the best attempt, and the status."""
    content = BODIES[body]
    head = f"POST /checkout/staging/x HTTP/1.1\r\nhost: a\r\nx-flowmock-session: {_key(mock)}\r\n"
    data = f"{head}content-length: {len(content)}\r\n\r\n".encode() + content
    best, status = float("inf"), b""
    for _ in range(ATTEMPTS_MAX):
        client = proxy.connect()
        loop.longest_seconds = 0
        for at in range(0, len(data), _ARRIVES_BYTES):
            loop.deliver(client, data[at : at + _ARRIVES_BYTES])
            loop.settle()
        best = min(best, loop.longest_seconds)
        proxy.pass_ms(1_000)
        status = b"".join(client.sent)[9:12]
        client.lose()
        loop.settle()
        # What is left of thousands would be all the memory that there is to be asked for.
        proxy.exchanges.clear()
        gc.collect()
        if best < USUAL_SECONDS_MAX:
            break
    return best, status


def _loop_of(runner: asyncio.Runner) -> RoundsTimed:
    loop = runner.get_loop()
    assert isinstance(loop, RoundsTimed)
    return loop


def _waits(
    stage: QuestionStage, requests: list[VerifyCallsRequest], *, after: int = 0, goes_max: int = _GOES_MAX
) -> list[float]:
    """What small requests wait while these are asked about the calls behind a number: that of the best of a few goes.

    A question of one expectation is asked as a count, too.
    """
    best: list[float] = []
    for each in requests:
        each.session_key, each.after = SESSION_KEY, after
    for _ in range(goes_max):
        gc.collect()
        gc.disable()
        try:
            answers, waited = stage.waits_during(*map(stage.verify, requests))
            for answer in answers:
                _check(answer)
            if len(requests) == 1 and len(requests[0].expectations) == 1:
                waited += _waits_of_count(stage, requests[0])
        finally:
            gc.enable()
        best = min(best, waited, key=max) if best else waited
        if max(best) <= SECONDS_MAX:
            break
    return best


def _check(answer: VerifyCallsResponse) -> None:
    assert answer.verdict != VERDICT_UNSPECIFIED
    assert answer.completeness.complete


def _waits_of_count(stage: QuestionStage, request: VerifyCallsRequest) -> list[float]:
    count = CountCallsRequest(session_key=request.session_key, after=request.after)
    count.matcher.CopyFrom(request.expectations[0].matcher)
    answers: list[CountCallsResponse]
    answers, waited = stage.waits_during(stage.count(count))
    assert answers[0].completeness.complete
    return waited


def _refusal(call: Callable[[Any], object], request: object) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as refused:
        call(request)
    return refused.value.code(), refused.value.details() or ""
