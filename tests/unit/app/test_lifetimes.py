"""When a mock's time to live ends: counted from when it was last set, by whoever sets it."""

import pytest
from support.desk import Desk
from support.manifesting import SOURCE, Operator
from understudy.v1.manifest_service_pb2 import Manifest
from understudy.v1.mock_service_pb2 import Mock
from understudy.v1.state_pb2 import Lifetime
from understudy_server.app.times import milliseconds


def ends(mock: Mock) -> int | None:
    return milliseconds(mock.expires_at) if mock.HasField("expires_at") else None


@pytest.fixture
async def made_ms(desk: Desk) -> int:
    """When a mock with a time to live of one second was made, a minute ago."""
    await desk.create(Mock(id="ovr_a", name="a", lifetime=Lifetime(ttl_ms=1000, uses_max=1)))
    made_ms = desk.world.clock.now_ms
    desk.world.clock.advance(60)
    return made_ms


async def test_it_is_counted_from_the_making(desk: Desk, made_ms: int) -> None:
    assert ends(await desk.mock("ovr_a")) == made_ms + 1000


@pytest.mark.parametrize("path", ["lifetime", "lifetime.ttl_ms"])
async def test_it_is_counted_anew_when_it_is_set(desk: Desk, made_ms: int, path: str) -> None:
    mock = await desk.update("ovr_a", Mock(lifetime=Lifetime(ttl_ms=1000, uses_max=1)), path)
    assert (ends(mock), mock.revision) == (made_ms + 61_000, 2)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (Mock(priority=1), "priority"),
        (Mock(lifetime=Lifetime(uses_max=2)), "lifetime.uses_max"),
        (Mock(lifetime=Lifetime(not_before_ms=2)), "lifetime.not_before_ms"),
    ],
)
async def test_it_stays_when_something_else_is_set(desk: Desk, made_ms: int, change: Mock, path: str) -> None:
    mock = await desk.update("ovr_a", change, path)
    assert (ends(mock), mock.lifetime.ttl_ms, mock.revision) == (made_ms + 1000, 1000, 2)


async def test_publishing_leaves_it(desk: Desk, made_ms: int) -> None:
    assert ends(await desk.publish("ovr_a")) == made_ms + 1000


@pytest.mark.usefixtures("made_ms")
@pytest.mark.parametrize("path", ["lifetime", "lifetime.ttl_ms"])
async def test_it_is_gone_when_it_is_cleared(desk: Desk, path: str) -> None:
    assert ends(await desk.update("ovr_a", Mock(), path)) is None


async def test_nobody_else_says_when_it_ends(desk: Desk) -> None:
    given = Mock(name="a", lifetime=Lifetime(uses_max=1))
    given.expires_at.FromMilliseconds(1)
    assert ends(await desk.create(given)) is None


async def test_of_what_a_manifest_declares_it_is_counted_from_when_that_changes(desk: Desk) -> None:
    operator = Operator(desk.world)
    manifest = Manifest(source=SOURCE)
    mock = manifest.projects["shop"].environments["test"].mocks["ovr_a"]
    mock.lifetime.ttl_ms = 1000
    shop = Desk(desk.world, "shop", "test")
    found = []
    changes: list[tuple[str, int]] = [("", 0), ("", 0), ("priority", 1), ("ttl_ms", 2000), ("ttl_ms", 0)]
    for name, value in changes:
        desk.world.clock.advance(60)
        if name:
            setattr(mock.lifetime if name == "ttl_ms" else mock, name, value)
        await operator.apply(manifest)
        end = ends(await shop.mock("ovr_a"))
        found.append(end and end - desk.world.clock.now_ms)

    assert found == [1000, 1000 - 60_000, 1000 - 120_000, 2000, None]
