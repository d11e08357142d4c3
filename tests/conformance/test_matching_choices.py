"""Our own choices about matching and precedence where FlowMock documents nothing."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from support.doors import RestDoor
from support.proxied import App
from support.server import MadePlace
from support.told_upstream import ToldUpstream, running_told_upstream

KEY = "ci-42"
Matcher = dict[str, Any]
REAL = "real"


@pytest.fixture
def upstream() -> Iterator[ToldUpstream]:
    with running_told_upstream() as service:
        yield service


@dataclass(frozen=True)
class Play:
    """Makes mocks that answer with their own ids, switches them on, and tells which one answers a request."""

    place: MadePlace
    rest: RestDoor
    auth: str
    app: App

    def make(self, mock_id: str, matcher: Matcher, *, scenario: str = "") -> None:
        respond = {"json": json.dumps({"cart": mock_id})}
        self.place.make_mock(mock_id, matcher=matcher, action={"respond": respond}, scenario=scenario)

    def on(self, *mock_ids: str, scenario: str | None = None) -> None:
        """Let the session have these overrides, switched on in this order, and this scenario."""
        self.rest.delete(self.auth, KEY)
        for mock_id in mock_ids:
            assert self.rest.on(self.auth, KEY, mock_id).code == ""
        assert self.rest.put(self.auth, KEY, {"scenario": scenario}).code == ""

    def who(self, method: str, path: str, body: bytes = b"") -> str:
        """The id of the mock that answers, or ``real``."""
        answer = self.app.send(method, path, KEY, body)
        assert answer.status_code == 200, answer.text
        said: str = answer.json()["cart"]
        return said

    def fits(self, matcher: Matcher, *requests: Sequence[Any]) -> list[bool]:
        """For each request whether a mock with this matcher answers it."""
        self.make("ovr_it", matcher)
        self.on("ovr_it")
        return [self.who(*request) == "ovr_it" for request in requests]

    def winner(self, first: Matcher, second: Matcher, *request: Any) -> str:
        """Which of two mocks answers, ``first`` or ``second``. Fails when it depends on which was switched on last."""
        self.make("ovr_first", first)
        self.make("ovr_second", second)
        found = set()
        for order in (("ovr_first", "ovr_second"), ("ovr_second", "ovr_first")):
            self.on(*order)
            found.add(self.who(*request))
        (name,) = found
        return name.removeprefix("ovr_")


@pytest.fixture
def play(place: MadePlace, rest: RestDoor, auth: str, app: App) -> Play:
    return Play(place, rest, auth, app)


# Methods.


def test_a_method_is_compared_as_it_is(play: Play) -> None:
    requests = [(method, "/a") for method in ("POST", "GET", "PUT", "PATCH", "DELETE", "OPTIONS")]
    assert play.fits({"method": "POST", "path": "/a"}, *requests) == [True, *[False] * 5]


def test_a_method_is_written_in_upper_case(play: Play) -> None:
    with pytest.raises(grpc.RpcError, match="method"):
        play.make("ovr_it", {"method": "post"})


def test_a_mock_without_a_method_is_for_any(play: Play) -> None:
    requests = [(method, "/a") for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE")]
    assert play.fits({"path": "/a"}, *requests) == [True] * 7


# Paths.


def test_case_counts_in_a_path(play: Play) -> None:
    assert play.fits({"path": "/Api/cart"}, ("GET", "/Api/cart"), ("GET", "/api/cart")) == [True, False]


@pytest.mark.parametrize("pattern", ["/caf\u00e9/a b", "/caf%C3%A9/a%20b", "/caf%c3%a9/%61%20b"])
def test_paths_are_compared_percent_decoded(play: Play, pattern: str) -> None:
    requests = [("GET", path) for path in ("/caf%C3%A9/a%20b", "/caf%c3%a9/%61%20b", "/caf%E9/a%20b")]
    assert play.fits({"path": pattern}, *requests) == [True, True, False]


def test_an_encoded_slash_makes_no_segment(play: Play) -> None:
    assert play.fits({"path": "/files/:name"}, ("GET", "/files/a%2Fb"), ("GET", "/files/a/b")) == [True, False]


def test_a_parameter_is_exactly_one_segment_that_is_not_empty(play: Play) -> None:
    paths = ["/users/7/cart", "/users/%20/cart", "/users//cart", "/users/cart", "/users/7/8/cart"]
    fits = play.fits({"path": "/users/:id/cart"}, *[("GET", path) for path in paths])
    assert fits == [True, True, False, False, False]


@pytest.mark.parametrize("pattern", ["/api/cart", "/api/cart/"])
def test_one_slash_at_the_end_does_not_count(play: Play, pattern: str) -> None:
    requests = [("GET", path) for path in ("/api/cart", "/api/cart/", "/api/cart//")]
    assert play.fits({"path": pattern}, *requests) == [True, True, False]


def test_the_query_is_no_part_of_the_path(play: Play) -> None:
    requests = [("GET", path) for path in ("/api/cart?", "/api/cart?a=/b", "/api/cart/?a=1", "/api/cart%3Fa=1")]
    assert play.fits({"path": "/api/cart"}, *requests) == [True, True, True, False]


# Queries.


def test_each_name_must_be_there_with_an_equal_value_and_others_do_not_count(play: Play) -> None:
    matcher = {"path": "/a", "query": {"q": {"equals": "x"}, "p": {"equals": "1"}}}
    paths = ["/a?q=x&p=1", "/a?p=1&z=9&q=x", "/a?q=x", "/a?q=x&p=01", "/a?q=X&p=1", "/a?Q=x&p=1", "/a"]
    assert play.fits(matcher, *[("GET", path) for path in paths]) == [True, True, *[False] * 5]


def test_values_of_a_query_are_compared_decoded(play: Play) -> None:
    matcher = {"path": "/a", "query": {"q": {"equals": "a b&c"}}}
    paths = ["/a?q=a+b%26c", "/a?q=a%20b%26c", "/a?%71=a+b%26c", "/a?q=a+b&c"]
    assert play.fits(matcher, *[("GET", path) for path in paths]) == [True, True, True, False]


def test_a_name_without_a_value_has_the_empty_one(play: Play) -> None:
    paths = ["/a?q", "/a?q=", "/a?q=1", "/a"]
    fits = play.fits({"path": "/a", "query": {"q": {"equals": ""}}}, *[("GET", path) for path in paths])
    assert fits == [True, True, False, False]


def test_any_of_the_values_of_a_repeated_name_will_do(play: Play) -> None:
    paths = ["/a?q=1&q=2", "/a?q=2&q=1", "/a?q=1&q=3", "/a?q=1,2"]
    fits = play.fits({"path": "/a", "query": {"q": {"equals": "2"}}}, *[("GET", path) for path in paths])
    assert fits == [True, True, False, False]


# Bodies.


@pytest.mark.parametrize(
    ("wanted", "body", "fits"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}, "d": 3}, True),
        ({"a": {"b": 1}}, {"a": {"c": 2}}, False),
        ({"a": None}, {}, False),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2, "c": 3}]}, True),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
        ({"a": [1]}, {"a": [1, 2]}, False),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": 1}, {"a": True}, False),
        ({}, {"a": 1}, True),
        ({}, [], False),
        ("text", "text", True),
    ],
    ids=str,
)
def test_a_body_must_contain_what_is_listed(play: Play, wanted: Any, body: Any, fits: bool) -> None:
    matcher = {"path": "/a", "body": {"json_subset": json.dumps(wanted)}}
    assert play.fits(matcher, ("POST", "/a", json.dumps(body).encode())) == [fits]


def test_the_form_of_a_json_body_does_not_count(play: Play) -> None:
    matcher = {"path": "/a", "body": {"json_subset": '{"a":1,"b":"\u00e9"}'}}
    bodies = [b'\n{ "b" : "\\u00e9",\t"a" : 10e-1 }', '{"b":"\u00e9","a":1}'.encode()]
    assert play.fits(matcher, *[("POST", "/a", body) for body in bodies]) == [True, True]


def test_a_body_that_is_no_json_is_compared_as_exact_text(play: Play) -> None:
    bodies = [b"a=1&b=2", b"a=1&b=2\n", b"b=2&a=1", b""]
    fits = play.fits({"path": "/a", "body": {"equals": "a=1&b=2"}}, *[("POST", "/a", body) for body in bodies])
    assert fits == [True, False, False, False]


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":1}x', b"\xff", b'{"a":1', b"a=1"], ids=repr)
def test_a_body_that_cannot_be_read_matches_no_json_and_is_no_error(play: Play, body: bytes) -> None:
    assert play.fits({"path": "/a", "body": {"json_subset": '{"a":1}'}}, ("POST", "/a", body)) == [False]


# Which of several is more specific.

_ONE_LEAF = {"json_subset": '{"a":1}'}
_TWO_LEAVES = {"json_subset": '{"a":1,"b":2}'}
_Q, _P = {"equals": "1"}, {"equals": "2"}
_REQUEST = ("POST", "/x/y?q=1&p=2", b'{"a":1,"b":2}')


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"path": "/x/y"}, {"path": "/x/:b"}),
        ({"path": "/x/:b"}, {"path": "/:a/y"}),
        ({"path": "/:a/y"}, {"path": "/:a/:b"}),
        ({"path": "/:a/:b"}, {}),
        ({"path": "/x/y"}, {"path": "/x/:b", "body": _TWO_LEAVES, "query": {"q": _Q, "p": _P}, "method": "POST"}),
        ({"path": "/x/y", "body": _ONE_LEAF}, {"path": "/x/y"}),
        ({"path": "/x/y", "body": _TWO_LEAVES}, {"path": "/x/y", "body": _ONE_LEAF}),
        ({"path": "/x/y", "body": _ONE_LEAF}, {"path": "/x/y", "query": {"q": _Q, "p": _P}, "method": "POST"}),
        ({"path": "/x/y", "query": {"q": _Q}}, {"path": "/x/y"}),
        ({"path": "/x/y", "query": {"q": _Q, "p": _P}}, {"path": "/x/y", "query": {"q": _Q}}),
        ({"path": "/x/y", "query": {"q": _Q}}, {"path": "/x/y", "method": "POST"}),
        ({"path": "/x/y", "method": "POST"}, {"path": "/x/y"}),
    ],
    ids=[
        "a literal segment beats a parameter",
        "the leftmost segment decides",
        "one literal segment beats none",
        "a path beats none",
        "the path decides before body, query and method",
        "a body matcher beats none",
        "more values of a body beat fewer",
        "the body decides before query and method",
        "a query matcher beats none",
        "more query matchers beat fewer",
        "the query decides before the method",
        "a method beats any",
    ],
)
def test_of_two_mocks_the_more_specific_answers(play: Play, first: Matcher, second: Matcher) -> None:
    assert play.winner(first, second, *_REQUEST) == "first"


def test_a_more_specific_mock_that_does_not_match_gives_way(play: Play) -> None:
    assert play.winner({"path": "/x/y", "body": {"json_subset": '{"a":9}'}}, {}, *_REQUEST) == "second"


def test_of_equals_the_latest_activation_answers(play: Play) -> None:
    for mock_id in ("ovr_a", "ovr_b"):
        play.make(mock_id, {"path": "/x"})
    for order in (["ovr_a", "ovr_b"], ["ovr_b", "ovr_a"]):
        play.on(*order)
        assert play.who("GET", "/x") == order[-1]


def test_of_equals_in_one_scenario_always_the_same_answers(play: Play, place: MadePlace) -> None:
    # A scenario switches all of its mocks on at once, so it is their ids that decide.
    for mock_id in ("ovr_b", "ovr_a"):
        play.make(mock_id, {"path": "/x"})
    place.make_scenario("scn_one", "ovr_a", "ovr_b")
    place.make_scenario("scn_two", "ovr_b", "ovr_a")
    answers = []
    for scenario in ("scn_one", "scn_two"):
        play.on(scenario=scenario)
        answers.append(play.who("GET", "/x"))
    assert answers == ["ovr_a", "ovr_a"]


# Which layer is stronger.


@pytest.fixture
def layers(play: Play, place: MadePlace) -> Play:
    """Four places that could answer a request for `/x`, the weaker the more specific, none of them switched on."""
    play.make("ovr_activated", {})
    place.make_scenario("scn_it")
    play.make("ovr_scenario", {"path": "/:any"}, scenario="scn_it")
    play.make("ovr_everybody", {"path": "/x", "method": "GET"})
    return play


@pytest.mark.parametrize(
    ("overrides", "scenario", "for_all", "expected"),
    [
        (["ovr_activated"], "scn_it", True, "ovr_activated"),
        ([], "scn_it", True, "ovr_scenario"),
        ([], None, True, "ovr_everybody"),
        ([], None, False, REAL),
        (["ovr_activated"], None, True, "ovr_activated"),
    ],
    ids=["activation", "then scenario", "then the whole environment", "then the service", "without a scenario"],
)
def test_the_stronger_layer_answers_however_specific_the_weaker_one_is(
    layers: Play, overrides: list[str], scenario: str | None, for_all: bool, expected: str
) -> None:
    if for_all:
        layers.place.switch_on_for_all("ovr_everybody")
    layers.on(*overrides, scenario=scenario)
    assert layers.who("GET", "/x") == expected


def test_a_layer_without_a_match_gives_way_to_the_next(play: Play, place: MadePlace) -> None:
    play.make("ovr_activated", {"path": "/a"})
    place.make_scenario("scn_it")
    play.make("ovr_scenario", {"path": "/b"}, scenario="scn_it")
    play.make("ovr_everybody", {"path": "/c"})
    place.switch_on_for_all("ovr_everybody")
    play.on("ovr_activated", scenario="scn_it")
    found = [play.who("GET", path) for path in ("/a", "/b", "/c", "/d")]
    assert found == ["ovr_activated", "ovr_scenario", "ovr_everybody", REAL]


def test_specificity_decides_within_a_layer(play: Play, place: MadePlace) -> None:
    place.make_scenario("scn_it")
    play.make("ovr_a", {"path": "/:any"}, scenario="scn_it")
    play.make("ovr_b", {"path": "/x"}, scenario="scn_it")
    play.on(scenario="scn_it")
    assert (play.who("GET", "/x"), play.who("GET", "/y")) == ("ovr_b", "ovr_a")
