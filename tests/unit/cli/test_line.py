from pathlib import Path

import pytest
from understudy.v1.project_service_pb2 import ListProjectsRequest, ListProjectsResponse
from understudy_server.cli import connection
from understudy_server.cli.connection import MESSAGE_BYTES_MAX, OverChannel
from understudy_server.cli.embedded import open_rooms
from understudy_server.cli.failures import CommandFailed, ExitCode
from understudy_server.cli.line import Line
from understudy_server.cli.target import Target
from understudy_server.rpc import grpc_server


async def ask(line: Line) -> int:
    return len((await line.call(ListProjectsRequest(), ListProjectsResponse)).projects)


async def test_a_line_is_connected_by_its_first_call(data: Path) -> None:
    # Were it connected already, nobody else could hold the directory.
    async with Line(Target("", "", data)), open_rooms(data, "normal"):
        pass


async def test_a_line_that_was_hung_up_lets_others_in_and_calls_again(data: Path) -> None:
    async with Line(Target("", "", data)) as line:
        assert await ask(line) == 1
        await line.hang_up()
        async with open_rooms(data, "normal"):
            pass
        assert await ask(line) == 1


async def test_a_line_to_a_running_server_opens_no_directory(data: Path) -> None:
    async with Line(Target("", "", data)).to_a_running_server() as line:
        with pytest.raises(CommandFailed, match="no server runs on the data directory") as caught:
            await ask(line)
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert "understudy serve --data" in caught.value.advice


async def test_a_request_that_no_server_reads_is_not_sent() -> None:
    def never(*_: object, **__: object) -> object:
        raise AssertionError("it was sent")

    channel = type("Channel", (), {"unary_unary": never})()
    with pytest.raises(CommandFailed, match="more than the") as caught:
        await OverChannel(channel, "a server").call(
            ListProjectsRequest(search="a" * MESSAGE_BYTES_MAX), ListProjectsResponse
        )
    assert caught.value.exit_code is ExitCode.USAGE


def test_a_server_reads_what_a_command_sends() -> None:
    assert grpc_server.MESSAGE_BYTES_MAX >= connection.MESSAGE_BYTES_MAX
