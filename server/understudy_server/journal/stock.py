"""All that the journal in memory holds, and keeping it within its bounds.

Here exchanges get their numbers, a block of them at a time, are counted, and make room. What makes room, and in which
order, is what ``journal.ledger`` says of the record on disk. What is done for each of a block is little, be they of one
stream or of as many as they are.
"""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from operator import attrgetter, itemgetter
from typing import Final, NamedTuple

from understudy_server.core.exchange import Exchange
from understudy_server.core.record import Lost, Stream
from understudy_server.journal.leaving import Leaving
from understudy_server.journal.lines import Line
from understudy_server.journal.losing import Losses
from understudy_server.journal.rules import Rules
from understudy_server.journal.scales import IN_MEMORY, weigh
from understudy_server.journal.shelves import Shelf
from understudy_server.journal.sweeping import EMPTIED_MAX

# Environment, key and session: whose an exchange is.
_owner: Final[Callable[[Exchange], tuple[str, str, str]]] = itemgetter(2, 3, 4)
_environment: Final[Callable[[Shelf], str]] = attrgetter("environment_id")

Run = tuple[Shelf, int, int]
"""Exchanges of a stream that came together: how many, and what they weigh."""
_shelf_of: Final[Callable[[Run], Shelf]] = itemgetter(0)

# To let go of more than so many one by one takes longer than to let go of them together.
_FEW: Final = 4

# At hand, since to look a member of an enumeration up costs as much as to evict an exchange.
_SESSION_QUOTA: Final = Lost.SESSION_QUOTA
_ENVIRONMENT_QUOTA: Final = Lost.ENVIRONMENT_QUOTA
_SERVER_QUOTA: Final = Lost.SERVER_QUOTA


class Bounds(NamedTuple):
    """So many exchanges, and so many bytes."""

    entries: int
    bytes: int


class Home:
    """What an environment holds, or all of them together."""

    __slots__ = ("bytes", "entries", "line", "streams")

    def __init__(self, line: Line) -> None:
        self.entries = 0
        self.bytes = 0
        self.line = line
        self.streams = 0


class Stock:
    """The streams of a journal. ``kept`` bounds what all of them hold together."""

    def __init__(self, rules: Rules, losses: Losses, kept: Bounds) -> None:
        self._rules = rules
        self._losses = losses
        self._entries_max, self._bytes_max = kept
        # One environment alone seldom comes to the bounds of them all before it comes to its own.
        self._whole = Home(Line(self._in_line))
        self._homes: dict[str, Home] = {}
        # By stream, or by the same three texts as a plain tuple.
        self._shelves: dict[tuple[str, str, str], Shelf] = {}
        self._by_key: dict[tuple[str, str], dict[Stream, Shelf]] = {}
        self._emptied: OrderedDict[Shelf, None] = OrderedDict()
        self.leaving = Leaving()

    @property
    def bytes(self) -> int:
        """What all exchanges weigh that are there."""
        return self._whole.bytes

    # What there is.

    def find(self, stream: Stream) -> Shelf | None:
        """A stream, of which anything is or was on record."""
        return self._shelves.get(stream)

    def found(self, stream: tuple[str, str, str]) -> Shelf:
        """A stream, begun when there is none."""
        shelf = self._shelves.get(stream)
        if shelf is None:
            shelf = self._shelves[stream] = Shelf(Stream(*stream), self.leaving)
            home = self._homes.get(stream[0])
            if home is None:
                home = self._homes[stream[0]] = Home(Line())
            home.streams += 1
            if stream[2]:
                self._by_key.setdefault(stream[:2], {})[shelf.stream] = shelf
        return shelf

    def incarnations(self, environment_id: str, session_key: str) -> list[Shelf]:
        """The streams of the sessions that had a key."""
        return list(self._by_key.get((environment_id, session_key), {}).values())

    def all(self) -> list[Shelf]:
        """All streams."""
        return list(self._shelves.values())

    def _in_line(self) -> Iterable[Shelf]:
        return [shelf for shelf in self._shelves.values() if shelf.is_in_line]

    # What comes.

    def take(self, block: Sequence[Exchange]) -> None:
        """Append exchanges to their streams, and keep to all bounds."""
        runs = self._append(block)
        shelves = list(map(_shelf_of, runs))
        for shelf in shelves:
            if not shelf.is_in_line:
                self._enter(shelf)
        # In the order in which they were recorded to last, since that is the order in which they make room.
        self._whole.line.touch(shelves)
        for environment_id, own in _by_environment(runs).items():
            self._count(environment_id, own)
        whole = self._whole
        if whole.entries > self._entries_max or whole.bytes > self._bytes_max:
            self._keep_within(whole, self._entries_max, self._bytes_max, runs, _SERVER_QUOTA)

    def _append(self, block: Sequence[Exchange]) -> list[Run]:
        """Append exchanges to their streams. Gives those, the one that was recorded to last as the last."""
        # Little of Python's for each exchange, and nothing where it can be helped: this runs at the pace of requests.
        owners = list(map(_owner, block))
        sizes = weigh(block, IN_MEMORY)
        if owners.count(owners[0]) == len(owners):
            shelf = self._entered(owners[:1])[0]
            shelf.extend(block, sizes)
            return [(shelf, len(block), sum(sizes))]
        shelves = self._entered(owners)
        for shelf, exchange, size in zip(shelves, block, sizes, strict=True):
            shelf.exchanges.append(exchange)
            shelf.total = total = shelf.total + size
            shelf.reached.append(total)
        counts = Counter(reversed(shelves))
        if len(counts) == len(block):
            return list(zip(shelves, repeat(1), sizes))
        weights = dict.fromkeys(counts, 0)
        for shelf, size in zip(shelves, sizes, strict=True):
            weights[shelf] += size
        return [(shelf, counts[shelf], weights[shelf]) for shelf in reversed(counts)]

    def _entered(self, owners: list[tuple[str, str, str]]) -> list[Shelf]:
        try:
            return list(map(self._shelves.__getitem__, owners))
        except KeyError:
            # One that is new; and what belongs to no session is one stream, whatever key it carried.
            return [self.found(each if each[2] else (each[0], "", "")) for each in owners]

    def _count(self, environment_id: str, runs: list[Run]) -> None:
        """Count what was appended to streams of an environment, and keep to its quota."""
        home, quota = self._homes[environment_id], self._rules.quota(environment_id)
        entries_max, bytes_max = quota.session_entries, quota.session_bytes
        entries = size = 0
        full: list[Shelf] = []
        for shelf, count, run_bytes in runs:
            entries += count
            size += run_bytes
            if len(shelf.exchanges) > entries_max or shelf.total > bytes_max:
                # Perhaps: what is gone is in these, too.
                full.append(shelf)
        self._add(home, entries, size)
        home.line.touch(list(map(_shelf_of, runs)))
        for shelf in full:
            self.evict(shelf, *shelf.over(entries_max, bytes_max), _SESSION_QUOTA)
        if home.entries > quota.entries or home.bytes > quota.bytes:
            self._keep_within(home, quota.entries, quota.bytes, runs, _ENVIRONMENT_QUOTA)

    def _add(self, home: Home, entries: int, size: int) -> None:
        home.entries += entries
        home.bytes += size
        self._whole.entries += entries
        self._whole.bytes += size

    # What goes.

    def _keep_within(self, home: Home, entries_max: int, bytes_max: int, runs: list[Run], reason: Lost) -> None:
        """Bring what an environment holds, or all of them, below a bound, when streams of it were recorded to."""

        def is_enough(ended: Shelf) -> bool:
            self.evict(ended, ended.kept, 0, reason)
            return home.entries <= entries_max and home.bytes <= bytes_max

        home.line.search(sum([count for _, count, _ in runs]), self._rules.is_live, is_enough)
        entries = home.entries - entries_max
        if reason is _ENVIRONMENT_QUOTA and home.bytes <= bytes_max and all(map(_is_few, runs)):
            lost = self._push_out_few(home, entries, runs)
        else:
            lost = self._push_out(home, entries_max, bytes_max, runs, reason)
        # A bound that was lowered, or exchanges of very unlike sizes.
        for shelf, _, _ in reversed(runs):
            entries, over = home.entries - entries_max, home.bytes - bytes_max
            if entries <= 0 and over <= 0:
                break
            lost += self._remove(shelf, entries, over, reason)
        if lost:
            self._losses.add({reason: lost})

    def _push_out(self, home: Home, entries_max: int, bytes_max: int, runs: list[Run], reason: Lost) -> int:
        """As if they had come one by one, each that finds no room any more pushes out the oldest of its own stream:
        of those that came last first. Gives how many are lost.
        """
        lost = 0
        for shelf, count, size in reversed(runs):
            entries, over = home.entries - entries_max, home.bytes - bytes_max
            if entries <= 0 and over <= 0:
                break
            lost += self._remove(shelf, min(count, entries), min(size, over) if over > 0 else 0, reason)
        return lost

    def _push_out_few(self, home: Home, entries: int, runs: list[Run]) -> int:
        """The same where so many entries of an environment are too many, and few of each stream, which has more."""
        # This runs at the pace of requests where many record.
        lost = freed = 0
        for shelf, count, _ in reversed(runs):
            for _ in range(min(count, entries - lost)):
                freed += shelf.push_out()
                lost += 1
        self._add(home, -lost, -freed)
        return lost

    def evict(self, shelf: Shelf, entries: int, size: int, reason: Lost | None) -> None:
        """Remove the oldest of a stream; without a reason they are not lost, but removed on purpose."""
        count = self._remove(shelf, entries, size, reason)
        if count and reason is not None:
            self._losses.add({reason: count})

    def _remove(self, shelf: Shelf, entries: int, size: int, reason: Lost | None) -> int:
        count, gone = shelf.evict(entries, size, reason)
        if count:
            self._add(self._homes[shelf.environment_id], -count, -gone)
            if not shelf.kept:
                self._leave(shelf)
        return count

    def _enter(self, shelf: Shelf) -> None:
        """Something is kept of a stream from now on."""
        shelf.is_in_line = True
        self._emptied.pop(shelf, None)
        self._homes[shelf.environment_id].line.enter(shelf)
        self._whole.line.enter(shelf)

    def _leave(self, shelf: Shelf) -> None:
        """Nothing is kept of a stream any more."""
        shelf.is_in_line = False
        self._homes[shelf.environment_id].line.leave(shelf)
        self._whole.line.leave(shelf)
        self._emptied[shelf] = self._emptied.pop(shelf, None)
        if len(self._emptied) > EMPTIED_MAX:
            first = next(iter(self._emptied))
            self.forget(first)
            if first in self._emptied:
                # It goes on: its turn comes again.
                self._emptied.move_to_end(first)

    def forget(self, shelf: Shelf) -> None:
        """Let a stream go of which nothing is kept, unless it goes on."""
        stream = shelf.stream
        if shelf.kept or self._shelves.get(stream) is not shelf:
            return
        if self._rules.is_live(stream.environment_id, stream.session_id):
            return
        self._emptied.pop(shelf, None)
        del self._shelves[stream]
        home = self._homes[stream[0]]
        home.streams -= 1
        if not home.streams:
            del self._homes[stream[0]]
        of_key = self._by_key.get(stream[:2], {})
        of_key.pop(stream, None)
        if not of_key:
            self._by_key.pop(stream[:2], None)


def _by_environment(runs: list[Run]) -> dict[str, list[Run]]:
    """Runs by environment; mostly they are all of one."""
    environments = list(map(_environment, map(_shelf_of, runs)))
    if environments.count(environments[0]) == len(environments):
        return {environments[0]: runs}
    groups: dict[str, list[Run]] = {}
    for environment_id, run in zip(environments, runs, strict=True):
        groups.setdefault(environment_id, []).append(run)
    return groups


def _is_few(run: Run) -> bool:
    """Whether few exchanges came to a stream, behind others."""
    return run[1] <= _FEW and run[0].kept > run[1]
