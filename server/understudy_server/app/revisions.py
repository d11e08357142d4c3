"""Revisions: how two editors notice each other."""

from typing import Protocol, TypeVar

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from understudy_server.app.times import stamp
from understudy_server.core.errors import Conflict, Fault

_Any = TypeVar("_Any", bound=Message)


class _Revised(Protocol):
    revision: int

    @property
    def updated_at(self) -> Timestamp: ...


def check_revision(present: int, expected: int) -> None:
    """Raise Conflict (revision_mismatch) when the caller saw another revision than the present; 0 expects nothing."""
    if expected and expected != present:
        fault = Fault("expected_revision", "revision", str(present), str(expected))
        raise Conflict("revision_mismatch", f"the revision is {present} by now, not {expected}; read it again", fault)


def copied(message: _Any) -> _Any:
    """A copy of a message from before a change, to tell whether it changes anything: only then does it count."""
    copy = type(message)()
    copy.CopyFrom(message)
    return copy


def touched(message: _Revised, now_ms: int) -> None:
    """Note a change: the next revision, and when."""
    message.revision += 1
    message.updated_at.CopyFrom(stamp(now_ms))
