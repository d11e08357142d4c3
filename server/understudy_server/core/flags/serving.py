"""What a flag serves: which value, under the name of which variant. All of it is made when the flag is compiled.

Value and variant always agree. Where a flag is on, and no rule says what it serves:

1. A value that is a text names its variant: the environment's, else the flag's default. An empty text names none.
2. Any other value of the environment is served as it is, under the variant that has this value, if there is one.
3. Weights choose among the variants that have some, by the user; without a user it is the first of them.
4. The flag's default, where a variant has this value.
5. The first variant.
6. The environment's value, else the flag's default, else the value that its kind has without any.

A boolean flag with variants and a value of the environment that none of them has goes on to 3: there the value says
whether it is on, and the variant says what is shown.
"""

import itertools
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from understudy_server.core.flags.buckets import point_of
from understudy_server.core.flags.model import (
    ABSENT,
    Context,
    Evaluation,
    Flag,
    FlagKind,
    FlagState,
    JsonValue,
    MaybeJson,
    Reason,
    Rule,
    Variant,
)
from understudy_server.core.flags.values import same

_ON: Final[Mapping[FlagKind, JsonValue]] = {
    FlagKind.BOOLEAN: True,
    FlagKind.STRING: "",
    FlagKind.NUMBER: 0,
    FlagKind.JSON: None,
}
_OFF: Final[Mapping[FlagKind, JsonValue]] = {**_ON, FlagKind.BOOLEAN: False}

# A weight beyond this is this one: their sum is to stay a number.
_WEIGHT_MAX: Final = 1e300


class Split(NamedTuple):
    """Evaluations of which the user's place among weights chooses one. ``ends`` rises to the sum of all weights."""

    flag_key: str
    ends: Sequence[float]
    evaluations: Sequence[Evaluation]

    def choose(self, context: Context) -> Evaluation:
        """The same one for the same user, always."""
        if not context.user_id:
            return self.evaluations[0]
        point = point_of(context.user_id, self.flag_key) * self.ends[-1]
        # The last end may be reached by rounding.
        return self.evaluations[min(bisect_right(self.ends, point), len(self.evaluations) - 1)]


Served: TypeAlias = Evaluation | Split
"""What is served where a flag is on."""


class Menu:
    """All that one flag may serve in one environment."""

    def __init__(self, flag: Flag, state: FlagState) -> None:
        self._flag = flag
        self._state = state
        self._values = {each.key: _value_of_named(flag, each) for each in flag.variants}

    def named(self, text: str) -> JsonValue:
        """What a text stands for: the value of the variant with that name, if it has one, else the text itself."""
        value = self._values.get(text, ABSENT)
        return text if value is ABSENT else value

    def off(self, reason: Reason) -> Evaluation:
        """The flag's default, for whom it is not on."""
        return Evaluation(self._flag.key, enabled=False, value=self._off_value(), reason=reason)

    def on(self, reason: Reason) -> Served:
        """What is served where no rule says it."""
        return self._on(self._state.value, reason)

    def of_rule(self, rule: Rule) -> Served:
        """What a rule serves."""
        if rule.variant is not None:
            served: Served = self._of_variant(rule, rule.variant)
        elif rule.value is False:
            served = self.off(Reason.TARGETING_RULE_MATCH)
            if self._flag.kind is FlagKind.BOOLEAN:
                served = served._replace(value=False)
        elif rule.value is True or rule.value is ABSENT:
            # The value of a boolean flag is what the rule says, unless it names what is shown.
            names_variant = isinstance(self._base(self._state.value), str)
            is_plain = self._flag.kind is FlagKind.BOOLEAN and not names_variant
            served = self._on(True if is_plain else self._state.value, Reason.TARGETING_RULE_MATCH)
        else:
            served = self._plain(rule.value, Reason.TARGETING_RULE_MATCH)
        return _with_rule(served, rule.id)

    def _off_value(self) -> JsonValue:
        default = self._flag.default
        return _OFF[self._flag.kind] if default is ABSENT else default

    def _base(self, given: MaybeJson) -> JsonValue:
        if given is not ABSENT:
            return given
        default = self._flag.default
        return _ON[self._flag.kind] if default is ABSENT else default

    def _on(self, given: MaybeJson, reason: Reason) -> Served:
        """What is served with this value of the environment: see above."""
        flag, base = self._flag, self._base(given)
        if base and isinstance(base, str):
            return self._plain(base, reason)
        by_value = self._with_value(base)
        if given is not ABSENT and (by_value is not None or flag.kind is not FlagKind.BOOLEAN):
            return self._evaluation(base, by_value, reason)
        shares = [(each, share) for each in flag.variants if (share := _share(each)) > 0]
        if shares:
            evaluations = [self._evaluation(self._served_value(each, base), each.key, reason) for each, _ in shares]
            return Split(flag.key, list(itertools.accumulate(share for _, share in shares)), evaluations)
        if by_value is None and flag.variants:
            first = flag.variants[0]
            return self._evaluation(self._served_value(first, base), first.key, reason)
        return self._evaluation(base, by_value, reason)

    def _of_variant(self, rule: Rule, variant: str) -> Evaluation:
        """What a rule serves that names a variant."""
        is_on, value = rule.value is not False, rule.value
        if value is ABSENT or value is True or value is False:
            named = self._values.get(variant, ABSENT)
            if named is not ABSENT:
                value = named
            elif self._flag.kind is FlagKind.BOOLEAN:
                value = is_on
            elif self._flag.kind is FlagKind.STRING:
                value = variant
            else:
                value = self._base(self._state.value)
        elif isinstance(value, str):
            value = self.named(value)
        return Evaluation(self._flag.key, is_on, value, Reason.TARGETING_RULE_MATCH, variant)

    def _plain(self, value: JsonValue, reason: Reason) -> Evaluation:
        """A value by itself: a text names a variant, anything else may be one's value."""
        if isinstance(value, str):
            return self._evaluation(self.named(value), value or None, reason)
        return self._evaluation(value, self._with_value(value), reason)

    def _with_value(self, value: JsonValue) -> str | None:
        """The first variant that has this value."""
        for key, own in self._values.items():
            if own is not ABSENT and same(own, value):
                return key
        return None

    def _served_value(self, variant: Variant, base: JsonValue) -> JsonValue:
        own = self._values[variant.key]
        return base if own is ABSENT else own

    def _evaluation(self, value: JsonValue, variant: str | None, reason: Reason) -> Evaluation:
        return Evaluation(self._flag.key, enabled=True, value=value, reason=reason, variant=variant)


def _value_of_named(flag: Flag, variant: Variant) -> MaybeJson:
    if variant.value is ABSENT and flag.kind is FlagKind.STRING:
        return variant.key
    return variant.value


def _share(variant: Variant) -> float:
    weight = variant.weight
    # Written so that what is no number has none.
    return float(min(weight, _WEIGHT_MAX)) if weight is not None and weight > 0 else 0.0


def _with_rule(served: Served, rule_id: str) -> Served:
    if isinstance(served, Evaluation):
        return served._replace(rule_id=rule_id)
    return served._replace(evaluations=[each._replace(rule_id=rule_id) for each in served.evaluations])
