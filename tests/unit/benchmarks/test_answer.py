"""One request and its answer, as both lay on the wire."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.answer import ask


@contextmanager
def saying(*parts: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that reads one request, says these parts, and closes: its address, and what it has read."""
    heard = list[bytes]()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            heard.append(connection.recv(65536))
            for part in parts:
                connection.sendall(part)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}", heard
        finally:
            thread.join()


def test_the_size_of_an_answer_is_that_of_all_its_bytes() -> None:
    head = b"HTTP/1.1 200 Fine so far\r\nTransfer-Encoding:  chunked\r\n\r\n"
    with saying(head + b"5\r\nhe", b"llo\r\n0\r", b"\n\r\n") as (address, _):
        answer = ask(address, "/", {})

    assert (answer.status, answer.body) == (200, b"hello")
    assert answer.size == len(head) + len(b"5\r\nhello\r\n0\r\n\r\n")


def test_a_request_has_the_headers_that_it_is_given_and_its_host() -> None:
    with saying(b"HTTP/1.1 204 No Content\r\n\r\n") as (address, heard):
        ask(address, "/a?b=c", {"Accept": "text/plain"})

    assert heard == [f"GET /a?b=c HTTP/1.1\r\nHost: {address}\r\nAccept: text/plain\r\n\r\n".encode()]


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"])
def test_an_answer_that_ends_early_is_none(said: bytes) -> None:
    with saying(said) as (address, _), pytest.raises(ConnectionError, match=f"closed {len(said)} bytes into"):
        ask(address, "/", {})


def test_what_is_not_http_is_no_answer() -> None:
    with saying(b"SSH-2.0-OpenSSH_9.2\r\n") as (address, _), pytest.raises(ConnectionError, match="not HTTP"):
        ask(address, "/", {})
