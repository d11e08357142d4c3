"""OpenFeature in Python, as published: the SDK with its OFREP provider."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from openfeature.client import OpenFeatureClient
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import FlagEvaluationDetails, Reason
from support.flag_stage import FlagStage, flag_stage
from support.openfeature_app import FlagClient, flag_client

SOMEBODY = EvaluationContext("user-123")
BETA = EvaluationContext("user-123", {"plan": "beta"})


@pytest.fixture(scope="module")
def stage() -> Iterator[FlagStage]:
    with flag_stage() as made:
        yield made


@pytest.fixture
def flags(stage: FlagStage) -> Iterator[FlagClient]:
    with flag_client(stage.url, stage.key) as made:
        yield made


@pytest.fixture
def client(flags: FlagClient) -> OpenFeatureClient:
    return flags.of("")


def told(details: FlagEvaluationDetails[Any]) -> tuple[Any, ...]:
    return details.value, details.reason, details.error_code


def test_values_of_every_kind_arrive(client: OpenFeatureClient) -> None:
    assert told(client.get_boolean_details("checkout", default_value=False)) == (True, Reason.DEFAULT, None)
    assert told(client.get_string_details("color", "none")) == ("blue", Reason.DEFAULT, None)
    assert told(client.get_integer_details("retries", 0)) == (3, Reason.DEFAULT, None)
    assert told(client.get_float_details("ratio", 0.0)) == (0.25, Reason.DEFAULT, None)
    assert told(client.get_object_details("limits", {})) == ({"max": [1, 2]}, Reason.DEFAULT, None)


def test_reasons_arrive(client: OpenFeatureClient) -> None:
    assert told(client.get_string_details("off", "none")) == ("old", Reason.DISABLED, None)
    assert told(client.get_string_details("color", "none", BETA)) == ("green", Reason.TARGETING_MATCH, None)
    split = client.get_boolean_details("new-checkout-flow", default_value=False, evaluation_context=SOMEBODY)
    assert told(split) == (True, Reason.SPLIT, None)


def test_variants_and_metadata_arrive(client: OpenFeatureClient) -> None:
    details = client.get_string_details("color", "none", BETA)
    assert details.variant == "green"
    assert details.flag_metadata == {"reason": "TARGETING_RULE_MATCH", "enabled": True, "ruleId": "rule_beta"}
    assert client.get_boolean_details("checkout", default_value=False).variant == ""


@pytest.mark.parametrize(
    ("key", "context", "code"),
    [
        ("none", SOMEBODY, ErrorCode.FLAG_NOT_FOUND),
        ("checkout", SOMEBODY, ErrorCode.TYPE_MISMATCH),
        ("new-checkout-flow", EvaluationContext(), ErrorCode.TARGETING_KEY_MISSING),
    ],
)
def test_the_default_counts_where_there_is_an_error(
    client: OpenFeatureClient, key: str, context: EvaluationContext, code: ErrorCode
) -> None:
    assert told(client.get_string_details(key, "mine", context)) == ("mine", Reason.ERROR, code)


def test_without_a_good_key_the_default_counts(stage: FlagStage) -> None:
    with flag_client(stage.url, "fmk_none") as flags:
        details = flags.of("").get_string_details("color", "mine")
    assert told(details) == ("mine", Reason.ERROR, ErrorCode.GENERAL)
    assert details.error_message == "unauthorized"


def test_a_key_with_a_slash_is_found(client: OpenFeatureClient, stage: FlagStage) -> None:
    stage.operator.do("CreateFlag", flag={"key": "team/größe", "kind": "string", "defaultValue": "x"})
    assert client.get_string_value("team/größe", "none") == "x"


def test_sessions_in_parallel_see_their_own_values(flags: FlagClient, stage: FlagStage) -> None:
    values = {f"py-{number}": f"color-{number}" for number in range(8)}
    for session, color in values.items():
        stage.put(session, flags={"color": color})

    def ask(session: str) -> list[tuple[Any, ...]]:
        client = flags.of(session)
        return [told(client.get_string_details("color", "none", BETA)) for _ in range(10)]

    with ThreadPoolExecutor(len(values)) as threads:
        seen = dict(zip(values, threads.map(ask, values), strict=True))

    assert seen == {session: [(color, Reason.STATIC, None)] * 10 for session, color in values.items()}
    assert told(flags.of("").get_string_details("color", "none", BETA))[0] == "green"
