"""Spans by OpenTelemetry: one for each proxied request, and one for each call of the API.

Where a trace goes on is read from the client's headers, and told to the upstream, by the propagators of
``OTEL_PROPAGATORS`` (W3C Trace Context by default). Of a call over REST only ``traceparent`` and ``tracestate`` come
in, whatever the propagators read: the gateway hands on no other. This takes the extra ``otel``, and a quarter of a
second to import.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, StatusCode, Tracer
from understudy import request_ids

from understudy_server.core.exchange import Exchange, RawHeaders
from understudy_server.core.record import ExchangeOutcome
from understudy_server.telemetry.calls import code_name
from understudy_server.telemetry.tally import Recorder, Recording

_NANOSECONDS: Final = 1_000_000
_TEXT_MAX: Final = 256
_BAGGAGE: Final = "baggage"
_STOP_SECONDS_MAX: Final = 5.0
_FAILED: Final = frozenset({ExchangeOutcome.UPSTREAM_FAILED, ExchangeOutcome.MOCK_FAILED})
_SERVER_FAULTS: Final = frozenset({2, 4, 12, 13, 14, 15})
"""Codes that are the server's fault, as the conventions have it: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL,
UNAVAILABLE and DATA_LOSS."""
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"})

_log = logging.getLogger(__name__)


def provide(exporter: SpanExporter, about: Mapping[str, str]) -> "Tracing":
    """Trace, and hand spans to an exporter in batches; ``about`` are attributes of this process."""
    provider = TracerProvider(resource=Resource.create(dict(about)), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Tracing(provider)


class Tracing:
    """The traces of one server."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("understudy")
        self._trouble = _Trouble("a call")

    def call(self, method: str, metadata: Mapping[str, Any]) -> "CallSpan":
        """Begin the span of a call of the API; one that cannot be traced has a span that is nowhere."""
        try:
            return CallSpan(self._begin(method, metadata))
        except Exception as error:  # noqa: BLE001 - samplers and propagators are code that users configure
            self._trouble.tell(error)
            return CallSpan(INVALID_SPAN)

    def _begin(self, method: str, metadata: Mapping[str, Any]) -> Span:
        name = method.removeprefix("/")
        attributes = {"rpc.system.name": "grpc", "rpc.method": name}
        if request_id := request_ids.CURRENT.get():
            attributes["understudy.request_id"] = request_id
        fields = _fields()
        given = {key: str(value) for key, value in metadata.items() if key in fields}
        return self._tracer.start_span(name, _context(given), SpanKind.SERVER, attributes)

    def proxy(self, place_of: Callable[[str], str]) -> "ProxyTraces":
        """The spans of proxied requests. ``place_of`` an environment (its id) is its ``project/environment``."""
        return ProxyTraces(self._tracer, place_of)

    async def stop(self) -> None:
        """Send what is waiting, for some seconds at most."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.to_thread(self._shut_down), _STOP_SECONDS_MAX + 1)

    def _shut_down(self) -> None:
        self._provider.force_flush(int(_STOP_SECONDS_MAX * 1_000))
        self._provider.shutdown()


class CallSpan:
    """The span of a call."""

    __slots__ = ("_span",)

    def __init__(self, span: Span) -> None:
        self._span = span

    def end(self, code: int) -> None:
        """The call has ended with this number of ``google.rpc.Code``."""
        span, name = self._span, code_name(code)
        span.set_attribute("rpc.response.status_code", name)
        if code in _SERVER_FAULTS:
            span.set_attribute("error.type", name)
            span.set_status(StatusCode.ERROR)
        span.end()


class _Trouble:
    """Tells the log that something could not be traced, once: what fails for one fails for all."""

    __slots__ = ("_is_told", "_what")

    def __init__(self, what: str) -> None:
        self._what = what
        self._is_told = False

    def tell(self, error: Exception) -> None:
        if not self._is_told:
            self._is_told = True
            _log.warning("%s could not be traced: %s", self._what, error)


class UpstreamTrace:
    """The span of a request that goes on to an upstream. ``headers`` tell the upstream of it."""

    __slots__ = ("headers", "replaced", "span")

    def __init__(self, span: Span, headers: Sequence[tuple[bytes, bytes]], replaced: frozenset[bytes]) -> None:
        self.span = span
        self.headers = headers
        self.replaced = replaced


class ProxyTraces:
    """Fills ``proxy.tracing.Traces``, and makes spans of what is put on record.

    Most spans are made when all is over, of the exchange; only that of a request which goes on begins before, since the
    upstream is told of it.
    """

    def __init__(self, tracer: Tracer, place_of: Callable[[str], str]) -> None:
        self._tracer = tracer
        self._place_of = place_of
        self._begun: UpstreamTrace | None = None
        self._trouble = _Trouble("a request")

    def begin(self, headers: RawHeaders) -> UpstreamTrace:
        """A request with these headers goes on to an upstream; one that cannot be traced goes on as it came."""
        try:
            return self._begin(headers)
        except Exception as error:  # noqa: BLE001 - samplers and propagators are code that users configure
            self._trouble.tell(error)
            return UpstreamTrace(INVALID_SPAN, (), frozenset())

    def _begin(self, headers: RawHeaders) -> UpstreamTrace:
        span = self._tracer.start_span("proxy", _context(_given(headers)), SpanKind.SERVER)
        told: dict[str, str] = {}
        propagate.inject(told, trace.set_span_in_context(span))
        # What the client says there is of no concern here, and goes on as it is.
        told.pop(_BAGGAGE, None)
        headers = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in told.items()]
        return UpstreamTrace(span, headers, frozenset(name.encode() for name in _fields() - {_BAGGAGE}))

    def record_next(self, begun: object) -> None:
        """The exchange that is recorded next is that of a request which has gone on, or has not (``None``)."""
        self._begun = begun if isinstance(begun, UpstreamTrace) else None

    def beside(self, recorder: Recorder) -> Recorder:
        """A recorder that ends the spans of what it hands on."""
        record = recorder.record

        def record_traced(exchange: Exchange) -> None:
            record(exchange)
            # Whatever goes wrong with a trace, the request is answered.
            try:
                self._trace(exchange)
            except Exception as error:  # noqa: BLE001 - the library runs code that its users configure
                self._trouble.tell(error)

        return Recording(record_traced)

    def _trace(self, exchange: Exchange) -> None:
        begun, self._begun = self._begun, None
        if begun is not None:
            span, end = begun.span, None
        else:
            began = exchange.started_at_ms * _NANOSECONDS
            context = _context(_given(exchange.request_headers))
            span = self._tracer.start_span("proxy", context, SpanKind.SERVER, start_time=began)
            end = began + max(exchange.phases.total_us * 1_000, exchange.duration_ms * _NANOSECONDS)
        if span.is_recording():
            # One of few, as the conventions want it.
            span.update_name(exchange.method if exchange.method in _METHODS else "HTTP")
            span.set_attributes(self._attributes(exchange))
            if exchange.status >= 500 or exchange.outcome in _FAILED:
                error_type = exchange.outcome.value if exchange.outcome in _FAILED else str(exchange.status)
                span.set_attribute("error.type", error_type)
                span.set_status(StatusCode.ERROR)
        span.end(end)

    def _attributes(self, exchange: Exchange) -> dict[str, str | int]:
        texts = {
            "http.request.method": exchange.method,
            "url.path": exchange.path,
            "understudy.environment": self._place_of(exchange.environment_id),
            "understudy.session_key": exchange.session_key,
            "understudy.outcome": exchange.outcome.value,
            "understudy.mock_id": exchange.mock_id,
            "understudy.log_id": exchange.id,
        }
        found: dict[str, str | int] = {name: text[:_TEXT_MAX] for name, text in texts.items() if text}
        if exchange.status:
            found["http.response.status_code"] = exchange.status
        return found


def _fields() -> set[str]:
    return {name.lower() for name in propagate.get_global_textmap().fields}


def _given(headers: RawHeaders) -> dict[str, str]:
    """The headers that say of which trace a request is a part; of a name that is given twice, the first."""
    fields, given = _fields(), dict[str, str]()
    for name, value in headers:
        key = name.decode("latin-1").lower()
        if key in fields:
            given.setdefault(key, value.decode("latin-1"))
    return given


def _context(given: Mapping[str, str]) -> Context:
    # Of nothing that runs here: each request is a part of its client's trace, or begins one.
    return propagate.extract(given, Context())
