"""Two sessions never see each other's values: flags, their states, sessions of environments and of the project, set,
frozen, reset, ended and expired in any order, in several projects and environments, over the control plane and a real
store; and evaluations over all doors among them, by whatever may name a session. Each says what was acknowledged last.
"""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.dispatching import world
from support.flag_doors import BAGGAGE, HEADER, doors_of
from support.flag_model import Model, Place
from support.flag_play import Play
from support.proofs import new_seed, report, scaled
from understudy.v1.project_service_pb2 import UpdateEnvironmentRequest
from understudy_server.core.rates import Rate

STEPS = scaled(100_000)
PLACES: tuple[Place, ...] = (("checkout", "staging"), ("checkout", "qa"), ("other", "staging"))
WITH_CARRIER = frozenset({("checkout", "staging"), ("other", "staging")})


@asynccontextmanager
async def played(folder: Path, seed: int) -> AsyncIterator[Play]:
    async with world(folder, Rate(1_000_000_000, 60)) as here:
        for project in ("checkout", "other"):
            await here.make_project(project, *[each for name, each in PLACES if name == project])
        for place in PLACES:
            request = UpdateEnvironmentRequest(project=place[0], environment=place[1])
            request.changes.carriers.add().baggage = BAGGAGE
            if place in WITH_CARRIER:
                request.changes.carriers.add().header = HEADER
            await here.call("ProjectService.UpdateEnvironment", request)
        async with doors_of(here, PLACES) as doors:
            yield Play(here, doors, random.Random(seed), PLACES, Model(WITH_CARRIER))


@pytest.mark.timeout(3_600)
async def test_two_sessions_never_see_each_others_values(tmp_path: Path) -> None:
    seed = new_seed()
    async with played(tmp_path / "data", seed) as play:
        for _ in range(STEPS):
            await play.step()
            if len(play.differences) + len(play.leaks) > 10:
                break

    evaluations = play.asked.total()
    report(
        "flag sessions",
        steps=play.done.total(),
        evaluations=evaluations,
        leaks=len(play.leaks),
        differences=len(play.differences),
        seed=seed,
    )
    assert (play.leaks[:3], play.differences[:3]) == ([], [])
    assert evaluations > STEPS / 2
    assert all(play.done[each.__name__] for each in (play.freeze_again, play.come_to_an_end, play.sweep, play.end))
    assert (len(play.asked), len(play.named)) == (7, 7)


async def test_the_check_finds_a_value_that_is_another_sessions(tmp_path: Path) -> None:
    async with played(tmp_path / "data", 1) as play:
        for _ in range(200):
            await play.put_session()
        # As if each session had the values of another one.
        found = [each for each in play.model.sessions.values() if each.values]
        for one, other in zip(found, [*found[1:], found[0]], strict=True):
            one.owner = other.owner
        for _ in range(100):
            await play.evaluate()
    assert play.leaks
