"""When sessions were last seen, and their findings: in memory, written behind to ``state.db`` once a second at most."""

import asyncio
import logging
import sqlite3
from collections.abc import Mapping, Sequence
from itertools import chain, islice
from pathlib import Path

from understudy_server.core.errors import StorageFailure
from understudy_server.store.sqlite import migrations
from understudy_server.store.sqlite.files import prepare
from understudy_server.store.sqlite.timers import CallLater, Timer, call_later
from understudy_server.store.sqlite.writer import Durability, Writer

FILE = "state.db"
_FLUSH_SECONDS = 1.0
# So many rows are written by one statement. The interpreter is let go of while it runs, and taken back afterwards: to
# do so for each row would hold up the event loop, which goes on meanwhile, more than all the writing.
_ROWS_AT_ONCE = 256
_log = logging.getLogger(__name__)


class SqlitePresence:
    """Fills ``app.ports.Presence``. A crash loses at most the last second of it, and nothing else."""

    def __init__(
        self, writer: Writer, seen: dict[str, int], findings: dict[str, frozenset[str]], later: CallLater = call_later
    ) -> None:
        self._writer = writer
        self._seen = seen
        self._findings = findings
        self._later = later
        # What is to be written: of sessions that were seen, of those that are gone, and of those with other findings.
        self._touched: dict[str, int] = {}
        self._gone: set[str] = set()
        self._noted: set[str] = set()
        self._timer: Timer | None = None
        self._flushes: set[asyncio.Task[None]] = set()
        self._closed = False

    @classmethod
    async def open(
        cls, folder: Path, durability: Durability = "normal", later: CallLater = call_later
    ) -> "SqlitePresence":
        """Open ``state.db`` of a data directory that this process owns. Raises NewerSchema and sqlite3.Error."""
        seen, findings = await prepare(folder / FILE, durability, migrations.state, _load)
        return cls(Writer(folder / FILE, durability), seen, findings, later)

    @property
    def problem(self) -> str:
        """Why ``state.db`` could not be written last, empty when it could."""
        return self._writer.problem

    @property
    def writer(self) -> Writer:
        """Writes ``state.db``, for whoever else keeps something there until this is closed."""
        return self._writer

    def touch(self, session_id: str, now_ms: int) -> None:
        """Note that a session was seen. Costs a dictionary entry; never fails and never waits."""
        self._touched[session_id] = now_ms
        if self._timer is None:
            self._flush_later()

    def note(self, session_id: str, findings: Sequence[str]) -> None:
        """Note what was odd about an exchange of a session. Never fails and never waits."""
        known = self._findings.get(session_id, frozenset())
        if not known.issuperset(findings):
            self._findings[session_id] = known.union(findings)
            self._noted.add(session_id)
            self._flush_later()

    def last_seen(self, session_id: str) -> int | None:
        return self._touched.get(session_id, self._seen.get(session_id))

    def findings(self, session_id: str) -> Sequence[str]:
        return sorted(self._findings.get(session_id, ()))

    def session_ids(self) -> Sequence[str]:
        return list(self._touched.keys() | self._seen.keys() | self._findings.keys())

    def forget(self, session_ids: Sequence[str]) -> None:
        for session_id in session_ids:
            if self.last_seen(session_id) is not None:
                self._touched.pop(session_id, None)
                self._seen.pop(session_id, None)
                self._gone.add(session_id)
                self._flush_later()
            if self._findings.pop(session_id, None) is not None:
                self._noted.add(session_id)
                self._flush_later()

    async def close(self) -> None:
        """Write what is left and close the file."""
        self._closed = True
        if self._timer:
            self._timer.cancel()
        await asyncio.gather(*self._flushes)
        await self._flush()
        if lost := self._touched.keys() | self._gone | self._noted:
            _log.error("the last-seen times of %d sessions could not be written", len(lost))
        await self._writer.close()

    def _flush_later(self) -> None:
        if self._timer is None and not self._closed:
            self._timer = self._later(_FLUSH_SECONDS, self._flush_soon)

    def _flush_soon(self) -> None:
        self._timer = None
        task = asyncio.get_running_loop().create_task(self._flush())
        self._flushes.add(task)
        task.add_done_callback(self._flushes.discard)

    async def _flush(self) -> None:
        touched, self._touched = self._touched, {}
        self._seen.update(touched)
        gone, self._gone = self._gone, set()
        noted, self._noted = self._noted, set()
        findings = [(each, code) for each in noted for code in self._findings.get(each, ())]
        faultless = [(each,) for each in noted if each not in self._findings]

        def job(connection: sqlite3.Connection) -> None:
            connection.executemany("DELETE FROM presence WHERE session_id = ?", [(each,) for each in gone])
            _write(connection, touched)
            connection.executemany("INSERT OR IGNORE INTO finding VALUES (?, ?)", findings)
            connection.executemany("DELETE FROM finding WHERE session_id = ?", faultless)

        if touched or gone or noted:
            try:
                await self._writer.run(job)
            except StorageFailure:
                # All of it is still in memory; a later flush writes what it is by then.
                self._touched = {each: ms for each, ms in touched.items() if each in self._seen} | self._touched
                self._gone |= gone
                self._noted |= noted
                self._flush_later()


def _write(connection: sqlite3.Connection, touched: Mapping[str, int]) -> None:
    """Write when sessions were last seen."""
    rest = iter(touched.items())
    while rows := list(islice(rest, _ROWS_AT_ONCE)):
        values = ", ".join(["(?, ?)"] * len(rows))
        connection.execute(f"INSERT OR REPLACE INTO presence VALUES {values}", list(chain.from_iterable(rows)))


def _load(connection: sqlite3.Connection) -> tuple[dict[str, int], dict[str, frozenset[str]]]:
    """Read what is kept: times of last seen, and findings, by session."""
    findings: dict[str, set[str]] = {}
    for session_id, code in connection.execute("SELECT session_id, code FROM finding"):
        findings.setdefault(session_id, set()).add(code)
    seen = dict(connection.execute("SELECT session_id, last_seen_ms FROM presence"))
    return seen, {session_id: frozenset(codes) for session_id, codes in findings.items()}
