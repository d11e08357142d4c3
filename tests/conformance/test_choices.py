"""Our own choices where FlowMock documents nothing, over three doors. These may change; what is documented may not."""

from collections.abc import Callable

import pytest
from support.doors import Door, RestDoor
from support.proxied import App
from support.server import MadePlace, Server

KEY = "ci-42"


def test_an_organisation_key_meets_an_unknown_project_as_not_found(door: Door, make_key: Callable[..., str]) -> None:
    assert door.get(make_key(), KEY, project="nowhere").code == "not_found"


def test_a_project_key_learns_nothing_of_projects_that_do_not_exist(door: Door, auth: str) -> None:
    assert door.get(auth, KEY, project="nowhere").code == "scope_mismatch"


def test_an_unknown_environment_is_not_found(door: Door, auth: str) -> None:
    assert door.put(auth, KEY, {"environment": "nowhere"}).code == "not_found"


def test_a_project_without_environment_has_none_to_choose(
    door: Door, server: Server, make_key: Callable[..., str]
) -> None:
    assert door.get(make_key(project=server.make_place().project), KEY).code == "not_found"


def test_an_environment_key_needs_neither_project_nor_environment(
    door: Door, server: Server, make_key: Callable[..., str]
) -> None:
    place = server.make_place("staging", "qa")
    auth = make_key(project=place.project, environment="qa")
    assert door.put(auth, KEY, {}).served["environment"] == "qa"
    assert door.put(auth, KEY, {"environment": "staging"}).code == "scope_mismatch"


def test_the_body_wins_over_the_query_and_both_are_checked(rest: RestDoor, auth: str, server: Server) -> None:
    other = server.make_place("staging")
    own = rest.put(auth, KEY, {}).served["project"]
    assert rest.put(auth, KEY, {"project": own}, project=own).code == ""
    assert rest.put(auth, KEY, {"project": own}, project=other.project).code == "scope_mismatch"


def test_a_key_that_is_empty_when_normalised_is_refused(door: Door, auth: str) -> None:
    assert door.put(auth, " \r\n ", {}).code == "invalid_body"


def test_an_unknown_scenario_changes_nothing(door: Door, auth: str) -> None:
    before = door.put(auth, KEY, {"label": "x"}).served
    assert door.put(auth, KEY, {"label": "y", "scenario": "scn_nothing"}).code == "not_found"
    assert door.get(auth, KEY).served == before


@pytest.mark.parametrize("overrides", [["ovr_nothing"], ["bad"], ["ovr_cart", "ovr_draft"], [""]])
def test_a_put_with_one_bad_override_makes_no_session(door: Door, auth: str, overrides: list[str]) -> None:
    assert door.put(auth, KEY, {"label": "x", "overrides": overrides}).code == "invalid_override"
    assert door.get(auth, KEY).code == "not_found"


def test_overrides_named_twice_count_once(door: Door, auth: str) -> None:
    answer = door.put(auth, KEY, {"overrides": ["ovr_pay", "ovr_cart", "ovr_pay"]}).served
    assert answer["overrides"] == ["ovr_pay", "ovr_cart"]


def test_overrides_keep_the_order_in_which_they_were_switched_on(door: Door, auth: str) -> None:
    door.on(auth, KEY, "ovr_pay")
    door.on(auth, KEY, "ovr_cart")
    assert door.put(auth, KEY, {"overrides": ["ovr_cart", "ovr_pay"]}).served["overrides"] == ["ovr_pay", "ovr_cart"]


def test_an_empty_put_creates_an_empty_session(door: Door, auth: str) -> None:
    answer = door.put(auth, KEY, {}).served
    assert (answer["scenario"], answer["label"], answer["overrides"], answer["globalDelayMs"]) == (None, None, [], 0)


def test_a_greatest_delay_below_the_fixed_one_is_accepted(door: Door, auth: str) -> None:
    assert door.put(auth, KEY, {"globalDelayMs": 9, "globalDelayMaxMs": 5}).code == ""


def test_reset_keeps_label_and_last_seen(door: Door, auth: str, app: App) -> None:
    door.put(auth, KEY, {"label": "x", "overrides": ["ovr_cart"]})
    app.cart(KEY)
    seen = door.get(auth, KEY).served["lastSeenAt"]
    assert seen is not None
    door.delete(auth, KEY, mode="reset")
    answer = door.get(auth, KEY).served
    assert (answer["label"], answer["lastSeenAt"]) == ("x", seen)


@pytest.mark.parametrize("mode", ["reset", "delete"])
def test_deleting_an_unknown_session_is_not_found(door: Door, auth: str, mode: str) -> None:
    assert door.delete(auth, KEY, mode=mode).code == "not_found"


@pytest.mark.parametrize("mode", ["", "RESET", "Delete", "unspecified", "2"])
def test_a_mode_is_spelled_exactly_and_checked_before_existence(rest: RestDoor, auth: str, mode: str) -> None:
    answer = rest.delete(auth, KEY, mode=mode)
    assert (answer.http_status, answer.code) == (422, "invalid_mode")


def test_a_put_after_delete_starts_empty(door: Door, auth: str) -> None:
    door.put(auth, KEY, {"scenario": "scn_declined", "overrides": ["ovr_cart"], "label": "x"})
    door.delete(auth, KEY, mode="delete")
    answer = door.put(auth, KEY, {}).served
    assert (answer["scenario"], answer["overrides"], answer["label"]) == (None, [], None)


def test_logs_outlive_their_session(door: Door, auth: str, app: App) -> None:
    door.put(auth, KEY, {})
    app.pay(KEY)
    door.delete(auth, KEY, mode="delete")
    log_id = door.logs(auth, KEY).served["logs"][0]["id"]
    assert door.body(auth, log_id, side="response").served == {"pay": "real"}


def test_traffic_never_creates_a_session(door: Door, auth: str, app: App) -> None:
    assert app.cart("ghost") == "real"
    assert door.get(auth, "ghost").code == "not_found"
    assert len(door.logs(auth, "ghost").served["logs"]) == 1


def test_logs_of_a_key_nobody_used_are_not_found(door: Door, auth: str) -> None:
    assert door.logs(auth, "nobody").code == "not_found"
    door.put(auth, "nobody", {})
    assert door.logs(auth, "nobody").served == {"logs": [], "nextCursor": None}


def test_before_and_since_exclude_each_other(door: Door, auth: str) -> None:
    door.put(auth, KEY, {})
    assert door.logs(auth, KEY, before="log_1", since="log_2").code == "invalid_body"


def test_cursors_need_no_row(door: Door, auth: str, app: App) -> None:
    app.cart(KEY)
    assert door.logs(auth, KEY, before="log_0").served["logs"] == []
    assert len(door.logs(auth, KEY, since="log_0").served["logs"]) == 1
    assert len(door.logs(auth, KEY, before="log_Z").served["logs"]) == 1


@pytest.mark.parametrize(("limit", "count"), [("0", 1), ("-5", 1), ("1000", 3), ("x", 3), ("", 3), ("1.5", 3)])
def test_a_limit_is_moved_into_its_range(rest: RestDoor, auth: str, app: App, limit: str, count: int) -> None:
    for _ in range(3):
        app.cart(KEY)
    assert len(rest.logs(auth, KEY, limit=limit).served["logs"]) == count


def test_a_cursor_of_scenarios_that_is_not_ours_gives_an_empty_page(door: Door, auth: str) -> None:
    assert door.scenarios(auth, before="nonsense").served == {"scenarios": [], "nextBefore": None}


def test_a_malformed_override_id_is_invalid_and_creates_nothing(door: Door, auth: str) -> None:
    assert door.on(auth, KEY, "cart").code == "invalid_override"
    assert door.on(auth, KEY, "ovr_nothing").code == "not_found"
    assert door.get(auth, KEY).code == "not_found"


def test_switching_off_what_is_off_is_served(door: Door, auth: str) -> None:
    door.put(auth, KEY, {})
    assert door.off(auth, KEY, "ovr_cart").served == {"overrideId": "ovr_cart", "active": False}


def test_switching_off_needs_a_session_and_a_mock(door: Door, auth: str) -> None:
    assert door.off(auth, KEY, "ovr_cart").code == "not_found"
    assert door.get(auth, KEY).code == "not_found"
    door.put(auth, KEY, {})
    assert door.off(auth, KEY, "ovr_nothing").code == "not_found"
    assert door.off(auth, KEY, "ovr_declined").code == "invalid_override"


def test_an_override_of_another_environment_is_not_found(
    door: Door, server: Server, make_key: Callable[..., str]
) -> None:
    place = server.make_place("staging", "qa")
    place.make_answer("ovr_there", "GET", "/api/cart", "{}", environment="qa")
    auth = make_key(project=place.project)
    assert door.on(auth, KEY, "ovr_there", environment="staging").code == "not_found"


def test_a_body_needs_a_side(door: Door, auth: str, app: App) -> None:
    app.pay(KEY)
    log_id = door.logs(auth, KEY).served["logs"][0]["id"]
    assert door.body(auth, log_id).code == "invalid_side"


def test_a_side_without_a_body_is_not_found(door: Door, auth: str, app: App) -> None:
    app.cart(KEY)
    log_id = door.logs(auth, KEY).served["logs"][0]["id"]
    assert door.body(auth, log_id, side="request").code == "not_found"


def test_an_organisation_key_reads_a_body_without_naming_a_project(
    door: Door, auth: str, app: App, place: MadePlace, make_key: Callable[..., str]
) -> None:
    app.pay(KEY)
    log_id = door.logs(auth, KEY).served["logs"][0]["id"]
    wide = make_key()
    assert door.body(wide, log_id, side="request").code == ""
    assert door.body(wide, log_id, side="request", project=place.project).code == ""
    assert door.body(wide, log_id, side="request", project="nowhere").code == "not_found"


def test_text_is_given_as_a_json_string_and_bytes_as_base64(door: Door, auth: str, app: App) -> None:
    app.send("POST", "/text", KEY, "plain tëxt".encode())
    app.send("POST", "/bytes", KEY, b"\xff\x00\xfe")
    raw, text = (row["id"] for row in door.logs(auth, KEY).served["logs"])
    assert door.body(auth, text, side="request").served == "plain tëxt"
    assert door.body(auth, raw, side="request").served == "/wD+"


def test_a_time_to_live_shows_when_the_session_ends(door: Door, auth: str) -> None:
    answer = door.put(auth, KEY, {"ttlSeconds": 3600}).served
    assert answer["expiresAt"].endswith("Z")
    assert "expiresAt" not in door.put(auth, KEY, {"ttlSeconds": None}).served


@pytest.mark.parametrize(
    ("seconds", "code"), [(0, "invalid_body"), (1, ""), (31_536_000, ""), (31_536_001, "invalid_body")]
)
def test_a_time_to_live_has_bounds(door: Door, auth: str, seconds: int, code: str) -> None:
    assert door.put(auth, KEY, {"ttlSeconds": seconds}).code == code


def test_previews_show_the_beginning_of_a_body(door: Door, auth: str, app: App) -> None:
    app.send("POST", "/text", KEY, b"x" * 600)
    row = door.logs(auth, KEY).served["logs"][0]
    assert row["requestPreview"] == "x" * 512
    assert row["responsePreview"] == '{"pay": "real"}'
    assert row["overrideId"] is None
