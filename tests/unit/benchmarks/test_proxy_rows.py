"""Rows of the proxy beside nginx: which numbers they are of, which targets they have, and what they tell."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace

import pytest

from benchmarks import assertive_rows, proxy_rows
from benchmarks.load import Load, Loaded
from benchmarks.method import Length, Rounds
from benchmarks.proxy_rows import Stage
from benchmarks.row import Row
from benchmarks.run import ROWS
from benchmarks.whole import Whole

STAGE = Stage(Loaded(1, "ours", "/"), Loaded(2, "nginx", "/"))
USUAL = Load(rate=100, cpu_us=1, loop_us=1, busy=1, p50_us=10, p99_us=20, generator_busy=0.5)


def measured(stage: Stage, _: Length) -> Rounds[Load]:
    """Ours is half as fast, and a fifth where no two requests are alike; its p99 and nginx's go up and down."""
    ours = replace(USUAL, rate=20 if stage.ours.traced else 50)
    pairs = [(40, 20), (60, 10), (80, 20), (40, 40), (60, 20)]
    return Rounds([(replace(ours, p99_us=own), replace(USUAL, p99_us=other)) for own, other in pairs])


@contextmanager
def stage_of(*_: object, **__: object) -> Iterator[Stage]:
    yield STAGE


@pytest.fixture(autouse=True)
def nothing_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    for rows in (proxy_rows, assertive_rows):
        monkeypatch.setattr(rows, "measured", measured)
    monkeypatch.setattr(proxy_rows, "STAGES", dict.fromkeys(proxy_rows.STAGES, stage_of))
    monkeypatch.setattr(proxy_rows, "beside_nginx", stage_of)
    monkeypatch.setattr(proxy_rows, "serving_mocks", lambda *_: nullcontext(Whole(1, "", "", "", None)))
    monkeypatch.setattr(proxy_rows, "dropped_by", lambda _: 0)
    monkeypatch.setattr(assertive_rows, "static_stage", stage_of)
    monkeypatch.setattr(assertive_rows, "_flat", lambda _: measured(STAGE, Length()))


def row(rows: list[Row], part: str) -> Row:
    [found] = [each for each in rows if part in each.name]
    return found


def test_a_p99_is_the_median_of_all_rounds_over_the_others_median() -> None:
    found = row(proxy_rows.static(Length()), "p99")
    assert found.value is not None
    # Round by round the median would be 3.5.
    assert found.value.median == 3


JUDGED: list[Callable[[Length], list[Row]]] = [
    proxy_rows.static,
    proxy_rows.static_headers,
    proxy_rows.static_durable,
    proxy_rows.template,
    proxy_rows.forward,
    assertive_rows.assertive,
]


@pytest.mark.parametrize("rows", JUDGED, ids=lambda rows: rows.__name__)
def test_requests_that_never_repeat_are_judged_by_the_same_bound_as_those_that_do(
    rows: Callable[[Length], list[Row]],
) -> None:
    found = rows(Length())
    unlike, again = row(found, "no two requests alike"), row(found, " / nginx `")
    assert unlike.target is not None
    assert again.target is not None
    assert (unlike.target.bound, unlike.target.must) == (again.target.bound, True)
    assert (unlike.missed, again.missed) == (True, False)


@pytest.mark.parametrize("rows", [*JUDGED, proxy_rows.static_masked], ids=lambda rows: rows.__name__)
def test_each_throughput_is_told_with_its_latencies(rows: Callable[[Length], list[Row]]) -> None:
    for each in rows(Length()):
        if "nginx" in each.name and "p99" not in each.name:
            assert "p50 10 and 10 us, p99 60 and 20 us" in each.detail, each.name


def test_every_row_of_the_proxy_has_its_name_in_the_bench() -> None:
    assert {*JUDGED, proxy_rows.static_masked} <= {*ROWS.values()}
