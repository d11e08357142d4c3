"""From messages to JSON: one writer per message type, compiled once.

A field without presence is always there. An unset field with presence is null if the contract says so, and left out
otherwise. An enum's zero value has no spelling, and no text is no JSON: both are left out, too.
"""

import base64
import math
from collections.abc import Callable
from operator import attrgetter
from typing import Any

import orjson
from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from understudy_gateway.transcoding import timestamps
from understudy_gateway.transcoding.fields import Field, Kind, read_fields

# The greatest number up to which every whole number is a double.
_WHOLE_MAX = 2**53

_Convert = Callable[[Any], Any]
_Plan = list[tuple[str, Callable[[Message], Any], str, bool, bool, _Convert | None]]


class MessageEncoder:
    """Writes messages of one type as values for ``dump``."""

    def __init__(self, plan: _Plan) -> None:
        self._plan = plan

    def value(self, message: Message) -> dict[str, Any]:
        """Return the JSON object of a message, its keys in the order of the fields in the contract."""
        members: dict[str, Any] = {}
        is_set = message.HasField
        for key, get, presence, nullable, skips_zero, convert in self._plan:
            if presence and not is_set(presence):
                if nullable:
                    members[key] = None
                continue
            value = get(message)
            if skips_zero and not value:
                continue
            members[key] = value if convert is None else convert(value)
        return members


class Encoders:
    """The encoders of all message types met so far; those of nested types are made with their parents."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, bool], MessageEncoder] = {}

    def of(self, descriptor: Descriptor, *, whole_body: bool = False) -> MessageEncoder:
        """Return the encoder of a message type. As the whole body of an answer it leaves out what travels in headers.

        Raises ``UnsupportedField``.
        """
        key = (descriptor.full_name, whole_body)
        if key not in self._made:
            plan: _Plan = []
            # Kept before it is complete, so that a type may hold itself.
            self._made[key] = MessageEncoder(plan)
            plan.extend(self._step(spec) for spec in read_fields(descriptor) if not (whole_body and spec.header))
        return self._made[key]

    def field_value(self, spec: Field) -> _Convert:
        """Return what turns the value of a field, as its message gives it, into a value for ``dump``."""
        return self._convert(spec) or (lambda value: value)

    def _step(self, spec: Field) -> tuple[str, Callable[[Message], Any], str, bool, bool, _Convert | None]:
        skips_zero = spec.has_blank
        presence = spec.name if spec.has_presence else ""
        return spec.json_name, attrgetter(spec.name), presence, spec.nullable, skips_zero, self._convert(spec)

    def _convert(self, spec: Field) -> _Convert | None:
        one = self._convert_one(spec)
        if spec.is_map:
            # Sorted, because a map has no order of its own and equal messages should be equal text.
            return lambda values: {key: values[key] if one is None else one(values[key]) for key in sorted(values)}
        if spec.is_repeated:
            return list if one is None else lambda values: [one(value) for value in values]
        return one

    def _convert_one(self, spec: Field) -> _Convert | None:
        if spec.kind is Kind.MESSAGE:
            return self.of(spec.nested).value
        if spec.kind is Kind.ENUM:
            spellings = spec.spellings
            return lambda number: spellings.get(number, number)
        return _CONVERTERS.get(spec.kind)


def dump(value: Any) -> bytes:
    """Write a value that an encoder returned as JSON text in UTF-8."""
    return orjson.dumps(value)


def _number(value: float) -> float:
    """Return a number as people write it: 1 and not 1.0. Minus zero and what is beyond all digits stay as they are."""
    is_plain = value.is_integer() and abs(value) <= _WHOLE_MAX and (value != 0 or math.copysign(1, value) > 0)
    return int(value) if is_plain else value


_CONVERTERS: dict[Kind, _Convert] = {
    # Text that was checked when it came in: spliced as it is, so that no digit changes.
    Kind.RAW: lambda text: orjson.Fragment(text or "null"),
    Kind.BYTES: lambda value: base64.b64encode(value).decode(),
    Kind.NUMBER: _number,
    Kind.TIMESTAMP: lambda value: timestamps.write(value.seconds, value.nanos),
}
