"""``understudy replay``: a recorded request is sent again, to a service that is played here."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from support.recorded_calls import call, record
from support.shell import Shell
from support.threaded_service import Quiet, threaded_service
from understudy_server.core.exchange import Captured


@dataclass
class Service:
    """Answers as it is told, and keeps what it was sent."""

    status: int = 402
    body: bytes = b'{"error":"card_declined"}'
    cut: int = 0
    """So many bytes of the body that is announced are never sent."""
    asked: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def service() -> Iterator[Service]:
    played = Service()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            played.asked.append((self.path, headers, content))
            self.send_response(played.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(played.body)))
            self.end_headers()
            self.wfile.write(played.body[: len(played.body) - played.cut])
            self.close_connection = True

    with threaded_service(Handler) as url:
        played.url = f"{url}/base"
        yield played


@pytest.fixture
def session(shell: Shell) -> Shell:
    shell.ok("session", "put", "ci-42")
    return shell


def test_the_same_answer_is_told_and_the_request_is_what_it_was(session: Shell, data: Path, service: Service) -> None:
    (log_id,) = record(data, [call(query="retry=1", headers=((b"X-Trace", b"1"), (b"connection", b"close")))])
    assert session.ok("replay", log_id, "--to", service.url) == f"{log_id}: the same answer, 402\n"
    ((target, headers, body),) = service.asked
    assert (target, body) == ("/base/api/pay?retry=1", b'{"amount":1180}')
    assert (headers["x-trace"], headers["x-flowmock-session"]) == ("1", "ci-42")
    assert "connection" not in headers


def test_what_differs_is_told_and_ends_with_1(session: Shell, data: Path, service: Service) -> None:
    (log_id,) = record(data, [call()])
    service.status, service.body = 200, b'{"error":"none","id":1}'
    result = session.run("replay", log_id, "--to", service.url)
    assert result.exit_code == 1
    assert [line.split()[0] for line in result.stdout.splitlines()] == [
        "PART",
        "status",
        "body.$.error",
        "body.$.id",
        f"{log_id}:",
    ]


def test_parts_may_be_ignored(session: Shell, data: Path, service: Service) -> None:
    (log_id,) = record(data, [call()])
    service.body = b'{"error":"none"}'
    session.ok("replay", log_id, "--to", service.url, "--ignore", "body.$.error")


def test_as_json_the_differences_are_values(session: Shell, data: Path, service: Service) -> None:
    (log_id,) = record(data, [call()])
    assert session.json("replay", log_id, "--to", service.url) == {
        "logId": log_id,
        "same": True,
        "differences": [],
        "leftOut": [],
    }


def test_it_can_be_sent_in_another_session_with_other_headers(session: Shell, data: Path, service: Service) -> None:
    (log_id,) = record(data, [call(headers=((b"Authorization", b"[redacted]"),))])
    result = session.run("replay", log_id, "--to", service.url, "--session", "ci-43")
    assert "sent without Authorization" in result.stderr
    session.ok("replay", log_id, "--to", service.url, "-H", "authorization: Bearer x")
    first, second = [headers for _, headers, _ in service.asked]
    assert (first["x-flowmock-session"], first.get("authorization")) == ("ci-43", None)
    assert (second["x-flowmock-session"], second["authorization"]) == ("ci-42", "Bearer x")


@pytest.mark.parametrize(
    ("kept", "why"),
    [
        (Captured(b"{", 900, "application/json"), "its body is masked"),
        (Captured(b"", 9, "application/json", "ab" * 32), "its body is masked"),
        (Captured(b"{}", 9, "application/json", "masked"), "its body is masked"),
    ],
)
def test_a_request_that_is_not_whole_on_record_is_not_sent(
    session: Shell, data: Path, service: Service, kept: Captured, why: str
) -> None:
    (log_id,) = record(data, [call(kept=kept)])
    result = session.run("replay", log_id, "--to", service.url)
    assert (result.exit_code, why in result.stderr) == (1, True)
    assert service.asked == []


def test_a_body_that_is_kept_unpacked_is_sent_unpacked(session: Shell, data: Path, service: Service) -> None:
    (log_id,) = record(data, [call(headers=((b"Content-Encoding", b"gzip"), (b"Digest", b"sha-256=x")))])
    session.ok("replay", log_id, "--to", service.url)
    ((_, headers, body),) = service.asked
    assert (body, "content-encoding" in headers, "digest" in headers) == (b'{"amount":1180}', False, False)


def test_an_answer_that_broke_off_is_nothing_to_compare_with(session: Shell, data: Path, service: Service) -> None:
    broken = [call()._replace(findings=("upstream_broke_off",)), call(status=499), call(status=0)]
    for log_id in record(data, broken):
        result = session.run("replay", log_id, "--to", service.url)
        assert (result.exit_code, "its answer was not sent to the end" in result.stderr) == (1, True)
    assert service.asked == []


def test_an_answer_that_breaks_off_now_is_no_answer(session: Shell, data: Path, service: Service) -> None:
    """Not even where the body is not compared, since only its beginning is on record."""
    service.cut = 5
    (log_id,) = record(data, [call()._replace(response_body=Captured(b"{", 300_000, "application/json"))])
    result = session.run("replay", log_id, "--to", service.url)
    assert (result.exit_code, "no answer from" in result.stderr) == (5, True)


@pytest.mark.parametrize("url", ["ftp://a", "127.0.0.1:1", "http://u@a/", "http://a/?q"])
def test_what_is_no_address_is_refused(session: Shell, data: Path, url: str) -> None:
    (log_id,) = record(data, [call()])
    result = session.run("replay", log_id, "--to", url)
    assert (result.exit_code, "--to" in result.stderr) == (2, True)


def test_without_a_running_server_it_must_be_told_where_to(session: Shell, data: Path) -> None:
    (log_id,) = record(data, [call()])
    result = session.run("replay", log_id)
    assert (result.exit_code, "it is not known where to send it" in result.stderr) == (2, True)


def test_a_service_that_is_not_there_is_unreachable(session: Shell, data: Path) -> None:
    (log_id,) = record(data, [call()])
    assert session.run("replay", log_id, "--to", "http://127.0.0.1:1").exit_code == 5


def test_an_exchange_that_nobody_knows_is_not_found(session: Shell) -> None:
    assert session.run("replay", "log_01J0ZK3V8Q4C9W7M2N5R6T8XYB", "--to", "http://127.0.0.1:1").exit_code == 3
