"""The published page of the Testing API: its examples in TypeScript, run as written by Node, with ids put in."""

import shutil
from typing import Any

import pytest
from support.flagbridge import FlagBridge
from support.program_clients import flagbridge_page
from support.testing_page import PutIn

CREATE = """const session = await fb.testing.createSession({
  projectId: 'proj_abc123',
  label: 'checkout-e2e',
});

console.log(session.id);    // sess_abc123
console.log(session.token); // pass this in X-FlagBridge-Session"""
READ = """const session = await fb.testing.getSession('sess_abc123');
console.log(session.overrides);"""
DESTROY = "await fb.testing.destroySession('sess_abc123');"
SET = """await fb.testing.setOverride('sess_abc123', {
  flagKey: 'new-checkout',
  value: true,
});"""
SET_BATCH = """await fb.testing.setOverrides('sess_abc123', {
  'new-checkout': true,
  'checkout-button-color': 'green',
  'dark-mode': false,
});"""
REMOVE = "await fb.testing.deleteOverride('sess_abc123', 'new-checkout');"

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node on this machine")


class Runner:
    """Runs examples of the page, with what earlier ones said in place of the page's own."""

    def __init__(self, bridge: FlagBridge) -> None:
        self._bridge = bridge
        self._put_in = PutIn(bridge)

    def run(self, example: str) -> tuple[list[Any], list[int]]:
        """What the example told the console, and the statuses of its answers."""
        given = {"baseUrl": str(self._bridge.http.base_url), "key": self._bridge.key("test")}
        found = flagbridge_page({**given, "example": self._put_in.text(example)})
        return found["said"], found["statuses"]

    def begin(self) -> dict[str, str]:
        (session_id, token), statuses = self.run(CREATE)
        assert statuses == [201]
        session = {"id": session_id, "token": token}
        self._put_in.session(session)
        return session


@pytest.fixture
def runner(bridge: FlagBridge) -> Runner:
    return Runner(bridge)


def test_a_script_makes_a_session_whose_token_is_no_id(runner: Runner, bridge: FlagBridge) -> None:
    session = runner.begin()

    assert session["token"].startswith(f"{session['id']}_")
    assert bridge.done("test", "GET", f"/testing/sessions/{session['id']}")["label"] == "checkout-e2e"


def test_scripts_set_one_flag_then_several_and_read_them(runner: Runner, bridge: FlagBridge) -> None:
    session = runner.begin()

    assert runner.run(SET) == ([], [200])
    assert runner.run(READ) == ([{"new-checkout": True}], [200])
    assert runner.run(SET_BATCH) == ([], [200])
    assert runner.run(READ)[0] == [{"new-checkout": True, "checkout-button-color": "green", "dark-mode": False}]
    assert bridge.evaluate("checkout-button-color", session["token"])["variant"] == "green"


def test_a_script_takes_a_flag_out_again(runner: Runner, bridge: FlagBridge) -> None:
    session = runner.begin()
    runner.run(SET_BATCH)

    assert runner.run(REMOVE) == ([], [204])
    assert runner.run(READ)[0] == [{"checkout-button-color": "green", "dark-mode": False}]
    assert bridge.evaluate("new-checkout", session["token"])["reason"] == "FLAG_NOT_FOUND"


def test_a_script_destroys_its_session(runner: Runner, bridge: FlagBridge) -> None:
    session = runner.begin()
    runner.run(SET)

    assert runner.run(DESTROY) == ([], [204])
    assert bridge.ask("test", "GET", f"/testing/sessions/{session['id']}").status_code == 404
    assert bridge.evaluate("new-checkout", session["token"])["reason"] == "FLAG_NOT_FOUND"
