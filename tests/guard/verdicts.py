"""What is said of a scenario that does not cost what it may. An empty text: there is nothing to say."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from guard.budgets import REST, Budget

OPERATIONS_MARGIN: Final = 0.10
PACE_MARGIN: Final = 0.50
"""So wide because the same code has another pace on another machine, and with another build of the interpreter."""

UNGUARDED: Final = "no request is guarded: no budgets are kept for"
"""Begins what is said where nothing can be said of any scenario."""

_ATTEMPTS: Final = 3
_SHOWN_MAX: Final = 8
_RENEW: Final = "make guard-renew"


def on_operations(name: str, budget: Budget, counted: Mapping[str, float]) -> str:
    """What to say of the operations of a request, given by function, when they are off by more than the margin."""
    measured = sum(counted.values())
    off = measured / budget.operations - 1
    if abs(off) <= OPERATIONS_MARGIN:
        return ""
    compared = f"{measured:.0f} operations a request, {abs(off):.1%} {{}} than the budget of {budget.operations:.0f}"
    if off < 0:
        return (
            f"{name}: {compared.format('fewer')}. Well done! But as much could come back unseen now: {_RENEW} sets the"
            " budget anew, in this commit."
        )
    return "\n".join(
        [
            f"{name}: {compared.format('more')}; {OPERATIONS_MARGIN:.0%} are allowed. What grew most since it was set:",
            *_table(grown(budget, counted)),
            f"All functions: make guard SCENARIO={name}",
            f"If it is worth that: {_RENEW} REASON='...', and the same reason in the commit.",
        ]
    )


def on_pace(name: str, budget: Budget, measure: Callable[[], float]) -> str:
    """What to say of a scenario that is slower than the margin allows, and stays so when it is measured again."""
    most = budget.pace * (1 + PACE_MARGIN)
    measured: list[float] = []
    while len(measured) < _ATTEMPTS:
        measured.append(measure())
        if measured[-1] <= most:
            return ""
    least = min(measured)
    return "\n".join(
        [
            f"{name}: a request takes as long as {least:.2f} of the reference loop, {least / budget.pace - 1:.0%} more"
            f" than the budget of {budget.pace:.2f}; {PACE_MARGIN:.0%} are allowed.",
            "Unless its operations grew as well, it is compiled code that takes longer: something is copied, read or"
            " hashed that was not, or a library has changed.",
            f"Where the time goes: {_profile(name)}",
            f"If it is worth that: {_RENEW} REASON='...', and the same reason in the commit.",
        ]
    )


def grown(budget: Budget, counted: Mapping[str, float]) -> Iterator[tuple[str, float, float]]:
    """Functions that cost more than in the budget, with what they cost then and now, the most grown first."""
    kept = budget.functions
    found = [(name, kept.get(name, 0.0), now) for name, now in counted.items()]
    return iter(sorted([each for each in found if each[2] - each[1] >= 1], key=lambda each: each[1] - each[2]))


def rows(budget: Budget | None, counted: Mapping[str, float]) -> list[str]:
    """All functions, those of the budget that are not called any more among them, the dearest first."""
    kept = budget.functions if budget else {}
    gone = {name: 0.0 for name in kept if name not in counted and name != REST}
    return _table(((name, kept.get(name, 0.0), now) for name, now in {**counted, **gone}.items()), most=None)


def _table(functions: Iterator[tuple[str, float, float]], most: int | None = _SHOWN_MAX) -> list[str]:
    lines = [f"  {now - then:+9.1f} {now:9.1f}  {name}" for name, then, now in functions]
    hidden = len(lines) - most if most is not None else 0
    rest = [f"  ... and {hidden} more"] if hidden > 0 else []
    return ["     change       now  function (`name()`: what is compiled, per call)", *lines[:most], *rest]


def _profile(name: str) -> str:
    """The benchmark's profile of the same kind of request."""
    return f".venv/bin/python -m benchmarks.profile {name.partition('-')[0]}"
