"""From start to stop: what a serving command prints, whom it tells that it accepts, and how it ends on a signal."""

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop
from understudy_gateway.dialects.flagbridge.settings import FlagBridgeSettings

from understudy_server.cli.addresses import Address, http_url
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.sample_names import ENVIRONMENT, PROJECT, SCENARIO
from understudy_server.cli.serve import Running, running, running_gateway
from understudy_server.cli.settings import Settings
from understudy_server.cli.tls import Identity
from understudy_server.telemetry import logs
from understudy_server.telemetry.logs import LogFormat, LogLevel

if TYPE_CHECKING:
    from understudy_server.cli.peer import Peer

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run_until_signal(
    work: Callable[[asyncio.Event], Awaitable[None]], log_format: LogFormat = "text", log_level: LogLevel = "warning"
) -> None:
    """Run work on an event loop of its own; its event is set by the first SIGTERM or SIGINT.

    A second one ends the process at once. Log lines go to standard error.
    """
    logs.configure(log_format, log_level)

    async def run() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()

        def on_signal() -> None:
            stop.set()
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

        for number in _SIGNALS:
            loop.add_signal_handler(number, on_signal)
        await work(stop)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


async def serve_until(stop: asyncio.Event, settings: Settings, config: Path | None = None) -> None:
    """Run a server until the event is set; SIGHUP has it read its file again. Raises CommandFailed."""
    async with running(settings, _say, config) as server:
        if server.read_again:
            _read_again_on_hangup(server.read_again, stop)
        # The key first: it is shown only here, whatever happens next.
        _say(welcome(server, settings.data))
        addresses: dict[str, object] = {"grpc": server.grpc, "rest": server.rest, "proxy": server.proxy}
        if server.bound:
            addresses["bound"] = server.bound
        if server.assertive:
            addresses["assertive"] = server.assertive
        if server.metrics:
            addresses["metrics"] = server.metrics
        with told(settings.ready_file, addresses):
            await stop.wait()
            if server.drain:
                await server.drain()
    _say("stopped")


def _read_again_on_hangup(read_again: Callable[[], None], stop: asyncio.Event) -> None:
    """Let SIGHUP, which is how a server is told to read its file again, go on to mean that a terminal was closed."""
    has_terminal = _has_terminal()

    def on_hangup() -> None:
        if has_terminal and not _has_terminal():
            stop.set()
        else:
            read_again()

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, on_hangup)


def _has_terminal() -> bool:
    """True while a terminal controls this process."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


async def gateway_until(
    stop: asyncio.Event,
    behind: "Peer",
    address: Address,
    tls: Identity | None,
    flagbridge: FlagBridgeSettings,
    ready_file: Path | None,
) -> None:
    """Run a gateway until the event is set. Raises CommandFailed."""
    async with running_gateway(behind, address, tls, flagbridge) as rest:
        _say(f"REST   accepts on {http_url(rest)}/api/v1, for the server at {behind}")
        with told(ready_file, {"rest": rest}):
            await stop.wait()
    _say("stopped")


@contextmanager
def told(ready_file: Path | None, addresses: Mapping[str, object]) -> Iterator[None]:
    """Keep a file with the addresses as JSON while the block runs. It appears whole: whoever sees it can read it.

    Raises CommandFailed when it cannot be written.
    """
    if ready_file is None:
        yield
        return
    partial = ready_file.with_name(f".{ready_file.name}.{os.getpid()}")
    try:
        partial.write_text(json.dumps(addresses) + "\n", encoding="utf-8")
        partial.replace(ready_file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise CommandFailed(ExitCode.REFUSED, f"cannot write --ready-file {ready_file}: {error.strerror}") from error
    try:
        yield
    finally:
        ready_file.unlink(missing_ok=True)


def welcome(server: Running, data: Path) -> str:
    """What a start says once all accept: for a new store the first key, and three lines to paste."""
    if not server.first_key:
        return f"ready; another key: understudy key create --data {data}"
    lines = ["", f"First admin key, shown this once:  {server.first_key}"]
    if server.sample_made:
        pay = f"curl -X POST {http_url(server.proxy)}/{PROJECT}/{ENVIRONMENT}/api/pay -d '{{\"amount\":1180}}'"
        state = f'{{"project":"{PROJECT}","environment":"{ENVIRONMENT}","scenario":"{SCENARIO}"}}'
        key = f"-H 'Authorization: Bearer {server.first_key}'"
        lines += [
            "",
            "Put a session into a scenario, then pay with its key and without:",
            "",
            f"  curl -X PUT {http_url(server.rest)}/api/v1/sessions/ci-42 {key} -d '{state}'",
            f"  {pay} -H 'x-flowmock-session: ci-42'",
            f"  {pay}",
        ]
    return "\n".join([*lines, ""])


def _say(line: str) -> None:
    # Flushed, because a start is often watched through a pipe.
    print(line, flush=True)  # noqa: T201 - this is what the user reads
