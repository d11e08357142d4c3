"""A journal that is a list: what tests of questions stand on, and what journals are compared with."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from understudy_server.app.bells import RungBell
from understudy_server.core.exchange import Exchange
from understudy_server.core.record import Lost, Standing, Stream

VERIFICATIONS_MAX = 1_000


@dataclass
class PlainJournal:
    """All exchanges in the order of recording, each with its number; what a test takes out of the list is lost.

    ``failing`` is raised by whatever is put on record or asked meanwhile.
    """

    exchanges: list[Exchange] = field(default_factory=list)
    last_numbers: defaultdict[Stream, int] = field(default_factory=lambda: defaultdict(int))
    losses: defaultdict[Stream, dict[Lost, int]] = field(default_factory=lambda: defaultdict(dict))
    purged: defaultdict[Stream, int] = field(default_factory=lambda: defaultdict(int))
    doubtful: dict[Stream, int] = field(default_factory=dict)
    kept_verifications: defaultdict[Stream, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    bells: list[tuple[str, str, RungBell]] = field(default_factory=list)
    failing: Exception | None = None

    def record(self, exchange: Exchange) -> Exchange:
        """Put an exchange on record; it comes back with its number."""
        stream = exchange.stream
        self.last_numbers[stream] += 1
        numbered = exchange._replace(number=self.last_numbers[stream])
        self.exchanges.append(numbered)
        for environment_id, session_key, bell in self.bells:
            belongs = exchange.session_key == session_key or (not session_key and not exchange.session_id)
            if environment_id == exchange.environment_id and belongs:
                bell.ring()
        return numbered

    def lose(self, stream: Stream, *numbers: int, reason: Lost = Lost.SESSION_QUOTA) -> None:
        """Take exchanges off the record."""
        self.exchanges = [each for each in self.exchanges if each.stream != stream or each.number not in numbers]
        counted = self.losses[stream]
        counted[reason] = counted.get(reason, 0) + len(numbers)

    async def page(
        self, environment_id: str, session_key: str, *, before: str, since: str, limit: int
    ) -> Sequence[Exchange]:
        rows = [
            each
            for each in self.exchanges
            if (each.environment_id, each.session_key) == (environment_id, session_key)
            and (not before or each.id < before)
            and (not since or each.id > since)
        ]
        return sorted(rows, key=lambda each: each.id, reverse=not since)[:limit]

    async def exchange(self, exchange_id: str) -> Exchange | None:
        return next((each for each in self.exchanges if each.id == exchange_id), None)

    async def knows(self, environment_id: str, session_key: str) -> bool:
        return bool(await self.page(environment_id, session_key, before="", since="", limit=1))

    async def latest_stream(self, environment_id: str, session_key: str) -> Stream | None:
        for each in reversed(self.exchanges):
            if (each.environment_id, each.session_key) == (environment_id, session_key) and each.session_id:
                return each.stream
        return None

    async def streams(self, environment_id: str, session_key: str | None) -> Sequence[Stream]:
        self._check()
        found = dict.fromkeys([*[each.stream for each in self.exchanges], *self.losses, *self.kept_verifications])
        return [
            each
            for each in found
            if each.environment_id == environment_id
            and (session_key is None or (each.session_key == session_key and each.session_id))
        ]

    async def read(self, stream: Stream, after: int, limit: int) -> Sequence[Exchange]:
        self._check()
        found = [each for each in self.exchanges if each.stream == stream and each.number > after]
        return sorted(found, key=lambda each: each.number)[:limit]

    async def standing(self, stream: Stream) -> Standing:
        self._check()
        kept = sum(each.stream == stream and each.number > 0 for each in self.exchanges)
        # A copy: what is lost later is no part of it.
        losses = dict(self.losses[stream])
        return Standing(self.last_numbers[stream], kept, losses, self.doubtful.get(stream), self.purged[stream])

    @contextmanager
    def bell(self, environment_id: str, session_key: str) -> Iterator[RungBell]:
        entered = (environment_id, session_key, RungBell())
        self.bells.append(entered)
        try:
            yield entered[2]
        finally:
            self.bells.remove(entered)

    async def purge(self, stream: Stream) -> None:
        self._check()
        self.exchanges = [each for each in self.exchanges if each.stream != stream]
        self.losses.pop(stream, None)
        self.purged[stream] = self.last_numbers[stream]
        self.kept_verifications.pop(stream, None)

    async def keep_verification(self, stream: Stream, verification: bytes) -> None:
        self._check()
        kept = self.kept_verifications[stream]
        kept.append(verification)
        del kept[:-VERIFICATIONS_MAX]

    async def verifications(self, stream: Stream) -> Sequence[bytes]:
        self._check()
        return tuple(self.kept_verifications[stream])

    def _check(self) -> None:
        if self.failing is not None:
            raise self.failing
