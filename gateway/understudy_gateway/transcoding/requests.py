"""From the parts of an HTTP request to the message of a call: path, headers, query and body, in this order.

A later part wins over an earlier one, except that fields of the path and of headers are open to nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc.status_pb2 import Status
from understudy.options.v1.options_pb2 import RestMethod

from understudy_gateway.transcoding import faults, json_text, options, query
from understudy_gateway.transcoding.faults import BadValue, InputFault, misfit
from understudy_gateway.transcoding.fields import (
    HTTP_BODY,
    Field,
    Kind,
    UnsupportedField,
    is_mask,
    read_field,
    read_fields,
)
from understudy_gateway.transcoding.header_text import text_of
from understudy_gateway.transcoding.json_decode import Decoders, MessageDecoder, Reading
from understudy_gateway.transcoding.json_text import InvalidJson
from understudy_gateway.transcoding.routes import BadEncoding
from understudy_gateway.transcoding.spelling import Spelling
from understudy_gateway.transcoding.templates import Template
from understudy_gateway.transcoding.values import text_reader

WHOLE_BODY = "*"
MASK_FIELD = "update_mask"
CONTENT_TYPE = b"content-type"

# Headers that hold an entity tag: quoted, perhaps marked as weak, or a star for "whatever it is".
ENTITY_TAGS = frozenset({"etag", "if-match"})
_QUOTES_OF_A_TAG = 2


class RequestParts(NamedTuple):
    """What an HTTP request is made of.

    ``path``: the values of the template's variables; ``headers`` by lower-case name; ``body`` empty when there is none.
    """

    path: Sequence[str]
    query: bytes
    headers: dict[bytes, bytes]
    body: bytes


@dataclass(frozen=True, slots=True)
class _TextField:
    """A field that is read from text outside the query: a variable of the path or a header."""

    parents: tuple[str, ...]
    spec: Field
    read: Callable[[str], Any]

    def put(self, message: Message, text: str, reading: Reading) -> None:
        for name in self.parents:
            message = getattr(message, name)
        try:
            setattr(message, self.spec.name, self.read(text))
        except BadValue as bad:
            path = ".".join((*self.parents, self.spec.name))
            reading.faults.append(misfit(self.spec.reason, path, bad, text))


class RequestDecoder:
    """Reads the requests of one route. ``headers`` are the names of those that are read, lower case.

    ``spelling`` is how a refusal names their fields.

    Raises ``UnsupportedField`` when made for what has no form over HTTP.
    """

    def __init__(self, method: MethodDescriptor, rule: HttpRule, template: Template, decoders: Decoders) -> None:
        request = method.input_type
        rest = options.rest_method(method)
        self._make = GetMessageClass(request)
        self._lenient = rest.lenient
        self._variables = [_variable(request, variable.path) for variable in template.variables]
        self._headers = [
            (spec.header.encode(), _TextField((), spec, _header_reader(spec)))
            for spec in read_fields(request)
            if spec.header
        ]
        self.spelling = Spelling(
            "" if rule.body == WHOLE_BODY else rule.body,
            {field.spec.name: field.spec.header for _, field in self._headers},
        )
        self._places = [name for name in rest.query if name in faults.PLACES and rule.body]
        in_path = {variable.path[0] for variable in template.variables if len(variable.path) == 1}
        fixed = frozenset(in_path | {field.spec.name for _, field in self._headers})
        self._body = _body(request, rule.body, fixed, rest, decoders)
        self.headers = frozenset(name for name, _ in self._headers) | (
            self._body.headers if self._body else frozenset()
        )
        self._query = query.QueryBinder(request, _open_to_query(request, rule.body, fixed, frozenset(rest.query)))

    @property
    def reads_body(self) -> bool:
        """Tell whether the body of the HTTP request means anything."""
        return self._body is not None

    def places(self, raw_query: bytes) -> dict[str, str]:
        """Return the project and environment that the query names beside a body, which may name others."""
        if not self._places or not raw_query:
            return {}
        try:
            parameters = query.parse(raw_query)
        except BadEncoding:
            # Decoding refuses the query at its place in the order of checks.
            return {}
        return {name: parameters[name][0] for name in self._places if name in parameters}

    def decode(self, parts: RequestParts) -> tuple[Message, Status | None]:
        """Read a request: the message with all that is readable, and the refusal of what is not. Never raises."""
        message, reading = self._make(), Reading(self._lenient)
        for variable, text in zip(self._variables, parts.path, strict=True):
            variable.put(message, text, reading)
        for name, field in self._headers:
            if name in parts.headers:
                field.put(message, text_of(parts.headers[name]), reading)
        if parts.query:
            self._read_query(message, parts.query, reading)
        if self._body is not None:
            self._body.read(message, parts, reading)
        return message, faults.refuse(reading.faults)

    def _read_query(self, message: Message, raw: bytes, reading: Reading) -> None:
        try:
            self._query.fill(message, query.parse(raw), reading)
        except BadEncoding:
            reading.faults.append(
                InputFault("invalid_request", "The query string is not percent-encoded UTF-8.", rule="encoding")
            )


class _Body(Protocol):
    """The part of a request that comes from the HTTP body. ``headers`` are those that say something about it."""

    @property
    def headers(self) -> frozenset[bytes]: ...

    def read(self, message: Message, parts: RequestParts, reading: Reading) -> None: ...


@dataclass(frozen=True, slots=True)
class _BytesBody:
    """A body that stands for itself: a ``google.api.HttpBody``, with the content type that was said, if any."""

    field: str
    headers: frozenset[bytes] = frozenset((CONTENT_TYPE,))

    def read(self, message: Message, parts: RequestParts, reading: Reading) -> None:  # noqa: ARG002 (as of any body)
        content: Any = getattr(message, self.field)
        content.SetInParent()
        content.data = parts.body
        content.content_type = parts.headers.get(CONTENT_TYPE, b"").decode("latin-1").strip()


@dataclass(frozen=True, slots=True)
class _JsonBody:
    """A body in JSON: a field of the request, or (``field`` empty) all of it that is left.

    ``has_mask``: which keys are there becomes the update mask, those within objects too when it ``merges``;
    ``unmasked`` are the names that do not count.
    """

    decoder: MessageDecoder
    field: str
    has_mask: bool
    merges: bool
    unmasked: frozenset[str]
    headers: frozenset[bytes] = frozenset()

    def read(self, message: Message, parts: RequestParts, reading: Reading) -> None:
        try:
            members = json_text.parse_object(parts.body) if parts.body else {}
        except InvalidJson as error:
            reading.faults.append(InputFault("invalid_json", str(error), rule="json"))
            return
        target, path = message, ""
        if self.field:
            target, path = getattr(message, self.field), self.field + "."
            target.SetInParent()
        given = self.decoder.fill(target, members, path, reading.merging() if self.merges else reading)
        if self.has_mask:
            mask = getattr(message, MASK_FIELD)
            mask.SetInParent()
            mask.paths.extend(name for name in given if name not in self.unmasked)


def _body(request: Descriptor, body: str, fixed: frozenset[str], rest: RestMethod, decoders: Decoders) -> _Body | None:
    if not body:
        return None
    mask = request.fields_by_name.get(MASK_FIELD)
    has_mask = mask is not None and is_mask(mask)
    if body == WHOLE_BODY:
        return _JsonBody(decoders.of(request, fixed), "", has_mask, rest.merges, frozenset(rest.query))
    field = read_field(_field(request, body))
    if field.kind is not Kind.MESSAGE or not field.is_single:
        raise UnsupportedField(f"{field.descriptor.full_name}: only a message can be the body of a request")
    if field.nested.full_name == HTTP_BODY:
        return _BytesBody(body)
    return _JsonBody(decoders.of(field.nested), body, has_mask, rest.merges, frozenset())


def _open_to_query(request: Descriptor, body: str, fixed: frozenset[str], in_query: frozenset[str]) -> frozenset[str]:
    if body == WHOLE_BODY:
        return in_query
    return frozenset(field.name for field in request.fields) - fixed - {body}


def _variable(request: Descriptor, path: tuple[str, ...]) -> _TextField:
    *parents, last = path
    for name in parents:
        inner = _field(request, name).message_type
        if inner is None:
            raise UnsupportedField(f"{request.full_name}.{name}: a variable of the path leads through messages only")
        request = inner
    spec = read_field(_field(request, last))
    return _TextField(tuple(parents), spec, _single_reader(spec))


def _header_reader(spec: Field) -> Callable[[str], Any]:
    read = _single_reader(spec)
    if spec.header not in ENTITY_TAGS:
        return lambda text: read(text.strip())
    # A star means "any that exists": the same as the field's zero value.
    return lambda text: read("0" if text.strip() == "*" else _entity_tag(text))


def _entity_tag(text: str) -> str:
    tag = text.strip().removeprefix("W/")
    quoted = len(tag) >= _QUOTES_OF_A_TAG and tag[0] == tag[-1] == '"'
    return tag[1:-1] if quoted else tag


def _single_reader(spec: Field) -> Callable[[str], Any]:
    if not spec.is_single or spec.kind in {Kind.MESSAGE, Kind.TIMESTAMP}:
        raise UnsupportedField(f"{spec.descriptor.full_name}: neither a path nor a header can hold it")
    return text_reader(spec)


def _field(message: Descriptor, name: str) -> FieldDescriptor:
    field = message.fields_by_name.get(name)
    if field is None:
        raise UnsupportedField(f"{message.full_name} has no field {name}")
    return field
