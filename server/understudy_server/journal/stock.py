"""All that the journal in memory holds, and keeping it within its bounds.

Here exchanges get their numbers, a block of them at a time. What that makes of the bounds is found out later, when more
of one stream has come: to count ten exchanges of it and to evict ten takes no longer than one. What makes room, and in
which order, is what ``journal.ledger`` says of the record on disk.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from operator import attrgetter, itemgetter
from typing import Final, NamedTuple

from understudy_server.core.exchange import Exchange
from understudy_server.core.record import Lost, Stream
from understudy_server.journal.leaving import Leaving
from understudy_server.journal.lines import Line
from understudy_server.journal.losing import Losses
from understudy_server.journal.rules import Rules
from understudy_server.journal.scales import Scales
from understudy_server.journal.shelves import Shelf
from understudy_server.journal.sweeping import EMPTIED_MAX

# Environment, key and session: whose an exchange is.
_owner: Final[Callable[[Exchange], tuple[str, str, str]]] = itemgetter(2, 3, 4)
_environment: Final[Callable[[Shelf], str]] = attrgetter("environment_id")

Run = tuple[Shelf, int, int]
"""Exchanges of a stream that were counted together: how many, and what they weigh."""

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

    def __init__(self) -> None:
        self.entries = 0
        self.bytes = 0
        self.line = Line()
        self.streams = 0


class Stock:
    """The streams of a journal. ``kept`` bounds what all of them hold together, ``waiting`` what is not counted yet."""

    def __init__(self, rules: Rules, losses: Losses, kept: Bounds, waiting: Bounds) -> None:
        self._rules = rules
        self._losses = losses
        self._entries_max, self._bytes_max = kept
        self._waiting_max, self._waiting_bytes_max = waiting
        self._waiting: deque[Shelf] = deque()
        self._waiting_entries = 0
        self._waiting_bytes = 0
        self._scales = Scales()
        self._whole = Home()
        self._homes: dict[str, Home] = {}
        # By stream, or by the same three texts as a plain tuple.
        self._shelves: dict[tuple[str, str, str], Shelf] = {}
        self._by_key: dict[tuple[str, str], dict[Stream, Shelf]] = {}
        self._emptied: OrderedDict[Shelf, None] = OrderedDict()
        self.leaving = Leaving()

    @property
    def bytes(self) -> int:
        """What all exchanges weigh that are there."""
        return self._whole.bytes + self._waiting_bytes

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
                home = self._homes[stream[0]] = Home()
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

    # What comes.

    def take(self, block: Sequence[Exchange]) -> None:
        """Append exchanges to their streams. They are not counted yet."""
        touched = self._append(block)
        for shelf in touched:
            if not shelf.is_in_line:
                self._enter(shelf)
            if not shelf.is_waiting:
                shelf.is_waiting = True
                self._waiting.append(shelf)
        # In the order in which they were recorded to last, since that is the order in which they make room.
        self._whole.line.touch(touched)
        for environment_id, shelves in _by_environment(touched).items():
            self._homes[environment_id].line.touch(shelves)

    def make_room(self) -> None:
        """Count as much of what was appended as is too much to wait, and keep to all bounds."""
        if self._waiting_entries > self._waiting_max or self._waiting_bytes > self._waiting_bytes_max:
            self._settle(self._waiting_max, self._waiting_bytes_max)
        self.leaving.let_go()

    def settle(self) -> None:
        """Count all that was appended, and keep to all bounds."""
        if self._waiting:
            self._settle(0, 0)

    def _settle(self, entries_max: int, bytes_max: int) -> None:
        """Count what was appended, until no more than this is not counted, and keep to all bounds."""
        touched: list[Shelf] = []
        while self._waiting and (self._waiting_entries > entries_max or self._waiting_bytes > bytes_max):
            shelf = self._waiting.popleft()
            shelf.is_waiting = False
            touched.append(shelf)
            self._waiting_entries -= shelf.waiting_entries
            self._waiting_bytes -= shelf.waiting_bytes
        runs = [
            run
            for environment_id, shelves in _by_environment(touched).items()
            for run in self._keep_to_quota(environment_id, shelves)
        ]
        whole = self._whole
        if whole.entries > self._entries_max or whole.bytes > self._bytes_max:
            self._keep_within(whole, self._entries_max, self._bytes_max, runs, _SERVER_QUOTA)

    def weigh(self, exchanges: Sequence[Exchange]) -> int:
        """What exchanges weigh together."""
        return sum(map(self._scales.weigh, exchanges))

    def _append(self, block: Sequence[Exchange]) -> list[Shelf]:
        """Append exchanges to their streams. Gives those, the one that was recorded to last as the last."""
        # Little of Python's for each exchange, and nothing where it can be helped: this runs at the pace of requests.
        owners = list(map(_owner, block))
        sizes = list(map(self._scales.weigh, block))
        self._waiting_entries += len(block)
        self._waiting_bytes += sum(sizes)
        if owners.count(owners[0]) == len(owners):
            shelf = self._entered(owners[:1])[0]
            shelf.extend(block, sizes)
            return [shelf]
        shelves = self._entered(owners)
        for shelf, exchange, size in zip(shelves, block, sizes, strict=True):
            shelf.exchanges.append(exchange)
            shelf.total = total = shelf.total + size
            shelf.reached.append(total)
        touched = list(dict.fromkeys(reversed(shelves)))
        touched.reverse()
        return touched

    def _entered(self, owners: list[tuple[str, str, str]]) -> list[Shelf]:
        try:
            return list(map(self._shelves.__getitem__, owners))
        except KeyError:
            # One that is new; and what belongs to no session is one stream, whatever key it carried.
            return [self.found(each if each[2] else (each[0], "", "")) for each in owners]

    def _keep_to_quota(self, environment_id: str, shelves: list[Shelf]) -> list[Run]:
        """Count what was appended to streams of an environment, and keep to its quota."""
        home, quota = self._homes[environment_id], self._rules.quota(environment_id)
        entries_max, bytes_max = quota.session_entries, quota.session_bytes
        entries = size = lost = 0
        runs: list[Run] = []
        for shelf in shelves:
            count, run_bytes, gone, gone_bytes = shelf.settle(entries_max, bytes_max)
            runs.append((shelf, count, run_bytes))
            entries += count - gone
            size += run_bytes - gone_bytes
            if gone:
                lost += gone
                if not shelf.kept:
                    self._leave(shelf)
        self._add(home, entries, size)
        if lost:
            self._losses.add({_SESSION_QUOTA: lost})
        if home.entries > quota.entries or home.bytes > quota.bytes:
            self._keep_within(home, quota.entries, quota.bytes, runs, _ENVIRONMENT_QUOTA)
        return runs

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

        # Those that were recorded to last come first now.
        runs = sorted(runs, key=_last_id, reverse=True)
        home.line.search(sum([count for _, count, _ in runs]), self._rules.is_live, is_enough)
        lost = 0
        # As if they had come one by one, each that finds no room any more has pushed out the oldest of its own stream.
        for shelf, count, size in runs:
            entries, over = home.entries - entries_max, home.bytes - bytes_max
            if entries <= 0 and over <= 0:
                break
            lost += self._remove(shelf, min(count, entries), min(size, over) if over > 0 else 0, reason)
        # A bound that was lowered, or exchanges of very unlike sizes.
        for shelf, _, _ in runs:
            entries, over = home.entries - entries_max, home.bytes - bytes_max
            if entries <= 0 and over <= 0:
                break
            lost += self._remove(shelf, entries, over, reason)
        if lost:
            self._losses.add({reason: lost})

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
        if shelf.kept or shelf.waiting_entries or self._shelves.get(stream) is not shelf:
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


def _by_environment(shelves: list[Shelf]) -> dict[str, list[Shelf]]:
    """Streams by environment; mostly they are all of one."""
    environments = set(map(_environment, shelves))
    if len(environments) == 1:
        return {environments.pop(): shelves}
    groups: dict[str, list[Shelf]] = {}
    for shelf in shelves:
        groups.setdefault(shelf.environment_id, []).append(shelf)
    return groups


def _last_id(run: Run) -> str:
    return run[0].last_id
