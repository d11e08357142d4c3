"""What flags are, as the protocol writes it."""

import json
from typing import Any

import pytest
from understudy.v1 import flags_pb2 as pb
from understudy.v1.evaluation_service_pb2 import EvaluateBatchResponse, EvaluateResponse
from understudy_gateway.answers import Answer
from understudy_gateway.dialects.ofrep import answering

EXCLUDED = pb.EVALUATION_REASON_PERCENTAGE_ROLLOUT_EXCLUDED
NOT_FOUND = pb.EVALUATION_REASON_FLAG_NOT_FOUND


def evaluation(reason: pb.EvaluationReason = pb.EVALUATION_REASON_FLAG_ENABLED, **more: Any) -> pb.Evaluation:
    return pb.Evaluation(flag_key="new-checkout", reason=reason, **{"value": "true", "enabled": True, **more})


def one(found: pb.Evaluation, session: str = "") -> tuple[int, dict[str, Any]]:
    answer = answering.one(EvaluateResponse(evaluation=found, session_key=session))
    assert answer.headers == [(b"content-type", b"application/json")]
    return answer.status, json.loads(answer.body)


def all_of(*found: pb.Evaluation, has: bytes = b"") -> Answer:
    return answering.all_of(EvaluateBatchResponse(evaluations=found), has)


@pytest.mark.parametrize(
    ("reason", "told", "ours"),
    [
        (pb.EVALUATION_REASON_TEST_OVERRIDE, "STATIC", "TEST_OVERRIDE"),
        (pb.EVALUATION_REASON_FLAG_DISABLED, "DISABLED", "FLAG_DISABLED"),
        (pb.EVALUATION_REASON_TARGETING_RULE_MATCH, "TARGETING_MATCH", "TARGETING_RULE_MATCH"),
        (pb.EVALUATION_REASON_PERCENTAGE_ROLLOUT, "SPLIT", "PERCENTAGE_ROLLOUT"),
        (EXCLUDED, "SPLIT", "PERCENTAGE_ROLLOUT_EXCLUDED"),
        (pb.EVALUATION_REASON_FLAG_ENABLED, "DEFAULT", "FLAG_ENABLED"),
    ],
)
def test_reasons_are_the_protocols_and_ours_stand_beside_them(
    reason: pb.EvaluationReason, told: str, ours: str
) -> None:
    status, found = one(evaluation(reason))
    assert (status, found["reason"], found["metadata"]["reason"]) == (200, told, ours)


def test_every_reason_but_not_found_is_known() -> None:
    told = set(answering._REASONS) | {NOT_FOUND, pb.EVALUATION_REASON_UNSPECIFIED}
    assert told == set(pb.EvaluationReason.values())


def test_a_flag_is_told_with_its_value_variant_and_metadata() -> None:
    found = evaluation(pb.EVALUATION_REASON_TARGETING_RULE_MATCH, value='"green"', variant="green", rule_id="rule_beta")
    assert one(found, session="ci-42") == (
        200,
        {
            "key": "new-checkout",
            "value": "green",
            "reason": "TARGETING_MATCH",
            "variant": "green",
            "metadata": {
                "reason": "TARGETING_RULE_MATCH",
                "enabled": True,
                "ruleId": "rule_beta",
                "session": "ci-42",
            },
        },
    )


def test_a_flag_without_a_variant_has_an_empty_one() -> None:
    assert one(evaluation())[1]["variant"] == ""


@pytest.mark.parametrize("value", ["true", '"text"', "1.50", "10000000000000000000001", '{"a":[1,null]}', "null", "[]"])
def test_a_value_is_as_it_was_written(value: str) -> None:
    answer = answering.one(EvaluateResponse(evaluation=evaluation(value=value)))
    assert f'"value":{value},"reason"'.encode() in answer.body


def test_a_flag_that_is_not_there_is_an_error() -> None:
    found = pb.Evaluation(flag_key="new-checkout", reason=NOT_FOUND)
    details = "There is no flag 'new-checkout'."
    assert one(found) == (404, {"key": "new-checkout", "errorCode": "FLAG_NOT_FOUND", "errorDetails": details})


def test_that_a_user_was_needed_is_an_error_where_the_server_says_so() -> None:
    status, found = one(evaluation(EXCLUDED, user_missing=True))
    assert (status, found["errorCode"], found["key"]) == (400, "TARGETING_KEY_MISSING", "new-checkout")


def test_to_be_left_out_is_no_error() -> None:
    assert one(evaluation(EXCLUDED))[0] == 200


def test_all_flags_stand_in_one_list_with_those_that_failed() -> None:
    answer = all_of(evaluation(), pb.Evaluation(flag_key="b", reason=EXCLUDED, value="false", user_missing=True))
    flags = json.loads(answer.body)["flags"]
    assert [each.get("reason") or each["errorCode"] for each in flags] == ["DEFAULT", "TARGETING_KEY_MISSING"]
    assert [each["key"] for each in flags] == ["new-checkout", "b"]


def test_no_flags_are_an_empty_list() -> None:
    assert all_of().body == b'{"flags":[]}'


def test_what_the_client_has_is_not_sent_again() -> None:
    first = all_of(evaluation())
    tag = dict(first.headers)[b"etag"]
    again = all_of(evaluation(), has=tag)
    assert (first.status, again.status, again.body, dict(again.headers)[b"etag"]) == (200, 304, b"", tag)
    assert all_of(evaluation(value="false"), has=tag).status == 200
