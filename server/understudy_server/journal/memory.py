"""The journal in memory: the newest exchanges, as many as the limits allow, gone when the process ends.

It is there for load tests and short-lived servers, so recording must cost next to nothing. Everything else is put off:
exchanges gather in blocks, whose size is counted when they are full and which are evicted whole, and who asked for what
key is looked up in an index that is only brought up to date when somebody asks.
"""

import logging
from bisect import bisect_left, bisect_right
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter

from understudy_server.core.errors import StorageFailure
from understudy_server.core.exchange import Exchange

_BLOCK_EXCHANGES_MAX = 64
# So many blocks make a full journal, at least: that much of it an eviction takes away, at most.
_BLOCKS = 64
# Bodies so small are counted when their block is full.
_SMALL_BYTES = 4096
_id = itemgetter(0)
_HEADERS = itemgetter(12, 13)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MemoryLimits:
    """How much is kept: so many exchanges, with so many bytes of targets, headers and captured bodies.

    What Python needs to hold them comes on top, 2 to 3 kB each. Heads are counted 64 exchanges at a time.
    """

    exchanges_max: int = 20_000
    bytes_max: int = 256 * 1024 * 1024


@dataclass(slots=True)
class _Block:
    exchanges: list[Exchange] = field(default_factory=list)
    size_bytes: int = 0
    """Of the larger bodies; of everything once the block is full."""

    indexed: int = 0
    """How many of its exchanges the index has: the first ones."""


class MemoryJournal:
    """Fills ``app.ports.Journal`` and the proxy's recorder.

    When a limit is reached the oldest exchanges make room, 64 at most at a time. They are counted in ``dropped``, and
    the first time is logged. The newest exchange always stays.
    """

    def __init__(self, limits: MemoryLimits | None = None) -> None:
        limits = limits or MemoryLimits()
        self.dropped = 0
        self._block_exchanges_max = min(max(limits.exchanges_max // _BLOCKS, 1), _BLOCK_EXCHANGES_MAX)
        self._block_bytes_max = limits.bytes_max // _BLOCKS
        # What the full blocks may hold, so that the one that is filling never goes over the limit.
        self._exchanges_max = limits.exchanges_max - (self._block_exchanges_max - 1)
        self._bytes_max = limits.bytes_max - self._block_bytes_max
        self._blocks: deque[_Block] = deque()
        self._exchanges = 0
        self._bytes = 0
        self._filling = _Block()
        self._by_key: dict[tuple[str, str], list[Exchange]] = {}
        self._closed = False

    @property
    def recorded(self) -> int:
        """How many exchanges were taken in since the start."""
        return self._exchanges + self.dropped + len(self._filling.exchanges)

    @property
    def problem(self) -> str:
        """Always empty: that the oldest make room for the newest is what this journal is for."""
        return ""

    def size_bytes(self) -> int:
        """What the exchanges take in memory, as the limits count it; those of the block that is filling in part."""
        return self._bytes + self._filling.size_bytes

    def record(self, exchange: Exchange) -> None:
        """Append an exchange, whose id comes after all before it. A question asked from now on sees it."""
        exchanges = self._filling.exchanges
        exchanges.append(exchange)
        # By number, and nothing more for most: this runs for every request.
        answer = exchange[15]
        if exchange[14] is not None or (answer is not None and answer[1] > _SMALL_BYTES):
            self._weigh(exchange)
        if len(exchanges) >= self._block_exchanges_max:
            self._shelve()

    def _weigh(self, exchange: Exchange) -> None:
        """Count the bodies that a block must not hold many of before it is full."""
        self._filling.size_bytes += _body_bytes(exchange)
        if self._filling.size_bytes >= self._block_bytes_max:
            self._shelve()

    async def page(
        self, environment_id: str, session_key: str, *, before: str, since: str, limit: int
    ) -> Sequence[Exchange]:
        """Exchanges of a key, newest first; with ``since``, newer ones, oldest first. Raises StorageFailure."""
        found = self._index().get((environment_id, session_key), [])
        if since:
            start = bisect_right(found, since, key=_id)
            return found[start : start + limit]
        end = bisect_left(found, before, key=_id) if before else len(found)
        return found[max(0, end - limit) : end][::-1]

    async def exchange(self, exchange_id: str) -> Exchange | None:
        """One exchange by its id. Raises StorageFailure."""
        self._check_open()
        at = bisect_right(self._blocks, exchange_id, key=_first_id)
        for block in (self._filling, self._blocks[at - 1] if at else _Block()):
            place = bisect_left(block.exchanges, exchange_id, key=_id)
            if place < len(block.exchanges) and block.exchanges[place].id == exchange_id:
                return block.exchanges[place]
        return None

    async def knows(self, environment_id: str, session_key: str) -> bool:
        """True when there is any exchange with that key. Raises StorageFailure."""
        return (environment_id, session_key) in self._index()

    async def last_id(self) -> str:
        """The greatest id of all exchanges, empty when there is none. Raises StorageFailure."""
        self._check_open()
        newest = self._filling if self._filling.exchanges or not self._blocks else self._blocks[-1]
        return newest.exchanges[-1].id if newest.exchanges else ""

    async def close(self) -> None:
        """Forget everything. What is recorded later is dropped and counted, what is asked later refused."""
        self._closed = True
        self._blocks.clear()
        self._by_key.clear()
        self._filling = _Block()
        self._block_exchanges_max = 0

    def _check_open(self) -> None:
        if self._closed:
            raise StorageFailure("the journal is closed")

    def _shelve(self) -> None:
        """Put the block that is full with the others, and make room."""
        block, self._filling = self._filling, _Block()
        if self._closed:
            self.dropped += len(block.exchanges)
            return
        block.size_bytes = sum(map(_body_bytes, block.exchanges)) + _head_bytes(block.exchanges)
        self._blocks.append(block)
        self._exchanges += len(block.exchanges)
        self._bytes += block.size_bytes
        while len(self._blocks) > 1 and (self._exchanges > self._exchanges_max or self._bytes > self._bytes_max):
            self._evict(self._blocks.popleft())

    def _evict(self, block: _Block) -> None:
        if not self.dropped:
            _log.warning("the journal in memory is full: from now on the oldest exchanges make room for new ones")
        self.dropped += len(block.exchanges)
        self._exchanges -= len(block.exchanges)
        self._bytes -= block.size_bytes
        for key, count in Counter(map(_key, block.exchanges[: block.indexed])).items():
            # They are the oldest of their key, too.
            del self._by_key[key][:count]
            if not self._by_key[key]:
                del self._by_key[key]

    def _index(self) -> dict[tuple[str, str], list[Exchange]]:
        """The exchanges by environment and key, those that came since the last question included."""
        self._check_open()
        behind = []
        for block in chain((self._filling,), reversed(self._blocks)):
            if block.indexed < len(block.exchanges):
                behind.append(block)
            elif block.exchanges:
                break
        for block in reversed(behind):
            for exchange in block.exchanges[block.indexed :]:
                self._by_key.setdefault(_key(exchange), []).append(exchange)
            block.indexed = len(block.exchanges)
        return self._by_key


def _key(exchange: Exchange) -> tuple[str, str]:
    return exchange.environment_id, exchange.session_key


def _first_id(block: _Block) -> str:
    return block.exchanges[0].id


def _body_bytes(exchange: Exchange) -> int:
    request_body, answer_body = exchange[14], exchange[15]
    size = 0 if request_body is None else len(request_body[0])
    return size if answer_body is None else size + len(answer_body[0])


def _head_bytes(exchanges: Sequence[Exchange]) -> int:
    """The bytes of targets, headers and draws. Headers are joined to be counted: that takes no step of Python's."""
    heads = map(_HEADERS, exchanges)
    headers = b"".join(chain.from_iterable(chain.from_iterable(chain.from_iterable(heads))))
    drawn = sum([len(draw[0]) + len(draw[1]) for exchange in exchanges if exchange[17] for draw in exchange[17]])
    return len(headers) + drawn + sum([len(exchange[6]) + len(exchange[7]) for exchange in exchanges])
