"""What a row says of its rounds of load: the subject's medians, then the reference's."""

from operator import attrgetter

from benchmarks.load import Load
from benchmarks.method import Rounds

rate, p99 = attrgetter("rate"), attrgetter("p99_us")


def throughput(rounds: Rounds[Load]) -> str:
    """Rates, CPU, how busy the servers' core and the load's were, and the rounds that did not count."""
    rates, cpu, busy = _both(rounds, "rate"), _both(rounds, "cpu_us"), _both(rounds, "busy")
    made = _both(rounds, "generator_busy")
    return (
        f"{rates[0]:.0f}/s and {rates[1]:.0f}/s; CPU {cpu[0]:.1f} and {cpu[1]:.1f} us per request; "
        f"busy {busy[0]:.0%} and {busy[1]:.0%}, wrk {made[0]:.0%} and {made[1]:.0%}; "
        f"{rounds.disturbed} rounds disturbed"
    )


def full_load(rounds: Rounds[Load]) -> str:
    """Throughput, and the latencies under it."""
    return f"{throughput(rounds)}; {latencies(rounds)}"


def writing(rounds: Rounds[Load]) -> str:
    """How the subject's CPU is shared between the event loop and the threads that write."""
    whole, loop = rounds.subject(attrgetter("cpu_us")).median, rounds.subject(attrgetter("loop_us")).median
    return f"of ours {loop:.1f} us in the server's event loop and {whole - loop:.1f} us in the threads that write"


def latencies(rounds: Rounds[Load]) -> str:
    """Of an answer under full load, which is mostly the wait in the queue."""
    p50s, p99s = _both(rounds, "p50_us"), _both(rounds, "p99_us")
    return f"p50 {p50s[0]:.0f} and {p50s[1]:.0f} us, p99 {p99s[0]:.0f} and {p99s[1]:.0f} us"


def _both(rounds: Rounds[Load], name: str) -> tuple[float, float]:
    of = attrgetter(name)
    return rounds.subject(of).median, rounds.reference(of).median
