"""Proxy listeners that belong to one environment each, and so take bare paths."""

import re
from dataclasses import dataclass

from understudy_server.cli.addresses import Address, read_address

ASSERTIVE_PLACE = ("assertive", "default")
"""Project and environment of the listener for clients of the Assertive mock API."""

# As the contract has it for a new project or environment.
_PLACE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*/[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class BoundListener:
    """Where the environment at ``place`` (``project/environment``, slugs) has an address of its own."""

    place: str
    address: Address

    @property
    def slugs(self) -> tuple[str, str]:
        """Project and environment."""
        project, _, environment = self.place.partition("/")
        return project, environment


def read_bound(text: str) -> tuple[BoundListener, ...]:
    """Read ``checkout/staging=127.0.0.1:8081,checkout/qa=:8082``, in that order. Raises ValueError.

    Nothing says that these environments exist: they may be made later.
    """
    found: dict[str, BoundListener] = {}
    for part in text.split(","):
        place, equals, address = part.strip().partition("=")
        if not equals or not _PLACE.fullmatch(place):
            raise ValueError(f"{part.strip()!r} binds nothing: give PROJECT/ENVIRONMENT=ADDRESS, more after a comma")
        if place in found:
            raise ValueError(f"{place} is bound twice")
        found[place] = BoundListener(place, read_address(address))
    return tuple(found.values())
