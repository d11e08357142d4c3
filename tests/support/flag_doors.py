"""One request for flags, asked over any door that evaluates them, and what is said, told alike."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx
from support.dispatching import World
from support.flag_model import DISABLED, NOT_FOUND, Answer, Carried, Place
from understudy.v1 import evaluation_service_pb2 as evaluation
from understudy.v1 import key_service_pb2 as keys
from understudy.v1.flags_pb2 import Evaluation, EvaluationReason
from understudy_gateway.app import build_app
from understudy_gateway.dialects.flagbridge.settings import FlagBridgeSettings, RequestsAMinute

BAGGAGE, HEADER = "test-session", "x-test-run"
"""Where environments may keep their session keys."""

_UNBOUNDED = 1_000_000_000


class Said(NamedTuple):
    """What flags are, by key, and the session that was found: ``None`` where the door does not tell."""

    answers: dict[str, Answer]
    session: str | None


class Doors:
    """The native API, FlagBridge's and OpenFeature's, each for one flag, and for several or all of them."""

    def __init__(self, here: World, http: httpx.AsyncClient, keys_of: dict[Place, str]) -> None:
        self._here = here
        self._http = http
        self._keys_of = keys_of

    async def one(self, place: Place, key: str, carried: Carried) -> Said:
        request = evaluation.EvaluateRequest(flag_key=key)
        _carry(request, place, carried)
        found = await self._here.call("EvaluationService.Evaluate", request)
        assert isinstance(found, evaluation.EvaluateResponse)
        return Said({key: _answer(found.evaluation)}, found.session_key)

    async def some(self, place: Place, wanted: Sequence[str], carried: Carried) -> Said:
        """Those of some keys; of none: all."""
        request = evaluation.EvaluateBatchRequest(flag_keys=wanted, all=not wanted)
        _carry(request, place, carried)
        found = await self._here.call("EvaluationService.EvaluateBatch", request)
        assert isinstance(found, evaluation.EvaluateBatchResponse)
        return Said({each.flag_key: _answer(each) for each in found.evaluations}, found.session_key)

    async def bridge_one(self, place: Place, key: str, carried: Carried) -> Said:
        found = await self._post(place, "/v1/evaluate", {"flagKey": key}, carried)
        return Said({key: _answer_of_bridge(found)}, None)

    async def bridge_some(self, place: Place, wanted: Sequence[str], carried: Carried) -> Said:
        found = await self._post(place, "/v1/evaluate/batch", {"flags": wanted}, carried)
        return Said({key: _answer_of_bridge(each) for key, each in found["results"].items()}, None)

    async def open_one(self, place: Place, key: str, carried: Carried) -> Said:
        found = await self._post(place, f"/ofrep/v1/evaluate/flags/{key}", {}, carried, 200, 404)
        session = found.get("metadata", {}).get("session", "") if "errorCode" not in found else None
        return Said({key: _answer_of_protocol(found)}, session)

    async def open_all(self, place: Place, carried: Carried) -> Said:
        found = await self._post(place, "/ofrep/v1/evaluate/flags", {}, carried)
        return Said({each["key"]: _answer_of_protocol(each) for each in found["flags"]}, None)

    async def _post(self, place: Place, path: str, body: object, carried: Carried, *statuses: int) -> dict[str, Any]:
        headers = [("authorization", f"Bearer {self._keys_of[place]}"), *_lines(carried)]
        answer = await self._http.post(path, json=body, headers=headers)
        assert answer.status_code in (statuses or (200,)), answer.text
        found: dict[str, Any] = answer.json()
        return found


@asynccontextmanager
async def doors_of(here: World, places: Sequence[Place]) -> AsyncIterator[Doors]:
    """Doors of some places, to be asked as often as one likes."""
    settings = FlagBridgeSettings(requests_a_minute=RequestsAMinute(eval=_UNBOUNDED), clock=here.clock)
    transport = httpx.ASGITransport(build_app(here.dispatcher, flagbridge=settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://flags.test") as http:
        yield Doors(here, http, {place: await _make_key(here, place) for place in places})


async def _make_key(here: World, place: Place) -> str:
    request = keys.CreateKeyRequest(kind=keys.KEY_KIND_FLAGBRIDGE, scope=keys.KEY_SCOPE_EVAL)
    request.project, request.environment = place
    made = await here.call("KeyService.CreateKey", request)
    assert isinstance(made, keys.CreateKeyResponse)
    return made.text


def _carry(request: Any, place: Place, carried: Carried) -> None:
    request.project, request.environment = place
    request.session_token, request.session_key = carried.token, carried.key
    if carried.baggage:
        request.baggage = _baggage(carried)
    for name, value in [(HEADER, carried.header), *((name.title(), "1") for name in carried.named)]:
        if value:
            request.headers.add(name=name, value=value)


def _lines(carried: Carried) -> list[tuple[str, str]]:
    lines = [
        ("x-flagbridge-session", carried.token),
        ("x-flowmock-session", carried.key),
        ("baggage", _baggage(carried) if carried.baggage else ""),
        (HEADER, carried.header),
    ]
    return [*[line for line in lines if line[1]], *[(name.title(), "1") for name in carried.named]]


def _baggage(carried: Carried) -> str:
    return f"user=ada,{BAGGAGE}={carried.baggage};of=us"


def _answer(found: Evaluation) -> Answer:
    reason = EvaluationReason.Name(found.reason).removeprefix("EVALUATION_REASON_").lower()
    return Answer(reason, json.loads(found.value) if found.value and reason != DISABLED else "")


def _answer_of_bridge(found: dict[str, Any]) -> Answer:
    return Answer(found["reason"].lower(), found["variant"] or "")


def _answer_of_protocol(found: dict[str, Any]) -> Answer:
    if found.get("errorCode") == "FLAG_NOT_FOUND":
        return Answer(NOT_FOUND)
    reason = found["metadata"]["reason"].lower()
    return Answer(reason, "" if reason == DISABLED else found["value"])
