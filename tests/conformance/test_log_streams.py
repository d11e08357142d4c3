"""Streams of a session over three doors: rows as they are recorded, and what becomes of the session."""

from collections.abc import Iterator
from typing import Any

import pytest
from support.doors import Json, RestDoor
from support.proxied import App
from support.server import MadePlace, Server
from support.streams import GrpcStreams, Refused, RestStreams, Streams

KEY = "ci-42"


@pytest.fixture(params=["grpc", "rest", "rest-remote"])
def streams(request: pytest.FixtureRequest, server: Server) -> Iterator[Streams]:
    """Each test that takes it runs over all three doors."""
    if request.param == "grpc":
        made: Streams = GrpcStreams(server.grpc)
    else:
        made = RestStreams(server.rest if request.param == "rest" else request.getfixturevalue("gateway"))
    yield made
    made.close()


@pytest.fixture(autouse=True)
def session(rest: RestDoor, auth: str, place: MadePlace) -> None:
    assert rest.put(auth, KEY, {"overrides": ["ovr_cart"]}).code == ""


def test_rows_come_as_they_are_recorded(streams: Streams, auth: str, app: App) -> None:
    app.cart(KEY)
    with streams.following(auth, "TailLogs", KEY, fromStart=True) as rows:
        assert next(rows)["log"]["number"] == 1
        for number in (2, 3):
            app.cart(KEY)
            row = next(rows)["log"]
            assert (row["number"], row["path"], row["lostBefore"]) == (number, "/api/cart", 0)


def test_a_tail_goes_on_behind_the_last_row(streams: Streams, auth: str, app: App) -> None:
    for _ in range(3):
        app.cart(KEY)
    with streams.following(auth, "TailLogs", KEY, fromStart=True, untilNow=True) as rows:
        first = next(rows)["log"]["id"]
    with streams.following(auth, "TailLogs", KEY, since=first, untilNow=True) as rows:
        assert [each["log"]["number"] for each in rows] == [2, 3]


def test_rows_are_the_same_as_those_that_are_listed(streams: Streams, auth: str, app: App, rest: RestDoor) -> None:
    for _ in range(3):
        app.cart(KEY)
    with streams.following(auth, "TailLogs", KEY, fromStart=True, untilNow=True) as rows:
        tailed = [each["log"]["id"] for each in rows]
    assert tailed == [each["id"] for each in reversed(rest.logs(auth, KEY).served["logs"])]


def test_rows_come_before_there_is_a_session_and_from_each_that_has_the_key(
    streams: Streams, auth: str, app: App, rest: RestDoor
) -> None:
    with streams.following(auth, "TailLogs", "ci-new", fromStart=True) as events:
        app.cart("ci-new")
        rows = [next(events)["log"]]
        for _ in range(2):
            assert rest.put(auth, "ci-new", {}).code == ""
            app.cart("ci-new")
            rows.append(next(events)["log"])
            assert rest.delete(auth, "ci-new", mode="delete").code == ""
        app.cart("ci-new")
        rows.append(next(events)["log"])
    none, first, second, gone = [row["sessionId"] for row in rows]
    assert (none, gone) == ("", "")
    assert first < second
    assert [row["number"] for row in rows[1:3]] == [1, 1]
    listed = [row["id"] for row in reversed(rest.logs(auth, "ci-new").served["logs"])]
    assert [row["id"] for row in rows] == listed
    for at, row in enumerate(rows):
        with streams.following(auth, "TailLogs", "ci-new", since=row["id"], untilNow=True) as events:
            assert [each["log"]["id"] for each in events] == listed[at + 1 :]


def test_headers_and_bodies_come_if_they_are_asked_for(streams: Streams, auth: str, app: App) -> None:
    app.send("POST", "/api/pay", KEY, b'{"amount": 1}', Authorization="Bearer secret")
    with streams.following(auth, "TailLogs", KEY, fromStart=True, untilNow=True, withDetails=True) as rows:
        (row,) = rows
    details = row["log"]["details"]
    sent = {each["name"].lower(): each["value"] for each in details["requestHeaders"]}
    assert sent["authorization"] == "[redacted]"
    assert details["requestBody"]["content"] == "eyJhbW91bnQiOiAxfQ=="


def test_only_what_a_matcher_fits_comes(streams: Streams, auth: str, app: App) -> None:
    app.pay(KEY)
    app.cart(KEY)
    asked: Json = (
        {"matcher.path": "/api/cart"} if isinstance(streams, RestStreams) else {"matcher": {"path": "/api/cart"}}
    )
    with streams.following(auth, "TailLogs", KEY, fromStart=True, untilNow=True, **asked) as rows:
        assert [each["log"]["path"] for each in rows] == ["/api/cart"]


def test_a_session_is_watched_through_its_life(streams: Streams, auth: str, app: App, rest: RestDoor) -> None:
    with streams.following(auth, "WatchSession", KEY) as events:
        assert next(events)["session"]["overrides"] == ["ovr_cart"]
        app.cart(KEY)
        assert next(events)["log"]["path"] == "/api/cart"
        assert rest.put(auth, KEY, {"label": "watched"}).code == ""
        changed = next(events)
        assert changed["session"]["label"] == "watched"
        assert rest.delete(auth, KEY, mode="delete").code == ""
        assert next(events)["ended"] is True
    with streams.following(auth, "WatchSession", KEY, cursor=changed["cursor"]) as events:
        assert next(events)["ended"] is True


def test_a_session_that_does_not_exist_yet_is_waited_for(streams: Streams, auth: str, rest: RestDoor) -> None:
    with streams.following(auth, "WatchSession", "ci-new") as events:
        assert rest.put(auth, "ci-new", {"label": "here"}).code == ""
        assert next(events)["session"]["label"] == "here"


@pytest.mark.parametrize(
    ("rpc", "fields"),
    [
        ("TailLogs", {"since": "log_1", "fromStart": True}),
        ("WatchSession", {"cursor": "log_1"}),
    ],
)
def test_a_bad_question_is_refused(streams: Streams, auth: str, rpc: str, fields: dict[str, Any]) -> None:
    with streams.following(auth, rpc, KEY, **fields) as events, pytest.raises(Refused) as refused:
        next(events)
    assert refused.value.code == "invalid_body"


def test_without_a_key_nothing_is_told(streams: Streams) -> None:
    with streams.following("Bearer none", "TailLogs", KEY) as events, pytest.raises(Refused) as refused:
        next(events)
    assert refused.value.code == "unauthorized"
