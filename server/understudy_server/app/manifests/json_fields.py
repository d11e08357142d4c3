"""Fields of messages as JSON writes them: what is read from a descriptor once, and values as JSON text."""

import base64
import json
import re
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from understudy.options.v1 import options_pb2

NULL = "null"

# Strings whole, and what lies between white space outside of them.
_WHITE_SPACE = re.compile(r"\s")
_JSON_PARTS = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s"]+')


class Form(Enum):
    """What a field holds."""

    PLAIN = "plain"
    MESSAGE = "message"
    LIST = "list"
    MAP = "map"


class _Value(Enum):
    """How a single value is written."""

    JSON = "json"  # as the standard library writes it
    RAW = "raw"
    ENUM = "enum"
    BYTES = "bytes"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Field:
    """A field. ``is_choice``: a message that says something even when it is empty, being a member of a oneof."""

    name: str
    json_name: str
    form: Form
    has_presence: bool
    is_choice: bool
    empty_says_nothing: bool
    written: _Value
    spellings: dict[int, str]

    @property
    def holds_messages(self) -> bool:
        """Whether what it holds, one or many, are messages."""
        return self.written is _Value.MESSAGE

    def single(self, value: Any) -> str:
        """One of the values that the field holds, as JSON."""
        if self.written is _Value.MESSAGE:
            return object_text(value)
        if self.written is _Value.ENUM:
            return quoted(self.spellings.get(value, str(value)))
        if self.written is _Value.BYTES:
            return quoted(base64.b64encode(value).decode())
        return compact(value) if self.written is _Value.RAW else json.dumps(value, ensure_ascii=False)

    def is_equal(self, one: Message, other: Message) -> bool:
        """Tell whether two messages hold the very same in the field. What they say may be the same all the same."""
        if getattr(one, self.name) != getattr(other, self.name):
            return False
        return not self.has_presence or one.HasField(self.name) == other.HasField(self.name)

    def is_set(self, message: Message) -> bool:
        """Tell whether the field says anything: an empty message, list or text does not, 0 and false do."""
        if self.form in (Form.LIST, Form.MAP):
            return bool(getattr(message, self.name))
        if not self.has_presence:
            return not self.empty_says_nothing or bool(getattr(message, self.name))
        if not message.HasField(self.name):
            return False
        return self.form is not Form.MESSAGE or self.is_choice or says_anything(getattr(message, self.name))

    def text(self, message: Message) -> str:
        """The value of the field as JSON, ``null`` when it is not set."""
        return self.text_of(getattr(message, self.name)) if self.is_set(message) else NULL

    def text_of(self, value: Any) -> str:
        """A value of the field as JSON."""
        if self.form is Form.LIST:
            return f"[{','.join(self.single(each) for each in value)}]"
        if self.form is Form.MAP:
            return f"{{{','.join(f'{quoted(key)}:{self.single(value[key])}' for key in sorted(value))}}}"
        return self.single(value)


@cache
def fields_of(descriptor: Descriptor) -> dict[str, Field]:
    """The fields of a type of messages, by name, in the order of the contract."""
    return {field.name: _read(field) for field in descriptor.fields}


def says_anything(message: Message) -> bool:
    """Tell whether a message holds more than empty messages."""
    known = fields_of(message.DESCRIPTOR)
    return any(known[field.name].is_set(message) for field, _ in message.ListFields())


def object_text(message: Message) -> str:
    """A message as a JSON object of what is set in it."""
    known = fields_of(message.DESCRIPTOR)
    named = [known[field.name] for field, _ in message.ListFields()]
    parts = [f"{quoted(field.json_name)}:{field.text(message)}" for field in named if field.is_set(message)]
    return f"{{{','.join(parts)}}}"


def quoted(text: str) -> str:
    """Text as a JSON string."""
    return json.dumps(text, ensure_ascii=False)


def compact(text: str) -> str:
    """JSON text without white space between its parts; digits and the order of keys stay."""
    # Most texts have none, and to see that is a tenth of the work.
    return "".join(_JSON_PARTS.findall(text)) if _WHITE_SPACE.search(text) else text


def _read(field: Any) -> Field:
    # Any: the generated types do not know our options.
    message_type = field.message_type
    is_map = message_type is not None and bool(message_type.GetOptions().map_entry)
    if is_map:
        form = Form.MAP
    elif field.is_repeated:
        form = Form.LIST
    else:
        form = Form.PLAIN if message_type is None else Form.MESSAGE
    values = field.enum_type.values if field.enum_type is not None else ()
    prefix = values[0].name.removesuffix("UNSPECIFIED") if values else ""
    return Field(
        name=field.name,
        json_name=field.json_name,
        form=form,
        has_presence=field.has_presence,
        is_choice=field.containing_oneof is not None,
        empty_says_nothing=field.cpp_type in (FieldDescriptor.CPPTYPE_STRING, FieldDescriptor.CPPTYPE_ENUM),
        written=_written(message_type.fields_by_name["value"] if is_map else field),
        spellings={value.number: value.name.removeprefix(prefix).lower() for value in values},
    )


def _written(field: Any) -> _Value:
    if field.message_type is not None:
        return _Value.MESSAGE
    if field.enum_type is not None:
        return _Value.ENUM
    if field.type == FieldDescriptor.TYPE_BYTES:
        return _Value.BYTES
    return _Value.RAW if field.GetOptions().Extensions[options_pb2.json].raw else _Value.JSON
