"""A backend that is a server elsewhere: calls go over a gRPC channel, as bytes.

A request is read here, and what was wrong with it travels along in metadata with the readable part, so that the server
refuses it at its place in the order of checks: after the key, the rate and the place the call acts in.
"""

import string
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

import grpc
import grpc.aio
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc import code_pb2
from google.rpc.status_pb2 import Status
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from understudy import request_ids

from understudy_gateway.backend import Decode
from understudy_gateway.transcoding.contract import Contract, services_of_understudy
from understudy_gateway.transcoding.operations import WAIT_FIELD, rpc_name

REFUSAL_KEY = "understudy-refusal-bin"
"""Metadata with the serialised ``google.rpc.Status`` that the server refuses the call with when its turn comes."""

MESSAGE_BYTES_MAX = 64 * 1024 * 1024
"""A page of a thousand mocks may be long; the peer is our own server."""

CALL_SECONDS_MAX = 60.0
"""After this time a unary call has failed with ``DEADLINE_EXCEEDED``. Streams last as long as both sides want."""

CHECK_SECONDS_MAX = 1.0
"""How long the server may take to say that it is well. Who asks for it is an orchestrator, and does not wait longer."""

_DETAILS_KEY = "grpc-status-details-bin"
_METADATA_CHARACTERS_MAX = 512
_VISIBLE = string.ascii_letters + string.digits + string.punctuation


class ChannelBackend:
    """Calls a server at ``address`` (``host:port``), over TLS with ``credentials``. Make it in the event loop."""

    def __init__(
        self,
        address: str,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        call_seconds_max: float = CALL_SECONDS_MAX,
        contract: Contract | None = None,
    ) -> None:
        options = [
            ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
            ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
        ]
        if credentials is None:
            self._channel = grpc.aio.insecure_channel(address, options=options)
        else:
            self._channel = grpc.aio.secure_channel(address, credentials, options=options)
        self._call_seconds_max = call_seconds_max
        self._check: Any = self._channel.unary_unary(
            "/grpc.health.v1.Health/Check", HealthCheckRequest.SerializeToString, HealthCheckResponse.FromString
        )
        self._unary: dict[str, Any] = {}
        self._streams: dict[str, Any] = {}
        for method in (contract or services_of_understudy()).methods():
            name, answer = rpc_name(method), GetMessageClass(method.output_type)
            if method.server_streaming:
                self._streams[name] = self._channel.unary_stream(name, None, answer.FromString)
            else:
                self._unary[name] = self._channel.unary_unary(name, None, answer.FromString)

    async def unary(self, method: str, metadata: Mapping[str, str], decode: Decode) -> Message | Status:
        """Call ``method``. A failure of the call or of the way is returned as its status."""
        request, sent, wait_seconds = _outgoing(metadata, decode)
        try:
            answer: Message = await self._unary[method](
                request, metadata=sent, timeout=self._call_seconds_max + wait_seconds
            )
        except grpc.aio.AioRpcError as error:
            return _status(error)
        return answer

    async def stream(self, method: str, metadata: Mapping[str, str], decode: Decode) -> AsyncIterator[Message | Status]:
        """Call a server-streaming method; closing the iterator cancels the call."""
        request, sent, _ = _outgoing(metadata, decode)
        call = self._streams[method](request, metadata=sent)
        try:
            async for message in call:
                yield message
        except grpc.aio.AioRpcError as error:
            yield _status(error)
        finally:
            call.cancel()

    async def ready(self) -> Mapping[str, str]:
        """Ask the server whether it takes work, which has it look: what is wrong, by name (`health_pages.Ready`).

        It says only that something is; what it is, its own ``/health/ready`` tells.
        """
        try:
            answer: HealthCheckResponse = await self._check(HealthCheckRequest(), timeout=CHECK_SECONDS_MAX)
        except grpc.aio.AioRpcError as error:
            return {"server": f"the server behind does not answer ({error.code().name})"}
        serves = answer.status == HealthCheckResponse.SERVING
        return {"server": "" if serves else "the server behind takes no work now"}

    async def close(self) -> None:
        """Close the channel; calls in flight are cancelled."""
        await self._channel.close()


def _outgoing(metadata: Mapping[str, str], decode: Decode) -> tuple[bytes, list[tuple[str, str | bytes]], float]:
    """The request, its metadata, and how many seconds it may wait beside what any call may take."""
    message, refusal = decode()
    sent: list[tuple[str, str | bytes]] = [(key, _sendable(text)) for key, text in metadata.items()]
    if request_id := request_ids.CURRENT.get():
        sent.append((request_ids.HEADER, request_id))
    if refusal is not None:
        sent.append((REFUSAL_KEY, refusal.SerializeToString()))
    return message.SerializeToString(), sent, getattr(message, WAIT_FIELD, 0) / 1000


def _sendable(text: str) -> str:
    """Encode what gRPC refuses or trims, and cut what is longer than metadata may be.

    No slug and no key has such characters or such a length: as sent, too, they name nothing.
    """
    text = text[:_METADATA_CHARACTERS_MAX]
    return quote(text, safe=_VISIBLE + " " if text == text.strip() else _VISIBLE)


def _status(error: grpc.aio.AioRpcError) -> Status:
    """Return the status that the server sent, or else one made of what gRPC itself says."""
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS_KEY and isinstance(value, bytes):
            try:
                return Status.FromString(value)
            except DecodeError:
                break
    number, _ = error.code().value
    return Status(code=number or code_pb2.UNKNOWN, message=error.details() or "")
