"""The public API as one set of calls over three doors: gRPC, REST in the server's process, REST through a gateway.

An answer looks the same through every door: the code it was refused with, in FlowMock's words, and the JSON shape.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote

import grpc
import httpx
from google.protobuf import json_format
from google.protobuf.message import Message
from grpc_status import rpc_status
from support.plain_http import NO_TLS
from understudy import status
from understudy.v1 import log_service_pb2, project_service_pb2, scenario_service_pb2, session_service_pb2
from understudy.v1.log_service_pb2_grpc import LogServiceStub
from understudy.v1.project_service_pb2_grpc import ProjectServiceStub
from understudy.v1.scenario_service_pb2_grpc import ScenarioServiceStub
from understudy.v1.session_service_pb2_grpc import SessionServiceStub

Json = Any
# The names that FlowMock gives to codes of ours.
_FLOWMOCK_CODES = {"invalid_field": "invalid_body"}
_NULL_WHEN_UNSET = {
    "Session": ("label", "scenario", "lastSeenAt"),
    "ListScenariosResponse": ("nextBefore",),
    "ListLogsResponse": ("nextCursor",),
    "LogEntry": ("overrideId", "requestPreview", "responsePreview"),
}


@dataclass(frozen=True)
class Answer:
    """``code`` is empty for a call that was served; ``value`` is its JSON. ``http_status`` is 0 over gRPC."""

    code: str
    value: Json = None
    http_status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def served(self) -> Json:
        assert self.code == "", f"refused with {self.code}: {self.value}"
        return self.value


class Door(Protocol):
    """``auth`` is a whole Authorization value, or ``None`` for none. Keyword arguments are query parameters."""

    def get(self, auth: str | None, key: str, **query: Json) -> Answer: ...

    def put(self, auth: str | None, key: str, body: Mapping[str, Json], **query: Json) -> Answer: ...

    def delete(self, auth: str | None, key: str, **query: Json) -> Answer: ...

    def on(self, auth: str | None, key: str, override: str, **query: Json) -> Answer: ...

    def off(self, auth: str | None, key: str, override: str, **query: Json) -> Answer: ...

    def scenarios(self, auth: str | None, **query: Json) -> Answer: ...

    def logs(self, auth: str | None, key: str, **query: Json) -> Answer: ...

    def body(self, auth: str | None, log_id: str, **query: Json) -> Answer: ...

    def environment(self, auth: str | None, project: str, slug: str) -> Answer: ...

    def make_environment(self, auth: str | None, project: str, body: Mapping[str, Json]) -> Answer: ...

    def change_environment(self, auth: str | None, project: str, slug: str, body: Mapping[str, Json]) -> Answer: ...


class RestDoor:
    """A real HTTP client against ``host:port``."""

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=f"http://{address}/api/v1", timeout=30, verify=NO_TLS)

    def get(self, auth: str | None, key: str, **query: Json) -> Answer:
        return self._call("GET", f"/sessions/{quote(key, safe='')}", auth, query)

    def put(self, auth: str | None, key: str, body: Mapping[str, Json], **query: Json) -> Answer:
        return self._call("PUT", f"/sessions/{quote(key, safe='')}", auth, query, json.dumps(body).encode())

    def delete(self, auth: str | None, key: str, **query: Json) -> Answer:
        return self._call("DELETE", f"/sessions/{quote(key, safe='')}", auth, query)

    def on(self, auth: str | None, key: str, override: str, **query: Json) -> Answer:
        return self._call("POST", f"/sessions/{quote(key, safe='')}/overrides/{quote(override, safe='')}", auth, query)

    def off(self, auth: str | None, key: str, override: str, **query: Json) -> Answer:
        return self._call(
            "DELETE", f"/sessions/{quote(key, safe='')}/overrides/{quote(override, safe='')}", auth, query
        )

    def scenarios(self, auth: str | None, **query: Json) -> Answer:
        return self._call("GET", "/scenarios", auth, query)

    def logs(self, auth: str | None, key: str, **query: Json) -> Answer:
        return self._call("GET", f"/sessions/{quote(key, safe='')}/logs", auth, query)

    def body(self, auth: str | None, log_id: str, **query: Json) -> Answer:
        return self._call("GET", f"/logs/{quote(log_id, safe='')}/body", auth, query)

    def environment(self, auth: str | None, project: str, slug: str) -> Answer:
        return self._call("GET", f"/projects/{project}/environments/{slug}", auth, {})

    def make_environment(self, auth: str | None, project: str, body: Mapping[str, Json]) -> Answer:
        return self._call("POST", f"/projects/{project}/environments", auth, {}, json.dumps(body).encode())

    def put_file(self, auth: str | None, project: str, slug: str, name: str, content: bytes) -> Answer:
        path = f"/projects/{project}/environments/{slug}/files/{quote(name, safe='')}"
        return self._call("PUT", path, auth, {}, content)

    def delete_file(self, auth: str | None, project: str, slug: str, name: str) -> Answer:
        return self._call("DELETE", f"/projects/{project}/environments/{slug}/files/{quote(name, safe='')}", auth, {})

    def change_environment(self, auth: str | None, project: str, slug: str, body: Mapping[str, Json]) -> Answer:
        path = f"/projects/{project}/environments/{slug}"
        return self._call("PATCH", path, auth, {}, json.dumps(body).encode())

    def close(self) -> None:
        self._client.close()

    def _call(
        self, method: str, path: str, auth: str | None, query: Mapping[str, Json], content: bytes | None = None
    ) -> Answer:
        headers = {"authorization": auth} if auth else {}
        if content is not None:
            headers["content-type"] = "application/json"
        response = self._client.request(method, path, params=query, headers=headers, content=content)
        assert response.headers["content-type"] == "application/json", response.headers
        value = response.json()
        code = "" if response.status_code == httpx.codes.OK else value["code"]
        return Answer(code, value, response.status_code, response.headers)


class GrpcDoor:
    """The generated stubs over a real channel."""

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address)
        self._sessions = SessionServiceStub(self._channel)
        self._scenarios = ScenarioServiceStub(self._channel)
        self._logs = LogServiceStub(self._channel)
        self._projects = ProjectServiceStub(self._channel)

    def get(self, auth: str | None, key: str, **query: Json) -> Answer:
        request = session_service_pb2.GetSessionRequest(session_key=key, **query)
        return _called(self._sessions.GetSession, request, auth, "session")

    def put(self, auth: str | None, key: str, body: Mapping[str, Json], **query: Json) -> Answer:
        request = session_service_pb2.PutSessionRequest(session_key=key, **query)
        json_format.ParseDict({name: value for name, value in body.items() if value is not None}, request)
        for name in body:
            path = request.DESCRIPTOR.fields_by_camelcase_name[name].name
            if path not in ("project", "environment"):
                request.update_mask.paths.append(path)
        return _called(self._sessions.PutSession, request, auth, "session")

    def delete(self, auth: str | None, key: str, **query: Json) -> Answer:
        # An enum has no spelling for what it does not know but a number.
        modes = {"reset": 1, "delete": 2}
        mode = modes.get(query["mode"], 99) if "mode" in query else 0
        request = session_service_pb2.DeleteSessionRequest(session_key=key, **{**query, "mode": mode})
        return _called(self._sessions.DeleteSession, request, auth)

    def on(self, auth: str | None, key: str, override: str, **query: Json) -> Answer:
        request = session_service_pb2.ActivateOverrideRequest(session_key=key, override_id=override, **query)
        return _called(self._sessions.ActivateOverride, request, auth)

    def off(self, auth: str | None, key: str, override: str, **query: Json) -> Answer:
        request = session_service_pb2.DeactivateOverrideRequest(session_key=key, override_id=override, **query)
        return _called(self._sessions.DeactivateOverride, request, auth)

    def scenarios(self, auth: str | None, **query: Json) -> Answer:
        return _called(self._scenarios.ListScenarios, scenario_service_pb2.ListScenariosRequest(**query), auth)

    def logs(self, auth: str | None, key: str, **query: Json) -> Answer:
        request = log_service_pb2.ListLogsRequest(session_key=key, **query)
        return _called(self._logs.ListLogs, request, auth)

    def body(self, auth: str | None, log_id: str, **query: Json) -> Answer:
        sides = {"request": 1, "response": 2}
        side = sides.get(query["side"], 99) if "side" in query else 0
        request = log_service_pb2.GetLogBodyRequest(log_id=log_id, **{**query, "side": side})
        answer = _called(self._logs.GetLogBody, request, auth, "body")
        return Answer(answer.code, json.loads(answer.value.data)) if answer.code == "" else answer

    def environment(self, auth: str | None, project: str, slug: str) -> Answer:
        request = project_service_pb2.GetEnvironmentRequest(project=project, environment=slug)
        return _called(self._projects.GetEnvironment, request, auth, "environment")

    def make_environment(self, auth: str | None, project: str, body: Mapping[str, Json]) -> Answer:
        request = project_service_pb2.CreateEnvironmentRequest(project=project)
        json_format.ParseDict(dict(body), request.environment)
        return _called(self._projects.CreateEnvironment, request, auth, "environment")

    def change_environment(self, auth: str | None, project: str, slug: str, body: Mapping[str, Json]) -> Answer:
        request = project_service_pb2.UpdateEnvironmentRequest(project=project, environment=slug)
        json_format.ParseDict(dict(body), request.changes)
        fields = request.changes.DESCRIPTOR.fields_by_camelcase_name
        request.update_mask.paths.extend(fields[name].name for name in body)
        return _called(self._projects.UpdateEnvironment, request, auth, "environment")

    def close(self) -> None:
        self._channel.close()


def _called(rpc: Any, request: Message, auth: str | None, part: str = "") -> Answer:
    metadata = (("authorization", auth),) if auth else ()
    try:
        response = rpc(request, metadata=metadata, timeout=30)
    except grpc.RpcError as error:
        problem = status.read(rpc_status.from_call(error))
        headers = {"retry-after": str(problem.retry_after_seconds)}
        return Answer(_FLOWMOCK_CODES.get(problem.reason, problem.reason), problem.message, headers=headers)
    answer = getattr(response, part) if part else response
    return Answer("", answer if part == "body" else _json(answer))


def _json(message: Message) -> Json:
    """The shape that REST shows, made with protobuf's own printer and not with ours."""
    shown = json_format.MessageToDict(message, always_print_fields_with_no_presence=True)
    return _reshape(message, shown)


def _reshape(message: Message, shown: dict[str, Json]) -> dict[str, Json]:
    for name in _NULL_WHEN_UNSET.get(message.DESCRIPTOR.name, ()):
        shown.setdefault(name, None)
    for name in ("lastSeenAt", "createdAt", "updatedAt", "expiresAt"):
        if shown.get(name):
            shown[name] = _three_digits(shown[name])
    if message.DESCRIPTOR.name in ("Session", "Environment"):
        # Over REST it travels as a header.
        del shown["revision"]
    if message.DESCRIPTOR.name == "Session" and not shown["warnings"]:
        # Over REST it is left out when there are none.
        del shown["warnings"]
    if "mode" in shown:
        shown["mode"] = shown["mode"].removeprefix("DELETE_MODE_").lower()
    for field_descriptor, value in message.ListFields():
        if field_descriptor.is_repeated and field_descriptor.message_type:
            parts = shown[field_descriptor.json_name]
            shown[field_descriptor.json_name] = [_reshape(*pair) for pair in zip(value, parts, strict=True)]
    if message.DESCRIPTOR.name == "Environment" and "limits" in shown:
        # Protobuf's printer writes whole numbers of 64 bits as text, and REST writes numbers.
        shown["limits"] = {name: int(value) for name, value in shown["limits"].items()}
    return shown


def _three_digits(moment: str) -> str:
    seconds, _, fraction = moment.removesuffix("Z").partition(".")
    return f"{seconds}.{fraction[:3]:0<3}Z"
