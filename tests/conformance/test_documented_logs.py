"""What FlowMock documents about logs and the list of scenarios, over three doors (checklist items 19 to 21)."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from support.doors import Door, RestDoor
from support.proxied import App
from support.server import MadePlace, Server

KEY = "ci-42"


def rows(answer: dict[str, Any]) -> list[str]:
    return [row["path"] for row in answer["logs"]]


def walk(app: App, count: int) -> list[str]:
    """Send requests one after the other; gives their paths, newest first."""
    paths = [f"/step/{number}" for number in range(count)]
    for path in paths:
        app.send("GET", path, KEY)
    return paths[::-1]


def test_item_19_rows_come_newest_first_with_their_fields(door: Door, auth: str, app: App) -> None:
    door.put(auth, KEY, {"overrides": ["ovr_pay"]})
    app.send("GET", "/api/cart?page=2", KEY)
    app.pay(KEY)
    answer = door.logs(auth, KEY).served
    paid, seen = answer["logs"]
    assert (paid["method"], paid["path"], paid["status"], paid["overrideApplied"]) == ("POST", "/api/pay", 200, True)
    assert (seen["method"], seen["path"], seen["status"], seen["overrideApplied"]) == ("GET", "/api/cart", 200, False)
    assert re.fullmatch(r"log_\w+", paid["id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", paid["createdAt"])
    assert isinstance(paid["durationMs"], int)
    assert answer["nextCursor"] is None


def test_item_19_a_page_has_50_rows_and_at_most_100(door: Door, auth: str, app: App) -> None:
    paths = walk(app, 103)
    assert rows(door.logs(auth, KEY).served) == paths[:50]
    assert rows(door.logs(auth, KEY, limit=100).served) == paths[:100]
    assert rows(door.logs(auth, KEY, limit=1).served) == paths[:1]


def test_item_19_before_pages_back_to_the_end(door: Door, auth: str, app: App) -> None:
    paths, seen, cursor = walk(app, 7), [], None
    while True:
        answer = door.logs(auth, KEY, limit=3, **({"before": cursor} if cursor else {})).served
        seen += rows(answer)
        cursor = answer["nextCursor"]
        if cursor is None:
            break
        assert re.fullmatch(r"log_\w+", cursor)
    assert seen == paths


def test_item_19_since_gives_newer_rows_oldest_first_without_a_cursor(door: Door, auth: str, app: App) -> None:
    paths = walk(app, 6)
    oldest = door.logs(auth, KEY).served["logs"][-1]["id"]
    answer = door.logs(auth, KEY, since=oldest, limit=3).served
    assert rows(answer) == paths[::-1][1:4]
    assert answer["nextCursor"] is None
    last = answer["logs"][-1]["id"]
    assert rows(door.logs(auth, KEY, since=last).served) == paths[::-1][4:]


def test_item_20_a_body_comes_raw_from_both_sides(door: Door, auth: str, app: App) -> None:
    door.put(auth, KEY, {"scenario": "scn_declined"})
    app.send("POST", "/api/pay", KEY, b'{"b": 1.50, "a": [12345678901234567890]}')
    log_id = door.logs(auth, KEY).served["logs"][0]["id"]
    assert door.body(auth, log_id, side="request").served == {"b": 1.5, "a": [12345678901234567890]}
    assert door.body(auth, log_id, side="response").served == {"error": "card_declined"}


def test_item_20_another_side_is_invalid(door: Door, auth: str, app: App) -> None:
    app.pay(KEY)
    log_id = door.logs(auth, KEY).served["logs"][0]["id"]
    assert door.body(auth, log_id, side="both").code == "invalid_side"


def test_item_20_a_log_that_is_not_there_is_not_found(door: Door, auth: str) -> None:
    assert door.body(auth, "log_nothing", side="request").code == "not_found"


def test_item_20_a_project_key_sees_no_other_projects_logs(
    door: Door, auth: str, app: App, server: Server, make_key: Callable[..., str]
) -> None:
    app.pay(KEY)
    log_id = door.logs(auth, KEY).served["logs"][0]["id"]
    other = make_key(project=server.make_place("staging").project)
    assert door.body(other, log_id, side="request").code == "scope_mismatch"


def test_item_20_a_body_is_answered_without_an_envelope(rest: RestDoor, auth: str, app: App) -> None:
    app.send("POST", "/api/pay", KEY, b'{"b":  1}')
    log_id = rest.logs(auth, KEY).served["logs"][0]["id"]
    answer = rest.body(auth, log_id, side="request")
    assert answer.served == {"b": 1}
    assert answer.headers["content-type"] == "application/json"


def test_item_21_scenarios_have_id_name_and_url_name(door: Door, auth: str) -> None:
    answer = door.scenarios(auth).served
    assert answer == {
        "scenarios": [
            {"id": "scn_empty", "name": "Empty cart", "urlId": "empty-cart"},
            {"id": "scn_declined", "name": "Payment declined", "urlId": "payment-declined"},
        ],
        "nextBefore": None,
    }


def test_item_21_search_filters_on_the_name(door: Door, auth: str) -> None:
    assert [each["id"] for each in door.scenarios(auth, search="declined").served["scenarios"]] == ["scn_declined"]
    assert door.scenarios(auth, search="nothing").served["scenarios"] == []


def test_item_21_next_before_pages_to_the_end(door: Door, auth: str, place: MadePlace) -> None:
    for number in range(5):
        place.make_scenario(f"scn_{number}")
    first = door.scenarios(auth, limit=3).served
    second = door.scenarios(auth, limit=3, before=first["nextBefore"]).served
    third = door.scenarios(auth, limit=3, before=second["nextBefore"]).served
    ids = [each["id"] for answer in (first, second, third) for each in answer["scenarios"]]
    assert ids == ["scn_4", "scn_3", "scn_2", "scn_1", "scn_0", "scn_empty", "scn_declined"]
    assert third["nextBefore"] is None


@pytest.mark.parametrize("search", ["PAYMENT", "  ", "%", "_"])
def test_search_is_plain_text(door: Door, auth: str, search: str) -> None:
    found = [each["id"] for each in door.scenarios(auth, search=search).served["scenarios"]]
    assert found == {"PAYMENT": ["scn_declined"], "  ": ["scn_empty", "scn_declined"]}.get(search, [])
