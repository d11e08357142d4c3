"""Flags and what they are set to, as FlagBridge tells them."""

from typing import Any, Final

from understudy.v1.flags_pb2 import (
    FLAG_KIND_BOOLEAN,
    FLAG_KIND_JSON,
    FLAG_KIND_NUMBER,
    FLAG_KIND_STRING,
    Flag,
    FlagKind,
    FlagState,
)

from understudy_gateway.dialects.flagbridge.rules import shown_rule, shown_variant
from understudy_gateway.dialects.flagbridge.texts import kept, moment

KINDS: Final[dict[str, FlagKind]] = {
    "boolean": FLAG_KIND_BOOLEAN,
    "string": FLAG_KIND_STRING,
    "number": FLAG_KIND_NUMBER,
    "json": FLAG_KIND_JSON,
}
_NAMES: Final = {kind: name for name, kind in KINDS.items()}


def shown_flag(flag: Flag) -> dict[str, Any]:
    """A flag. Its rules are those of the first environment that has any."""
    rules = next((each.rules for each in flag.states if each.rules), ())
    return {
        "id": flag.id,
        "key": flag.key,
        "name": flag.name or flag.key,
        "description": flag.description,
        "type": _NAMES.get(flag.kind, "boolean"),
        "defaultValue": _shown_default(flag),
        "tags": list(flag.tags),
        "variants": [shown_variant(each) for each in flag.variants],
        "rules": [shown_rule(each) for each in rules],
        "environments": {each.environment: _shown_setting(each) for each in flag.states},
        "createdAt": moment(flag.created_at),
        "updatedAt": moment(flag.updated_at),
    }


def shown_state(key: str, environment: str, state: FlagState) -> dict[str, Any]:
    """What a flag is set to in an environment; when it never was, `updatedAt` is null."""
    return {
        "flagKey": key,
        "environment": environment,
        **_shown_setting(state),
        "updatedAt": moment(state.updated_at) if state.HasField("updated_at") else None,
    }


def _shown_default(flag: Flag) -> Any:
    """The default that was chosen; otherwise that of a boolean flag is false, and others have none."""
    if flag.HasField("default_value"):
        return kept(flag.default_value)
    return False if flag.kind == FLAG_KIND_BOOLEAN else None


def _shown_setting(state: FlagState) -> dict[str, Any]:
    told: dict[str, Any] = {
        "enabled": state.enabled,
        "rolloutPercentage": state.rollout_percentage if state.HasField("rollout_percentage") else None,
    }
    if state.HasField("value"):
        told["value"] = kept(state.value)
    return told
