"""Rows of flags: what it costs to evaluate one, in one process and without a door."""

import time
from collections.abc import Callable
from dataclasses import replace

from understudy_server.cli import collector
from understudy_server.core.flags.compiled import compile_flag
from understudy_server.core.flags.context import context_of
from understudy_server.core.flags.evaluation import evaluate
from understudy_server.core.flags.model import Condition, Flag, FlagKind, FlagState, Rule, Variant

from benchmarks.method import Length, Spread, alone
from benchmarks.row import Row, Target, at_most

_US_MAX = 3.0
_KEY = "checkout-button"
_FEW, _TRIES = 25, 200

# One of each sort that flags have: a text, a list, an ending, a number and a switch, a part of an object.
_RULES = (
    Rule("rule_country", [Condition("country", "equals", "BR")], value="green"),
    Rule("rule_plan", [Condition("plan", "in", ["team", "enterprise"])], value="green"),
    Rule("rule_staff", [Condition("email", "ends_with", "@example.com")], value="red"),
    Rule("rule_old", [Condition("age", "gte", 60), Condition("beta", "is_true")], value="red"),
    Rule("rule_gold", [Condition("user.tier", "equals", "gold")], value="blue"),
)
_VARIANTS = (Variant("red", weight=1), Variant("green", weight=1), Variant("blue", weight=2))
_SOMEBODY = {
    "userId": "user-123",
    "country": "DE",
    "plan": "free",
    "email": "ada@example.org",
    "age": 36,
    "beta": True,
}


def flags(length: Length) -> list[Row]:
    """A flag with five rules, of which the last matches or none; and what a hash, or a value of the session, adds."""
    state = FlagState(enabled=True, rules=_RULES)
    plain = {_KEY: compile_flag(Flag(_KEY, FlagKind.STRING, "red"), state)}
    split = Flag(_KEY, FlagKind.STRING, variants=_VARIANTS)
    rolled_out = {_KEY: compile_flag(split, replace(state, rollout_percentage=99))}
    nobody, last = context_of(_SOMEBODY), context_of({**_SOMEBODY, "user": {"tier": "gold"}})
    overrides = {_KEY: "green"}
    must, told = at_most(_US_MAX), at_most(_US_MAX, must=False)
    collector.calm()
    return [
        _row("the last matches", lambda: evaluate(plain, _KEY, last), length, must),
        _row("none matches", lambda: evaluate(plain, _KEY, nobody), length, must),
        _row("none matches, rollout and weights", lambda: evaluate(rolled_out, _KEY, nobody), length, told),
        _row("set by the session", lambda: evaluate(plain, _KEY, nobody, overrides), length, told),
    ]


def _row(kind: str, ask: Callable[[], object], length: Length, target: Target) -> Row:
    samples, disturbed = alone(lambda: _us(ask), length)
    detail = f"of {len(samples) + disturbed} rounds {disturbed} disturbed"
    return Row(f"evaluate a flag with {len(_RULES)} rules, {kind}", Spread.of(samples), target, detail, " us")


def _us(ask: Callable[[], object]) -> float:
    """The time of one, from the least of many tries for a few: a disturbance only ever slows."""
    return min(_nanoseconds(ask) for _ in range(_TRIES)) / _FEW / 1000


def _nanoseconds(ask: Callable[[], object]) -> int:
    began = time.perf_counter_ns()
    for _ in range(_FEW):
        ask()
    return time.perf_counter_ns() - began
