"""State that outlives the process: in memory, written behind to ``state.db`` about twice a second.

One batch is written at a time, and in order. One that the disk refuses is tried again until it is written; what changes
meanwhile gathers in the next one, of which every owner, key, machine and mock is in once, so that it does not grow with
the number of requests.
"""

import asyncio
import contextlib
import logging
import sqlite3
import threading
from pathlib import Path

from understudy_server.core.errors import StorageFailure
from understudy_server.core.state import Owner, Scope
from understudy_server.state.changes import Changes, Table
from understudy_server.state.memory import MemoryState
from understudy_server.store.sqlite import migrations
from understudy_server.store.sqlite.files import prepare
from understudy_server.store.sqlite.presence import FILE
from understudy_server.store.sqlite.timers import CallLater, Timer, call_later
from understudy_server.store.sqlite.writer import Durability, Writer

_FLUSH_SECONDS = 0.5
_log = logging.getLogger(__name__)

_SCOPES = {scope.value: scope for scope in Scope}
# In the order of `Table`.
_ALL = (
    "SELECT environment_id, scope, owner, key, CAST(value AS TEXT) FROM state_value",
    "SELECT environment_id, scope, owner, machine, state FROM state_machine",
    "SELECT environment_id, scope, owner, mock, uses FROM mock_use",
)


class KeptState(MemoryState):
    """Fills ``core.state.State``. A crash loses at most the last second of it, never a part of what was one step."""

    def __init__(self, writer: Writer, later: CallLater = call_later) -> None:
        """Changes are written by ``writer``, which whoever made it closes after this. On the event loop."""
        super().__init__(self._write_later)
        self._writer = writer
        self._later = later
        self._loop = asyncio.get_running_loop()
        self._home = threading.get_ident()
        self._is_due = False
        self._timer: Timer | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._unwritten: Changes | None = None
        self._closed = False

    @classmethod
    async def open(
        cls, folder: Path, writer: Writer, durability: Durability = "normal", later: CallLater = call_later
    ) -> "KeptState":
        """Take in what ``state.db`` of a data directory has. Raises NewerSchema and sqlite3.Error."""
        state = cls(writer, later)
        await prepare(folder / FILE, durability, migrations.state, state._load)
        return state

    async def close(self) -> None:
        """Write what is left."""
        self._closed = True
        if self._timer:
            self._timer.cancel()
        if self._flushing:
            await self._flushing
        # What was refused before, if anything was, and what came after it.
        await self._write()
        await self._write()
        if lost := len(self._unwritten or ()) + len(self.take_changes()):
            _log.error("the state of %d sessions, chains or environments could not be written", lost)

    def _write_later(self) -> None:
        """Arrange that changes are written. In any thread."""
        if self._is_due or self._closed:
            return
        self._is_due = True
        if threading.get_ident() == self._home:
            self._arrange()
        else:
            # A loop that was closed writes nothing any more.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._arrange)

    def _arrange(self) -> None:
        if not self._closed:
            self._timer = self._later(_FLUSH_SECONDS, self._flush_soon)

    def _flush_soon(self) -> None:
        # Two threads may have arranged it at once. A flush that runs looks again when it ends.
        if self._flushing is None:
            self._flushing = self._loop.create_task(self._flush())

    async def _flush(self) -> None:
        try:
            await self._write()
        finally:
            self._flushing, self._is_due = None, False
            if self._unwritten or self.has_changes:
                self._write_later()

    async def _write(self) -> None:
        """Write the batch that was refused, or all that has changed since."""
        changes = self._unwritten or self.take_changes()
        if not changes:
            return
        self._unwritten = changes
        try:
            await self._writer.run(changes.write)
        except StorageFailure:
            # The writer has said so once. All of it is in memory still, and in the batch.
            return
        self._unwritten = None

    def _load(self, connection: sqlite3.Connection) -> None:
        for table, question in zip(Table, _ALL, strict=True):
            for environment_id, scope, owner, name, content in connection.execute(question):
                self.load(Owner(environment_id, _SCOPES[scope], owner), table, name, content)
