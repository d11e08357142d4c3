"""Actions, compiled."""

from understudy.v1.actions_pb2 import Respond

from understudy_server.core.responding.response import BodyKind, Response, with_default_type

STATUS_DEFAULT = 200


def compile_response(respond: Respond) -> Response:
    """Compile a fixed response."""
    body, kind = _body(respond)
    headers = tuple([(header.name, header.value) for header in respond.headers])
    return with_default_type(respond.status or STATUS_DEFAULT, headers, body, kind)


def _body(respond: Respond) -> tuple[bytes, BodyKind]:
    match respond.WhichOneof("body"):
        case "json":
            return respond.json.encode(), BodyKind.JSON
        case "text":
            return respond.text.encode(), BodyKind.TEXT
        case "binary":
            return respond.binary, BodyKind.BINARY
        case _:
            return b"", BodyKind.NONE
