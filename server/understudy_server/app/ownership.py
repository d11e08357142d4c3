"""Ownership: what a manifest declares is changed by a manifest of the same source alone."""

from understudy_server.app.call import Call
from understudy_server.app.ports import Transaction
from understudy_server.core.errors import Conflict, Fault

_EVERY = 1_000_000


def check_unmanaged(managed_by: str, what: str) -> None:
    """Raise Conflict (managed_by_file) when a source declares a thing; ``what`` names it in words."""
    if managed_by:
        message = f"{what} is declared by {managed_by!r}: change it there, or release the source"
        raise Conflict("managed_by_file", message, Fault("", "managed_by", given=managed_by))


async def check_nothing_managed_within(tx: Transaction, what: str, project_id: str, environment_id: str = "") -> None:
    """Raise Conflict (managed_by_file) when a source declares a place or anything in it."""
    source = await tx.manager_within(project_id, environment_id)
    if source:
        message = f"{what} holds what {source!r} declares: take it out there, or release the source"
        raise Conflict("managed_by_file", message, Fault("", "managed_by", given=source))


async def check_no_managed_scenario_lists(tx: Transaction, call: Call, mock_id: str) -> None:
    """Raise Conflict (managed_by_file) when a scenario that a source declares lists a mock, which is about to go."""
    for scenario in await tx.scenarios(call.place.environment_id, "", None, _EVERY, mock_id):
        if scenario.managed_by and mock_id in scenario.mocks:
            message = (
                f"scenario {scenario.id!r} lists mock {mock_id!r}, and {scenario.managed_by!r} declares it: "
                "take the mock out there first, or release the source"
            )
            raise Conflict("managed_by_file", message, Fault("", "managed_by", given=scenario.managed_by))
