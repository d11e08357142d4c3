"""OpenFeature in JavaScript, as published: the server SDK and the web SDK, each with its OFREP provider."""

from collections.abc import Iterator
from typing import Any

import pytest
from support.flag_stage import FlagStage, flag_stage
from support.npm_clients import NpmClient, npm_client

# A machine that has never installed them fetches them.
pytestmark = pytest.mark.timeout(300)

USER = {"targetingKey": "user-123"}
ASKS: dict[str, dict[str, Any]] = {
    "boolean": {"kind": "boolean", "key": "checkout", "default": False},
    "string": {"kind": "string", "key": "color", "default": "none"},
    "rule": {"kind": "string", "key": "color", "default": "none", "context": {**USER, "plan": "beta"}},
    "number": {"kind": "number", "key": "retries", "default": 0},
    "fraction": {"kind": "number", "key": "ratio", "default": 0},
    "object": {"kind": "object", "key": "limits", "default": {}},
    "off": {"kind": "string", "key": "off", "default": "none"},
    "split": {"kind": "boolean", "key": "new-checkout-flow", "default": False, "context": USER},
    "none": {"kind": "boolean", "key": "none", "default": True},
    "other kind": {"kind": "string", "key": "checkout", "default": "none"},
}
TOLD = {
    "boolean": (True, "DEFAULT", None),
    "string": ("blue", "DEFAULT", None),
    "rule": ("green", "TARGETING_MATCH", None),
    "number": (3, "DEFAULT", None),
    "fraction": (0.25, "DEFAULT", None),
    "object": ({"max": [1, 2]}, "DEFAULT", None),
    "off": ("old", "DISABLED", None),
    "split": (True, "SPLIT", None),
    "none": (True, "ERROR", "FLAG_NOT_FOUND"),
    "other kind": ("none", "ERROR", "TYPE_MISMATCH"),
}
# What a browser asks for is for one user: the context is the page's.
WEB = [name for name in TOLD if name != "rule"]


@pytest.fixture(scope="module")
def client() -> NpmClient:
    return npm_client("openfeature", "evaluate.mjs")


@pytest.fixture(scope="module")
def stage(client: NpmClient) -> Iterator[FlagStage]:
    with flag_stage() as made:
        yield made


def told(details: dict[str, Any]) -> tuple[Any, ...]:
    return details["value"], details["reason"], details.get("errorCode")


def play(client: NpmClient, stage: FlagStage, *clients: dict[str, Any]) -> Any:
    return client.run({"baseUrl": stage.url, "clients": clients})


def test_a_server_is_told_values_reasons_and_errors(client: NpmClient, stage: FlagStage) -> None:
    asks = [ASKS[name] for name in TOLD]
    (found,) = play(client, stage, {"headers": stage.headers(), "asks": asks})
    assert dict(zip(TOLD, map(told, found["details"]), strict=True)) == TOLD


def test_variants_and_metadata_arrive(client: NpmClient, stage: FlagStage) -> None:
    (found,) = play(client, stage, {"headers": stage.headers(), "asks": [ASKS["rule"], ASKS["boolean"]]})
    rule, plain = found["details"]
    assert rule["variant"] == "green"
    assert rule["flagMetadata"] == {"reason": "TARGETING_RULE_MATCH", "enabled": True, "ruleId": "rule_beta"}
    assert plain["variant"] == ""


def test_without_a_user_a_share_of_users_is_an_error(client: NpmClient, stage: FlagStage) -> None:
    stage.operator.do("CreateFlag", flag={"key": "half"})
    stage.operator.do("PutFlagState", flagKey="half", state={"enabled": True, "rolloutPercentage": 50})
    ask = {"kind": "boolean", "key": "half", "default": True}
    (found,) = play(client, stage, {"headers": stage.headers(), "asks": [ask]})
    assert told(found["details"][0]) == (True, "ERROR", "TARGETING_KEY_MISSING")


def test_without_a_key_the_default_counts(client: NpmClient, stage: FlagStage) -> None:
    (found,) = play(client, stage, {"headers": {}, "asks": [ASKS["string"]]})
    assert told(found["details"][0])[:2] == ("none", "ERROR")


def test_a_key_in_a_header_of_its_own_counts(client: NpmClient, stage: FlagStage) -> None:
    (found,) = play(client, stage, {"headers": {"X-API-Key": stage.key}, "asks": [ASKS["string"]]})
    assert told(found["details"][0]) == TOLD["string"]


@pytest.mark.parametrize("web", [False, True], ids=["server", "web"])
def test_sessions_in_parallel_see_their_own_values(client: NpmClient, stage: FlagStage, *, web: bool) -> None:
    values = {f"js-{number}": {"checkout": number % 2 == 1, "color": f"color-{number}"} for number in range(8)}
    for session, flags in values.items():
        stage.put(session, flags=flags)
    asks = [ASKS["boolean"], ASKS["string"]]

    found = play(client, stage, *({"headers": stage.headers(each), "web": web, "asks": asks} for each in values))

    seen = [
        [(each["value"], each["reason"], each["flagMetadata"]["session"]) for each in one["details"]] for one in found
    ]
    assert seen == [[(each, "STATIC", session) for each in flags.values()] for session, flags in values.items()]


def test_a_page_is_told_all_its_flags_at_once(client: NpmClient, stage: FlagStage) -> None:
    asks = [ASKS[name] for name in WEB]
    (found,) = play(client, stage, {"headers": stage.headers(), "web": True, "context": USER, "asks": asks})
    assert dict(zip(WEB, map(told, found["details"]), strict=True)) == {name: TOLD[name] for name in WEB}


def test_a_page_is_not_sent_again_what_it_has(client: NpmClient, stage: FlagStage) -> None:
    (found,) = play(client, stage, {"headers": stage.headers(), "web": True, "context": USER, "asks": [ASKS["string"]]})
    assert found["statuses"] == [200, 304]
