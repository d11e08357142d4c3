"""What a call can be refused with: few types, split by what the caller should do next.

Every error carries a stable code. ``rpc/errors.py`` is the one table from code to gRPC status; each dialect of the
gateway has one from code to its own status and envelope.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """Where an input is at fault: the part of an error that a machine can act on.

    ``field`` is a dotted path in proto names (``mock.matcher.path``), empty when no single field is at fault; ``rule``
    names what was broken (``max_length``), ``limit`` is its bound and ``given`` the offending input, cut short.
    """

    field: str = ""
    rule: str = ""
    limit: str = ""
    given: str = ""


class Refusal(Exception):
    """A call that was refused. ``message`` is for the caller; the cause (``__cause__``) never leaves the process.

    ``more`` are what else the same call would be refused for, none of which has more itself; ``untold`` says how many
    there are beside these.
    """

    def __init__(self, code: str, message: str, fault: Fault | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fault = fault or Fault()
        self.more: Sequence[Refusal] = ()
        self.untold = 0


class InvalidInput(Refusal):
    """The caller must change what it sends."""

    def __init__(self, message: str, fault: Fault | None = None, *, code: str = "invalid_field") -> None:
        super().__init__(code, message, fault)


class Unauthenticated(Refusal):
    """The caller must send a key that works."""

    def __init__(self, message: str) -> None:
        super().__init__("unauthorized", message)


class Forbidden(Refusal):
    """The caller's key will not do: ``plan_required``, ``role_required`` or ``scope_mismatch``."""


class NotFound(Refusal):
    """There is no such thing, or the caller may not know that there is."""

    def __init__(self, what: str, fault: Fault | None = None) -> None:
        super().__init__("not_found", what, fault)


class Conflict(Refusal):
    """The caller must look again first: what it counted on is not so.

    ``already_exists``, ``revision_mismatch``, ``not_empty``, ``managed_by_file``, ``source_followed``,
    ``other_projects``, ``body_not_kept``, ``not_a_number`` or ``file_in_use``.
    """


class LimitReached(Refusal):
    """There is room for no more: ``rate_limited`` (with the seconds to wait), ``key_limit``, ``state_full``,
    ``files_full``, ``session_mocks_full``, ``flags_full`` or ``project_sessions_full``.
    """

    def __init__(self, code: str, message: str, fault: Fault | None = None, *, retry_after_seconds: int = 0) -> None:
        super().__init__(code, message, fault)
        self.retry_after_seconds = retry_after_seconds


class StorageFailure(Refusal):
    """Nothing was changed: the store cannot write or read now (``storage_unavailable``). Trying again may work."""

    def __init__(self, message: str) -> None:
        super().__init__("storage_unavailable", message)
