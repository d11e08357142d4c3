"""kill -9 of a whole server under PUTs: every PUT that was answered is in its directory, and none is there by half."""

import http.client
import json
import random
import threading
from dataclasses import dataclass, field

import pytest
from support.furniture import furnished
from support.mirror import Mirror, full
from support.proofs import new_seed, report, scaled
from support.server import MadePlace, running_server
from understudy_server.store.sqlite import SqliteStore

KILLS = scaled(50)
WRITERS = 4
ANSWERS_MAX = 400
# A PUT sets the delay and the activations, which are kept apart: they must agree in whatever is found.
OVERRIDES = (("ovr_pay",), ("ovr_cart",), ("ovr_cart", "ovr_pay"))


@dataclass
class Writer:
    """One connection that sets one session, over and over. The delay is the number of the PUT."""

    key: str
    asked: int = 0
    answered: int = 0

    def put_for_ever(self, address: str, auth: str, enough: threading.Semaphore) -> None:
        api = http.client.HTTPConnection(address, timeout=30)
        try:
            while True:
                self.asked += 1
                body = json.dumps({"globalDelayMs": self.asked, "overrides": OVERRIDES[self.asked % len(OVERRIDES)]})
                api.request("PUT", f"/api/v1/sessions/{self.key}", body, {"authorization": auth})
                answer = api.getresponse()
                answer.read()
                assert answer.status == 200
                self.answered = self.asked
                enough.release()
        except (OSError, http.client.HTTPException):
            # The server is dead, as it should be.
            api.close()


@dataclass
class Tally:
    answered: int = 0
    lost: list[str] = field(default_factory=list)
    halves: list[str] = field(default_factory=list)


@pytest.mark.timeout(3_600)
async def test_no_answered_put_is_lost_with_the_server() -> None:
    seed = new_seed()
    dice, tally = random.Random(seed), Tally()
    for _ in range(KILLS):
        with running_server("--api-rate", "1000000/60") as server:
            place = furnished(server)
            writers = _write_until_killed(place, dice)
            store = await SqliteStore.open(server.data)
            now = await full(store)
            await store.close()
        _compare(now, writers, tally)
    report(
        "kill -9 of a server",
        kills=KILLS,
        answered_puts=tally.answered,
        lost=len(tally.lost),
        half_applied=len(tally.halves),
        seed=seed,
    )
    assert (tally.lost, tally.halves) == ([], [])


def _write_until_killed(place: MadePlace, dice: random.Random) -> list[Writer]:
    server = place.server
    auth = f"Bearer {server.make_key(project=place.project).text}"
    writers = [Writer(f"ci-{number}") for number in range(WRITERS)]
    enough = threading.Semaphore(0)
    threads = [threading.Thread(target=each.put_for_ever, args=(server.rest, auth, enough)) for each in writers]
    for thread in threads:
        thread.start()
    for _ in range(dice.randrange(ANSWERS_MAX)):
        assert enough.acquire(timeout=30)
    server.process.kill()
    server.process.wait()
    for thread in threads:
        thread.join()
    return writers


def _compare(now: Mirror, writers: list[Writer], tally: Tally) -> None:
    sessions = {row.key: row for row in now.sessions.values()}
    for writer in writers:
        tally.answered += writer.answered
        row = sessions.get(writer.key)
        number = row.global_delay_ms if row else 0
        if not writer.answered <= number <= writer.asked:
            tally.lost.append(f"{writer.key}: PUT {writer.answered} was answered, PUT {number} is there")
        if row and set(row.overrides) != set(OVERRIDES[number % len(OVERRIDES)]):
            tally.halves.append(f"{writer.key}: PUT {number} with {row.overrides}")
