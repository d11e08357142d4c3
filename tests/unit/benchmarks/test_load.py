import http.server
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks import load as loads
from benchmarks.cpu import cpu_seconds
from benchmarks.load import Load, Loaded, compared, load
from benchmarks.method import Length, Rejected
from benchmarks.profiles import Profile

needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is installed by `make bench` only")


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers with what its server has: the first bodies once each, the last one for ever."""

    protocol_version = "HTTP/1.1"
    # Head and body leave in one segment: two would wait for each other.
    wbufsize = -1

    def do_GET(self) -> None:
        assert isinstance(self.server, Answering)
        status, body = self.server.answers.pop(0) if len(self.server.answers) > 1 else self.server.answers[0]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Answering(http.server.ThreadingHTTPServer):
    answers: list[tuple[int, bytes]]


@contextmanager
def answering(*answers: tuple[int, bytes]) -> Iterator[Loaded]:
    with Answering(("127.0.0.1", 0), Answers) as server:
        server.answers = list(answers)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield Loaded(os.getpid(), f"127.0.0.1:{server.server_port}", "/", connections=2, body=b"hello")
        finally:
            server.shutdown()
            thread.join()


@needs_wrk
def test_a_load_of_right_answers_counts() -> None:
    with answering((200, b"hello")) as loaded:
        measured = load(loaded, 1)

    assert measured.rate > 0
    assert 0 < measured.p50_us <= measured.p99_us


@needs_wrk
def test_answers_of_another_length_under_load_are_found_out() -> None:
    with (
        answering((200, b"hello"), *[(200, b"hello, hello, hello")] * 100, (200, b"hello")) as loaded,
        pytest.raises(Rejected, match="bytes"),
    ):
        load(loaded, 1)


@needs_wrk
def test_an_error_under_load_is_found_out() -> None:
    with (
        answering((200, b"hello"), (500, b"hello"), (200, b"hello")) as loaded,
        pytest.raises(Rejected, match="not every answer"),
    ):
        load(loaded, 1)


def test_a_wrong_sample_ends_it_before_any_load() -> None:
    with answering((200, b"wrong")) as loaded, pytest.raises(Rejected, match="wrong"):
        load(loaded, 1)


def test_time_of_children_is_counted_with_their_parent() -> None:
    work = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"
    with subprocess.Popen([sys.executable, "-c", work], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        own = time.process_time()
        together = cpu_seconds(os.getpid())
        child.kill()

    assert together - own >= 0.15


def made(*, rate: float, wrk: float, server: float) -> Load:
    return Load(rate=rate, cpu_us=1, loop_us=1, busy=server, p50_us=1, p99_us=1, generator_busy=wrk)


QUICK, OTHER = Loaded(1, "quick", "/"), Loaded(2, "other", "/")
LIMITED, BUSY = made(rate=100, wrk=0.98, server=0.5), made(rate=10, wrk=0.5, server=0.99)


@pytest.fixture
def sides(monkeypatch: pytest.MonkeyPatch) -> dict[str, Load]:
    """What a load of an address is like."""
    found = dict[str, Load]()
    monkeypatch.setattr(loads, "load", lambda loaded, _: found[loaded.address])
    return found


@pytest.mark.parametrize(("quick", "other", "who"), [(LIMITED, BUSY, "subject"), (BUSY, LIMITED, "reference")])
def test_rounds_in_which_the_maker_of_the_load_was_the_limit_of_either_side_are_rejected(
    quick: Load, other: Load, who: str, sides: dict[str, Load]
) -> None:
    sides |= {"quick": quick, "other": other}
    with pytest.raises(Rejected, match=f"load of the {who} was limited .* wrk took 98% of its core, the server 50%"):
        compared(QUICK, OTHER, Length(5, 1))


def test_a_maker_that_is_as_busy_as_the_server_limits_nothing(sides: dict[str, Load]) -> None:
    sides |= {"quick": made(rate=100, wrk=0.99, server=0.98), "other": BUSY}
    assert len(compared(QUICK, OTHER, Length(5, 1)).pairs) == 5


def test_a_load_that_is_made_for_a_profile_counts_for_nothing(sides: dict[str, Load]) -> None:
    sides |= {"quick": LIMITED, "other": BUSY}
    profile = Profile("seen")
    assert compared(QUICK, OTHER, Length(1, 1, watch=lambda _: profile)).profile is profile
