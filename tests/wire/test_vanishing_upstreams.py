"""Upstreams that refuse, stall, reset or close, at every phase of an answer."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import trustme
from support.proxying import unused_port
from support.scripted_upstream import Script, Then, When, scripted_upstream
from support.strict_http import Message
from support.vanishing import Client, client, full_house
from support.vanishing_stage import PATIENT, answers_of, hasty, refusal, request, stage
from understudy_server.core.record import ExchangeOutcome

_INVALID = (502, "upstream_invalid")
_UNREACHABLE = (502, "upstream_unreachable")
_TIMEOUT = (504, "upstream_timeout")


@dataclass(frozen=True)
class Row:
    """A bad end, and what the client may get: one of the refusals or, if there are none, an answer that breaks off."""

    name: str
    script: Script
    refusals: tuple[tuple[int, str], ...] = ()
    deadline: str = ""


def _head(*lines: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"", b""])


_HALF_HEAD = b"HTTP/1.1 200 OK\r\nContent-Le"
_BODIES = {
    "before a body by length": _head(b"Content-Length: 10"),
    "in a body by length": _head(b"Content-Length: 10") + b"12345",
    "before chunks": _head(b"Transfer-Encoding: chunked"),
    "in a chunk": _head(b"Transfer-Encoding: chunked") + b"a\r\n12345",
    "before the last chunk": _head(b"Transfer-Encoding: chunked") + b"5\r\n12345\r\n",
    "in the trailers": _head(b"Transfer-Encoding: chunked") + b"5\r\n12345\r\n0\r\nX: y",
}
_NO_ANSWER = (_INVALID, _UNREACHABLE)

_ROWS = [
    Row("closes at once", Script(then=Then.CLOSE, when=When.ACCEPTED), _NO_ANSWER),
    Row("resets at once", Script(then=Then.RESET, when=When.ACCEPTED), _NO_ANSWER),
    Row("half-closes at once", Script(then=Then.HALF_CLOSE, when=When.ACCEPTED), _NO_ANSWER),
    Row("closes in the request", Script(then=Then.CLOSE, when=When.FIRST_BYTE), _NO_ANSWER),
    Row("resets in the request", Script(then=Then.RESET, when=When.FIRST_BYTE), _NO_ANSWER),
    Row("closes in place of an answer", Script(then=Then.CLOSE), _NO_ANSWER),
    Row("resets in place of an answer", Script(then=Then.RESET), _NO_ANSWER),
    Row("half-closes in place of an answer", Script(then=Then.HALF_CLOSE), _NO_ANSWER),
    Row("says nothing", Script(), (_TIMEOUT,), "first_byte_seconds"),
    Row("closes in the head", Script(_HALF_HEAD, Then.CLOSE), (_INVALID,)),
    Row("resets in the head", Script(_HALF_HEAD, Then.RESET), _NO_ANSWER),
    Row("half-closes in the head", Script(_HALF_HEAD, Then.HALF_CLOSE), (_INVALID,)),
    Row("stalls in the head", Script(_HALF_HEAD), (_TIMEOUT,), "first_byte_seconds"),
    Row("stalls after an interim answer", Script(b"HTTP/1.1 103 H\r\n\r\n"), (_TIMEOUT,), "first_byte_seconds"),
    *[
        Row(f"{how.name.lower()}s {where}", Script(data, how))
        for where, data in _BODIES.items()
        for how in (Then.CLOSE, Then.RESET, Then.HALF_CLOSE)
    ],
    *[Row(f"stalls {where}", Script(data), (), "upstream_idle_seconds") for where, data in _BODIES.items()],
    Row("resets in a body without framing", Script(_head() + b"12345", Then.RESET)),
    Row("stalls in a body without framing", Script(_head() + b"12345"), (), "upstream_idle_seconds"),
]


@pytest.mark.parametrize("row", _ROWS, ids=[row.name for row in _ROWS])
async def test_bad_end_of_an_upstream_is_told_or_breaks_the_answer_off(row: Row) -> None:
    settings = hasty(row.deadline) if row.deadline else PATIENT
    async with stage(settings, row.script) as play, client(play.proxy.address) as asking:
        await asking.send(request("/odd", "Connection: close"))
        answers, rest = await answers_of(asking)
        _check(row, answers, rest, play.recorded)
        assert play.outcomes == [ExchangeOutcome.UPSTREAM_FAILED]
        await play.upstream.lost.wait()


def _check(row: Row, answers: list[Message], rest: bytes, recorded: list[tuple[int, tuple[str, ...]]]) -> None:
    if row.refusals:
        assert rest == b""
        (told,) = [refusal(answer) for answer in answers]
        assert told in row.refusals
        assert [status for status, _ in recorded] == [told[0]]
    else:
        # The head is out already, so what follows must not look like a whole answer.
        assert rest.startswith(b"HTTP/1.1 200")
        assert answers == []
        assert recorded == [(200, ("upstream_broke_off",))]


async def test_old_client_whose_answer_breaks_off_gets_a_reset() -> None:
    """Without chunks and without a length only a reset can say that the answer is not whole."""
    script = Script(_head() + b"12345", Then.RESET)
    async with stage(PATIENT, script) as play, client(play.proxy.address) as old:
        await old.send(request("/odd", version="HTTP/1.0"))
        with pytest.raises(ConnectionResetError):
            await _read_to_the_end(old)


async def _read_to_the_end(old: Client) -> None:
    while await old.read():
        pass


async def test_upstream_that_refuses_is_unreachable() -> None:
    url = f"http://127.0.0.1:{unused_port()}"
    async with stage(PATIENT, upstream_url=url) as play, client(play.proxy.address) as asking:
        await asking.send(request("/odd", "Connection: close"))
        (answer,), _ = await answers_of(asking)
        assert refusal(answer) == _UNREACHABLE
        assert (play.statuses, play.outcomes) == ([502], [ExchangeOutcome.UPSTREAM_FAILED])


async def test_upstream_that_lets_nobody_in_is_given_up() -> None:
    async with full_house() as (host, port):
        settings = hasty("connect_seconds")
        async with (
            stage(settings, upstream_url=f"http://{host}:{port}") as play,
            client(play.proxy.address) as asking,
        ):
            await asking.send(request("/odd", "Connection: close"))
            (answer,), _ = await answers_of(asking)
            assert refusal(answer) == _TIMEOUT
            assert play.statuses == [504]


_EARLY = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno"


@pytest.mark.parametrize("then", [Then.STAY, Then.CLOSE, Then.HALF_CLOSE], ids=["stays", "closes", "half-closes"])
@pytest.mark.parametrize("framing", ["Content-Length: 8388608", "Transfer-Encoding: chunked"], ids=["length", "chunks"])
async def test_answer_that_comes_before_the_request_is_whole_reaches_the_client(framing: str, then: Then) -> None:
    script = Script(_EARLY, then, when=When.FIRST_BYTE)
    async with stage(PATIENT, script) as play, client(play.proxy.address) as sending:
        await sending.send(request("/odd", framing, method="POST"))
        part = b"x" * 65536
        piece = part if "Length" in framing else b"10000\r\n%b\r\n" % part
        await sending.send(piece)
        (answer,), rest = await answers_of(sending, "POST")
        assert (answer.status, answer.body, rest) == (413, b"no", b"")
        assert play.statuses == [413]


async def test_answer_that_comes_early_does_not_put_the_connection_out_of_step() -> None:
    """The rest of the body is no request, whatever it looks like."""
    hidden = request("/hidden", environment="good")
    script = Script(_EARLY, when=When.FIRST_BYTE)
    async with stage(PATIENT, script) as play, client(play.proxy.address) as sending:
        await sending.send(request("/odd", f"Content-Length: {len(hidden) + 1}", method="POST") + b"x")
        read = await sending.read()
        assert read.startswith(b"HTTP/1.1 413")
        try:
            await sending.send(hidden)
            sending.half_close()
        except OSError:
            # Cut already, which is fine too.
            pass
        assert b"HTTP/1.1" not in await sending.read_all()
        assert [each.path for each in play.proxy.journal.exchanges if each.path == "/hidden"] == []


@asynccontextmanager
async def _silent_service() -> AsyncIterator[int]:
    """Accepts connections, reads, and says nothing."""
    tasks: set[asyncio.Task[None]] = set()

    async def read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(-1)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(read(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def test_handshake_that_stalls_is_given_up() -> None:
    async with (
        _silent_service() as port,
        stage(hasty("connect_seconds"), upstream_url=f"https://127.0.0.1:{port}") as play,
        client(play.proxy.address) as asking,
    ):
        await asking.send(request("/odd", "Connection: close"))
        (answer,), _ = await answers_of(asking)
        assert refusal(answer) == _TIMEOUT
        assert play.statuses == [504]


async def test_service_that_does_not_speak_tls_is_not_trusted() -> None:
    script = Script(b"HTTP/1.1 400 Plain\r\n\r\n", Then.CLOSE, when=When.FIRST_BYTE)
    async with (
        scripted_upstream(script) as plain,
        stage(PATIENT, upstream_url=plain.url.replace("http:", "https:")) as play,
        client(play.proxy.address) as asking,
    ):
        await asking.send(request("/odd", "Connection: close"))
        (answer,), _ = await answers_of(asking)
        assert refusal(answer) == (502, "upstream_untrusted")
        assert play.statuses == [502]


async def test_certificate_of_somebody_else_is_not_trusted() -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=_own_certificate())
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, stage(PATIENT, upstream_url=url) as play, client(play.proxy.address) as asking:
        await asking.send(request("/odd", "Connection: close"))
        (answer,), _ = await answers_of(asking)
        assert refusal(answer) == (502, "upstream_untrusted")
        assert play.statuses == [502]


def _own_certificate() -> ssl.SSLContext:
    """A certificate that nobody else knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context
