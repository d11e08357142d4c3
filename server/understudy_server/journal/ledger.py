"""Keeping the record within its bounds, in the thread that writes ``journal.db`` and inside its transactions.

Here exchanges get their numbers, in the order in which they come. What a stream holds is counted in its account, what
an environment holds is the sum of those. When that is more than the quota, the oldest of the stream go; when it is more
than the environment may have, or all together, what is kept of sessions that have ended goes, that of the one that was
quiet for longest first, and when there is none the oldest of those streams that were recorded to. Nothing else ever
goes, so that no session costs another one that goes on.

What goes may lie in a segment with what stays (`journal.segments`): then the account says up to which number all is
gone, and the segment goes with its last. Deleted rows leave free pages behind, which the rows that follow fill: the
file never shrinks, and never grows by more than one batch (some 16 MB), and a segment of each stream, over what the
quotas allow.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from heapq import merge
from operator import attrgetter
from typing import Final

from understudy_server.core.exchange import Exchange
from understudy_server.core.giving_way import giving_way
from understudy_server.core.record import Lost, Stream
from understudy_server.journal import accounts, segments
from understudy_server.journal.accounts import Account
from understudy_server.journal.doubt import Doubt
from understudy_server.journal.patience import Patience
from understudy_server.journal.places import base_of
from understudy_server.journal.rules import DiskLimits, Rules
from understudy_server.journal.scales import ON_DISK, weigh

# Exchanges that one transaction removes where the rest can wait: of what is too old, what is purged, and what ended
# sessions leave. A quota that was lowered is kept to from the next batch on, whatever it takes.
SLICE: Final = 1_000
_SEGMENTS_AT_ONCE: Final = 64
# Accounts in memory. Those of sessions that have ended are let go of when there are as many again, or these few.
_ACCOUNTS_MAX: Final = 10_000
_ACCOUNTS_FEW: Final = 500
_QUIETEST: Final = (
    f"SELECT {accounts.COLUMNS} FROM stream WHERE environment_id = ? AND kept > 0 AND (last_ms, id) > (?, ?)"
    " ORDER BY last_ms, id LIMIT 64"
)

Run = tuple[Account, int, int]
"""Exchanges of a stream that were recorded together: how many, and their bytes."""
Lapses = Mapping[tuple[Stream, Lost], int]
"""Exchanges that could not even wait to be written, by stream and reason."""


@dataclass(slots=True)
class Total:
    """What several streams hold together."""

    entries: int = 0
    bytes: int = 0
    patience: Patience = field(default_factory=Patience)

    def over(self, limit: "Total") -> tuple[int, int]:
        """How many entries and bytes it is above a limit, each below zero where it is not."""
        return self.entries - limit.entries, self.bytes - limit.bytes


class Ledger:
    """The accounts of a file. Every call is a job of the writer, and is told its connection.

    What is kept in memory is what the transaction made of it. A transaction that fails ends the connection, and then
    all is read anew.
    """

    def __init__(self, rules: Rules, limits: DiskLimits, doubt: Doubt) -> None:
        self.rules = rules
        self._limits = limits
        self._doubt = doubt
        self._connection: sqlite3.Connection | None = None
        # By stream, or by the same three texts as a plain tuple.
        self._accounts: dict[tuple[str, str, str], Account] = {}
        self._accounts_max = _ACCOUNTS_FEW
        self._dirty: dict[int, Account] = {}
        self._by_environment: dict[str, Total] = {}
        self._all = Total()
        self._lost: Counter[Lost] = Counter()

    @property
    def environments(self) -> Sequence[str]:
        """The environments that anything is known of."""
        return list(self._by_environment)

    @contextmanager
    def entry(self, connection: sqlite3.Connection) -> Iterator[Counter[Lost]]:
        """Work on the accounts, which are written at the end. Gives what is lost by it, whole after the end."""
        if connection is not self._connection:
            self._read_anew(connection)
        self._lost = Counter()
        try:
            yield self._lost
            self.save(connection)
        except BaseException:
            # Whatever of it is undone: nothing of it may be believed.
            self._connection = None
            raise
        if len(self._accounts) > self._accounts_max:
            self._let_go()

    def _let_go(self) -> None:
        """Keep in memory the accounts of sessions that go on; where these are too many, none."""
        is_live, known = self.rules.is_live, giving_way(list(self._accounts.items()))
        kept = {stream: account for stream, account in known if is_live(stream[0], stream[2])}
        self._accounts = kept if len(kept) <= _ACCOUNTS_MAX else {}
        self._accounts_max = max(_ACCOUNTS_FEW, 2 * len(self._accounts))

    def _read_anew(self, connection: sqlite3.Connection) -> None:
        self._accounts, self._dirty, self._by_environment, self._all = {}, {}, {}, Total()
        for environment_id, kept, size in connection.execute(
            "SELECT environment_id, sum(kept), sum(bytes) FROM stream GROUP BY environment_id"
        ):
            self._by_environment[environment_id] = Total(kept, size)
            self._all.entries += kept
            self._all.bytes += size
        self._connection = connection

    def account(self, connection: sqlite3.Connection, stream: Stream) -> Account:
        """The account of a stream, made when missing."""
        self._open(connection, (stream,))
        return self._accounts[stream]

    def _open(self, connection: sqlite3.Connection, streams: Iterable[tuple[str, str, str]]) -> None:
        """See to it that the accounts of streams are in memory, and made where they are missing."""
        unknown = [Stream(*each) for each in dict.fromkeys(streams) if each not in self._accounts]
        if not unknown:
            return
        for account in accounts.opened(connection, unknown):
            self._accounts[account.stream] = account
            if account.last_number == 0 and self._doubt.concerns(account.stream):
                account.doubtful_after = 0
                account.losses.setdefault(Lost.UNCLEAN_STOP, 0)
                self.touch(account)

    def known(self, account: Account) -> Account:
        """An account that was read from the file, as it is known by now."""
        return self._accounts.setdefault(account.stream, account)

    def touch(self, account: Account) -> None:
        """See to it that an account is written."""
        self._dirty[account.id] = account

    def save(self, connection: sqlite3.Connection) -> None:
        """Write what was changed so far, so that it is found by it."""
        accounts.save(connection, self._dirty.values())
        self._dirty.clear()

    def forget(self, connection: sqlite3.Connection, account: Account) -> None:
        """Let a stream go of which nothing is kept."""
        connection.execute("DELETE FROM verification WHERE stream = ?", (account.id,))
        connection.execute("DELETE FROM stream WHERE id = ?", (account.id,))
        self._accounts.pop(account.stream, None)
        self._dirty.pop(account.id, None)

    # What comes.

    def append(
        self, connection: sqlite3.Connection, exchanges: Sequence[Exchange], lapses: Lapses
    ) -> Mapping[Lost, int]:
        """Number exchanges and keep them, as far as there is room; then those that were dropped after them."""
        with self.entry(connection) as lost:
            recorded = self._insert(connection, exchanges)
            self._open(connection, [stream for stream, _ in lapses])
            for (stream, reason), count in lapses.items():
                account = self._accounts[stream]
                account.last_number += count
                # Who dropped them has counted them in all.
                account.lose(reason, count)
                self.touch(account)
            self._keep_within(connection, recorded)
        return lost

    def _insert(self, connection: sqlite3.Connection, exchanges: Sequence[Exchange]) -> list[Run]:
        """Insert exchanges, those of one stream side by side, as they will lie."""
        self._open(connection, [each[2:5] if each[4] else (each[2], "", "") for each in exchanges])
        groups: dict[int, tuple[Account, list[Exchange]]] = {}
        last, account, group = None, None, list[Exchange]()
        for exchange in exchanges:
            # Environment, key and session by number, and often the same again: this is done for every request.
            of = exchange[2:5]
            if of != last or account is None:
                last = of
                account = self._accounts.get(of) or self._accounts[exchange.stream]
                account.project_id = exchange[1]
                group = groups.setdefault(account.id, (account, []))[1]
            group.append(exchange)
        made: list[segments.Row] = []
        runs = [self._pack(*groups[stream_id], exchanges[0].id, made) for stream_id in sorted(groups)]
        segments.insert(connection, made)
        return runs

    def _pack(self, account: Account, exchanges: Sequence[Exchange], batch: str, made: list[segments.Row]) -> Run:
        """Number exchanges of a stream, and make their rows; those that cannot be kept take a number only."""
        sizes = weigh(exchanges, ON_DISK)
        before, count, size = len(made), 0, 0
        for begin, end in segments.cut(exchanges, sizes):
            place = base_of(account.id) + account.last_number + 1
            account.last_number += end - begin
            for row in segments.rows(place, exchanges[begin:end], sizes[begin:end], batch):
                made.append(row)
                count, size = count + row[1], size + row[2]
        if count < len(exchanges):
            self._lose(account, Lost.DISK, len(exchanges) - count)
        self._count(account, count, size)
        if count:
            account.first_ms = account.first_ms or segments.first_end_ms(made[before])
            account.last_ms = max(account.last_ms, exchanges[-1].started_at_ms + exchanges[-1].duration_ms)
        return account, count, size

    def _count(self, account: Account, entries: int, size: int) -> None:
        """Count so many more of a stream, or less."""
        account.kept += entries
        account.bytes += size
        for total in (self._total(account.stream.environment_id), self._all):
            total.entries += entries
            total.bytes += size
        self.touch(account)

    # What goes.

    def _keep_within(self, connection: sqlite3.Connection, runs: Sequence[Run]) -> None:
        for account, _, _ in runs:
            quota = self.rules.quota(account.stream[0])
            over = account.kept - quota.session_entries, account.bytes - quota.session_bytes
            self.evict(connection, account, *over, Lost.SESSION_QUOTA)
        for environment_id in dict.fromkeys([account.stream[0] for account, _, _ in runs]):
            quota, total = self.rules.quota(environment_id), self._total(environment_id)
            if total.entries > quota.entries or total.bytes > quota.bytes:
                own = [run for run in runs if run[0].stream[0] == environment_id]
                limit = Total(quota.entries, quota.bytes)
                self._make_room(connection, total, limit, [environment_id], own, Lost.ENVIRONMENT_QUOTA)
        limits = self._limits
        if self._all.entries > limits.exchanges_max or self._all.bytes > limits.bytes_max:
            limit = Total(limits.exchanges_max, limits.bytes_max)
            self._make_room(connection, self._all, limit, self.environments, runs, Lost.SERVER_QUOTA)

    def _make_room(
        self,
        connection: sqlite3.Connection,
        total: Total,
        limit: Total,
        environments: Sequence[str],
        runs: Sequence[Run],
        reason: Lost,
    ) -> None:
        """Bring what some environments hold together below a limit, when streams were recorded to."""
        self.save(connection)
        if total.patience.may_search(sum([count for _, count, _ in runs])):
            self._evict_ended(connection, total, limit, environments, reason)
        # As if they had come one by one, each that finds no room any more has pushed out the oldest of its own stream.
        entries, size = total.over(limit)
        for account, count, run_bytes in reversed(runs):
            if entries <= 0 and size <= 0:
                return
            self.evict(connection, account, min(count, entries), min(run_bytes, size), reason)
            entries, size = total.over(limit)
        # A limit that was lowered, or rows of very unlike sizes.
        for account, _, _ in reversed(runs):
            self.evict(connection, account, *total.over(limit), reason)

    def _evict_ended(
        self, connection: sqlite3.Connection, total: Total, limit: Total, environments: Sequence[str], reason: Lost
    ) -> None:
        """Remove what is kept of sessions that have ended, as much as it takes."""
        looked_at = 0
        for account in merge(*[self._quietest(connection, each) for each in environments], key=attrgetter("last_ms")):
            entries, size = total.over(limit)
            if entries <= 0 and size <= 0:
                return
            looked_at += 1
            if not self.rules.is_live(account.stream.environment_id, account.stream.session_id):
                # Whole where it is short: the rest of a long one comes first the next time.
                self.evict(connection, account, max(entries, min(account.kept, SLICE)), size, reason)
        total.patience.in_vain(looked_at)

    def _quietest(self, connection: sqlite3.Connection, environment_id: str) -> Iterator[Account]:
        """The streams of which anything is kept, the one that was quiet for longest first."""
        after = (-1, 0)
        while found := [accounts.read(row) for row in connection.execute(_QUIETEST, (environment_id, *after))]:
            for each in found:
                after = each.last_ms, each.id
                yield self.known(each)

    def evict(
        self, connection: sqlite3.Connection, account: Account, entries: int, size: int, reason: Lost | None
    ) -> int:
        """Remove the oldest of a stream: so many at least, and so many bytes, as far as there are. Tells how many.

        Without a reason they are not lost, but removed on purpose.
        """
        taken = 0
        while account.kept and (entries > 0 or size > 0):
            last, count, freed = account.gone, 0, 0
            for left in segments.oldest(connection, account.id, account.gone, _SEGMENTS_AT_ONCE):
                if count >= entries and freed >= size:
                    break
                whole = entries - count >= left.count or size - freed >= left.bytes
                some = (left.count, left.bytes) if whole else left.some(entries - count, size - freed)
                last, count, freed = left.first + some[0] - 1, count + some[0], freed + some[1]
            if not count:
                break
            self._remove(connection, account, last, count, freed)
            if reason is not None:
                self._lose(account, reason, count)
            entries, size, taken = entries - count, size - freed, taken + count
        return taken

    def _remove(self, connection: sqlite3.Connection, account: Account, last: int, count: int, freed: int) -> None:
        """Remove of a stream what has a number up to ``last``: so many exchanges, of so many bytes."""
        account.gone = last
        segments.remove(connection, account.id, last)
        self._count(account, -count, -freed)
        front = segments.oldest(connection, account.id, last, 1)
        account.first_ms = front[0].ends_ms[0] if front else 0

    def evict_aged(self, connection: sqlite3.Connection, account: Account, before_ms: int, most: int) -> int:
        """Remove the oldest of a stream that ended before a moment, so many at most. Tells how many."""
        aged, found = 0, segments.oldest(connection, account.id, account.gone, _SEGMENTS_AT_ONCE)
        for left in found:
            young = next((index for index, end_ms in enumerate(left.ends_ms) if end_ms >= before_ms), left.count)
            aged += young
            if young < left.count or aged >= most:
                break
        if not aged and found:
            # Its account says that it is older than it is, and would be looked at again for ever.
            account.first_ms = found[0].ends_ms[0]
            self.touch(account)
        return self.evict(connection, account, min(aged, most), 0, Lost.RETENTION)

    def _lose(self, account: Account, reason: Lost, count: int) -> None:
        account.lose(reason, count)
        self._lost[reason] += count
        self.touch(account)

    def _total(self, environment_id: str) -> Total:
        total = self._by_environment.get(environment_id)
        if total is None:
            total = self._by_environment[environment_id] = Total()
        return total
