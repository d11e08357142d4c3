"""What FlowMock documents about the proxy, with state set over three doors (checklist items 13, 14 and 18)."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from support.doors import Answer, Door
from support.plain_app import PlainApp
from support.proxied import App
from support.server import MadePlace, Server
from support.tokens import token
from support.told_upstream import ToldUpstream, answer, running_told_upstream

KEY = "ci-42"
HEADER = f"x-flowmock-session: {KEY}"
DELAY_MS = 120


@pytest.fixture
def upstream() -> Iterator[ToldUpstream]:
    with running_told_upstream() as service:
        yield service


# The request's life, 8.1.


def test_item_13_two_sessions_on_one_url_see_different_answers(door: Door, auth: str, app: App) -> None:
    door.put(auth, "alice", {"overrides": ["ovr_cart"]})
    door.put(auth, "bob", {"scenario": "scn_declined"})
    assert [app.cart(key) for key in ("alice", "bob", "alice")] == ["mocked", "real", "mocked"]
    assert [app.pay(key).status_code for key in ("alice", "bob", "alice")] == [200, 402, 200]


def test_item_13_without_the_header_the_service_answers(door: Door, auth: str, app: App) -> None:
    door.put(auth, KEY, {"overrides": ["ovr_cart"], "scenario": "scn_declined"})
    assert (app.cart(None), app.pay(None).status_code) == ("real", 200)


_ON: dict[str, Any] = {"overrides": ["ovr_cart"]}
_CHANGES: dict[str, tuple[dict[str, Any], Callable[[Door, str], Answer], list[str]]] = {
    "put overrides": ({}, lambda door, auth: door.put(auth, KEY, _ON), ["real", "mocked"]),
    "put scenario": ({}, lambda door, auth: door.put(auth, KEY, {"scenario": "scn_empty"}), ["real", "mocked"]),
    "switch on": ({}, lambda door, auth: door.on(auth, KEY, "ovr_cart"), ["real", "mocked"]),
    "put none": (_ON, lambda door, auth: door.put(auth, KEY, {"overrides": []}), ["mocked", "real"]),
    "switch off": (_ON, lambda door, auth: door.off(auth, KEY, "ovr_cart"), ["mocked", "real"]),
    "reset": (_ON, lambda door, auth: door.delete(auth, KEY), ["mocked", "real"]),
    "delete": (_ON, lambda door, auth: door.delete(auth, KEY, mode="delete"), ["mocked", "real"]),
}


@pytest.mark.parametrize("name", list(_CHANGES))
def test_item_14_a_change_is_visible_on_the_very_next_request(door: Door, auth: str, app: App, name: str) -> None:
    before, change, expected = _CHANGES[name]
    door.put(auth, KEY, before)
    seen = [app.cart(KEY)]
    assert change(door, auth).code == ""
    assert [*seen, app.cart(KEY)] == expected


def test_item_14_a_session_made_while_its_app_runs_is_in_force_at_once(door: Door, auth: str, app: App) -> None:
    assert app.cart("new") == "real"
    door.put(auth, "new", _ON)
    assert app.cart("new") == "mocked"


def test_a_change_by_hand_is_visible_on_the_very_next_request(app: App, by_hand: Callable[[str, str], None]) -> None:
    seen = [app.cart()]
    for kind in ("activate", "deactivate", "activate", "unpublish"):
        by_hand(kind, "ovr_cart")
        seen.append(app.cart())
    assert seen == ["real", "mocked", "real", "mocked", "real"]


def test_both_kinds_of_answers_are_on_record(door: Door, auth: str, app: App) -> None:
    door.put(auth, KEY, _ON)
    app.cart(KEY)
    app.pay(KEY)
    rows = door.logs(auth, KEY).served["logs"]
    assert [(row["path"], row["overrideApplied"]) for row in rows] == [("/api/pay", False), ("/api/cart", True)]


def test_a_request_that_no_mock_matches_is_forwarded_as_it_came(
    door: Door, auth: str, plain: PlainApp, upstream: ToldUpstream
) -> None:
    door.put(auth, KEY, _ON)
    request = ("PATCH", "/api/v2/Orders%2f1/?b=2&a=%41&&b=1+2", HEADER, "X-ODD-Case: 1", "Accept: a", "Accept: b")
    plain.ask(*request, body=b'{"a":  1}\r\n')
    assert upstream.raw == [PlainApp("", "").written(*request, body=b'{"a":  1}\r\n', host=upstream.authority)]


def test_the_answer_of_the_service_is_relayed(plain: PlainApp, upstream: ToldUpstream) -> None:
    upstream.tell(answer(b"[ 1 ]", "X-Real: yes", status="418 Of its own"))
    got = plain.ask("GET", "/api/cart")
    assert (got.status, got.values("x-real"), got.body) == (418, ["yes"], b"[ 1 ]")


def test_a_mocked_request_does_not_reach_the_service(door: Door, auth: str, app: App, upstream: ToldUpstream) -> None:
    door.put(auth, KEY, _ON)
    assert app.cart(KEY) == "mocked"
    assert upstream.requests == []


# URLs, 8.2.


def test_a_custom_domain_stands_in_for_the_default_host(
    door: Door, auth: str, editor: str, place: MadePlace, server: Server
) -> None:
    host = f"{place.project}.example.com"
    door.put(auth, KEY, _ON)
    door.change_environment(editor, place.project, "staging", {"hosts": [host]})
    app = PlainApp(server.proxy)
    assert app.ask("GET", "/api/cart", HEADER, host=host).json()["cart"] == "mocked"
    assert app.ask("GET", "/api/cart", host=host).json()["cart"] == "real"


# How the session is found, 8.3.


def test_a_session_is_found_by_the_session_header(door: Door, auth: str, plain: PlainApp) -> None:
    door.put(auth, KEY, _ON)
    assert plain.ask("GET", "/api/cart", HEADER).json()["cart"] == "mocked"


@pytest.mark.parametrize("key", ["CI-42", "ci-4", "ci-422", "ci-*", "42"])
def test_a_key_is_compared_exactly(door: Door, auth: str, app: App, key: str) -> None:
    door.put(auth, KEY, _ON)
    assert app.cart(key) == "real"


@pytest.mark.parametrize(
    ("carrier", "path", "line"),
    [
        ({"jwtClaim": "sub"}, "/api/cart", f"Authorization: Bearer {token({'sub': KEY})}"),
        ({"header": "X-Test-Run"}, "/api/cart", f"x-test-run: {KEY}"),
        ({"cookie": "test"}, "/api/cart", f"Cookie: a=1; test={KEY}"),
        ({"query": "run"}, f"/api/cart?a=1&run={KEY}", "Accept: */*"),
    ],
    ids=["claim of a JWT", "header", "cookie", "query parameter"],
)
def test_a_session_is_found_where_the_environment_says(
    door: Door, auth: str, editor: str, place: MadePlace, plain: PlainApp, carrier: dict[str, str], path: str, line: str
) -> None:
    door.put(auth, KEY, _ON)
    assert plain.ask("GET", path, line).json()["cart"] == "real"
    door.change_environment(editor, place.project, "staging", {"carriers": [carrier]})
    assert plain.ask("GET", path, line).json()["cart"] == "mocked"


def test_a_session_is_found_by_the_session_cookie_of_the_app_itself(
    door: Door, auth: str, editor: str, place: MadePlace, app: App, upstream: ToldUpstream
) -> None:
    upstream.tell(answer(b'{"cart": "real"}', "Set-Cookie: SESSID=0af3; HttpOnly; Path=/"))
    door.put(auth, "0af3", _ON)
    door.change_environment(editor, place.project, "staging", {"carriers": [{"cookie": "SESSID"}]})
    assert [app.cart(), app.cart()] == ["real", "mocked"]


# What passes through unchanged, 8.4.


@pytest.mark.parametrize(
    "line",
    ["Cookie: sid=1; theme=dark", "Authorization: Bearer abc.def.ghi", "X-Custom-Token: t0k3n"],
    ids=["cookies", "authorization", "custom token"],
)
def test_credentials_of_a_request_reach_the_service_unchanged(
    plain: PlainApp, upstream: ToldUpstream, line: str
) -> None:
    plain.ask("GET", "/api/cart", line)
    assert f"\r\n{line}\r\n".encode() in upstream.raw[0]


def test_cookies_that_the_service_sets_reach_the_app_unchanged(plain: PlainApp, upstream: ToldUpstream) -> None:
    cookie = "sid=1; Domain=api.staging.example.com; Path=/; Secure; HttpOnly; SameSite=None"
    upstream.tell(answer(b"", f"Set-Cookie: {cookie}"))
    assert plain.ask("GET", "/api/cart").values("set-cookie") == [cookie]


def test_cookies_on_a_custom_domain_are_for_its_registrable_root(
    door: Door, editor: str, place: MadePlace, server: Server, upstream: ToldUpstream
) -> None:
    host = f"{place.project}.api.example.com"
    door.change_environment(editor, place.project, "staging", {"hosts": [host]})
    upstream.tell(answer(b"", "Set-Cookie: sid=1; Domain=staging.internal; Path=/"))
    got = PlainApp(server.proxy).ask("GET", "/", host=host)
    assert got.values("set-cookie") == ["sid=1; Domain=example.com; Path=/"]


# Delays, 9.


def _took_ms(app: App, method: str, path: str) -> float:
    return app.send(method, path, KEY).elapsed.total_seconds() * 1000


def test_item_18_the_delay_of_a_session_slows_mocked_answers(door: Door, auth: str, app: App) -> None:
    door.put(auth, KEY, {**_ON, "globalDelayMs": DELAY_MS})
    assert _took_ms(app, "GET", "/api/cart") >= DELAY_MS
    assert door.logs(auth, KEY).served["logs"][0]["durationMs"] >= DELAY_MS


def test_item_18_the_delay_of_a_session_slows_passed_through_answers(door: Door, auth: str, app: App) -> None:
    door.put(auth, KEY, {"globalDelayMs": DELAY_MS})
    assert _took_ms(app, "GET", "/api/cart") >= DELAY_MS
    assert door.logs(auth, KEY).served["logs"][0]["durationMs"] >= DELAY_MS


def test_item_18_no_other_session_is_slowed(door: Door, auth: str, app: App) -> None:
    door.put(auth, KEY, {"globalDelayMs": 120_000})
    door.put(auth, "other", {})
    assert app.send("GET", "/api/cart", "other").elapsed.total_seconds() < 60


def test_the_greatest_delay_of_a_session_makes_it_random(door: Door, auth: str, app: App) -> None:
    door.put(auth, KEY, {**_ON, "globalDelayMaxMs": 80})
    for _ in range(12):
        app.cart(KEY)
    took = [row["durationMs"] for row in door.logs(auth, KEY).served["logs"]]
    # Twelve times the same number, or the greatest, is next to impossible.
    assert len(set(took)) > 1
    assert min(took) < 80


def test_a_mock_may_wait_before_it_answers(door: Door, auth: str, app: App, place: MadePlace) -> None:
    place.make_mock("ovr_slow", matcher={"path": "/slow"}, action={"delay": {"fixed_ms": DELAY_MS}})
    door.put(auth, KEY, {"overrides": ["ovr_slow"]})
    assert _took_ms(app, "GET", "/slow") >= DELAY_MS


@pytest.mark.parametrize("path", ["/api/cart", "/other"], ids=["mocked", "passed through"])
def test_a_client_that_waits_less_than_the_delay_times_out(
    door: Door, auth: str, server: Server, place: MadePlace, path: str
) -> None:
    door.put(auth, KEY, {**_ON, "globalDelayMs": 120_000})
    url = f"http://{server.proxy}/{place.project}/staging{path}"
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(url, headers={"x-flowmock-session": KEY}, timeout=httpx.Timeout(20, read=0.2))
