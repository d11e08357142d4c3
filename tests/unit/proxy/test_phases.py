"""How long each phase of an exchange took is on record, to the microsecond."""

import json
from asyncio import Handle
from collections.abc import Callable
from contextvars import Context
from typing import TypeVarTuple

from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.manual_loop import ManualLoop
from support.planned import KEY, planned_mocks, respond, source_of
from support.proxying import ask, get, running
from support.virtual_proxy import VirtualProxy
from understudy_server.core.record import NO_PHASES, Phases
from understudy_server.proxy.timing import USUAL_PHASES, Phase, Timing, at_once

_Ts = TypeVarTuple("_Ts")

_UPSTREAM = "http://192.0.2.1"
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"


def _get(path: str) -> bytes:
    return get(path, KEY, close=False)


def test_delay_of_a_mock_is_a_phase() -> None:
    with planned_mocks({"/x": respond(delay_ms=150)}), VirtualProxy(source_of("/x", delay_ms=25)) as proxy:
        proxy.send(_get("/x"))
        proxy.pass_ms(175)
        (exchange,) = proxy.exchanges
    assert exchange.phases == Phases(delay_us=175_000, total_us=175_000)


def test_delay_that_the_client_does_not_wait_for_is_as_long_as_it_did() -> None:
    with planned_mocks({"/x": respond(delay_ms=150)}), VirtualProxy(source_of("/x")) as proxy:
        wire = proxy.send(_get("/x"))
        proxy.pass_ms(40)
        wire.lose()
        (exchange,) = proxy.exchanges
    assert exchange.phases == Phases(delay_us=40_000, total_us=40_000)


def test_each_request_has_times_of_its_own_though_it_was_met_before() -> None:
    with planned_mocks({"/x": respond(delay_ms=100)}), VirtualProxy(source_of("/x")) as proxy:
        wires = [proxy.connect() for _ in range(4)]
        for wire in wires:
            proxy.say(wire, _get("/x"))
            proxy.pass_ms(10)
        proxy.pass_ms(100)
    assert [each.phases for each in proxy.exchanges] == [Phases(delay_us=100_000, total_us=100_000)] * 4


def test_upstream_takes_its_time_for_the_head_and_then_for_the_body() -> None:
    with VirtualProxy(source_of(upstream=_UPSTREAM, delay_ms=30)) as proxy:
        proxy.send(_get("/real"))
        proxy.pass_ms(20)
        (far,) = proxy.upstreams
        proxy.say(far, _HEAD)
        proxy.pass_ms(30)
        proxy.pass_ms(5)
        proxy.say(far, b"body")
        (exchange,) = proxy.exchanges
    assert exchange.phases == Phases(delay_us=30_000, first_byte_us=20_000, total_us=55_000)


def test_head_of_the_upstream_is_waited_for_from_the_end_of_the_request() -> None:
    with VirtualProxy(source_of(upstream=_UPSTREAM)) as proxy:
        wire = proxy.send(ask("POST", "/real", KEY, "Content-Length: 4", close=False) + b"ab")
        proxy.pass_ms(50)
        proxy.say(wire, b"cd")
        proxy.pass_ms(20)
        proxy.say(proxy.upstreams[0], _HEAD + b"body")
        (exchange,) = proxy.exchanges
    assert exchange.phases == Phases(first_byte_us=20_000, total_us=70_000)


def test_connection_that_is_waited_for_is_a_phase_and_one_that_is_open_takes_none() -> None:
    with VirtualProxy(source_of(upstream=_UPSTREAM)) as proxy:
        for _ in range(2):
            proxy.send(_get("/real"))
            proxy.pass_ms(20)
            proxy.say(proxy.upstreams[0], _HEAD + b"body")
        first, second = proxy.exchanges
        assert len(proxy.upstreams) == 1
    assert (first.phases.first_byte_us, second.phases.first_byte_us) == (20_000, 20_000)
    assert second.phases.connect_us == 0


def test_body_that_decides_is_waited_for_in_the_queue() -> None:
    message = mock("ovr_x", path="/x", json="1", delay_ms=5)
    message.matcher.body.json_subset = '{"a":1}'
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={"ovr_x": message},
        sessions={"ses_ci-42": session(overrides=("ovr_x",))},
    )
    with VirtualProxy(source) as proxy:
        wire = proxy.send(ask("POST", "/x", KEY, "Content-Length: 7", close=False) + b'{"a"')
        proxy.pass_ms(12)
        proxy.say(wire, b":1}")
        proxy.pass_ms(5)
        (exchange,) = proxy.exchanges
    assert exchange.phases == Phases(queue_us=12_000, delay_us=5_000, total_us=17_000)


class _Working(ManualLoop):
    """Each callback takes a millisecond."""

    def call_soon(self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None) -> Handle:
        return super().call_soon(self._work, callback, *args, context=context)

    def _work(self, callback: Callable[[*_Ts], object], *args: *_Ts) -> None:
        self._now += 0.001
        callback(*args)


_LONG = json.dumps([{"id": number, "name": "Bo"} for number in range(20_000)]).encode()


def _asking_for_a_member() -> FakeSource:
    message = mock("ovr_x", path="/x", json="1")
    message.matcher.body.json_path.path = "$[19999].id"
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={"ovr_x": message},
        sessions={"ses_ci-42": session(overrides=("ovr_x",))},
    )
    return source


def test_turns_in_which_the_mock_is_looked_for_are_no_wait() -> None:
    loop = _Working()
    with VirtualProxy(_asking_for_a_member(), loop=loop) as proxy:
        proxy.send(ask("POST", "/x", KEY, body=_LONG))
        (exchange,) = proxy.exchanges
    phases = exchange.phases
    assert phases.match_us > 8_000
    assert phases == Phases(match_us=phases.match_us, total_us=phases.match_us)


def test_store_that_is_waited_for_between_such_turns_is_waited_for_in_the_queue() -> None:
    loop, source = _Working(), _asking_for_a_member()
    with VirtualProxy(source, loop=loop) as proxy:
        client = proxy.connect()
        client.deliver(ask("POST", "/x", KEY, body=_LONG))
        source.commit(environments={ENVIRONMENT_ID: environment()})
        proxy.settle()
        (exchange,) = proxy.exchanges
    phases = exchange.phases
    assert phases.match_us > 8_000
    assert 0 < phases.queue_us < 8_000
    assert phases.total_us == phases.queue_us + phases.match_us


async def test_real_time_passes_in_a_proxy_that_is_told_no_other() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={"ovr_x": mock("ovr_x", path="/x", json="1"), "ovr_late": mock("ovr_late", path="/late", delay_ms=30)},
        sessions={"ses_ci-42": session(overrides=("ovr_x", "ovr_late"))},
    )
    async with running(source) as proxy:
        await proxy.ask(_get("/x") * 5 + get("/late", KEY))
    first, *plain, late = [each.phases for each in proxy.journal.exchanges]
    # The view had nothing yet.
    assert 0 < first.queue_us <= first.total_us
    assert all(each == NO_PHASES._replace(match_us=each.match_us, total_us=each.match_us) for each in plain)
    assert any(each.match_us for each in plain)
    assert late.delay_us >= 29_000
    assert late.total_us >= late.match_us + late.delay_us


def test_phases_of_what_is_answered_in_one_go_are_the_same_by_either_way() -> None:
    times = iter([5_000, 12_000])
    timing = Timing(lambda: next(times), 0, 1_000, 3_000)
    assert timing.phases()._replace(total_us=4) == at_once(1_000, 3_000, 4) == Phases(2, 2, 0, 0, 0, 4)
    assert all(at_once(0, 0, us) == USUAL_PHASES[us] for us in (0, 1, 255))


def test_phase_that_comes_again_goes_on() -> None:
    times = iter([0, 1_000, 3_000, 6_000, 10_000, 15_000])
    timing = Timing(lambda: next(times), 0, 0, 0)
    for phase in (Phase.CONNECT, Phase.FIRST_BYTE, Phase.CONNECT, Phase.FIRST_BYTE):
        timing.enter(phase)
    assert timing.phases() == Phases(connect_us=6, first_byte_us=8, total_us=15)
