"""Whose request it is, and what the proxy itself answers: carriers, strictness, preflights, CORS."""

import asyncio
import json

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.played_upstream import played_upstream
from support.proxying import OK, Proxy, ask, body_of, get, head_of, running, status_of
from support.virtual_proxy import VirtualProxy
from understudy.v1.mock_service_pb2 import Mock
from understudy_server.core.carriers import Carrier, CarrierKind

_KEY = "x-flowmock-session: ci-42"
_ORIGIN = "Origin: https://app.example.com"
_ASKING = (_ORIGIN, "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: X-A, x-flowmock-session")
_CARRIERS = (Carrier(CarrierKind.HEADER, "X-Test"), Carrier(CarrierKind.COOKIE, "sid"), Carrier(CarrierKind.QUERY, "s"))
_ALLOWED = b"access-control-allow-origin: https://app.example.com"


def _source(*mocks: Mock, **row: object) -> FakeSource:
    """A session with mocks, by default one on `/x`; ``row`` are settings of the environment."""
    source = FakeSource()
    mocks = mocks or (mock("ovr_x", path="/x", json='"x"'),)
    source.commit(
        environments={ENVIRONMENT_ID: environment(**row)},  # type: ignore[arg-type]
        mocks={each.id: each for each in mocks},
        sessions={"ses_ci-42": session(overrides=tuple(each.id for each in mocks))},
    )
    return source


def _findings(proxy: Proxy) -> list[tuple[str, ...]]:
    return [each.findings for each in proxy.journal.exchanges]


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        ("/x", ("X-TEST: ci-42",)),
        ("/x", ("Cookie: a=b; sid=ci-42",)),
        ("/x?s=ci-42", ()),
        ("/x?s=ci-42", (_KEY, "x-test: ci-42")),
    ],
)
async def test_session_is_found_by_any_carrier_of_the_environment(path: str, lines: tuple[str, ...]) -> None:
    async with running(_source(carriers=_CARRIERS)) as proxy:
        assert status_of(await proxy.ask(get(path, *lines))) == 200
    assert [each.session_id for each in proxy.journal.exchanges] == ["ses_ci-42"]
    assert _findings(proxy) == [()]


async def test_carrier_that_the_environment_does_not_have_finds_nothing() -> None:
    async with running(_source()) as proxy:
        assert status_of(await proxy.ask(get("/x?s=ci-42", "X-Test: ci-42"))) == 502
    assert [each.session_key for each in proxy.journal.exchanges] == [""]


@pytest.mark.parametrize(
    ("path", "lines", "key"),
    [
        ("/x?s=other", (_KEY,), "ci-42"),
        ("/x?s=ci-42", ("x-test: other",), "other"),
        ("/x?s=ci-42", ("Cookie: sid=other",), "other"),
    ],
)
async def test_first_carrier_counts_and_disagreement_is_a_finding(path: str, lines: tuple[str, ...], key: str) -> None:
    async with running(_source(carriers=_CARRIERS)) as proxy:
        await proxy.ask(get(path, *lines))
    assert [each.session_key for each in proxy.journal.exchanges] == [key]
    assert _findings(proxy) == [("carriers_disagree",)]


async def test_session_header_that_is_repeated_is_a_finding() -> None:
    async with running(_source()) as proxy:
        assert status_of(await proxy.ask(get("/x", _KEY, "X-FlowMock-Session: other"))) == 200
    assert _findings(proxy) == [("session_header_repeated",)]


@pytest.mark.parametrize(
    ("path", "lines", "status", "code"),
    [
        ("/x", (), 400, "session_required"),
        ("/x", ("x-flowmock-session:  ",), 400, "session_required"),
        ("/x?s=other", (_KEY,), 400, "carriers_disagree"),
        ("/x", (_KEY,), 200, ""),
        ("/x", ("x-flowmock-session: nobody",), 502, "no_upstream"),
    ],
)
async def test_strict_environment_takes_no_request_without_one_key(
    path: str, lines: tuple[str, ...], status: int, code: str
) -> None:
    async with running(_source(strict=True, carriers=_CARRIERS)) as proxy:
        answer = await proxy.ask(ask("POST", path, *lines, body=b"hi"))
    assert status_of(answer) == status
    if code:
        assert json.loads(body_of(answer))["code"] == code
    (exchange,) = proxy.journal.exchanges
    assert exchange.status == status
    assert exchange.request_body is not None
    assert exchange.request_body.content == b"hi"


async def test_preflight_is_answered_even_by_a_strict_environment() -> None:
    async with running(_source(strict=True)) as proxy:
        answer = await proxy.ask(ask("OPTIONS", "/x", *_ASKING))
    lines = head_of(answer)
    assert status_of(answer) == 204
    assert _ALLOWED in lines
    assert b"access-control-allow-methods: PUT" in lines
    assert b"access-control-allow-headers: X-A, x-flowmock-session" in lines
    assert body_of(answer) == b""
    assert [(each.method, each.status, each.mock_id) for each in proxy.journal.exchanges] == [("OPTIONS", 204, "")]


async def test_preflight_with_a_mock_for_any_method_is_answered_by_the_proxy() -> None:
    async with running(_source(mock("ovr_any", path="/x"))) as proxy:
        answer = await proxy.ask(ask("OPTIONS", "/x", _KEY, *_ASKING))
    assert status_of(answer) == 204


async def test_preflight_with_a_mock_for_options_is_answered_by_it() -> None:
    mocks = (mock("ovr_any", path="/x"), mock("ovr_options", path="/x", method="OPTIONS", status=403))
    async with running(_source(*mocks)) as proxy:
        assert status_of(await proxy.ask(ask("OPTIONS", "/x", _KEY, *_ASKING))) == 403
    assert [each.mock_id for each in proxy.journal.exchanges] == ["ovr_options"]


@pytest.mark.parametrize("lines", [(), (_ORIGIN,), _ASKING[1:]])
async def test_options_that_is_no_preflight_is_a_request_as_any_other(lines: tuple[str, ...]) -> None:
    async with running(_source()) as proxy:
        assert body_of(await proxy.ask(ask("OPTIONS", "/x", _KEY, *lines))) == b'"x"'
        assert status_of(await proxy.ask(ask("OPTIONS", "/other", _KEY, *lines))) == 502


@pytest.mark.parametrize("lines", [(), _ASKING], ids=["request", "preflight"])
@pytest.mark.parametrize(("path", "delay_ms"), [("/x", 500 + 70), ("/other", 500)], ids=["mock", "upstream"])
def test_delay_of_the_session_holds_for_preflights_too(path: str, delay_ms: int, lines: tuple[str, ...]) -> None:
    row = {"upstream": "http://192.0.2.1", "answers_preflights": False}
    source = _source(mock("ovr_options", path="/x", method="OPTIONS", delay_ms=70), **row)
    source.commit(sessions={"ses_ci-42": session(overrides=("ovr_options",), delay_ms=500)})
    with VirtualProxy(source) as proxy:
        client = proxy.send(ask("OPTIONS", path, _KEY, *lines))
        for upstream in proxy.upstreams:
            proxy.say(upstream, OK)
        assert client.sent == []
        proxy.pass_ms(2 * delay_ms)
    assert [(each.status, each.duration_ms) for each in proxy.exchanges] == [(200, delay_ms)]


async def test_preflight_goes_up_where_the_environment_does_not_answer_it() -> None:
    async with (
        played_upstream() as service,
        running(_source(upstream=service.url, answers_preflights=False)) as proxy,
    ):
        asking = asyncio.create_task(proxy.ask(ask("OPTIONS", "/x", *_ASKING)))
        line = await service.line()
        assert (await line.request()).method == "OPTIONS"
        line.send()
        answer = await asking
    assert body_of(answer) == b"ok"
    assert not [line for line in head_of(answer) if line.startswith(b"access-control")]


async def test_mocked_answer_may_be_read_by_a_page_of_another_origin() -> None:
    async with running(_source()) as proxy:
        with_origin = await proxy.ask(get("/x", _KEY, _ORIGIN))
        without = await proxy.ask(get("/x", _KEY))
    assert _ALLOWED in head_of(with_origin)
    assert b"access-control-allow-credentials: true" in head_of(with_origin)
    assert b"access-control" not in without
    assert (b"access-control-allow-origin", b"https://app.example.com") in proxy.journal.exchanges[0].response_headers


async def test_mock_that_sets_the_headers_itself_is_left_alone() -> None:
    message = mock("ovr_x", path="/x")
    message.action.respond.headers.add(name="Access-Control-Allow-Origin", value="*")
    async with running(_source(message)) as proxy:
        answer = await proxy.ask(get("/x", _KEY, _ORIGIN))
    assert [line for line in head_of(answer) if line.lower().startswith(b"access-control")] == [
        b"Access-Control-Allow-Origin: *"
    ]


async def test_environment_may_leave_the_headers_out() -> None:
    async with running(_source(adds_cors_headers=False)) as proxy:
        assert b"access-control" not in await proxy.ask(get("/x", _KEY, _ORIGIN))
        assert b"access-control" not in await proxy.ask(get("/other", _KEY, _ORIGIN))


@pytest.mark.parametrize("strict", [True, False])
async def test_refusal_may_be_read_by_a_page_of_another_origin(*, strict: bool) -> None:
    async with running(_source(strict=strict)) as proxy:
        answer = await proxy.ask(get("/other", _ORIGIN))
    assert status_of(answer) == (400 if strict else 502)
    assert _ALLOWED in head_of(answer)


async def test_origin_of_a_bad_form_is_not_repeated() -> None:
    async with running(_source()) as proxy:
        answer = await proxy.ask(get("/x", _KEY, "Origin: https://a b"))
    assert (status_of(answer), b"access-control" in answer) == (200, False)
