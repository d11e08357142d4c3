"""Calls with many answers, through the same chain: the dispatcher, and the gRPC door before it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import message_factory
from google.protobuf.message import Message
from google.rpc.code_pb2 import Code
from google.rpc.status_pb2 import Status
from support import synthetic
from support.dispatching import World, world
from understudy import status
from understudy.options.v1.options_pb2 import ROLE_CI, SCOPE_NONE, Access
from understudy_gateway.channel import ChannelBackend
from understudy_server.app.call import Call
from understudy_server.core.errors import NotFound
from understudy_server.core.rates import Rate
from understudy_server.rpc.dispatcher import Dispatcher
from understudy_server.rpc.grpc_server import GrpcServer
from understudy_server.rpc.table import Kind, Rpc

WATCH = "/synthetic.v1.ThingService/Watch"


async def count_up(_call: Call, request: Any) -> AsyncIterator[Message]:
    """Answers three times, and fails then when asked to."""
    for number in range(3):
        yield synthetic.make("Everything", text=f"{number}")
    if request.name == "fails":
        raise NotFound("there is no more")


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path / "data") as made:
        yield made


@pytest.fixture
def dispatcher(here: World) -> Dispatcher:
    method = synthetic.service().methods_by_name["Watch"]
    rpc = Rpc(
        method=WATCH,
        request=message_factory.GetMessageClass(method.input_type),
        response=message_factory.GetMessageClass(method.output_type),
        access=Access(scope=SCOPE_NONE, role=ROLE_CI),
        kind=Kind.STREAMS,
        use_case=count_up,
    )
    return Dispatcher(
        store=here.store,
        journal=here.journal,
        presence=here.presence,
        state=here.state,
        explainer=here.explainer,
        clock=here.clock,
        new_id=str,
        api_rate=Rate(9, 9),
        table={WATCH: rpc},
    )


def text_of(item: Any) -> str:
    return status.read(item).reason if isinstance(item, Status) else item.text


@pytest.mark.parametrize(("name", "items"), [("ends", ["0", "1", "2"]), ("fails", ["0", "1", "2", "not_found"])])
async def test_a_status_is_the_last_item_of_a_stream(
    here: World, dispatcher: Dispatcher, name: str, items: list[str]
) -> None:
    metadata = {"authorization": f"Bearer {await here.make_key(ROLE_CI)}"}
    request = synthetic.make("Named", name=name)
    stream = dispatcher.stream(WATCH, metadata, lambda: (request, None))
    assert [text_of(item) async for item in stream] == items


async def test_a_stream_goes_through_the_same_checks(dispatcher: Dispatcher) -> None:
    stream = dispatcher.stream(WATCH, {}, lambda: (synthetic.make("Named", name="ends"), None))
    assert [text_of(item) async for item in stream] == ["unauthorized"]


async def test_a_stream_of_no_method_says_so(dispatcher: Dispatcher) -> None:
    stream = dispatcher.stream("/none", {}, lambda: (synthetic.make("Named"), None))
    (answer,) = [item async for item in stream]
    assert isinstance(answer, Status)
    assert answer.code == Code.UNIMPLEMENTED


async def test_a_stream_goes_over_grpc_item_by_item(here: World, dispatcher: Dispatcher) -> None:
    server = GrpcServer(dispatcher)
    backend = ChannelBackend(await server.start("127.0.0.1:0"), contract=synthetic.contract())
    metadata = {"authorization": f"Bearer {await here.make_key(ROLE_CI)}"}
    request = synthetic.make("Named", name="fails")
    stream = backend.stream(WATCH, metadata, lambda: (request, None))
    assert [text_of(item) async for item in stream] == ["0", "1", "2", "not_found"]
    await backend.close()
    await server.stop(0)
