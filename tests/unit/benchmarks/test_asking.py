import gc
import http.server
import threading
from collections.abc import Iterator

import pytest

from benchmarks.asking import Asker, asking, no_collections, request
from benchmarks.method import Rejected
from benchmarks.nginx import free_port


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_PUT(self) -> None:
        self._answer(self.rfile.read(int(self.headers["content-length"])) + self.headers["x-flowmock-session"].encode())

    def do_GET(self) -> None:
        self._answer(self.path.encode())

    def _answer(self, body: bytes) -> None:
        self.send_response(404 if self.path == "/none" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def asker() -> Iterator[Asker]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with asking(f"127.0.0.1:{server.server_port}") as made:
                yield made
        finally:
            server.shutdown()
            thread.join()


def test_an_answer_is_given_whole_and_the_next_one_follows(asker: Asker) -> None:
    assert asker.ask(request("GET", "/one")).endswith(b"\r\n\r\n/one")
    assert asker.ask(request("GET", "/" + "x" * 3000)).endswith(b"\r\n\r\n/" + b"x" * 3000)


def test_a_request_has_its_body_and_headers_of_its_own(asker: Asker) -> None:
    assert asker.ask(request("PUT", "/", b"state of ", x_flowmock_session="ci-7")).endswith(b"\r\n\r\nstate of ci-7")


def test_the_time_of_an_expected_answer_is_told(asker: Asker) -> None:
    assert 0 < asker.expect(request("GET", "/one"), 200, b"/one") < 10


@pytest.mark.parametrize(("path", "body"), [("/none", b"/none"), ("/one", b"/two")])
def test_another_answer_than_the_expected_one_does_not_count(asker: Asker, path: str, body: bytes) -> None:
    with pytest.raises(Rejected, match="was answered with"):
        asker.expect(request("GET", path), 200, body)


def test_many_are_asked_ahead_and_each_answer_is_looked_at(asker: Asker) -> None:
    asker.expect_all([request("GET", f"/{number}/end") for number in range(50)], 200, b"/end")
    with pytest.raises(Rejected, match="/49/END"):
        asker.expect_all(
            [request("GET", f"/{number}/end") for number in range(49)] + [request("GET", "/49/END")], 200, b"/end"
        )


def test_nobody_at_an_address_is_told_apart() -> None:
    with pytest.raises(ConnectionRefusedError):
        Asker(f"127.0.0.1:{free_port()}")


def test_collections_come_back_after_a_measurement() -> None:
    with no_collections():
        assert not gc.isenabled()
    assert gc.isenabled()
