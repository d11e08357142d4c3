"""What a row says of its rounds of load: the subject's medians, then the reference's."""

from operator import attrgetter

from benchmarks.load import Load
from benchmarks.method import Rounds

rate, p99 = attrgetter("rate"), attrgetter("p99_us")


def throughput(rounds: Rounds[Load]) -> str:
    """Rates, CPU, how busy the servers' core was, and the rounds that did not count."""
    rates, cpu, busy = _both(rounds, "rate"), _both(rounds, "cpu_us"), _both(rounds, "busy")
    return (
        f"{rates[0]:.0f}/s and {rates[1]:.0f}/s; CPU {cpu[0]:.1f} and {cpu[1]:.1f} us per request; "
        f"busy {busy[0]:.0%} and {busy[1]:.0%}; {rounds.disturbed} rounds disturbed"
    )


def latencies(rounds: Rounds[Load]) -> str:
    """Of an answer under full load, which is mostly the wait in the queue."""
    p50s, p99s = _both(rounds, "p50_us"), _both(rounds, "p99_us")
    return f"p50 {p50s[0]:.0f} and {p50s[1]:.0f} us, p99 {p99s[0]:.0f} and {p99s[1]:.0f} us"


def _both(rounds: Rounds[Load], name: str) -> tuple[float, float]:
    of = attrgetter(name)
    return rounds.subject(of).median, rounds.reference(of).median
