"""The published page of the Testing API: its requests as written, and the answers that it shows for them."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from support.flagbridge import FlagBridge
from support.testing_page import PutIn

CREATE = """POST /v1/testing/sessions
Authorization: Bearer fb_sk_test_YOUR_KEY
Content-Type: application/json

{
  "projectId": "proj_abc123",
  "label": "checkout-e2e",
  "ttl": 3600
}"""
CREATED = """{
  "id": "sess_abc123",
  "token": "sess_abc123_xxxxxxxxxxx",
  "projectId": "proj_abc123",
  "label": "checkout-e2e",
  "overrides": {},
  "createdAt": "2026-04-08T00:00:00.000Z",
  "expiresAt": "2026-04-08T01:00:00.000Z"
}"""
READ = """GET /v1/testing/sessions/{id}
Authorization: Bearer fb_sk_test_YOUR_KEY"""
FOUND = """{
  "id": "sess_abc123",
  "token": "sess_abc123_xxxxxxxxxxx",
  "projectId": "proj_abc123",
  "label": "checkout-e2e",
  "overrides": {
    "new-checkout": true,
    "checkout-button-color": "green"
  },
  "createdAt": "2026-04-08T00:00:00.000Z",
  "expiresAt": "2026-04-08T01:00:00.000Z"
}"""
DESTROY = """DELETE /v1/testing/sessions/{id}
Authorization: Bearer fb_sk_test_YOUR_KEY"""
SET = """PUT /v1/testing/sessions/{id}/overrides/{flagKey}
Authorization: Bearer fb_sk_test_YOUR_KEY
Content-Type: application/json

{
  "value": true
}"""
SET_DONE = """{
  "id": "sess_abc123",
  "overrides": {
    "new-checkout": true
  }
}"""
SET_BATCH = """PUT /v1/testing/sessions/{id}/overrides/batch
Authorization: Bearer fb_sk_test_YOUR_KEY
Content-Type: application/json

{
  "overrides": {
    "new-checkout": true,
    "checkout-button-color": "green",
    "dark-mode": false,
    "free-shipping-banner": true
  }
}"""
SET_BATCH_DONE = """{
  "id": "sess_abc123",
  "overrides": {
    "new-checkout": true,
    "checkout-button-color": "green",
    "dark-mode": false
  }
}"""
REMOVE = """DELETE /v1/testing/sessions/{id}/overrides/{flagKey}
Authorization: Bearer fb_sk_test_YOUR_KEY"""
EVALUATED = """{
  "flagKey": "new-checkout",
  "enabled": true,
  "variant": null,
  "reason": "TEST_OVERRIDE",
  "ruleId": null,
  "evaluatedAt": "2026-04-08T00:00:00.000Z"
}"""
MOMENTS = ("createdAt", "expiresAt", "evaluatedAt")


class Sender:
    """Sends requests of the page, with what earlier answers gave in place of the page's own."""

    def __init__(self, bridge: FlagBridge) -> None:
        self._http = bridge.http
        self._put_in = PutIn(bridge)

    def send(self, request: str, flag_key: str = "new-checkout") -> tuple[int, Any]:
        head, _, body = self._put_in.text(request).replace("{flagKey}", flag_key).partition("\n\n")
        first, *lines = head.splitlines()
        method, path = first.split(" ")
        headers = dict(line.split(": ", 1) for line in lines)
        answer = self._http.request(method, path, content=body.encode() or None, headers=headers)
        return answer.status_code, answer.json() if answer.content else None

    def begin(self) -> dict[str, Any]:
        code, session = self.send(CREATE)
        assert code == 201
        self._put_in.session(session)
        made: dict[str, Any] = session
        return made

    def shown(self, answer: str) -> str:
        """An answer of the page, as it is for the session that was begun."""
        return without_moments(json.loads(self._put_in.text(answer)))


def without_moments(answer: dict[str, Any]) -> str:
    """An answer as text, so that the order of its members counts, with moments cut down to how they are written."""
    return json.dumps(
        {
            name: "".join("0" if each.isdigit() else each for each in value) if name in MOMENTS else value
            for name, value in answer.items()
        }
    )


@pytest.fixture
def sender(bridge: FlagBridge) -> Sender:
    return Sender(bridge)


def test_a_session_is_made_and_told_as_the_page_shows(sender: Sender) -> None:
    made = sender.begin()
    begins, ends = (datetime.fromisoformat(made[name]) for name in ("createdAt", "expiresAt"))

    assert without_moments(made) == sender.shown(CREATED)
    assert ends - begins == timedelta(seconds=3600)


def test_overrides_are_set_read_and_removed_as_the_page_shows(sender: Sender, bridge: FlagBridge) -> None:
    session = sender.begin()

    code, told = sender.send(SET)
    assert (code, without_moments(told)) == (200, sender.shown(SET_DONE))
    bridge.override(session, "checkout-button-color", "green")
    code, told = sender.send(READ)
    assert (code, without_moments(told)) == (200, sender.shown(FOUND))
    assert without_moments(bridge.evaluate("new-checkout", session["token"])) == sender.shown(EVALUATED)
    assert sender.send(REMOVE) == (204, None)
    assert list(sender.send(READ)[1]["overrides"]) == ["checkout-button-color"]


def test_several_overrides_at_once_are_told_as_the_page_shows(sender: Sender) -> None:
    sender.begin()

    code, told = sender.send(SET_BATCH)

    # The page sets four, and shows what it is told for three.
    assert (code, told["overrides"].pop("free-shipping-banner")) == (200, True)
    assert without_moments(told) == sender.shown(SET_BATCH_DONE)


def test_a_session_is_destroyed_as_the_page_says(sender: Sender) -> None:
    sender.begin()

    assert sender.send(DESTROY) == (204, None)
    assert sender.send(READ)[0] == 404
