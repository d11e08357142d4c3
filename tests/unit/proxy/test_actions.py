"""Mocks as they are declared, from the message to the bytes: each kind of action once."""

import asyncio
import json

import pytest
from google.protobuf import json_format
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.planned import KEY
from support.proxying import Proxy, ask, body_of, get, head_of, running, status_of, upstream
from support.virtual_proxy import VirtualProxy
from understudy.v1.mock_service_pb2 import Mock
from understudy_server.proxy.faults import GARBAGE
from understudy_server.proxy.settings import ProxySettings


def _mock(mock_id: str, path: str, **fields: object) -> Mock:
    """A published mock; ``fields`` are those of the message, as JSON has them."""
    message = mock(mock_id, path=path)
    message.ClearField("action")
    json_format.ParseDict(fields, message)
    return message


def _source(*mocks: Mock, **of_session: object) -> FakeSource:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={each.id: each for each in mocks},
        sessions={"ses_ci-42": session(overrides=tuple(each.id for each in mocks), **of_session)},  # type: ignore[arg-type]
    )
    return source


async def _bodies(proxy: Proxy, path: str, times: int) -> list[bytes]:
    return [body_of(await proxy.ask(get(path, KEY))) for _ in range(times)]


async def test_template_sees_the_request_its_path_and_its_body() -> None:
    template = "{{ request.path_params.id }} {{ request.query.q }} {{ request.json.amount }}"
    made = _mock("ovr_t", "/users/{id}", action={"respond": {"template": template}})
    async with running(_source(made)) as proxy:
        answer = await proxy.ask(ask("POST", "/users/7?q=x", KEY, body=b'{"amount": 12}'))
    assert body_of(answer) == b"7 x 12"
    assert b"content-type: text/plain; charset=utf-8" in head_of(answer)


async def test_template_that_fails_is_500_with_its_code() -> None:
    made = _mock("ovr_t", "/x", action={"respond": {"template": "{{ request.json.amount }}"}})
    async with running(_source(made)) as proxy:
        answer = await proxy.ask(ask("POST", "/x", KEY, body=b"{}"))
    assert (status_of(answer), json.loads(body_of(answer))["code"]) == (500, "template_failed")
    assert [(each.status, each.mock_id) for each in proxy.journal.exchanges] == [(500, "ovr_t")]


async def test_template_that_asks_for_a_body_too_long_to_match_fails() -> None:
    made = _mock("ovr_t", "/x", action={"respond": {"template": "{{ request.body }}"}})
    async with running(_source(made), settings=ProxySettings(match_body_bytes_max=4)) as proxy:
        answer = await proxy.ask(ask("POST", "/x", KEY, body=b"12345"))
    assert status_of(answer) == 500


async def test_sequence_goes_on_with_each_use_of_the_session() -> None:
    steps = [{"respond": {"text": text}} for text in "ab"]
    made = _mock("ovr_s", "/x", action={"sequence": {"steps": steps, "order": "SEQUENCE_ORDER_CYCLIC"}})
    async with running(_source(made)) as proxy:
        assert await _bodies(proxy, "/x", 3) == [b"a", b"b", b"a"]
    assert [each.occurrence for each in proxy.journal.exchanges] == [1, 2, 3]


async def test_sequence_by_chance_repeats_and_is_on_record() -> None:
    steps = [{"respond": {"text": text}} for text in "abcdefgh"]
    made = _mock("ovr_s", "/x", action={"sequence": {"steps": steps, "order": "SEQUENCE_ORDER_RANDOM"}})
    found = []
    for _ in range(2):
        async with running(_source(made, seed=7)) as proxy:
            found.append(await _bodies(proxy, "/x", 8))
    assert found[0] == found[1]
    assert len(set(found[0])) > 2
    drawn = [each.draws for each in proxy.journal.exchanges]
    assert [b"abcdefgh"[int(draw.value) - 1 : int(draw.value)] for ((draw),) in drawn] == found[0]
    assert {draw.name for ((draw),) in drawn} == {"step"}


async def test_events_are_streamed() -> None:
    made = _mock(
        "ovr_e", "/x", action={"events": {"events": [{"data": "{{ request.query.n }}", "event": "tick"}], "rounds": 2}}
    )
    async with running(_source(made)) as proxy:
        answer = await proxy.ask(get("/x?n=5", KEY))
    event = b"event: tick\ndata: 5\n\n"
    assert body_of(answer) == (b"%x\r\n%b\r\n" % (len(event), event)) * 2 + b"0\r\n\r\n"
    assert b"content-type: text/event-stream" in head_of(answer)


async def test_request_is_forwarded_with_another_path() -> None:
    async with upstream() as service:
        action = {
            "forward": {
                "target": service.url,
                "path": {"replace": "/v2/users/{id}"},
                "setHeaders": [{"name": "x-via", "value": "mock"}],
            }
        }
        async with running(_source(_mock("ovr_f", "/users/:id", action=action))) as proxy:
            assert body_of(await proxy.ask(get("/users/a%20b?q=1", KEY))) == b"ok"
    (request,) = service.requests
    assert request.startswith(b"GET /v2/users/a%20b?q=1 HTTP/1.1\r\n")
    assert b"\r\nx-via: mock\r\n" in request


def test_random_delay_is_waited_for_and_on_record() -> None:
    action = {"respond": {"text": "x"}, "delay": {"uniform": {"minMs": 100, "maxMs": 900}}}
    with VirtualProxy(_source(_mock("ovr_d", "/x", action=action))) as proxy:
        proxy.send(get("/x", KEY))
        proxy.pass_ms(1000)
    (exchange,) = proxy.exchanges
    ((name, value),) = exchange.draws
    assert (name, exchange.duration_ms, exchange.occurrence) == ("delay_ms", int(value), 1)
    assert 100 <= int(value) <= 900


async def test_fault_by_chance_happens_as_often_as_it_says_and_is_on_record() -> None:
    action = {"respond": {"text": "x"}, "fault": {"kind": "FAULT_KIND_GARBAGE", "probability": 0.5}}
    async with running(_source(_mock("ovr_g", "/x", action=action))) as proxy:
        answers = [await proxy.ask(get("/x", KEY)) for _ in range(20)]
    spoiled = [answer == GARBAGE for answer in answers]
    assert 2 <= sum(spoiled) <= 18
    recorded = [(each.draws[0].value, "fault_injected" in each.findings) for each in proxy.journal.exchanges]
    assert recorded == [("garbage", True) if each else ("none", False) for each in spoiled]


def test_body_leaves_at_its_pace() -> None:
    action = {"respond": {"text": "x" * 100}, "bytesPerSecond": 100}
    with VirtualProxy(_source(_mock("ovr_b", "/x", action=action))) as proxy:
        client = proxy.send(get("/x", KEY, close=False))
        proxy.pass_ms(501)
        assert body_of(b"".join(client.sent)) == b"x" * 50


async def test_value_is_kept_and_decides_about_the_next_request() -> None:
    keeping = _mock("ovr_k", "/keep", action={"extract": [{"key": "id", "jsonPath": "$.id"}]})
    asking = _mock(
        "ovr_a",
        "/ask",
        matcher={"state": [{"key": "id", "criterion": {"jsonEquals": "7"}}]},
        action={"respond": {"text": "seven"}},
    )
    async with running(_source(keeping, asking)) as proxy:
        assert status_of(await proxy.ask(get("/ask", KEY))) == 502
        reader, writer = await proxy.connect()
        # On one connection, where what was decided might be remembered.
        writer.write(get("/ask", KEY, close=False))
        await reader.readuntil(b"}")
        await proxy.ask(ask("POST", "/keep", KEY, body=b'{"id": 7}'))
        writer.write(get("/ask", KEY, close=False))
        await reader.readuntil(b"seven")
        await proxy.ask(ask("POST", "/keep", KEY, body=b'{"id": 8}'))
        writer.write(get("/ask", KEY))
        assert status_of(await reader.read()) == 502


async def test_machine_moves_on_with_each_answer() -> None:
    steps = [
        _mock(
            f"ovr_{number}",
            "/x",
            machine={"machine": "order", "required": before, "next": after},
            action={"respond": {"text": after}},
        )
        for number, (before, after) in enumerate([("started", "paid"), ("paid", "sent")])
    ]
    async with running(_source(*steps)) as proxy:
        answers = await asyncio.gather(*[proxy.ask(get("/x", KEY)) for _ in range(3)])
    assert sorted(map(status_of, answers)) == [200, 200, 502]
    assert sorted(body_of(each) for each in answers if status_of(each) == 200) == [b"paid", b"sent"]


@pytest.mark.parametrize("times", [200])
async def test_uses_of_many_requests_at_once_are_counted_exactly(times: int) -> None:
    made = _mock("ovr_u", "/x", lifetime={"usesMax": 150}, action={"respond": {"text": "used"}})
    async with running(_source(made)) as proxy:
        answers = await asyncio.gather(*[proxy.ask(get("/x", KEY)) for _ in range(times)])
    assert [status_of(each) for each in answers].count(200) == 150
    assert sorted(each.occurrence for each in proxy.journal.exchanges if each.mock_id) == list(range(1, 151))
