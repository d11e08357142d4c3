"""Acknowledged means visible: the request after a PUT meets the state of that PUT, on every connection, every time."""

import http.client
import json
import random
import threading
from dataclasses import dataclass, field

from support.furniture import furnished
from support.proofs import new_seed, report, scaled
from support.server import Server, running_server
from support.upstream import running_upstream

PAIRS = scaled(10_000)
CONNECTIONS = 8
# What POST /api/pay answers in each state.
STATES = {
    "declined": ({"scenario": "scn_declined", "overrides": []}, '{"error": "card_declined"}'),
    "mocked": ({"scenario": None, "overrides": ["ovr_pay"]}, '{"pay": "mocked"}'),
    "real": ({"scenario": None, "overrides": []}, '{"pay": "real"}'),
}


@dataclass
class Tally:
    """What one connection saw."""

    pairs: int = 0
    stale: list[str] = field(default_factory=list)


def put_then_request(server: Server, project: str, auth: str, number: int, seed: int, tally: Tally) -> None:
    """Change one session's state and send a request at once, over and over; every other session is somebody else's."""
    dice = random.Random(seed + number)
    api = http.client.HTTPConnection(server.rest, timeout=30)
    app = http.client.HTTPConnection(server.proxy, timeout=30)
    key, path = f"worker-{number}", f"/{project}/staging/api/pay"
    for _ in range(PAIRS // CONNECTIONS):
        name = dice.choice(list(STATES))
        body, expected = STATES[name]
        api.request("PUT", f"/api/v1/sessions/{key}", json.dumps(body), {"authorization": auth})
        answer = api.getresponse()
        assert answer.status == 200, answer.read()
        answer.read()
        app.request("POST", path, b"{}", {"x-flowmock-session": key})
        seen = app.getresponse().read().decode()
        tally.pairs += 1
        if seen != expected:
            tally.stale.append(f"{key}: {name} was set, {seen} was seen")
    api.close()
    app.close()


def test_no_request_meets_a_state_older_than_the_last_acknowledged_one() -> None:
    seed = new_seed()
    with running_upstream() as upstream, running_server("--api-rate", "1000000/60") as server:
        place = furnished(server, upstream.url)
        auth = f"Bearer {server.make_key(project=place.project).text}"
        tallies = [Tally() for _ in range(CONNECTIONS)]
        threads = [
            threading.Thread(target=put_then_request, args=(server, place.project, auth, number, seed, tally))
            for number, tally in enumerate(tallies)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    stale = [each for tally in tallies for each in tally.stale]
    pairs = sum(tally.pairs for tally in tallies)
    report("PUT then request", pairs=pairs, connections=CONNECTIONS, stale=len(stale), seed=seed)
    assert pairs == PAIRS
    assert stale == []
