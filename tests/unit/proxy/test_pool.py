"""The pool on real sockets: what is used again, who waits, and who gets nothing."""

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from support.played_upstream import Line, PlayedUpstream, played_upstream
from support.proxying import unused_port
from support.tls import Authority
from support.vanishing import eventually, full_house
from understudy_server.core.allow_list import AllowList
from understudy_server.proxy.forwarding import Origin
from understudy_server.proxy.messages import AnswerHead, Refused
from understudy_server.proxy.pool import Pool
from understudy_server.proxy.settings import ProxySettings
from understudy_server.proxy.upstream import UpstreamConnection
from understudy_server.proxy.watch import Watch

_GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class _User:
    """Wants a connection, and sends one request on it. Fills ``Applicant`` and ``User``."""

    def __init__(self) -> None:
        self.connection: UpstreamConnection | None = None
        self.refused: Refused | None = None
        self.stale = False
        self.told: list[str] = []
        self.body = b""
        self._settled = asyncio.Event()
        self._over = asyncio.Event()

    def connected(self, connection: UpstreamConnection) -> None:
        self.connection = connection
        self._settled.set()

    def unconnected(self, refused: Refused) -> None:
        self.refused = refused
        self._settled.set()

    async def outcome(self) -> UpstreamConnection | Refused:
        """The connection, or why there is none."""
        await asyncio.wait_for(self._settled.wait(), 10)
        outcome = self.connection or self.refused
        assert outcome is not None
        return outcome

    async def has_connection(self) -> UpstreamConnection:
        outcome = await self.outcome()
        assert isinstance(outcome, UpstreamConnection)
        return outcome

    def ask(self, method: str = "GET") -> None:
        assert self.connection is not None
        self.connection.begin(self, method, upgrade=False)
        self.connection.send(_GET, last=True)

    async def answer(self) -> list[str]:
        """What was told, once the answer is whole or there will be none."""
        await asyncio.wait_for(self._over.wait(), 10)
        return self.told

    def answered(self, head: AnswerHead, data: bytes, *, last: bool) -> None:
        self.told.append(f"answered {head.status}")
        self._add(data, last=last)

    def more(self, data: bytes, *, last: bool) -> None:
        self.told.append("more")
        self._add(data, last=last)

    def _add(self, data: bytes, *, last: bool) -> None:
        self.body += data
        if last:
            self._over.set()

    def broken(self, refused: Refused, *, stale: bool) -> None:
        self.told.append("broken")
        self.refused, self.stale = refused, stale
        self._over.set()

    def upstream_full(self) -> None:
        self.told.append("full")

    def upstream_ready(self) -> None:
        self.told.append("ready")


@dataclass
class _Bench:
    """A pool, and a service that the test plays."""

    pool: Pool
    service: PlayedUpstream
    settings: ProxySettings
    users: list[_User] = field(default_factory=list)

    @property
    def origin(self) -> Origin:
        return Origin(self.service.scheme == "https", "127.0.0.1", self.service.port)

    def want(self, origin: Origin | None = None, *, fresh: bool = False) -> tuple[_User, Callable[[], None]]:
        user = _User()
        return user, self.pool.lease(origin or self.origin, user, fresh=fresh)

    async def use(self) -> tuple[_User, Line]:
        """A user with a new connection, and the service's end of it."""
        user, _ = self.want()
        await user.has_connection()
        return user, await self.service.line()

    async def exchange(self, user: _User, line: Line) -> None:
        """One request and its answer; afterwards the connection is free."""
        user.ask()
        await line.request()
        line.send()
        await user.answer()


@asynccontextmanager
async def _bench(**settings: object) -> AsyncIterator[_Bench]:
    made = ProxySettings(tick_seconds=0.01, **settings)  # type: ignore[arg-type]
    async with played_upstream() as service:
        pool = Pool(made, Watch(asyncio.get_running_loop(), made.tick_seconds))
        try:
            yield _Bench(pool, service, made)
        finally:
            await pool.close()
    assert pool.open_connections == 0


async def test_free_connection_is_used_again_at_once() -> None:
    async with _bench() as bench:
        first, line = await bench.use()
        await bench.exchange(first, line)
        second, _ = bench.want()
        # No waiting: it is handed over within the call.
        assert second.connection is first.connection
        await bench.exchange(second, line)
        assert bench.service.connections == 1


async def test_connection_used_last_is_used_first() -> None:
    async with _bench() as bench:
        uses = [await bench.use() for _ in range(3)]
        for user, line in uses:
            await bench.exchange(user, line)
        again = [bench.want()[0].connection for _ in range(3)]
        assert again == [user.connection for user, _ in reversed(uses)]


async def test_connection_that_was_not_used_before_can_be_had() -> None:
    async with _bench() as bench:
        first, line = await bench.use()
        await bench.exchange(first, line)
        second, _ = bench.want(fresh=True)
        assert await second.has_connection() is not first.connection


async def test_connection_that_was_not_used_before_can_be_had_when_all_there_may_be_are_unused_now() -> None:
    async with _bench(upstream_connections_max=1) as bench:
        first, line = await bench.use()
        await bench.exchange(first, line)
        second, _ = bench.want(fresh=True)
        assert await second.has_connection() is not first.connection


async def test_who_waits_in_line_for_a_connection_that_was_not_used_gets_none_that_was() -> None:
    async with _bench(upstream_connections_max=1) as bench:
        first, line = await bench.use()
        second, _ = bench.want(fresh=True)
        await bench.exchange(first, line)
        assert await second.has_connection() is not first.connection


async def test_upstreams_do_not_share_connections() -> None:
    async with _bench() as bench, played_upstream() as other:
        first, line = await bench.use()
        await bench.exchange(first, line)
        second, _ = bench.want(Origin(tls=False, host="127.0.0.1", port=other.port))
        assert await second.has_connection() is not first.connection


async def test_more_than_the_bound_wait_in_line_and_are_served_in_their_order() -> None:
    async with _bench(upstream_connections_max=1) as bench:
        holder, line = await bench.use()
        waiting = [bench.want()[0] for _ in range(3)]
        assert bench.pool.open_connections == 1
        for user in waiting:
            assert user.connection is None
            await bench.exchange(holder, line)
            assert user.connection is holder.connection
            holder = user
        assert bench.service.connections == 1


async def test_answer_is_not_mixed_up_when_the_next_user_asks_within_the_hand_over() -> None:
    class Eager(_User):
        def connected(self, connection: UpstreamConnection) -> None:
            super().connected(connection)
            self.ask()

    async with _bench(upstream_connections_max=1) as bench:
        first, line = await bench.use()
        second = Eager()
        bench.pool.lease(bench.origin, second)
        first.ask()
        await line.request()
        line.send(b"HTTP/1.1 201 Made\r\nContent-Length: 4\r\n\r\nab")
        await eventually(lambda: bool(first.told), "the head is not told")
        line.send(b"cd")
        await first.answer()
        await line.request()
        line.send()
        await eventually(lambda: bool(second.body), "the second has no answer")
    assert (first.told, first.body) == (["answered 201", "more"], b"abcd")
    assert (second.told, second.body) == (["answered 200"], b"ok")


async def test_who_wants_nothing_any_more_is_passed_over() -> None:
    async with _bench(upstream_connections_max=1) as bench:
        holder, line = await bench.use()
        gone, withdraw = bench.want()
        next_one, _ = bench.want()
        withdraw()
        withdraw()
        await bench.exchange(holder, line)
        assert next_one.connection is holder.connection
        assert (gone.connection, gone.refused) == (None, None)


async def test_connection_that_nobody_wants_any_more_is_not_made() -> None:
    async with full_house() as (host, port), _bench() as bench:
        user, withdraw = bench.want(Origin(tls=False, host=host, port=port))
        assert bench.pool.open_connections == 1
        withdraw()
        await eventually(lambda: bench.pool.open_connections == 0, "it is still being made")
        assert (user.connection, user.refused) == (None, None)


async def test_end_of_a_connection_makes_room_for_the_first_in_line() -> None:
    async with _bench(upstream_connections_max=1) as bench:
        holder, line = await bench.use()
        waiting, _ = bench.want()
        line.end()
        assert await waiting.has_connection() is not holder.connection


async def test_released_connection_is_cut_and_makes_room() -> None:
    async with _bench(upstream_connections_max=1) as bench:
        holder, line = await bench.use()
        waiting, _ = bench.want()
        assert holder.connection is not None
        holder.ask()
        holder.connection.release()
        await waiting.has_connection()
        await line.ended()
        assert holder.told == []


async def test_who_waits_in_line_for_too_long_is_told_that_it_is_busy() -> None:
    async with _bench(upstream_connections_max=1, connect_seconds=0.05) as bench:
        await bench.use()
        waiting, _ = bench.want()
        outcome = await waiting.outcome()
        assert isinstance(outcome, Refused)
        assert (outcome.status, outcome.code) == (504, "upstream_busy")


async def test_no_more_unused_connections_are_kept_than_may_be() -> None:
    async with _bench(upstream_idle_connections_max=1) as bench:
        uses = [await bench.use() for _ in range(3)]
        for user, line in uses:
            await bench.exchange(user, line)
        await uses[1][1].ended()
        await uses[2][1].ended()
        assert bench.want()[0].connection is uses[0][0].connection


async def test_unused_connection_is_closed_after_a_while() -> None:
    async with _bench(upstream_keep_seconds=0.02) as bench:
        user, line = await bench.use()
        await bench.exchange(user, line)
        await line.ended()
        await eventually(lambda: bench.pool.open_connections == 0, "it is still counted")


async def test_connection_on_which_a_request_is_slow_is_not_taken_for_unused() -> None:
    async with _bench(upstream_keep_seconds=0.01, first_byte_seconds=10) as bench:
        user, line = await bench.use()
        await bench.exchange(user, line)
        user, _ = bench.want()
        user.ask()
        await line.request()
        # As long as it takes others to be closed, and more.
        other, other_line = await bench.use()
        await bench.exchange(other, other_line)
        await other_line.ended()
        line.send()
        assert await user.answer() == ["answered 200"]


async def test_connection_that_the_upstream_closed_is_not_used_again() -> None:
    async with _bench() as bench:
        first, line = await bench.use()
        await bench.exchange(first, line)
        line.end()
        await eventually(lambda: bench.pool.open_connections == 0, "the end is not noticed")
        second, _ = bench.want()
        assert await second.has_connection() is not first.connection


@pytest.mark.parametrize("stray", [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", b"\x00"])
async def test_connection_on_which_something_came_unasked_is_not_used_again(stray: bytes) -> None:
    async with _bench() as bench:
        first, line = await bench.use()
        await bench.exchange(first, line)
        line.send(stray)
        await line.ended()
        second, _ = bench.want()
        assert await second.has_connection() is not first.connection


async def test_bytes_that_nobody_has_read_yet_are_not_taken_for_the_next_answer() -> None:
    async with _bench() as bench:
        first, line = await bench.use()
        await bench.exchange(first, line)
        # Within one step of the event loop, so that it has no chance to read them.
        os.write(line.socket.fileno(), b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        second, _ = bench.want()
        assert await second.has_connection() is not first.connection


async def test_end_that_nobody_has_read_yet_is_noticed() -> None:
    async with _bench() as bench:
        first, line = await bench.use()
        await bench.exchange(first, line)
        line.socket.shutdown(socket.SHUT_WR)
        second, _ = bench.want()
        assert await second.has_connection() is not first.connection


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok!",
    ],
    ids=["says that it closes", "old server", "more than was asked for"],
)
async def test_connection_after_such_an_answer_is_closed(answer: bytes) -> None:
    async with _bench() as bench:
        user, line = await bench.use()
        user.ask()
        await line.request()
        line.send(answer)
        assert await user.answer() == ["answered 200"]
        await line.ended()


@pytest.mark.parametrize(("used", "then"), [(True, "end"), (True, "reset"), (False, "end"), (False, "reset")])
async def test_only_a_used_connection_can_have_gone_stale(then: str, *, used: bool) -> None:
    async with _bench() as bench:
        user, line = await bench.use()
        if used:
            await bench.exchange(user, line)
            user, _ = bench.want()
        user.ask()
        await line.request()
        getattr(line, then)()
        assert await user.answer() == ["broken"]
        assert user.stale is used
        assert user.refused is not None
        assert user.refused.status == 502


async def test_connection_that_ends_within_an_answer_has_not_gone_stale() -> None:
    async with _bench() as bench:
        user, line = await bench.use()
        await bench.exchange(user, line)
        user, _ = bench.want()
        user.ask()
        await line.request()
        line.send(b"HTTP/1.1 ")
        await asyncio.sleep(0)
        line.end()
        assert await user.answer() == ["broken"]
        assert not user.stale


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 64 + ".invalid", "\u2603..", "127.0.0.1"])
async def test_upstream_that_is_nowhere_is_unreachable(host: str) -> None:
    async with _bench() as bench:
        user, _ = bench.want(Origin(tls=False, host=host, port=unused_port()))
        outcome = await user.outcome()
    assert isinstance(outcome, Refused)
    assert (outcome.status, outcome.code) == (502, "upstream_unreachable")


async def test_upstream_that_lets_nobody_in_is_given_up() -> None:
    async with full_house() as (host, port), _bench(connect_seconds=0.05) as bench:
        user, _ = bench.want(Origin(tls=False, host=host, port=port))
        outcome = await user.outcome()
    assert isinstance(outcome, Refused)
    assert (outcome.status, outcome.code) == (504, "upstream_timeout")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize(("allowed", "admitted"), [("10.0.0.0/8", False), ("127.0.0.0/8, ::1", True)])
async def test_address_is_connected_to_only_if_it_is_on_the_list(host: str, allowed: str, *, admitted: bool) -> None:
    async with _bench(upstream_allow=AllowList.parse(allowed)) as bench:
        user, _ = bench.want(Origin(tls=False, host=host, port=bench.service.port))
        outcome = await user.outcome()
        if admitted:
            assert isinstance(outcome, UpstreamConnection)
        else:
            assert isinstance(outcome, Refused)
            assert (outcome.status, outcome.code) == (502, "upstream_forbidden")
            assert bench.service.connections == 0


@pytest.mark.parametrize(
    ("trusting", "name", "status"),
    [(True, "127.0.0.1", 0), (False, "127.0.0.1", 502), (True, "elsewhere.example.com", 502)],
    ids=["trusted", "untrusted", "another's"],
)
async def test_certificate_of_an_upstream_is_checked(name: str, status: int, tmp_path: Path, *, trusting: bool) -> None:
    authority = Authority.make(tmp_path / "ours")
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(authority.identity(name))
    trust = authority.trust() if trusting else Authority.make(tmp_path / "others").trust()
    settings = ProxySettings(upstream_tls=trust)
    async with played_upstream(served) as service:
        pool = Pool(settings, Watch(asyncio.get_running_loop(), 0.01))
        bench = _Bench(pool, service, settings)
        try:
            user, _ = bench.want()
            outcome = await user.outcome()
            if status:
                assert isinstance(outcome, Refused)
                assert (outcome.status, outcome.code) == (status, "upstream_untrusted")
            else:
                await bench.exchange(user, await service.line())
                assert user.body == b"ok"
        finally:
            await pool.close()


async def test_connection_whose_answer_ends_while_nothing_is_to_be_read_is_not_used_again() -> None:
    """Some event loops tell of bytes that they had read already; the next user would never hear of anything."""
    async with _bench() as bench:
        user, _ = await bench.use()
        user.ask()
        connection = await user.has_connection()
        connection.data_received(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no")
        connection.pause()
        connection.data_received(b"k")
        assert user.body == b"ok"
        other, _ = bench.want()
        assert await other.has_connection() is not connection


async def test_close_leaves_nothing_and_nobody_waiting() -> None:
    async with full_house() as (host, port), _bench(upstream_connections_max=1) as bench:
        user, line = await bench.use()
        bench.want()
        stuck, _ = bench.want(Origin(tls=False, host=host, port=port))
        user.ask()
        await bench.pool.close()
        assert bench.pool.open_connections == 0
        assert stuck.connection is None
        assert user.told == ["broken"]
        await line.ended()
