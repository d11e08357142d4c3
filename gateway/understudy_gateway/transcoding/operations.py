"""Every route of the contract, compiled: how to read its requests, what to call, how to write its answers."""

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from google.api.http_pb2 import HttpRule
from google.protobuf.descriptor import MethodDescriptor

from understudy_gateway.transcoding import templates
from understudy_gateway.transcoding.contract import Contract
from understudy_gateway.transcoding.json_decode import Decoders
from understudy_gateway.transcoding.json_encode import Encoders
from understudy_gateway.transcoding.options import http_rule, rest_method
from understudy_gateway.transcoding.requests import RequestDecoder
from understudy_gateway.transcoding.responses import ResponseEncoder
from understudy_gateway.transcoding.routes import RouteTree
from understudy_gateway.transcoding.templates import InvalidTemplate, Template

AUTHORIZATION, CONTENT_LENGTH = b"authorization", b"content-length"

WAIT_FIELD = "timeout_ms"
"""The field of a request by which a call may wait, and for how long at most."""

TRACE_CONTEXT = (b"traceparent", b"tracestate")
"""Of which trace a call is a part (W3C Trace Context). Passed on as they are: whoever traces reads them."""


class _Codecs(NamedTuple):
    """What all routes share: messages are the same in many of them."""

    decoders: Decoders
    encoders: Encoders


class Operation:
    """One route.

    ``rpc`` is the method as gRPC names it: ``/understudy.v1.SessionService/GetSession``; ``body_bytes_max`` is 0 or how
    long its body may be where others must be shorter. ``waits``: it may wait for something to happen, which is of no
    use to a client that is gone. How requests are read and answers written is worked out when it is first asked for.
    """

    def __init__(self, method: MethodDescriptor, rule: HttpRule, template: Template, codecs: _Codecs) -> None:
        self.rpc = rpc_name(method)
        self.streams = method.server_streaming
        self.body_bytes_max = rest_method(method).body_bytes_max
        self.waits = WAIT_FIELD in method.input_type.fields_by_name
        self._method = method
        self._rule = rule
        self._template = template
        self._codecs = codecs

    @cached_property
    def request(self) -> RequestDecoder:
        """Reads its requests. Raises ``UnsupportedField`` for what has no form over HTTP."""
        return RequestDecoder(self._method, self._rule, self._template, self._codecs.decoders)

    @cached_property
    def response(self) -> ResponseEncoder:
        """Writes its answers. Raises ``UnsupportedField`` for what has no form over HTTP."""
        return ResponseEncoder(self._method, self._rule.response_body, self._codecs.encoders)

    @cached_property
    def headers(self) -> frozenset[bytes]:
        """The names of all that a call is made of, lower case."""
        return self.request.headers | {AUTHORIZATION, CONTENT_LENGTH, *TRACE_CONTEXT}


def compile_routes(contract: Contract, *, whole: bool = True) -> RouteTree[Operation]:
    """Compile every binding of every method; what can be read can be asked for by HEAD, except a stream.

    Raises when the contract holds what has no form over HTTP. With ``whole`` false an operation finds that out when it
    is first asked for: that is for a contract that is known to be good, and of which most is never asked for.
    """
    tree: RouteTree[Operation] = RouteTree()
    codecs = _Codecs(Decoders(), Encoders())
    for method in contract.methods():
        for rule in bindings(method):
            verb, path = verb_and_path(rule)
            template = templates.parse(path)
            operation = Operation(method, rule, template, codecs)
            if whole:
                _ = operation.request, operation.response
            tree.add(verb, template, operation)
            if verb == "GET" and not operation.streams:
                tree.add("HEAD", template, operation)
    return tree


def bindings(method: MethodDescriptor) -> Iterator[HttpRule]:
    """Yield the rule of a method and its additional bindings."""
    rule = http_rule(method)
    if rule is not None:
        yield rule
        yield from rule.additional_bindings


def verb_and_path(rule: HttpRule) -> tuple[str, str]:
    """Return the HTTP method, upper case, and the path template of a rule. Raises ``InvalidTemplate``."""
    pattern = rule.WhichOneof("pattern")
    if pattern is None:
        raise InvalidTemplate("a rule of google.api.http names no path")
    if pattern == "custom":
        return rule.custom.kind.upper(), rule.custom.path
    return pattern.upper(), getattr(rule, pattern)


def rpc_name(method: MethodDescriptor) -> str:
    """Return the path of a method in gRPC."""
    return f"/{method.containing_service.full_name}/{method.name}"
