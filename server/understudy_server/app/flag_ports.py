"""What the use cases need of flags and of the sessions of projects: the part of a transaction that is about them.

``app.ports`` has the rest. Records hold messages of the contract, or are what such a message is kept as.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from understudy.v1.flags_pb2 import Flag, FlagState
from understudy.v1.project_session_service_pb2 import ProjectSession


@dataclass(frozen=True, slots=True)
class ProjectSessionRecord:
    """A session of a project. The message has all of it but the project's slug."""

    project_id: str
    message: ProjectSession


@dataclass(frozen=True, slots=True)
class FlagRecord:
    """A flag with its one state in an environment, or none, as it is kept: it may be megabytes, which is long to read.

    ``message`` is that of a `Flag`, ``state`` that of a `FlagState`.
    """

    key: str
    message: bytes
    state: bytes | None

    @property
    def size_bytes(self) -> int:
        return len(self.message) + len(self.state or b"")

    def read(self) -> Flag:
        """The flag, for evaluation: who manages it is left out."""
        flag = Flag.FromString(self.message)
        if self.state is not None:
            flag.states.add().MergeFromString(self.state)
        return flag


@dataclass(frozen=True, slots=True)
class FlagQuery:
    """Which flags to list. ``search``: part of the key or name, any case; ``tags``: all of which they have."""

    search: str = ""
    tags: Sequence[str] = ()


class FlagTransaction(Protocol):
    """What a ``Transaction`` does with flags: whose they are, what they are set to, and what was kept of them."""

    async def flags_version(self, project_id: str) -> int:
        """The version in which a project's flags, or their states in any environment, changed last; 0 when never."""

    async def flag(self, project_id: str, key: str) -> Flag | None:
        """A flag, without its states."""

    async def flags(self, project_id: str, query: FlagQuery, after: str, limit: int) -> Sequence[Flag]:
        """Flags in the order of their keys, without their states."""

    async def flags_named(self, project_id: str, keys: Collection[str]) -> Mapping[str, Flag]:
        """Those of some flags that there are, by key, without their states."""

    async def flag_count(self, project_id: str, query: FlagQuery) -> int: ...

    async def put_flag(self, project_id: str, flag: Flag) -> None:
        """Make or replace a flag; its ``states`` are not looked at."""

    async def remove_flag(self, project_id: str, key: str) -> None:
        """Remove a flag and its states."""

    async def flag_state(self, environment_id: str, key: str) -> FlagState | None:
        """What a flag was set to, without the environment's slug; ``None`` when it never was."""

    async def flag_states(
        self, project_id: str, keys: Collection[str], environment_id: str = ""
    ) -> Mapping[str, Sequence[FlagState]]:
        """What some flags were set to, by key, in the order of the environments' slugs; in one environment if given."""

    async def put_flag_state(self, project_id: str, environment_id: str, key: str, state: FlagState) -> None: ...

    async def environment_flag(self, project_id: str, environment_id: str, key: str) -> FlagRecord | None:
        """A flag with its one state in an environment, or none."""

    async def environment_flags(
        self, project_id: str, environment_id: str, after: str, limit: int
    ) -> Sequence[FlagRecord]:
        """The same of all flags of a project, in the order of their keys. Fewer at a time where they are long."""

    async def flags_changed(
        self, project_id: str, environment_id: str, since: int, after: str, limit: int
    ) -> Sequence[str] | None:
        """Keys of the flags that changed after a version, in order: the flag, or what it is set to in an environment.

        Some may be what they were before. ``None`` when that was too long ago to be known.
        """

    async def snapshot_of(self, session_id: str) -> int | None:
        """The number of what a session has kept; ``None`` when it has kept nothing. Sessions may share one.

        What has a number never changes, and no number comes again.
        """

    async def pinned_flag(self, snapshot_id: int, key: str) -> FlagRecord | None:
        """A flag as it was kept, with its one state, or none."""

    async def pinned_flags(self, snapshot_id: int, after: str, limit: int) -> Sequence[FlagRecord]:
        """The same of all flags, in the order of their keys. Fewer at a time where they are long."""

    async def project_session(self, project_id: str, session_id: str) -> ProjectSessionRecord | None:
        """A session of a project, expired or not."""

    async def project_sessions(
        self, project_id: str, before: str, limit: int, alive_at_ms: int, bytes_max: int
    ) -> Sequence[ProjectSessionRecord]:
        """Those that have not expired by then, newest first, older than the id ``before`` (empty: all).

        No more than ``limit``, and no more than fit in ``bytes_max`` together; but the first, whatever it takes.
        """

    async def project_session_count(self, project_id: str, alive_at_ms: int | None = None) -> int:
        """How many a project has; with a moment, how many of them have not expired by then, which takes longer."""

    async def put_project_session(self, record: ProjectSessionRecord) -> None: ...

    async def remove_project_session(self, project_id: str, session_id: str) -> None: ...

    async def ended_project_sessions(self, now_ms: int, limit: int) -> Sequence[tuple[str, str]]:
        """Project id and id of some that have expired."""
