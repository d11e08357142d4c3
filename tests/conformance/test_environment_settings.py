"""What an environment tells the proxy, over three doors: set, read back, cleared, refused."""

from typing import Any

import pytest
from support.doors import Door
from support.server import MadePlace, Server

DEFAULTS: dict[str, Any] = {
    "hosts": [],
    "carriers": [],
    "strict": False,
    "tunnelUpgrades": False,
    "stripSessionHeader": False,
}
OTHERS: dict[str, Any] = {
    "carriers": [
        {"header": "X-Run"},
        {"cookie": "sid"},
        {"query": "run"},
        {"jwtClaim": "user.session"},
        {"baggage": "test.run"},
    ],
    "strict": True,
    "cors": {"forwardPreflights": True, "leaveAnswers": True},
    "tunnelUpgrades": True,
    "stripSessionHeader": True,
    "redaction": {
        "headers": ["x-customer-token"],
        "query": ["token"],
        "jsonPaths": ["$.card.number", "$..token", "$.items[-1]['id']"],
        "keepCredentials": True,
    },
    "limits": {
        "requestBodyBytesMax": 1048576,
        "capturedBytesMax": 0,
        "firstByteMs": 5000,
        "sessionLogEntriesMax": 500,
        "sessionLogBytesMax": 1048576,
        "logEntriesMax": 5000,
        "logBytesMax": 16777216,
        "logRetentionSeconds": 3600,
    },
}
_NO_LOG_LIMITS = dict.fromkeys(
    ("sessionLogEntriesMax", "sessionLogBytesMax", "logEntriesMax", "logBytesMax", "logRetentionSeconds"), 0
)


@pytest.fixture
def place(server: Server) -> MadePlace:
    return server.make_place("staging", "qa")


def hosts(place: MadePlace) -> list[str]:
    """Names that no other test uses."""
    return [f"b.{place.project}.test", f"a.{place.project}.test"]


def test_settings_given_when_made_are_read_back(door: Door, editor: str, place: MadePlace) -> None:
    given = {"slug": "new", "hosts": hosts(place), **OTHERS}
    made = door.make_environment(editor, place.project, given).served
    assert {name: made[name] for name in given} == given
    assert door.environment(editor, place.project, "new").served == made


def test_an_environment_shows_the_defaults(door: Door, editor: str, place: MadePlace) -> None:
    found = door.environment(editor, place.project, "staging").served
    assert {name: found[name] for name in DEFAULTS} == DEFAULTS
    assert not {"cors", "redaction", "limits"} & found.keys()


def test_settings_are_set_and_cleared_by_a_change(door: Door, editor: str, place: MadePlace) -> None:
    given = {"hosts": hosts(place), **OTHERS}
    changed = door.change_environment(editor, place.project, "staging", given).served
    assert {name: changed[name] for name in given} == given
    cleared = door.change_environment(editor, place.project, "staging", DEFAULTS).served
    assert {name: cleared[name] for name in DEFAULTS} == DEFAULTS
    for name in ("cors", "redaction", "limits"):
        assert cleared[name] == given[name]


def test_cors_is_set_whole(door: Door, editor: str, place: MadePlace) -> None:
    door.change_environment(editor, place.project, "staging", {"cors": OTHERS["cors"]})
    changed = door.change_environment(editor, place.project, "staging", {"cors": {}}).served
    assert changed["cors"] == {"forwardPreflights": False, "leaveAnswers": False}


def test_redaction_and_limits_are_set_whole(door: Door, editor: str, place: MadePlace) -> None:
    given = {name: OTHERS[name] for name in ("redaction", "limits")}
    door.change_environment(editor, place.project, "staging", given)
    changes = {"redaction": {"query": ["q"]}, "limits": {"firstByteMs": 7}}
    changed = door.change_environment(editor, place.project, "staging", changes).served
    assert changed["redaction"] == {"headers": [], "query": ["q"], "jsonPaths": [], "keepCredentials": False}
    assert changed["limits"] == {"requestBodyBytesMax": 0, "firstByteMs": 7, **_NO_LOG_LIMITS}


def test_a_change_of_one_thing_leaves_the_rest(door: Door, editor: str, place: MadePlace) -> None:
    given = {"hosts": hosts(place), **OTHERS}
    before = door.change_environment(editor, place.project, "staging", given).served
    after = door.change_environment(editor, place.project, "staging", {"name": "Staging"}).served
    assert {name: after[name] for name in given} == {name: before[name] for name in given}


def test_a_taken_host_is_refused_and_changes_nothing(door: Door, editor: str, place: MadePlace) -> None:
    door.change_environment(editor, place.project, "qa", {"hosts": hosts(place)})
    before = door.environment(editor, place.project, "staging").served
    answer = door.change_environment(editor, place.project, "staging", {"hosts": hosts(place), "strict": True})
    assert answer.code == "already_exists"
    assert answer.http_status in (0, 409)
    assert door.environment(editor, place.project, "staging").served == before
    made = door.make_environment(editor, place.project, {"slug": "new", "hosts": hosts(place)[1:]})
    assert made.code == "already_exists"
    assert door.environment(editor, place.project, "new").code == "not_found"


def test_a_host_moves_when_its_environment_lets_it_go(door: Door, editor: str, place: MadePlace) -> None:
    door.change_environment(editor, place.project, "qa", {"hosts": hosts(place)})
    door.change_environment(editor, place.project, "qa", {"hosts": []})
    moved = door.change_environment(editor, place.project, "staging", {"hosts": hosts(place)}).served
    assert moved["hosts"] == hosts(place)


@pytest.mark.parametrize(
    "changes",
    [
        {"hosts": ["Shop.test"]},
        {"hosts": ["shop.test:8080"]},
        {"hosts": ["127.0.0.1"]},
        {"hosts": ["shop.test", "shop.test"]},
        {"hosts": [f"{number}.test" for number in range(33)]},
        {"carriers": [{}]},
        {"carriers": [{"header": ""}]},
        {"carriers": [{"header": "x run"}]},
        {"carriers": [{"query": "run"}] * 17},
        {"redaction": {"headers": ["x token"]}},
        {"redaction": {"query": [""]}},
        {"redaction": {"jsonPaths": ["card.number"]}},
        {"redaction": {"jsonPaths": ["$.a", "$.items[?@.kind == 'card'].number"]}},
        {"limits": {"requestBodyBytesMax": -1}},
        {"limits": {"capturedBytesMax": -1}},
        {"limits": {"firstByteMs": 3600001}},
        {"limits": {"sessionLogEntriesMax": -1}},
        {"limits": {"logRetentionSeconds": 315360001}},
    ],
    ids=lambda each: str(each)[:40],
)
def test_settings_that_mean_nothing_are_refused(
    door: Door, editor: str, place: MadePlace, changes: dict[str, Any]
) -> None:
    assert door.change_environment(editor, place.project, "staging", changes).code == "invalid_body"


@pytest.mark.parametrize("changes", [{"carriers": [{"header": "a", "cookie": "b"}]}, {"hosts": None}, {"cors": None}])
def test_two_sources_of_one_carrier_and_null_are_refused_over_rest(
    rest: Door, editor: str, place: MadePlace, changes: dict[str, Any]
) -> None:
    answer = rest.change_environment(editor, place.project, "staging", changes)
    assert (answer.code, answer.http_status) == ("invalid_body", 422)
