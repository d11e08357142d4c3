"""Reading and writing long messages in pieces, so that the event loop runs in between.

What protobuf does with a message is one call that nothing interrupts: for thousands of mocks it takes milliseconds, and
in these no request is answered. But a message on the wire is a sequence of fields, and whole fields of it are a message
too; merging one piece after the other gives what reading all at once gives. A field that is itself too long for a piece
is read in the same way. Writing is the reverse: each element of a long list or map is written by itself.

This is for threads that give way (`core/giving_way.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, TypeVar

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from understudy_server.core.giving_way import give_way

M = TypeVar("M", bound=Message)

PIECE_BYTES = 16 * 1024
"""So much is read in one go, or a single value if that is longer: about a tenth of a millisecond."""
LONG_ELEMENTS = 100
"""A message with so many elements in a list or map of messages is long: writing it takes about as much."""

# Fields within fields that are read in pieces. What lies deeper is read in one go.
_DEPTH_MAX = 10
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
# Of a tag and of a length; a number that is a value may have more.
_HEADER_BYTES_MAX, _VALUE_BYTES_MAX = 5, 10
_KEY, _VALUE = 1, 2


class _Unclear(Exception):
    """The bytes cannot be taken apart here: protobuf itself is to say what they are."""


class _Field(NamedTuple):
    """Where a field is: from its tag up to its end; what it holds begins at ``content``."""

    number: int
    wire_type: int
    begin: int
    content: int
    end: int


def read(kind: type[M], data: bytes) -> M:
    """Read a message: what ``kind.FromString`` gives or raises (DecodeError)."""
    if len(data) > PIECE_BYTES:
        message = kind()
        try:
            _merge(message, data, 0, len(data), _DEPTH_MAX)
        except (_Unclear, DecodeError):
            # Whatever it is, the error is protobuf's own.
            give_way()
        else:
            return message
    return kind.FromString(data)


def _merge(message: Any, data: bytes, begin: int, end: int, depth: int) -> None:
    """Merge the fields between two places into a message."""
    fields = _fields_of_messages(message.DESCRIPTOR) if depth else {}
    for field in _fields(data, begin, end):
        is_long = field.wire_type == _BYTES and field.end - field.content > PIECE_BYTES
        known = fields.get(field.number) if is_long else None
        if known:
            _merge_piece(message, data, begin, field.begin)
            if known.is_map:
                _merge_entry(message, known.name, data, field, depth - 1)
            else:
                _merge(known.one_more(message), data, field.content, field.end, depth - 1)
            begin = field.end
        elif field.end - begin > PIECE_BYTES:
            # The pieces end before what would make them longer than they should be.
            _merge_piece(message, data, begin, field.begin)
            begin = field.begin
    _merge_piece(message, data, begin, end)


def _merge_piece(message: Any, data: bytes, begin: int, end: int) -> None:
    if begin < end:
        give_way()
        message.MergeFromString(data[begin:end])


def _merge_entry(message: Any, name: str, data: bytes, entry: _Field, depth: int) -> None:
    """Put the entry of a map in, in place of one with the same key; of keys the last counts, and values are merged."""
    key, values = "", list[_Field]()
    for field in _fields(data, entry.content, entry.end):
        if (field.number, field.wire_type) == (_KEY, _BYTES):
            key = _text(data[field.content : field.end])
        elif (field.number, field.wire_type) == (_VALUE, _BYTES):
            values.append(field)
        else:
            # To protobuf it is no entry then but something unknown, whole.
            _merge_piece(message, data, entry.begin, entry.end)
            return
    entries = getattr(message, name)
    entries.pop(key, None)
    made = entries[key]
    for value in values:
        _merge(made, data, value.content, value.end, depth)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise _Unclear from None


def _fields(data: bytes, begin: int, end: int) -> Iterator[_Field]:
    """The fields between two places, in order. Raises _Unclear when these are not whole fields."""
    at = begin
    while at < end:
        tag, content = _varint(data, at, end, _HEADER_BYTES_MAX)
        wire_type = tag & 7
        after = content
        if wire_type == _BYTES:
            length, content = _varint(data, content, end, _HEADER_BYTES_MAX)
            after = content + length
        elif wire_type == _VARINT:
            _, after = _varint(data, content, end, _VALUE_BYTES_MAX)
        elif wire_type == _FIXED64:
            after += 8
        elif wire_type == _FIXED32:
            after += 4
        else:
            # A group, which the contract has none of, or nothing that there is.
            raise _Unclear
        if after > end:
            raise _Unclear
        yield _Field(tag >> 3, wire_type, at, content, after)
        give_way()
        at = after


def _varint(data: bytes, at: int, end: int, bytes_max: int) -> tuple[int, int]:
    """A number, and where it ends."""
    value = 0
    for shift, place in enumerate(range(at, min(end, at + bytes_max))):
        byte = data[place]
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:
            return value, place + 1
    raise _Unclear


def is_long(message: Message) -> bool:
    """Tell whether writing a message in one go would take long. Costs next to nothing where its kind has no lists."""
    return _count(message, LONG_ELEMENTS) >= LONG_ELEMENTS


def write(message: Message) -> bytes:
    """Write a message: what reads as the same as what ``SerializeToString`` gives, in another order of fields."""
    return b"".join(_pieces(message))


def _count(message: Message, most: int) -> int:
    """How many elements are in the lists and maps of a message and of all in it; no more than ``most`` are counted."""
    found = 0
    for field in _fields_with_lists(message.DESCRIPTOR).values():
        value = getattr(message, field.name)
        if field.is_single:
            values: Any = (value,) if message.HasField(field.name) else ()
        else:
            found += len(value)
            values = value.values() if field.is_map else value
        for each in values if field.has_lists else ():
            if found >= most:
                break
            found += _count(each, most - found)
    return min(found, most)


def _pieces(message: Message) -> Iterator[bytes]:
    give_way()
    # What is unknown can only be copied with all the rest; nothing that this process makes has any.
    if not is_long(message) or len(UnknownFieldSet(message)):
        yield message.SerializeToString()
        return
    apart = _fields_with_lists(message.DESCRIPTOR)
    fields = message.ListFields()
    rest = {descriptor.name: value for descriptor, value in fields if descriptor.number not in apart}
    yield type(message)(**rest).SerializeToString()
    for descriptor, value in fields:
        field = apart.get(descriptor.number)
        if field and field.is_map:
            for key in value:
                name = key.encode()
                entry = (_header(_KEY, len(name)), name, *_long_field(_VALUE, value[key]))
                yield _header(field.number, sum(map(len, entry)))
                yield from entry
        elif field:
            for each in (value,) if field.is_single else value:
                yield from _long_field(field.number, each)


def _long_field(number: int, value: Message) -> tuple[bytes, bytes]:
    """A field that holds a message: its header, and what it holds."""
    content = write(value)
    return _header(number, len(content)), content


def _header(number: int, length: int) -> bytes:
    return _written_varint(number << 3 | _BYTES) + _written_varint(length)


def _written_varint(value: int) -> bytes:
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


@dataclass(frozen=True, slots=True)
class _MessageField:
    """A field of messages: one, a list of them, or a map to them by text. ``has_lists``: there may be such in them."""

    name: str
    number: int
    is_single: bool
    is_map: bool
    has_lists: bool

    def one_more(self, message: Any) -> Any:
        """What the content of the field is merged into: a new element, or the one message that there is."""
        value = getattr(message, self.name)
        return value if self.is_single else value.add()


@cache
def _fields_of_messages(kind: Descriptor) -> dict[int, _MessageField]:
    """The fields of a kind of message that hold messages, by number."""
    return {field.number: found for field in kind.fields if (found := _field_of_messages(field))}


@cache
def _fields_with_lists(kind: Descriptor) -> dict[int, _MessageField]:
    """Those of them that are lists or maps, or may have some in them."""
    known = _fields_of_messages(kind)
    return {number: field for number, field in known.items() if field.has_lists or not field.is_single}


def _field_of_messages(field: FieldDescriptor) -> _MessageField | None:
    kind = field.message_type
    if kind is None or field.type == FieldDescriptor.TYPE_GROUP:
        return None
    is_map = kind.GetOptions().map_entry
    if is_map:
        key, kind = kind.fields_by_number[_KEY], kind.fields_by_number[_VALUE].message_type
        if kind is None or key.type != FieldDescriptor.TYPE_STRING:
            return None
    is_single = not field.is_repeated
    return _MessageField(field.name, field.number, is_single, is_map, _has_lists(kind, frozenset()))


def _has_lists(kind: Descriptor, above: frozenset[str]) -> bool:
    """True when a list or map of messages may be somewhere in a message. ``above``: what was looked into already."""
    return kind.full_name not in above and any(
        field.is_repeated or _has_lists(field.message_type, above | {kind.full_name})
        for field in kind.fields
        if field.message_type is not None
    )
