"""Every RPC and the one function of ``app`` that answers it, named: what answers is imported with its first call."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from understudy.options.v1.options_pb2 import Access
from understudy.v1 import (
    evaluation_service_pb2,
    explain_service_pb2,
    file_service_pb2,
    flag_service_pb2,
    key_service_pb2,
    log_service_pb2,
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

from understudy_server.rpc import options
from understudy_server.rpc.late import Late


class Kind(Enum):
    """How a use case is run."""

    READS = "reads"  # in a transaction that only reads: use_case(tx, call, request)
    WRITES = "writes"  # in a transaction: use_case(tx, call, request)
    WRITES_BRIEFLY = "writes briefly"  # the same, in some statements, and nothing else comes of it if it is undone
    ASKS = "asks"  # outside of any transaction, since it asks the journal too: use_case(call, request)
    STREAMS = "streams"  # outside of any transaction; answers with an iterator: use_case(call, request)


UseCase = Callable[..., Awaitable[Message] | AsyncIterator[Message]] | Late

_SERVICES = (
    session_service_pb2.DESCRIPTOR.services_by_name["SessionService"],
    scenario_service_pb2.DESCRIPTOR.services_by_name["ScenarioService"],
    log_service_pb2.DESCRIPTOR.services_by_name["LogService"],
    verification_service_pb2.DESCRIPTOR.services_by_name["VerificationService"],
    mock_service_pb2.DESCRIPTOR.services_by_name["MockService"],
    session_mock_service_pb2.DESCRIPTOR.services_by_name["SessionMockService"],
    state_service_pb2.DESCRIPTOR.services_by_name["StateService"],
    file_service_pb2.DESCRIPTOR.services_by_name["FileService"],
    explain_service_pb2.DESCRIPTOR.services_by_name["ExplainService"],
    flag_service_pb2.DESCRIPTOR.services_by_name["FlagService"],
    evaluation_service_pb2.DESCRIPTOR.services_by_name["EvaluationService"],
    project_session_service_pb2.DESCRIPTOR.services_by_name["ProjectSessionService"],
    project_service_pb2.DESCRIPTOR.services_by_name["ProjectService"],
    key_service_pb2.DESCRIPTOR.services_by_name["KeyService"],
    manifest_service_pb2.DESCRIPTOR.services_by_name["ManifestService"],
    server_service_pb2.DESCRIPTOR.services_by_name["ServerService"],
)

_USE_CASES: dict[str, tuple[Kind, str]] = {
    "GetSession": (Kind.READS, "sessions.get_session"),
    "PutSession": (Kind.WRITES_BRIEFLY, "sessions.put_session"),
    "DeleteSession": (Kind.ASKS, "sessions.delete_session"),
    "ListSessions": (Kind.READS, "sessions.list_sessions"),
    "ActivateOverride": (Kind.WRITES_BRIEFLY, "overrides.activate_override"),
    "DeactivateOverride": (Kind.WRITES_BRIEFLY, "overrides.deactivate_override"),
    "FreezeSession": (Kind.WRITES, "freezing.freeze_session"),
    "UnfreezeSession": (Kind.WRITES, "freezing.unfreeze_session"),
    "ListScenarios": (Kind.READS, "scenarios.list_scenarios"),
    "GetScenario": (Kind.READS, "scenarios.get_scenario"),
    "CreateScenario": (Kind.WRITES, "scenarios.create_scenario"),
    "UpdateScenario": (Kind.WRITES, "scenarios.update_scenario"),
    "DeleteScenario": (Kind.WRITES, "scenarios.delete_scenario"),
    "ListLogs": (Kind.ASKS, "logs.list_logs"),
    "TailLogs": (Kind.STREAMS, "tailing.tail_logs"),
    "WatchSession": (Kind.STREAMS, "watching.watch_session"),
    "GetLog": (Kind.ASKS, "logs.get_log"),
    "GetLogBody": (Kind.ASKS, "logs.get_log_body"),
    "DeleteLogs": (Kind.ASKS, "logs.delete_logs"),
    "CountCalls": (Kind.ASKS, "counting.count_calls"),
    "VerifyCalls": (Kind.ASKS, "verifying.verify_calls"),
    "AwaitCalls": (Kind.ASKS, "awaiting.await_calls"),
    "ListVerifications": (Kind.ASKS, "verifications.list_verifications"),
    "GetSessionHealth": (Kind.ASKS, "health.get_session_health"),
    "CreateMock": (Kind.WRITES, "mocks.create_mock"),
    "CreateMockFromLog": (Kind.ASKS, "from_log.create_mock_from_log"),
    "GetMock": (Kind.READS, "mocks.get_mock"),
    "UpdateMock": (Kind.WRITES, "mocks.update_mock"),
    "DeleteMock": (Kind.WRITES, "mocks.delete_mock"),
    "ListMocks": (Kind.READS, "mocks.list_mocks"),
    "PublishMock": (Kind.WRITES, "mocks.publish_mock"),
    "UnpublishMock": (Kind.WRITES, "mocks.unpublish_mock"),
    "ActivateMock": (Kind.WRITES, "mocks.activate_mock"),
    "DeactivateMock": (Kind.WRITES, "mocks.deactivate_mock"),
    "BatchMocks": (Kind.WRITES, "mock_batches.batch_mocks"),
    "ListMockVersions": (Kind.READS, "mock_versions.list_mock_versions"),
    "RestoreMockVersion": (Kind.WRITES, "mock_versions.restore_mock_version"),
    "BatchScenarios": (Kind.WRITES, "scenario_batches.batch_scenarios"),
    "ListScenarioVersions": (Kind.READS, "scenario_versions.list_scenario_versions"),
    "RestoreScenarioVersion": (Kind.WRITES, "scenario_versions.restore_scenario_version"),
    "PutSessionMock": (Kind.WRITES, "session_mocks.put_session_mock"),
    "GetSessionMock": (Kind.READS, "session_mocks.get_session_mock"),
    "ListSessionMocks": (Kind.READS, "session_mocks.list_session_mocks"),
    "DeleteSessionMock": (Kind.WRITES_BRIEFLY, "session_mocks.delete_session_mock"),
    "ListStateValues": (Kind.ASKS, "state.list_state_values"),
    "GetStateValue": (Kind.ASKS, "state.get_state_value"),
    "SetStateValue": (Kind.ASKS, "state.set_state_value"),
    "IncrementStateValue": (Kind.ASKS, "state.increment_state_value"),
    "DeleteStateValue": (Kind.ASKS, "state.delete_state_value"),
    "GetState": (Kind.ASKS, "state.get_state"),
    "SetMachine": (Kind.ASKS, "state.set_machine"),
    "ResetState": (Kind.ASKS, "state.reset_state"),
    "PutFile": (Kind.WRITES, "files.put_file"),
    # What it reads may be long: on the event loop the proxy would wait for it.
    "GetFile": (Kind.WRITES, "files.get_file"),
    "ListFiles": (Kind.READS, "files.list_files"),
    "DeleteFile": (Kind.WRITES, "files.delete_file"),
    "Explain": (Kind.ASKS, "explaining.explain"),
    "CreateFlag": (Kind.WRITES, "flags.create_flag"),
    "GetFlag": (Kind.READS, "flags.get_flag"),
    "ListFlags": (Kind.READS, "flags.list_flags"),
    "UpdateFlag": (Kind.WRITES, "flags.update_flag"),
    "DeleteFlag": (Kind.WRITES, "flags.delete_flag"),
    "GetFlagState": (Kind.READS, "flag_states.get_flag_state"),
    "PutFlagState": (Kind.WRITES, "flag_states.put_flag_state"),
    "BatchFlags": (Kind.WRITES, "flag_batches.batch_flags"),
    "Evaluate": (Kind.ASKS, "evaluating.evaluate"),
    "EvaluateBatch": (Kind.ASKS, "evaluating.evaluate_batch"),
    "ExplainFlag": (Kind.ASKS, "explaining_flags.explain_flag"),
    "WatchFlags": (Kind.STREAMS, "watching_flags.watch_flags"),
    "CreateProjectSession": (Kind.WRITES, "project_sessions.create_project_session"),
    "GetProjectSession": (Kind.READS, "project_sessions.get_project_session"),
    "ListProjectSessions": (Kind.READS, "project_sessions.list_project_sessions"),
    "SetProjectSessionFlags": (Kind.WRITES, "project_sessions.set_project_session_flags"),
    "RemoveProjectSessionFlag": (Kind.WRITES, "project_sessions.remove_project_session_flag"),
    "DeleteProjectSession": (Kind.WRITES, "project_sessions.delete_project_session"),
    "ApplyManifest": (Kind.WRITES, "manifests.applying.apply_manifest"),
    # It only reads, but all there is: on the event loop the proxy would wait for it.
    "DumpManifest": (Kind.WRITES, "manifests.dumping.dump_manifest"),
    "ReleaseManifest": (Kind.WRITES, "manifests.releasing.release_manifest"),
    "GetStatus": (Kind.ASKS, "server_status.get_status"),
    "ListProjects": (Kind.READS, "projects.list_projects"),
    "GetProject": (Kind.READS, "projects.get_project"),
    "CreateProject": (Kind.WRITES, "projects.create_project"),
    "UpdateProject": (Kind.WRITES, "projects.update_project"),
    "DeleteProject": (Kind.WRITES, "projects.delete_project"),
    "ListEnvironments": (Kind.READS, "environments.list_environments"),
    "GetEnvironment": (Kind.READS, "environments.get_environment"),
    "CreateEnvironment": (Kind.WRITES, "environments.create_environment"),
    "UpdateEnvironment": (Kind.WRITES, "environments.update_environment"),
    "DeleteEnvironment": (Kind.WRITES, "environments.delete_environment"),
    "CreateKey": (Kind.WRITES, "keys.create_key"),
    "ListKeys": (Kind.READS, "keys.list_keys"),
    "RevokeKey": (Kind.WRITES, "keys.revoke_key"),
    "RotateKey": (Kind.WRITES, "keys.rotate_key"),
    "GetOwnKey": (Kind.READS, "keys.get_own_key"),
}


@dataclass(frozen=True, slots=True)
class Rpc:
    """One RPC: its name on the wire (``/understudy.v1.KeyService/ListKeys``), its messages, rules and use case.

    The use case is a function, or ``Late`` and imported before its first call.

    ``reads_long``: a request may be so long that reading it must not hold up the event loop.
    """

    method: str
    request: type[Message]
    response: type[Message]
    access: Access
    kind: Kind
    use_case: Any
    reads_long: bool = False


def rpcs() -> dict[str, Rpc]:
    """The table of the contract, by name on the wire. Fails when an RPC has no use case."""
    table = rpcs_of(_SERVICES, {name: (kind, Late(place)) for name, (kind, place) in _USE_CASES.items()})
    if len(table) != len(_USE_CASES):
        raise LookupError("a use case belongs to no RPC")
    return table


def rpcs_of(services: Iterable[ServiceDescriptor], use_cases: dict[str, tuple[Kind, UseCase]]) -> dict[str, Rpc]:
    """The table of some services. Raises KeyError for an RPC without a use case."""
    found = (_rpc(method, *use_cases[method.name]) for service in services for method in service.methods)
    return {rpc.method: rpc for rpc in found}


def service_names() -> tuple[str, ...]:
    """The full names of all services, for health and reflection."""
    return tuple(service.full_name for service in _SERVICES)


def _rpc(method: MethodDescriptor, kind: Kind, use_case: UseCase) -> Rpc:
    return Rpc(
        method=f"/{method.containing_service.full_name}/{method.name}",
        request=message_factory.GetMessageClass(method.input_type),
        response=message_factory.GetMessageClass(method.output_type),
        access=options.access(method),
        kind=kind,
        use_case=use_case,
        reads_long=options.has_long_bodies(method),
    )
