"""From JSON to messages: one reader per message type, compiled once. A fault does not stop the reading of the rest."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from understudy_gateway.transcoding.faults import BadValue, InputFault, misfit, unknown
from understudy_gateway.transcoding.fields import Field, Kind, is_mask, read_field
from understudy_gateway.transcoding.values import json_reader, set_timestamp


@dataclass(slots=True)
class Reading:
    """One request being read. ``lenient``: unknown keys are ignored. ``faults`` in the order in which they were met.

    ``merges``: objects are merged into those that are there, so that null clears whatever it is given for.
    """

    lenient: bool
    faults: list[InputFault] = field(default_factory=list)
    merges: bool = False

    def merging(self) -> "Reading":
        """The same reading, of what is merged."""
        return Reading(self.lenient, self.faults, merges=True)

    def whole(self) -> "Reading":
        """The same reading, of what is set whole."""
        return Reading(self.lenient, self.faults) if self.merges else self


_Put = Callable[[Message, Any, str, Reading], list[str] | None]
"""Puts a JSON value into a field of the message, or into the message itself; the text is the path of the value in proto
names. Returns the paths of what was given within a value that is merged, ``None`` for one that is set whole. Raises
``BadValue``."""

_PutElement = Callable[[Any, Any, Any, str, Reading], object]
"""Puts a JSON value into a container, at a key (for a list: an index that does not matter)."""


class MessageDecoder:
    """Reads JSON objects into messages of one type. ``fields`` by the names they have in JSON."""

    def __init__(self, fields: dict[str, tuple[Field, _Put]]) -> None:
        self._fields = fields

    def fill(self, message: Message, members: dict[str, Any], path: str, reading: Reading) -> list[str]:
        """Set the fields named by ``members`` and return the names (proto) of those that were given, null among them.

        Of an object that is merged, the paths of what was given within it are returned in place of its name: none for
        one that is empty. ``path`` is what stands before a field's name in faults: empty, or ending with a dot. Fields
        that only the server sets are ignored and not returned. Faults go to ``reading``; what is readable is set all
        the same.
        """
        given: list[str] = []
        chosen: dict[str, str] = {}
        for key, value in members.items():
            known = self._fields.get(key)
            if known is None:
                if not reading.lenient:
                    reading.faults.append(unknown(path + key, key))
                continue
            spec, put = known
            if spec.output_only:
                continue
            below = None
            try:
                if value is None and (spec.nullable or spec.kind is not Kind.RAW):
                    _clear(message, spec, reading)
                else:
                    if spec.oneof:
                        _choose(chosen, spec.oneof, key)
                    below = put(message, value, path + spec.name, reading)
            except BadValue as bad:
                reading.faults.append(misfit(spec.reason, path + spec.name, bad, value))
            if below is None:
                given.append(spec.name)
            else:
                given += [f"{spec.name}.{inner}" for inner in below]
        return given


class Decoders:
    """The decoders of all message types met so far; those of nested types are made with their parents."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, frozenset[str]], MessageDecoder] = {}

    def of(self, descriptor: Descriptor, without: frozenset[str] = frozenset()) -> MessageDecoder:
        """Return the decoder of a message type; ``without`` names fields (proto) that are not read from JSON.

        Raises ``UnsupportedField``.
        """
        key = (descriptor.full_name, without)
        if key not in self._made:
            fields: dict[str, tuple[Field, _Put]] = {}
            # Kept before it is complete, so that a type may hold itself.
            self._made[key] = MessageDecoder(fields)
            for entry in descriptor.fields:
                if not is_mask(entry) and entry.name not in without:
                    spec = read_field(entry)
                    fields[spec.json_name] = (spec, self._putter(spec))
        return self._made[key]

    def _putter(self, spec: Field) -> _Put:
        if spec.kind is Kind.MESSAGE:
            return _message_putter(spec, _filler(self.of(spec.nested)))
        if spec.kind is Kind.TIMESTAMP:
            return _message_putter(spec, _fill_timestamp(spec))
        return _scalar_putter(spec)


def _message_putter(spec: Field, fill: _Put) -> _Put:
    name = spec.name
    if spec.is_map:
        return _map_putter(spec, lambda values, key, value, path, reading: fill(values[key], value, path, reading))
    if spec.is_repeated:
        return _list_putter(spec, lambda values, _, value, path, reading: fill(values.add(), value, path, reading))
    return lambda message, value, path, reading: fill(getattr(message, name), value, path, reading)


def _scalar_putter(spec: Field) -> _Put:
    name, read = spec.name, json_reader(spec)
    if spec.is_map:
        return _map_putter(spec, lambda values, key, value, *_: values.__setitem__(key, read(value)))
    if spec.is_repeated:
        return _list_putter(spec, lambda values, _key, value, *_: values.append(read(value)))
    return lambda message, value, *_: setattr(message, name, read(value))


def _filler(decoder: MessageDecoder) -> _Put:
    def fill(target: Message, value: Any, path: str, reading: Reading) -> list[str] | None:
        if type(value) is not dict:
            raise BadValue("an object")
        if not reading.merges:
            target.SetInParent()
            decoder.fill(target, value, path + ".", reading)
            return None
        below = decoder.fill(target, value, path + ".", reading)
        if below:
            # An object that says nothing is not there, so that a mask that names nothing says the same.
            target.SetInParent()
        return below

    return fill


def _fill_timestamp(spec: Field) -> _Put:
    read = json_reader(spec)
    return lambda target, value, *_: set_timestamp(target, read(value))


def _list_putter(spec: Field, put: _PutElement) -> _Put:
    def put_all(message: Message, value: Any, path: str, reading: Reading) -> None:
        if type(value) is not list:
            raise BadValue("a list")
        elements = ((index, element, f"{path}[{index}]") for index, element in enumerate(value))
        _put_each(spec, getattr(message, spec.name), elements, put, reading)

    return put_all


def _map_putter(spec: Field, put: _PutElement) -> _Put:
    def put_all(message: Message, value: Any, path: str, reading: Reading) -> None:
        if type(value) is not dict:
            raise BadValue("an object")
        elements = ((key, element, f"{path}[{key!r}]") for key, element in value.items())
        _put_each(spec, getattr(message, spec.name), elements, put, reading)

    return put_all


def _put_each(
    spec: Field, container: Any, elements: Iterable[tuple[Any, Any, str]], put: _PutElement, reading: Reading
) -> None:
    reading = reading.whole()
    for key, element, path in elements:
        try:
            put(container, key, element, path, reading)
        except BadValue as bad:
            reading.faults.append(misfit(spec.reason, path, bad, element))


def _choose(chosen: dict[str, str], oneof: str, key: str) -> None:
    if chosen.setdefault(oneof, key) != key:
        raise BadValue(f"left out when {chosen[oneof]} is given", "oneof")


def _clear(message: Message, spec: Field, reading: Reading) -> None:
    if not (spec.nullable or reading.merges):
        raise BadValue("something other than null", "null")
    message.ClearField(spec.name)
