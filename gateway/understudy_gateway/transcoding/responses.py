"""From the message that answers a call to the body and headers of an HTTP answer."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, NamedTuple

from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.message import Message

from understudy_gateway.transcoding.fields import HTTP_BODY, Field, Kind, UnsupportedField, read_field, read_fields
from understudy_gateway.transcoding.json_encode import Encoders, dump

Headers = list[tuple[bytes, bytes]]
"""Header lines in ASGI's form: names in lower case."""

JSON_TYPE = b"application/json"


class Content(NamedTuple):
    """The body of an answer, its content type, and the headers that the contract adds."""

    body: bytes
    content_type: bytes
    headers: Headers


class ResponseEncoder:
    """Writes the answers of one route. Raises ``UnsupportedField`` when made for what has no form over HTTP."""

    def __init__(self, method: MethodDescriptor, response_body: str, encoders: Encoders) -> None:
        response = method.output_type
        self._headers = _header_writers(response, ())
        self._content: Callable[[Message], tuple[bytes, bytes]]
        if not response_body:
            self._content = _message_content(response, encoders)
            return
        if response_body not in response.fields_by_name:
            raise UnsupportedField(f"{response.full_name} has no field {response_body}")
        spec, get = read_field(response.fields_by_name[response_body]), attrgetter(response_body)
        if spec.kind is Kind.MESSAGE and spec.is_single:
            inner = _message_content(spec.nested, encoders)
            self._content = lambda message: inner(get(message))
            self._headers += _header_writers(spec.nested, (response_body,))
        else:
            convert = encoders.field_value(spec)
            self._content = lambda message: (dump(convert(get(message))), JSON_TYPE)

    def encode(self, message: Message) -> Content:
        """Write one message."""
        body, content_type = self._content(message)
        return Content(body, content_type, [write(message) for write in self._headers])


def _message_content(message: Descriptor, encoders: Encoders) -> Callable[[Message], tuple[bytes, bytes]]:
    if message.full_name == HTTP_BODY:
        return _as_it_is
    encode = encoders.of(message, whole_body=True).value
    return lambda value: (dump(encode(value)), JSON_TYPE)


def _as_it_is(message: Any) -> tuple[bytes, bytes]:
    # A header that cannot be sent would break the answer; such a content type says nothing anyway.
    content_type: str = message.content_type
    sendable = content_type.isascii() and content_type.isprintable() and content_type
    return message.data, content_type.encode() if sendable else b"application/octet-stream"


_HeaderWriter = Callable[[Message], tuple[bytes, bytes]]


def _header_writers(message: Descriptor, parents: tuple[str, ...]) -> list[_HeaderWriter]:
    if message.full_name == HTTP_BODY:
        return []
    return [_header_writer(spec, parents) for spec in read_fields(message) if spec.header]


def _header_writer(spec: Field, parents: tuple[str, ...]) -> _HeaderWriter:
    name, get, write = spec.header.encode(), attrgetter(".".join((*parents, spec.name))), _TEXTS.get(spec.kind)
    if write is None or not spec.is_single or spec.has_presence:
        raise UnsupportedField(f"{spec.descriptor.full_name}: a response header holds one number or truth value")
    if spec.header == "etag":
        return lambda message: (name, b'"%s"' % write(get(message)))
    return lambda message: (name, write(get(message)))


_TEXTS: dict[Kind, Callable[[Any], bytes]] = {
    Kind.INTEGER: lambda number: b"%d" % number,
    Kind.BOOL: lambda truth: b"true" if truth else b"false",
}
