"""What the rows of matching ask for is what they say it is."""

from benchmarks import match_stage
from benchmarks.match_stage import Asked


async def test_hits_have_a_winner_and_misses_have_none() -> None:
    stage = await match_stage.staged(10, 3, own=True)
    assert all(stage.judge(asked) == asked.criteria for asked in match_stage.hits(20, 10, 3))
    assert not any(stage.judge(asked) or asked.criteria for asked in match_stage.misses(20, 3))
    assert all(stage.judge(asked) for asked in match_stage.to_own(20, 3))
    assert not stage.judge(Asked("unknown", match_stage.OWN_PATH))


async def test_hits_are_for_literal_paths_and_for_those_with_a_parameter() -> None:
    paths = [asked.path for asked in match_stage.hits(4, 10)]
    assert paths == [
        "/api/v1/orders-0/items",
        "/api/v1/orders-1/1/items",
        "/api/v1/orders-2/items",
        "/api/v1/orders-3/3/items",
    ]


async def test_times_are_those_of_one_request_in_microseconds() -> None:
    stage, asked = await match_stage.staged(10, 1, own=True), match_stage.hits(50, 10)
    alone, whole = match_stage.us_of_criteria(stage, asked), match_stage.us_of_winner(stage, asked)
    assert 0 < alone < whole < match_stage.us_of_all(stage, asked) + 1000


async def test_an_activation_takes_some_time() -> None:
    assert await match_stage.ms_of_activation(20) > 0
