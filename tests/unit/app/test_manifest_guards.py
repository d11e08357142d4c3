"""What a manifest may not take away unless it is told to, and what sessions lose by it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.desk import Desk
from support.dispatching import World, world
from support.manifesting import Operator, answering, manifest, staging
from understudy.options.v1.options_pb2 import ROLE_CI
from understudy.v1.key_service_pb2 import CreateKeyRequest
from understudy.v1.manifest_service_pb2 import Manifest
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.session_service_pb2 import PutSessionRequest

A, B = answering("a", "/a"), answering("b", "/b")


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path / "data") as made:
        yield made


@pytest.fixture
async def operator(here: World) -> Operator:
    """With shop/staging and shop/qa, each with ovr_a, and other/dev."""
    made = Operator(here)
    declared = staging(mocks={"ovr_a": A}, scenarios={"scn_a": {"localMocks": {"ovr_local": A}}})
    declared.projects["shop"].environments["qa"].mocks["ovr_a"].SetInParent()
    declared.projects["other"].environments["dev"].SetInParent()
    await made.apply(declared)
    return made


@pytest.fixture
def desk(here: World) -> Desk:
    return Desk(here, "shop", "staging")


WITHOUT_STAGING = manifest({"shop": {"environments": {"qa": {"mocks": {"ovr_a": {}}}}}, "other": {}})
WITHOUT_SHOP = manifest({"other": {"environments": {"dev": {}}}})


@pytest.mark.parametrize("left", [WITHOUT_STAGING, WITHOUT_SHOP], ids=["environment", "project"])
async def test_an_environment_with_sessions_stays_unless_forced(operator: Operator, desk: Desk, left: Manifest) -> None:
    await desk.put(PutSessionRequest(overrides=["ovr_a"], scenario="scn_a"))
    problem = await operator.refused(left)
    assert problem.reason == "not_empty"
    assert "shop/staging" in problem.message
    assert "has 1 session:" in problem.message
    assert "delete environment shop/staging [1 sessions]" in await operator.apply(left, force=True)
    assert not await desk.world.store.read(lambda tx: tx.session_ids())


async def test_sessions_that_have_expired_do_not_count(operator: Operator, desk: Desk) -> None:
    await desk.put(PutSessionRequest(overrides=["ovr_a"], ttl_seconds=10))
    operator.world.clock.advance(10)
    assert "delete environment shop/staging" in await operator.apply(WITHOUT_STAGING)


async def test_an_environment_with_what_was_made_elsewhere_stays_unless_forced(operator: Operator, desk: Desk) -> None:
    await desk.library("ovr_api")
    problem = await operator.refused(WITHOUT_STAGING)
    assert (problem.reason, problem.field) == ("not_empty", "manifest.projects['shop'].environments")
    assert "delete mock shop/staging/ovr_api" in await operator.apply(WITHOUT_STAGING, force=True)


async def test_a_project_with_an_environment_that_was_made_elsewhere_stays_unless_forced(operator: Operator) -> None:
    await operator.apply(manifest({"shop": {"existing": True, "environments": {"api": {}}}}, "elsewhere"))
    problem = await operator.refused(WITHOUT_SHOP)
    assert (problem.reason, problem.field, problem.given) == ("not_empty", "manifest.projects", "shop")
    await operator.apply(WITHOUT_SHOP, force=True)
    assert list((await operator.dump()).projects) == ["other"]


async def test_a_scenario_with_mocks_that_were_made_elsewhere_stays_unless_forced(
    operator: Operator, desk: Desk
) -> None:
    left = await operator.dump(source="understudy.yaml")
    await desk.scenario("Api", scenario_id="scn_api")
    await desk.create(Mock(id="ovr_api", name="Api", scenario="scn_api"))
    taken = await operator.dump(source="understudy.yaml")
    taken.projects["shop"].environments["staging"].scenarios["scn_api"].name = "Api"
    assert await operator.apply(taken, adopt=True) == ["adopt scenario shop/staging/scn_api"]
    problem = await operator.refused(left)
    field = "manifest.projects['shop'].environments['staging'].scenarios"
    assert (problem.reason, problem.field) == ("not_empty", field)
    assert await operator.apply(left, force=True) == [
        "delete mock shop/staging/ovr_api",
        "delete scenario shop/staging/scn_api",
    ]


async def test_a_mock_that_is_adopted_out_of_a_scenario_that_goes_does_not_hold_it(
    operator: Operator, desk: Desk
) -> None:
    await desk.scenario("Api", scenario_id="scn_api")
    await desk.create(Mock(id="ovr_api", name="Api", scenario="scn_api"))
    taken = await operator.dump(source="understudy.yaml")
    taken.projects["shop"].environments["staging"].scenarios["scn_api"].name = "Api"
    await operator.apply(taken, adopt=True)
    moved = await operator.dump(source="understudy.yaml")
    del moved.projects["shop"].environments["staging"].scenarios["scn_api"]
    moved.projects["shop"].environments["staging"].mocks["ovr_api"].name = "Api"
    assert await operator.apply(moved, adopt=True) == [
        "delete mock shop/staging/ovr_api",
        "create mock shop/staging/ovr_api",
        "delete scenario shop/staging/scn_api",
    ]
    assert (await desk.mock("ovr_api")).scenario == ""


@pytest.mark.parametrize(
    ("left", "bound", "holder"),
    [
        (WITHOUT_STAGING, ("shop", "staging"), "environment shop/staging"),
        (WITHOUT_SHOP, ("shop", ""), "project 'shop'"),
        (WITHOUT_SHOP, ("shop", "staging"), "environment shop/staging"),
    ],
    ids=["environment", "project", "environment of a project"],
)
async def test_what_keys_are_for_stays_unless_forced(
    operator: Operator, left: Manifest, bound: tuple[str, str], holder: str
) -> None:
    await operator.world.make_key(project=bound[0], environment=bound[1])
    problem = await operator.refused(left)
    assert problem.reason == "not_empty"
    assert f"{holder} is not declared any more and has 1 key that works: remove" in problem.message
    assert "(and" not in problem.message
    assert f"delete {holder.replace(chr(39), '')} [1 keys]" in await operator.apply(left, force=True)


async def test_keys_that_do_not_work_or_are_for_more_do_not_count(operator: Operator) -> None:
    here = operator.world
    await here.make_key()
    await here.make_key(project="shop")
    await here.make_key(project="shop", environment="qa")
    expiring = CreateKeyRequest(project="shop", environment="staging", role=ROLE_CI)
    expiring.expires_at.FromMilliseconds(here.clock.now_ms + 10_000)
    await here.call("KeyService.CreateKey", expiring)
    assert (await operator.refused(WITHOUT_STAGING)).reason == "not_empty"
    here.clock.advance(10)
    assert "delete environment shop/staging" in await operator.apply(WITHOUT_STAGING)


async def test_looking_tells_how_many_keys_would_go(operator: Operator) -> None:
    for environment in ("", "", "staging", "qa"):
        await operator.world.make_key(project="shop", environment=environment)
    changes = await operator.changes(WITHOUT_SHOP, validate_only=True, force=True)
    told = {(each.project, each.environment): each.keys for each in changes if each.keys}
    assert told == {("shop", ""): 2, ("shop", "staging"): 1, ("shop", "qa"): 1}


async def test_the_sessions_that_lose_something_and_are_alive_are_counted(operator: Operator, desk: Desk) -> None:
    await desk.put(PutSessionRequest(session_key="ci-1", overrides=["ovr_a"], scenario="scn_a"))
    await desk.put(PutSessionRequest(session_key="ci-2", overrides=["ovr_a"]))
    await desk.put(PutSessionRequest(session_key="ci-3", overrides=["ovr_a"], ttl_seconds=10))
    operator.world.clock.advance(10)
    left = await operator.dump(source="understudy.yaml")
    left.projects["shop"].environments["staging"].Clear()
    assert await operator.apply(left) == [
        "delete mock shop/staging/ovr_a [2 sessions]",
        "delete mock shop/staging/ovr_local",
        "delete scenario shop/staging/scn_a [1 sessions]",
    ]
    session = await desk.get("ci-1")
    assert (list(session.overrides), session.HasField("scenario")) == ([], False)


# Another manifest under the same name


@pytest.mark.parametrize("projects", [{}, {"third": {}}], ids=["none", "another"])
async def test_a_source_does_not_turn_to_other_projects_unless_forced(
    operator: Operator, projects: dict[str, object]
) -> None:
    problem = await operator.refused(manifest(projects))
    assert (problem.reason, problem.field) == ("other_projects", "manifest.projects")
    assert "other, shop" in problem.message
    await operator.apply(manifest(projects), force=True)
    assert sorted((await operator.dump()).projects) == sorted(projects)


async def test_a_source_that_shares_a_project_with_before_is_the_same(operator: Operator) -> None:
    assert "create project third" in await operator.apply(manifest({"other": {}, "third": {}}))


async def test_mocks_in_a_project_made_elsewhere_count_as_declared_there(operator: Operator) -> None:
    await operator.apply(staging("team", existing=True, mocks={"ovr_b": B}))
    assert (await operator.refused(manifest({"other": {"existing": True}}, "team"))).reason == "other_projects"


async def test_a_source_that_declared_nothing_may_turn_anywhere(operator: Operator) -> None:
    await operator.apply(manifest(source="team"))
    assert await operator.apply(manifest({"third": {}}, "team")) == ["create project third"]
