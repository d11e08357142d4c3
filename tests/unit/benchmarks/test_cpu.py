"""What others take of the two cores, told from a machine whose accounts are files that a test has written."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import cpu
from benchmarks.cpu import Neighbours, children, cpu_seconds

SELF, SERVER, WORKER = 100, 200, 300


class Machine:
    """Ticks that its cores and processes have used, a hundred a second. All starts with some."""

    def __init__(self, proc: Path) -> None:
        self._proc = proc
        self.user, self.stolen, self.idle, self.network = 1000, 10, 5000, 70
        self.processes = {SELF: [50, 5, 7, 3], SERVER: [400, 40, 0, 0], WORKER: [20, 2, 0, 0]}
        self.children = {SELF: [SERVER], SERVER: [WORKER], WORKER: []}
        self.write()

    def write(self) -> None:
        core = f"{self.user} 1 2 {self.idle} 0 0 {self.network} {self.stolen} 0 0"
        lines = [f"cpu{number} {core}" for number in range(4)]
        (self._proc / "stat").write_text("\n".join([f"cpu {core}", *lines, "intr 1 2 3"]), encoding="ascii")
        for pid, ticks in self.processes.items():
            task = self._proc / str(pid) / "task" / str(pid)
            task.mkdir(parents=True, exist_ok=True)
            fields = " ".join(["S", *["0"] * 10, *map(str, ticks), "0"])
            for stat in (task / "stat", self._proc / str(pid) / "stat"):
                stat.write_text(f"{pid} (a (name) of it) {fields}", encoding="ascii")
            (task / "children").write_text("".join(f"{child} " for child in self.children[pid]), encoding="ascii")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setattr(cpu, "_PROC", tmp_path)
    monkeypatch.setattr(cpu, "_TICKS_PER_SECOND", 100)
    monkeypatch.setattr(os, "getpid", lambda: SELF)
    return Machine(tmp_path)


def clock(*times: float) -> Callable[[], float]:
    given = iter(times)
    return lambda: next(given)


def test_what_our_own_processes_do_is_nothing_that_others_take(machine: Machine) -> None:
    neighbours = Neighbours(clock(0, 2))
    machine.processes[SERVER][0] += 150
    machine.processes[WORKER][1] += 50
    machine.user += 100
    machine.write()

    assert neighbours.share() == 0


def test_a_process_that_ended_still_counts_for_the_one_that_waited_for_it(machine: Machine) -> None:
    neighbours = Neighbours(clock(0, 2))
    machine.children[SERVER] = []
    machine.processes[SERVER][2:] = [20 + 100, 2]
    machine.user += 50
    machine.write()

    assert neighbours.share() == pytest.approx(0)


def test_what_other_processes_and_the_host_take_is_told_in_cores(machine: Machine) -> None:
    neighbours = Neighbours(clock(0, 2, 4))
    # Two cores of four are looked at.
    machine.user += 30
    machine.stolen += 10
    machine.write()

    assert [neighbours.share(), neighbours.share()] == [pytest.approx(0.4), 0]


def test_waiting_and_the_network_are_nobodys(machine: Machine) -> None:
    neighbours = Neighbours(clock(0, 2))
    machine.idle += 200
    machine.network += 50
    machine.write()

    assert neighbours.share() == 0


def test_children_of_children_count_and_their_threads_are_asked(machine: Machine) -> None:
    assert cpu_seconds(SERVER) == pytest.approx(4.62)
    assert children(SELF) == [SERVER]


def test_a_child_that_ends_while_it_is_counted_does_no_harm(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = 999
    monkeypatch.setattr(cpu, "children", lambda pid: [ended] if pid == SERVER else [])

    assert cpu_seconds(SERVER) == pytest.approx(4.4)
