"""Rules and variants of flags: read from what is sent, and told."""

import re
from typing import Any, Final

from understudy.v1.flags_pb2 import CONDITION_JOIN_ALL, CONDITION_JOIN_ANY, FlagCondition, FlagRule, FlagVariant

from understudy_gateway.dialects.flagbridge import members
from understudy_gateway.dialects.flagbridge.refusals import invalid
from understudy_gateway.dialects.flagbridge.texts import kept, raw
from understudy_gateway.transcoding import json_text
from understudy_gateway.transcoding.options import limits

_PRIORITY_MAX: Final = 1_000_000
# Which operators there are stands in the contract, beside the field.
_FIELD: Final[Any] = FlagCondition.DESCRIPTOR.fields_by_name["operator"]
_OPERATOR: Final = re.compile(limits(_FIELD).pattern)
_OF_LISTS: Final = frozenset({"in", "not_in"})
_UNKNOWN: Final = "unknown:"
_UNKNOWN_MAX_CHARACTERS: Final = 64


def rules_of(sent: members.Members) -> list[FlagRule]:
    """The rules that stand in a body. Raises Refusal."""
    return [_rule(each) for each in members.objects(sent, "rules")]


def variants_of(sent: members.Members) -> list[FlagVariant]:
    """The variants that stand in a body: objects, or their keys alone. Raises Refusal."""
    found = []
    for each in members.items(sent, "variants"):
        given = {"key": each} if type(each) is str else each
        if type(given) is not dict:
            raise invalid("variants must be a list of objects.")
        variant = FlagVariant(key=members.required_text(given, "key", "name"), weight=members.number(given, "weight"))
        if members.is_there(given, "value"):
            variant.value = raw(given["value"])
        found.append(variant)
    return found


def shown_rule(rule: FlagRule) -> dict[str, Any]:
    """A rule as FlagBridge tells it."""
    return {
        "id": rule.id,
        "name": rule.name,
        "priority": rule.priority,
        "operator": "OR" if rule.join == CONDITION_JOIN_ANY else "AND",
        "conditions": [_shown_condition(each) for each in rule.conditions],
        "enabled": rule.enabled if rule.HasField("enabled") else True,
        "variant": rule.variant if rule.HasField("variant") else None,
        "value": kept(rule.value) if rule.HasField("value") else None,
    }


def shown_variant(variant: FlagVariant) -> dict[str, Any]:
    """A variant with what it has."""
    told: dict[str, Any] = {"key": variant.key}
    if variant.HasField("value"):
        told["value"] = kept(variant.value)
    if variant.HasField("weight"):
        told["weight"] = variant.weight
    return told


def _rule(sent: members.Members) -> FlagRule:
    join = members.text(sent, "operator").upper() or "AND"
    if join not in ("AND", "OR"):
        raise invalid("The operator of a rule must be AND or OR.")
    rule = FlagRule(
        id=members.text(sent, "id"),
        name=members.text(sent, "name"),
        enabled=members.flag(sent, "enabled", default=True),
        priority=members.whole(sent, -_PRIORITY_MAX, _PRIORITY_MAX, "priority") or 0,
        join=CONDITION_JOIN_ANY if join == "OR" else CONDITION_JOIN_ALL,
        conditions=[_condition(each) for each in members.objects(sent, "conditions")],
    )
    if sent.get("value") is not None:
        rule.value = raw(sent["value"])
    if variant := members.text(sent, "variant"):
        rule.variant = variant
    return rule


def _condition(sent: members.Members) -> FlagCondition:
    operator = members.required_text(sent, "operator")
    value = sent.get("value")
    if operator in _OF_LISTS and type(value) is str:
        value = _list_in(value)
    condition = FlagCondition(attribute=members.required_text(sent, "attribute"), operator=operator)
    if operator.startswith(_UNKNOWN) or not _OPERATOR.fullmatch(operator):
        condition.operator = _UNKNOWN + operator[:_UNKNOWN_MAX_CHARACTERS]
    if value is not None:
        condition.value = raw(value)
    return condition


def _list_in(text: str) -> Any:
    """The list that is written in a text, or the text."""
    try:
        value = json_text.parse(text)
    except json_text.InvalidJson:
        return text
    return value if type(value) is list else text


def _shown_condition(condition: FlagCondition) -> dict[str, Any]:
    return {
        "attribute": condition.attribute,
        "operator": condition.operator.removeprefix(_UNKNOWN),
        "value": kept(condition.value) if condition.HasField("value") else None,
    }
