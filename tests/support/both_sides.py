"""A session whose scenario and flags are set together, to the same number, and what is then seen on either side."""

import json
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection
from typing import Any

from support.server import Answering, MadePlace, Server

STATES = 8
"""So many scenarios there are: what the proxy answers is the number's rest."""

SESSION = "x-flowmock-session"
_NUMBER, _DOUBLE = "number", "double"
_WAITS_SECONDS = 60


def place_with_states(server: Server) -> MadePlace:
    """A project in which each scenario answers ``GET /state`` in its own way."""
    place = server.make_place("staging")
    for state in range(STATES):
        place.make_scenario(f"scn_{state}")
        answer = json.dumps({"state": state})
        place.make_answers(Answering(f"ovr_{state}", "GET", "/state", answer, scenario=f"scn_{state}"))
    return place


class Sides:
    """One client of both sides, on its own connections. Raises OSError and HTTPException when the server is gone."""

    def __init__(self, place: MadePlace, key: str) -> None:
        self._place = place
        self._auth = {"authorization": f"Bearer {key}"}
        self._rest = HTTPConnection(place.server.rest, timeout=_WAITS_SECONDS)
        self._proxy = HTTPConnection(place.server.proxy, timeout=_WAITS_SECONDS)

    def close(self) -> None:
        self._rest.close()
        self._proxy.close()

    def put(self, session: str, number: int) -> None:
        """Set both sides."""
        self.api("PUT", f"/api/v1/sessions/{session}", {"scenario": f"scn_{number % STATES}", "flags": flags(number)})

    def api(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Any:
        """Call the REST door, which must not refuse."""
        text = "" if body is None else json.dumps(body)
        self._rest.request(method, path, text, {**self._auth, **(headers or {})})
        answer = self._rest.getresponse()
        content = answer.read()
        assert answer.status < 300, content
        return json.loads(content) if content else None

    def numbers(self, headers: Mapping[str, str], *named: str) -> tuple[Any, Any]:
        """The number that the flags say, asked for together, and half of its double; ``None`` where they say nothing.

        ``named`` are more headers of the request, whose names find sessions.
        """
        number, double = self._values((_NUMBER, _DOUBLE), headers, named)
        return number, None if double is None else double // 2

    def value(self, flag: str, headers: Mapping[str, str]) -> Any:
        """What one flag says."""
        (value,) = self._values((flag,), headers, ())
        return value

    def _values(self, keys: Sequence[str], headers: Mapping[str, str], named: Sequence[str]) -> list[Any]:
        path = f"/api/v1/projects/{self._place.project}/environments/staging/flags:evaluate"
        asked = {"flagKeys": keys, "headers": [{"name": name} for name in named]}
        return [each.get("value") for each in self.api("POST", path, asked, headers)["evaluations"]]

    def state(self, session: str) -> int | None:
        """What the proxy says, ``None`` where no mock answers."""
        self._proxy.request("GET", f"/{self._place.project}/staging/state", headers={SESSION: session})
        answer = self._proxy.getresponse()
        content = answer.read()
        return int(json.loads(content)["state"]) if answer.status == 200 else None


def flags(number: int) -> dict[str, int]:
    """The flags that say a number."""
    return {_NUMBER: number, _DOUBLE: 2 * number}
