"""What flags are, as the protocol writes it."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from understudy.v1 import flags_pb2 as pb
from understudy.v1.evaluation_service_pb2 import EvaluateBatchResponse, EvaluateResponse

from understudy_gateway import entity_tags
from understudy_gateway.answers import Answer

JSON: Final = (b"content-type", b"application/json")

# Our reason → the protocol's, and what FlagBridge calls ours.
_REASONS: Final[Mapping[int, tuple[str, str]]] = {
    pb.EVALUATION_REASON_TEST_OVERRIDE: ("STATIC", "TEST_OVERRIDE"),
    pb.EVALUATION_REASON_FLAG_DISABLED: ("DISABLED", "FLAG_DISABLED"),
    pb.EVALUATION_REASON_TARGETING_RULE_MATCH: ("TARGETING_MATCH", "TARGETING_RULE_MATCH"),
    pb.EVALUATION_REASON_PERCENTAGE_ROLLOUT: ("SPLIT", "PERCENTAGE_ROLLOUT"),
    pb.EVALUATION_REASON_PERCENTAGE_ROLLOUT_EXCLUDED: ("SPLIT", "PERCENTAGE_ROLLOUT_EXCLUDED"),
    pb.EVALUATION_REASON_FLAG_ENABLED: ("DEFAULT", "FLAG_ENABLED"),
}
_STATUS: Final = {"FLAG_NOT_FOUND": 404, "TARGETING_KEY_MISSING": 400}


def one(response: EvaluateResponse) -> Answer:
    """The answer about one flag."""
    told = _told(response.evaluation, response.session_key)
    status = _STATUS[told["errorCode"]] if "errorCode" in told else 200
    return Answer(status, [JSON], orjson.dumps(told))


def all_of(response: EvaluateBatchResponse, if_none_match: bytes) -> Answer:
    """The answer about all flags, or that they are as the client has them."""
    session = response.session_key
    body = orjson.dumps({"flags": [_told(each, session) for each in response.evaluations]})
    tag = entity_tags.tag_of(body)
    if entity_tags.names(if_none_match, tag):
        return Answer(304, [(b"etag", tag)])
    return Answer(200, [JSON, (b"etag", tag)], body)


def failure(code: str, details: str, key: str | None) -> dict[str, Any]:
    """What is said of what failed; ``key`` when it was about one flag."""
    told = {"errorCode": code, "errorDetails": details}
    return told if key is None else {"key": key, **told}


def _told(evaluation: pb.Evaluation, session: str) -> dict[str, Any]:
    key = evaluation.flag_key
    found = _REASONS.get(evaluation.reason)
    if found is None:
        return failure("FLAG_NOT_FOUND", f"There is no flag {key!r}.", key)
    if evaluation.user_missing:
        return failure("TARGETING_KEY_MISSING", f"The flag {key!r} is for a share of users: name the user.", key)
    metadata = {"reason": found[1], "enabled": evaluation.enabled}
    if evaluation.rule_id:
        metadata["ruleId"] = evaluation.rule_id
    if session:
        metadata["session"] = session
    return {
        "key": key,
        "value": orjson.Fragment(evaluation.value or "null"),
        "reason": found[0],
        # Some providers fail without one, and what it is must be text.
        "variant": evaluation.variant,
        "metadata": metadata,
    }
