"""Flags that change, are frozen and are overridden in any order: each evaluation is what the plain model says of it.

This is about the core, to which flags and values are handed in; that they are the right session's is another proof
(`test_flag_sessions`). Every value names who set it, so that one that a compiled flag has kept from another evaluation
shows.
"""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from support.plain_flags import plain_evaluate
from support.proofs import new_seed, report, scaled
from understudy_server.core.flags.compiled import CompiledFlag, compile_flag
from understudy_server.core.flags.context import context_of
from understudy_server.core.flags.evaluation import NO_OVERRIDES, evaluate
from understudy_server.core.flags.model import ABSENT, Condition, Evaluation, Flag, FlagKind, FlagState, Rule, Variant

STEPS = scaled(100_000)
SESSIONS = [f"ses-{number}" for number in range(6)]
KEYS = ["new-checkout", "colour", "limit", "__proto__", "gone"]
PLANS = ["free", "beta"]
EVERYBODY = "everybody"


class Definition(NamedTuple):
    """A flag and its state, as the model keeps them."""

    flag: Flag
    state: FlagState | None


@dataclass
class Session:
    """What one session has set, and the flags that it froze: for the core, and as the model keeps them."""

    values: dict[str, Any] = field(default_factory=dict)
    frozen: Mapping[str, CompiledFlag] | None = None
    model_values: list[tuple[str, Any]] = field(default_factory=list)
    model_frozen: list[Definition] | None = None


@dataclass
class Stage:
    """Flags that are compiled as they change, and sessions among them."""

    dice: random.Random
    flags: dict[str, CompiledFlag] = field(default_factory=dict)
    model_flags: list[Definition] = field(default_factory=list)
    sessions: dict[str, Session] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    leaks: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    def step(self) -> None:
        does = self.dice.choices(
            [self.evaluate, self.set_value, self.clear_value, self.set_flag, self.freeze, self.end],
            [60, 15, 6, 12, 4, 3],
        )[0]
        self.done[does.__name__] += 1
        does()

    def evaluate(self) -> None:
        """Ask in a session, one that has ended, or none."""
        name = self.dice.choice([*SESSIONS, ""])
        key, attributes = self.dice.choice(KEYS), self._somebody()
        found = self._ask(name, key, attributes)
        if any(other != name and other in repr(found) for other in SESSIONS):
            self.leaks.append(f"{name or 'nobody'} was told {found}")
        if repr(found[:6]) != self._expected(name, key, attributes):
            self.differences.append(f"{name or 'nobody'}: {found}")

    def set_value(self) -> None:
        name, key = self.dice.choice(SESSIONS), self.dice.choice(KEYS)
        session = self.sessions.setdefault(name, Session())
        value = self.dice.choice([True, False, name, {"of": name}, [name], None])
        session.values = {**session.values, key: value}
        session.model_values.append((key, value))

    def clear_value(self) -> None:
        session, key = self.sessions.get(self.dice.choice(SESSIONS)), self.dice.choice(KEYS)
        if session is not None:
            session.values = {name: value for name, value in session.values.items() if name != key}
            session.model_values.append((key, ABSENT))

    def set_flag(self) -> None:
        """Make a flag, change it, or take it away."""
        key = self.dice.choice(KEYS)
        self.model_flags = [each for each in self.model_flags if each.flag.key != key]
        self.flags.pop(key, None)
        if self.dice.random() < 0.8:
            made = Definition(self._flag(key), self._state())
            self.model_flags = [*self.model_flags, made]
            self.flags[key] = compile_flag(made.flag, made.state)

    def freeze(self) -> None:
        session = self.sessions.setdefault(self.dice.choice(SESSIONS), Session())
        session.frozen, session.model_frozen = dict(self.flags), list(self.model_flags)

    def end(self) -> None:
        self.sessions.pop(self.dice.choice(SESSIONS), None)

    def _ask(self, name: str, key: str, attributes: dict[str, Any]) -> Evaluation:
        session = self.sessions.get(name)
        values = NO_OVERRIDES if session is None else session.values
        flags = self.flags if session is None or session.frozen is None else session.frozen
        return evaluate(flags, key, context_of(attributes), values)

    def _expected(self, name: str, key: str, attributes: dict[str, Any]) -> str:
        """What the plain model says: of all that was ever set, the last counts."""
        session = self.sessions.get(name, Session())
        override = next((value for of, value in reversed(session.model_values) if of == key), ABSENT)
        those = self.model_flags if session.model_frozen is None else session.model_frozen
        flag, state = next((each for each in those if each.flag.key == key), (None, None))
        said = plain_evaluate(key, flag, state, attributes, override)
        return repr((key, said.enabled, said.value, _Named(said.reason), said.variant, said.rule_id))

    def _somebody(self) -> dict[str, Any]:
        return {"userId": f"user-{self.dice.randrange(20)}", "plan": self.dice.choice(PLANS)}

    def _flag(self, key: str) -> Flag:
        variants = [Variant("red", weight=1), Variant(EVERYBODY, EVERYBODY, 2)][: self.dice.randrange(3)]
        return Flag(key, self.dice.choice(list(FlagKind)), self.dice.choice([ABSENT, EVERYBODY, True, 7]), variants)

    def _state(self) -> FlagState | None:
        rules = [Rule(f"rule_{plan}", [Condition("plan", "eq", plan)], value=self._value()) for plan in PLANS]
        percentage = self.dice.choice([None, self.dice.randint(0, 100)])
        state = FlagState(self.dice.random() < 0.8, self._value(), percentage, rules[: self.dice.randrange(3)])
        return self.dice.choice([state, state, state, None])

    def _value(self) -> Any:
        return self.dice.choice([ABSENT, EVERYBODY, True, False, 3])


class _Named:
    """A reason as `Reason` shows itself."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return f"<Reason.{self._name}: '{self._name}'>"


def test_each_evaluation_is_what_the_plain_model_says() -> None:
    seed = new_seed()
    stage = Stage(random.Random(seed))
    for _ in range(STEPS):
        stage.step()
    report(
        "flag resolution",
        steps=STEPS,
        evaluations=stage.done["evaluate"],
        leaks=len(stage.leaks),
        differences=len(stage.differences),
        seed=seed,
    )
    assert stage.done["evaluate"] > STEPS / 2
    assert (stage.leaks[:3], stage.differences[:3]) == ([], [])


def test_the_check_finds_a_value_that_is_another_session_s() -> None:
    stage = Stage(random.Random(1))
    shared = Session()
    stage.sessions = dict.fromkeys(SESSIONS, shared)
    for _ in range(200):
        stage.set_value()
        stage.evaluate()
    assert stage.leaks
