"""The guard by hand: ``make guard``, ``make guard SCENARIO=static``, and ``make guard-renew``.

Without a name it says what a request of each scenario costs, and how far that is from the budget; with one, what each
function does of it. ``--renew`` sets the budgets to what is measured now. If any grows, it has to be said why.
"""

import argparse
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from guard import budgets, verdicts
from guard.budgets import Budget, Budgets
from guard.measuring import OPERATIONS, PACES

_GROWN_MIN = 0.01


def main(arguments: Sequence[str] | None = None, file: Path = budgets.FILE) -> None:
    parser = argparse.ArgumentParser(prog="guard", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("scenario", nargs="?", choices=list(OPERATIONS), help="show each function of this one")
    parser.add_argument("--renew", action="store_true", help="set the budgets to what is measured now")
    parser.add_argument("--reason", default="", help="why a scenario may cost more from now on")
    given = parser.parse_args(arguments)
    kept = budgets.read(file)
    if given.scenario:
        print("\n".join(verdicts.rows(kept.get(given.scenario), OPERATIONS[given.scenario]())))
        return
    measured = _look(kept)
    if given.renew:
        budgets.write(measured, _reason(kept, measured, given.reason.strip()), file)


def _look(kept: Budgets) -> Budgets:
    """Measure all scenarios, and tell."""
    print(f"{'operations':>10} {'change':>8}   {'pace':>6} {'change':>8}   scenario")
    return {name: _measured(name, kept.get(name)) for name in OPERATIONS}


def _measured(name: str, kept: Budget | None) -> Budget:
    take = PACES.get(name)
    # One alone may be from a bad moment.
    pace = statistics.median([take() for _ in range(3)]) if take else 0.0
    found = Budget.of(OPERATIONS[name](), pace)
    operations = f"{found.operations:10.0f} {_change(kept.operations if kept else 0, found.operations):>8}"
    beside = f"{found.pace:6.2f} {_change(kept.pace if kept else 0, found.pace):>8}" if take else " " * 15
    print(f"{operations}   {beside}   {name}", flush=True)
    return found


def _change(then: float, now: float) -> str:
    return f"{now / then - 1:+z.1%}" if then else ""


def _reason(kept: Budgets, measured: Mapping[str, Budget], given: str) -> str:
    """Why budgets grow, empty when none does by more than a trifle. Ends the command when nobody says why."""
    known = [name for name in measured if name in kept]
    dearer = [name for name in known if measured[name].operations > kept[name].operations * (1 + _GROWN_MIN)]
    if dearer and not given:
        sys.exit(f"Nothing is changed. These would grow: {', '.join(dearer)}. Say why it is worth that: REASON='...'")
    return given if dearer else ""


if __name__ == "__main__":
    main()
