"""The published page of the Testing API: its curl lines as written, with host, key and ids put in."""

import json
import shlex
import subprocess
from typing import Any

import pytest
from support.flagbridge import FlagBridge
from support.testing_page import PutIn

CREATE = """curl -X POST https://api.flagbridge.io/v1/testing/sessions \\
  -H "Authorization: Bearer fb_sk_test_YOUR_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{
    "projectId": "proj_abc123",
    "label": "checkout-e2e"
  }'"""
READ = """curl https://api.flagbridge.io/v1/testing/sessions/sess_abc123 \\
  -H "Authorization: Bearer fb_sk_test_YOUR_KEY\""""
DESTROY = """curl -X DELETE https://api.flagbridge.io/v1/testing/sessions/sess_abc123 \\
  -H "Authorization: Bearer fb_sk_test_YOUR_KEY\""""
SET_BOOLEAN = """curl -X PUT https://api.flagbridge.io/v1/testing/sessions/sess_abc123/overrides/new-checkout \\
  -H "Authorization: Bearer fb_sk_test_YOUR_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"value": true}'"""
SET_STRING = """curl -X PUT https://api.flagbridge.io/v1/testing/sessions/sess_abc123/overrides/checkout-button-color \\
  -H "Authorization: Bearer fb_sk_test_YOUR_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"value": "green"}'"""
SET_BATCH = """curl -X PUT https://api.flagbridge.io/v1/testing/sessions/sess_abc123/overrides/batch \\
  -H "Authorization: Bearer fb_sk_test_YOUR_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{
    "overrides": {
      "new-checkout": true,
      "checkout-button-color": "green",
      "dark-mode": false
    }
  }'"""
REMOVE = """curl -X DELETE https://api.flagbridge.io/v1/testing/sessions/sess_abc123/overrides/new-checkout \\
  -H "Authorization: Bearer fb_sk_test_YOUR_KEY\""""
EVALUATE = """curl -X POST https://api.flagbridge.io/v1/evaluate \\
  -H "Authorization: Bearer fb_sk_test_YOUR_KEY" \\
  -H "X-FlagBridge-Session: sess_abc123_xxxxxxxxxxx" \\
  -H "Content-Type: application/json" \\
  -d '{
    "flagKey": "new-checkout",
    "context": { "userId": "test-user" }
  }'"""
DOCUMENTED_SESSION = {
    "id": "sess_abc123",
    "token": "sess_abc123_xxxxxxxxxxx",
    "projectId": "proj_abc123",
    "label": "checkout-e2e",
    "overrides": {},
    "createdAt": "2026-04-08T00:00:00.000Z",
    "expiresAt": "2026-04-08T01:00:00.000Z",
}


class Reader:
    """One who types the page's lines, with what earlier answers gave in place of the page's own."""

    def __init__(self, bridge: FlagBridge) -> None:
        self._put_in = PutIn(bridge)

    def type(self, line: str) -> tuple[int, Any]:
        command = [
            *shlex.split(self._put_in.text(line).replace("\\\n", " ")),
            "-s",
            "--noproxy",
            "*",
            "-w",
            "\n%{http_code}",
        ]
        run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        body, _, code = run.stdout.rpartition("\n")
        return int(code), json.loads(body) if body else None

    def begin(self) -> dict[str, Any]:
        code, session = self.type(CREATE)
        assert code == 201
        self._put_in.session(session)
        made: dict[str, Any] = session
        return made


@pytest.fixture
def reader(bridge: FlagBridge) -> Reader:
    return Reader(bridge)


def test_the_session_made_is_that_of_the_page(reader: Reader, bridge: FlagBridge) -> None:
    session = reader.begin()

    assert list(session) == list(DOCUMENTED_SESSION)
    assert (session["projectId"], session["label"]) == (f"proj_{bridge.project}", "checkout-e2e")
    assert reader.type(READ) == (200, session)


def test_the_lines_of_the_page_one_after_the_other(reader: Reader) -> None:
    session = reader.begin()
    boolean, string, batch = (reader.type(each) for each in (SET_BOOLEAN, SET_STRING, SET_BATCH))
    code, evaluated = reader.type(EVALUATE)
    evaluated_at = evaluated.pop("evaluatedAt")

    assert boolean == (200, {"id": session["id"], "overrides": {"new-checkout": True}})
    assert string[1]["overrides"] == {"new-checkout": True, "checkout-button-color": "green"}
    assert batch == (
        200,
        {
            "id": session["id"],
            "overrides": {"new-checkout": True, "checkout-button-color": "green", "dark-mode": False},
        },
    )
    assert (code, len(evaluated_at)) == (200, len("2026-04-08T00:00:00.000Z"))
    assert evaluated == {
        "flagKey": "new-checkout",
        "enabled": True,
        "variant": None,
        "reason": "TEST_OVERRIDE",
        "ruleId": None,
    }
    assert reader.type(REMOVE) == (204, None)
    assert reader.type(EVALUATE)[1]["reason"] == "FLAG_NOT_FOUND"


def test_a_session_that_is_destroyed_changes_nothing_any_more(reader: Reader) -> None:
    reader.begin()
    reader.type(SET_BOOLEAN)

    assert reader.type(DESTROY) == (204, None)
    assert reader.type(EVALUATE)[1]["reason"] == "FLAG_NOT_FOUND"
