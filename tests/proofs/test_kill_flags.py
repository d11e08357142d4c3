"""kill -9 of a whole server while flags and sessions of every kind are set: what was answered is there after the next
start, over the same doors, and none of it by half.
"""

import http.client
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support.both_sides import SESSION, STATES, Sides, flags, place_with_states
from support.proofs import new_seed, report, scaled
from support.server import MadePlace, running_server
from understudy.options.v1.options_pb2 import ROLE_EDITOR

KILLS = scaled(25)
ANSWERS_MAX = 300
PINNED = 77
Put = Callable[[Sides, int], object]
Read = Callable[[Sides], tuple[Any, Any]]


@dataclass
class Writer:
    """One thing that is set to the next number, over and over. ``read`` tells the number, in two ways."""

    name: str
    put: Put
    read: Read
    asked: int = 0
    answered: int = 0

    def put_for_ever(self, sides: Sides, enough: threading.Semaphore) -> None:
        try:
            while True:
                self.asked += 1
                self.put(sides, self.asked)
                self.answered = self.asked
                enough.release()
        except (OSError, http.client.HTTPException):
            # The server is dead, as it should be.
            sides.close()


@dataclass
class Tally:
    answered: int = 0
    lost: list[str] = field(default_factory=list)
    halves: list[str] = field(default_factory=list)

    def look(self, writer: Writer, sides: Sides) -> None:
        """Compare what there is with what was answered."""
        self.answered += writer.answered
        number, again = writer.read(sides)
        if not writer.answered <= number <= writer.asked:
            self.lost.append(f"{writer.name}: {writer.answered} was answered, {number} is there")
        if number != again:
            self.halves.append(f"{writer.name}: {number} with {again}")


@pytest.mark.timeout(3_600)
def test_no_answered_change_of_flags_is_lost_with_the_server(tmp_path: Path) -> None:
    seed = new_seed()
    dice, tally = random.Random(seed), Tally()
    for kill in range(KILLS):
        data = tmp_path / f"data-{kill}"
        with running_server("--api-rate", "1000000/60", data=data) as server:
            place = place_with_states(server)
            key = server.make_key(ROLE_EDITOR, place.project).text
            writers = _write_until_killed(place, key, dice)
        with running_server(data=data) as server:
            sides = Sides(MadePlace(server, place.project, place.environments), key)
            for each in writers:
                tally.look(each, sides)
            # All flags have changed since; for the session that was frozen they have not.
            assert sides.numbers({SESSION: "frozen"}) == (PINNED, PINNED)
            sides.close()
    report(
        "kill -9 under flags",
        kills=KILLS,
        answered=tally.answered,
        lost=len(tally.lost),
        half_applied=len(tally.halves),
        seed=seed,
    )
    assert (tally.lost, tally.halves) == ([], [])


def _write_until_killed(place: MadePlace, key: str, dice: random.Random) -> list[Writer]:
    sides = Sides(place, key)
    writers = _prepared(place, sides)
    sides.close()
    enough = threading.Semaphore(0)
    threads = [threading.Thread(target=each.put_for_ever, args=(Sides(place, key), enough)) for each in writers]
    for thread in threads:
        thread.start()
    for _ in range(dice.randrange(ANSWERS_MAX)):
        assert enough.acquire(timeout=30)
    place.server.process.kill()
    place.server.process.wait()
    for thread in threads:
        thread.join()
    return writers


def _prepared(place: MadePlace, sides: Sides) -> list[Writer]:
    """A session that is frozen while the flags are `PINNED`, and what is set from then on."""
    project = f"/api/v1/projects/{place.project}"

    def set_state(of: Sides, flag: str, value: int) -> None:
        state = {"enabled": True, "value": value}
        of.api("PUT", f"{project}/environments/staging/flags/{flag}", state)

    def set_everybody(of: Sides, number: int) -> None:
        for flag, value in flags(number).items():
            set_state(of, flag, value)

    for flag in (*flags(0), "plain"):
        sides.api("POST", f"{project}/flags", {"key": flag, "kind": "number"})
    set_everybody(sides, PINNED)
    sides.api("POST", "/api/v1/sessions/frozen:freeze", {})
    set_everybody(sides, 0)
    set_state(sides, "plain", 0)
    made = sides.api("POST", f"{project}/sessions", {"flags": flags(0)})
    sides.api("PUT", "/api/v1/sessions/x-team", {"foundBy": "header_name"})

    def put_scope(of: Sides, number: int) -> None:
        of.api("PUT", "/api/v1/sessions/x-team", {"flags": flags(number)})

    def put_token(of: Sides, number: int) -> None:
        of.api("PATCH", f"{project}/sessions/{made['id']}/flags", {"flags": flags(number)})

    def put_frozen(of: Sides, number: int) -> None:
        of.api("PUT", "/api/v1/sessions/frozen", {"label": str(number)})

    def read_session(of: Sides) -> tuple[Any, Any]:
        number, half = of.numbers({SESSION: "ci"})
        is_mocked_so = number == 0 or of.state("ci") == number % STATES
        return number, half if is_mocked_so else of.state("ci")

    def read_frozen(of: Sides) -> tuple[Any, Any]:
        session = of.api("GET", "/api/v1/sessions/frozen")
        assert session["frozenAt"]
        number = int(session["label"] or 0)
        return number, number

    def read_plain(of: Sides) -> tuple[Any, Any]:
        state = of.api("GET", f"{project}/environments/staging/flags/plain")
        return state["value"], of.value("plain", {})

    return [
        Writer("session", lambda of, number: of.put("ci", number), read_session),
        Writer("scope", put_scope, lambda of: of.numbers({}, "x-team")),
        Writer("token", put_token, lambda of: of.numbers({"x-flagbridge-session": made["token"]})),
        Writer("frozen", put_frozen, read_frozen),
        Writer("state", lambda of, number: set_state(of, "plain", number), read_plain),
    ]
