"""Loads whose requests differ in a number: which requests wrk sends, and that each answer is checked for its own."""

import http.server
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import pytest

from benchmarks.load import Loaded, load
from benchmarks.method import Rejected

needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is installed by `make bench` only")
TURNS = 7


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with path and session key, and keeps what it was asked."""

    protocol_version = "HTTP/1.1"
    # Head and body leave in one segment: two would wait for each other.
    wbufsize = -1

    def do_GET(self) -> None:
        assert isinstance(self.server, Echoing)
        key = self.headers["x-key"]
        asked = self.server.asked.setdefault(self.client_address, [])
        asked.append((self.path, key, self.headers.get("traceparent", "")))
        body = self.server.answer(f"{self.path} {key}").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["content-length"])).decode()
        self.headers.replace_header("x-key", f"{self.headers['x-key']} {text}")
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


class Echoing(http.server.ThreadingHTTPServer):
    asked: dict[object, list[tuple[str, str, str]]]
    """Path, session key and trace of what was asked, by connection."""

    def of_the_load(self) -> list[tuple[str, str, str]]:
        """What the load asked, on its one connection: before and after it some are asked for by way of a sample."""
        return max(self.asked.values(), key=len)

    def answer(self, text: str) -> str:
        return text


@contextmanager
def echoing(made: type[Echoing] = Echoing) -> Iterator[tuple[Echoing, Loaded]]:
    with made(("127.0.0.1", 0), Echo) as server:
        server.asked = {}
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            address, headers = f"127.0.0.1:{server.server_port}", {"x-key": "ci-TURN"}
            yield server, Loaded(1, address, "/orders/TURN", headers, 1, b"/orders/TURN ci-TURN", turns=TURNS)
        finally:
            server.shutdown()
            thread.join()


def test_a_turn_is_one_request_with_its_number_everywhere() -> None:
    loaded = Loaded(1, "127.0.0.1:1", "/orders/TURN", {"x-key": "ci-TURN"}, body=b"order TURN", turns=TURNS)

    turn = loaded.turn(3)

    assert (turn.path, turn.headers, turn.body) == ("/orders/00003", {"x-key": "ci-00003"}, b"order 00003")
    assert turn.turns == 0


@needs_wrk
def test_requests_have_each_number_in_turn() -> None:
    with echoing() as (server, loaded):
        load(loaded, 1)

    asked = server.of_the_load()
    numbers = [int(path.removeprefix("/orders/")) for path, _, _ in asked]
    assert set(numbers) == set(range(TURNS))
    assert all(after == (before + 1) % TURNS for before, after in pairwise(numbers))
    assert all(path.removeprefix("/orders/") == key.removeprefix("ci-") for path, key, _ in asked)


@needs_wrk
def test_a_text_that_is_sent_has_the_number_too() -> None:
    with echoing() as (server, loaded):
        body = b"/orders/TURN ci-TURN user-TURN"
        load(Loaded(**{**vars(loaded), "post": "user-TURN", "body": body}), 1)

    numbers = [[word[-5:] for word in (path, *key.split())] for path, key, _ in server.of_the_load()]
    assert {number for number, *_ in numbers} == {f"{each:05}" for each in range(TURNS)}
    assert all(len(set(each)) == 1 for each in numbers)


@needs_wrk
def test_requests_in_turn_may_have_a_trace_of_their_own_besides() -> None:
    with echoing() as (server, loaded):
        load(Loaded(**{**vars(loaded), "traced": True}), 1)

    asked = server.of_the_load()
    assert len({path for path, _, _ in asked}) == TURNS
    assert len({trace for _, _, trace in asked}) == len(asked)


def test_a_wrong_answer_to_one_turn_of_many_is_found_out() -> None:
    class Confused(Echoing):
        def answer(self, text: str) -> str:
            return text.replace("ci-00006", "ci-00005")

    with echoing(Confused) as (_, loaded), pytest.raises(Rejected, match="ci-00005"):
        load(loaded, 1)


def test_turns_whose_answers_differ_in_size_are_refused() -> None:
    class Uneven(Echoing):
        def answer(self, text: str) -> str:
            return text + "!" * text.endswith("6")

    with echoing(Uneven) as (_, loaded), pytest.raises(Rejected, match="different sizes"):
        load(Loaded(**{**vars(loaded), "body": None}), 1)
