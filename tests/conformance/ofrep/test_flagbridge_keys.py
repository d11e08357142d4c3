"""FlagBridge's keys over the protocol: a key that evaluates there evaluates here."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from support.server import MadeKey, MadePlace, Server
from understudy.v1.key_service_pb2 import (
    KEY_KIND_FLAGBRIDGE,
    KEY_SCOPE_EVAL,
    KEY_SCOPE_FULL,
    KEY_SCOPE_MGMT,
    KEY_SCOPE_TEST,
)

Ask = Callable[..., httpx.Response]
MakeKey = Callable[[int], str]


@pytest.fixture
def scoped(server: Server, flagged: MadePlace) -> Iterator[MakeKey]:
    """Makes keys with a scope, for the place's project, which end with the test."""
    made: list[MadeKey] = []

    def make(scope: int) -> str:
        made.append(server.make_key(0, flagged.project, kind=KEY_KIND_FLAGBRIDGE, scope=scope))
        return made[-1].text

    yield make
    for key in made:
        server.revoke(key)


@pytest.mark.parametrize("header", ["authorization", "x-api-key"])
@pytest.mark.parametrize("scope", [KEY_SCOPE_EVAL, KEY_SCOPE_TEST, KEY_SCOPE_FULL])
def test_a_key_to_evaluate_evaluates(ask: Ask, scoped: MakeKey, scope: int, header: str) -> None:
    text = scoped(scope)
    headers = {header: f"Bearer {text}" if header == "authorization" else text}
    assert text.startswith("fb_sk_")
    assert ask("checkout", headers=headers).json()["value"] is True
    assert ask(headers=headers).status_code == 200


def test_a_key_to_manage_does_not(ask: Ask, scoped: MakeKey) -> None:
    answer = ask("checkout", headers={"x-api-key": scoped(KEY_SCOPE_MGMT)})
    assert (answer.status_code, answer.json()["errorCode"]) == (403, "GENERAL")
