"""Both sides at once: what an app's services answer and what its flags are, switched together by one session key."""

import json
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from support.flag_stage import FlagStage, flag_stage
from support.openfeature_app import SESSION, flag_client, running_app
from support.upstream import running_upstream

SESSIONS, TURNS = 50, 4
_WAITS_SECONDS = 60
DECLINED = [402, {"error": "card_declined"}]
MOCKED = [200, {"pay": "mocked"}]


@dataclass(frozen=True)
class Stage:
    """``app`` is the URL of the app under test; ``plain`` what it says without a session."""

    flags: FlagStage
    app: str
    plain: Mapping[str, Any]


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with (
        running_upstream() as upstream,
        flag_stage(upstream.url) as flags,
        flag_client(flags.url, flags.key, "two-sides") as client,
        running_app(client, flags.proxied) as app,
    ):
        yield Stage(flags, app, checkout(app))


def checkout(app: str, session: str = "") -> dict[str, Any]:
    """What the app says of one checkout, asked as a browser would."""
    connection = HTTPConnection(urlsplit(app).netloc, timeout=_WAITS_SECONDS)
    try:
        connection.request("POST", "/checkout", "", {SESSION: session} if session else {})
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
        return answer
    finally:
        connection.close()


def state(number: int, turn: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a session is set to in its turn, and what its app must then see on either side."""
    declines = (number + turn) % 2 == 0
    flow, color = (number // 2 + turn) % 2 == 0, f"color-{number}-{turn}"
    proxy: dict[str, Any] = {"scenario": "scn_declined"} if declines else {"overrides": ["ovr_pay"]}
    sets = {"scenario": None, "overrides": [], **proxy, "flags": {"checkout": flow, "color": color}}
    return sets, {"flow": flow, "color": color, "paid": DECLINED if declines else MOCKED}


def test_fifty_sessions_see_both_sides_of_their_own_state(stage: Stage) -> None:
    together = threading.Barrier(SESSIONS)

    def play(number: int) -> list[tuple[dict[str, Any], Mapping[str, Any]]]:
        """What the app said in each turn, and what it should have said."""
        session, seen = f"two-sides-{number}", []
        together.wait(_WAITS_SECONDS)
        for turn in range(TURNS):
            sets, expected = state(number, turn)
            stage.flags.put(session, **sets)
            seen.append((checkout(stage.app, session), expected))
        stage.flags.operator.do("DeleteSession", sessionKey=session)
        return [*seen, (checkout(stage.app, session), stage.plain)]

    with ThreadPoolExecutor(SESSIONS) as threads:
        played = list(threads.map(play, range(SESSIONS)))

    assert [(said, expected) for turns in played for said, expected in turns if said != expected] == []
    assert [len(turns) for turns in played] == [TURNS + 1] * SESSIONS


def test_who_has_no_session_sees_the_service_and_the_flags_of_everybody(stage: Stage) -> None:
    stage.flags.put("of-somebody", scenario="scn_declined", flags={"checkout": False, "color": "red"})
    assert checkout(stage.app) == stage.plain
    assert stage.plain["paid"][0] == 200
    assert (stage.plain["flow"], stage.plain["color"]) == (True, "blue")


def test_the_record_of_a_session_has_both_sides(stage: Stage) -> None:
    sets, expected = state(1, 0)
    stage.flags.put("on-record", **sets)
    assert checkout(stage.app, "on-record") == expected
    assert sorted((each["method"], each["path"], each["outcome"]) for each in record(stage, "on-record")) == [
        ("EVALUATE", "/flags/checkout", "evaluated"),
        ("EVALUATE", "/flags/color", "evaluated"),
        ("POST", "/api/pay", "mocked"),
    ]


def record(stage: Stage, session: str) -> list[dict[str, Any]]:
    connection = HTTPConnection(stage.flags.place.server.rest, timeout=_WAITS_SECONDS)
    try:
        connection.request("GET", f"/api/v1/sessions/{session}/logs", headers=stage.flags.headers())
        logs: list[dict[str, Any]] = json.loads(connection.getresponse().read())["logs"]
        return logs
    finally:
        connection.close()
