"""Plans: what an organisation has paid for. Only the public API depends on it."""

from enum import IntEnum


class Plan(IntEnum):
    """What there is to be had, in rising order."""

    FREE = 1
    DEV = 2
    TEAM = 3
    BUSINESS = 4


def has_public_api(plan: int) -> bool:
    """True for the plans whose keys may use the public API."""
    return plan >= Plan.TEAM
