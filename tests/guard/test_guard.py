"""The guard itself: what it sees, and what it says."""

import gc
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from guard import __main__ as command
from guard import budgets, verdicts
from guard.budgets import REST, Budget
from guard.counting import CALL, count
from guard.measuring import OPERATIONS, PACES
from guard.reference import Reference, request
from guard.scenarios import SCENES
from guard.stage import Scene, staged
from understudy_server.proxy.connection import Connection

SPIN = "understudy_server.planted.spin"


def _ours(source: str) -> dict[str, Any]:
    """What some source defines. To the counter it is the product's, not a test's."""
    namespace: dict[str, Any] = {"__name__": "understudy_server.planted"}
    exec(source, namespace)
    return namespace


def _spin(rounds: int) -> Callable[[], object]:
    spin: Callable[[], object] = _ours(f"def spin():\n for _ in range({rounds}): pass")["spin"]
    return spin


def _spins_of(operations: float) -> Callable[[], object]:
    """A function that costs so many operations, or one more or less."""
    none, hundred = [count(_spin(rounds))[SPIN] for rounds in (0, 100)]
    return _spin(round((operations - none) / (hundred - none) * 100))


def _plant(monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> None:
    """Have it done for each request, which comes in one piece."""
    data_received = Connection.data_received

    def planted(self: Connection, data: bytes) -> None:
        work()
        data_received(self, data)

    monkeypatch.setattr(Connection, "data_received", planted)


def _budget(name: str = "static") -> Budget:
    """What a scenario costs now: these tests have nothing to do with what is kept."""
    return Budget.of(OPERATIONS[name]())


# What is counted.


@pytest.mark.parametrize("name", ["static-metrics", "forward-unlike", "journal-disk"])
def test_same_work_is_the_same_count_again(name: str) -> None:
    assert OPERATIONS[name]() == OPERATIONS[name]()


def test_collector_and_those_it_tells_are_not_counted() -> None:
    told = _ours("def told(phase, info):\n pass")["told"]
    gc.callbacks.append(told)
    try:
        counted = count(_ours("def lists():\n dict(enumerate(map(list, [()] * 20_000)))")["lists"])
    finally:
        gc.callbacks.remove(told)
    assert "understudy_server.planted.told" not in counted
    assert gc.isenabled()


def test_each_instruction_and_each_call_counts() -> None:
    once, twice, thrice = [count(_spin(rounds)) for rounds in (100, 200, 300)]
    assert twice[SPIN] - once[SPIN] == thrice[SPIN] - twice[SPIN] >= 100
    measured = count(_ours("def measure():\n len('') + len('')")["measure"])
    assert measured["len()"] == 2 * CALL
    assert measured["understudy_server.planted.measure"] > CALL


def test_what_libraries_do_in_python_counts() -> None:
    assert count(lambda: json.JSONEncoder(indent=1).encode([1, 2]))["json.encoder._make_iterencode"] > CALL


def test_stage_counts_as_one_call_whatever_it_does() -> None:
    def of_the_stage() -> None:
        sorted([len(each) for each in ("a", "b")])

    ours = _ours("def ours(stage):\n stage()")["ours"]
    counted = count(lambda: ours(of_the_stage))
    assert counted[f"{of_the_stage.__qualname__}()"] == CALL
    assert counted.keys() == {"understudy_server.planted.ours", f"{of_the_stage.__qualname__}()"}


def test_who_watched_before_does_so_again() -> None:
    seen: list[str] = []

    def watch(_frame: FrameType, event: str, _argument: object) -> None:
        seen.append(event)

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        count(_spin(1))
        seen.clear()
        _spin(1)()
    finally:
        sys.settrace(before)
    assert "call" in seen


# What is said of it.


def test_slow_down_of_a_tenth_is_told_with_its_function_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = _budget()
    spin = _spins_of(0.11 * budget.operations)
    _plant(monkeypatch, spin)
    counted = OPERATIONS["static"]()

    first, _, grown_most, *_, how_to_look, how_to_allow = verdicts.on_operations("static", budget, counted).split("\n")

    assert first.startswith(f"static: {sum(counted.values()):.0f} operations a request, 1")
    assert f"% more than the budget of {budget.operations:.0f}; 10% are allowed." in first
    assert grown_most.split() == [f"{counted[SPIN]:+.1f}", f"{counted[SPIN]:.1f}", SPIN]
    assert how_to_look == "All functions: make guard SCENARIO=static"
    assert "make guard-renew REASON='...'" in how_to_allow


def test_one_more_call_for_each_request_is_in_the_count(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = _budget()
    _plant(monkeypatch, _ours("def lower():\n 'Key'.lower()")["lower"])
    assert ("str.lower()", 0.0, CALL) in list(verdicts.grown(budget, OPERATIONS["static"]()))


def test_less_than_a_tenth_is_nothing_to_talk_about(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = _budget()
    _plant(monkeypatch, _spins_of(0.09 * budget.operations))
    assert verdicts.on_operations("static", budget, OPERATIONS["static"]()) == ""


def test_budget_that_has_become_too_large_is_told() -> None:
    said = verdicts.on_operations("static", Budget(1000, {}), {"f": 890})
    assert said.startswith("static: 890 operations a request, 11.0% fewer than the budget of 1000.")
    assert "make guard-renew sets the budget anew" in said


def test_only_what_grew_most_is_listed() -> None:
    counted = {f"f{number:02}": 100.0 + number for number in range(20)}
    listed = verdicts.on_operations("static", Budget(1000, {"f19": 118.5}), counted).split("\n")[2:-2]
    assert listed[0].split() == ["+118.0", "118.0", "f18"]
    assert listed[-1].strip() == "... and 11 more"
    assert len(listed) == 9


def test_all_functions_are_listed_with_those_that_are_gone() -> None:
    listed = verdicts.rows(Budget(7, {"gone": 3.0, "f": 4.0, REST: 0.0}), {"f": 5.0})
    assert [line.split() for line in listed[1:]] == [["+1.0", "5.0", "f"], ["-3.0", "0.0", "gone"]]


# Time.


def test_compiled_work_that_no_count_shows_is_seen_by_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    budget = Budget.of(OPERATIONS["static"](), PACES["static"]())
    data = bytes(20_000)
    _plant(monkeypatch, lambda: hashlib.blake2b(data))

    assert verdicts.on_operations("static", budget, OPERATIONS["static"]()) == ""
    said = verdicts.on_pace("static", budget, PACES["static"])
    assert said.startswith("static: a request takes as long as ")
    assert f"than the budget of {budget.pace:.2f}; 50% are allowed." in said
    assert ".venv/bin/python -m benchmarks.profile static\n" in said


@pytest.mark.parametrize("measured", [[1.49], [1.6, 1.49], [9.0, 1.6, 1.49]])
def test_slow_moment_is_no_slow_down(measured: list[float]) -> None:
    taken = iter(measured)
    assert verdicts.on_pace("static", Budget(1, {}, pace=1.0), taken.__next__) == ""
    assert list(taken) == []


def test_slow_down_is_told_by_the_fastest_of_what_was_measured() -> None:
    said = verdicts.on_pace("static", Budget(1, {}, pace=1.0), iter([1.7, 1.6, 1.8]).__next__)
    assert said.startswith("static: a request takes as long as 1.60 of the reference loop, 60% more than")


def test_reference_loop_answers_and_keeps_what_it_is_asked() -> None:
    reference = Reference()
    reference.run([request(number) for number in range(63)])
    assert reference._sent[7].endswith(b"\r\n\r\n0007-0006")
    reference.run([request(63)])
    assert [each[:3] for each in reference._record][7] == ("/orders/7", "page=0", 7)
    assert len(reference._record) == 64


# The stage.


def test_answer_that_is_wrong_is_no_measurement() -> None:
    scene = SCENES["static"]
    with (
        pytest.raises(AssertionError, match=r"answers are wrong, such as b'HTTP/1\.1 200 OK"),
        staged(Scene(scene.request, b"something else", scene.mocks)),
    ):
        pass


def test_answer_that_is_missing_is_no_measurement() -> None:
    with staged(SCENES["static"]) as stage:
        stage.serve(stage.requests(2))
        with pytest.raises(AssertionError, match="3 requests had 2 answers"):
            stage.check(3)


# What is kept.


def test_budget_keeps_the_functions_that_matter_and_the_sum_of_all() -> None:
    budget = Budget.of({"f": 10.004, "g": 1.0, "h": 0.4, "i": 0.3}, 1.234)
    assert budget == Budget(11.7, {"f": 10.0, "g": 1.0, REST: 0.7}, 1.23)


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["alone", "in a worker"])
def test_run_on_a_python_without_budgets_ends_with_saying_that_nothing_is_guarded(
    workers: list[str], tmp_path: Path
) -> None:
    (tmp_path / "without_budgets.py").write_text("from guard import budgets\nbudgets.read = lambda: {}\n")
    tests = Path(__file__).parents[1]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *workers]
    command += ["-p", "without_budgets", str(tests / "guard" / "test_hot_path.py"), "-k", "static-metrics"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tests), str(tmp_path)])}

    ran = subprocess.run(command, capture_output=True, text=True, env=environ, check=False)

    said = f"guard: no request is guarded: no budgets are kept for {budgets.INTERPRETER}, "
    assert [line for line in ran.stdout.splitlines() if line.startswith("guard: ")] == [
        f"{said}which has instructions of its own: make guard-renew"
    ], ran.stdout + ran.stderr
    assert "2 skipped" in ran.stdout


def test_what_compiled_code_does_is_timed_in_each_kind_of_request() -> None:
    assert {"static", "static-metrics", "sessions-unlike", "body-other", "template-other", "forward-other"} <= {*PACES}


def test_budgets_are_kept_for_each_version_of_python(tmp_path: Path) -> None:
    file, one, other = tmp_path / "budgets.json", {"s": Budget(1, {"f": 1})}, {"s": Budget(2, {"f": 2}, 3.0)}
    budgets.write(one, "", file, "cpython-3.11")
    budgets.write(other, "it is worth it", file, "cpython-3.12")
    assert budgets.read(file, "cpython-3.11") == one
    assert budgets.read(file, "cpython-3.12") == other
    assert budgets.read(file, "cpython-3.13") == {}


class _Measured:
    """Stands in for what is measured: one scenario that costs what the test says."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
        self.costs = 100.0
        self._file = file
        monkeypatch.setattr(command, "OPERATIONS", {"static": self._count})
        monkeypatch.setattr(command, "PACES", {})

    def _count(self) -> Mapping[str, float]:
        return {"f": self.costs}

    def renew(self, *arguments: str) -> None:
        command.main(["--renew", *arguments], self._file)

    @property
    def kept(self) -> float:
        return budgets.read(self._file)["static"].operations

    @property
    def reason(self) -> str:
        reason: str = json.loads(self._file.read_text())[budgets.INTERPRETER]["reason"]
        return reason


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> _Measured:
    made = _Measured(monkeypatch, tmp_path / "budgets.json")
    made.renew()
    return made


def test_larger_budget_needs_a_reason_which_is_kept_beside_it(measured: _Measured) -> None:
    measured.costs = 120.0
    with pytest.raises(SystemExit, match="These would grow: static"):
        measured.renew()
    assert measured.kept == 100.0

    measured.renew("--reason", "bodies are checked twice")

    assert (measured.kept, measured.reason) == (120.0, "bodies are checked twice")


@pytest.mark.parametrize("costs", [70.0, 100.9])
def test_smaller_budget_needs_no_reason(measured: _Measured, costs: float) -> None:
    measured.costs = costs
    measured.renew("--reason", "there is none")
    assert (measured.kept, measured.reason) == (costs, "")


def test_command_tells_what_has_changed_and_changes_nothing(
    measured: _Measured, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    measured.costs = 90.0
    command.main([], tmp_path / "budgets.json")
    assert capsys.readouterr().out.split("\n")[-2].split() == ["90", "-10.0%", "static"]
    assert measured.kept == 100.0


def test_command_lists_the_functions_of_one_scenario(
    measured: _Measured, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    measured.costs = 130.0
    command.main(["static"], tmp_path / "budgets.json")
    assert capsys.readouterr().out.split("\n")[-2].split() == ["+30.0", "130.0", "f"]
