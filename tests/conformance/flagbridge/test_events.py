"""FlagBridge's stream of events."""

from collections.abc import Callable, Iterator

import pytest
from support.flagbridge import FlagBridge


def read_event(lines: Iterator[str]) -> tuple[str, str]:
    """The next event that has a name, and its data."""
    found: dict[str, str] = {}
    for line in lines:
        if not line and found:
            return found["event"], found["data"]
        name, _, value = line.partition(": ")
        if name:
            found[name] = value
    raise AssertionError("the stream ended")


@pytest.mark.parametrize("scope", ["eval", "test", "full"])
def test_changes_of_flags_are_told_and_those_of_sessions_are_not(bridge: FlagBridge, scope: str) -> None:
    bridge.flag("a")
    session = bridge.session()
    headers = {"authorization": f"Bearer {bridge.key(scope)}", "origin": "https://app.example"}
    with bridge.http.stream("GET", "/v1/sse/production", headers=headers) as answer:
        lines = answer.iter_lines()
        first = read_event(lines)
        bridge.override(session, "a", True)
        bridge.done("mgmt", "PUT", f"/projects/{bridge.project}/flags/a/states/staging", {"enabled": True})
        bridge.done("mgmt", "PUT", f"/projects/{bridge.project}/flags/a/states/production", {"enabled": True})
        second = read_event(lines)

    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")
    assert (answer.headers["cache-control"], answer.headers["access-control-allow-origin"]) == ("no-cache", "*")
    assert first == ("connected", '{"environment":"production"}')
    assert second == ("flag.updated", '{"flag_key":"a","environment":"production"}')


def test_an_event_arrives_whole_and_named_first(bridge: FlagBridge) -> None:
    """The published clients forget the name of an event with each piece that they read."""
    bridge.flag("a")
    headers = {"authorization": f"Bearer {bridge.key('eval')}"}
    with bridge.http.stream("GET", "/v1/sse/production", headers=headers) as answer:
        pieces = answer.iter_raw()
        connected = next(pieces)
        bridge.done("mgmt", "PUT", f"/projects/{bridge.project}/flags/a/states/production", {"enabled": True})
        updated = next(pieces)

    assert connected == b'event: connected\ndata: {"environment":"production"}\n\n'
    assert updated == b'event: flag.updated\ndata: {"flag_key":"a","environment":"production"}\n\n'


def test_a_stream_tells_of_the_keys_project_alone(
    bridge: FlagBridge, other_project: str, make_scoped_key: Callable[..., str]
) -> None:
    bridge.flag("mine")
    bridge.keys["full"] = make_scoped_key("full", other_project)
    headers = {"authorization": f"Bearer {bridge.key('eval')}"}
    with bridge.http.stream("GET", "/v1/sse/production", headers=headers) as answer:
        lines = answer.iter_lines()
        read_event(lines)
        body = {"key": "theirs", "name": "theirs", "enabled": True}
        bridge.done("full", "POST", f"/projects/{other_project}/flags", body)
        bridge.done("mgmt", "PUT", f"/projects/{bridge.project}/flags/mine/states/production", {"enabled": True})
        assert '"mine"' in read_event(lines)[1]


@pytest.mark.parametrize(("scope", "environment"), [("mgmt", "production"), ("eval", "staging")])
def test_who_may_not_listen_is_refused(bridge: FlagBridge, scope: str, environment: str) -> None:
    answer = bridge.ask(scope, "GET", f"/sse/{environment}")
    assert (answer.status_code, answer.json()["error"]) == (403, "FORBIDDEN")
