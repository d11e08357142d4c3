"""From a request of the protocol to the request of EvaluationService."""

from typing import Final

import msgspec
from google.protobuf.message import Message
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from understudy import status
from understudy.status import Problem
from understudy.v1.evaluation_service_pb2 import EvaluateBatchRequest, EvaluateRequest

from understudy_gateway.answers import bad_request
from understudy_gateway.dialects.ofrep import carried
from understudy_gateway.dialects.ofrep.paths import Asked
from understudy_gateway.dialects.session_headers import SessionHeaders
from understudy_gateway.transcoding import json_text, query
from understudy_gateway.transcoding.json_text import InvalidJson
from understudy_gateway.transcoding.routes import BadEncoding

EVALUATE: Final = "/understudy.v1.EvaluationService/Evaluate"
EVALUATE_BATCH: Final = "/understudy.v1.EvaluationService/EvaluateBatch"


class _Body(msgspec.Struct):
    """What a body may hold. The context stays as it was written: the server reads it."""

    context: msgspec.Raw = msgspec.Raw(b"")


_decoder: Final = msgspec.json.Decoder(_Body)


class Asking:
    """One request, and what it asks EvaluationService for."""

    def __init__(self, asked: Asked, headers: SessionHeaders, raw_query: bytes, body: bytes) -> None:
        self._asked = asked
        self._headers = headers
        self._raw_query = raw_query
        self._body = body

    @property
    def rpc(self) -> str:
        """The RPC that answers it."""
        return EVALUATE_BATCH if self._asked.key is None else EVALUATE

    def decode(self) -> tuple[Message, Status | None]:
        """Read it: the message with all that is readable, and the refusal of what is not. Never raises."""
        request: EvaluateRequest | EvaluateBatchRequest
        if self._asked.key is None:
            request = EvaluateBatchRequest(all=True)
        else:
            request = EvaluateRequest(flag_key=self._asked.key)
        try:
            if self._raw_query:
                self._place(request)
            carried.fill(request, self._headers)
            request.context = _context(self._body)
        except BadEncoding:
            return request, bad_request("The query string is not percent-encoded UTF-8.", "encoding")
        except (msgspec.DecodeError, InvalidJson, UnicodeDecodeError, RecursionError) as error:
            return request, status.write(code_pb2.INVALID_ARGUMENT, Problem("invalid_json", _told(error), rule="json"))
        return request, None

    def _place(self, request: EvaluateRequest | EvaluateBatchRequest) -> None:
        parameters = query.parse(self._raw_query)
        if "project" in parameters:
            request.project = parameters["project"][0]
        if "environment" in parameters:
            request.environment = parameters["environment"][0]


def _context(body: bytes) -> str:
    """The context as JSON text; empty when there is none."""
    if not body or body.isspace():
        return ""
    context = str(_decoder.decode(body).context, "utf-8")
    if body.count(b":") - context.count(":") > 1:
        # There is more than the context. None of it may be there twice; in the context, the server sees to that.
        json_text.parse_object(body)
    return "" if context == "null" else context


def _told(error: Exception) -> str:
    if isinstance(error, msgspec.ValidationError):
        return "The body must be a JSON object."
    if isinstance(error, InvalidJson):
        return str(error)
    if isinstance(error, msgspec.DecodeError):
        return f"The body is not JSON: {error}."
    return "The body is not JSON in UTF-8." if isinstance(error, UnicodeDecodeError) else "The body is nested too deep."
