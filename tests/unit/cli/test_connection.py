import asyncio
import socket
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from understudy.v1 import (
    key_service_pb2,
    log_service_pb2,
    manifest_service_pb2,
    mock_service_pb2,
    project_service_pb2,
    scenario_service_pb2,
    server_service_pb2,
    session_service_pb2,
)
from understudy.v1.session_service_pb2 import (
    GetSessionRequest,
    GetSessionResponse,
    PutSessionRequest,
    PutSessionResponse,
)
from understudy_server.cli import connection
from understudy_server.cli.connection import connect, method_of
from understudy_server.cli.embedded import open_rooms
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.target import OWNER_SOCKET, Target

FILES = (
    key_service_pb2,
    log_service_pb2,
    manifest_service_pb2,
    mock_service_pb2,
    project_service_pb2,
    scenario_service_pb2,
    server_service_pb2,
    session_service_pb2,
)
METHODS = [
    (method, service)
    for file in FILES
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]


@pytest.mark.parametrize(("method", "service"), METHODS, ids=[method.full_name for method, _ in METHODS])
def test_every_rpc_is_found_by_its_request(method: object, service: object) -> None:
    kind = method.input_type._concrete_class  # type: ignore[attr-defined]  # the class that belongs to a descriptor
    assert method_of(kind()) == f"/{service.full_name}/{method.name}"  # type: ignore[attr-defined]


def test_a_message_that_is_no_request_is_our_own_mistake() -> None:
    with pytest.raises(TypeError, match=r"google\.protobuf\.Timestamp is not the request of an RPC"):
        method_of(Timestamp())


async def test_a_directory_that_nobody_holds_is_opened_in_process(data: Path) -> None:
    async with connect(Target("", "", data)) as way:
        with pytest.raises(CommandFailed) as caught:
            await way.call(
                GetSessionRequest(session_key="a", project="checkout", environment="staging"), GetSessionResponse
            )
    assert caught.value.exit_code is ExitCode.NOT_FOUND


async def test_a_missing_directory_is_unreachable_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed) as caught:
        async with connect(Target("", "", tmp_path / "none")):
            pass
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert not (tmp_path / "none").exists()


async def test_a_socket_left_behind_does_not_keep_the_owner_out(data: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(data / OWNER_SOCKET))
    async with connect(Target("", "", data)) as way:
        with pytest.raises(CommandFailed, match="not_found"):
            await way.call(GetSessionRequest(session_key="a"), GetSessionResponse)


async def test_a_directory_whose_holder_does_not_answer_is_unreachable(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "OWNER_WAIT_SECONDS", 0)
    async with open_rooms(data, "normal"):
        with pytest.raises(CommandFailed, match=r"process \d+ holds .*, and it does not answer") as caught:
            async with connect(Target("", "", data)):
                pass
    assert caught.value.exit_code is ExitCode.UNREACHABLE


async def test_commands_at_the_same_time_wait_for_each_other(data: Path) -> None:
    async def ask(number: int) -> str:
        async with connect(Target("", "", data)) as way:
            request = PutSessionRequest(session_key=f"s{number}", project="checkout")
            return (await way.call(request, PutSessionResponse)).session.session_key

    assert await asyncio.gather(*(ask(number) for number in range(5))) == [f"s{number}" for number in range(5)]


async def test_a_server_that_is_not_there_is_unreachable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        async with connect(Target(address, "fmk_x", Path())) as way:
            with pytest.raises(CommandFailed) as caught:
                await way.call(GetSessionRequest(session_key="a"), GetSessionResponse)
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert caught.value.message == f"no answer from {address}"
