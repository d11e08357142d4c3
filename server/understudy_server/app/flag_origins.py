"""Where flags are read that are to be compiled: in an environment as it is, or among what sessions have pinned."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from understudy_server.app.flag_ports import FlagRecord
from understudy_server.app.ports import Transaction


class Origin(Protocol):
    """Gives flags, each with its one state, or none."""

    async def one(self, tx: Transaction, key: str) -> FlagRecord | None: ...

    async def page(self, tx: Transaction, after: str, limit: int) -> Sequence[FlagRecord]:
        """Flags in the order of their keys; none only when there are no more."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The flags of a project as they are in an environment."""

    project_id: str
    environment_id: str

    async def one(self, tx: Transaction, key: str) -> FlagRecord | None:
        return await tx.environment_flag(self.project_id, self.environment_id, key)

    async def page(self, tx: Transaction, after: str, limit: int) -> Sequence[FlagRecord]:
        return await tx.environment_flags(self.project_id, self.environment_id, after, limit)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Flags as they were when a session was frozen."""

    snapshot_id: int

    async def one(self, tx: Transaction, key: str) -> FlagRecord | None:
        return await tx.pinned_flag(self.snapshot_id, key)

    async def page(self, tx: Transaction, after: str, limit: int) -> Sequence[FlagRecord]:
        return await tx.pinned_flags(self.snapshot_id, after, limit)
