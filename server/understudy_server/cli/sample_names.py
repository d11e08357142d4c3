"""What the sample is called, and whether a store has it: all that a start asks when it does not make it."""

import re

from understudy_server.app.ports import EnvironmentRecord, Transaction
from understudy_server.cli.embedded import Rooms

PROJECT, ENVIRONMENT = "checkout", "staging"
SCENARIO, OVERRIDE = "scn_paymentDeclined", "ovr_extraMock"
PREFIX = "/understudy-sample"
"""Before the paths of the sample's service: marks the upstream of an environment as the sample's."""

_OWN_UPSTREAM = re.compile(rf"http://127\.0\.0\.1:[0-9]+{PREFIX}")


async def wants_upstream(rooms: Rooms, *, may_make: bool = True) -> bool:
    """True when the sample is about to be made, or was made and still forwards to the sample's own service."""

    async def work(tx: Transaction) -> bool:
        return (may_make and await is_new(tx)) or await own_environment(tx) is not None

    return await rooms.store.read(work)


async def has_keys(rooms: Rooms) -> bool:
    """True when the store has a key, or had one."""

    async def work(tx: Transaction) -> bool:
        return bool(await tx.keys("", 1, "", ""))

    return await rooms.store.read(work)


async def is_new(tx: Transaction) -> bool:
    """True in a store that has no project."""
    return not await tx.projects("", 1)


async def own_environment(tx: Transaction) -> EnvironmentRecord | None:
    """The sample's environment, as long as nobody has given it another upstream or declares it."""
    project = await tx.project(PROJECT)
    environment = await tx.environment(project.id, ENVIRONMENT) if project else None
    if environment is None or environment.message.managed_by:
        return None
    return environment if _OWN_UPSTREAM.fullmatch(environment.message.upstream) else None
