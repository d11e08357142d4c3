"""The OpenAPI 3.1 document of the routes, made of the contract alone: what it says is what the gateway does."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor import Descriptor, MethodDescriptor

from understudy_gateway.dialects.flowmock import TABLE
from understudy_gateway.transcoding import comments, options, templates
from understudy_gateway.transcoding.contract import Contract, understudy
from understudy_gateway.transcoding.fields import HTTP_BODY, Field, Kind, read_field, read_fields
from understudy_gateway.transcoding.operations import bindings, verb_and_path
from understudy_gateway.transcoding.requests import ENTITY_TAGS, MASK_FIELD, WHOLE_BODY
from understudy_gateway.transcoding.schemas import Schema, Schemas, Side
from understudy_gateway.transcoding.templates import Template

_TITLE = "Understudy"
_VERSION = "v1"
_ABOUT = (
    "Sets, reads and tears down the state of tests: one session key on a request selects mocked answers, a scenario "
    "and delays; everything else passes through to the real service."
)

# What any call may be answered with: a malformed request, no key, a key that will not do, a field at fault, too many
# calls, a fault of ours, a store that cannot write now.
_ANY_CALL = frozenset({400, 401, 403, 422, 429, 500, 503})
_NOT_FOUND, _PRECONDITION_FAILED, _BODY_TOO_LARGE = 404, 412, 413

_JSON, _ANY_TYPE = "application/json", "*/*"
_BYTES: Schema = {"type": "string", "format": "binary"}

# The methods that the format has a place for; a binding of another one is routed and not documented.
_METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"})


def document(contract: Contract | None = None) -> dict[str, Any]:
    """Make the document of a contract (default: Understudy's own) as JSON values, the same for the same contract."""
    contract = _in_words_of_rest(contract or understudy())
    writer = _Writer(contract)
    paths: dict[str, Schema] = {}
    for method in contract.methods():
        for index, rule in enumerate(bindings(method)):
            verb, path = verb_and_path(rule)
            if verb not in _METHODS:
                continue
            template = templates.parse(path)
            operation = writer.operation(method, rule, template, index)
            paths.setdefault(writer.path(method.input_type, template), {})[verb.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": _TITLE, "version": _VERSION, "description": _ABOUT, "license": _LICENSE},
        "security": [{"key": []}],
        "tags": [_tag(service.full_name, contract) for service in contract.services],
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR, **dict(sorted(writer.schemas.components.items()))},
            "responses": {"Error": _ANY_ERROR, **{f"Error{status}": _error_response(status) for status in _statuses()}},
            "securitySchemes": {"key": _KEY},
        },
    }


class _Writer:
    """Writes the operations of one contract and gathers the schemas they refer to."""

    def __init__(self, contract: Contract) -> None:
        self._notes = contract.comments
        self.schemas = Schemas(contract.comments)

    def path(self, request: Descriptor, template: Template) -> str:
        """Write a template with the variables named as in JSON."""
        starts = {variable.start: variable for variable in template.variables}
        parts, at = [], 0
        while at < len(template.steps):
            variable = starts.get(at)
            parts.append(template.steps[at] if variable is None else f"{{{_json_path(request, variable.path)}}}")
            at = at + 1 if variable is None else variable.stop or len(template.steps)
        return "/" + "/".join(parts) + (f":{template.verb}" if template.verb else "")

    def operation(self, method: MethodDescriptor, rule: HttpRule, template: Template, index: int) -> Schema:
        """Describe one binding of a method; ``index`` tells several of them apart."""
        note = comments.read(self._notes.get(method.full_name, ""))
        operation: Schema = {
            "operationId": method.name + (str(index + 1) if index else ""),
            "tags": [_tag_name(method.containing_service.full_name)],
            "summary": re.split(r"\.(?:\s|$)", note.description)[0],
            "description": note.description,
        }
        if parameters := list(self._parameters(method, rule, template)):
            operation["parameters"] = parameters
        if rule.body:
            operation["requestBody"] = self._request_body(method, rule, template)
        operation["responses"] = self._responses(method, rule)
        return operation

    def _parameters(self, method: MethodDescriptor, rule: HttpRule, template: Template) -> Iterator[Schema]:
        request = method.input_type
        for variable in template.variables:
            spec = _at(request, variable.path)
            yield self._parameter(_json_path(request, variable.path), "path", spec, required=True)
        fixed = _fixed(request, template)
        beside_body = set(options.rest_method(method).query)
        for spec in read_fields(request):
            if spec.header:
                yield self._parameter(spec.header, "header", spec)
            elif spec.name in beside_body or (rule.body != WHOLE_BODY and spec.name not in fixed | {rule.body}):
                yield from self._query_parameters(spec, "", ())

    def _query_parameters(self, spec: Field, prefix: str, above: tuple[str, ...]) -> Iterator[Schema]:
        if spec.kind is not Kind.MESSAGE and not spec.is_map:
            yield self._parameter(prefix + spec.json_name, "query", spec, required=spec.required and not above)
        elif spec.kind is Kind.MESSAGE and spec.is_single and spec.nested.full_name not in above:
            for inner in read_fields(spec.nested):
                yield from self._query_parameters(inner, f"{prefix}{spec.json_name}.", (*above, spec.nested.full_name))

    def _parameter(self, name: str, place: str, spec: Field, *, required: bool = False) -> Schema:
        schema = self.schemas.of(spec, Side(is_input=True))
        if spec.header in ENTITY_TAGS:
            schema = {"type": "string", "description": schema.get("description", ""), "examples": ['"1"']}
        parameter: Schema = {"name": name, "in": place, "description": schema.pop("description", "")}
        if required:
            parameter["required"] = True
        if examples := schema.pop("examples", None):
            parameter["example"] = examples[0]
        return {**parameter, "schema": schema}

    def _request_body(self, method: MethodDescriptor, rule: HttpRule, template: Template) -> Schema:
        request, strict = method.input_type, not options.rest_method(method).lenient
        if rule.body != WHOLE_BODY and _is_bytes(read_field(request.fields_by_name[rule.body])):
            return self._bounded(method, {"content": {_ANY_TYPE: {"schema": _BYTES}}, "required": True})
        partial, merges = MASK_FIELD in request.fields_by_name, options.rest_method(method).merges
        if rule.body == WHOLE_BODY:
            side = Side(
                "", is_input=True, strict=strict, partial=partial, merges=merges, without=_fixed(request, template)
            )
            schema = self.schemas.reference(request, side)
        else:
            side = Side("Patch" if partial else "Input", is_input=True, strict=strict, partial=partial, merges=merges)
            schema = self.schemas.reference(read_field(request.fields_by_name[rule.body]).nested, side)
        body: Schema = {"content": {_JSON: {"schema": schema}}}
        if not partial:
            body["required"] = True
        return self._bounded(method, body)

    def _bounded(self, method: MethodDescriptor, body: Schema) -> Schema:
        """Say how long a body may be where it may be longer than others."""
        if most := options.rest_method(method).body_bytes_max:
            body["description"] = f"At most {most} bytes, or what the server takes of any route if that is more."
        return body

    def _responses(self, method: MethodDescriptor, rule: HttpRule) -> Schema:
        kind, schema, headers = self._answer(method.output_type, rule.response_body)
        if method.server_streaming:
            kind = "text/event-stream"
        note = comments.read(self._notes.get(method.output_type.full_name, ""))
        success: Schema = {"description": note.description or "Done.", "content": {kind: {"schema": schema}}}
        if headers:
            success["headers"] = headers
        named = {status for code, (status, _) in TABLE.items() if _mentions(self._words(method), code)}
        statuses = _ANY_CALL | named | set(_statuses_of(method, rule))
        refusals = {str(status): {"$ref": f"#/components/responses/Error{status}"} for status in sorted(statuses)}
        return {"200": success, **refusals, "default": {"$ref": "#/components/responses/Error"}}

    def _answer(self, response: Descriptor, response_body: str) -> tuple[str, Schema, Schema]:
        """Return the content type, the schema of the body and the headers of an answer."""
        headers = {spec.header: self._header(spec) for spec in read_fields(response) if spec.header}
        if not response_body:
            return _JSON, self.schemas.reference(response, Side(whole_body=True)), headers
        spec = read_field(response.fields_by_name[response_body])
        if _is_bytes(spec):
            if _JSON in self._notes.get(spec.descriptor.full_name, ""):
                return _JSON, {"description": "Any JSON value."}, headers
            return _ANY_TYPE, _BYTES, headers
        if spec.kind is not Kind.MESSAGE or not spec.is_single:
            return _JSON, self.schemas.of(spec, Side()), headers
        headers |= {inner.header: self._header(inner) for inner in read_fields(spec.nested) if inner.header}
        return _JSON, self.schemas.reference(spec.nested, Side(whole_body=True)), headers

    def _header(self, spec: Field) -> Schema:
        note = comments.read(self._notes.get(spec.descriptor.full_name, ""))
        return {"description": note.description, "schema": {"type": "string"}}

    def _words(self, method: MethodDescriptor) -> str:
        """Gather what the comments say about a method: its own and those of its request's fields."""
        fields = [field.full_name for field in method.input_type.fields]
        service = method.containing_service.full_name
        return " ".join(self._notes.get(name, "") for name in (service, method.full_name, *fields))


def _statuses_of(method: MethodDescriptor, rule: HttpRule) -> Iterator[int]:
    """Yield what a call may be refused with by the form of its route alone."""
    if rule.body:
        yield _BODY_TOO_LARGE
    if templates.parse(verb_and_path(rule)[1]).variables:
        yield _NOT_FOUND
    if any(spec.header == "if-match" for spec in read_fields(method.input_type)):
        yield _PRECONDITION_FAILED


def _in_words_of_rest(contract: Contract) -> Contract:
    """Let the comments name errors as the envelope does, and fields that travel in headers by these."""
    words = {code: shown for code, (_, shown) in TABLE.items() if shown != code}
    for method in contract.methods():
        fields = {spec.name: spec.header for spec in read_fields(method.input_type) if spec.header}
        words |= {f"`{name}`": f"`{header.title()}`" for name, header in fields.items()}
    notes = contract.comments
    for word, shown in words.items():
        notes = {name: re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", shown, note) for name, note in notes.items()}
    return replace(contract, comments=notes)


def _is_bytes(spec: Field) -> bool:
    """Tell whether the field stands for itself as a body, and is no JSON."""
    return spec.is_single and spec.message is not None and spec.message.full_name == HTTP_BODY


def _fixed(request: Descriptor, template: Template) -> frozenset[str]:
    """Return the names of the fields that travel in the path or in headers."""
    in_path = {variable.path[0] for variable in template.variables if len(variable.path) == 1}
    return frozenset(in_path | {spec.name for spec in read_fields(request) if spec.header})


def _at(message: Descriptor, path: tuple[str, ...]) -> Field:
    *parents, last = path
    for name in parents:
        message = read_field(message.fields_by_name[name]).nested
    return read_field(message.fields_by_name[last])


def _json_path(message: Descriptor, path: tuple[str, ...]) -> str:
    return ".".join(_at(message, path[: depth + 1]).json_name for depth in range(len(path)))


def _mentions(text: str, code: str) -> bool:
    return re.search(rf"\b{code}\b", text) is not None


def _tag(service: str, contract: Contract) -> Schema:
    return {"name": _tag_name(service), "description": comments.read(contract.comments.get(service, "")).description}


def _tag_name(service: str) -> str:
    return service.rpartition(".")[2].removesuffix("Service")


def _statuses() -> list[int]:
    return sorted({status for status, _ in TABLE.values()})


def _error_response(status: int) -> Schema:
    codes = [code for other, code in TABLE.values() if other == status]
    response: Schema = {
        "description": f"Refused with {' or '.join(f'`{code}`' for code in codes)}.",
        "content": _ERROR_CONTENT,
    }
    if status in _ERROR_HEADERS:
        response["headers"] = _ERROR_HEADERS[status]
    return response


_LICENSE = {"name": "Apache 2.0", "identifier": "Apache-2.0"}

_KEY = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key, `fmk_…`. The scheme word `Token` is accepted, too. Cookies never count.",
}

_ERROR: Schema = {
    "type": "object",
    "description": "Why a call failed.",
    "properties": {
        "error": {"type": "string", "description": "What was wrong, for people.", "examples": ["No such session."]},
        "code": {"type": "string", "description": "The stable code, for programs.", "examples": ["not_found"]},
        "problems": {
            "type": "array",
            "description": "All that was wrong, the first included, where there was more than that.",
            "items": {
                "type": "object",
                "properties": {
                    "field": {"type": "string", "description": "Path of the field in the request."},
                    "message": {"type": "string", "description": "What is wrong there, for people."},
                },
                "required": ["field", "message"],
            },
        },
        "requestId": {"type": "string", "description": "With `internal_error`: where to look in the server's log."},
    },
    "required": ["error", "code"],
}

_ERROR_CONTENT: Schema = {_JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}

_ANY_ERROR: Schema = {"description": "Any other failure, in the same envelope.", "content": _ERROR_CONTENT}

_ERROR_HEADERS: dict[int, Schema] = {
    401: {"WWW-Authenticate": {"description": "Always `Bearer`.", "schema": {"type": "string"}}},
    429: {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}},
}
