"""JSON and moments, as FlagBridge writes and reads them."""

from typing import Any

import orjson
from google.protobuf.timestamp_pb2 import Timestamp

from understudy_gateway.dialects.flagbridge.refusals import invalid
from understudy_gateway.transcoding import json_text, timestamps


def written(value: Any) -> bytes:
    """JSON text of a value, compact."""
    return orjson.dumps(value)


def kept(text: str) -> orjson.Fragment:
    """A value that the server keeps as JSON text, to be written as it is."""
    return orjson.Fragment(text or "null")


def raw(value: Any) -> str:
    """JSON text of a value that was read from a request, for a field that holds JSON; its numbers keep their digits."""
    return json_text.write(value)


def moment(stamp: Timestamp) -> str:
    """``2026-06-23T12:00:00.000Z``."""
    return timestamps.write(stamp.seconds, stamp.nanos)


def object_of(body: bytes) -> dict[str, Any]:
    """The members of a body that must be a JSON object. Raises Refusal."""
    try:
        return json_text.parse_object(body)
    except json_text.InvalidJson as error:
        raise invalid(str(error)) from None
