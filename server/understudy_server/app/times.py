"""Moments: milliseconds since 1970 inside, ``google.protobuf.Timestamp`` in messages; never finer than that."""

from google.protobuf.timestamp_pb2 import Timestamp


def stamp(milliseconds: int) -> Timestamp:
    return Timestamp(seconds=milliseconds // 1000, nanos=milliseconds % 1000 * 1_000_000)


def set_moment(message: Timestamp, milliseconds: int) -> None:
    """Write a moment into a message, which takes half as long as to copy one there."""
    message.seconds, message.nanos = milliseconds // 1000, milliseconds % 1000 * 1_000_000


def milliseconds(moment: Timestamp) -> int:
    return moment.seconds * 1000 + moment.nanos // 1_000_000
