"""Streams of the API over its doors, as events of the JSON that REST documents."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol
from urllib.parse import quote

import grpc
import httpx
from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass
from grpc_status import rpc_status
from support.plain_http import NO_TLS
from understudy import status
from understudy.v1 import log_service_pb2

Json = Any
_SERVICE = log_service_pb2.DESCRIPTOR.services_by_name["LogService"]
_ROUTES = {"TailLogs": "logs/tail", "WatchSession": "watch"}
_FLOWMOCK_CODES = {"invalid_field": "invalid_body"}
PATIENCE_SECONDS = 20


class Refused(Exception):
    """The stream was refused, or ended with an error: its code in FlowMock's words."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Streams(Protocol):
    """``following`` gives the messages of a stream as they come. Raises Refused while it is read."""

    def following(self, auth: str, rpc: str, key: str, **request: Json) -> Any: ...

    def close(self) -> None: ...


class GrpcStreams:
    """A real channel."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address)

    @contextmanager
    def following(self, auth: str, rpc: str, key: str, **request: Json) -> Iterator[Iterator[Json]]:
        method = _SERVICE.methods_by_name[rpc]
        message = GetMessageClass(method.input_type)()
        json_format.ParseDict({"sessionKey": key, **request}, message)
        answers = GetMessageClass(method.output_type)
        ask: Any = self._channel.unary_stream(
            f"/{_SERVICE.full_name}/{rpc}",
            request_serializer=lambda each: each.SerializeToString(),
            response_deserializer=answers.FromString,
        )
        call = ask(message, metadata=(("authorization", auth),), timeout=PATIENCE_SECONDS)
        try:
            yield _messages(call)
        finally:
            call.cancel()

    def close(self) -> None:
        self._channel.close()


def _messages(call: Any) -> Iterator[Json]:
    try:
        for message in call:
            yield _plain(message)
    except grpc.RpcError as error:
        found = rpc_status.from_call(error)
        reason = status.read(found).reason if found is not None else error.code().name
        raise Refused(_FLOWMOCK_CODES.get(reason, reason)) from None


def _plain(message: Any) -> Json:
    """As REST shows it, as far as tests look: numbers of 64 bits are numbers, enums are in lower case."""
    found = json_format.MessageToDict(message, always_print_fields_with_no_presence=True)
    log = found.get("log")
    if log:
        for name in ("number", "sessionRevision", "lostBefore"):
            log[name] = int(log[name])
        log["outcome"] = log["outcome"].removeprefix("EXCHANGE_OUTCOME_").lower()
    return found


class RestStreams:
    """Server-sent events from ``host:port``."""

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=f"http://{address}", timeout=PATIENCE_SECONDS, verify=NO_TLS)

    @contextmanager
    def following(self, auth: str, rpc: str, key: str, **request: Json) -> Iterator[Iterator[Json]]:
        path = f"/api/v1/sessions/{quote(key, safe='')}/{_ROUTES[rpc]}"
        with self._client.stream("GET", path, params=_in_query(request), headers={"authorization": auth}) as answer:
            yield _events(answer)

    def close(self) -> None:
        self._client.close()


def _events(answer: httpx.Response) -> Iterator[Json]:
    if answer.status_code != httpx.codes.OK:
        raise Refused(json.loads(answer.read())["code"])
    assert answer.headers["content-type"] == "text/event-stream"
    failed = False
    for line in answer.iter_lines():
        if line == "event: error":
            failed = True
        elif line.startswith("data: "):
            value = json.loads(line.removeprefix("data: "))
            if failed:
                raise Refused(value["code"])
            yield value


def _in_query(request: Mapping[str, Json]) -> dict[str, Json]:
    return {name: json.dumps(value) if isinstance(value, bool | dict) else value for name, value in request.items()}
