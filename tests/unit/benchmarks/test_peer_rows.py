"""Rows of other products: which of them is the fastest, and how long they are warmed up."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import pytest

from benchmarks import peer_rows
from benchmarks.load import Load, Loaded
from benchmarks.method import Length, Rejected, Spread
from benchmarks.page import page
from benchmarks.peer_rows import WarmUp, beside, beside_fastest, warm_up
from benchmarks.peers.catalogue import PEERS
from benchmarks.peers.installing import NotInstallable
from benchmarks.peers.peer import Running
from benchmarks.peers.pins import Pin, pins
from benchmarks.results import Measured, Run
from benchmarks.row import Row

WHOLE = Length()


def row(peer: str, ratio: float | None) -> Row:
    return Row(f"ours / {peer}", None if ratio is None else Spread(1, ratio, 90), None, "as it is")


def of(rate: float, generator_busy: float) -> Load:
    return Load(rate=rate, cpu_us=1, loop_us=1, busy=1, p50_us=1, p99_us=1, generator_busy=generator_busy)


def test_the_fastest_peer_is_the_one_that_ours_is_least_faster_than() -> None:
    fastest = beside_fastest([row("slow, 1.0", 40), row("absent, 1.0", None), row("quick, 2.0", 2.5)])

    assert fastest.name == "ours / the fastest peer's"
    assert fastest.value == Spread(1, 2.5, 90)
    assert fastest.detail == "quick, 2.0: as it is; not measured, whether they are faster or not: absent, 1.0"
    assert fastest.missed


def test_without_any_peer_nothing_is_said_of_the_fastest() -> None:
    fastest = beside_fastest([row("absent, 1.0", None)])

    assert (fastest.value, fastest.failed, fastest.verdict) == (None, True, "not measured")


def test_a_peer_that_cannot_be_installed_is_named_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(pin: Pin, needs: Sequence[str]) -> Path:
        raise NotInstallable(f"no {needs[0]} for {pin.package}")

    monkeypatch.setattr(peer_rows, "installed", refused)

    left_out = beside(PEERS[0], "ours", Loaded(0, "", "/"), WHOLE)

    assert (left_out.verdict, left_out.missed) == ("not measured", False)
    assert left_out.detail == "not installable here: no java for wiremock"


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> dict[str, Load]:
    """What a load of an address is like, with a peer that is there, on a machine that others leave alone."""
    found = dict[str, Load]()
    monkeypatch.setattr(peer_rows, "installed", lambda *_: Path())
    monkeypatch.setattr(peer_rows, "running", lambda *_: nullcontext(Running(1, "theirs", b"{}")))
    monkeypatch.setattr(peer_rows, "load", lambda loaded, _: found[loaded.address])
    monkeypatch.setattr(peer_rows, "Neighbours", Quiet)
    monkeypatch.setattr(peer_rows, "resting", lambda _: nullcontext())
    return found


class Quiet:
    others = 0.02

    def share(self) -> float:
        return self.others


def test_ours_is_the_first_of_all_that_a_row_tells(loads: dict[str, Load]) -> None:
    loads |= {"ours": of(600, 0.5), "theirs": of(100, 0.1)}

    found = beside(PEERS[-1], "a mock", Loaded(0, "ours", "/"), WHOLE)

    assert found.value == Spread(6, 6, 6)
    assert found.name == f"a mock / {PEERS[-1].name}, {pins()[PEERS[-1].package].version}"
    assert found.detail.startswith("600/s and 100/s; ")
    assert "others had at most 2% of a core" in found.detail
    assert found.detail.endswith("; warmed up for 6 s")


def test_a_machine_that_others_need_gives_no_numbers(loads: dict[str, Load], monkeypatch: pytest.MonkeyPatch) -> None:
    loads |= {"ours": of(600, 0.5), "theirs": of(100, 0.1)}
    monkeypatch.setattr(Quiet, "others", 1.2)

    found = beside(PEERS[-1], "a mock", Loaded(0, "ours", "/"), WHOLE)

    assert (found.value, found.missed, found.failed) == (None, False, True)
    assert "others had 120% of a core" in found.detail


def test_a_peer_that_scatters_is_measured_and_its_spread_shown(
    loads: dict[str, Load], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = cycle([of(100, 0.1), of(40, 0.1), of(200, 0.1)])
    loads |= {"ours": of(600, 0.5)}
    monkeypatch.setattr(peer_rows, "load", lambda loaded, _: loads.get(loaded.address) or next(theirs))

    found = beside(PEERS[-1], "a mock", Loaded(0, "ours", "/"), WHOLE)

    assert found.value == Spread(3, 6, 15)


def test_whoever_is_not_asked_stands_still(loads: dict[str, Load], monkeypatch: pytest.MonkeyPatch) -> None:
    still: list[int] = []
    seen: set[tuple[str, tuple[int, ...]]] = set()

    @contextmanager
    def resting(pid: int) -> Iterator[None]:
        still.append(pid)
        yield
        still.remove(pid)

    def load(loaded: Loaded, _: int) -> Load:
        seen.add((loaded.address, tuple(still)))
        return of(100, 0.5)

    monkeypatch.setattr(peer_rows, "resting", resting)
    monkeypatch.setattr(peer_rows, "load", load)

    beside(PEERS[-1], "a mock", Loaded(7, "ours", "/"), WHOLE)

    # The last is the peer's warm-up.
    assert seen == {("ours", (1,)), ("theirs", (7,)), ("theirs", ())}


def test_ours_without_its_core_is_no_measurement(loads: dict[str, Load]) -> None:
    loads |= {"ours": replace(of(600, 0.5), busy=0.48), "theirs": of(100, 0.1)}

    found = beside(PEERS[-1], "a mock", Loaded(0, "ours", "/"), WHOLE)

    assert (found.value, found.failed) == (None, True)
    assert found.detail.startswith("ours was busy in only 0 of 12 rounds")


@pytest.mark.parametrize("error", [Rejected("no answer"), ConnectionResetError("gone"), ValueError("no jar")])
def test_what_goes_wrong_with_one_peer_is_its_own_row(
    error: Exception, loads: dict[str, Load], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(peer_rows, "running", fail)

    found = beside(PEERS[-1], "a mock", Loaded(0, "ours", "/"), WHOLE)

    assert (found.value, found.failed, found.detail) == (None, True, str(error))


def test_a_row_without_a_value_has_its_line_on_the_page() -> None:
    run = Run("2026-11-26 09:00", "aaaaaaa", "a machine", "Python", 7, 3)
    text = page({"peers": Measured(run, (row("absent, 1.0", None),))})
    [line] = [line for line in text.splitlines() if line.startswith("| ours / absent")]

    assert line.count("|") == 9
    assert "not measured" in line
    assert line.endswith("| as it is |")


@pytest.mark.parametrize(
    ("rates", "length", "warm"),
    [
        ([100] * 5, WHOLE, WarmUp(6, settled=True)),
        ([100, 100, 120, 150, 151], WHOLE, WarmUp(10, settled=True)),
        ([1.2**number for number in range(20)], WHOLE, WarmUp(14, settled=False)),
        ([100], Length(rounds=1, seconds=1), WarmUp(1, settled=False)),
    ],
)
def test_peers_are_warmed_up_until_they_get_no_faster(rates: list[float], length: Length, warm: WarmUp) -> None:
    given = iter(rates)

    assert warm_up(lambda: next(given), length) == warm
