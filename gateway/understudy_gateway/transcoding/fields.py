"""What the contract says about a field, read from its descriptor and options once, when the gateway starts."""

from dataclasses import dataclass
from enum import Enum, auto

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor
from understudy.options.v1.options_pb2 import ON_VIOLATION_CLAMP

from understudy_gateway.transcoding import options


class Kind(Enum):
    """How the value of a field is written in JSON."""

    STRING = auto()
    RAW = auto()
    BYTES = auto()
    BOOL = auto()
    INTEGER = auto()
    NUMBER = auto()
    ENUM = auto()
    TIMESTAMP = auto()
    MESSAGE = auto()


_INT32, _INT64 = (-(2**31), 2**31 - 1), (-(2**63), 2**63 - 1)
_UINT32, _UINT64 = (0, 2**32 - 1), (0, 2**64 - 1)

_INTEGERS: dict[int, tuple[int, int]] = {
    FieldDescriptor.TYPE_INT32: _INT32,
    FieldDescriptor.TYPE_SINT32: _INT32,
    FieldDescriptor.TYPE_SFIXED32: _INT32,
    FieldDescriptor.TYPE_INT64: _INT64,
    FieldDescriptor.TYPE_SINT64: _INT64,
    FieldDescriptor.TYPE_SFIXED64: _INT64,
    FieldDescriptor.TYPE_UINT32: _UINT32,
    FieldDescriptor.TYPE_FIXED32: _UINT32,
    FieldDescriptor.TYPE_UINT64: _UINT64,
    FieldDescriptor.TYPE_FIXED64: _UINT64,
}

_SCALARS: dict[int, Kind] = {
    FieldDescriptor.TYPE_STRING: Kind.STRING,
    FieldDescriptor.TYPE_BYTES: Kind.BYTES,
    FieldDescriptor.TYPE_BOOL: Kind.BOOL,
    FieldDescriptor.TYPE_FLOAT: Kind.NUMBER,
    FieldDescriptor.TYPE_DOUBLE: Kind.NUMBER,
    FieldDescriptor.TYPE_ENUM: Kind.ENUM,
    **dict.fromkeys(_INTEGERS, Kind.INTEGER),
}

MASK = "google.protobuf.FieldMask"
HTTP_BODY = "google.api.HttpBody"
_TIMESTAMP = "google.protobuf.Timestamp"


class UnsupportedField(Exception):
    """The contract holds a field that has no form in JSON here. Raised when the gateway starts, never by a request."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message.

    ``low`` and ``high`` are the range of an integer's type. ``spellings`` maps the numbers of an enum to their names in
    lower case without the enum's prefix; the zero value has none, since it only means "not given". For a map, ``kind``
    and the rest describe its values. ``oneof`` is the group in which at most one field may be set, or empty.
    """

    descriptor: FieldDescriptor
    name: str
    json_name: str
    kind: Kind
    is_repeated: bool
    is_map: bool
    has_presence: bool
    nullable: bool
    clamps: bool
    output_only: bool
    required: bool
    reason: str
    header: str
    omits_empty: bool
    oneof: str
    low: int
    high: int
    spellings: dict[int, str]
    message: Descriptor | None

    @property
    def is_single(self) -> bool:
        """Tell whether the field holds one value, and not a list or a map."""
        return not (self.is_repeated or self.is_map)

    @property
    def has_blank(self) -> bool:
        """Tell whether the field's zero value has no form in JSON: it has none, or the contract leaves it out."""
        return self.omits_empty or (self.is_single and self.kind in {Kind.ENUM, Kind.RAW})

    @property
    def nested(self) -> Descriptor:
        """The type of the message that the field holds. Raises ``UnsupportedField`` when it holds none."""
        if self.message is None:
            raise UnsupportedField(f"{self.descriptor.full_name}: not a message")
        return self.message


def read_fields(message: Descriptor) -> list[Field]:
    """Describe the fields of a message that have a place in JSON or in headers. A field mask has none and is left out.

    Raises ``UnsupportedField`` for what has no form in JSON here.
    """
    return [read_field(field) for field in message.fields if not is_mask(field)]


def is_mask(field: FieldDescriptor) -> bool:
    """Tell whether the field is a ``google.protobuf.FieldMask``."""
    return field.message_type is not None and field.message_type.full_name == MASK


def read_field(field: FieldDescriptor) -> Field:
    """Describe one field. Raises ``UnsupportedField``."""
    is_map = _is_map(field)
    value = _value_of_map(field) if is_map else field
    low, high = _INTEGERS.get(value.type, (0, 0))
    return Field(
        descriptor=field,
        name=field.name,
        json_name=field.json_name,
        kind=_kind(value, raw=options.is_raw_json(field)),
        is_repeated=field.is_repeated and not is_map,
        is_map=is_map,
        has_presence=field.has_presence,
        nullable=options.is_nullable(field),
        clamps=options.limits(field).on_violation == ON_VIOLATION_CLAMP,
        output_only=options.is_output_only(field),
        required=options.is_required(field),
        reason=options.reason(field),
        header=options.header(field),
        omits_empty=options.omits_empty(field),
        oneof=_oneof(field),
        low=low,
        high=high,
        spellings=enum_spellings(value.enum_type) if value.enum_type else {},
        message=value.message_type,
    )


def enum_spellings(enum: EnumDescriptor) -> dict[int, str]:
    """Map the numbers of an enum to their spellings: ``DELETE_MODE_RESET`` of ``DeleteMode`` is ``reset``."""
    prefix = "".join(f"_{letter}" if letter.isupper() else letter.upper() for letter in enum.name).lstrip("_") + "_"
    return {value.number: value.name.removeprefix(prefix).lower() for value in enum.values if value.number}


def _kind(field: FieldDescriptor, *, raw: bool) -> Kind:
    if raw:
        if field.type != FieldDescriptor.TYPE_STRING:
            raise UnsupportedField(f"{field.full_name}: only a string field can hold raw JSON")
        return Kind.RAW
    if field.type in _SCALARS:
        return _SCALARS[field.type]
    if field.message_type is not None and field.message_type.full_name == _TIMESTAMP:
        return Kind.TIMESTAMP
    if field.message_type is not None and _is_ours(field.message_type):
        return Kind.MESSAGE
    raise UnsupportedField(f"{field.full_name}: the type has no form in JSON")


def _is_ours(message: Descriptor) -> bool:
    # HttpBody has no form in JSON either, but as the body of an answer it stands for itself.
    return not message.full_name.startswith("google.") or message.full_name == HTTP_BODY


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def _value_of_map(field: FieldDescriptor) -> FieldDescriptor:
    entry = field.message_type
    if entry is None or entry.fields_by_name["key"].type != FieldDescriptor.TYPE_STRING:
        raise UnsupportedField(f"{field.full_name}: the keys of a map must be strings")
    return entry.fields_by_name["value"]


def _oneof(field: FieldDescriptor) -> str:
    # The compiler wraps an `optional` field into a oneof of its own, named after it.
    group = field.containing_oneof
    return "" if group is None or group.name == f"_{field.name}" else group.name
