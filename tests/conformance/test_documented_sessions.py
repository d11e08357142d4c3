"""What FlowMock documents about sessions and overrides, over three doors (checklist items 7 to 12, 15 and 17)."""

from typing import Any

import pytest
from support.doors import Door
from support.proxied import App
from support.server import MadePlace

KEY = "ci-42"
SHAPE = {
    "project", "environment", "sessionKey", "label", "scenario", "overrides", "globalDelayMs", "globalDelayMaxMs",
    "lastSeenAt",
}  # fmt: skip


def test_item_7_an_unknown_session_is_not_found(door: Door, auth: str) -> None:
    assert door.get(auth, KEY).code == "not_found"


def test_item_7_put_creates_a_session_and_returns_its_whole_shape(door: Door, auth: str, place: MadePlace) -> None:
    body = {
        "project": place.project, "environment": "staging", "scenario": "scn_declined", "overrides": ["ovr_cart"],
        "globalDelayMs": 0, "globalDelayMaxMs": 0, "label": "CI run 4821",
    }  # fmt: skip
    answer = door.put(auth, KEY, body).served
    assert answer == {**body, "sessionKey": KEY, "lastSeenAt": None}
    assert set(answer) == SHAPE
    assert door.get(auth, KEY).served == answer


def test_item_7_the_same_put_again_changes_nothing(door: Door, auth: str) -> None:
    body = {"scenario": "scn_declined", "overrides": ["ovr_cart"], "label": "x", "globalDelayMs": 5}
    first = door.put(auth, KEY, body)
    second = door.put(auth, KEY, body)
    assert second.served == first.served
    assert second.headers.get("etag") == first.headers.get("etag")


def test_item_8_put_with_a_label_alone_leaves_the_rest(door: Door, auth: str) -> None:
    door.put(
        auth, KEY, {"scenario": "scn_declined", "overrides": ["ovr_cart"], "globalDelayMs": 5, "globalDelayMaxMs": 9}
    )
    answer = door.put(auth, KEY, {"label": "new"}).served
    assert (answer["label"], answer["scenario"], answer["overrides"]) == ("new", "scn_declined", ["ovr_cart"])
    assert (answer["globalDelayMs"], answer["globalDelayMaxMs"]) == (5, 9)


def test_item_8_scenario_null_clears_it_and_overrides_keep_applying(door: Door, auth: str, app: App) -> None:
    door.put(auth, KEY, {"scenario": "scn_declined", "overrides": ["ovr_cart"]})
    assert app.pay(KEY).status_code == 402
    answer = door.put(auth, KEY, {"scenario": None}).served
    assert (answer["scenario"], answer["overrides"]) == (None, ["ovr_cart"])
    assert app.pay(KEY).json() == {"pay": "real"}
    assert app.cart(KEY) == "mocked"


@pytest.mark.parametrize(
    ("field", "value", "cleared"), [("label", "x", None), ("globalDelayMs", 7, 0), ("globalDelayMaxMs", 7, 0)]
)
def test_null_clears_a_field(door: Door, auth: str, field: str, value: Any, cleared: Any) -> None:
    assert door.put(auth, KEY, {field: value}).served[field] == value
    assert door.put(auth, KEY, {field: None}).served[field] == cleared


def test_item_9_overrides_are_the_exact_set(door: Door, auth: str) -> None:
    door.on(auth, KEY, "ovr_pay")
    assert door.put(auth, KEY, {"overrides": ["ovr_cart"]}).served["overrides"] == ["ovr_cart"]
    assert door.put(auth, KEY, {"overrides": []}).served["overrides"] == []


def test_item_9_a_scenarios_own_mock_is_an_invalid_override(door: Door, auth: str) -> None:
    assert door.put(auth, KEY, {"overrides": ["ovr_cart", "ovr_declined"]}).code == "invalid_override"
    assert door.get(auth, KEY).code == "not_found"


def test_item_10_post_override_creates_the_session_and_repeats_harmlessly(door: Door, auth: str) -> None:
    for _ in range(2):
        assert door.on(auth, KEY, "ovr_cart").served == {"overrideId": "ovr_cart", "active": True}
    assert door.get(auth, KEY).served["overrides"] == ["ovr_cart"]


def test_item_10_an_unknown_override_is_not_found(door: Door, auth: str) -> None:
    assert door.on(auth, KEY, "ovr_nothing").code == "not_found"


def test_item_10_a_scenarios_own_mock_cannot_be_switched_on(door: Door, auth: str) -> None:
    assert door.on(auth, KEY, "ovr_declined").code == "invalid_override"


def test_item_10_delete_override_says_inactive(door: Door, auth: str, app: App) -> None:
    door.put(auth, KEY, {"overrides": ["ovr_cart", "ovr_pay"]})
    assert door.off(auth, KEY, "ovr_cart").served == {"overrideId": "ovr_cart", "active": False}
    assert door.get(auth, KEY).served["overrides"] == ["ovr_pay"]
    assert app.cart(KEY) == "real"


def test_item_10_single_overrides_touch_nothing_else(door: Door, auth: str) -> None:
    state = {
        "scenario": "scn_declined",
        "overrides": ["ovr_pay"],
        "label": "x",
        "globalDelayMs": 5,
        "globalDelayMaxMs": 9,
    }
    before = door.put(auth, KEY, state).served
    door.on(auth, KEY, "ovr_cart")
    door.off(auth, KEY, "ovr_cart")
    assert door.get(auth, KEY).served == before


def test_item_11_delete_without_mode_resets_and_keeps_the_session(door: Door, auth: str) -> None:
    door.put(
        auth, KEY, {"scenario": "scn_declined", "overrides": ["ovr_cart"], "globalDelayMs": 5, "globalDelayMaxMs": 9}
    )
    assert door.delete(auth, KEY).served == {"ok": True, "mode": "reset"}
    answer = door.get(auth, KEY).served
    assert (answer["scenario"], answer["overrides"], answer["globalDelayMs"], answer["globalDelayMaxMs"]) == (
        None,
        [],
        0,
        0,
    )


def test_item_11_mode_delete_removes_it(door: Door, auth: str) -> None:
    door.put(auth, KEY, {"overrides": ["ovr_cart"]})
    assert door.delete(auth, KEY, mode="delete").served == {"ok": True, "mode": "delete"}
    assert door.get(auth, KEY).code == "not_found"


def test_item_11_another_mode_is_invalid(door: Door, auth: str) -> None:
    door.put(auth, KEY, {})
    assert door.delete(auth, KEY, mode="x").code == "invalid_mode"


@pytest.mark.parametrize("raw", [" ci-42 ", "ci-\n42", "\r\nci-42\t"])
def test_item_12_white_space_and_newlines_do_not_count_in_a_key(door: Door, auth: str, app: App, raw: str) -> None:
    assert door.put(auth, raw, {"overrides": ["ovr_cart"]}).served["sessionKey"] == KEY
    assert door.get(auth, KEY).code == ""
    assert app.cart(KEY) == "mocked"


def test_item_12_a_key_is_cut_at_200_characters(door: Door, auth: str, app: App) -> None:
    assert door.put(auth, "k" * 250, {"overrides": ["ovr_cart"]}).served["sessionKey"] == "k" * 200
    assert door.get(auth, "k" * 200).code == ""
    assert door.get(auth, "k" * 199).code == "not_found"
    assert app.cart("k" * 300) == "mocked"


def test_item_12_case_makes_another_session(door: Door, auth: str) -> None:
    door.put(auth, "ci-42", {})
    assert door.get(auth, "CI-42").code == "not_found"


def test_item_15_a_draft_cannot_be_switched_on(door: Door, auth: str) -> None:
    assert door.on(auth, KEY, "ovr_draft").code == "invalid_override"
    assert door.put(auth, KEY, {"overrides": ["ovr_draft"]}).code == "invalid_override"


def test_item_15_a_published_mock_that_is_not_active_does_not_apply(door: Door, auth: str, app: App) -> None:
    door.put(auth, KEY, {"overrides": ["ovr_pay"]})
    assert app.cart(KEY) == "real"


def test_item_17_another_scenario_drops_the_formers_mocks(door: Door, auth: str, app: App) -> None:
    door.put(auth, KEY, {"scenario": "scn_declined"})
    assert (app.pay(KEY).status_code, app.cart(KEY)) == (402, "real")
    door.put(auth, KEY, {"scenario": "scn_empty"})
    assert (app.pay(KEY).status_code, app.cart(KEY)) == (200, "mocked")


@pytest.mark.parametrize("field", ["globalDelayMs", "globalDelayMaxMs"])
@pytest.mark.parametrize(("value", "code"), [(0, ""), (120_000, ""), (120_001, "invalid_body")])
def test_delays_have_bounds(door: Door, auth: str, field: str, value: int, code: str) -> None:
    assert door.put(auth, KEY, {field: value}).code == code


@pytest.mark.parametrize(("length", "code"), [(200, ""), (201, "invalid_body")])
def test_a_label_has_at_most_200_characters(door: Door, auth: str, length: int, code: str) -> None:
    assert door.put(auth, KEY, {"label": "ä" * length}).code == code
