import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.state_suite import ANOTHER, CLAIMS, SESSION, StateSuite, use
from understudy_server.core.errors import StorageFailure
from understudy_server.core.state import State
from understudy_server.state.shared import SharedState
from understudy_server.store.sqlite import migrations
from understudy_server.store.sqlite.files import prepare

PROCESSES = 4
CHILD = Path(__file__).with_name("claiming_child.py")
TESTS = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "state.db"
    asyncio.run(prepare(path, "normal", migrations.state, lambda _: None))
    return path


class TestSharedState(StateSuite):
    limits_in = "understudy_server.state.shared"

    @pytest.fixture
    def state(self, path: Path) -> Iterator[State]:
        state = SharedState(path)
        yield state
        state.close()


def test_what_one_does_the_other_sees_at_once(path: Path) -> None:
    one, other = SharedState(path), SharedState(path)
    one.set_text(SESSION, "k", "1.10")
    one.claim(use())

    assert (other.text(SESSION, "k"), other.claim(use())) == ("1.10", 2)

    one.close()
    other.close()


def test_processes_lose_no_claim_and_take_no_step_twice(path: Path) -> None:
    children = [
        subprocess.Popen(
            [sys.executable, CHILD, path, str(CLAIMS // PROCESSES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": ":".join(sys.path)},
        )
        for _ in range(PROCESSES)
    ]
    for each in children:
        assert each.stdout
        assert each.stdout.readline() == "ready\n"
    for each in children:
        assert each.stdin
        each.stdin.write("go\n")
        each.stdin.flush()
    said = [line.split() for each in children for line in each.communicate()[0].splitlines()]

    assert [each.returncode for each in children] == [0] * PROCESSES
    for kind, numbers in (("use", range(1, CLAIMS + 1)), ("step", range(CLAIMS)), ("sum", range(1, CLAIMS + 1))):
        assert sorted(int(number) for told, number in said if told == kind) == list(numbers)
    assert len([1 for told, _ in said if told == "only"]) == 1


def test_a_file_that_is_held_for_too_long_is_a_failure_that_changed_nothing(path: Path) -> None:
    state = SharedState(path)
    state._connection.execute("PRAGMA busy_timeout=1")
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")

    with pytest.raises(StorageFailure, match="another process holds the files"):
        state.claim(use())
    with pytest.raises(StorageFailure, match="another process holds the files"):
        state.set_value(ANOTHER, "k", 1)
    holder.execute("ROLLBACK")

    assert state.claim(use()) == 1
    assert list(state.owners()) == [SESSION]
    holder.close()
    state.close()
