"""A whole server in one process: the only place that joins the rooms.

The order is the point. Nothing is bound before the data directory is ours, nobody is told an address before it accepts,
and the first key is made last, when nothing can fail any more, because it is shown only once. A stop goes backwards.
"""

import asyncio
import contextlib
import errno
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
from understudy_gateway.app import build_app
from understudy_gateway.dialects.flagbridge.settings import FlagBridgeSettings

from understudy_server.app.host import Host
from understudy_server.app.sweep import sweep
from understudy_server.cli import collector
from understudy_server.cli.addresses import LOOPBACK, Address, http_url, shown
from understudy_server.cli.bound import ASSERTIVE_PLACE
from understudy_server.cli.embedded import Rooms, clock, open_rooms
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.http_listener import HttpListener
from understudy_server.cli.observing import Observing
from understudy_server.cli.owners import Owners
from understudy_server.cli.sample_names import PREFIX, has_keys, wants_upstream
from understudy_server.cli.settings import Settings
from understudy_server.cli.target import OWNER_SOCKET, SECURE
from understudy_server.cli.tls import Identity
from understudy_server.core.errors import StorageFailure
from understudy_server.live.view import LiveView
from understudy_server.proxy.explaining import ViewExplainer
from understudy_server.proxy.listener import ProxyListener
from understudy_server.rpc.dispatcher import Dispatcher
from understudy_server.rpc.grpc_server import GrpcServer, Ready
from understudy_server.telemetry.health import Phase

if TYPE_CHECKING:
    from understudy_gateway.dialects.assertive.preload import Preloaded

    from understudy_server.cli.peer import Peer
    from understudy_server.cli.served_file import ServedFile
    from understudy_server.proxy.handover import Handover

_SOCKET_PATH_BYTES_MAX = 107
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Running:
    """A server that accepts. ``first_key`` is the text of the key made for a new store, empty otherwise.

    Addresses are plain (``HOST:PORT``), or over TLS with their scheme in front. ``bound`` has those of single
    environments, by ``project/environment``.
    """

    grpc: str
    rest: str
    proxy: str
    sample_made: bool
    first_key: str
    bound: Mapping[str, str] = field(default_factory=dict)
    read_again: Callable[[], None] | None = None
    """Reads the file of the server again and applies it, changed or not; ``None`` without one."""
    assertive: str = ""
    """Where clients of the Assertive mock API are answered, empty when nowhere."""
    metrics: str = ""
    """Where metrics are, empty when nowhere."""
    drain: Callable[[], Awaitable[None]] | None = None
    """Says that it takes no new work, and gives whoever sends work the time to hear of it."""


@asynccontextmanager
async def running(
    settings: Settings, announce: Callable[[str], None], config: Path | None = None
) -> AsyncIterator[Running]:
    """Run a server until the block ends; ``announce`` gets one line per listener. Raises CommandFailed.

    What the file ``config`` declares is in force before anything accepts, and followed from then on.
    """
    check_free(settings)
    stubs = _read_stubs(settings)
    async with AsyncExitStack() as stopping:
        file = await _read_file(stopping, config, settings, announce) if config else None
        rooms = await stopping.enter_async_context(
            open_rooms(
                settings.data, settings.durability, settings.for_journal(), settings.quota(), settings.for_disk()
            )
        )
        if settings.ready_file:
            # One that a killed process left behind would tell of addresses where nobody is.
            settings.ready_file.unlink(missing_ok=True)
        await _set_plan(rooms, settings)
        host = rooms.host(clock(), file.watched) if file else rooms.host(clock())
        view = LiveView(rooms.store)
        rooms.rules.follow(view)
        explainer = ViewExplainer(view, rooms.state, settings.for_proxy())
        observing = await Observing.begin(stopping, rooms, view, counts=settings.metrics is not None)
        observe, scope_rates = observing.calls.observe, settings.scope_rates()
        dispatcher = rooms.dispatcher(settings.api_rate, host, explainer, observe, scope_rates)
        is_filled = file is not None and await file.begin(dispatcher, rooms.store)
        sample_made = await _provide_sample(stopping, rooms, settings, may_make=not is_filled)
        await _start_sweeping(stopping, rooms, settings)
        ready = observing.health.ready
        owner_door = await _start_owner_socket(stopping, dispatcher, settings, ready)
        grpc_door, grpc_at = await _start_grpc(stopping, dispatcher, settings, ready)
        host.add_listener("grpc", grpc_at)
        announce(f"gRPC   accepts on {grpc_at}")
        bridge = settings.for_flagbridge(Owners(dispatcher))
        app = build_app(dispatcher, body_bytes_max=settings.rest_body_bytes_max, ready=ready, flagbridge=bridge)
        rest = await _listen_http(stopping, app, settings.rest, "rest", settings, settings.rest_tls)
        host.add_listener("rest", rest)
        announce(f"REST   accepts on {http_url(rest)}/api/v1")
        listener = await _make_proxy(stopping, rooms, view, settings, observing)
        proxy = await _listen_proxy(listener, "proxy", settings.proxy, settings.proxy_tls)
        host.add_listener("proxy", proxy)
        announce(f"proxy  accepts on {http_url(proxy)}/<project>/<environment>/")
        bound = {}
        for each in settings.proxy_bound:
            at = await _listen_proxy(listener, "proxy-bound", each.address, settings.proxy_tls, each.slugs)
            bound[each.place] = at
            host.add_listener("proxy", at, each.place)
            announce(f"proxy  accepts on {http_url(at)}/ for {each.place}")
        assertive = await _listen_assertive(stopping, dispatcher, listener, settings, stubs)
        if assertive:
            host.add_listener("assertive", assertive, "/".join(ASSERTIVE_PLACE))
            announce(f"Assertive mock API at {http_url(assertive)}/__mock__ and /__admin__, open without a key")
        metrics = await _start_metrics(stopping, observing, host, listener, settings)
        if metrics:
            host.add_listener("metrics", metrics)
            announce(f"metrics are at {http_url(metrics)}/metrics")
        first_key = "" if await has_keys(rooms) else await _make_first_key(rooms)
        # Before any listener stops: calls that wait would hold the doors open until their grace time is over.
        stopping.callback(dispatcher.end_waits)
        collector.calm()
        read_again = await file.follow(stopping) if file else None
        observing.health.phase = Phase.SERVING
        doors = (owner_door, grpc_door)
        for door in doors:
            await door.take_work()

        async def drain() -> None:
            observing.health.phase = Phase.STOPPING
            for door in doors:
                await door.drain()
            await asyncio.sleep(settings.drain_seconds)

        # Even where nobody has it drained: from the first listener that stops, it takes no new work.
        stopping.callback(setattr, observing.health, "phase", Phase.STOPPING)
        yield Running(grpc_at, rest, proxy, sample_made, first_key, bound, read_again, assertive, metrics, drain)


@asynccontextmanager
async def running_gateway(
    behind: "Peer", rest: Address, tls: Identity | None = None, flagbridge: FlagBridgeSettings | None = None
) -> AsyncIterator[str]:
    """Run the REST door for a server elsewhere until the block ends; gives its address. Raises CommandFailed."""
    from understudy_gateway.channel import ChannelBackend

    async with AsyncExitStack() as stopping:
        backend = ChannelBackend(str(behind.address), credentials=behind.credentials)
        stopping.push_async_callback(backend.close)
        app = build_app(backend, ready=backend.ready, flagbridge=flagbridge)
        yield await _listen_http(stopping, app, rest, "rest", Settings(), tls)


def check_free(settings: Settings) -> None:
    """Refuse addresses that are taken before anything is made. Raises CommandFailed."""
    for flag, address in settings.listeners():
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address.host, address.port))
            except OSError as error:
                raise _not_bound(flag, address, error) from error


def _not_bound(flag: str, address: Address, error: OSError) -> CommandFailed:
    if error.errno == errno.EADDRINUSE:
        advice = f"Stop what listens there, or choose another with --{flag} (0: any free port)."
        return CommandFailed(ExitCode.REFUSED, f"port {address.port} of {address.host} is in use (--{flag})", advice)
    reason = error.strerror or str(error)
    advice = f"Choose another address with --{flag}."
    return CommandFailed(ExitCode.REFUSED, f"cannot listen on {address} (--{flag}): {reason}", advice)


async def _read_file(
    stopping: AsyncExitStack, path: Path, settings: Settings, announce: Callable[[str], None]
) -> "ServedFile":
    """Read the file of the server. Raises CommandFailed with all that is wrong with it."""
    # What reads YAML and follows files: most servers have none.
    from understudy_server.cli.served_file import served_file

    return await stopping.enter_async_context(served_file(path, settings.plan, announce))


async def _set_plan(rooms: Rooms, settings: Settings) -> None:
    plan = settings.plan
    if plan is not None and await rooms.store.read(lambda tx: tx.plan()) != plan:
        await rooms.store.write(lambda tx: tx.set_plan(plan))


async def _provide_sample(stopping: AsyncExitStack, rooms: Rooms, settings: Settings, *, may_make: bool) -> bool:
    """Run the sample's service where the sample is in use or about to be made; True when it was made now."""
    if not await wants_upstream(rooms, may_make=may_make):
        return False
    from understudy_server.cli.sample import make_sample
    from understudy_server.cli.sample_upstream import sample_upstream

    address = await _listen_http(stopping, sample_upstream, Address(LOOPBACK, 0), "sample", settings)
    return await make_sample(rooms, f"http://{address}{PREFIX}", may_make=may_make)


async def _make_first_key(rooms: Rooms) -> str:
    from understudy_server.cli.sample import make_first_key

    return await make_first_key(rooms)


async def _listen_http(
    stopping: AsyncExitStack,
    app: object,
    address: Address,
    flag: str,
    settings: Settings,
    identity: Identity | None = None,
) -> str:
    tls = identity.context if identity else None
    try:
        listener = await HttpListener.start(app, address, settings.stop_grace_seconds, settings.for_rest(), tls)
    except OSError as error:
        raise _not_bound(flag, address, error) from error
    stopping.push_async_callback(listener.stop)
    return shown(listener.address, "https", is_secure=tls is not None)


async def _start_grpc(
    stopping: AsyncExitStack, dispatcher: Dispatcher, settings: Settings, ready: Ready
) -> tuple[GrpcServer, str]:
    server, identity = GrpcServer(dispatcher, ready=ready), settings.grpc_tls
    credentials = grpc.ssl_server_credentials([(identity.key, identity.chain)]) if identity else None
    try:
        bound = await server.start(str(settings.grpc), credentials)
    except OSError as error:
        raise _not_bound("grpc", settings.grpc, error) from error
    stopping.push_async_callback(server.stop, settings.stop_grace_seconds)
    return server, f"{SECURE}{bound}" if identity else bound


async def _start_owner_socket(
    stopping: AsyncExitStack, dispatcher: Dispatcher, settings: Settings, ready: Ready
) -> GrpcServer:
    """Answer the command line of this machine over a socket in the data directory, for its owner only."""
    path = settings.data.absolute() / OWNER_SOCKET
    if len(os.fsencode(path)) > _SOCKET_PATH_BYTES_MAX:
        advice = f"Choose a --data directory with a shorter path: {path} has more than {_SOCKET_PATH_BYTES_MAX} bytes."
        raise CommandFailed(ExitCode.REFUSED, "the path of the owner's socket is too long", advice)
    # The directory is locked by us, so a socket that is there was left behind by a process that died.
    path.unlink(missing_ok=True)
    server = GrpcServer(dispatcher, owner=True, ready=ready)
    try:
        await server.start(f"unix:{path}")
    except OSError as error:
        raise CommandFailed(ExitCode.REFUSED, f"cannot make the owner's socket {path}: {error}") from error
    stopping.callback(path.unlink, missing_ok=True)
    stopping.push_async_callback(server.stop, settings.stop_grace_seconds)
    return server


async def _start_metrics(
    stopping: AsyncExitStack, observing: Observing, host: Host, proxy: ProxyListener, settings: Settings
) -> str:
    """Serve metrics where the settings say; the empty text when nowhere."""
    if settings.metrics is None:
        return ""
    app = observing.metrics_app(stopping, host, proxy)
    return await _listen_http(stopping, app, settings.metrics, "metrics", settings)


async def _make_proxy(
    stopping: AsyncExitStack, rooms: Rooms, view: LiveView, settings: Settings, observing: Observing
) -> ProxyListener:
    # Now, because with a large library the first request would be late.
    await view.catch_up()
    listener = ProxyListener(
        view,
        observing.recorder(),
        rooms.presence,
        clock=clock,
        state=rooms.state,
        new_id=rooms.new_id,
        settings=settings.for_proxy(),
        traces=observing.proxy_traces,
    )
    stopping.push_async_callback(listener.stop)
    return listener


async def _listen_proxy(
    listener: ProxyListener,
    flag: str,
    address: Address,
    identity: Identity | None,
    bound: tuple[str, str] | None = None,
    handover: "Handover | None" = None,
) -> str:
    tls = identity.context if identity else None
    try:
        host, port = await listener.listen(address.host, address.port, tls=tls, bound=bound, handover=handover)
    except OSError as error:
        raise _not_bound(flag, address, error) from error
    return shown(Address(host, port), "https", is_secure=tls is not None)


def _read_stubs(settings: Settings) -> "list[Preloaded]":
    """Read the stubs that are there from the start, before anything is made. Raises CommandFailed."""
    if settings.init_stubs is None:
        return []
    from understudy_server.cli.assertive import read_stubs

    return read_stubs(settings.init_stubs)


async def _listen_assertive(
    stopping: AsyncExitStack,
    dispatcher: Dispatcher,
    proxy: ProxyListener,
    settings: Settings,
    stubs: "list[Preloaded]",
) -> str:
    """Answer clients of the Assertive mock API where the settings say; the empty text when nowhere."""
    if settings.assertive is None:
        return ""
    from understudy_server.cli.assertive import open_door

    handover = await open_door(stopping, dispatcher, settings, stubs)
    return await _listen_proxy(proxy, "assertive", settings.assertive, None, ASSERTIVE_PLACE, handover)


async def _start_sweeping(stopping: AsyncExitStack, rooms: Rooms, settings: Settings) -> None:
    task = asyncio.create_task(_sweep_for_ever(rooms, settings))

    async def end() -> None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    stopping.push_async_callback(end)


async def _sweep_for_ever(rooms: Rooms, settings: Settings) -> None:
    while True:
        await asyncio.sleep(settings.sweep_interval_seconds)
        try:
            await sweep(rooms.store, rooms.presence, rooms.state, clock(), settings.session_idle_seconds * 1_000)
            await rooms.store.trim()
        except StorageFailure as error:
            # The next round tries again; nobody waits for this one.
            _log.warning("ended sessions were not removed: %s", error)
