"""Whether requests are traced, by the standard variables."""

import sys
from collections.abc import Mapping

import pytest
from understudy_server.telemetry import tracing
from understudy_server.telemetry.tracing import CannotTrace

OTLP = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.mark.parametrize(
    ("environ", "is_wanted"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "x", "OTEL_TRACES_SAMPLER": "always_on"}, False),
        ({OTLP: "http://127.0.0.1:4318"}, True),
        ({OTLP: ""}, False),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", OTLP: "http://127.0.0.1:4318"}, False),
        ({"OTEL_SDK_DISABLED": "TRUE", OTLP: "http://127.0.0.1:4318"}, False),
        ({"OTEL_SDK_DISABLED": "false", OTLP: "http://127.0.0.1:4318"}, True),
    ],
)
def test_traces_are_made_only_where_the_variables_ask(environ: Mapping[str, str], *, is_wanted: bool) -> None:
    assert tracing.is_wanted(environ) is is_wanted


def test_without_a_word_nothing_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "understudy_server.telemetry.spans", raising=False)
    assert tracing.start({}, "1") is None
    assert "understudy_server.telemetry.spans" not in sys.modules


def test_who_asks_without_the_extra_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "is_installed", lambda: False)
    with pytest.raises(CannotTrace, match=r"pip install 'understudy-server\[otel\]'"):
        tracing.start({OTLP: "http://127.0.0.1:4318"}, "1")


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "'zipkin' is not an exporter"),
        ({OTLP: "http://127.0.0.1:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, "'http/json' is not a protocol"),
    ],
)
def test_what_is_not_known_is_named(environ: Mapping[str, str], message: str) -> None:
    with pytest.raises(CannotTrace, match=message):
        tracing.start(environ, "1")


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
async def test_both_protocols_can_be_had(protocol: str) -> None:
    found = tracing.start({OTLP: "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": protocol}, "1")
    assert found is not None
    await found.stop()
