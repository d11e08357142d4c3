"""Responses, compiled."""

from typing import Final

from understudy.v1.actions_pb2 import Respond

from understudy_server.core.responding.files import Files
from understudy_server.core.responding.making import Maker
from understudy_server.core.responding.respond import (
    FileResponse,
    FixedResponse,
    MadeHeaders,
    MadeResponse,
    fixed_body,
    template_body,
)
from understudy_server.core.responding.response import BodyKind, Response, with_default_type
from understudy_server.definitions.templates import TemplateCompiler

STATUS_DEFAULT: Final = 200


def is_fixed(respond: Respond) -> bool:
    """Whether a response is the same for every request."""
    return not respond.header_templates and respond.WhichOneof("body") not in ("template", "file")


def compile_response(respond: Respond) -> Response:
    """Compile a fixed response."""
    body, kind = _body(respond)
    if respond.bare:
        kind = BodyKind.NONE
    headers = tuple([(header.name, header.value) for header in respond.headers])
    return with_default_type(respond.status or STATUS_DEFAULT, headers, body, kind)


def compile_maker(respond: Respond, path: str, files: Files, templates: TemplateCompiler) -> Maker:
    """Compile any response. ``path`` is that of the message. Raises Unusable."""
    response = compile_response(respond)
    if is_fixed(respond):
        return FixedResponse(response)
    headers = _headers(respond, response, path, templates)
    match respond.WhichOneof("body"):
        case "file":
            return FileResponse(response.status, headers, respond.file, files, bare=respond.bare)
        case "template":
            template = templates.compile(respond.template, f"{path}.template")
            return MadeResponse(response.status, headers, template_body(template), (template,))
        case _:
            return MadeResponse(response.status, headers, fixed_body(response.body))


def _headers(respond: Respond, response: Response, path: str, templates: TemplateCompiler) -> MadeHeaders:
    """The headers of a response, their values templates where it says so: not a content type that it has by itself."""
    if not respond.header_templates:
        return MadeHeaders(response.headers)
    own = response.headers[: len(response.headers) - len(respond.headers)]
    made = [
        (header.name, templates.compile(header.value, f"{path}.headers[{place}].value"))
        for place, header in enumerate(respond.headers)
    ]
    return MadeHeaders((*own, *made))


def _body(respond: Respond) -> tuple[bytes, BodyKind]:
    match respond.WhichOneof("body"):
        case "json":
            return respond.json.encode(), BodyKind.JSON
        case "text":
            return respond.text.encode(), BodyKind.TEXT
        case "binary":
            return respond.binary, BodyKind.BINARY
        case "template":
            return b"", BodyKind.TEXT
        case _:
            return b"", BodyKind.NONE
