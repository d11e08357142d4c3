"""From the messages of flags to what is evaluated, and back to what an evaluation says."""

import json
from typing import Final

from understudy.v1 import flags_pb2 as pb

from understudy_server.core import strict_json
from understudy_server.core.flags.compiled import CompiledFlag, compile_flag
from understudy_server.core.flags.model import (
    ABSENT,
    Condition,
    Evaluation,
    Flag,
    FlagKind,
    FlagState,
    Join,
    JsonValue,
    MaybeJson,
    Reason,
    Rule,
    Variant,
)
from understudy_server.core.giving_way import giving_way

_KINDS: Final = {
    pb.FLAG_KIND_UNSPECIFIED: FlagKind.BOOLEAN,
    pb.FLAG_KIND_BOOLEAN: FlagKind.BOOLEAN,
    pb.FLAG_KIND_STRING: FlagKind.STRING,
    pb.FLAG_KIND_NUMBER: FlagKind.NUMBER,
    pb.FLAG_KIND_JSON: FlagKind.JSON,
}
_NUMBERS: Final = {kind: number for number, kind in _KINDS.items()}
_REASONS: Final = {
    Reason.TEST_OVERRIDE: pb.EVALUATION_REASON_TEST_OVERRIDE,
    Reason.FLAG_DISABLED: pb.EVALUATION_REASON_FLAG_DISABLED,
    Reason.TARGETING_RULE_MATCH: pb.EVALUATION_REASON_TARGETING_RULE_MATCH,
    Reason.PERCENTAGE_ROLLOUT: pb.EVALUATION_REASON_PERCENTAGE_ROLLOUT,
    Reason.PERCENTAGE_ROLLOUT_EXCLUDED: pb.EVALUATION_REASON_PERCENTAGE_ROLLOUT_EXCLUDED,
    Reason.FLAG_ENABLED: pb.EVALUATION_REASON_FLAG_ENABLED,
    Reason.FLAG_NOT_FOUND: pb.EVALUATION_REASON_FLAG_NOT_FOUND,
}
_PLAIN: Final = {True: "true", False: "false"}
_write: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def compile_environment_flag(message: pb.Flag) -> CompiledFlag:
    """Compile a flag with the one state that its message has, or with none: then it is off."""
    return compile_flag(flag_of(message), _state(message.states[0]) if message.states else None)


def flag_of(message: pb.Flag) -> Flag:
    """What a flag is in all environments."""
    return Flag(
        key=message.key,
        kind=_KINDS[message.kind],
        default=_json(message.default_value) if message.HasField("default_value") else ABSENT,
        variants=tuple([_variant(each) for each in message.variants]),
    )


def tell(evaluation: Evaluation, flag: CompiledFlag | None, message: pb.Evaluation) -> None:
    """Write what an evaluation says into an empty message: in place, since a copy takes as long as the rest."""
    message.flag_key = evaluation.flag_key
    message.reason = _REASONS[evaluation.reason]
    if evaluation.enabled:
        message.enabled = True
    if evaluation.value is not ABSENT:
        message.value = written(evaluation.value)
    if evaluation.variant is not None:
        message.variant = evaluation.variant
    if evaluation.rule_id is not None:
        message.rule_id = evaluation.rule_id
    if evaluation.user_missing:
        message.user_missing = True
    if flag is not None:
        message.kind = _NUMBERS[flag.flag.kind]


def written(value: JsonValue) -> str:
    """A value as JSON, without white space between its parts."""
    if isinstance(value, bool):
        return _PLAIN[value]
    return _write(value)


def _state(message: pb.FlagState) -> FlagState:
    return FlagState(
        enabled=message.enabled,
        value=_json(message.value) if message.HasField("value") else ABSENT,
        rollout_percentage=message.rollout_percentage if message.HasField("rollout_percentage") else None,
        rules=tuple([_rule(each) for each in giving_way(message.rules)]),
    )


def _variant(message: pb.FlagVariant) -> Variant:
    return Variant(
        key=message.key,
        value=_json(message.value) if message.HasField("value") else ABSENT,
        weight=message.weight if message.HasField("weight") else None,
    )


def _rule(message: pb.FlagRule) -> Rule:
    return Rule(
        id=message.id,
        conditions=tuple([_condition(each) for each in giving_way(message.conditions)]),
        join=Join.ANY if message.join == pb.CONDITION_JOIN_ANY else Join.ALL,
        value=_json(message.value) if message.HasField("value") else ABSENT,
        variant=message.variant if message.HasField("variant") else None,
        priority=message.priority,
        active=message.enabled or not message.HasField("enabled"),
        name=message.name,
    )


def _condition(message: pb.FlagCondition) -> Condition:
    value: MaybeJson = _json(message.value) if message.HasField("value") else ABSENT
    return Condition(message.attribute, message.operator, value)


def _json(text: str) -> JsonValue:
    # It was read strictly before it was kept.
    return strict_json.parse(text)
