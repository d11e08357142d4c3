"""A flag in one environment, compiled once and evaluated often. The order of resolution stands here, and only here.

1. The flag is disabled, or has no state in the environment: off.
2. The first active rule that matches decides.
3. A rollout has a percentage: on for whom it includes, off for the others.
4. On.

What goes before all of it, a session's own value, and flags that do not exist, are for `evaluation.evaluate`.
"""

from collections.abc import Sequence
from typing import NamedTuple

from understudy_server.core.flags.buckets import is_in_rollout
from understudy_server.core.flags.conditions import (
    Attributes,
    CompiledCondition,
    Probe,
    compile_condition,
    compile_rule,
)
from understudy_server.core.flags.model import Context, Evaluation, Flag, FlagState, JsonValue, Reason, Rule
from understudy_server.core.flags.serving import Menu, Served
from understudy_server.core.giving_way import giving_way

_NO_STATE = FlagState()


class CompiledRule(NamedTuple):
    """A rule, its conditions, the ways in which it matches, and what it serves."""

    rule: Rule
    conditions: Sequence[CompiledCondition]
    ways: Sequence[Sequence[Probe]]
    served: Served


class CompiledFlag:
    """A flag in one environment. Made by `compile_flag`; it never changes, and gives the same objects again and again.

    ``rules`` are all of them, in the order in which they are asked.
    """

    __slots__ = (
        "_active",
        "_included",
        "_is_enabled",
        "_menu",
        "_off",
        "_on",
        "_out",
        "_out_nobody",
        "_percentage",
        "flag",
        "rules",
        "state",
    )

    def __init__(self, flag: Flag, state: FlagState) -> None:
        self.flag = flag
        self.state = state
        menu = Menu(flag, state)
        self.rules = tuple(_compile_rule(rule, menu) for rule in sorted(state.rules, key=lambda rule: rule.priority))
        self._menu = menu
        self._is_enabled = state.enabled
        self._percentage = state.rollout_percentage
        self._active = [(way, each.served) for each in self.rules if each.rule.active for way in each.ways]
        self._off = menu.off(Reason.FLAG_DISABLED)
        self._out = menu.off(Reason.PERCENTAGE_ROLLOUT_EXCLUDED)
        self._out_nobody = self._out._replace(user_missing=bool(state.rollout_percentage))
        self._included = menu.on(Reason.PERCENTAGE_ROLLOUT)
        self._on = menu.on(Reason.FLAG_ENABLED)

    def evaluate(self, context: Context) -> Evaluation:
        """What the flag says for this context, whatever a session says."""
        if not self._is_enabled:
            return self._off
        served = self._matching(context.attributes) if self._active else None
        if served is None:
            served = self._on if self._percentage is None else self._rolled_out(context.user_id, self._percentage)
        return served if isinstance(served, Evaluation) else served.choose(context)

    def named(self, text: str) -> JsonValue:
        """What a text stands for in this flag: see `Menu.named`."""
        return self._menu.named(text)

    def _matching(self, attributes: Attributes) -> Served | None:
        """What the first rule that matches serves. What `Probe.holds` says stands here again, without its calls."""
        find = attributes.get
        for conditions, served in self._active:
            for attribute, path, texts, check, wanted in conditions:
                found = find(attribute)
                if found is None and path is not None:
                    found = path(attributes)
                if found is None:
                    if wanted:
                        break
                elif texts is not None and isinstance(found, str):
                    if (found in texts) is not wanted:
                        break
                elif check(found) is not wanted:
                    break
            else:
                return served
        return None

    def _rolled_out(self, user_id: str, percentage: int) -> Served:
        if is_in_rollout(user_id, self.flag.key, percentage):
            return self._included
        return self._out if user_id else self._out_nobody


def compile_flag(flag: Flag, state: FlagState | None) -> CompiledFlag:
    """Compile a flag with its state in one environment, ``None`` when it was never given one. Never fails."""
    return CompiledFlag(flag, state or _NO_STATE)


def _compile_rule(rule: Rule, menu: Menu) -> CompiledRule:
    conditions = tuple(map(compile_condition, giving_way(rule.conditions)))
    return CompiledRule(rule, conditions, compile_rule(rule, conditions), menu.of_rule(rule))
