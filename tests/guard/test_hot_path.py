"""No request costs much more than when its budget was set. CONTRIBUTING.md says what to do about one that does."""

import sys

import pytest
from guard import budgets, verdicts
from guard.budgets import Budget
from guard.measuring import OPERATIONS, PACES


def _budget(name: str) -> Budget:
    kept = budgets.read()
    if not kept:
        # Said once at the end of the run, too: tests/conftest.py.
        pytest.skip(f"{verdicts.UNGUARDED} {budgets.INTERPRETER}, which has instructions of its own: make guard-renew")
    if name not in kept:
        pytest.fail(f"{name} has no budget yet: make guard-renew", pytrace=False)
    return kept[name]


@pytest.mark.parametrize("name", OPERATIONS)
def test_request_does_as_much_as_its_budget_says(name: str) -> None:
    if said := verdicts.on_operations(name, _budget(name), OPERATIONS[name]()):
        pytest.fail(said, pytrace=False)


@pytest.mark.parametrize("name", PACES)
def test_request_takes_no_longer_beside_the_reference_loop_than_its_budget_says(name: str) -> None:
    if sys.gettrace() or sys.getprofile():
        pytest.skip("whoever traces this slows Python and nothing else: the ratio says nothing now")
    budget = _budget(name)
    if not budget.pace:
        pytest.fail(f"{name} has no pace yet: make guard-renew", pytrace=False)
    if said := verdicts.on_pace(name, budget, PACES[name]):
        pytest.fail(said, pytrace=False)
