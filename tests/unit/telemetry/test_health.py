"""Whether a server takes work."""

import asyncio

from understudy_server.core.errors import StorageFailure
from understudy_server.telemetry.health import Health, Phase


async def well() -> str:
    return ""


async def broken() -> str:
    raise StorageFailure("the journal cannot be written now")


async def test_a_server_is_not_ready_before_all_listeners_accept() -> None:
    health = Health({"store": well})
    assert (await health.ready())["listeners"] != ""
    health.phase = Phase.SERVING
    assert await health.ready() == {"listeners": "", "store": ""}


async def test_a_server_that_stops_is_not_ready() -> None:
    health = Health({})
    health.phase = Phase.STOPPING
    assert "stopping" in (await health.ready())["listeners"]


async def test_what_is_wrong_is_said_of_each_thing() -> None:
    health = Health({"store": well, "journal": broken})
    health.phase = Phase.SERVING
    assert await health.ready() == {"listeners": "", "store": "", "journal": "the journal cannot be written now"}


async def test_a_check_that_does_not_come_to_its_end_is_given_up() -> None:
    never = asyncio.Event()

    async def hangs() -> str:
        await never.wait()
        return ""

    health = Health({"journal": hangs, "store": well}, look_seconds_max=0.01)
    ready = await health.ready()
    assert (ready["journal"], ready["store"]) == ("no answer within 0.01 seconds", "")


async def test_all_who_ask_at_once_share_one_look() -> None:
    looks, go = 0, asyncio.Event()

    async def check() -> str:
        nonlocal looks
        looks += 1
        await go.wait()
        return ""

    health = Health({"store": check})
    asking = [asyncio.create_task(health.ready()) for _ in range(20)]
    given_up = asyncio.create_task(health.ready())
    await asyncio.sleep(0)
    given_up.cancel()
    go.set()
    await asyncio.gather(*asking)
    assert looks == 1
    await health.ready()
    assert looks == 2
