"""200 sessions at one URL, most with an answer of their own: nobody gets another's, and every request is on record, in
the log of its session. Some have the same mock on, so that what is decided for one of them is good for the others.

The same check finds each of the leaks that were built for it.
"""

import contextlib
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from support.isolation import Crowd, Tally
from support.leaky_proxies import Leak, leaky_proxy
from support.proofs import new_seed, report, scaled
from support.rich_upstream import running_rich_upstream
from support.server import MadePlace, running_server

SESSIONS = 200
REQUESTS = scaled(100_000)
# Enough that a leak which needs two testers at the same moment shows.
CONTROL_REQUESTS = 2_000
# One session in so many holds its answers back: those behind them on a connection wait, and others overtake.
DELAYED_EVERY = 20
DELAY_MS = 3
PATH = "/api/echo"
LOG_PAGE = 100

# One session in so many has an answer that is the same for all of those.
SHARED_EVERY = 4
SHARED = {f"ci-{number}" for number in range(0, SESSIONS, SHARED_EVERY)}

ANSWERS = {f"ci-{number}": f'{{"you": "ci-{number}"}}' for number in range(SESSIONS)}
ANSWERS |= dict.fromkeys(SHARED, '{"you": "one of them"}')


@pytest.mark.timeout(900)
async def test_no_session_is_ever_given_the_answer_of_another() -> None:
    seed = new_seed()
    with running_rich_upstream() as upstream, running_server("--api-rate", "1000000/60") as server:
        place = server.make_place("staging", upstream=upstream.url)
        with contextlib.closing(Api(place)) as api:
            place.make_answer("ovr_shared", "POST", PATH, ANSWERS[next(iter(SHARED))])
            for key in ANSWERS:
                api.give_answer(key)
        tally = await Crowd(server.proxy, f"/{place.project}/staging{PATH}", ANSWERS, seed).check(REQUESTS)
        # A connection anew: the one from before may have been idle for too long.
        with contextlib.closing(Api(place)) as api:
            records = read_records(api, tally)
        errors = [line for line in server.output.read_text().splitlines() if " ERROR " in line]
    report(
        "isolation",
        sessions=SESSIONS,
        requests=tally.sent.total(),
        without_a_key=tally.sent[""],
        wrong_answers=len(tally.wrong),
        rows_of_others=len(records.of_others),
        rows_missing=records.missing,
        seed=seed,
    )
    assert tally.sent.total() == REQUESTS
    assert tally.wrong == []
    assert records.of_others == []
    assert records.missing == 0, f"not every request is on record; the server said {errors[:3]}"
    assert records.surplus == 0


@pytest.mark.parametrize("leak", [each for each in Leak if each is not Leak.NONE], ids=lambda leak: leak.name.lower())
async def test_the_check_finds_a_leak(leak: Leak) -> None:
    async with leaky_proxy(ANSWERS, leak) as address:
        tally = await Crowd(address, PATH, ANSWERS, new_seed()).check(CONTROL_REQUESTS)
    assert tally.wrong != []


async def test_the_check_finds_nothing_where_nothing_leaks() -> None:
    async with leaky_proxy(ANSWERS, Leak.NONE) as address:
        tally = await Crowd(address, PATH, ANSWERS, new_seed()).check(CONTROL_REQUESTS)
    assert (tally.sent.total(), tally.wrong) == (CONTROL_REQUESTS, [])


class Api:
    """The pipeline's side: sets sessions and reads their logs."""

    def __init__(self, place: MadePlace) -> None:
        self._place = place
        self._connection = http.client.HTTPConnection(place.server.rest, timeout=60)
        self._auth = {"authorization": f"Bearer {place.server.make_key(project=place.project).text}"}

    def give_answer(self, key: str) -> None:
        """Switch a mock on for one session: one that is made for it alone, or one that others have on, too."""
        name = "ovr_shared" if key in SHARED else f"ovr_{key}"
        if key not in SHARED:
            self._place.make_answer(name, "POST", PATH, ANSWERS[key])
        delayed = int(key.removeprefix("ci-")) % DELAYED_EVERY == 0
        body = {"overrides": [name], "globalDelayMs": DELAY_MS if delayed else 0}
        self._call("PUT", f"/api/v1/sessions/{key}", json.dumps(body))

    def log(self, key: str) -> Iterator[dict[str, Any]]:
        """All rows of a session, newest first."""
        cursor = ""
        while True:
            page = self._call("GET", f"/api/v1/sessions/{key}/logs?limit={LOG_PAGE}{cursor}")
            yield from page["logs"]
            if page["nextCursor"] is None:
                return
            cursor = f"&before={page['nextCursor']}"

    def close(self) -> None:
        self._connection.close()

    def _call(self, method: str, path: str, body: str | None = None) -> dict[str, Any]:
        self._connection.request(method, path, body, self._auth)
        answer = self._connection.getresponse()
        content = answer.read()
        assert answer.status == 200, content
        found: dict[str, Any] = json.loads(content)
        return found


@dataclass
class Records:
    """What is wrong with the logs: rows that stand in another session's, how many are in none, how many too many."""

    of_others: list[str] = field(default_factory=list)
    missing: int = 0
    surplus: int = 0


def read_records(api: Api, tally: Tally) -> Records:
    records = Records()
    for key in (each for each in ANSWERS if tally.sent[each]):
        rows = list(api.log(key))
        records.of_others += [f"{row['id']} in {key}'s" for row in rows if row["responsePreview"] != ANSWERS[key]]
        records.missing += max(0, tally.sent[key] - len(rows))
        records.surplus += max(0, len(rows) - tally.sent[key])
    return records
