"""Any manifest after any other leaves exactly what it says, and what is written is what was applied."""

import json
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from support.desk import Desk
from support.dispatching import World, world
from support.manifesting import SOURCE, Operator
from support.manifests import manifests
from understudy.v1.manifest_service_pb2 import Manifest, ManifestEnvironment, ManifestMock
from understudy.v1.mock_service_pb2 import MOCK_STATE_PUBLISHED
from understudy.v1.project_service_pb2 import (
    PROFILE_ASSERTIVE,
    PROFILE_UNSPECIFIED,
    Environment,
    GetEnvironmentRequest,
    GetEnvironmentResponse,
    Profile,
)
from understudy_server.app.manifests.differing import prune
from understudy_server.app.manifests.json_fields import compact
from understudy_server.app.ports import Transaction
from understudy_server.rpc import fields

V = TypeVar("V")

_PROFILES: Mapping[str, Profile] = {"e": PROFILE_UNSPECIFIED, "f": PROFILE_ASSERTIVE}

SLOW = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def crowded(draw: DrawFn) -> Manifest:
    """Manifests of one source that use few names, so that two have much in common. Nothing is made elsewhere."""
    drawn = draw(manifests())
    made = Manifest(source=SOURCE)
    if drawn.HasField("organisation"):
        made.organisation.CopyFrom(drawn.organisation)
    for slug, project in zip("pq", _values(drawn.projects), strict=False):
        made.projects[slug].name = project.name
        for name, environment in zip("ef", _values(project.environments), strict=False):
            _crowd(draw, environment, made.projects[slug].environments[name])
            # It is fixed when an environment is made, so that it follows from the name.
            made.projects[slug].environments[name].profile = _PROFILES[name]
    return made


def _crowd(draw: DrawFn, drawn: ManifestEnvironment, made: ManifestEnvironment) -> None:
    ids = [*drawn.mocks, *(each for scenario in drawn.scenarios.values() for each in scenario.local_mocks)]
    new = dict(zip(sorted(ids), draw(st.permutations([f"ovr_{number}" for number in range(len(ids))])), strict=True))
    made.CopyFrom(drawn)
    for field in ("existing", "profile", "mocks", "scenarios"):
        made.ClearField(field)
    for mock_id, mock in drawn.mocks.items():
        made.mocks[new[mock_id]].CopyFrom(mock)
    for number, scenario in enumerate(_values(drawn.scenarios)):
        kept = made.scenarios[f"scn_{number}"]
        kept.MergeFrom(type(kept)(name=scenario.name, url_id=scenario.url_id))
        kept.mocks.extend(new[each] for each in scenario.mocks)
        for mock_id, mock in scenario.local_mocks.items():
            kept.local_mocks[new[mock_id]].CopyFrom(mock)


def _values(found: Mapping[str, V]) -> Sequence[V]:
    """The values of a map, in the order of its keys."""
    return [found[key] for key in sorted(found)]


@asynccontextmanager
async def operating() -> AsyncIterator[Operator]:
    with tempfile.TemporaryDirectory() as folder:
        async with world(Path(folder) / "data") as made:
            yield Operator(made)


def normalised(given_: Manifest, like: Manifest) -> Manifest:
    """A manifest without what may be left out; names for URLs that it does not give are those of another one."""
    plain = Manifest()
    plain.CopyFrom(given_)
    # Numbers that are meant by absent fields are filled in on the way.
    fields.check(plain)
    if like.HasField("organisation") and not plain.organisation.plan:
        plain.organisation.plan = like.organisation.plan
    for slug, project in plain.projects.items():
        project.name = "" if project.name == slug else project.name
        for name, environment in project.environments.items():
            environment.name = "" if environment.name == name else environment.name
            _normalise_contents(environment, like.projects[slug].environments[name])
    prune(plain)
    return plain


def _normalise_contents(environment: ManifestEnvironment, like: ManifestEnvironment) -> None:
    for mock_id, mock in environment.mocks.items():
        _normalise_mock(mock_id, mock)
    for scenario_id, scenario in environment.scenarios.items():
        scenario.name = "" if scenario.name == scenario_id else scenario.name
        scenario.tags[:] = dict.fromkeys(scenario.tags)
        scenario.url_id = scenario.url_id or like.scenarios[scenario_id].url_id
        for mock_id, mock in scenario.local_mocks.items():
            _normalise_mock(mock_id, mock)


def _normalise_mock(mock_id: str, mock: ManifestMock) -> None:
    mock.name = "" if mock.name == mock_id else mock.name
    mock.tags[:] = dict.fromkeys(mock.tags)
    if mock.state == MOCK_STATE_PUBLISHED:
        mock.ClearField("state")


@SLOW
@given(crowded(), crowded())
async def test_any_manifest_after_any_other_leaves_exactly_what_it_says(first: Manifest, second: Manifest) -> None:
    async with operating() as operator:
        await operator.apply(first)
        seen = await operator.changes(second, force=True, validate_only=True)
        assert await operator.changes(second, force=True) == seen
        left = await operator.dump(source=SOURCE)
        assert left == normalised(second, left)
        assert await operator.apply(second) == []
        assert await operator.apply(left) == []


@SLOW
@given(crowded(), crowded())
async def test_only_what_differs_counts_a_change(first: Manifest, second: Manifest) -> None:
    async with operating() as operator:
        await operator.apply(first)
        before = await _revisions(operator)
        changes = await operator.changes(second, force=True)
        named = {(each.project, each.environment, each.id) for each in changes}
        after = await _revisions(operator)
        for place, revision in after.items():
            # What changed its home is made anew.
            may_be = (1, before.get(place, 0) + 1) if place in named else (before.get(place),)
            assert revision in may_be, place


@SLOW
@given(crowded(), crowded())
async def test_what_the_api_made_is_never_touched(first: Manifest, second: Manifest) -> None:
    async with operating() as operator:
        await operator.world.make_project("api", "env")
        await operator.apply(first)
        desks = [Desk(operator.world, *place) for place in sorted(_places(first) & _places(second))]
        for desk in desks:
            await desk.library("ovr_api")
            await desk.scenario("Api", "ovr_api", scenario_id="scn_api", url_id="made-by-the-api")
        before = [[await desk.mock("ovr_api"), await desk.read_scenario("scn_api")] for desk in desks]
        await operator.apply(second, force=True)
        assert [[await desk.mock("ovr_api"), await desk.read_scenario("scn_api")] for desk in desks] == before
        assert (await _environment(operator.world, "api", "env")).revision == 1


@SLOW
@given(manifests())
async def test_what_is_written_makes_the_same_elsewhere(given_: Manifest) -> None:
    for project in given_.projects.values():
        project.existing = False
        for environment in project.environments.values():
            environment.existing = False
    async with operating() as here, operating() as there:
        await here.apply(given_)
        written = await here.dump()
        await there.apply(written)
        assert await there.dump() == written
        # What the manifest does not say of the organisation is as it is on a new server.
        assert await here.apply(given_) == []


@given(st.text(), st.lists(st.sampled_from([" ", "\n", "\t", "\r"]), min_size=5, max_size=5))
def test_white_space_between_the_parts_of_json_goes_and_text_stays(text: str, spaces: list[str]) -> None:
    key, value = json.dumps(text), json.dumps(text, ensure_ascii=False)
    spaced = f"{spaces[0]}{{{spaces[1]}{key}{spaces[2]}:{spaces[3]}[{value},1.50]{spaces[4]}}}"
    assert compact(spaced) == f"{{{key}:[{value},1.50]}}"


def _places(given_: Manifest) -> set[tuple[str, str]]:
    return {(slug, name) for slug, project in given_.projects.items() for name in project.environments}


async def _revisions(operator: Operator) -> dict[tuple[str, str, str], int]:
    """The revision of each thing there is, by its place as changes name it."""

    async def work(tx: Transaction) -> dict[tuple[str, str, str], int]:
        found: dict[tuple[str, str, str], int] = {}
        for project in await tx.projects("", 99):
            found[project.message.slug, "", ""] = project.message.revision
            for environment in await tx.environments(project.id, "", 99):
                place = project.message.slug, environment.message.slug
                found[*place, ""] = environment.message.revision
                contents = await tx.contents(environment.id)
                found |= {(*place, mock.id): mock.revision for mock in contents.mocks}
                found |= {(*place, scenario.id): scenario.revision for scenario in contents.scenarios}
        return found

    return await operator.world.store.read(work)


async def _environment(world_: World, project: str, environment: str) -> Environment:
    request = GetEnvironmentRequest(project=project, environment=environment)
    answer = await world_.call("ProjectService.GetEnvironment", request)
    assert isinstance(answer, GetEnvironmentResponse)
    return answer.environment
