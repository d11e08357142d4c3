"""What the published clients put on the wire, from Node: all flags, then each that changes, as events tell of it."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from support.flagbridge import FlagBridge
from support.program_clients import SOURCES

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="there is no node on this machine")
RULE = {"name": "Beta", "conditions": [{"attribute": "plan", "operator": "equals", "value": "beta"}], "value": "green"}


@contextmanager
def watching(bridge: FlagBridge, flag: str, key: str) -> Iterator[Callable[[], Any]]:
    """A client that listens for a flag; gives what reads the next thing that it says."""
    place = {"baseUrl": str(bridge.http.base_url), "project": bridge.project, "environment": "production"}
    command = ["node", str(SOURCES / "flagbridge_watch.mjs")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdin
        assert client.stdout
        client.stdin.write(json.dumps({**place, "key": key, "flag": flag}) + "\n")
        client.stdin.flush()
        said = client.stdout
        yield lambda: json.loads(said.readline())
        client.stdin.close()
        assert client.wait(timeout=30) == 0


def test_a_client_has_all_values_and_hears_of_each_that_changes(bridge: FlagBridge) -> None:
    bridge.flag("colour", type="string", default_value="blue", enabled=True)
    bridge.flag("new-checkout", default_value=False)
    place = f"/projects/{bridge.project}/flags"

    with watching(bridge, "colour", bridge.key("eval")) as said:
        first = said()
        bridge.done("mgmt", "PUT", f"{place}/new-checkout/states/production", {"enabled": True})
        bridge.done("mgmt", "PUT", f"{place}/colour/rules/production", {"rules": [RULE]})
        second = said()
        bridge.done("mgmt", "PUT", f"{place}/colour/states/production", {"enabled": False})
        third = said()

    values = {"colour": "blue", "new-checkout": False}
    assert first == {"bare": values, "data": values}
    assert second == {"bare": "green", "data": "green"}
    assert third == {"bare": "blue", "data": "blue"}
