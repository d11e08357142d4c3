"""What is counted of the exchanges that go to the journal."""

from bisect import bisect_right

from hypothesis import given
from hypothesis import strategies as st
from support import records
from understudy_server.core.exchange import Exchange
from understudy_server.core.record import ExchangeOutcome, Phases
from understudy_server.telemetry.histogram import Counts, Histogram
from understudy_server.telemetry.tally import Tally

MOCKED, FORWARDED = ExchangeOutcome.MOCKED, ExchangeOutcome.FORWARDED


class Kept:
    """A journal that keeps what it is given."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    def record(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)


def exchange(number: int, outcome: ExchangeOutcome, phases: Phases, of: str = "env_1") -> Exchange:
    return records.exchange(number, of=of)._replace(outcome=outcome, phases=phases)


def below(counts: Counts, bound: float) -> int:
    return counts.below[list(counts.bounds).index(bound)]


def test_every_exchange_goes_on_to_the_journal_as_it_is() -> None:
    journal = Kept()
    recorder = Tally().beside(journal)
    given_out = [exchange(number, MOCKED, Phases(total_us=number)) for number in range(1_000)]
    for each in given_out:
        recorder.record(each)
    assert journal.exchanges == given_out


def test_requests_are_counted_by_environment_and_outcome() -> None:
    tally = Tally()
    recorder = tally.beside(Kept())
    for number in range(300):
        recorder.record(exchange(number, MOCKED if number % 3 else FORWARDED, Phases(), of=f"env_{number % 2}"))
    assert tally.read({"env_0", "env_1"}).requests == {
        ("env_0", MOCKED): 100,
        ("env_1", MOCKED): 100,
        ("env_0", FORWARDED): 50,
        ("env_1", FORWARDED): 50,
    }


def test_what_was_counted_of_an_environment_that_is_gone_is_forgotten() -> None:
    tally = Tally()
    recorder = tally.beside(Kept())
    recorder.record(exchange(1, MOCKED, Phases(), of="env_gone"))
    recorder.record(exchange(2, MOCKED, Phases(), of="env_here"))
    tally.read({"env_here"})
    assert tally.read({"env_here", "env_gone"}).requests == {("env_here", MOCKED): 1}


def test_times_are_taken_from_the_phases() -> None:
    tally = Tally()
    recorder = tally.beside(Kept())
    recorder.record(exchange(1, MOCKED, Phases(match_us=4, total_us=60)))
    recorder.record(exchange(2, FORWARDED, Phases(match_us=6, connect_us=400, first_byte_us=700, total_us=2_000)))
    tallied = tally.read({"env_1"})
    assert (tallied.match.total, tallied.match.sum, below(tallied.match, 5)) == (2, 10, 1)
    assert (tallied.upstream.total, tallied.upstream.sum) == (1, 1_100)
    assert {outcome: counts.sum for outcome, counts in tallied.answer.items()} == {MOCKED: 60, FORWARDED: 2_000}


def test_a_reader_sees_every_exchange_recorded_before_whatever_the_batch() -> None:
    tally = Tally()
    recorder = tally.beside(Kept())
    for number in range(1, 400):
        recorder.record(exchange(number, MOCKED, Phases()))
        if number % 37 == 0:
            assert tally.read({"env_1"}).requests == {("env_1", MOCKED): number}


@given(st.lists(st.lists(st.integers(0, 50), max_size=20)), st.lists(st.integers(0, 40), unique=True).map(sorted))
def test_a_histogram_counts_as_one_would_by_hand(batches: list[list[int]], bounds: list[int]) -> None:
    histogram = Histogram(bounds)
    for batch in batches:
        histogram.add(list(batch))
    values = sorted(value for batch in batches for value in batch)
    counts = histogram.counts()
    assert list(counts.below) == [bisect_right(values, bound) for bound in bounds]
    assert (counts.total, counts.sum) == (len(values), sum(values))
