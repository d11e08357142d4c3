"""What a flag is for somebody, as FlagBridge tells it."""

from typing import Any, Final

from understudy.v1.flags_pb2 import Evaluation, EvaluationReason

from understudy_gateway.dialects.flagbridge.texts import kept

_REASONS: Final = {
    number: name.removeprefix("EVALUATION_REASON_") for name, number in EvaluationReason.items() if number
}


def facts(evaluation: Evaluation, evaluated_at: str) -> dict[str, Any]:
    """The six fields that are documented."""
    variant, rule_id = evaluation.variant, evaluation.rule_id
    return {
        "flagKey": evaluation.flag_key,
        "enabled": evaluation.enabled,
        "variant": variant if variant or evaluation.HasField("variant") else None,
        "reason": _REASONS.get(evaluation.reason, ""),
        "ruleId": rule_id if rule_id or evaluation.HasField("rule_id") else None,
        "evaluatedAt": evaluated_at,
    }


def facts_with_value(evaluation: Evaluation, evaluated_at: str) -> dict[str, Any]:
    """The same with the value, and the key in the spelling of the published clients too."""
    told = {"flag_key": evaluation.flag_key, "value": kept(evaluation.value)}
    return {**told, **facts(evaluation, evaluated_at)}
