"""Mocks whose answers are planned, or whose uses are counted: what they are told, and what goes on record."""

import json
from unittest.mock import patch

from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.planned import KEY, LONG_BODY, Planned, planned_mocks, respond, source_of
from support.played_upstream import played_upstream
from support.proxying import OK, ask, body_of, get, running, status_of
from support.virtual_proxy import VirtualProxy
from understudy_server.core.draws import Draw, Draws
from understudy_server.core.errors import StorageFailure
from understudy_server.core.matching.request import OVERLONG
from understudy_server.core.responding.plan import Failed, FaultKind, Plan, PlannedFault, Scene
from understudy_server.core.responding.prepared import prepare
from understudy_server.core.state import Scope
from understudy_server.core.usage import Step, Usage
from understudy_server.proxy.settings import ProxySettings
from understudy_server.state.memory import MemoryState

_ASKED = get("/x", KEY, close=False)


class Drawing(Planned):
    """Says what came out of a draw."""

    def plan(self, scene: Scene, draws: Draws) -> Plan:
        super().plan(scene, draws)
        draws.note("number", draws.random.randint(0, 10**9))
        return Plan(prepare(200, (), draws.noted[0].value.encode()), draws=tuple(draws.noted))


def _drawing() -> Drawing:
    return Drawing(respond(), counts=True)


async def test_answer_that_is_planned_is_sent_as_any_other() -> None:
    with planned_mocks({"/x": respond(b"planned", status=418)}):
        async with running(source_of("/x")) as proxy:
            answer = await proxy.ask(get("/x", KEY, "Origin: https://a.example"))
    assert (status_of(answer), body_of(answer)) == (418, b"planned")
    assert b"\r\naccess-control-allow-origin: https://a.example\r\n" in answer
    (exchange,) = proxy.journal.exchanges
    assert (exchange.status, exchange.mock_id, exchange.draws, exchange.occurrence) == (418, "ovr_0", (), 0)
    assert exchange.response_body is not None
    assert exchange.response_body.content == b"planned"


async def test_answer_that_could_not_be_made_is_500_and_the_mocks() -> None:
    plan = Plan(Failed("template_failed", "There is no such value."))
    with planned_mocks({"/x": plan, "/y": respond(b"y")}):
        async with running(source_of("/x", "/y")) as proxy:
            answer = await proxy.ask(_ASKED + get("/y", KEY))
    assert status_of(answer) == 500
    assert (
        json.dumps({"error": "There is no such value.", "code": "template_failed"}, separators=(",", ":")).encode()
        in answer
    )
    assert answer.endswith(b"\r\n\r\ny")
    assert [(each.status, each.mock_id) for each in proxy.journal.exchanges] == [(500, "ovr_0"), (200, "ovr_1")]


async def test_answer_is_told_all_that_there_is() -> None:
    planned = Planned(respond())
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={"ovr_x": mock("ovr_x", path="/users/:id")},
        sessions={"ses_ci-42": session(overrides=("ovr_x",))},
    )
    with planned_mocks({"/users/:id": planned}):
        async with running(source) as proxy:
            await proxy.ask(ask("POST", "/users/a%20b?q=1", KEY, "X-A: 1", "Cookie: c=d", body=b"hello"))
    (scene,) = planned.scenes
    request = scene.request
    assert (request.method, request.path, request.query, request.body) == ("POST", "/users/a%20b", "q=1", b"hello")
    assert (request.host, request.cookies()) == ("proxy", {"c": ["d"]})
    assert (b"X-A", b"1") in request.headers
    assert scene.path_parameters == {"id": "a b"}
    assert (scene.environment_id, scene.session_key, scene.session_state) == (ENVIRONMENT_ID, "ci-42", "ses_ci-42.1")
    assert (scene.mock, scene.occurrence, scene.seed) == ("ovr_x", 0, "key:ci-42")


async def test_answer_without_a_session_is_told_so() -> None:
    planned = Planned(respond())
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(active_mocks=("ovr_x",))}, mocks={"ovr_x": mock("ovr_x", path="/x")}
    )
    with planned_mocks({"/x": planned}):
        async with running(source) as proxy:
            await proxy.ask(get("/x", "x-flowmock-session: nobody"))
    (scene,) = planned.scenes
    assert (scene.session_key, scene.session_state, scene.seed) == ("", "", f"environment:{ENVIRONMENT_ID}")


async def test_answer_that_is_planned_is_planned_anew_for_a_request_that_comes_again() -> None:
    planned = Planned(respond())
    with planned_mocks({"/x": planned}):
        async with running(source_of("/x")) as proxy:
            reader, writer = await proxy.connect()
            for _ in range(4):
                writer.write(_ASKED)
                await reader.readuntil(LONG_BODY)
    assert len(planned.scenes) == 4
    assert len({id(scene.request) for scene in planned.scenes}) == 4


async def test_answer_that_follows_from_the_request_is_planned_once_for_one_that_comes_again() -> None:
    planned = Planned(respond(), repeats=True)
    source = source_of("/x")
    with planned_mocks({"/x": planned}):
        async with running(source) as proxy:
            reader, writer = await proxy.connect()
            for _ in range(4):
                writer.write(_ASKED)
                await reader.readuntil(LONG_BODY)
            asked_before = len(planned.scenes)
            source.commit(sessions={"other": session("other")})
            writer.write(_ASKED)
            await reader.readuntil(LONG_BODY)
    # Twice, since a request is remembered once it was read.
    assert asked_before <= 2
    assert len(planned.scenes) == asked_before + 1
    assert [(each.status, each.mock_id) for each in proxy.journal.exchanges] == [(200, "ovr_0")] * 5


async def test_long_answer_is_planned_anew_and_not_kept() -> None:
    planned = Planned(respond(LONG_BODY * 1_000), repeats=True)
    with planned_mocks({"/x": planned}):
        async with running(source_of("/x")) as proxy:
            reader, writer = await proxy.connect()
            for _ in range(4):
                writer.write(_ASKED)
                await reader.readuntil(LONG_BODY * 1_000)
    assert len(planned.scenes) == 4


# Uses.


async def test_mock_is_used_as_often_as_it_may_be() -> None:
    planned = Planned(respond(b"used"))
    with planned_mocks({"/x": planned}, Usage(uses_max=2)):
        async with running(source_of("/x")) as proxy:
            answers = [await proxy.ask(get("/x", KEY)) for _ in range(4)]
    assert [status_of(each) for each in answers] == [200, 200, 502, 502]
    assert [each.occurrence for each in proxy.journal.exchanges] == [1, 2, 0, 0]
    assert [scene.occurrence for scene in planned.scenes] == [1, 2]


async def test_use_that_is_lost_leaves_the_request_to_the_service() -> None:
    with planned_mocks({"/x": respond(b"used")}, Usage(step=Step("order", "started", "paid"))):
        async with played_upstream() as service, running(source_of("/x", upstream=service.url)) as proxy:
            assert status_of(await proxy.ask(get("/x", KEY))) == 200
            reader, writer = await proxy.connect()
            writer.write(get("/x", KEY))
            line = await service.line()
            await line.request()
            line.send(OK)
            assert (await reader.read()).endswith(b"ok")
    assert [each.mock_id for each in proxy.journal.exchanges] == ["ovr_0", ""]


async def test_use_is_counted_once_for_a_request_whose_body_is_waited_for() -> None:
    planned = Planned(respond(b"used"), wants_body=True)
    with planned_mocks({"/x": planned}, Usage(uses_max=2)):
        async with running(source_of("/x")) as proxy:
            reader, writer = await proxy.connect()
            writer.write(ask("POST", "/x", KEY, "Content-Length: 5", "Expect: 100-continue", close=False))
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"hello" + get("/x", KEY))
            answer = await reader.read()
    assert answer.count(b"used") == 2
    assert [each.occurrence for each in proxy.journal.exchanges] == [1, 2]
    assert [scene.request.body for scene in planned.scenes] == [b"hello", b""]


async def test_use_is_not_counted_for_a_request_that_cannot_be_read() -> None:
    planned = Planned(respond(b"used"), wants_body=True)
    settings = ProxySettings(linger_seconds=0.1)
    with planned_mocks({"/x": planned}, Usage(uses_max=1)):
        async with running(source_of("/x"), settings=settings) as proxy:
            reader, writer = await proxy.connect()
            writer.write(ask("POST", "/x", KEY, "Transfer-Encoding: chunked", "Expect: 100-continue"))
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"nonsense\r\n")
            assert status_of(await reader.read()) == 400
            assert status_of(await proxy.ask(get("/x", KEY))) == 200
    assert [(each.status, each.session_id) for each in proxy.journal.exchanges] == [
        (400, "ses_ci-42"),
        (200, "ses_ci-42"),
    ]


async def test_body_that_is_too_long_to_match_is_not_given_to_an_answer() -> None:
    planned = Planned(respond(b"used"), wants_body=True)
    settings = ProxySettings(match_body_bytes_max=4)
    with planned_mocks({"/x": planned}):
        async with running(source_of("/x"), settings=settings) as proxy:
            for body in (b"1234", b"12345"):
                assert status_of(await proxy.ask(ask("POST", "/x", KEY, body=body))) == 200
            chunked = ask("POST", "/x", KEY, "Transfer-Encoding: chunked") + b"5\r\n12345\r\n0\r\n\r\n"
            assert status_of(await proxy.ask(chunked)) == 200
    assert [scene.request.body for scene in planned.scenes] == [b"1234", OVERLONG, OVERLONG]
    assert [each.request_body.content for each in proxy.journal.exchanges if each.request_body] == [
        b"1234",
        b"12345",
        b"12345",
    ]


async def test_state_that_cannot_be_reached_is_503_and_the_connection_goes_on() -> None:
    with planned_mocks({"/x": respond(b"used"), "/y": respond(b"y")}, Usage(uses_max=1)):
        async with running(source_of("/x", "/y")) as proxy:
            reader, writer = await proxy.connect()
            with patch.object(MemoryState, "claim", side_effect=StorageFailure("the disk is gone")):
                writer.write(_ASKED)
                refused = await reader.readuntil(b"}")
            writer.write(get("/x", KEY))
            answer = await reader.read()
    assert (status_of(refused), json.loads(body_of(refused))["code"]) == (503, "storage_unavailable")
    assert (status_of(answer), body_of(answer)) == (200, b"used")
    findings = [(each.status, each.findings) for each in proxy.journal.exchanges]
    assert findings == [(503, ("storage_unavailable",)), (200, ())]


# Chance.


async def test_what_is_drawn_is_on_record_and_follows_from_the_use() -> None:
    with planned_mocks({"/x": _drawing()}, Usage(counts=True)):
        async with running(source_of("/x")) as proxy:
            answers = [body_of(await proxy.ask(get("/x", KEY))) for _ in range(3)]
        async with running(source_of("/x")) as again:
            repeated = [body_of(await again.ask(get("/x", KEY))) for _ in range(3)]
    assert len(set(answers)) == 3
    assert repeated == answers
    assert [each.draws for each in proxy.journal.exchanges] == [(Draw("number", each.decode()),) for each in answers]
    assert [each.occurrence for each in proxy.journal.exchanges] == [1, 2, 3]


async def test_draws_follow_from_the_uses_of_the_session_whoever_counts_the_mocks_uses() -> None:
    """Else they would depend on what other sessions do."""
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={"ovr_x": mock("ovr_x", path="/x")},
        sessions={f"ses_{key}": session(key, overrides=("ovr_x",)) for key in ("a", "b")},
    )
    drawing = _drawing()
    asked = [get("/x", f"x-flowmock-session: {key}") for key in "aabab"]
    with planned_mocks({"/x": drawing}, Usage(counts=True, uses_per=Scope.ENVIRONMENT)):
        async with running(source) as proxy:
            answers = [body_of(await proxy.ask(each)) for each in asked]
        async with running(source) as again:
            others = [body_of(await again.ask(each)) for each in reversed(asked)]
    assert [scene.occurrence for scene in drawing.scenes[:5]] == [1, 2, 3, 4, 5]
    assert [each.occurrence for each in proxy.journal.exchanges] == [1, 2, 1, 3, 2]
    assert sorted(answers) == sorted(others)


async def test_draws_of_a_seed_are_the_same_under_any_key() -> None:
    drawn = []
    for key in ("one", "other"):
        source = FakeSource()
        row = session(key, overrides=("ovr_x",), seed=7)
        source.commit(
            environments={ENVIRONMENT_ID: environment()},
            mocks={"ovr_x": mock("ovr_x", path="/x")},
            sessions={row.id: row},
        )
        with planned_mocks({"/x": _drawing()}, Usage(counts=True)):
            async with running(source) as proxy:
                drawn.append(body_of(await proxy.ask(get("/x", f"x-flowmock-session: {key}"))))
    assert drawn[0] == drawn[1]


def _delays(source: FakeSource, *asked: bytes) -> list[tuple[tuple[Draw, ...], int, int]]:
    """What is drawn for requests that come one after the other, which use it was, and how long they took."""
    with VirtualProxy(source) as proxy:
        for data in asked:
            client = proxy.send(data)
            for upstream in proxy.upstreams:
                if not upstream.lost:
                    proxy.say(upstream, OK)
            proxy.pass_ms(1000)
            assert client.sent
        return [(each.draws, each.occurrence, each.duration_ms) for each in proxy.exchanges]


def test_random_delay_of_a_session_is_drawn_for_each_use_of_a_mock() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={"ovr_x": mock("ovr_x", path="/x"), "ovr_y": mock("ovr_y", path="/y")},
        sessions={"ses_ci-42": session(overrides=("ovr_x", "ovr_y"), delay_ms=100, delay_max_ms=900)},
    )
    x, y = get("/x", KEY), get("/y", KEY)
    first = _delays(source, x, y, x)
    assert _delays(source, x, x, y) == [first[0], first[2], first[1]]
    for draws, _, duration_ms in first:
        ((name, value),) = draws
        assert name == "session_delay_ms"
        assert 100 <= int(value) <= 900
        assert duration_ms == int(value)
    assert [occurrence for _, occurrence, _ in first] == [1, 1, 2]
    assert len({draws for draws, _, _ in first}) == 3


def test_random_delay_of_a_session_is_drawn_for_what_the_service_answers_too() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment(upstream="http://192.0.2.1")},
        sessions={"ses_ci-42": session(delay_ms=100, delay_max_ms=900)},
    )
    found = _delays(source, get("/x", KEY), get("/y", KEY))
    assert [(occurrence, int(draws[0].value)) for draws, occurrence, _ in found] == [
        (number + 1, duration_ms) for number, (_, _, duration_ms) in enumerate(found)
    ]
    assert found == _delays(source, get("/y", KEY), get("/x", KEY))


def test_random_delay_of_a_session_does_not_change_what_else_is_drawn() -> None:
    answers = []
    for delay_max_ms in (0, 50):
        with (
            planned_mocks({"/x": _drawing()}, Usage(counts=True)),
            VirtualProxy(source_of("/x", delay_max_ms=delay_max_ms)) as proxy,
        ):
            proxy.send(get("/x", KEY))
            proxy.pass_ms(100)
            answers.append(proxy.exchanges[0])
    assert answers[0].draws == answers[1].draws[:1]
    assert [each.name for each in answers[1].draws] == ["number", "session_delay_ms"]
    assert [each.occurrence for each in answers] == [1, 1]


class DrawingDelay(Planned):
    """Draws what a session's delay from 0 to 900 ms is drawn by."""

    def plan(self, scene: Scene, draws: Draws) -> Plan:
        draws.note("delay_ms", draws.random.randint(0, 900))
        return Plan(prepare(200, (), b""), draws=tuple(draws.noted))


def test_random_delay_of_a_session_is_not_what_else_is_drawn() -> None:
    with planned_mocks({"/x": DrawingDelay(respond(), counts=True)}, Usage(counts=True)):
        drawn = _delays(source_of("/x", delay_max_ms=900), *[get("/x", KEY)] * 4)
    assert any(own.value != of_session.value for (own, of_session), _, _ in drawn)


def test_no_more_of_draws_is_kept_than_fits() -> None:
    draws = tuple(Draw("text", "\ud800" + "x" * 1000) for _ in range(2000))
    with planned_mocks({"/x": respond(draws=draws)}), VirtualProxy(source_of("/x")) as proxy:
        proxy.send(get("/x", KEY))
    (exchange,) = proxy.exchanges
    assert (len(exchange.draws), exchange.draws[0]) == (1000, Draw("text", "?" + "x" * 255))


# Preflights.


async def test_preflight_is_answered_by_a_mock_for_options_that_has_uses_left() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={"ovr_x": mock("ovr_x", path="/x", method="OPTIONS")},
        sessions={"ses_ci-42": session(overrides=("ovr_x",))},
    )
    preflight = ask("OPTIONS", "/x", KEY, "Origin: https://a.example", "Access-Control-Request-Method: PUT")
    with planned_mocks({"/x": respond(status=403)}, Usage(uses_max=1)):
        async with running(source) as proxy:
            assert [status_of(await proxy.ask(preflight)) for _ in range(2)] == [403, 204]


def test_delay_comes_before_a_fault() -> None:
    plan = respond(delay_ms=200, fault=PlannedFault(FaultKind.EMPTY_REPLY))
    with planned_mocks({"/x": plan}), VirtualProxy(source_of("/x")) as proxy:
        client = proxy.send(_ASKED)
        closing = [client.closing]
        for milliseconds in (199, 2):
            proxy.pass_ms(milliseconds)
            closing.append(client.closing)
        assert closing == [False, False, True]
    assert [(each.status, each.findings, each.duration_ms) for each in proxy.exchanges] == [
        (0, ("fault_injected",), 200)
    ]
