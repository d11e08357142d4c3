"""One PUT changes both sides at once: whoever asks meanwhile sees them before it or after it, and never goes back."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from support.both_sides import SESSION, STATES, Sides, place_with_states
from support.server import MadePlace, running_server

SESSIONS, READERS, PUTS = 3, 2, 60
_WAITS_SECONDS = 60


@pytest.fixture(scope="module")
def place() -> Iterator[MadePlace]:
    with running_server("--api-rate", "1000000/60") as server:
        yield place_with_states(server)


@dataclass
class Race:
    """One session that is set over and over: ``begun`` PUTs were sent, ``done`` are acknowledged.

    ``wrong`` is what was seen and must not be; ``seen`` counts answers that came while a PUT was on its way.
    """

    key: str
    begun: int = 0
    done: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    wrong: list[str] = field(default_factory=list)
    seen: int = 0

    def write(self, sides: Sides) -> None:
        """Set the session, and look at both sides after each PUT: there is no other writer."""
        try:
            for number in range(1, PUTS + 1):
                self.begun = number
                sides.put(self.key, number)
                self.done = number
                found = (sides.state(self.key), sides.numbers({SESSION: self.key}))
                if found != (number % STATES, (number, number)):
                    self.wrong.append(f"after PUT {number}: {found}")
        finally:
            self.over.set()
            sides.close()

    def read(self, sides: Sides) -> None:
        """Ask both sides in turns: each answer is of a PUT at least as late as what was seen or acknowledged before."""
        known = 0
        while not self.over.is_set():
            least = max(known, self.done)
            known = self._read_flags(sides, least)
            self._read_proxy(sides, max(known, self.done))
        sides.close()

    def _read_flags(self, sides: Sides, least: int) -> int:
        number, half = sides.numbers({SESSION: self.key})
        most = self.begun
        if number != half or not least <= (number or 0) <= most:
            self.wrong.append(f"flags say {number} and {half}, not {least} to {most}")
        self.seen += most > least
        return number or 0

    def _read_proxy(self, sides: Sides, least: int) -> None:
        state = sides.state(self.key)
        most = self.begun
        possible = {number % STATES if number else None for number in range(least, most + 1)}
        if state not in possible:
            self.wrong.append(f"the proxy says {state}, not one of {possible}")
        self.seen += most > least


def test_whoever_asks_while_both_sides_change_sees_one_state_or_the_next(place: MadePlace) -> None:
    key = place.server.make_key(project=place.project).text
    races = [Race(f"racing-{number}") for number in range(SESSIONS)]
    with ThreadPoolExecutor(SESSIONS * (1 + READERS)) as threads:
        work = [
            threads.submit(does, Sides(place, key)) for race in races for does in (race.write, *[race.read] * READERS)
        ]
        for each in work:
            each.result(_WAITS_SECONDS)

    assert [race.wrong[:3] for race in races] == [[]] * SESSIONS
    assert [race.done for race in races] == [PUTS] * SESSIONS
    # Or nothing would have raced.
    assert all(race.seen for race in races)


def test_a_delete_clears_both_sides_at_once(place: MadePlace) -> None:
    sides = Sides(place, place.server.make_key(project=place.project).text)
    for number in range(1, 20):
        sides.put("cleared", number)
        sides.api("DELETE", "/api/v1/sessions/cleared")
        assert (sides.state("cleared"), sides.numbers({SESSION: "cleared"})) == (None, (None, None))
    sides.close()
