"""Our own choices about session keys and the places of a request that hold them, where FlowMock documents nothing.

Settings of the environment are set over three doors.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.doors import RestDoor
from support.plain_app import PlainApp
from support.server import MadePlace
from support.tokens import token
from support.told_upstream import ToldUpstream, running_told_upstream

KEY = "ci-42"
HEADER = f"x-flowmock-session: {KEY}"
ON: dict[str, Any] = {"overrides": ["ovr_cart"]}


@pytest.fixture
def upstream() -> Iterator[ToldUpstream]:
    with running_told_upstream() as service:
        yield service


@pytest.mark.parametrize("value", [f"  {KEY} \t", KEY])
def test_blanks_around_a_key_in_the_header_do_not_count(plain: PlainApp, mocked: None, value: str) -> None:
    assert plain.cart(f"x-flowmock-session:{value}") == "mocked"


def test_a_key_in_the_header_is_cut_at_200_characters(rest: RestDoor, auth: str, plain: PlainApp) -> None:
    rest.put(auth, "k" * 200, ON)
    sent = ["k" * 199, "k" * 200, "k" * 201, "k" * 5000]
    assert [plain.cart(f"x-flowmock-session: {key}") for key in sent] == ["real", "mocked", "mocked", "mocked"]


def test_a_key_beyond_ascii_is_the_same_in_path_and_header(rest: RestDoor, auth: str, plain: PlainApp) -> None:
    rest.put(auth, "kä" * 120, ON)
    assert plain.cart(f"x-flowmock-session: {'kä' * 120}") == "mocked"


def test_a_key_changed_by_the_api_is_changed_alike_in_a_cookie(
    configure: Callable[..., None], rest: RestDoor, auth: str, plain: PlainApp
) -> None:
    rest.put(auth, f" {'k' * 250}", ON)
    configure(carriers=[{"cookie": "sid"}])
    assert plain.cart(f"Cookie: sid={'k' * 230}") == "mocked"


def test_the_first_of_two_session_headers_counts_and_that_is_a_finding(
    rest: RestDoor, auth: str, plain: PlainApp, mocked: None
) -> None:
    assert plain.cart("x-flowmock-session: other", HEADER) == "real"
    assert plain.cart(HEADER, "x-flowmock-session: other") == "mocked"
    (row,) = rest.logs(auth, KEY).served["logs"]
    assert row["findings"] == ["session_header_repeated"]


@pytest.mark.parametrize("lines", [(), ("x-flowmock-session:",), ("x-flowmock-session: \t ",)], ids=repr)
def test_without_a_key_there_are_no_session_mocks_and_no_delay_but_those_for_everybody(
    rest: RestDoor, auth: str, plain: PlainApp, place: MadePlace, lines: tuple[str, ...]
) -> None:
    rest.put(auth, KEY, {**ON, "scenario": "scn_declined", "globalDelayMs": 120_000})
    assert plain.cart(*lines) == "real"
    place.make_answer("ovr_all", "GET", "/api/all", '{"cart": "for all"}')
    place.switch_on_for_all("ovr_all")
    assert plain.cart(*lines, path="/api/all") == "for all"


_ALL = [{"header": "x-run"}, {"cookie": "sid"}, {"query": "run"}, {"jwtClaim": "sub"}, {"baggage": "run"}]


def test_the_session_header_goes_before_every_other_place(
    configure: Callable[..., None], plain: PlainApp, mocked: None
) -> None:
    configure(carriers=[{"header": "x-run"}])
    assert plain.cart("x-run: other", HEADER) == "mocked"
    assert plain.cart(f"x-run: {KEY}", "x-flowmock-session: other") == "real"


@pytest.mark.parametrize("names", [["x-a", "x-b"], ["x-b", "x-a"]])
def test_places_are_tried_in_the_order_of_the_environment(
    configure: Callable[..., None], plain: PlainApp, mocked: None, names: list[str]
) -> None:
    configure(carriers=[{"header": name} for name in names])
    first, second = names
    assert plain.cart(f"{second}: other", f"{first}: {KEY}") == "mocked"
    assert plain.cart(f"{second}: {KEY}", f"{first}: other") == "real"


def test_the_first_place_with_a_key_that_is_not_empty_counts(
    configure: Callable[..., None], plain: PlainApp, mocked: None
) -> None:
    configure(carriers=_ALL)
    lines = ["x-flowmock-session:", "x-run: \t", "Cookie: sid=", f"Authorization: Bearer {token({'sub': ''})}"]
    assert plain.cart(*lines, f"baggage: run={KEY}", path="/api/cart?run=") == "mocked"


@pytest.mark.parametrize("signature", ["", "AAAA", "not!base64"])
def test_the_signature_of_a_token_is_not_verified(
    configure: Callable[..., None], plain: PlainApp, mocked: None, signature: str
) -> None:
    configure(carriers=[{"jwtClaim": "user.session"}])
    value = token({"user": {"session": KEY}, "exp": 1}, signature)
    assert plain.cart(f"Authorization: Bearer {value}") == "mocked"


@pytest.mark.parametrize(
    "value", ["Bearer x", "Bearer a.b.c", f"Bearer {token(['sub'])}", f"Basic {token({'sub': KEY})}", "Bearer"]
)
def test_a_broken_token_gives_no_key_and_the_next_place_is_tried(
    configure: Callable[..., None], plain: PlainApp, mocked: None, upstream: ToldUpstream, value: str
) -> None:
    configure(carriers=[{"jwtClaim": "sub"}, {"query": "run"}])
    assert plain.cart(f"Authorization: {value}") == "real"
    assert plain.cart(f"Authorization: {value}", path=f"/api/cart?run={KEY}") == "mocked"


def test_a_session_is_found_by_a_member_of_baggage(
    configure: Callable[..., None], plain: PlainApp, mocked: None
) -> None:
    configure(carriers=[{"baggage": "run"}])
    assert plain.cart("baggage: a=1;ttl=3, run=ci%2D42;x=y") == "mocked"


def test_places_that_disagree_are_a_finding(
    configure: Callable[..., None], rest: RestDoor, auth: str, plain: PlainApp, mocked: None
) -> None:
    configure(carriers=[{"cookie": "sid"}])
    assert plain.cart(HEADER, "Cookie: sid=other") == "mocked"
    assert rest.logs(auth, KEY).served["logs"][0]["findings"] == ["carriers_disagree"]


def test_a_strict_environment_refuses_requests_without_one_key(
    configure: Callable[..., None], plain: PlainApp, mocked: None, upstream: ToldUpstream
) -> None:
    configure(strict=True, carriers=[{"cookie": "sid"}])
    refused = [plain.ask("GET", "/other"), plain.ask("GET", "/other", HEADER, "Cookie: sid=other")]
    assert [(got.status, got.json()["code"]) for got in refused] == [
        (400, "session_required"),
        (400, "carriers_disagree"),
    ]
    assert upstream.requests == []
    assert plain.cart(HEADER) == "mocked"
