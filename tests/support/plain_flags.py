"""Flags told plainly: what the contract says of an evaluation, slow and case by case, to hold the quick one against.

It shares nothing with the core but the values that go in, and knows JSON as people write it.
"""

import hashlib
import itertools
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from understudy_server.core.flags.model import ABSENT, Condition, Flag, FlagKind, FlagState, Join, Rule

_NAMES = {
    "eq": "equals",
    "neq": "not_equals",
    "startsWith": "starts_with",
    "endsWith": "ends_with",
    "gt": "greater_than",
    "lt": "less_than",
}
_NEGATIVE = {"not_equals": "equals", "not_in": "in", "not_contains": "contains", "not_exists": "exists"}
_ONE_MORE = itertools.count()
_USERS = ("targetingKey", "userId", "user_id")


class Said(NamedTuple):
    """What is said of a flag."""

    enabled: bool
    value: Any
    variant: str | None
    reason: str
    rule_id: str | None = None


def plain_evaluate(
    key: str, flag: Flag | None, state: FlagState | None, attributes: Mapping[str, Any], override: Any = ABSENT
) -> Said:
    """Go down the contract's list."""
    if override is not ABSENT:
        return _of_session(flag, override)
    if flag is None:
        return Said(False, ABSENT, None, "FLAG_NOT_FOUND")
    if state is None or not state.enabled:
        return Said(False, _when_off(flag), None, "FLAG_DISABLED")
    user = _user_id(attributes)
    for priority in sorted({rule.priority for rule in state.rules}):
        for rule in [each for each in state.rules if each.priority == priority and each.active]:
            if _fits(rule, attributes):
                return _of_rule(flag, state, rule, user)
    if state.rollout_percentage is not None:
        if not _rolled_out(user, key, state.rollout_percentage):
            return Said(False, _when_off(flag), None, "PERCENTAGE_ROLLOUT_EXCLUDED")
        return Said(True, *_when_on(flag, state.value, user), "PERCENTAGE_ROLLOUT")
    return Said(True, *_when_on(flag, state.value, user), "FLAG_ENABLED")


def plain_digest(text: str) -> int:
    """The first eight digits of a text's SHA-256, as a number."""
    return int(hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8], 16)


def _user_id(attributes: Mapping[str, Any]) -> str:
    for name in _USERS:
        value = attributes.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and _written(value):
            return _written(value) or ""
    return ""


def _rolled_out(user: str, key: str, percentage: int) -> bool:
    if percentage in (0, 100) or not user:
        return percentage == 100
    return plain_digest(f"{user}:{key}") % 100 < percentage


def _of_session(flag: Flag | None, override: Any) -> Said:
    if isinstance(override, bool):
        return Said(override, override, None, "TEST_OVERRIDE")
    if isinstance(override, str):
        return Said(True, _behind(flag, override), override, "TEST_OVERRIDE")
    return Said(True, override, None, "TEST_OVERRIDE")


def _behind(flag: Flag | None, name: str) -> Any:
    """The value of the variant with this name."""
    for each in flag.variants if flag else ():
        if each.key == name and each.value is not ABSENT:
            return each.value
    return name


def _of_rule(flag: Flag, state: FlagState, rule: Rule, user: str) -> Said:
    matched = "TARGETING_RULE_MATCH", rule.id
    is_switch = rule.value is ABSENT or isinstance(rule.value, bool)
    is_on = rule.value is not False
    if rule.variant is not None:
        variant = next((each for each in flag.variants if each.key == rule.variant), None)
        if not is_switch:
            value = _behind(flag, rule.value) if isinstance(rule.value, str) else rule.value
        elif variant is not None and variant.value is not ABSENT:
            value = variant.value
        else:
            value = {FlagKind.BOOLEAN: is_on, FlagKind.STRING: rule.variant}.get(flag.kind, _base(flag, state.value))
        return Said(is_on, value, rule.variant, *matched)
    if not is_switch:
        return Said(True, *_by_itself(flag, rule.value), *matched)
    if not is_on:
        return Said(False, False if flag.kind is FlagKind.BOOLEAN else _when_off(flag), None, *matched)
    turns_on = flag.kind is FlagKind.BOOLEAN and not isinstance(_base(flag, state.value), str)
    return Said(True, *_when_on(flag, True if turns_on else state.value, user), *matched)


def _when_off(flag: Flag) -> Any:
    return {"boolean": False, "string": "", "number": 0}.get(flag.kind) if flag.default is ABSENT else flag.default


def _base(flag: Flag, of_state: Any) -> Any:
    for each in (of_state, flag.default):
        if each is not ABSENT:
            return each
    return {"boolean": True, "string": "", "number": 0}.get(flag.kind)


def _when_on(flag: Flag, of_state: Any, user: str) -> tuple[Any, str | None]:
    base = _base(flag, of_state)
    if isinstance(base, str) and base != "":
        return _by_itself(flag, base)
    twin = _by_itself(flag, base)[1]
    if of_state is not ABSENT and (twin is not None or flag.kind is not FlagKind.BOOLEAN):
        return base, twin
    weighty = [each for each in flag.variants if each.weight is not None and each.weight > 0]
    if weighty:
        chosen = weighty[0]
        if user:
            place = plain_digest(f"{user}:{flag.key}:variant") / 2**32
            total = sum(each.weight or 0 for each in weighty)
            for at, each in enumerate(weighty):
                chosen = each
                if place * total < sum(other.weight or 0 for other in weighty[: at + 1]):
                    break
    elif twin is not None or not flag.variants:
        return base, twin
    else:
        chosen = flag.variants[0]
    if chosen.value is not ABSENT:
        return chosen.value, chosen.key
    return chosen.key if flag.kind is FlagKind.STRING else base, chosen.key


def _by_itself(flag: Flag, value: Any) -> tuple[Any, str | None]:
    if isinstance(value, str):
        return _behind(flag, value), value or None
    for each in flag.variants:
        own = each.key if each.value is ABSENT and flag.kind is FlagKind.STRING else each.value
        if own is not ABSENT and _canonical(own) == _canonical(value):
            return value, each.key
    return value, None


def _fits(rule: Rule, attributes: Mapping[str, Any]) -> bool:
    holding = [plain_holds(each, attributes) for each in rule.conditions]
    return not holding or (any(holding) if rule.join is Join.ANY else all(holding))


def plain_holds(condition: Condition, attributes: Mapping[str, Any]) -> bool:
    """Tell whether a condition holds."""
    name = _NAMES.get(condition.operator, condition.operator)
    found = _attribute(condition.attribute, attributes)
    wanted = None if condition.value is ABSENT else condition.value
    if name in _NEGATIVE:
        return found is None or not _positive(_NEGATIVE[name], found, wanted)
    return found is not None and _positive(name, found, wanted)


def _attribute(name: str, attributes: Mapping[str, Any]) -> Any:
    if attributes.get(name) is not None:
        return attributes[name]
    if name in _USERS:
        return next((attributes[each] for each in _USERS if _user_id({each: attributes.get(each)})), None)
    value: Any = attributes
    for step in name.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _positive(name: str, found: Any, wanted: Any) -> bool:
    one, other = _written(found), _written(wanted)
    if name == "exists":
        return True
    if name in ("is_true", "is_false"):
        return one == name.removeprefix("is_") and isinstance(found, bool | str)
    if name == "equals":
        if isinstance(wanted, list | dict):
            return _canonical(found) == _canonical(wanted)
        return one is not None and one == other
    if name == "in":
        mine = found if isinstance(found, list) else [found]
        return any(_written(each) is not None and _written(each) in map(_written, _listed(wanted)) for each in mine)
    if name == "contains" and isinstance(found, list):
        return other is not None and other in map(_written, found)
    if one is None and _number(found) is None:
        return False
    if name in ("contains", "starts_with", "ends_with"):
        if one is None or other is None:
            return False
        return {"contains": other in one, "starts_with": one[: len(other)] == other}.get(
            name, one[len(one) - len(other) :] == other and len(one) >= len(other)
        )
    if name in ("greater_than", "gte", "less_than", "lte"):
        return _ordered(name, found, wanted)
    return False


def _ordered(name: str, found: Any, wanted: Any) -> bool:
    pair: Sequence[Any] = [_number(found), _number(wanted)]
    if None in pair:
        pair = [_written(found), _written(wanted)]
    if None in pair:
        return False
    is_ordered: dict[str, bool] = {
        "greater_than": pair[0] > pair[1],
        "gte": pair[0] >= pair[1],
        "less_than": pair[0] < pair[1],
        "lte": pair[0] <= pair[1],
    }
    return is_ordered[name]


def _listed(wanted: Any) -> list[Any]:
    if isinstance(wanted, str):
        try:
            wanted = json.loads(wanted)
        except ValueError:
            return []
    return wanted if isinstance(wanted, list) else []


def _written(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return json.dumps(value)
    return None


def _number(value: Any) -> Any:
    if isinstance(value, str):
        plain = re.match(r"^[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?\Z", value)
        return float(value) if plain else None
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        return None
    return value


def _canonical(value: Any) -> str:
    """JSON in which equal numbers are written alike."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{_canonical(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_canonical, value)) + "]"
    if isinstance(value, float) and math.isnan(value):
        # It is equal to nothing.
        return f"NaN {next(_ONE_MORE)}"
    return json.dumps(value) if value is None or isinstance(value, str) else _written(value) or repr(value)
