"""Requests that a mock answers."""

import asyncio
import json

import pytest
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.proxying import DATE, NOON_MS, ask, body_of, get, running, status_of, unused_port, upstream
from understudy_server.proxy.settings import ProxySettings

_KEY = "x-flowmock-session: ci-42"


def _source(*, upstream_url: str = "", **fields: object) -> FakeSource:
    """One session with one mock on `/pay`; ``fields`` go to the mock."""
    source = FakeSource()
    values: dict[str, object] = {"path": "/pay", "json": '{"error":"declined"}', "status": 402} | fields
    source.commit(
        environments={ENVIRONMENT_ID: environment(upstream=upstream_url)},
        mocks={"ovr_pay": mock("ovr_pay", **values)},  # type: ignore[arg-type]
        sessions={"ses_ci-42": session(overrides=("ovr_pay",))},
    )
    return source


async def test_mocked_answer_is_exactly_what_the_mock_says() -> None:
    async with running(_source()) as proxy:
        answer = await proxy.ask(get("/pay", _KEY))
    assert answer == (
        b"HTTP/1.1 402 Payment Required\r\ncontent-type: application/json\r\ncontent-length: 20\r\n"
        b"date: " + DATE + b'\r\nconnection: close\r\n\r\n{"error":"declined"}'
    )


async def test_mocked_request_does_not_reach_the_upstream() -> None:
    async with upstream() as service, running(_source(upstream_url=service.url)) as proxy:
        await proxy.ask(get("/pay", _KEY))
    assert service.requests == []


async def test_mocked_exchange_is_on_record() -> None:
    async with running(_source()) as proxy:
        await proxy.ask(ask("POST", "/pay?a=1&b", _KEY, "Authorization: Bearer x", "Content-Type: text/a", body=b"hi"))
    (exchange,) = proxy.journal.exchanges
    assert exchange.id == "log_1"
    assert (exchange.project_id, exchange.environment_id) == ("prj_1", ENVIRONMENT_ID)
    assert (exchange.session_key, exchange.session_id, exchange.mock_id) == ("ci-42", "ses_ci-42", "ovr_pay")
    assert (exchange.method, exchange.path, exchange.query, exchange.status) == ("POST", "/pay", "a=1&b", 402)
    assert (exchange.started_at_ms, exchange.duration_ms) == (NOON_MS, 0)
    assert (b"Authorization", b"[redacted]") in exchange.request_headers
    assert (b"content-type", b"application/json") in exchange.response_headers
    assert exchange.request_body is not None
    assert (exchange.request_body.content, exchange.request_body.content_type) == (b"hi", "text/a")
    assert exchange.response_body is not None
    assert exchange.response_body.content == b'{"error":"declined"}'


async def test_session_that_is_found_counts_as_seen() -> None:
    async with running(_source()) as proxy:
        await proxy.ask(get("/pay", _KEY))
    assert proxy.journal.seen == [("ses_ci-42", NOON_MS)]


@pytest.mark.parametrize(
    "line",
    [
        "x-flowmock-session:   ci-42 \t",
        "X-FLOWMOCK-SESSION: ci-42",
        "x-flowmock-session: ci-42\r\nx-flowmock-session: other",
    ],
)
async def test_session_is_found_by_the_normalised_first_value(line: str) -> None:
    async with running(_source()) as proxy:
        assert status_of(await proxy.ask(get("/pay", line))) == 402


@pytest.mark.parametrize("key", ["é", "ключ"])
async def test_session_key_is_read_as_utf_8(key: str) -> None:
    source = _source()
    source.commit(sessions={"ses_x": session(key, session_id="ses_x", overrides=("ovr_pay",))})
    async with running(source) as proxy:
        line = "x-flowmock-session: " + key.encode().decode("latin-1")
        assert status_of(await proxy.ask(get("/pay", line))) == 402


async def test_session_key_that_is_not_utf_8_is_read_as_latin_1() -> None:
    source = _source()
    source.commit(sessions={"ses_x": session("é", session_id="ses_x", overrides=("ovr_pay",))})
    async with running(source) as proxy:
        assert status_of(await proxy.ask(get("/pay", "x-flowmock-session: é"))) == 402


async def test_session_header_has_the_configured_name() -> None:
    async with running(_source(), settings=ProxySettings(session_header="X-Test")) as proxy:
        assert status_of(await proxy.ask(get("/pay", "x-test: ci-42"))) == 402
        assert status_of(await proxy.ask(get("/pay", _KEY))) == 502


async def test_trailer_never_chooses_the_session() -> None:
    async with running(_source()) as proxy:
        answer = await proxy.ask(
            b"POST /checkout/staging/pay HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"0\r\nx-flowmock-session: ci-42\r\n\r\n"
        )
    assert status_of(answer) == 502


async def test_answer_to_head_has_the_length_of_the_body_and_no_body() -> None:
    async with running(_source()) as proxy:
        answer = await proxy.ask(ask("HEAD", "/pay", _KEY))
    assert b"content-length: 20\r\n" in answer
    assert body_of(answer) == b""


async def test_answer_without_content_has_no_body() -> None:
    async with running(_source(status=204)) as proxy:
        answer = await proxy.ask(get("/pay", _KEY))
    assert answer.startswith(b"HTTP/1.1 204 No Content\r\n")
    assert b"content-length" not in answer
    assert body_of(answer) == b""


async def test_changed_state_is_in_force_on_the_next_request() -> None:
    async with running(_source()) as proxy:
        assert status_of(await proxy.ask(get("/pay", _KEY))) == 402
        proxy.source.commit(mocks={"ovr_pay": mock("ovr_pay", path="/pay", status=418)})
        assert status_of(await proxy.ask(get("/pay", _KEY))) == 418
        proxy.source.commit(sessions={"ses_ci-42": None})
        assert status_of(await proxy.ask(get("/pay", _KEY))) == 502


async def test_changed_state_is_in_force_when_the_store_has_to_be_asked() -> None:
    source = _source()
    source.alone = False
    async with running(source) as proxy:
        assert status_of(await proxy.ask(get("/pay", _KEY))) == 402
        proxy.source.commit(sessions={"ses_ci-42": None})
        assert status_of(await proxy.ask(get("/pay", _KEY))) == 502


async def test_two_sessions_see_different_answers_on_one_url() -> None:
    source = FakeSource()
    source.commit(
        environments={ENVIRONMENT_ID: environment()},
        mocks={name: mock(name, json=json.dumps(name)) for name in ("ovr_a", "ovr_b", "ovr_all")},
        sessions={"ses_a": session("a", overrides=("ovr_a",)), "ses_b": session("b", overrides=("ovr_b",))},
    )
    async with running(source) as proxy:
        one, other, none = await asyncio.gather(
            *[proxy.ask(get("/x", f"x-flowmock-session: {key}")) for key in ("a", "b", "c")]
        )
    assert (body_of(one), body_of(other), status_of(none)) == (b'"ovr_a"', b'"ovr_b"', 502)


async def test_expired_session_is_none() -> None:
    source = _source()
    source.commit(sessions={"ses_ci-42": session(overrides=("ovr_pay",), expires_at_ms=NOON_MS)})
    async with running(source) as proxy:
        assert status_of(await proxy.ask(get("/pay", _KEY))) == 502
    (exchange,) = proxy.journal.exchanges
    assert (exchange.session_key, exchange.session_id) == ("ci-42", "")


async def test_unknown_key_is_passed_through_and_on_record_under_that_key() -> None:
    async with upstream() as service, running(_source(upstream_url=service.url)) as proxy:
        assert status_of(await proxy.ask(get("/pay", "x-flowmock-session: nobody"))) == 200
    (exchange,) = proxy.journal.exchanges
    assert (exchange.session_key, exchange.session_id, exchange.mock_id) == ("nobody", "", "")
    assert proxy.journal.seen == []


@pytest.mark.parametrize("path", ["/", "/checkout", "/checkout/qa/pay", "/nope/staging/pay", "//staging/pay", "*"])
async def test_unknown_environment_is_not_found_and_not_on_record(path: str) -> None:
    method = "OPTIONS" if path == "*" else "GET"
    async with running(_source()) as proxy:
        answer = await proxy.ask(f"{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    assert status_of(answer) == 404
    assert json.loads(body_of(answer))["code"] == "not_found"
    assert proxy.journal.exchanges == []


async def test_absolute_target_is_addressed_by_its_path() -> None:
    async with running(_source()) as proxy:
        head = f"GET http://elsewhere/checkout/staging/pay HTTP/1.1\r\nHost: a\r\n{_KEY}\r\nConnection: close\r\n\r\n"
        assert status_of(await proxy.ask(head.encode())) == 402


async def test_store_out_of_reach_is_503_and_the_connection_goes_on() -> None:
    source = _source()
    async with running(source) as proxy:
        source.broken = True
        reader, writer = await proxy.connect()
        writer.write(get("/pay", _KEY, close=False))
        head = await reader.readuntil(b"\r\n\r\n")
        envelope = await reader.readexactly(int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]))
        source.broken = False
        writer.write(get("/pay", _KEY))
        second = await reader.read()
        writer.close()
    assert (status_of(head), json.loads(envelope)["code"]) == (503, "storage_unavailable")
    assert status_of(second) == 402
    # Where nothing could be read yet, nobody knows whose request it was.
    assert [each.status for each in proxy.journal.exchanges] == [402]


async def test_store_that_cannot_be_read_any_more_is_503_on_record() -> None:
    source = _source()
    async with running(source) as proxy:
        await proxy.ask(get("/pay", _KEY))
        source.commit()
        source.broken = True
        assert status_of(await proxy.ask(get("/pay", _KEY))) == 503
    before, refused = proxy.journal.exchanges
    assert (refused.status, refused.outcome, refused.findings) == (503, "refused", ("storage_unavailable",))
    assert (refused.session_id, refused.mock_id) == (before.session_id, "")
    assert proxy.journal.noted == [(before.session_id, ("storage_unavailable",))]


async def test_environment_without_an_upstream_is_502_on_record() -> None:
    async with running(_source()) as proxy:
        answer = await proxy.ask(get("/other"))
    assert (status_of(answer), json.loads(body_of(answer))["code"]) == (502, "no_upstream")
    (exchange,) = proxy.journal.exchanges
    assert (exchange.status, exchange.mock_id, exchange.session_key) == (502, "", "")


async def test_upstream_that_cannot_be_reached_is_502_on_record() -> None:
    async with running(_source(upstream_url=f"http://127.0.0.1:{unused_port()}")) as proxy:
        answer = await proxy.ask(get("/other"))
    assert (status_of(answer), json.loads(body_of(answer))["code"]) == (502, "upstream_unreachable")
    assert [exchange.status for exchange in proxy.journal.exchanges] == [502]
