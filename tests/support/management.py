"""The management API as one call over three doors, written from the contract's options and without the gateway's code.

A call is the name of an RPC and its request as the JSON that REST documents; an answer is that JSON too. Over gRPC both
are made from messages here, slowly and plainly.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

import grpc
import httpx
from google.api import annotations_pb2
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc_status import rpc_status
from support.doors import Answer, Json
from support.plain_http import NO_TLS
from understudy import status
from understudy.options.v1 import options_pb2
from understudy.v1 import (
    evaluation_service_pb2,
    explain_service_pb2,
    flag_service_pb2,
    key_service_pb2,
    manifest_service_pb2,
    mock_service_pb2,
    project_service_pb2,
    project_session_service_pb2,
    scenario_service_pb2,
    server_service_pb2,
    session_mock_service_pb2,
    session_service_pb2,
    state_service_pb2,
    verification_service_pb2,
)

SERVICES = tuple(
    service
    for module in (
        mock_service_pb2,
        scenario_service_pb2,
        project_service_pb2,
        key_service_pb2,
        manifest_service_pb2,
        server_service_pb2,
    )
    for service in module.DESCRIPTOR.services_by_name.values()
)
MANAGEMENT: Mapping[str, MethodDescriptor] = {method.name: method for service in SERVICES for method in service.methods}
"""Every management RPC by its name."""

METHODS = {
    **MANAGEMENT,
    **session_service_pb2.DESCRIPTOR.services_by_name["SessionService"].methods_by_name,
    **state_service_pb2.DESCRIPTOR.services_by_name["StateService"].methods_by_name,
    **session_mock_service_pb2.DESCRIPTOR.services_by_name["SessionMockService"].methods_by_name,
    **explain_service_pb2.DESCRIPTOR.services_by_name["ExplainService"].methods_by_name,
    **flag_service_pb2.DESCRIPTOR.services_by_name["FlagService"].methods_by_name,
    **evaluation_service_pb2.DESCRIPTOR.services_by_name["EvaluationService"].methods_by_name,
    **project_session_service_pb2.DESCRIPTOR.services_by_name["ProjectSessionService"].methods_by_name,
    **verification_service_pb2.DESCRIPTOR.services_by_name["VerificationService"].methods_by_name,
}
"""What an operator may call: the sessions of an environment can be listed too, what requests leave behind, why
they are answered as they are, and what is odd about them; flags, and what they are for somebody.
"""

# The code that FlowMock's envelope has for one of ours.
_FLOWMOCK_CODES = {"invalid_field": "invalid_body"}
_MASK = "update_mask"


class Management(Protocol):
    """``auth`` is a whole Authorization value. ``expectedRevision`` in a request is If-Match over REST."""

    def call(self, auth: str, rpc: str, request: Mapping[str, Json]) -> Answer: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Operator:
    """One who manages a place over one door with one key. The place is filled in where an RPC has it."""

    door: Management
    auth: str
    project: str
    environment: str = "staging"

    def ask(self, rpc: str, **request: Json) -> Answer:
        """Call an RPC."""
        fields = METHODS[rpc].input_type.fields_by_name
        for name, value in (("project", self.project), ("environment", self.environment)):
            if name in fields and fields[name].message_type is None and rpc not in _PLACES_OPTIONAL:
                request.setdefault(name, value)
        return self.door.call(self.auth, rpc, request)

    def do(self, rpc: str, **request: Json) -> Json:
        """Call an RPC that must not be refused, and give its answer."""
        return self.ask(rpc, **request).served


# These mean something else by the names of a place.
_PLACES_OPTIONAL = frozenset({"CreateKey", "DumpManifest"})


class _Route(NamedTuple):
    verb: str
    template: str
    body: str
    response_body: str


class RestManagement:
    """A real HTTP client against ``host:port``. ``if_match`` and other headers can be given as they stand."""

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=f"http://{address}", timeout=30, verify=NO_TLS)

    def call(self, auth: str, rpc: str, request: Mapping[str, Json], **headers: str) -> Answer:
        route, left = route_of(METHODS[rpc]), dict(request)
        lines = {"authorization": auth} | {name.replace("_", "-"): value for name, value in headers.items()}
        if (revision := left.pop("expectedRevision", None)) is not None:
            lines["if-match"] = f'"{revision}"'
        path = _filled(route.template, left)
        for field in METHODS[rpc].input_type.fields:
            header = _options(field, options_pb2.rest).header
            if header and (value := left.pop(field.json_name, None)) is not None:
                lines[header] = value
        content = None
        if route.body:
            content = json.dumps(left if route.body == "*" else left.pop(route.body)).encode()
            lines["content-type"] = "application/json"
        query = {} if route.body == "*" else left
        found = self._client.request(route.verb, path, params=_in_query(query), headers=lines, content=content)
        assert found.headers["content-type"] == "application/json", found.headers
        value = found.json()
        code = "" if found.status_code == httpx.codes.OK else value["code"]
        return Answer(code, value, found.status_code, found.headers)

    def close(self) -> None:
        self._client.close()


class GrpcManagement:
    """A real channel, and messages made by protobuf's own JSON reader."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address)

    def call(self, auth: str, rpc: str, request: Mapping[str, Json]) -> Answer:
        method = METHODS[rpc]
        route = route_of(method)
        message: Any = GetMessageClass(method.input_type)()
        json_format.ParseDict(_for_protobuf(method.input_type, request), message)
        # Without a mask the fields that are there count, which is all that a whole body says here.
        if route.body not in ("", "*") and _MASK in method.input_type.fields_by_name:
            body = method.input_type.fields_by_name[route.body].message_type
            assert body is not None
            merges = _options(method, options_pb2.rest_method).merges
            message.update_mask.paths.extend(_named(body, request[route.body], merges=merges))
        ask: Any = self._channel.unary_unary(
            f"/{method.containing_service.full_name}/{rpc}",
            request_serializer=lambda given: given.SerializeToString(),
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        try:
            response = ask(message, metadata=(("authorization", auth),), timeout=30)
        except grpc.RpcError as error:
            problem = status.read(rpc_status.from_call(error))
            told = [{"field": each.field, "message": each.message} for each in (problem, *problem.others)]
            value = {"error": problem.summary, **({"problems": told} if problem.others else {})}
            return Answer(_FLOWMOCK_CODES.get(problem.reason, problem.reason), value)
        part = getattr(response, route.response_body) if route.response_body else response
        return Answer("", _shown(part, whole_body=True), headers=_headers(part))

    def close(self) -> None:
        self._channel.close()


def route_of(method: MethodDescriptor) -> _Route:
    """Where an RPC is over REST."""
    rule: Any = method.GetOptions().Extensions[annotations_pb2.http]
    # Of several bindings the one that names its place in the path is the operator's.
    rules = [rule, *rule.additional_bindings]
    chosen = max(rules, key=lambda each: getattr(each, each.WhichOneof("pattern")).count("{"))
    verb = chosen.WhichOneof("pattern")
    return _Route(verb.upper(), getattr(chosen, verb), chosen.body, chosen.response_body)


def _filled(template: str, values: dict[str, Json]) -> str:
    """A path with its variables filled in, which are taken from the values."""
    parts = template.replace("}", "{").split("{")
    for number in range(1, len(parts), 2):
        first, *rest = parts[number].split("_")
        parts[number] = quote(str(values.pop(first + "".join(each.title() for each in rest))), safe="")
    return "".join(parts)


def _in_query(values: Mapping[str, Json]) -> dict[str, str | list[str]]:
    return {
        name: [*map(_query_text, each)] if isinstance(each, list) else _query_text(each)
        for name, each in values.items()
    }


def _query_text(value: Json) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _for_protobuf(descriptor: Descriptor, value: Mapping[str, Json]) -> dict[str, Json]:
    """The same as protobuf's JSON reader takes it: enums with their prefix, raw JSON as text."""
    made = {}
    for name, each in value.items():
        field = descriptor.fields_by_camelcase_name[name]
        made[name] = _field_for_protobuf(field, each)
    return made


def _field_for_protobuf(field: Any, value: Json) -> Json:
    if _is_map(field):
        inner = field.message_type.fields_by_name["value"]
        return {name: _field_for_protobuf(inner, each) for name, each in value.items()}
    if isinstance(value, list) and field.is_repeated:
        return [_one_for_protobuf(field, each) for each in value]
    return _one_for_protobuf(field, value)


def _one_for_protobuf(field: Any, value: Json) -> Json:
    if field.enum_type is not None and isinstance(value, str):
        return next(name for name in field.enum_type.values_by_name if name.lower().endswith(f"_{value}"))
    if _options(field, options_pb2.json).raw:
        return json.dumps(value)
    if isinstance(value, dict):
        return _for_protobuf(field.message_type, value)
    return value


def _named(descriptor: Any, value: Mapping[str, Json], *, merges: bool) -> Iterator[str]:
    """What a body names: its keys, and where objects are merged, the keys in those."""
    for name, each in value.items():
        field = descriptor.fields_by_camelcase_name[name]
        if merges and isinstance(each, dict) and field.message_type is not None and not field.is_repeated:
            yield from (f"{field.name}.{path}" for path in _named(field.message_type, each, merges=True))
        else:
            yield field.name


def _shown(message: Any, *, whole_body: bool = False) -> dict[str, Json]:
    """The JSON that REST documents: what travels in a header is not in the body."""
    return dict(_members(message, whole_body=whole_body))


def _members(message: Any, *, whole_body: bool) -> Iterator[tuple[str, Json]]:
    for field in message.DESCRIPTOR.fields:
        if whole_body and _options(field, options_pb2.rest).header:
            continue
        value = getattr(message, field.name)
        if field.has_presence and not message.HasField(field.name):
            if _options(field, options_pb2.nullable):
                yield field.json_name, None
        elif _is_map(field):
            inner = field.message_type.fields_by_name["value"]
            yield field.json_name, {name: _one_shown(inner, value[name]) for name in sorted(value)}
        elif field.is_repeated and (value or not _options(field, options_pb2.json).omit_empty):
            yield field.json_name, [_one_shown(field, each) for each in value]
        elif not field.is_repeated and (value or not (field.enum_type or _options(field, options_pb2.json).raw)):
            yield field.json_name, _one_shown(field, value)


def _one_shown(field: Any, value: Any) -> Json:
    if field.enum_type is not None:
        prefix = field.enum_type.values_by_number[0].name.removesuffix("UNSPECIFIED")
        return field.enum_type.values_by_number[value].name.removeprefix(prefix).lower()
    if field.message_type is not None and field.message_type.full_name == "google.protobuf.Timestamp":
        seconds, _, fraction = value.ToJsonString().removesuffix("Z").partition(".")
        return f"{seconds}.{fraction[:3]:0<3}Z"
    if field.message_type is not None:
        return _shown(value)
    if _options(field, options_pb2.json).raw:
        return json.loads(value)
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _headers(message: Message) -> dict[str, str]:
    """What travels in headers over REST."""
    fields = {_options(field, options_pb2.rest).header: field.name for field in message.DESCRIPTOR.fields}
    return {"etag": f'"{getattr(message, fields["etag"])}"'} if "etag" in fields else {}


def _is_map(field: Any) -> bool:
    return bool(field.message_type is not None and field.message_type.GetOptions().map_entry)


def _options(field: Any, extension: Any) -> Any:
    return field.GetOptions().Extensions[extension]
