"""Rows of matching: what it costs to find the mock that answers, and what it depends on. All in one process."""

import asyncio
from collections.abc import Sequence

from understudy_server.cli import collector

from benchmarks import match_stage
from benchmarks.match_stage import Asked, Stage
from benchmarks.method import Length, Rounds, Spread, alternate
from benchmarks.row import Row, at_least, at_most

MOCKS, SESSIONS, SCENARIO = 1_000, 10_000, 500
_ABOVE_CRITERIA_US_MAX, _FLAT_MIN, _ACTIVATION_MS_MAX = 1.5, 0.9, 1.0
_REQUESTS = 500


def match(length: Length) -> list[Row]:
    """What matching costs above the criteria that must run; that it stays so with more of everything; activation."""
    return [*_above_criteria(length), *_over_sessions(length), _over_mocks(length), _activation(length)]


def _above_criteria(length: Length) -> list[Row]:
    stage = asyncio.run(match_stage.staged(MOCKS, 1, own=True))
    collector.calm()
    kinds = {"hit": match_stage.hits(_REQUESTS, MOCKS), "miss": match_stage.misses(_REQUESTS)}
    return [_above_criteria_of(kind, stage, asked, length) for kind, asked in kinds.items()]


def _above_criteria_of(kind: str, stage: Stage, asked: Sequence[Asked], length: Length) -> Row:
    rounds = alternate(
        lambda: match_stage.us_of_winner(stage, asked),
        lambda: match_stage.us_of_criteria(stage, asked),
        length,
        steady=float,
    )
    above = Spread.of([found - criteria for found, criteria in rounds.pairs], rounds.profile)
    detail = f"{_us(rounds)} us with and without looking for the winner, whose criteria run in both"
    return Row(f"match, {MOCKS} mocks, {kind}", above, at_most(_ABOVE_CRITERIA_US_MAX), detail, " us")


def _over_sessions(length: Length) -> list[Row]:
    one, many = [asyncio.run(match_stage.staged(10, count, own=True)) for count in (1, SESSIONS)]
    few = match_stage.to_own(_REQUESTS, 1), match_stage.to_own(_REQUESTS, SESSIONS)
    every = match_stage.to_own(SESSIONS, 1), match_stage.to_own(SESSIONS, SESSIONS)
    collector.calm()
    rounds = alternate(
        lambda: match_stage.us_of(one, few[0]), lambda: match_stage.us_of(many, few[1]), length, steady=float
    )
    cold = alternate(
        lambda: match_stage.us_of_all(one, every[0]),
        lambda: match_stage.us_of_all(many, every[1]),
        length,
        steady=float,
    )
    name = f"match, 1 session / {SESSIONS}, each with its own mock on the same path"
    detail = "looking up the session too"
    return [
        Row(name, rounds.ratio(float), at_least(_FLAT_MIN), f"{_us(rounds)} us, {detail}"),
        Row(
            f"{name}, one request of each in turn",
            cold.ratio(float),
            None,
            f"{_us(cold)} us, {detail}: the difference is memory that is not in the processor's cache",
        ),
    ]


def _over_mocks(length: Length) -> Row:
    few, many = [asyncio.run(match_stage.staged(count, 1)) for count in (10, 10_000)]
    asked = match_stage.hits(_REQUESTS, 10), match_stage.hits(_REQUESTS, 10_000)
    collector.calm()
    rounds = alternate(
        lambda: match_stage.us_of(few, asked[0]), lambda: match_stage.us_of(many, asked[1]), length, steady=float
    )
    name = "match, 10 mocks / 10000 that are on"
    return Row(name, rounds.ratio(float), at_least(_FLAT_MIN), f"{_us(rounds)} us")


def _activation(length: Length) -> Row:
    collector.calm()
    times = [asyncio.run(match_stage.ms_of_activation(SCENARIO)) for _ in range(length.rounds)]
    name = f"a session is put into a scenario of {SCENARIO} mocks: time of the event loop"
    detail = "until its first request has its winner; nobody was in the scenario before"
    return Row(name, Spread.of(times), at_most(_ACTIVATION_MS_MAX), detail, " ms")


def _us(rounds: Rounds[float]) -> str:
    return f"{rounds.subject(float).median:.2f} and {rounds.reference(float).median:.2f}"
