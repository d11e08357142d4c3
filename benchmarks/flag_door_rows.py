"""Rows of flags over the gateway's doors: one at a time against constant bytes for the same request, and fifty."""

import json
import statistics
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus

from benchmarks.asking import asking
from benchmarks.flag_scenery import CONTEXT, KEYS, SESSION
from benchmarks.load import TURN, Loaded, compared
from benchmarks.method import Length, Spread, alone
from benchmarks.posted_page import POSTED_PATH
from benchmarks.processes import Started, started
from benchmarks.row import Row, Target, at_least, at_most
from benchmarks.scenery import ENVIRONMENT, PROJECT
from benchmarks.telling import rate, throughput

_RATIO_MIN, _BATCH_MS_MAX = 0.60, 2.0
_CONNECTIONS = 32
_BATCHES_PER_SECOND = 200
_END_OF_ALL = b"}"
# The page of the API document: bytes that the gateway makes once and answers as they are.
_CONSTANT_PATH = "/docs"
_ONE_PATH, _ALL_PATH = f"/ofrep/v1/evaluate/flags/{KEYS[0]}", "/ofrep/v1/evaluate/flags"
_ASKED = json.dumps({"context": CONTEXT})
_USERS = 10_000
_ASKED_FOR_MANY = json.dumps({"context": {**CONTEXT, "targetingKey": f"user-{TURN}"}})
_BRIDGE_ONE_PATH, _BRIDGE_ALL_PATH = "/v1/evaluate", "/v1/evaluate/batch"
_BRIDGE_PLACE = {"project": PROJECT, "environment": ENVIRONMENT, "context": CONTEXT}
_BRIDGE_ONE = json.dumps({"flagKey": KEYS[0], **_BRIDGE_PLACE})
_BRIDGE_ALL = json.dumps({"flags": KEYS, **_BRIDGE_PLACE})


def flag_doors(length: Length) -> list[Row]:
    """One flag with five rules, of which the last fits, without a session and in one; then a batch of fifty such."""
    with started("flags") as server:
        return [
            *_one("OFREP, one flag", server, _ONE_PATH, _ASKED, length),
            _many_users("OFREP, one flag", server, {}, length),
            _many_users(
                "OFREP, one flag that a session sets, on record", server, {"x-flowmock-session": SESSION}, length
            ),
            *_one("FlagBridge's API, one flag", server, _BRIDGE_ONE_PATH, _BRIDGE_ONE, length),
            _batch(f"FlagBridge's API, {len(KEYS)} flags", server, _BRIDGE_ALL_PATH, _BRIDGE_ALL, length),
            _batch(f"OFREP, all {len(KEYS)} flags", server, _ALL_PATH, _ASKED, length),
        ]


def _one(name: str, server: Started, path: str, asked: str, length: Length) -> list[Row]:
    """Against the same request answered with constant bytes, and, to be seen beside it, against the GET of a page.

    The target is of the first: a POST with a body takes longer to come in than any GET, whatever it is answered with.
    """
    headers = {"Authorization": f"Bearer {server.key}"}
    one = Loaded(server.pid, server.address, path, headers, _CONNECTIONS, post=asked)
    constant = Loaded(server.pid, server.address, _CONSTANT_PATH, headers, _CONNECTIONS)
    posted = replace(one, path=POSTED_PATH)
    return [
        _against(f"{name} / the same POST answered with constant bytes", one, posted, at_least(_RATIO_MIN), length),
        _against(f"{name} / a GET of constant bytes", one, constant, None, length),
    ]


def _against(name: str, subject: Loaded, reference: Loaded, target: Target | None, length: Length) -> Row:
    rounds = compared(subject, reference, length)
    return Row(name, rounds.ratio(rate), target, throughput(rounds))


def _many_users(name: str, server: Started, headers: Mapping[str, str], length: Length) -> Row:
    """As `_one`, where no two users are the same."""
    own = {"Authorization": f"Bearer {server.key}"}
    many = Loaded(
        server.pid, server.address, _ONE_PATH, {**own, **headers}, _CONNECTIONS, turns=_USERS, post=_ASKED_FOR_MANY
    )
    constant = Loaded(server.pid, server.address, _CONSTANT_PATH, own, _CONNECTIONS)
    return _against(f"{name}, {_USERS} users in turn / a GET of constant bytes", many, constant, None, length)


def _batch(name: str, server: Started, path: str, asked: str, length: Length) -> Row:
    head = f"POST {path} HTTP/1.1\r\nHost: {server.address}\r\nAuthorization: Bearer {server.key}\r\n"
    request = f"{head}Content-Type: application/json\r\nContent-Length: {len(asked)}\r\n\r\n{asked}".encode()
    count = _BATCHES_PER_SECOND * length.seconds
    samples, disturbed = alone(lambda: _p99_ms(server.address, request, count), length)
    detail = f"{count} a round, one at a time; of {len(samples) + disturbed} rounds {disturbed} disturbed"
    return Row(f"{name}: p99", Spread.of(samples), at_most(_BATCH_MS_MAX), detail, " ms")


def _p99_ms(address: str, request: bytes, count: int) -> float:
    with asking(address) as asker:
        times = [asker.expect(request, HTTPStatus.OK, _END_OF_ALL) for _ in range(count)]
    return statistics.quantiles(times, n=100)[98] * 1000
