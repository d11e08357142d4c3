"""The OpenAPI document of the control plane: its calls as a table, and the schemas of what they take and answer."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, NamedTuple

from understudy_gateway.dialects.assertive.payloads import DELAY_MAX_MS, RETRY_MAX_MS, SCOPE_NAME
from understudy_gateway.dialects.assertive.scopes import NAME_CHARACTERS_MAX
from understudy_gateway.dialects.assertive.wire import OPERATORS
from understudy_gateway.transcoding.json_encode import dump

Schema = dict[str, Any]

_ABOUT: Final = (
    "Makes stubs, asks what was called, and keeps tests apart in scopes. A call is in the scope whose name is the name "
    "of one of its headers, whatever the value. Every other request to this port is mock traffic."
)


class _Operation(NamedTuple):
    method: str
    path: str
    summary: str
    answers: Mapping[int, str]
    """Schemas of the answers by their statuses; of 422 it is always the same."""
    takes: str = ""
    is_scoped: bool = True
    is_page: bool = False
    tag: str = "Stubs"


_GONE: Final = {404: "Problem"}
_OPERATIONS: Final = (
    _Operation("get", "/__mock__", "Tell that the server is there", {200: "Welcome"}, is_scoped=False, tag="Server"),
    _Operation("post", "/__mock__/stubs", "Create a stub", {200: "StubCreated"}, "Stub"),
    _Operation("get", "/__mock__/stubs", "List the stubs, the oldest first", {200: "Stubs"}),
    _Operation("delete", "/__mock__/stubs/{stub_id}", "Delete a stub", {200: "StubCreated", **_GONE}),
    _Operation("get", "/__mock__/requests", "List what was called", {200: "Requests"}, tag="Requests"),
    _Operation("post", "/__mock__/assert", "Ask whether it was called", {200: "Result"}, "Assertion", tag="Requests"),
    _Operation(
        "post",
        "/__mock__/scopes",
        "Create a scope",
        {201: "ScopeCreated", 409: "Problem"},
        "Scope",
        is_scoped=False,
        tag="Scopes",
    ),
    _Operation(
        "get", "/__mock__/scopes", "List the scopes, the oldest first", {200: "Scopes"}, is_scoped=False, tag="Scopes"
    ),
    _Operation(
        "delete",
        "/__mock__/scopes/{name}",
        "Delete a scope with its stubs and requests",
        {200: "ScopeCreated", **_GONE},
        is_scoped=False,
        tag="Scopes",
    ),
    _Operation("get", "/__admin__", "Look at all of it in a browser", {}, is_scoped=False, is_page=True, tag="Pages"),
    _Operation(
        "get", "/__admin__/stubs/new", "Create a stub step by step", {}, is_scoped=False, is_page=True, tag="Pages"
    ),
    _Operation(
        "get", "/__admin__/stubs/{stub_id}", "Look at a stub", dict(_GONE), is_scoped=False, is_page=True, tag="Pages"
    ),
    _Operation(
        "get", "/__admin__/scopes/{name}", "Look at a scope", dict(_GONE), is_scoped=False, is_page=True, tag="Pages"
    ),
)


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    return {**schema, "required": list(required)} if required else schema


def _whole(**properties: Schema) -> Schema:
    """An object of which each member is always there."""
    return _object(tuple(properties), **properties)


def _nullable(schema: Schema, about: str = "") -> Schema:
    either: Schema = {"anyOf": [schema, {"type": "null"}]}
    return {**either, "description": about} if about else either


def _list(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


def _integer(least: int | None = None, most: int | None = None, **more: Any) -> Schema:
    bounds = {"minimum": least, "maximum": most}
    return {"type": "integer", **{name: bound for name, bound in bounds.items() if bound is not None}, **more}


_ANYTHING: Final[Schema] = {}
_TEXT: Final[Schema] = {"type": "string"}
_TRUE: Final[Schema] = {"type": "boolean", "const": True}
_TEXTS: Final[Schema] = {"type": "object", "additionalProperties": _TEXT}
_SENT_HEADERS: Final[Schema] = {
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "boolean"]},
    "example": {"Content-Type": "text/plain"},
}
_MILLISECONDS: Final = _integer(0, DELAY_MAX_MS, default=0)
_TEXT_OR_CRITERION: Final[Schema] = {"anyOf": [_TEXT, _ref("Criterion")]}
_OBJECT_OR_CRITERION: Final[Schema] = {
    "type": "object",
    "description": "A criterion, or members that must be there, each a plain value or a criterion.",
}
_PATTERN: Final = "A path, in which a segment `{name}` stands for any; or a criterion."

_SCHEMAS: Final[Mapping[str, Schema]] = {
    "Criterion": {
        "type": "object",
        "description": "An operator and its arguments: " + ", ".join([f"`{each}`" for each in OPERATORS]) + ".",
        "example": {"$regex": {"pattern": "/users/[0-9]+"}},
    },
    "Request": _object(
        path=_nullable(_TEXT_OR_CRITERION, _PATTERN),
        method=_nullable(_TEXT_OR_CRITERION, "In upper case."),
        headers=_nullable(_OBJECT_OR_CRITERION, "Names in lower case."),
        query=_nullable(_OBJECT_OR_CRITERION),
        body={"description": "The text of the body, or a criterion."},
        host=_nullable(_TEXT_OR_CRITERION, "In lower case, without a port."),
    ),
    "Response": {
        **_object(
            ("status_code", "headers"),
            status_code=_integer(200, 599),
            headers=_SENT_HEADERS,
            body={"description": "Sent as it is: a text, or any JSON."},
            template_body=_nullable(_TEXT, "A template, with `{{ request.query.name }}` and the like in it."),
        ),
        "description": "Exactly one of `body` and `template_body`.",
    },
    "Proxy": _object(
        ("url",), url=_TEXT, headers=_SENT_HEADERS, timeout=_integer(1, default=5, description="Seconds.")
    ),
    "Event": _object(
        ("data",),
        data=_TEXT,
        event=_nullable(_TEXT),
        id=_nullable(_TEXT),
        retry=_nullable(_integer(0, RETRY_MAX_MS)),
        delay_ms=_nullable(_integer(0, DELAY_MAX_MS)),
    ),
    "Sse": _object(("events",), events=_list(_ref("Event"), minItems=1), default_delay_ms=_MILLISECONDS),
    "Action": {
        **_object(response=_nullable(_ref("Response")), proxy=_nullable(_ref("Proxy")), sse=_nullable(_ref("Sse"))),
        "description": "Exactly one of them.",
    },
    "Chaos": _object(
        latency=_object(base_ms=_MILLISECONDS, jitter_ms=_MILLISECONDS),
        faults=_object(
            connection_drop=_nullable(_object(probability={"type": "number", "minimum": 0, "maximum": 1, "default": 1}))
        ),
    ),
    "Stub": {
        **_object(
            ("request", "action"),
            request=_ref("Request"),
            action=_ref("Action"),
            max_calls=_nullable(_integer(), "So often it answers. Absent: without end."),
            chaos=_nullable(_ref("Chaos")),
        ),
        "example": {
            "request": {"path": "/hello", "method": "GET"},
            "action": {"response": {"status_code": 200, "headers": {"Content-Type": "text/plain"}, "body": "hello"}},
        },
    },
    "StubView": _whole(
        stub_id=_TEXT,
        request=_ref("Request"),
        action=_ref("Action"),
        scope=_nullable(_TEXT),
        chaos=_nullable(_ref("Chaos")),
    ),
    "RequestView": _whole(
        method=_TEXT,
        path=_TEXT,
        query=_TEXTS,
        headers=_TEXTS,
        body=_TEXT,
        host=_TEXT,
        scope=_nullable(_TEXT),
        matched_stub_id=_nullable(_TEXT),
    ),
    "Assertion": {
        **_object(
            path=_nullable(_TEXT_OR_CRITERION, "A text stands for itself, with its braces."),
            method=_nullable(_TEXT_OR_CRITERION),
            headers=_nullable(_OBJECT_OR_CRITERION),
            query=_nullable(_OBJECT_OR_CRITERION),
            body=_nullable(_TEXT_OR_CRITERION),
            host=_nullable(_TEXT_OR_CRITERION),
            times={"description": "A number, or a criterion on the number of calls. Absent: at least 1."},
        ),
        "example": {"path": "/hello", "method": "GET"},
    },
    "Scope": _object(
        ("name",), name={**_TEXT, "pattern": SCOPE_NAME, "maxLength": NAME_CHARACTERS_MAX, "example": "team-a"}
    ),
    "Welcome": _whole(message=_TEXT, available_endpoints=_list(_TEXT)),
    "StubCreated": _whole(success=_TRUE, stub_id=_TEXT),
    "ScopeCreated": _whole(success=_TRUE, name=_TEXT),
    "Stubs": _whole(stubs=_list(_ref("StubView"))),
    "Requests": _whole(requests=_list(_ref("RequestView"))),
    "Scopes": _whole(scopes=_list(_TEXT)),
    "Result": _whole(result={"type": "boolean"}),
    "Problem": _whole(detail=_TEXT),
    "Invalid": _whole(
        detail=_list(
            _object(
                ("type", "loc", "msg", "input"),
                type=_TEXT,
                loc=_list({"type": ["string", "integer"]}),
                msg=_TEXT,
                input=_ANYTHING,
                ctx={"type": "object"},
            )
        )
    ),
}
"""What is sent and answered, by name. A field that is not named is ignored."""

_WORDS: Final = {
    200: "Done.",
    201: "Made.",
    400: "The call has headers of several scopes.",
    403: "A browser asks for a page of another site.",
    404: "There is none of that name.",
    409: "It is there already.",
    422: "What was sent cannot be used.",
}


def document() -> Schema:
    """Make the document."""
    paths: dict[str, Schema] = {}
    for each in _OPERATIONS:
        paths.setdefault(each.path, {})[each.method] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Assertive mock API", "version": "1.6.0", "description": _ABOUT},
        "paths": paths,
        "components": {"schemas": dict(_SCHEMAS)},
    }


@cache
def text() -> bytes:
    """The document as JSON text."""
    return dump(document())


def _operation(each: _Operation) -> Schema:
    answered = dict(each.answers)
    if each.is_scoped:
        answered[400] = "Problem"
    if each.takes:
        answered[422] = "Invalid"
    responses = {
        str(status): _response(status, name, "text/html" if each.is_page else "")
        for status, name in sorted(answered.items())
    }
    responses["403"] = _response(403, "Problem", "")
    if each.is_page:
        responses = {"200": {"description": "A page.", "content": {"text/html": {"schema": _TEXT}}}, **responses}
    operation: Schema = {"tags": [each.tag], "summary": each.summary, "operationId": _id(each), "responses": responses}
    parameters = [
        {"name": part[1:-1], "in": "path", "required": True, "schema": _TEXT}
        for part in each.path.split("/")
        if part.startswith("{")
    ]
    if parameters:
        operation["parameters"] = parameters
    if each.takes:
        content = {"application/json": {"schema": _ref(each.takes)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _response(status: int, name: str, other_type: str) -> Schema:
    content = {other_type: {"schema": _TEXT}} if other_type else {"application/json": {"schema": _ref(name)}}
    return {"description": _WORDS[status], "content": content}


def _id(each: _Operation) -> str:
    words = each.summary.split(",")[0].split()
    return words[0].lower() + "".join([word.capitalize() for word in words[1:]])
