"""The file of a server, from the first reading to the end of the following."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from google.rpc.status_pb2 import Status
from understudy.v1.manifest_service_pb2 import ApplyManifestRequest, ApplyManifestResponse

from understudy_server.app.host import Watched
from understudy_server.app.ports import SourceRecord
from understudy_server.cli.config_file import BadConfig, Config, read_config
from understudy_server.cli.connection import method_of
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.following import Follower, Pace
from understudy_server.cli.manifest_file import Kept, ManifestFile, NotInForce, not_started
from understudy_server.cli.reading import NotRead, Reading
from understudy_server.cli.watching import Glance, glance
from understudy_server.core.plans import Plan
from understudy_server.rpc.dispatcher import Dispatcher
from understudy_server.store.sqlite import SqliteStore


class ServedFile:
    """A file that was read once, and is not in force yet."""

    def __init__(self, file: ManifestFile, seen: Glance, first: Reading, reading: AsyncExitStack) -> None:
        self._file = file
        self._seen = seen
        self._first = first
        self._reading = reading

    def watched(self) -> Watched | None:
        """How the file stands now."""
        return self._file.watched()

    async def begin(self, dispatcher: Dispatcher, store: SqliteStore) -> bool:
        """Put what the file declares into force; False when it declares nothing. Raises CommandFailed."""
        method = method_of(ApplyManifestRequest())

        async def apply(request: ApplyManifestRequest) -> ApplyManifestResponse | Status:
            answer = await dispatcher.unary(method, {}, lambda: (request, None), owner=True)
            assert isinstance(answer, ApplyManifestResponse | Status)  # noqa: S101 - the table says so
            return answer

        async def source(name: str) -> SourceRecord | None:
            return await store.read(lambda tx: tx.manifest_source(name))

        try:
            await self._file.begin(self._first, Kept(apply, lambda: store.known_version, source))
        except NotInForce as error:
            raise not_started(self._file.path, error) from error
        # The process that read it has told all it will be asked.
        await self._reading.aclose()
        return self._first.declares

    async def follow(self, stopping: AsyncExitStack, pace: Pace | None = None) -> Callable[[], None]:
        """Follow the file until the stack unwinds. What is returned has it read again at once."""
        follower = Follower(self._file, seen=self._seen, pace=pace)
        task = asyncio.create_task(follower.run())

        async def end() -> None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

        stopping.push_async_callback(end)
        return follower.read_now


@asynccontextmanager
async def served_file(path: Path, plan: Plan | None, announce: Callable[[str], None]) -> AsyncIterator[ServedFile]:
    """Read a file, while nothing else is done yet. Raises CommandFailed with all that is wrong with it."""
    config = await asyncio.to_thread(_config, path)
    file = ManifestFile(path, server=config.texts(), plan=plan, announce=announce)
    # Before the reading: what changes meanwhile is found by the first look after it.
    seen = await asyncio.to_thread(glance, file.looked_at)
    async with AsyncExitStack() as reading:
        try:
            first = await reading.enter_async_context(file.reading())
        except NotRead as error:
            raise not_started(path, error) from error
        yield ServedFile(file, seen, first, reading)


def _config(path: Path) -> Config:
    try:
        return read_config(path)
    except BadConfig as error:
        raise CommandFailed(ExitCode.USAGE, str(error)) from error
