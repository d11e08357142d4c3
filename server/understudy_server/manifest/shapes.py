"""What the contract says of messages, as a file needs it: read from descriptors, once for each type."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from understudy_server.manifest import options

INCLUDE = "include"
"""The key under which a mapping names files that hold more of it."""

INCLUDING = frozenset(("understudy.v1.Manifest", "understudy.v1.ManifestProject", "understudy.v1.ManifestEnvironment"))
"""Messages that may be spread over several files."""

BESIDE_SUFFIX = "File"

_INT32, _INT64 = (-(2**31), 2**31 - 1), (-(2**63), 2**63 - 1)
_UINT32, _UINT64 = (0, 2**32 - 1), (0, 2**64 - 1)
_RANGES: Mapping[int, tuple[int, int]] = {
    FieldDescriptor.CPPTYPE_INT32: _INT32,
    FieldDescriptor.CPPTYPE_INT64: _INT64,
    FieldDescriptor.CPPTYPE_UINT32: _UINT32,
    FieldDescriptor.CPPTYPE_UINT64: _UINT64,
}


class Kind(Enum):
    """How one value is written."""

    TEXT = auto()
    JSON = auto()
    BYTES = auto()
    BOOL = auto()
    INTEGER = auto()
    NUMBER = auto()
    ENUM = auto()
    TIMESTAMP = auto()
    MESSAGE = auto()


_KINDS: Mapping[int, Kind] = {
    FieldDescriptor.TYPE_STRING: Kind.TEXT,
    FieldDescriptor.TYPE_BYTES: Kind.BYTES,
    FieldDescriptor.TYPE_BOOL: Kind.BOOL,
    FieldDescriptor.TYPE_FLOAT: Kind.NUMBER,
    FieldDescriptor.TYPE_DOUBLE: Kind.NUMBER,
    FieldDescriptor.TYPE_ENUM: Kind.ENUM,
    FieldDescriptor.TYPE_MESSAGE: Kind.MESSAGE,
}


class UnwritableField(Exception):
    """The contract holds a field that has no form in a file. Raised for a type, never for what a file says."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field. For a list or a map, ``kind`` and what follows it describe its values.

    ``low`` and ``high`` are the range of an integer's type; ``spellings`` are the values of an enum by their names;
    ``message`` is the type of a message. ``oneof`` is the group of which one field at most is given, or empty.
    """

    name: str
    key: str
    kind: Kind
    is_list: bool
    is_map: bool
    has_presence: bool
    oneof: str
    output_only: bool
    verbatim: bool
    beside: bool
    low: int
    high: int
    spellings: Mapping[str, int]
    message: Descriptor | None

    @property
    def shape(self) -> "Shape":
        """The shape of the message that it holds. Raises UnwritableField when it holds none."""
        if self.message is None:
            raise UnwritableField(f"{self.name} holds no message")
        return shape_of(self.message)


@dataclass(frozen=True, slots=True)
class Shape:
    """One type of message: its fields in their order, by key (``jsonPaths``), and by name (``json_paths``)."""

    full_name: str
    fields: tuple[Field, ...]
    by_key: Mapping[str, Field]
    by_name: Mapping[str, Field]
    by_beside: Mapping[str, Field]
    """Fields whose content may stand in a file, by the key of its path: ``jsonFile``."""

    @property
    def includes(self) -> bool:
        """True when it may be spread over several files."""
        return self.full_name in INCLUDING

    @property
    def keys(self) -> tuple[str, ...]:
        """All keys that a file may hold for it."""
        own = tuple(field.key for field in self.fields if not field.output_only)
        return own + tuple(self.by_beside) + ((INCLUDE,) if self.includes else ())


@cache
def shape_of(descriptor: Descriptor) -> Shape:
    """The shape of a type of message. Raises UnwritableField."""
    # Whoever writes a file says what is to be set by writing it: a mask has no place there.
    fields = tuple(_field(each) for each in descriptor.fields if not _is_mask(each))
    return Shape(
        full_name=descriptor.full_name,
        fields=fields,
        by_key={field.key: field for field in fields},
        by_name={field.name: field for field in fields},
        by_beside={field.key + BESIDE_SUFFIX: field for field in fields if field.beside},
    )


def _is_mask(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.full_name == FieldMask.DESCRIPTOR.full_name


def _field(field: FieldDescriptor) -> Field:
    is_map = field.message_type is not None and bool(field.message_type.GetOptions().map_entry)
    value = field.message_type.fields_by_name["value"] if is_map and field.message_type is not None else field
    low, high = _RANGES.get(value.cpp_type, (0, 0))
    # The compiler wraps an `optional` field into a oneof of its own, named after it.
    group = field.containing_oneof
    written = options.manifest(field)
    return Field(
        name=field.name,
        key=field.json_name,
        kind=_kind(field, value),
        is_list=field.is_repeated and not is_map,
        is_map=is_map,
        has_presence=field.has_presence,
        oneof="" if group is None or group.name == f"_{field.name}" else group.name,
        output_only=options.is_output_only(field),
        verbatim=written.verbatim,
        beside=written.beside,
        low=low,
        high=high,
        spellings=_spellings(value.enum_type) if value.enum_type else {},
        message=value.message_type,
    )


def _kind(field: FieldDescriptor, value: FieldDescriptor) -> Kind:
    if options.is_raw_json(field):
        return Kind.JSON
    if value.cpp_type in _RANGES:
        return Kind.INTEGER
    if value.message_type is not None and value.message_type.full_name == Timestamp.DESCRIPTOR.full_name:
        return Kind.TIMESTAMP
    is_foreign = value.message_type is not None and value.message_type.full_name.startswith("google.")
    if value.type not in _KINDS or is_foreign:
        raise UnwritableField(f"{field.full_name} has no form in a file")
    return _KINDS[value.type]


def _spellings(enum: EnumDescriptor) -> Mapping[str, int]:
    """The values of an enum by their names as over REST: ``DRAFT`` of ``MockState`` is ``draft``; zero has no name."""
    prefix = "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in enum.name).lstrip("_") + "_"
    return {value.name.removeprefix(prefix).lower(): value.number for value in enum.values if value.number}
