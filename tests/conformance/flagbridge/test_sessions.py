"""FlagBridge's Testing API: sessions and their overrides."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support.flagbridge import FlagBridge

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
LONG = "x" * (8 * 1024 + 1)


def test_a_session_is_made_as_documented(bridge: FlagBridge) -> None:
    body = {"projectId": f"proj_{bridge.project}", "label": "checkout-e2e", "ttl": 3600}
    answer = bridge.ask("test", "POST", "/testing/sessions", body)
    made = answer.json()

    assert answer.status_code == 201
    assert list(made) == ["id", "token", "projectId", "label", "overrides", "createdAt", "expiresAt"]
    assert made["id"].startswith("sess_")
    assert re.fullmatch(re.escape(made["id"]) + r"_\w{11,}", made["token"])
    assert (made["projectId"], made["label"], made["overrides"]) == (body["projectId"], "checkout-e2e", {})
    assert all(MOMENT.fullmatch(made[name]) for name in ("createdAt", "expiresAt"))
    assert bridge.done("test", "GET", f"/testing/sessions/{made['id']}") == made


def test_a_session_without_a_label_has_null(bridge: FlagBridge) -> None:
    assert bridge.session()["label"] is None


def test_overrides_are_set_replaced_merged_and_removed(bridge: FlagBridge) -> None:
    session = bridge.session()
    place = f"/testing/sessions/{session['id']}"
    first = bridge.done("test", "PUT", f"{place}/overrides/new-checkout", {"value": False})
    second = bridge.done("test", "PUT", f"{place}/overrides/new-checkout", {"value": True})
    merged = bridge.done("test", "PUT", f"{place}/overrides/batch", {"overrides": {"color": "green", "dark": False}})
    removed = bridge.ask("test", "DELETE", f"{place}/overrides/new-checkout")

    assert first == {"id": session["id"], "overrides": {"new-checkout": False}}
    assert second["overrides"] == {"new-checkout": True}
    assert list(merged["overrides"].items()) == [("new-checkout", True), ("color", "green"), ("dark", False)]
    assert (removed.status_code, removed.content) == (204, b"")
    assert bridge.done("test", "GET", place)["overrides"] == {"color": "green", "dark": False}


@pytest.mark.parametrize("ttl", [0, -1, 86_401, 1.5, "60", None, True])
def test_a_ttl_out_of_bounds_is_refused(bridge: FlagBridge, ttl: Any) -> None:
    answer = bridge.ask("test", "POST", "/testing/sessions", {"projectId": bridge.project, "ttl": ttl})
    assert (answer.status_code, answer.json()["error"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("body", [{}, {"projectId": 5}, {"projectId": ""}, [], b"{", b'{"projectId":"a","label":5}'])
def test_a_session_needs_a_body_that_is_whole(bridge: FlagBridge, body: Any) -> None:
    answer = bridge.ask("test", "POST", "/testing/sessions", body)
    assert (answer.status_code, answer.json()["error"]) == (400, "VALIDATION_ERROR")


def test_a_label_has_at_most_255_characters(bridge: FlagBridge) -> None:
    assert bridge.session(label="ö" * 255)["label"] == "ö" * 255
    body = {"projectId": bridge.project, "label": "ö" * 256}
    assert bridge.ask("test", "POST", "/testing/sessions", body).status_code == 400


def test_another_project_is_forbidden(bridge: FlagBridge, other_project: str) -> None:
    answer = bridge.ask("test", "POST", "/testing/sessions", {"projectId": other_project})
    assert (answer.status_code, answer.json()["error"]) == (403, "FORBIDDEN")


def test_with_a_key_for_all_projects_one_that_does_not_exist_is_not_found(
    bridge: FlagBridge, make_scoped_key: Callable[..., str]
) -> None:
    bridge.keys["full"] = make_scoped_key("full")
    answer = bridge.ask("full", "POST", "/testing/sessions", {"projectId": "no-such-project"})
    assert (answer.status_code, answer.json()["error"]) == (404, "NOT_FOUND")


def test_with_a_key_for_all_projects_the_id_of_a_session_is_enough(
    bridge: FlagBridge, make_scoped_key: Callable[..., str]
) -> None:
    bridge.keys["full"] = make_scoped_key("full")
    session = bridge.done("full", "POST", "/testing/sessions", {"projectId": bridge.project})
    place = f"/testing/sessions/{session['id']}"
    bridge.done("full", "PUT", f"{place}/overrides/a", {"value": True})
    bridge.done("full", "PUT", f"{place}/overrides/batch", {"overrides": {"b": "two"}})

    assert bridge.ask("full", "DELETE", f"{place}/overrides/b").status_code == 204
    assert bridge.done("full", "GET", place) == {**session, "overrides": {"a": True}}
    assert [bridge.ask("full", "DELETE", place).status_code for _ in range(2)] == [204, 404]


@pytest.mark.parametrize(
    ("method", "rest", "body"),
    [
        ("GET", "", None),
        ("DELETE", "", None),
        ("PUT", "/overrides/a", {"value": True}),
        ("PUT", "/overrides/batch", {"overrides": {}}),
        ("DELETE", "/overrides/a", None),
    ],
)
def test_the_session_of_another_project_is_not_found(
    bridge: FlagBridge, other_project: str, make_scoped_key: Callable[..., str], method: str, rest: str, body: Any
) -> None:
    session = bridge.session()
    bridge.keys["test"] = make_scoped_key("test", other_project, "staging")
    answer = bridge.ask("test", method, f"/testing/sessions/{session['id']}{rest}", body)
    assert (answer.status_code, answer.json()["error"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("body", [{}, {"value": None}, {"value": 5}, {"value": []}, {"value": {}}, {"value": LONG}])
def test_a_value_is_a_boolean_or_a_string(bridge: FlagBridge, body: Any) -> None:
    session = bridge.session()
    bridge.override(session, "a", "before")
    answer = bridge.ask("test", "PUT", f"/testing/sessions/{session['id']}/overrides/a", body)

    assert (answer.status_code, answer.json()["error"]) == (400, "VALIDATION_ERROR")
    assert bridge.done("test", "GET", f"/testing/sessions/{session['id']}")["overrides"] == {"a": "before"}


@pytest.mark.parametrize(
    "body", [{}, {"overrides": []}, {"overrides": {"b": True, "c": 5}}, {"overrides": {"b": None}}]
)
def test_a_bad_batch_changes_nothing(bridge: FlagBridge, body: Any) -> None:
    session = bridge.session()
    bridge.override(session, "a", True)
    answer = bridge.ask("test", "PUT", f"/testing/sessions/{session['id']}/overrides/batch", body)

    assert (answer.status_code, answer.json()["error"]) == (400, "VALIDATION_ERROR")
    assert bridge.done("test", "GET", f"/testing/sessions/{session['id']}")["overrides"] == {"a": True}


def test_an_empty_batch_changes_nothing(bridge: FlagBridge) -> None:
    session = bridge.session()
    bridge.override(session, "a", True)
    place = f"/testing/sessions/{session['id']}/overrides/batch"
    assert bridge.done("test", "PUT", place, {"overrides": {}})["overrides"] == {"a": True}


def test_more_than_a_thousand_overrides_are_refused(bridge: FlagBridge) -> None:
    session = bridge.session()
    place = f"/testing/sessions/{session['id']}/overrides"
    bridge.done("test", "PUT", f"{place}/batch", {"overrides": {f"flag-{number}": True for number in range(1000)}})
    answer = bridge.ask("test", "PUT", f"{place}/one-more", {"value": True})
    assert (answer.status_code, answer.json()["error"]) == (400, "VALIDATION_ERROR")


def test_a_body_of_more_than_a_mebibyte_is_refused(bridge: FlagBridge) -> None:
    session = bridge.session()
    body = b'{"value": "' + b"x" * 1024 * 1024 + b'"}'
    answer = bridge.ask("test", "PUT", f"/testing/sessions/{session['id']}/overrides/a", body)
    assert (answer.status_code, answer.json()["error"]) == (413, "VALIDATION_ERROR")


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("feature%2Flogin", "feature/login"),
        ("__proto__", "__proto__"),
        ("constructor", "constructor"),
        ("100%2525", "100%25"),
        ("Gr%C3%B6%C3%9Fe", "Größe"),
        ("a:b", "a:b"),
        ("batch%2F", "batch/"),
    ],
)
def test_a_key_in_the_path_is_decoded_once(bridge: FlagBridge, written: str, key: str) -> None:
    session = bridge.session()
    answer = bridge.done("test", "PUT", f"/testing/sessions/{session['id']}/overrides/{written}", {"value": "v"})

    assert answer["overrides"] == {key: "v"}
    assert bridge.evaluate(key, session["token"])["variant"] == "v"


def test_a_flag_named_batch_is_set_in_a_batch_and_removed_by_its_name(bridge: FlagBridge) -> None:
    session = bridge.session()
    place = f"/testing/sessions/{session['id']}/overrides/batch"

    assert bridge.ask("test", "PUT", place, {"value": True}).status_code == 400
    assert bridge.done("test", "PUT", place, {"overrides": {"batch": True}})["overrides"] == {"batch": True}
    assert bridge.ask("test", "DELETE", place).status_code == 204
    assert bridge.done("test", "GET", f"/testing/sessions/{session['id']}")["overrides"] == {}


def test_what_is_not_set_is_removed_all_the_same_and_an_ended_session_is_gone(bridge: FlagBridge) -> None:
    place = f"/testing/sessions/{bridge.session()['id']}"

    assert bridge.ask("test", "DELETE", f"{place}/overrides/none").status_code == 204
    assert [bridge.ask("test", "DELETE", place).status_code for _ in range(2)] == [204, 404]
    for method, rest, body in [("GET", "", None), ("PUT", "/overrides/a", {"value": True})]:
        assert bridge.ask("test", method, place + rest, body).status_code == 404


def test_to_set_an_override_does_not_lengthen_a_life(bridge: FlagBridge) -> None:
    session = bridge.session(ttl=60)
    bridge.override(session, "a", True)
    assert bridge.done("test", "GET", f"/testing/sessions/{session['id']}")["expiresAt"] == session["expiresAt"]


def test_parallel_puts_lose_nothing(bridge: FlagBridge) -> None:
    session = bridge.session()
    bridge.key("test")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: bridge.override(session, f"flag-{number}", True), range(64)))
    found = bridge.done("test", "GET", f"/testing/sessions/{session['id']}")["overrides"]
    assert found == {f"flag-{number}": True for number in range(64)}


def test_the_sessions_of_a_project_are_listed_newest_first(bridge: FlagBridge) -> None:
    made = [bridge.session(label=str(number)) for number in range(3)]
    found = bridge.done("test", "GET", f"/testing/sessions?project_id={bridge.project}")["sessions"]

    assert found == made[::-1]
    assert bridge.ask("test", "GET", "/testing/sessions").status_code == 400
