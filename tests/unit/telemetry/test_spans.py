"""Spans of proxied requests and of calls, and what the upstream is told of them."""

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest
from opentelemetry import propagate
from opentelemetry.context import Context
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Sampler, SamplingResult
from opentelemetry.trace import SpanKind, StatusCode
from support.live_source import ENVIRONMENT_ID, FakeSource, environment, mock, session
from support.planned import KEY, Planned, forward, planned_mocks, source_of
from support.proxying import Upstream, ask, get, running, status_of, unused_port, upstream
from understudy import request_ids
from understudy_server.core.responding.plan import Plan
from understudy_server.telemetry.calls import Calls
from understudy_server.telemetry.spans import ProxyTraces, Tracing

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"traceparent: 00-{TRACE}-{PARENT}-01"


@dataclass
class Traced:
    """What is traced, and the spans that ended."""

    tracing: Tracing
    exporter: InMemorySpanExporter

    @property
    def proxy(self) -> ProxyTraces:
        return self.tracing.proxy(lambda environment_id: {ENVIRONMENT_ID: "checkout/staging"}[environment_id])

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self.exporter.get_finished_spans())

    @property
    def attributes(self) -> Mapping[str, object]:
        (span,) = self.spans
        return dict(span.attributes or {})


@pytest.fixture
def traced() -> Iterator[Traced]:
    provider, exporter = TracerProvider(shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield Traced(Tracing(provider), exporter)
    provider.shutdown()


def passing(upstream_url: str) -> FakeSource:
    source = FakeSource()
    source.commit(environments={ENVIRONMENT_ID: environment(upstream=upstream_url)})
    return source


def told(service: Upstream, name: str = "traceparent") -> list[str]:
    """What the upstream was told under a name, by each request."""
    text = b"".join(service.requests).decode("latin-1")
    return re.findall(rf"^{name}: (.*?)\r$", text, re.MULTILINE | re.IGNORECASE)


def ids(span: ReadableSpan) -> tuple[str, str, str]:
    """Trace, span and parent, as they are written."""
    context = span.get_span_context()
    assert context is not None
    parent = span.parent
    return f"{context.trace_id:032x}", f"{context.span_id:016x}", f"{parent.span_id:016x}" if parent else ""


async def test_the_upstream_is_told_of_the_span_that_continues_the_clients(traced: Traced) -> None:
    async with upstream() as service, running(passing(service.url), traces=traced.proxy) as proxy:
        assert status_of(await proxy.ask(get("/x", TRACEPARENT, "tracestate: a=b"))) == 200
    (span,) = traced.spans
    trace, own, parent = ids(span)
    assert (trace, parent) == (TRACE, PARENT)
    assert told(service) == [f"00-{TRACE}-{own}-01"]
    assert told(service, "tracestate") == ["a=b"]
    assert (span.name, span.kind) == ("GET", SpanKind.SERVER)


async def test_a_request_of_no_trace_begins_one(traced: Traced) -> None:
    async with upstream() as service, running(passing(service.url), traces=traced.proxy) as proxy:
        await proxy.ask(get("/x", "tracestate: stale=1"))
    (span,) = traced.spans
    trace, own, parent = ids(span)
    assert parent == ""
    assert [text.split("-")[:3] for text in told(service)] == [["00", trace, own]]
    assert told(service, "tracestate") == []


async def test_what_is_not_sampled_is_told_so_and_leaves_no_span(traced: Traced) -> None:
    provider, exporter = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    traces = Tracing(provider).proxy(str)
    async with upstream() as service, running(passing(service.url), traces=traces) as proxy:
        assert status_of(await proxy.ask(get("/x", TRACEPARENT))) == 200
    assert [text[:36] + text[-3:] for text in told(service)] == [f"00-{TRACE}--00"]
    assert exporter.get_finished_spans() == ()


async def test_the_same_request_again_has_a_span_of_its_own(traced: Traced) -> None:
    request = get("/x", close=False)
    async with upstream() as service, running(passing(service.url), traces=traced.proxy) as proxy:
        for _ in range(4):
            reader, writer = await proxy.connect()
            writer.write(request)
            await reader.readuntil(b"ok")
    own = [ids(span)[1] for span in traced.spans]
    assert [text.split("-")[2] for text in told(service)] == own
    assert len(set(own)) == 4


async def test_requests_at_once_do_not_take_each_others_span(traced: Traced) -> None:
    arrived, answers = asyncio.Event(), list[asyncio.StreamWriter]()

    async def hold(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers.append(writer)
        if len(answers) == 3:
            arrived.set()
        await arrived.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with upstream(hold) as service, running(passing(service.url), traces=traced.proxy) as proxy:
        await asyncio.gather(*(proxy.ask(get("/x", f"x-n: {number}")) for number in range(3)))
    assert {text.split("-")[2] for text in told(service)} == {ids(span)[1] for span in traced.spans}
    assert len(traced.spans) == 3


async def test_without_traces_the_header_goes_through_as_it_came() -> None:
    async with upstream() as service, running(passing(service.url)) as proxy:
        await proxy.ask(get("/x", TRACEPARENT, "tracestate: a=b"))
    assert told(service) == [f"00-{TRACE}-{PARENT}-01"]
    assert told(service, "tracestate") == ["a=b"]


async def test_what_the_client_says_beside_the_trace_goes_through_as_it_came(traced: Traced) -> None:
    async with upstream() as service, running(passing(service.url), traces=traced.proxy) as proxy:
        await proxy.ask(get("/x", "baggage: a=b%20c;p=1,  d=e"))
    assert told(service, "baggage") == ["a=b%20c;p=1,  d=e"]


async def test_a_mocked_request_has_a_span_that_says_what_answered(traced: Traced) -> None:
    source = passing("")
    source.commit(
        mocks={"ovr_1": mock("ovr_1", path="/pay", method="POST", status=402)},
        sessions={"ses_ci-42": session(overrides=("ovr_1",))},
    )
    async with running(source, traces=traced.proxy) as proxy:
        await proxy.ask(ask("POST", "/pay?card=4111", KEY, TRACEPARENT))
    (span,) = traced.spans
    assert ids(span)[0] == TRACE
    assert traced.attributes == {
        "http.request.method": "POST",
        "http.response.status_code": 402,
        "url.path": "/pay",
        "understudy.environment": "checkout/staging",
        "understudy.session_key": "ci-42",
        "understudy.outcome": "mocked",
        "understudy.mock_id": "ovr_1",
        "understudy.log_id": "log_1",
    }
    assert (span.end_time or 0) >= (span.start_time or 0)


async def test_a_failed_upstream_is_an_error(traced: Traced) -> None:
    source = passing(f"http://127.0.0.1:{unused_port()}")
    async with running(source, traces=traced.proxy) as proxy:
        assert status_of(await proxy.ask(get("/x"))) == 502
    (span,) = traced.spans
    assert span.status.status_code is StatusCode.ERROR
    assert traced.attributes["error.type"] == "upstream_failed"


async def test_an_answer_of_the_server_that_is_no_failure_of_an_upstream_or_a_mock_is_an_error_by_its_status(
    traced: Traced,
) -> None:
    source = passing("")
    source.commit(
        mocks={"ovr_1": mock("ovr_1", path="/pay", status=503)}, sessions={"ses_ci-42": session(overrides=("ovr_1",))}
    )
    async with running(source, traces=traced.proxy) as proxy:
        assert status_of(await proxy.ask(get("/pay", KEY))) == 503
    (span,) = traced.spans
    assert span.status.status_code is StatusCode.ERROR
    assert (traced.attributes["error.type"], traced.attributes["understudy.outcome"]) == ("503", "mocked")


async def test_an_error_that_an_upstream_answers_with_is_one_by_its_status(traced: Traced) -> None:
    async def fail(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")

    async with upstream(fail) as service, running(passing(service.url), traces=traced.proxy) as proxy:
        assert status_of(await proxy.ask(get("/x"))) == 502
    assert (traced.attributes["error.type"], traced.attributes["understudy.outcome"]) == ("502", "forwarded")


async def test_a_mock_that_fails_is_an_error_by_its_outcome(traced: Traced) -> None:
    with planned_mocks({"/x": Planned(Plan(forward("")))}):
        async with running(source_of("/x"), traces=traced.proxy) as proxy:
            await proxy.ask(get("/x", KEY))
    assert (traced.attributes["error.type"], traced.attributes["understudy.outcome"]) == ("mock_failed",) * 2


async def test_the_target_of_a_forwarding_mock_is_told_too(traced: Traced) -> None:
    async with upstream() as service:
        with planned_mocks({"/x": Planned(Plan(forward(service.url)))}):
            async with running(source_of("/x"), traces=traced.proxy) as proxy:
                await proxy.ask(get("/x", KEY, TRACEPARENT))
    (span,) = traced.spans
    assert told(service) == [f"00-{TRACE}-{ids(span)[1]}-01"]


async def test_a_mock_that_sets_the_header_itself_is_left_alone(traced: Traced) -> None:
    said = ((b"Traceparent", b"00-mine"),)
    async with upstream() as service:
        with planned_mocks({"/x": Planned(Plan(forward(service.url, set_headers=said)))}):
            async with running(source_of("/x"), traces=traced.proxy) as proxy:
                await proxy.ask(get("/x", KEY, TRACEPARENT))
    assert told(service) == ["00-mine"]


async def test_texts_of_requests_are_cut_in_attributes(traced: Traced) -> None:
    async with upstream() as service, running(passing(service.url), traces=traced.proxy) as proxy:
        await proxy.ask(get("/" + "x" * 2_000))
    assert len(str(traced.attributes["url.path"])) == 256


async def test_a_tracer_that_fails_costs_no_answer(traced: Traced, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_environment_id: str) -> str:
        raise RuntimeError("on purpose")

    async with upstream() as service, running(passing(service.url), traces=traced.tracing.proxy(fail)) as proxy:
        answers = [status_of(await proxy.ask(get("/x"))) for _ in range(3)]
    assert answers == [200, 200, 200]
    assert caplog.text.count("could not be traced") == 1


class FailingSampler(Sampler):
    """Fails at every span."""

    def should_sample(self, *_: object, **__: object) -> SamplingResult:
        raise RuntimeError("on purpose")

    def get_description(self) -> str:
        return "fails"


class FailingPropagator(TextMapPropagator):
    """Fails to read and to write."""

    def extract(self, *_: object, **__: object) -> Context:
        raise RuntimeError("on purpose")

    def inject(self, *_: object, **__: object) -> None:
        raise RuntimeError("on purpose")

    @property
    def fields(self) -> set[str]:
        return {"traceparent"}


@pytest.fixture(params=["sampler", "propagator"])
def failing(request: pytest.FixtureRequest) -> Iterator[Traced]:
    """Traces that cannot begin."""
    sampler, before = FailingSampler() if request.param == "sampler" else None, propagate.get_global_textmap()
    if sampler is None:
        propagate.set_global_textmap(FailingPropagator())
    provider, exporter = TracerProvider(sampler=sampler, shutdown_on_exit=False), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield Traced(Tracing(provider), exporter)
    provider.shutdown()
    propagate.set_global_textmap(before)


async def test_a_request_whose_trace_cannot_begin_goes_on_as_it_came(
    failing: Traced, caplog: pytest.LogCaptureFixture
) -> None:
    async with upstream() as service, running(passing(service.url), traces=failing.proxy) as proxy:
        answers = [status_of(await proxy.ask(get("/x", TRACEPARENT))) for _ in range(3)]
    assert answers == [200, 200, 200]
    assert told(service) == [f"00-{TRACE}-{PARENT}-01"] * 3
    assert caplog.text.count("could not be traced") == 1
    assert failing.spans == []


async def test_a_forwarded_request_whose_trace_cannot_begin_goes_on_too(failing: Traced) -> None:
    async with upstream() as service:
        with planned_mocks({"/x": Planned(Plan(forward(service.url)))}):
            async with running(source_of("/x"), traces=failing.proxy) as proxy:
                assert status_of(await proxy.ask(get("/x", KEY, TRACEPARENT))) == 200
    assert told(service) == [f"00-{TRACE}-{PARENT}-01"]


def test_a_call_whose_trace_cannot_begin_is_served(failing: Traced, caplog: pytest.LogCaptureFixture) -> None:
    calls = Calls(failing.tracing.call)
    for _ in range(3):
        calls.observe("/understudy.v1.SessionService/GetSession", {}).end(13)
    assert calls.read().calls == {("SessionService/GetSession", "INTERNAL"): 3}
    assert caplog.text.count("a call could not be traced") == 1
    assert failing.spans == []


def test_a_call_has_a_span_that_continues_its_callers(traced: Traced) -> None:
    token = request_ids.CURRENT.set("req_1")
    traced.tracing.call("/understudy.v1.SessionService/GetSession", {"traceparent": f"00-{TRACE}-{PARENT}-01"}).end(5)
    request_ids.CURRENT.reset(token)
    (span,) = traced.spans
    assert (span.name, ids(span)[0], ids(span)[2]) == ("understudy.v1.SessionService/GetSession", TRACE, PARENT)
    assert traced.attributes == {
        "rpc.system.name": "grpc",
        "rpc.method": "understudy.v1.SessionService/GetSession",
        "rpc.response.status_code": "NOT_FOUND",
        "understudy.request_id": "req_1",
    }
    assert span.status.status_code is StatusCode.UNSET


def test_a_call_that_we_failed_is_an_error(traced: Traced) -> None:
    traced.tracing.call("/understudy.v1.SessionService/GetSession", {}).end(13)
    (span,) = traced.spans
    assert span.status.status_code is StatusCode.ERROR
    assert traced.attributes["error.type"] == "INTERNAL"
