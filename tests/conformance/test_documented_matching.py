"""What FlowMock documents about matching and about layers of mocks, with state set over three doors (item 16)."""

from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from support.doors import Door
from support.proxied import App
from support.server import Answering, MadePlace
from support.told_upstream import ToldUpstream, running_told_upstream

KEY = "ci-42"


@pytest.fixture
def upstream() -> Iterator[ToldUpstream]:
    with running_told_upstream() as service:
        yield service


# Matching, 10.


def _route(**matcher: Any) -> dict[str, Any]:
    return {"matcher": matcher, "action": {"respond": {"json": '{"cart": "mocked"}'}}}


def _cart(app: App, method: str, path: str, body: bytes = b"") -> str:
    said: str = app.send(method, path, KEY, body).json()["cart"]
    return said


@pytest.mark.parametrize(
    ("matcher", "hit", "miss"),
    [
        ({"method": "PUT", "path": "/a"}, ("PUT", "/a"), ("GET", "/a")),
        ({"method": "GET", "path": "/api/cart"}, ("GET", "/api/cart"), ("GET", "/api/card")),
        ({"path": "/api/users/:id"}, ("GET", "/api/users/7"), ("GET", "/api/users")),
        ({"path": "/a", "query": {"q": {"equals": "1"}}}, ("GET", "/a?q=1"), ("GET", "/a")),
        ({"path": "/a", "body": {"json_subset": '{"n":1}'}}, ("POST", "/a", b'{"n":1}'), ("POST", "/a", b'{"n":2}')),
    ],
    ids=["method", "literal path", "path with a parameter", "query", "body"],
)
def test_a_mock_is_for_requests_that_agree_in(
    door: Door, auth: str, app: App, place: MadePlace, matcher: dict[str, Any], hit: Any, miss: Any
) -> None:
    place.make_mock("ovr_it", **_route(**matcher))
    door.put(auth, KEY, {"overrides": ["ovr_it"]})
    assert (_cart(app, *hit), _cart(app, *miss)) == ("mocked", "real")


def test_a_path_is_compared_whole(door: Door, auth: str, app: App) -> None:
    door.put(auth, KEY, {"overrides": ["ovr_cart"]})
    paths = ["/api/v2/cart", "/v2/api/cart", "/api/cart/items", "/api/cart2", "/cart"]
    assert {_cart(app, "GET", path) for path in paths} == {"real"}


@pytest.mark.parametrize(
    "sent", [{}, {"x-any": "1"}, {"accept": "text/html", "cookie": "a=b"}], ids=["none", "one", "two"]
)
def test_headers_decide_nothing_where_a_mock_does_not_ask_for_them(
    door: Door, auth: str, app: App, sent: dict[str, str]
) -> None:
    door.put(auth, KEY, {"overrides": ["ovr_cart"]})
    assert app.send("GET", "/api/cart", KEY, b"", **sent).json()["cart"] == "mocked"


def test_item_16_a_body_matcher_beats_the_same_route_without_one(
    door: Door, auth: str, app: App, place: MadePlace
) -> None:
    place.make_mock(
        "ovr_big",
        matcher={"method": "POST", "path": "/api/pay", "body": {"json_subset": '{"amount": 999}'}},
        action={"respond": {"status": 422}},
    )
    # Switched on before the plain one and after it: the order does not count.
    for overrides in (["ovr_big", "ovr_pay"], ["ovr_pay", "ovr_big"]):
        door.put(auth, KEY, {"overrides": []})
        door.put(auth, KEY, {"overrides": overrides})
        assert app.send("POST", "/api/pay", KEY, b'{"amount": 999}').status_code == 422
        assert app.pay(KEY).json() == {"pay": "mocked"}


def test_item_16_an_activation_beats_the_scenario_on_the_same_route(door: Door, auth: str, app: App) -> None:
    door.put(auth, KEY, {"scenario": "scn_declined", "overrides": ["ovr_pay"]})
    assert app.pay(KEY).json() == {"pay": "mocked"}
    door.off(auth, KEY, "ovr_pay")
    assert app.pay(KEY).status_code == 402


# Layers, 11.


def test_activations_and_scenario_act_together(door: Door, auth: str, app: App) -> None:
    door.put(auth, KEY, {"scenario": "scn_declined", "overrides": ["ovr_cart"]})
    assert (app.pay(KEY).status_code, app.cart(KEY)) == (402, "mocked")


def test_a_mock_acts_for_everybody_only_when_it_is_on_for_the_whole_environment(
    door: Door, auth: str, app: App, by_hand: Callable[[str, str], None]
) -> None:
    door.put(auth, KEY, {})
    assert [app.cart(key) for key in (KEY, "unknown", None)] == ["real"] * 3
    by_hand("activate", "ovr_cart")
    assert [app.cart(key) for key in (KEY, "unknown", None)] == ["mocked"] * 3


def test_a_draft_never_applies(
    door: Door, auth: str, app: App, place: MadePlace, by_hand: Callable[[str, str], None]
) -> None:
    draft = '{"cart": "draft"}'
    place.make_answers(Answering("ovr_own", "GET", "/api/cart", draft, publish=False, scenario="scn_declined"))
    door.put(auth, KEY, {"scenario": "scn_declined"})
    with pytest.raises(grpc.RpcError, match="draft"):
        by_hand("activate", "ovr_draft")
    assert app.cart(KEY) == "real"
