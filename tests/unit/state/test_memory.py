import pytest
from support.state_suite import SESSION, StateSuite, use
from understudy_server.core.state import State
from understudy_server.state.memory import MemoryState


class TestMemoryState(StateSuite):
    limits_in = "understudy_server.state.memory"

    @pytest.fixture
    def state(self) -> State:
        return MemoryState()


def test_every_change_is_told() -> None:
    told: list[int] = []
    state = MemoryState(lambda: told.append(1))

    state.claim(use())
    state.increment(SESSION, "n", 1)
    state.set_machine(SESSION, "order", "paid")
    state.delete_value(SESSION, "n")
    state.reset(SESSION)

    assert len(told) == 5


def test_what_changes_nothing_is_not_told() -> None:
    told: list[int] = []
    state = MemoryState(lambda: told.append(1))

    state.claim(use(uses_max=0)._replace(machine="order", stepped=SESSION, required="paid"))
    state.delete_value(SESSION, "n")
    state.reset(SESSION)
    state.reset_environment("env_1")

    assert told == []
