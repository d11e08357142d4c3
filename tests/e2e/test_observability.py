"""A server as an operator watches it: health, metrics, log lines and traces."""

import json
import re
import signal
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from e2e.conftest import START_TIMEOUT_SECONDS, Server, Start, understudy
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from understudy_server.cli.http_client import HttpAnswer, ask

PAY = "/checkout/staging/api/pay"
TRACE = "0af7651916cd43dd8448eb211c80319c"


async def pay(server: Server, **headers: str) -> HttpAnswer:
    return await ask(server.addresses["proxy"], "POST", PAY, headers, "{}")


def log_lines(output: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.splitlines() if line.startswith('{"time"')]


async def test_a_server_that_was_not_asked_to_shows_no_metrics(start: Start) -> None:
    server = start()
    assert "metrics" not in server.addresses
    assert (await ask(server.addresses["rest"], "GET", "/metrics")).status == 404


async def test_metrics_count_what_went_through(start: Start) -> None:
    server = start("--metrics", "0")
    for _ in range(3):
        await pay(server)
    await ask(server.addresses["rest"], "GET", "/api/v1/sessions/x")
    text = (await ask(server.addresses["metrics"], "GET", "/metrics")).body
    place = 'environment="staging",outcome="forwarded",project="checkout"'
    assert f"understudy_requests_total{{{place}}} 3.0\n" in text
    assert "understudy_upstream_duration_seconds_count 3.0\n" in text
    assert 'understudy_api_calls_total{code="UNAUTHENTICATED",method="SessionService/GetSession"} 1.0\n' in text
    assert "understudy_ready 1.0\n" in text
    assert (await ask(server.addresses["metrics"], "GET", "/health/ready")).status == 200


async def test_a_port_alone_is_on_loopback(start: Start) -> None:
    assert start("--metrics", "0").addresses["metrics"].startswith("127.0.0.1:")


def test_the_status_names_the_listener_of_metrics(start: Start) -> None:
    server = start("--metrics", "0")
    told = json.loads(understudy("status", "--json", "--data", server.data).stdout)["listeners"]
    assert {"kind": "metrics", "address": server.addresses["metrics"], "place": ""} in told
    assert [each["kind"] for each in told] == ["grpc", "rest", "proxy", "metrics"]


async def test_a_server_is_ready_once_it_is_announced(start: Start) -> None:
    server = start()
    live, ready = [await ask(server.addresses["rest"], "GET", f"/health/{name}") for name in ("live", "ready")]
    assert (live.status, ready.status) == (200, 200)
    assert [each["ok"] for each in json.loads(ready.body)["checks"]] == [True] * 4


async def test_a_server_that_is_told_to_stop_says_so_while_it_still_serves(start: Start, tmp_path: Path) -> None:
    config = tmp_path / "server.yaml"
    config.write_text("server:\n  drain_seconds: 30\n")
    server = start("--config", str(config))
    server.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    # Another process takes note of a signal when it does: it can only be asked again.
    while (ready := await ask(server.addresses["rest"], "GET", "/health/ready")).status == 200:
        assert time.monotonic() < deadline
    assert ready.status == 503
    assert "stopping" in ready.body
    assert (await ask(server.addresses["rest"], "GET", "/health/live")).status == 200
    assert (await pay(server)).status == 200
    # A second one does not wait.
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=START_TIMEOUT_SECONDS) == -signal.SIGTERM


async def test_each_call_has_a_line_of_json_and_no_secret_is_in_any(start: Start) -> None:
    server = start("--log-format", "json", "--log-level", "info")
    key = re.search(r"fmk_[A-Za-z0-9_-]{43}", server.output())
    assert key
    headers = {"authorization": f"Bearer {key[0]}", "x-request-id": "ours-1"}
    assert (await ask(server.addresses["rest"], "GET", "/api/v1/status", headers)).status == 200
    _, output = server.stop()
    lines = log_lines(output)
    (line,) = [line for line in lines if line.get("request_id") == "ours-1"]
    assert {name: line[name] for name in ("level", "method", "status")} == {
        "level": "info",
        "method": "ServerService/GetStatus",
        "status": "OK",
    }
    assert key[0] not in json.dumps(lines)


async def test_lines_of_the_log_are_as_quiet_as_ever_by_default(start: Start) -> None:
    server = start()
    await ask(server.addresses["rest"], "GET", "/api/v1/sessions/x")
    _, output = server.stop()
    assert "GetSession" not in output
    assert log_lines(output) == []


class Collector:
    """Takes traces over HTTP. ``spans`` are those that came."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"])))
                for resource in request.resource_spans:
                    named = {each.key: each.value.string_value for each in resource.resource.attributes}
                    collector.services.add(named["service.name"])
                    collector.spans += [span for scope in resource.scope_spans for span in scope.spans]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


async def test_spans_of_requests_and_calls_reach_the_collector(
    start: Start, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
    server = start()
    assert (await pay(server, traceparent=f"00-{TRACE}-b7ad6b7169203331-01")).status == 200
    await ask(server.addresses["rest"], "GET", "/api/v1/sessions/x")
    code, output = server.stop()
    assert code == 0, output
    spans = {span.name: span for span in collector.spans}
    assert spans["POST"].trace_id.hex() == TRACE
    assert "understudy.v1.SessionService/GetSession" in spans
    assert collector.services == {"understudy"}


async def test_a_collector_that_is_not_there_keeps_nobody_from_serving_and_stopping(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    server = start()
    assert (await pay(server)).status == 200
    began = time.monotonic()
    code, output = server.stop()
    assert code == 0, output
    assert time.monotonic() - began < 15
