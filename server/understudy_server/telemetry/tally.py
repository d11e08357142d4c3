"""Counts what the proxy does, from the exchanges that it puts on record.

The path of a request is touched in one place: an exchange is laid aside beside the journal, and every so many of them
are counted together.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from operator import itemgetter
from typing import Final, NamedTuple, Protocol

from understudy_server.core.exchange import Exchange
from understudy_server.core.record import ExchangeOutcome, Phases
from understudy_server.telemetry.histogram import Counts, Histogram

# So many exchanges, with bodies of a quarter of a MiB on both sides at most, are held until they are counted.
_BATCH: Final = 128

_OUTCOME_AT: Final = Exchange._fields.index("outcome")
_PHASES_AT: Final = Exchange._fields.index("phases")
_ENVIRONMENT_AT: Final = Exchange._fields.index("environment_id")
_OUTCOME: Final = itemgetter(_OUTCOME_AT)
_ENVIRONMENT: Final = itemgetter(_ENVIRONMENT_AT)
_KEY: Final = itemgetter(_ENVIRONMENT_AT, _OUTCOME_AT)
_PHASES: Final = itemgetter(_PHASES_AT)

_Key = tuple[str, ExchangeOutcome]

# Upper bounds in microseconds.
_MATCH_BOUNDS: Final = (1, 2, 5, 10, 20, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 100_000)
_ANSWER_BOUNDS: Final = (
    *(25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000),
    *(1_000_000, 2_500_000, 5_000_000, 10_000_000, 30_000_000),
)
_UPSTREAM_BOUNDS: Final = _ANSWER_BOUNDS


class Recorder(Protocol):
    """Where exchanges go."""

    def record(self, exchange: Exchange) -> None:
        """Append an exchange."""


class Recording(NamedTuple):
    """A recorder that is one function."""

    record: Callable[[Exchange], None]


class Tallied(NamedTuple):
    """What was counted until now; times are in microseconds.

    ``requests`` are by environment (its id) and outcome, ``answer`` by outcome. ``upstream`` are the times until the
    first byte of an upstream's answer, connecting included.
    """

    requests: Mapping[_Key, int]
    match: Counts
    upstream: Counts
    answer: Mapping[ExchangeOutcome, Counts]


class Tally:
    """What the proxy has done since the start. One event loop owns it."""

    def __init__(self) -> None:
        self._held: list[Exchange] = []
        self._requests: dict[_Key, int] = {}
        self._match = Histogram(_MATCH_BOUNDS)
        self._upstream = Histogram(_UPSTREAM_BOUNDS)
        self._answer: dict[ExchangeOutcome, Histogram] = {}

    def beside(self, recorder: Recorder) -> Recorder:
        """A recorder that counts what it hands on."""
        # All that is asked for at every request is at hand: this is the whole price of counting while one is answered.
        held, record, count, batch = self._held, recorder.record, self._count, _BATCH
        lay_aside = held.append

        def record_counted(exchange: Exchange) -> None:
            record(exchange)
            lay_aside(exchange)
            if len(held) >= batch:
                count()

        return Recording(record_counted)

    def read(self, environments: Collection[str]) -> Tallied:
        """What was counted of these environments (ids); what was of others is forgotten."""
        self._count()
        for key in [key for key in self._requests if key[0] not in environments]:
            del self._requests[key]
        return Tallied(
            dict(self._requests),
            self._match.counts(),
            self._upstream.counts(),
            {outcome: histogram.counts() for outcome, histogram in self._answer.items()},
        )

    def _count(self) -> None:
        held = self._held
        # No Python for each exchange where it can be helped: this runs at the pace of requests.
        outcomes, environments = set(map(_OUTCOME, held)), set(map(_ENVIRONMENT, held))
        phases = list(map(_PHASES, held))
        # Under load they are mostly all of a kind.
        alike = len(outcomes) == len(environments) == 1
        requests: Mapping[_Key, int] = {_KEY(held[0]): len(held)} if alike else Counter(map(_KEY, held))
        for outcome in outcomes:
            self._time(outcome, phases if len(outcomes) == 1 else _with(outcome, held))
        # In place: the recorder has the list in hand.
        held.clear()
        for key, count in requests.items():
            self._requests[key] = self._requests.get(key, 0) + count

    def _time(self, outcome: ExchangeOutcome, phases: Sequence[Phases]) -> None:
        answer = self._answer.get(outcome)
        if answer is None:
            answer = self._answer[outcome] = Histogram(_ANSWER_BOUNDS)
        _, matching, _, connecting, waiting, answering = map(list, zip(*phases, strict=True))
        answer.add(answering)
        self._match.add(matching)
        # One that answered before it had the whole request was not waited for.
        forwarded = outcome is ExchangeOutcome.FORWARDED
        if forwarded or any(waiting):
            times = zip(connecting, waiting, strict=True)
            self._upstream.add([one + other for one, other in times if other or forwarded])


def _with(outcome: ExchangeOutcome, exchanges: Sequence[Exchange]) -> Sequence[Phases]:
    return [exchange.phases for exchange in exchanges if exchange.outcome == outcome]
