"""What each scenario may cost, as it is kept in ``budgets.json``."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_name("budgets.json")

INTERPRETER: Final = f"{sys.implementation.name}-{sys.version_info.major}.{sys.version_info.minor}"
"""Each version of Python has instructions of its own, and so budgets of its own."""

_KEPT_MIN: Final = 1.0
REST: Final = "(all else)"


@dataclass(frozen=True)
class Budget:
    """What a request of a scenario cost when the budget was set.

    ``operations`` is the sum of ``functions``: those with at least one operation a request, and all others together.
    ``pace`` is in requests of the reference loop, 0 where it is not looked at.
    """

    operations: float
    functions: Mapping[str, float]
    pace: float = 0.0

    @classmethod
    def of(cls, counted: Mapping[str, float], pace: float = 0.0) -> "Budget":
        """The budget that is just enough."""
        kept = {name: round(cost, 2) for name, cost in counted.items() if cost >= _KEPT_MIN}
        total = round(sum(counted.values()), 2)
        return cls(total, {**kept, REST: round(total - sum(kept.values()), 2)}, round(pace, 2))


Budgets = Mapping[str, Budget]
"""By the names of the scenarios."""


def read(file: Path = FILE, interpreter: str = INTERPRETER) -> Budgets:
    """The budgets for a version of Python; none when none are kept."""
    kept = _read_all(file).get(interpreter, {"scenarios": {}})
    return {name: Budget(**fields) for name, fields in kept["scenarios"].items()}


def write(budgets: Budgets, reason: str, file: Path = FILE, interpreter: str = INTERPRETER) -> None:
    """Keep budgets for a version of Python in place of what there was. ``reason`` is why any grew, if any did."""
    kept = _read_all(file)
    kept[interpreter] = {"reason": reason, "scenarios": {name: asdict(each) for name, each in budgets.items()}}
    file.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n", encoding="utf-8")


def _read_all(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return found
